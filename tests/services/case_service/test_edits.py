"""What people change by hand: flags, the customer's contact, links, who is responsible; and what they may not."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from contracts import cases, contacts, notices, orders
from contracts.codes import Channel
from contracts.event import Event
from contracts.parts import Change, Contact
from kit.auth import Scope
from services.case_service.api.examples import move_body
from services.case_service.api.moving import MOVE_ACTIONS
from services.case_service.domain.moves import OFFLINE
from services.case_service.domain.ownership import Asked
from tests.services.case_service.story import Story, appointment, cancelled
from tests.unit.case_service.builders import NOW, TECHNICIAN, an_order

BELL = "Ring twice, the bell is broken."
MOVED = {"street": "Am Bach", "number": "2", "postcode": "00101", "city": "Musterstadt", "country": "DE"}
MASTERS = sorted(Asked.model_fields)


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    begun = await Story.begin(tmp_path)
    yield begun
    await begun.stage.close()


async def edited(story: Story, who: str = "anna", part: str = "", **body: Any) -> httpx.Response:
    """A person edits the case, on the version that is on the screen."""
    case = await story.case()
    version = case.contact_version if part else case.edition
    async with story.person(who) as client:
        return await client.patch(f"/v1/cases/{case.case_id}{part}", json={"expected_version": version} | body)


async def audited(story: Story, action: str) -> list[str]:
    return [row.actor for row in await story.stage.rows("audit") if row.action == action]


@pytest.mark.parametrize("field", MASTERS)
async def test_S0_01_S3_16_a_field_of_the_master_refuses_by_name_at_every_entrance(story: Story, field: str) -> None:
    before = await story.case()
    answers = [await edited(story, **{field: 1}), await edited(story, part="/contact", **{field: 1})]
    if field != "device_plan":  # of a move it is what the next visit has to do, of an action the plan of a new order
        async with story.person("anna") as anna:
            body = {"move": "start_planning", "expected_version": 1, field: 1}
            answers.append(await anna.post(f"/v1/work-orders/{before.current.work_order_id}/moves", json=body))
            if field not in {"window", "fixed_on", "due_on"}:
                body = {"action": "announce", field: 1}
                answers.append(await anna.post(f"/v1/cases/{before.case_id}/actions", json=body))
    for answer in answers:
        assert (answer.status_code, answer.json()["code"], answer.json()["fields"]) == (403, "master-owned", [field])
    after = await story.case()
    assert (after.version, after.edition, after.contact_version) == (before.version, 1, 1)
    tried = [row for row in await story.stage.rows("audit") if row.action.startswith("refused:")]
    assert len(tried) == len(answers)


async def test_S0_01_S3_16_the_master_itself_changes_it_and_the_audit_says_who(story: Story) -> None:
    told = orders.MasterDataReceived(
        order_key="erp-a:4711",
        metering_point_id="DE000123001010000000000000001234A",
        origin="partner",
        version=2,
        changed={"priority": Change(old=50, new=80)},
    )
    await story.hears(told)
    assert ((await story.case()).priority, (await story.told(cases.CaseAmended))[-1].changed) == (80, ("priority",))
    amended = [row for row in await story.stage.rows("audit") if "CaseAmended" in row.action or "amend" in row.action]
    assert {row.actor for row in amended} == {"system:case_service"}
    changed = [json.loads(row.details) for row in await story.stage.rows("audit") if row.action == "case:change"]
    assert changed[-1]["source"] == "mdm_adapter"


async def test_S3_15_nothing_is_stored_before_it_is_saved_and_a_stale_edit_shows_what_differs(story: Story) -> None:
    screen = (await story.case()).edition
    first = await edited(story, flags=["DIFFICULT"])
    stale = await edited(story, expected_version=screen, flags=["IMPORTANT"], flag_text=BELL)
    assert (first.status_code, first.json()["edition"]) == (200, screen + 1)
    assert (stale.status_code, stale.json()["code"], stale.json()["current_version"]) == (
        409,
        "stale-version",
        screen + 1,
    )
    assert stale.json()["diff"] == {
        "flags": {"yours": ["IMPORTANT"], "now": ["DIFFICULT"]},
        "flag_text": {"yours": BELL, "now": None},
    }
    assert (await story.case()).flags == ("DIFFICULT",)


async def test_S3_15_a_stale_move_shows_where_the_order_stands_and_what_was_wanted(story: Story) -> None:
    await story.moves("anna", "start_planning", responsible=str(TECHNICIAN))
    other = str(UUID(int=7))
    stale = (await story.asks("anna", "assign", expected_version=1, responsible=other)).json()
    assert (stale["code"], stale["current_version"], stale["state"]) == ("stale-version", 2, "PLANNING")
    assert stale["diff"] == {
        "state": {"then": "OPEN", "now": "PLANNING"},
        "responsible": {"yours": other, "now": str(TECHNICIAN)},
    }


async def test_S3_15_a_flag_is_set_on_the_case_that_was_on_the_screen(story: Story) -> None:
    screen = (await story.case()).edition
    await edited(story, flags=["IMPORTANT"], flag_text=BELL)
    given = {"flag": "IMPORTANT", "text": "No dog.", "expected_edition": screen}
    stale = (await story.asks("anna", "set_flag", **given)).json()
    assert (stale["code"], stale["current_version"]) == ("stale-version", screen + 1)
    assert stale["diff"] == {"flag_text": {"yours": "No dog.", "now": BELL}}
    async with story.person("anna") as anna:
        shown = (await anna.get(f"/v1/work-orders/{(await story.order()).work_order_id}")).json()
    assert shown["edition"] == screen + 1
    await story.moves("anna", "set_flag", **given | {"expected_edition": shown["edition"]})
    assert (await story.case()).flag_text == "No dog."


@pytest.mark.parametrize("move", sorted(MOVE_ACTIONS))
async def test_a_manual_move_names_the_version_on_which_it_was_decided(story: Story, move: str) -> None:
    """Lifecycle §14: only what an offline client sends names none."""
    who, body = "tom" if move in OFFLINE else "anna", move_body(move)
    body.pop("expected_version", None)
    await story.is_booked()
    async with story.person(who) as client:
        path = f"/v1/work-orders/{(await story.order()).work_order_id}/moves"
        bare, named = (
            await client.post(path, json=body),
            await client.post(path, json=body, headers={"If-Match": '"1"'}),
        )
    missing = [(each["code"], each["pointer"]) for each in bare.json().get("errors", ())]
    if move in OFFLINE:
        assert missing == []
    else:
        assert (bare.status_code, missing) == (422, [("json/missing-member", "/expected_version")])
        assert named.json()["code"] in {"stale-version", "move-not-allowed"}


async def test_a_flag_is_not_set_without_the_edition_of_its_case(story: Story) -> None:
    answer = await story.asks("anna", "set_flag", flag="DIFFICULT", expected_edition=None)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/expected_edition")


async def test_an_edit_names_its_version_in_the_body_or_as_if_match(story: Story) -> None:
    case = await story.case()
    path, body = f"/v1/cases/{case.case_id}", {"flags": ["DIFFICULT"]}
    async with story.person("anna") as anna:
        without = await anna.patch(path, json=body)
        stale = await anna.patch(path, json=body, headers={"If-Match": '"9"'})
        good = await anna.patch(path, json=body, headers={"If-Match": f'"{case.edition}"'})
    assert [answer.status_code for answer in (without, stale, good)] == [422, 409, 200]
    assert without.json()["errors"][0]["pointer"] == "/expected_version"


async def test_S3_17_what_is_important_needs_words_and_reaches_the_technician_before_the_order_is_opened(
    story: Story,
) -> None:
    await story.is_booked()
    refused = await edited(story, flags=["IMPORTANT"])
    assert (refused.status_code, refused.json()["code"]) == (422, "reason-missing")
    await edited(story, flags=["IMPORTANT"], flag_text=BELL)
    async with story.person("tom") as tom:
        (item,) = (await tom.get("/v1/work-orders")).json()["items"]
        assert (item["flags"], item["flag_text"]) == (["IMPORTANT"], BELL)
        await edited(story, flags=[])
        (item,) = (await tom.get("/v1/work-orders")).json()["items"]
    assert (item["flags"], item["flag_text"]) == ([], None)
    assert [fact.flags for fact in await story.told(cases.CaseAmended)] == [("IMPORTANT",), ()]


async def test_S3_18_which_meter_is_difficult_never_reaches_the_field(story: Story) -> None:
    await story.is_booked()
    await edited(story, flags=["DIFFICULT", "IMPORTANT"], flag_text=BELL)
    case, order = await story.case(), await story.order()
    paths = (
        "/v1/work-orders",
        f"/v1/work-orders/{order.work_order_id}",
        "/v1/cases",
        f"/v1/cases/{case.case_id}",
        f"/v1/cases/{case.case_id}/history",
        f"/v1/work-orders/{order.work_order_id}/moves",
    )
    async with story.person("tom") as tom, story.person("anna") as anna:
        for path in paths:
            assert "DIFFICULT" not in (await tom.get(path)).text, path
        assert (await tom.get("/v1/cases", params={"flag": "DIFFICULT"})).json()["items"] == []
        assert "DIFFICULT" in (await anna.get(f"/v1/cases/{case.case_id}")).text


async def test_S3_18_a_technician_who_sets_another_flag_leaves_alone_what_he_does_not_see(story: Story) -> None:
    await story.is_booked()
    await edited(story, flags=["DIFFICULT"])
    seen = await edited(story, "tom", flags=["IMPORTANT"], flag_text=BELL)
    assert (seen.json()["flags"], (await story.case()).flags) == (["IMPORTANT"], ("DIFFICULT", "IMPORTANT"))


async def test_the_other_party_s_flag_follows_from_the_order_and_from_nothing_else(story: Story) -> None:
    refused = await edited(story, flags=["OTHER_PARTY_ATTENDS"])
    assert (refused.status_code, refused.json()["fields"]) == (403, ["other_party_attends"])
    await story.is_booked()
    for who in ("tom", "anna"):
        moved = await story.asks(who, "set_flag", flag="OTHER_PARTY_ATTENDS")
        assert (moved.status_code, moved.json()["fields"]) == (403, ["other_party_attends"])
    assert (await story.case()).flags == ()


@pytest.mark.parametrize("on", [True, False])
async def test_S3_18_a_technician_s_move_leaves_the_flag_alone_that_he_does_not_see(story: Story, on: bool) -> None:
    await story.is_booked()
    if not on:
        await edited(story, flags=["DIFFICULT"])
    before = (await story.case()).flags
    assert (await story.asks("tom", "set_flag", flag="DIFFICULT", on=on)).json()["flags"] == []
    assert (await story.case()).flags == before


async def test_T34_what_the_partner_changed_blocks_until_a_planner_acknowledges_it(story: Story) -> None:
    await story.is_booked()
    await story.hears(an_order(version=2, address=MOVED))
    assert (await story.order()).blockers.keys() == {"MASTER_DATA_CHANGED"}
    for who in ("tom", "anna"):
        cleared = await story.asks(who, "set_flag", blocker="MASTER_DATA_CHANGED", on=False)
        assert (cleared.status_code, cleared.json()["code"]) == (409, "blocked")
    assert (await story.asks("tom", "acknowledge_change")).status_code == 403
    await story.moves("anna", "acknowledge_change")
    assert (await story.order()).blockers == {}


async def test_a_dispatcher_corrects_how_the_customer_is_reached(story: Story) -> None:
    good = await edited(story, part="/contact", phone="01512 3456789", access_note="Gate code 12", email=None)
    assert (good.status_code, good.json()["phone"], good.json()["version"]) == (200, "+4915123456789", 2)
    told = (await story.told(contacts.ContactRecorded))[-1]
    assert (told.version, told.phone, told.access_note, told.name) == (2, "+4915123456789", "Gate code 12", "A. Kunde")
    same = await edited(story, part="/contact", phone="+4915123456789")
    assert (same.json()["version"], len(await story.told(contacts.ContactRecorded))) == (2, 2)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"phone": "12"}, "/phone"),
        ({"phone": "call me"}, "/phone"),
        ({"language": None}, "/language"),
        ({"language": "German"}, "/language"),
        ({"email": "nobody"}, "/email"),
        ({"fax": "1"}, "/fax"),
    ],
    ids=str,
)
async def test_a_contact_that_cannot_be_is_refused_by_its_field(
    story: Story, body: dict[str, Any], pointer: str
) -> None:
    answer = await edited(story, part="/contact", **body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert len(await story.told(contacts.ContactRecorded)) == 1


async def test_a_stale_contact_shows_what_differs(story: Story) -> None:
    await edited(story, part="/contact", phone="+4915111111111")
    stale = await edited(story, part="/contact", expected_version=1, phone="+4915122222222")
    assert stale.json()["diff"] == {"phone": {"yours": "+4915122222222", "now": "+4915111111111"}}


async def test_a_customer_changes_phone_and_consent_of_the_own_appointment_and_nothing_else(story: Story) -> None:
    await story.is_planned()
    case = await story.case()
    own = story.stage.http("customer", name="c", scope=Scope("appointment", str(appointment(0))))
    other = story.stage.http("customer", name="d", scope=Scope("appointment", str(UUID(int=5))))
    async with own, other:
        done = await own.patch("/v1/portal/contact", json={"phone": "+4915199999999", "sms_allowed": False})
        name = await own.patch("/v1/portal/contact", json={"name": "Somebody"})
        email = await own.patch("/v1/portal/contact", json={"email": "a@example.net"})
        note = await own.patch(f"/v1/cases/{case.case_id}/contact", json={"expected_version": 2, "access_note": "x"})
        foreign = [
            await other.patch("/v1/portal/contact", json={"sms_allowed": False}),
            await other.patch(f"/v1/cases/{case.case_id}/contact", json={"expected_version": 2}),
            await other.get(f"/v1/cases/{case.case_id}/contact"),
        ]
    assert (done.status_code, done.json()["phone"], done.json()["sms_allowed"]) == (200, "+4915199999999", False)
    assert [(each.status_code, each.json()["code"]) for each in (name, email, note)] == [
        (403, "master-owned"),
        (422, "invalid-body"),
        (403, "role-missing"),
    ]
    assert [each.status_code for each in foreign] == [404] * 3
    told = (await story.told(contacts.ContactRecorded))[-1]
    assert (told.sms_allowed, told.version) == (False, 2)


def anew(version: int) -> Event:
    """The partner's order again, with consent."""
    contact = Contact(name="A. Kunde", phone="+4915112345678", language="de", sms_allowed=True)
    return an_order(version=version, contact=contact)


