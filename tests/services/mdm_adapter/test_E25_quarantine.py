"""E25: whatever lies in quarantine is listed with its age, tried again, corrected or given up, with who and why."""

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY

from kit.store import Unit
from services.mdm_adapter.app import build
from services.mdm_adapter.domain.causes import CAUSES
from services.mdm_adapter.domain.messages import InboundMessage, InState, QuarantineEntry
from services.mdm_adapter.measuring import Gauges
from services.mdm_adapter.receiving import message_of
from tests.services.mdm_adapter.erp import reply
from tests.services.mdm_adapter.scenes import Scene, order, requested, visited

WHY = {"reason": "asked the partner on the phone"}
CSV = """order_no;version;kind;metering_point_id;street;number;postcode;city;municipality
W-1;1;exchange;DE000123001010000000000000001234A;Am Hang;7;00101;Nordstadt;01001001
W-2;1;exchange;41373559240;Am Hang;8;00101;Nordstadt;01001001
W-3;1;exchange;DE000123001010000000000000001234A;Am Hang;9;00101;Nordstadt;01001001
"""


async def open_entries(scene: Scene) -> list[dict[str, Any]]:
    async with scene.http("mdm") as client:
        return (await client.get("/v1/quarantine?state=OPEN")).json()


async def act(scene: Scene, entry: str, action: str, body: dict[str, Any] = WHY, name: str = "anna") -> Any:
    async with scene.http("mdm", name=name) as client:
        answer = await client.post(f"/v1/quarantine/{entry}/{action}", json=body)
    await scene.works()
    return answer


async def put_aside(scene: Scene, cause: str) -> str:
    """A message of erp-a that a worker set aside for this cause; returns the entry's id."""
    receipt = await scene.comes(order())
    message_id = message_of(receipt)
    entries = list[str]()

    def command(unit: Unit) -> None:
        message = unit.get(InboundMessage, str(message_id))
        message.state = InState.QUARANTINED
        entry = QuarantineEntry.open(unit.new_id(), message, cause, "planted", unit.now)
        entries.append(str(entry.id))
        unit.add(entry)

    await scene.run(command, needs=[(InboundMessage, str(message_id))])
    return entries[0]


@pytest.mark.parametrize("cause", sorted(CAUSES))
async def test_E25_every_cause_is_listed_with_its_age_and_what_helps(scene: Scene, cause: str) -> None:
    entry = await put_aside(scene, cause)
    await scene.passes(timedelta(hours=3))
    (found,) = await open_entries(scene)
    assert (found["id"], found["cause"], found["age_seconds"]) == (entry, cause, 3 * 3_600)
    assert (found["means"], found["remedy"]) == tuple(CAUSES[cause])


@pytest.mark.parametrize("cause", sorted(CAUSES))
async def test_E25_every_cause_is_retried_with_who_and_why(scene: Scene, cause: str) -> None:
    entry = await put_aside(scene, cause)
    answer = await act(scene, entry, "retry")
    (kept,) = await scene.rows("quarantine")
    assert (answer.json(), kept.state, kept.closed_by, kept.reason) == (
        {"state": "RETRIED"},
        "RETRIED",
        "person:local:anna",
        WHY["reason"],
    )
    assert (await scene.rows("inbound_messages"))[0].state == "PROCESSED"


@pytest.mark.parametrize("cause", sorted(CAUSES))
async def test_E25_every_cause_is_fixed_and_both_versions_are_kept(scene: Scene, cause: str) -> None:
    entry = await put_aside(scene, cause)
    edits = {
        "/RequestMessage/Header/MessageID": "M-2",
        "/RequestMessage/Payload/ServiceOrders/ServiceOrder/mRID": "WO-2",
    }
    answer = await act(scene, entry, "fix", {**WHY, "edits": edits})
    first, second = (
        min(await scene.rows("archive"), key=lambda row: row.number),
        message_of(answer.json()["receipt"]),
    )
    (edit,) = await scene.rows("edits")
    assert (first.content, edit.original_id, edit.edited_id) == (order(), first.id, second)
    assert (edit.by, edit.reason) == ("person:local:anna", WHY["reason"])
    assert {place: (each.before, each.after) for place, each in edit.changed.items()} == {
        "/RequestMessage/Header/MessageID": ("M-1", "M-2"),
        "/RequestMessage/Payload/ServiceOrders/ServiceOrder/mRID": ("WO-1", "WO-2"),
    }
    assert [row.order_no for row in await scene.rows("orders")] == ["WO-1", "WO-2"]
    assert (await scene.rows("quarantine"))[0].state == "FIXED"


