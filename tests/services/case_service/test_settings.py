"""Flows, sub-reasons and activities as people set them and the work obeys them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from contracts import cases
from contracts.codes import CaseType
from services.case_service.domain.flow import STANDARD, FlowContent
from tests.services.case_service.story import Story, wire
from tests.unit.case_service.builders import a_report, an_order

PEOPLE = {"ada": "admin", "mia": "mdm", "anna": "dispatcher", "carl": "company_admin"}


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    begun = await Story.begin(tmp_path)
    yield begun
    await begun.stage.close()


def a_flow(**given: Any) -> dict[str, Any]:
    """The next version of the exchange flow, as an admin sends it."""
    content = STANDARD[CaseType.EXCHANGE].model_dump(mode="json", include=set(FlowContent.model_fields))
    return content | {"operator": "nord", "case_type": "exchange", "valid_from": "2026-03-01"} | given


async def put(story: Story, path: str, body: dict[str, Any], person: str = "ada") -> Any:
    async with story.stage.http(PEOPLE[person], name=person) as client:
        return await client.put(path, json=body)


async def test_S2_01_a_new_version_holds_for_new_cases_and_running_ones_keep_theirs(story: Story) -> None:
    minutes = {"meter_exchange": 20}
    answer = await put(story, "/v1/flows", a_flow(minutes=minutes, expected_version=1))
    assert (answer.status_code, answer.json()["in_force"], len(answer.json()["versions"])) == (200, 2, 2)
    await story.hears(an_order(order_key="erp-a:2", order_no="2", metering_point_id="P2"))
    opened = await story.told(cases.CaseOpened)
    orders = await story.told(cases.WorkOrderOpened)
    assert [(fact.flow_version, order.duration_min) for fact, order in zip(opened, orders, strict=True)] == [
        (1, 45),
        (2, 20),
    ]
    second = Story(story.stage, "erp-a:2")
    await second.moves("anna", "start_planning")  # the version is loaded with the case
    assert (await second.case()).flow_version == 2


async def test_S2_01_editing_needs_the_right_and_the_newest_version(story: Story) -> None:
    assert (await put(story, "/v1/flows", a_flow(), "anna")).status_code == 403
    assert (await put(story, "/v1/flows", a_flow(expected_version=7))).json()["code"] == "stale-version"
    async with story.person("anna") as anna:
        page = (await anna.get("/v1/flows", params={"operator": "nord"})).json()
    assert [each["case_type"] for each in page["items"]] == [*CaseType]
    assert {each["in_force"] for each in page["items"]} == {1}


async def test_S0_31_labels_and_reasons_may_change_but_no_state_is_added(story: Story) -> None:
    answer = await put(story, "/v1/flows", a_flow(states=["NEARLY_DONE"]))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-body")
    answer = await put(story, "/v1/flows", a_flow(first_kind="gardening"))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-body")
    async with story.person("anna") as anna:
        assert (await anna.get("/v1/cases", params={"phase": "NEARLY_DONE"})).status_code == 422


async def test_S3_41_a_failed_visit_names_a_reason_of_the_operator_s_list(story: Story) -> None:
    reasons = {"dog": "NOT_AT_HOME", "other": "NOT_AT_HOME", "van_broken": "MATERIAL_MISSING"}
    body = {"operator": "nord", "reasons": reasons, "expected_version": 0}
    answer = await put(story, "/v1/sub-reasons", body)
    assert answer.json() == {"operator": "nord", "version": 1, "reasons": reasons, "needs_text": ["other"]}
    await story.is_booked()
    refused = await story.asks("tom", "resolve", report=wire(a_report("NOT_AT_HOME")))
    assert (refused.json()["code"], refused.json()["fields"]) == ("result-invalid", ["sub_reason"])
    other = a_report("NOT_AT_HOME", sub_reason="other")
    assert (await story.asks("tom", "resolve", report=wire(other))).json()["fields"] == ["sub_reason_text"]
    await story.reports(a_report("NOT_AT_HOME", sub_reason="dog"))
    assert (await story.order()).sub_reason == "dog"


async def test_S3_41_reasons_belong_to_failed_results_only(story: Story) -> None:
    for reasons in ({"fine": "OK"}, {"dog": "NOT_AT_HOME"}):
        answer = await put(story, "/v1/sub-reasons", {"operator": "nord", "reasons": reasons})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-body"), answer.text
    assert (await put(story, "/v1/sub-reasons", {"operator": "nord", "reasons": {}}, "mia")).status_code == 403


async def test_S2_13_an_open_permit_keeps_the_technician_out_until_it_is_done(story: Story) -> None:
    await story.is_booked()
    case = await story.case()
    body = {"case_id": str(case.case_id), "kind": "permit", "code": "road", "owner": "dispatcher"}
    async with story.person("anna") as anna:
        made = await anna.post("/v1/activities", json=body | {"due_on": "2026-03-05", "mandatory": True})
        assert made.status_code == 201, made.text
        refused = await story.asks("tom", "start")
        assert (refused.json()["code"], refused.json()["blockers"]) == ("blocked", ["PERMIT_OPEN"])
        cleared = await story.asks("anna", "set_flag", blocker="PERMIT_OPEN", on=False)
        assert cleared.json()["code"] == "blocked"
        (listed,) = (await anna.get("/v1/activities", params={"case_id": str(case.case_id)})).json()["items"]
        path = f"/v1/activities/{listed['activity_id']}/done"
        answers = [(await anna.post(path)).status_code for _ in range(2)]
    assert (listed["state"], answers) == ("OPEN", [200, 409])
    assert "WorkOrderMoved" in await story.moves("tom", "start")


async def test_S2_13_permits_of_an_order_and_a_later_version_open_activities(story: Story) -> None:
    await story.hears(an_order(version=2, permits=("road",)))
    await story.hears(an_order(version=3, permits=("road", "crane")))
    rows = await story.stage.rows("activities")
    assert [(row.kind, row.code, row.mandatory) for row in rows] == [
        ("permit", "road", True),
        ("permit", "crane", True),
    ]
    assert (await story.order()).blockers == {"PERMIT_OPEN": "road, crane"}


async def test_S2_13_activities_of_others_are_not_there(story: Story) -> None:
    from uuid import UUID

    from kit.auth import Scope

    case = await story.case()
    body = {
        "case_id": str(case.case_id),
        "kind": "other",
        "code": "call",
        "owner": "dispatcher",
        "due_on": "2026-03-05",
    }
    scope = Scope("company", str(UUID(int=1)))
    async with story.stage.http("company_admin", name="carl", scope=scope) as carl, story.person("anna") as anna:
        assert (await carl.post("/v1/activities", json=body)).status_code == 404
        made = (await anna.post("/v1/activities", json=body)).json()
        assert (await carl.post(f"/v1/activities/{made['activity_id']}/done")).status_code == 404
        assert (await carl.get("/v1/activities")).json()["items"] == []


STEP = {
    "step": "survey",
    "move": "start_planning",
    "form_key": "survey",
    "fields": ["cabinet", "fuse"],
    "activity": {"code": "order_fuse", "kind": "preparation", "due_days": 5},
}


async def test_S2_02_S2_03_the_next_step_waits_for_its_form_and_opens_what_follows_once(story: Story) -> None:
    await put(story, "/v1/flows", a_flow(steps=[STEP]))
    await story.hears(an_order(order_key="erp-a:2", order_no="2", metering_point_id="P2"))
    second = Story(story.stage, "erp-a:2")
    refused = await second.asks("anna", "start_planning")
    assert (refused.status_code, refused.json()["code"]) == (422, "form-incomplete")
    assert refused.json()["fields"] == ["survey/cabinet", "survey/fuse"]
    order = await second.order()
    edits = [{"form_key": "survey", "field": name, "value": "yes"} for name in ("cabinet", "fuse")]
    async with story.person("anna") as anna:
        path = f"/v1/work-orders/{order.work_order_id}"
        saved = await anna.post(f"{path}/edits", json={"downloaded_version": order.version, "edits": edits})
        assert saved.json()["answers"] == {"survey": {"cabinet": "yes", "fuse": "yes"}}
        assert (await anna.get(f"{path}/answers")).json()["answers"] == saved.json()["answers"]
    await second.moves("anna", "start_planning")
    assert (await second.asks("anna", "start_planning")).json()["code"] == "move-not-allowed"
    (opened,) = await story.stage.rows("activities")
    assert (opened.step, opened.code, await second.path()) == ("survey", "order_fuse", ["T01"])
