"""What people and programs get over HTTP: views, scopes, versions, refusals that are counted and audited."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from contracts.quality import FormActivated
from kit.auth import Scope
from services.case_service.api.moving import MOVE_ACTIONS
from services.case_service.domain.matrices import MOVES
from tests.services.case_service.story import LATER, Story, wire
from tests.unit.case_service import facts
from tests.unit.case_service.builders import COMPANY, NOW, TECHNICIAN, a_report


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    begun = await Story.begin(tmp_path)
    yield begun
    await begun.stage.close()


async def test_a_case_is_listed_found_and_read(story: Story) -> None:
    case = await story.case()
    async with story.person("anna") as anna:
        (listed,) = (await anna.get("/v1/cases", params={"phase": "BACKLOG"})).json()["items"]
        none = (await anna.get("/v1/cases", params={"phase": "PLANNING"})).json()["items"]
        by_order = (await anna.get("/v1/cases", params={"order_key": "erp-a:4711"})).json()["items"]
        one = (await anna.get(f"/v1/cases/{case.case_id}")).json()
    assert (listed["case_id"], none, len(by_order)) == (str(case.case_id), [], 1)
    assert (one["phase"], one["orders"][0]["order_key"], one["work_orders"][0]["state"]) == (
        *("BACKLOG", "erp-a:4711", "OPEN"),
    )
    assert not {"contact", "address", "access_note", "registers"} & one.keys()


async def test_pages_of_cases_follow_each_other(story: Story) -> None:
    from tests.unit.case_service.builders import an_order

    await story.hears(an_order(order_key="erp-a:2", order_no="2", metering_point_id="P2"))
    async with story.person("anna") as anna:
        first = (await anna.get("/v1/cases", params={"limit": 1})).json()
        second = (await anna.get("/v1/cases", params={"limit": 1, "after": first["next"]})).json()
    assert first["items"][0]["case_id"] < second["items"][0]["case_id"]


async def test_asking_for_a_booking_is_accepted_and_not_yet_done(story: Story) -> None:
    await story.is_planned()
    answer = await story.asks("anna", "send_booking")
    assert (answer.status_code, answer.json()["state"], answer.json()["offer_pending"]) == (202, "PLANNING", True)


async def test_a_move_on_an_older_version_is_refused_with_the_present_one(story: Story) -> None:
    answer = await story.asks("anna", "start_planning", expected_version=99)
    assert (answer.status_code, answer.json()["code"]) == (409, "stale-version")
    assert (answer.json()["current_version"], answer.json()["state"]) == (1, "OPEN")


async def test_a_refusal_names_every_objection(story: Story) -> None:
    await story.moves("anna", "start_planning")
    answer = (await story.asks("anna", "send_booking")).json()
    assert [each["code"] for each in answer["objections"]] == ["not-planned"]
    answer = (await story.asks("anna", "reopen")).json()
    assert answer["possible"] == [
        *("prepare_letter", "send_booking", "follow_up_manually", "put_on_hold", "assign", "set_flag"),
        "acknowledge_change",
    ]


async def test_a_refused_move_changes_nothing_and_is_audited(story: Story) -> None:
    before = (await story.order()).version
    await story.asks("quirin", "start_planning")
    rows = [row for row in await story.stage.rows("audit") if row.action == "refused:move:start_planning"]
    assert ([row.actor for row in rows], (await story.order()).version) == (["person:local:quirin"], before)
    assert '"code":"role-missing"' in rows[0].details


async def test_the_same_request_again_gets_the_same_answer_also_when_it_was_refused(story: Story) -> None:
    await story.is_booked()
    await story.says(lambda case, order: facts.moved(case, order, agreed=False))
    await story.moves("anna", "plan_again")
    order, key = await story.order(), {"Idempotency-Key": str(uuid4())}
    async with story.person("tom") as tom:
        body = {"move": "resolve", "report": wire(a_report())}
        answers = [
            await tom.post(f"/v1/work-orders/{order.work_order_id}/moves", json=body, headers=key) for _ in range(2)
        ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "move-not-allowed")] * 2
    assert len(await story.stage.rows("visit_conflicts")) == 1


async def test_moves_that_are_possible_are_shown_with_what_objects(story: Story) -> None:
    await story.moves("anna", "start_planning")
    order = await story.order()
    async with story.person("anna") as anna:
        shown = (await anna.get(f"/v1/work-orders/{order.work_order_id}/moves")).json()
    assert (shown["state"], shown["version"]) == ("PLANNING", order.version)
    assert [each["code"] for each in shown["moves"]["put_on_hold"]] == ["return-date-invalid"]
    assert shown["moves"]["follow_up_manually"][0]["code"] == "reason-missing"


async def test_a_technician_sees_the_orders_that_are_dispatched_to_him(story: Story) -> None:
    await story.is_planned()
    async with story.person("tom") as tom:
        assert (await tom.get("/v1/work-orders")).json()["items"] == []
        await story.is_offered()
        await story.says(facts.confirmed)
        (mine,) = (await tom.get("/v1/work-orders")).json()["items"]
    assert (mine["state"], mine["dispatched"], mine["responsible"]) == ("READY", True, str(TECHNICIAN))
    other = story.stage.http("technician", name="tina", scope=Scope("technician", str(UUID(int=7))))
    async with other as tina:
        assert (await tina.get("/v1/work-orders")).json()["items"] == []
        assert (await tina.get(f"/v1/work-orders/{mine['work_order_id']}")).status_code == 404


async def test_a_blocked_order_leaves_the_technician_s_list(story: Story) -> None:
    await story.is_booked()
    await story.says(lambda case, order: facts.facts(case, order)["MaterialMissing"][0])
    async with story.person("tom") as tom:
        assert (await tom.get("/v1/work-orders")).json()["items"] == []
        assert (await story.asks("tom", "start")).json()["code"] == "blocked"
        await story.says(lambda case, order: facts.facts(case, order)["MaterialReserved"][0])
        assert len((await tom.get("/v1/work-orders")).json()["items"]) == 1


async def test_a_company_sees_its_own_work_only(story: Story) -> None:
    await story.is_planned()
    case = await story.case()
    for company, status in ((COMPANY, 200), (UUID(int=1), 404)):
        scope = Scope("company", str(company))
        async with story.stage.http("company_admin", name="carl", scope=scope) as carl:
            assert (await carl.get(f"/v1/cases/{case.case_id}")).status_code == status
            assert len((await carl.get("/v1/cases")).json()["items"]) == (status == 200)


async def test_what_lies_outside_a_scope_cannot_be_moved(story: Story) -> None:
    await story.is_planned()
    order = await story.order()
    scope = Scope("company", str(UUID(int=1)))
    async with story.stage.http("company_admin", name="carl", scope=scope) as carl:
        answer = await carl.post(
            f"/v1/work-orders/{order.work_order_id}/moves", json={"move": "plan_again", "expected_version": 1}
        )
    assert answer.status_code == 404


async def test_only_the_responsible_technician_starts(story: Story) -> None:
    await story.is_booked()
    order = await story.order()
    other = story.stage.http("technician", name="tina", scope=Scope("technician", str(UUID(int=7))))
    async with other as tina:
        answer = await tina.post(f"/v1/work-orders/{order.work_order_id}/moves", json={"move": "start"})
    assert answer.status_code == 404
    by_staff = await story.asks("anna", "start", reason="he asked me")
    assert by_staff.json()["code"] == "not-responsible", "T18 is the technician's"


async def test_the_contact_is_read_by_whom_it_concerns_and_each_reading_is_audited(story: Story) -> None:
    await story.is_booked()
    case = await story.case()
    path = f"/v1/cases/{case.case_id}/contact"
    async with story.person("tom") as tom:
        assert (await tom.get(path)).status_code == 404, "not before the day of the visit"
        await story.stage.passes(LATER)
    async with story.person("tom") as tom, story.person("quirin") as quirin:
        assert (await tom.get(path)).json()["phone"] == "+4915112345678"
        assert (await quirin.get(path)).status_code == 403
    read = [row for row in await story.stage.rows("audit") if row.action == "contact:read"]
    assert [row.actor for row in read] == ["person:local:tom"]


async def test_a_company_technician_sees_a_masked_number(story: Story) -> None:
    await story.is_booked()
    case = await story.case()
    await story.stage.passes(LATER)
    token = story.stage.signer.person(
        "person:local:carla",
        ["company_technician"],
        Scope("technician", str(TECHNICIAN)),
        story.stage.clock.now(),
        company=str(COMPANY),
    )
    async with story.stage.http("company_technician", name="carla") as carla:
        carla.headers["Authorization"] = f"Bearer {token}"
        answer = (await carla.get(f"/v1/cases/{case.case_id}/contact")).json()
    assert answer["phone"] == "+49 ••• ••• •78"


async def test_the_history_tells_everything_in_order(story: Story) -> None:
    await story.is_booked()
    await story.is_visited(a_report("NOT_AT_HOME"))
    await story.moves("anna", "reopen", reason="the customer called back")
    case = await story.case()
    async with story.person("anna") as anna:
        lines = (await anna.get(f"/v1/cases/{case.case_id}/history")).json()["lines"]
    moves = [line["code"] for line in lines if line["kind"] == "move"]
    assert moves == ["T01", "T04", "T07", "T18", "T20", "T22"]
    assert [line["text"] for line in lines if line["kind"] == "words"] == ["the customer called back"]
    assert [line["code"] for line in lines if line["kind"] == "visit"] == ["NOT_AT_HOME"]


async def test_the_gate_says_what_is_missing(story: Story) -> None:
    case = await story.case()
    async with story.person("anna") as anna:
        gate = (await anna.get(f"/v1/cases/{case.case_id}/gate")).json()
    assert (gate["passed"], gate["failing"][0]) == (False, "DoD1: meter, meter OLD1")
    refused = await story.acts("anna", "check_gate")
    assert (refused.status_code, refused.json()["code"], refused.json()["items"]) == (
        409,
        "gate-closed",
        gate["failing"],
    )


async def test_G16_a_report_is_checked_against_the_version_of_the_form_that_it_names(story: Story) -> None:
    schema = {
        "type": "object",
        "properties": {"comms_ok": {"type": "boolean"}, "seal_no": {"type": "string", "minLength": 2}},
        "required": ["comms_ok", "seal_no"],
    }
    form = FormActivated(
        form_key="meter_exchange",
        form_version=1,
        operator="nord",
        work_kind="meter_exchange",
        schema_=schema,
        evidence_plan=(),
        valid_from=NOW.date(),
    )
    await story.hears(form)
    await story.is_booked()
    answer = await story.asks("tom", "resolve", report=wire(a_report(answers={"comms_ok": "yes"})))
    assert (answer.json()["code"], answer.json()["fields"]) == ("form-incomplete", ["comms_ok", "seal_no"])
    good = a_report(answers={"comms_ok": True, "seal_no": "A-17"})
    assert (await story.asks("tom", "resolve", report=wire(good))).status_code == 200


async def test_a_body_with_an_unknown_member_is_refused(story: Story) -> None:
    answer = await story.asks("anna", "start_planning", surprise=1)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-body")
    assert "surprise" in answer.text


async def test_every_exception_needs_its_four_fields(story: Story) -> None:
    answer = await story.acts("anna", "raise_exception", type="qa_waiver")
    assert (answer.json()["code"], answer.json()["fields"]) == ("exception-incomplete", ["owner", "due_on", "reason"])


async def test_no_one_raises_by_hand_what_only_events_raise(story: Story) -> None:
    answer = await story.acts(
        "anna", "raise_exception", type="handover_rejected", owner="mdm", due_on="2026-03-20", reason="no"
    )
    assert answer.json()["code"] == "exception-incomplete"


async def test_nobody_cancels_what_no_partner_withdrew(story: Story) -> None:
    await story.is_planned()
    await story.moves("anna", "follow_up_manually", reason="call")
    answer = await story.asks("anna", "close_case", resolution="cancelled", reason="I want", customer_informed=True)
    assert (answer.status_code, answer.json()["code"]) == (403, "cancel-by-mdm-only")


async def test_a_kept_report_may_be_put_aside(story: Story) -> None:
    await story.is_booked()
    await story.says(lambda case, order: facts.moved(case, order, agreed=False))
    await story.moves("anna", "plan_again")
    await story.asks("tom", "resolve", report=wire(a_report()))
    async with story.person("anna") as anna:
        (kept,) = (await anna.get("/v1/visit-conflicts")).json()["items"]
        path = f"/v1/visit-conflicts/{kept['conflict_id']}/dismiss"
        first = await anna.post(path, json={"reason": "wrong house"})
        second = await anna.post(path, json={"reason": "again"})
    assert (kept["serials"], first.json()["state"], second.status_code) == (["NEW1", "OLD1"], "dismissed", 409)


def test_every_move_has_its_action() -> None:
    assert set(MOVE_ACTIONS) == set(MOVES)