@pytest.mark.parametrize("cause", sorted(CAUSES))
async def test_E25_every_cause_is_given_up_by_two_and_the_archive_keeps_it(scene: Scene, cause: str) -> None:
    entry = await put_aside(scene, cause)
    await act(scene, entry, "discard")
    same = await act(scene, entry, "discard")
    done = await act(scene, entry, "discard", {"reason": "yes, it was a test of theirs"}, "bo")
    (kept,) = await scene.rows("quarantine")
    assert (same.json()["code"], done.json()["state"], kept.discard_asked_by, kept.closed_by) == (
        "four-eyes",
        "DISCARDED",
        "person:local:anna",
        "person:local:bo",
    )
    assert kept.reason == "asked the partner on the phone · yes, it was a test of theirs"
    assert order() in [row.content for row in await scene.rows("archive")]


@pytest.mark.parametrize("action", ["retry", "fix", "discard"])
async def test_a_reason_of_ten_characters_is_asked_for(scene: Scene, action: str) -> None:
    entry = await put_aside(scene, "CONFLICT")
    body = {
        "reason": "too short",
        **({"edits": {"/RequestMessage/Header/MessageID": "M-2"}} if action == "fix" else {}),
    }
    answer = await act(scene, entry, action, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "reason-missing")


async def test_a_fix_that_is_wrong_too_names_what_is_wrong_and_changes_nothing(scene: Scene) -> None:
    entry = await put_aside(scene, "CONFLICT")
    place = "/RequestMessage/Payload/ServiceOrders/ServiceOrder/Work/WorkTask/UsagePoint/mRID"
    answer = await act(scene, entry, "fix", {**WHY, "edits": {place: "DE1"}})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "edit-refused")
    assert [found["code"] for found in problem["errors"]] == ["2.12"]
    assert ([row.state for row in await scene.rows("quarantine")], len(await scene.rows("inbound_messages"))) == (
        ["OPEN"],
        1,
    )


@pytest.mark.parametrize(
    ("edits", "place"),
    [
        ({"/RequestMessage/Header/Colour": "red"}, "/RequestMessage/Header/Colour"),
        ({"/RequestMessage/Header/MessageID": "M-1"}, "/RequestMessage/Header/MessageID"),
    ],
    ids=["no such place", "nothing new"],
)
async def test_a_fix_of_nothing_is_refused(scene: Scene, edits: dict[str, str], place: str) -> None:
    entry = await put_aside(scene, "CONFLICT")
    answer = await act(scene, entry, "fix", {**WHY, "edits": edits})
    assert (answer.status_code, answer.json()["code"], answer.json()["place"]) == (422, "no-such-place", place)


async def test_a_message_that_cannot_be_read_is_fixed_as_a_whole(scene: Scene) -> None:
    entry = await put_aside(scene, "POISON")
    whole = order("WO-9", message_id="M-9").decode().split("\n")
    answer = await act(scene, entry, "fix", {**WHY, "content": whole})
    assert (answer.status_code, "WO-9" in [row.order_no for row in await scene.rows("orders")]) == (200, True)


async def test_E25_a_bad_row_of_a_file_is_fixed_alone(scene: Scene) -> None:
    await scene.comes(CSV.encode(), "erp-csv")
    (entry,) = await open_entries(scene)
    assert (entry["row"], entry["cause"]) == (2, "D-MALO-1")
    answer = await act(scene, entry["id"], "fix", {**WHY, "edits": {"row 2, metering_point_id": "41373559241"}})
    copies = [row.content for row in await scene.rows("archive") if row.content != CSV.encode()]
    assert (answer.status_code, b"W-2" in copies[0], b"W-1" in copies[0]) == (200, True, False)
    assert sorted(row.order_no for row in await scene.rows("orders")) == ["W-1", "W-2", "W-3"]