async def test_who_opted_out_is_not_asked_again_because_a_master_says_so(story: Story) -> None:
    await story.is_planned()
    await story.says(
        lambda case, _: notices.CustomerOptedOut(case_id=case.case_id, channel=Channel.SMS, since=NOW, source="reply")
    )
    await story.hears(anew(2))
    assert (await story.case()).contact.sms_allowed is False
    await edited(story, part="/contact", sms_allowed=True)
    await story.hears(anew(3))
    assert (await story.case()).contact.sms_allowed is True


async def second_case(story: Story) -> str:
    await story.hears(an_order(order_key="erp-a:2", order_no="2", metering_point_id="P2"))
    async with story.person("anna") as anna:
        (item,) = (await anna.get("/v1/cases", params={"order_key": "erp-a:2"})).json()["items"]
    return str(item["case_id"])


async def links_of(story: Story, case_id: str) -> list[tuple[str, str]]:
    async with story.person("anna") as anna:
        found = (await anna.get(f"/v1/cases/{case_id}")).json()["links"]
    return [(link["case_id"], link["kind"]) for link in found]


@pytest.mark.parametrize("side", [0, 1])
async def test_S3_22_a_link_is_seen_and_taken_away_from_both_sides(story: Story, side: int) -> None:
    ids = [str((await story.case()).case_id), await second_case(story)]
    linked = await story.acts("anna", "link", linked_case_id=ids[1], kind="same_house")
    assert linked.status_code == 200
    assert [await links_of(story, each) for each in ids] == [[(ids[1], "same_house")], [(ids[0], "same_house")]]
    again = await story.acts("anna", "link", linked_case_id=ids[1], kind="same_house")
    other = await story.acts("anna", "link", linked_case_id=ids[1], kind="belongs_to")
    assert (again.status_code, other.json()["links"]) == (200, [{"case_id": ids[1], "kind": "belongs_to"}])
    body = {"action": "link", "linked_case_id": ids[1 - side], "on": False}
    async with story.person("anna") as anna:
        parted = await anna.post(f"/v1/cases/{ids[side]}/actions", json=body)
    assert (parted.status_code, [await links_of(story, each) for each in ids]) == (200, [[], []])
    told = [(str(fact.case_id), fact.links) for fact in await story.told(cases.CaseAmended) if "links" in fact.changed]
    assert ([each for each, _ in told[:2]], len(told)) == (ids, 6)


