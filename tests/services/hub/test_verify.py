"""Each invariant can fail: a violation is planted, and is found by its own rule."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.kernel_invariants import in_order, nothing_lost
from hub.looking import Look
from hub.verify import INVARIANTS
from kit.bus import Record
from tests.services.hub.small_world import (
    BEFORE,
    CANCELLED,
    DEVICE,
    DONE,
    NOW,
    ORDER,
    SITE,
    TECHNICIAN,
    SmallWorld,
    broken_chain,
    small_world,
    uid,
)

Plant = Callable[[SmallWorld], Awaitable[None]]
CASE, BOOKING, ASSET, MDM = "case_service", "booking_service", "asset_service", "mdm_adapter"
COCKPIT, NOTICES = "cockpit_service", "notification_service"


def put(service: str, table: str, **values: Any) -> Plant:
    return lambda world: world.put(service, table, **values)


def change(service: str, table: str, **values: Any) -> Plant:
    return lambda world: world.change(service, table, **values)


def drop(service: str, table: str) -> Plant:
    return lambda world: world.drop(service, table)


async def changed_audit(world: SmallWorld) -> None:
    await world.databases[CASE].transact(lambda db: db.execute(broken_chain()))


async def phase_after_the_end(world: SmallWorld) -> None:
    await world.told("phase_changed", CANCELLED, 2, 5, from_phase="CANCELLED", to_phase="BACKLOG", on_hold=False)


PARKED = {"reader": "asset_service", "topic": "rollout.visits", "key": "k"}
HANDED_OVER = {"case_id": DONE, "fact": "exchange_completed", "attempt": 1, "order_key": "erp/1", "recipient": "erp"}

PLANTED: list[tuple[str, str, Plant]] = [
    ("I1", "parked in the inbox only", put(ASSET, "inbox", reader="r", event_id=uid(50), outcome="parked")),
    ("I1", "applied and parked", change(ASSET, "inbox", outcome="applied")),
    ("I1", "parked without inbox and key", put(ASSET, "parked", **PARKED, event_id=uid(51))),
    ("I1", "a key with nothing behind it", put(ASSET, "parked_keys", **PARKED, first_event_id=uid(52))),
    (
        "I2",
        "the outbox stands still",
        put(ASSET, "outbox", event_id=uid(53), topic="t", key="k", sequence=1, recorded_at=BEFORE),
    ),
    ("I2", "a told fact is gone", change(CASE, "heads", sequence=9)),
    ("I3", "a gap", put(ASSET, "event_log", topic="rollout.assets", key="k", position=1, sequence=2)),
    ("I4", "no evidence", change(CASE, "cases", gate_evidence=None)),
    ("I4", "approved for older evidence", change(CASE, "work_orders", evidence_version=2)),
    ("I4", "no review", drop("qa_service", "reviews")),
    ("I4", "no acceptance seen by the case", change(CASE, "cases", handovers=())),
    ("I4", "no acceptance by the adapter", change(MDM, "handovers", accepted=False)),
    ("I4", "a gap in the history", change(CASE, "work_orders", version=3)),
    ("I4", "work that is open", change(CASE, "work_orders", state="READY")),
    ("I5", "installed twice", put(ASSET, "installations", installation_id=2, serial_key="S1")),
    ("I6", "a notice twice", put(NOTICES, "notices", notice_id=uid(54), key="N01:a:1", state="SENT")),
    ("I6", "an effect twice", put(NOTICES, "effects", id=uid(55), kind="sms", unique_key="N01:a:1")),
    ("I7", "an audit row was changed", changed_audit),
    ("I7", "the audit was emptied", drop(CASE, "audit")),
    ("I8", "an open appointment", put(BOOKING, "appointments", case_id=CANCELLED, state="CONFIRMED")),
    ("I8", "an active reservation", change(ASSET, "work_orders", case_id=CANCELLED)),
    ("I10", "not archived", drop(MDM, "archive")),
    ("I10", "an answer without effect", drop(MDM, "effects")),
    ("I10", "no answer", drop(MDM, "outbound_messages")),
    ("I11", "nobody worked on it", change(MDM, "inbound_messages", state="STORED")),
    ("I12", "another phase", change(COCKPIT, "cases", phase="BOOKED")),
    ("I12", "another state", change(COCKPIT, "work_orders", state="OPEN")),
    ("I12", "the owner did not tell", change(CASE, "cases", on_hold=True)),
    ("I13", "two appointments", put(BOOKING, "appointments", case_id=DONE, work_order_id=ORDER, state="SENT")),
    ("I13", "two in one cell", put(BOOKING, "blocks", technician_id=TECHNICIAN, cell=7)),
    ("I13", "two cases of a point", change(CASE, "cases", open_point="p")),
    (
        "I16",
        "left an end",
        put(CASE, "history", work_order_id=ORDER, version=3, move="T29", from_state="CLOSED", to_state="OPEN"),
    ),
    (
        "I16",
        "jumped",
        put(CASE, "history", work_order_id=ORDER, version=3, move="T25", from_state="OPEN", to_state="OPEN"),
    ),
    ("I16", "a cancelled case goes on", phase_after_the_end),
    ("I17", "answered twice", put(MDM, "handover_rows", row_id=uid(56), **HANDED_OVER, document="d")),
    ("I18", "moved without a movement", change(ASSET, "devices", last_movement=7)),
    ("I18", "in no place", change(ASSET, "devices", location_id=uid(57))),
    (
        "I18",
        "out of nothing",
        put(ASSET, "devices", device_id=uid(58), state="INSTALLED", location_id=SITE, last_movement=0),
    ),
    (
        "I18",
        "booked twice",
        put(ASSET, "movements", movement_id=2, device_id=DEVICE, from_location=uid(7), to_location=SITE),
    ),
]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[SmallWorld]:
    made = await small_world(tmp_path)
    yield made
    for db in made.databases.values():
        await db.close()


async def test_a_sound_hub_breaks_nothing_and_every_rule_had_rows_to_look_at(world: SmallWorld) -> None:
    report = await world.report()
    assert [dict(row) for check in report.checks for row in check.offending] == []
    assert (report.empty, len(report.checks)) == ([], len(INVARIANTS))


@pytest.mark.parametrize(
    ("rule", "plant"), [(rule, plant) for rule, _, plant in PLANTED], ids=[f"{r} {n}" for r, n, _ in PLANTED]
)
async def test_a_planted_violation_is_found_by_its_rule(world: SmallWorld, rule: str, plant: Plant) -> None:
    if rule == "I8":
        await world.change(ASSET, "reservations", state="RESERVED")
    await plant(world)
    assert rule in await world.broken()


def test_a_violation_is_planted_for_every_rule() -> None:
    assert {rule for rule, _, _ in PLANTED} == set(INVARIANTS)


async def test_a_key_that_waits_for_a_person_is_no_violation(world: SmallWorld) -> None:
    late = {"topic": "t", "key": "k", "sequence": 1, "recorded_at": BEFORE, "blocked_reason": "too large"}
    await world.put(ASSET, "outbox", event_id=uid(60), **late)
    assert await world.broken() == set()


def record(sequence: int, event: int, key: str = "k") -> Record:
    headers = [("ce_id", str(uid(event)).encode()), ("ce_sequence", str(sequence).encode())]
    return Record("rollout.assets", 0, event, key.encode(), headers, b"{}")


@pytest.mark.parametrize(
    ("records", "offending"),
    [
        ([record(1, 1), record(2, 2), record(1, 1), record(3, 3)], 0),
        ([record(1, 1), record(3, 3)], 1),
        ([record(2, 2), record(1, 1)], 2),
    ],
    ids=["a copy changes nothing", "a gap", "the wrong way round"],
)
async def test_I3_the_first_occurrences_in_a_topic_are_in_order(records: list[Record], offending: int) -> None:
    found = await in_order(Look({}, NOW, {"rollout.assets": records}))
    assert (found.rows > 0, len(found.offending)) == (True, offending)


async def test_I2_a_topic_holds_exactly_what_its_owner_told(world: SmallWorld) -> None:
    told = {"topic": "rollout.assets", "key": "k", "headers": {}}
    await world.put(ASSET, "event_log", **told, position=1, sequence=1, event_id=uid(1))
    await world.put(ASSET, "event_log", **told, position=2, sequence=2, event_id=uid(2))
    look = Look(world.databases, NOW, {"rollout.assets": [record(1, 1), record(2, 3)]})
    found = (await nothing_lost(look)).offending
    assert [sorted(row) for row in found] == [["event_id", "lost", "topic"], ["event_id", "foreign", "topic"]]


async def test_I8_has_a_minute_until_everybody_has_heard_of_the_end(world: SmallWorld) -> None:
    await world.put(BOOKING, "appointments", case_id=CANCELLED, state="CONFIRMED")
    await world.change(CASE, "cases", ended_at=NOW - timedelta(seconds=59))
    assert await world.broken() == set()


async def test_the_command_says_which_rows_break_which_rule(world: SmallWorld, tmp_path: Path) -> None:
    await world.put(ASSET, "installations", installation_id=2, serial_key="S1")
    for db in world.databases.values():
        await db.close()
    import asyncio

    done = await asyncio.to_thread(CliRunner().invoke, app, ["verify", "--data", str(tmp_path), "--json"])
    assert (done.exit_code, '"violations": 1' in done.stdout, "I5: " in done.stderr) == (1, True, True)