async def test_E25_an_answer_to_nothing_finds_its_document_once_its_reference_is_fixed(scene: Scene) -> None:
    import httpx

    from tests.services.mdm_adapter.erp import text

    scene.erp.script = lambda _: httpx.Response(202)
    await scene.given_a_case(visited(), requested())
    (sent,) = scene.erp.reports()
    await scene.comes(reply("a-typo"))
    (entry,) = await open_entries(scene)
    edits = {
        "/ResponseMessage/Header/CorrelationID": text(sent, "Header/MessageID"),
        "/ResponseMessage/Header/MessageID": "R-2",
    }
    await act(scene, entry["id"], "fix", {**WHY, "edits": edits})
    assert (entry["cause"], (await scene.rows("handover_rows"))[0].state) == ("UNCORRELATED", "TRANSFERRED")


async def test_E25_nothing_is_lost_over_a_restart(scene: Scene) -> None:
    """What is open, asked for and closed is what the database says; a new process begins from it."""
    entry = await put_aside(scene, "CONFLICT")
    await act(scene, entry, "discard")
    again = Scene(build(scene.service.settings, scene.clock), scene.clock, scene.signer)  # type: ignore[arg-type]
    (found,) = await open_entries(again)
    assert (found["id"], found["state"], found["discard_asked_by"]) == (entry, "OPEN", "person:local:anna")
    done = await act(again, entry, "discard", name="bo")
    await again.close()
    rows = await scene.store.read(lambda db: db.execute(sa.text("SELECT action, details FROM audit")).all())
    said = [json.loads(row.details)["why"] for row in rows if row.action == "message:discard"]
    assert (done.json()["state"], said) == ("DISCARDED", [WHY["reason"]] * 2)


@pytest.mark.parametrize(("query", "number"), [("cause=CONFLICT", 1), ("cause=POISON", 0), ("partner=erp-a", 1)])
async def test_quarantine_is_narrowed(scene: Scene, query: str, number: int) -> None:
    await put_aside(scene, "CONFLICT")
    async with scene.http("mdm") as client:
        assert len((await client.get(f"/v1/quarantine?{query}")).json()) == number


async def test_one_entry_is_found_by_its_id_and_by_its_message(scene: Scene) -> None:
    entry = await put_aside(scene, "CONFLICT")
    async with scene.http("auditor") as client:
        one = (await client.get(f"/v1/quarantine/{entry}")).json()
        same = (await client.get(f"/v1/quarantine?message={one['message_id']}")).json()
        absent = await client.get(f"/v1/quarantine/{one['message_id']}")
    assert (one["id"], [each["id"] for each in same], absent.status_code) == (entry, [entry], 404)


async def test_what_waits_is_measured_by_cause_and_age(scene: Scene) -> None:
    await put_aside(scene, "CONFLICT")
    await scene.passes(timedelta(minutes=20))
    await Gauges(scene.store)()
    seen = {name: REGISTRY.get_sample_value(f"rollout_mdm_quarantine_{name}") for name in ("oldest_seconds",)}
    is_open = REGISTRY.get_sample_value("rollout_mdm_quarantine_open", {"cause": "CONFLICT"})
    (entry,) = await open_entries(scene)
    await act(scene, entry["id"], "retry")
    await Gauges(scene.store)()
    assert (seen["oldest_seconds"], is_open) == (1_200, 1)
    assert REGISTRY.get_sample_value("rollout_mdm_quarantine_open", {"cause": "CONFLICT"}) is None
    assert REGISTRY.get_sample_value("rollout_mdm_quarantine_oldest_seconds") == 0


async def test_documents_and_their_clocks_are_measured(scene: Scene) -> None:
    report = visited()
    bare = report.removed[0].model_copy(update={"registers": ()})
    await scene.given_a_case(report.model_copy(update={"removed": (bare,)}), requested())
    await Gauges(scene.store)()
    rows = REGISTRY.get_sample_value("rollout_mdm_rows", {"state": "QUEUED", "fact": "exchange_completed"})
    left = REGISTRY.get_sample_value("rollout_mdm_deadline_seconds", {"kind": "fact_missing"})
    assert (rows, left) == (1, 900)