@pytest.mark.parametrize(("kind", "pointer"), [("friends", "/kind"), (None, "/kind")])
async def test_S3_22_a_link_has_one_of_three_kinds(story: Story, kind: str | None, pointer: str) -> None:
    other = await second_case(story)
    answer = await story.acts("anna", "link", linked_case_id=other, **({"kind": kind} if kind else {}))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_S3_22_a_case_is_not_linked_with_itself_nor_with_nobody(story: Story) -> None:
    own = await story.acts("anna", "link", linked_case_id=str((await story.case()).case_id), kind="same_house")
    nobody = await story.acts("anna", "link", kind="same_house")
    unknown = await story.acts("anna", "link", linked_case_id=str(UUID(int=3)), kind="same_house")
    assert [each.status_code for each in (own, nobody, unknown)] == [422, 422, 404]


async def test_S3_13_one_call_makes_me_responsible(story: Story) -> None:
    claims = {"sub": "person:local:anna", "roles": ["dispatcher", "technician"], "hub_technician": str(TECHNICIAN)}
    token = story.stage.signer.token(claims, story.stage.clock.now(), 300)
    order = await story.order()
    async with story.person("anna") as anna:
        answer = await anna.post(
            f"/v1/work-orders/{order.work_order_id}/moves",
            json={"move": "assign", "to_me": True, "expected_version": order.version},
            headers={"Authorization": f"Bearer {token}"},
        )
    assert (answer.status_code, answer.json()["responsible"]) == (200, str(TECHNICIAN))
    (line,) = [line for line in (await story.case()).history if line.reason == "assigned"]
    assert line.actor == "person:local:anna"


async def test_S3_13_who_is_no_technician_names_one(story: Story) -> None:
    answer = await story.asks("anna", "assign", to_me=True)
    assert (answer.status_code, answer.json()["code"], answer.json()["fields"]) == (409, "not-planned", ["responsible"])


async def test_a_case_that_has_ended_is_not_edited(story: Story) -> None:
    await story.hears(cancelled())
    for answer in (await edited(story, flags=["DIFFICULT"]), await edited(story, part="/contact", language="no")):
        assert (answer.status_code, answer.json()["code"]) == (409, "case-ended")
