"""Invariants of the work itself (reliability page, section 2), over the services' own tables."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from contracts.codes import Phase, State
from hub.kernel_invariants import effects_once
from hub.looking import Found, Look, Row, doubles, named, together
from kit import tables

SETTLED = timedelta(seconds=60)
"""What others have to do after a case ended is done by then (I8)."""
PROCESSED = timedelta(minutes=15)
"""A message that arrived is applied, refused or quarantined by then (I11)."""
ENDED_FOR_GOOD = (Phase.CANCELLED, Phase.NOT_FEASIBLE)


async def installed_once(look: Look) -> Found:
    """I5: a serial is installed at most once at a time."""
    return await doubles(
        look, "asset_service", "installations", "serial_key", where=lambda table: table.c.removed_at.is_(None)
    )


async def told_once(look: Look) -> Found:
    """I6: no notice reaches a customer twice."""
    return together(await doubles(look, "notification_service", "notices", "key"), await effects_once(look))


async def stopped(look: Look) -> Found:
    """I8: after a cancellation no appointment and no reservation of the case is active."""
    cases = look.table("case_service", "cases")
    over = (cases.c.phase.in_(ENDED_FOR_GOOD), cases.c.ended_at < look.now - SETTLED)
    ended = {row.case_id for row in await look.rows("case_service", sa.select(cases.c.case_id).where(*over))}
    return Found(len(ended), [*await _open_appointments(look, ended), *await _reservations(look, ended)])


async def _open_appointments(look: Look, ended: set[UUID]) -> list[dict[str, str]]:
    from services.booking_service.domain.states import OPEN

    table = look.table("booking_service", "appointments")
    query = sa.select(table.c.case_id, table.c.appointment_id, table.c.state).where(table.c.state.in_(OPEN))
    return [named(**row._asdict()) for row in await look.rows("booking_service", query) if row.case_id in ended]


async def _reservations(look: Look, ended: set[UUID]) -> list[dict[str, str]]:
    from services.asset_service.domain.material import HOLDING

    held, orders = look.table("asset_service", "reservations"), look.table("asset_service", "work_orders")
    query = (
        sa.select(orders.c.case_id, held.c.work_order_id, held.c.line, held.c.device_id, held.c.state)
        .join(orders, orders.c.work_order_id == held.c.work_order_id)
        .where(held.c.state.in_(HOLDING))
    )
    return [named(**row._asdict()) for row in await look.rows("asset_service", query) if row.case_id in ended]


async def receipts_owed(look: Look) -> Found:
    """I10: what arrived is archived, and every answer that is owed has its effect."""
    from services.mdm_adapter.desk import RESULT

    adapter = "mdm_adapter"
    columns = (
        "id",
        "copy_of",
        "partner",
        "state",
        "transport",
        "transport_key",
        "dialect",
        "answers",
        "correlation_id",
    )
    inbound = await look.all(adapter, "inbound_messages", *columns)
    outbound = await look.all(adapter, "outbound_messages", "id", "answers_to", "correlation_id")
    archived = {row.id for row in await look.all(adapter, "archive", "id")}
    effects = [
        tuple(row) for row in await look.rows(adapter, sa.select(tables.effects.c.kind, tables.effects.c.unique_key))
    ]
    keys, results = {key for _, key in effects}, {key.partition(":")[0] for kind, key in effects if kind == RESULT}
    mute = await _without_address(look)
    answered = {row.answers_to for row in outbound}
    decided = {row.correlation_id for row in outbound}  # a cancellation is answered once the case has decided
    offending = []
    for row in inbound:
        if row.id not in archived and row.copy_of not in archived:
            offending.append(named(message=row.id, missing="archive"))
        if row.state == "STORED":
            continue
        if row.transport == "file_drop" and row.transport_key and str(row.id) not in results:
            offending.append(named(message=row.id, missing="result file"))
        owed = row.dialect == "cim_xml" and row.answers and row.partner not in mute
        if owed and row.id not in answered and row.correlation_id not in decided:
            offending.append(named(message=row.id, missing="answer"))
    for row in outbound:
        if row.id not in archived:
            offending.append(named(message=row.id, missing="archive"))
        if str(row.id) not in keys:
            offending.append(named(message=row.id, missing="effect"))
    return Found(len(inbound) + len(outbound), offending)


async def _without_address(look: Look) -> set[str]:
    """Partners with no way out for answers: recorded as an anomaly when it was met."""
    query = sa.select(tables.anomalies.c.subject).where(tables.anomalies.c.code == "no_recipient")
    return {row.subject.removeprefix("partner/") for row in await look.rows("mdm_adapter", query)}


async def processed_in_time(look: Look) -> Found:
    """I11: every accepted message is applied, refused with its receipt, or quarantined within 15 minutes."""
    rows = await look.all("mdm_adapter", "inbound_messages", "id", "partner", "state", "received_at")
    late = [row for row in rows if row.state == "STORED" and row.received_at < look.now - PROCESSED]
    return Found(len(rows), [named(message=row.id, partner=row.partner, since=row.received_at) for row in late])


async def cockpit_is_the_fold(look: Look) -> Found:
    """I12: the cockpit shows what the owner told, as far as it has heard; and the owner told it all."""
    if not {"case_service", "cockpit_service"} <= look.databases.keys():
        return Found(0, [])
    shown = {
        row.case_id: row for row in await look.all("cockpit_service", "cases", "case_id", "phase", "on_hold", "heard")
    }
    orders: dict[UUID, dict[str, str]] = defaultdict(dict)
    for row in await look.all("cockpit_service", "work_orders", "case_id", "work_order_id", "state"):
        if row.state is not None:
            orders[row.case_id][str(row.work_order_id)] = row.state
    heard = {str(case_id): row.heard.get("rollout.cases", 0) for case_id, row in shown.items()}
    folded = fold(await _told_of_cases(look), heard)
    offending = []
    for case_id, row in shown.items():
        expected = folded.get(str(case_id), {})
        if row.heard.get("rollout.cases") and _view(row.phase, row.on_hold, orders[case_id]) != expected:
            offending.append(
                named(case_id=case_id, cockpit=_view(row.phase, row.on_hold, orders[case_id]), told=expected)
            )
    return together(Found(len(shown), offending), await _owner_told_all(look))


async def _owner_told_all(look: Look) -> Found:
    """The owner's tables equal the fold of everything that it told, whether the relay was there or not."""
    folded = fold(await _told_of_cases(look), None)
    orders: dict[UUID, dict[str, str]] = defaultdict(dict)
    for row in await look.all("case_service", "work_orders", "case_id", "work_order_id", "state"):
        orders[row.case_id][str(row.work_order_id)] = str(row.state)
    rows = await look.all("case_service", "cases", "case_id", "phase", "on_hold")
    offending = [
        named(case_id=row.case_id, owner=view, told=folded.get(str(row.case_id)))
        for row in rows
        if (view := _view(str(row.phase), row.on_hold, orders[row.case_id])) != folded.get(str(row.case_id))
    ]
    return Found(len(rows), offending)


def _view(phase: str | None, on_hold: bool, orders: Mapping[str, str]) -> dict[str, Any]:
    return {"phase": phase, "on_hold": bool(on_hold), "orders": dict(sorted(orders.items()))}


async def _told_of_cases(look: Look) -> list[Row]:
    found: list[Row] = []
    for table, order in ((tables.event_log, "position"), (tables.outbox, "id")):
        query = sa.select(table.c.key, table.c.sequence, table.c.headers, table.c.value)
        found += await look.rows("case_service", query.where(table.c.topic == "rollout.cases").order_by(table.c[order]))
    return found


def fold(told: Iterable[Row], upto: Mapping[str, int] | None) -> dict[str, dict[str, Any]]:
    """Phase of each case and state of each work order as the facts say, to the sequence given per case."""
    cases: dict[str, dict[str, Any]] = {}
    for row in told:
        if row.value is None or (upto is not None and row.sequence > upto.get(row.key, 0)):
            continue
        case = cases.setdefault(row.key, _view(None, False, {}))
        fact, kind = orjson.loads(row.value), row.headers["ce_type"].split(".")[2]
        if kind == "phase_changed":
            case["phase"], case["on_hold"] = fact["to_phase"], fact["on_hold"]
        elif kind in ("work_order_opened", "work_order_moved"):
            case["orders"][fact["work_order_id"]] = fact["state" if kind == "work_order_opened" else "to_state"]
    return {key: _view(case["phase"], case["on_hold"], case["orders"]) for key, case in cases.items()}


async def at_most_one(look: Look) -> Found:
    """I13: one successor and one open appointment per work order, one block per cell, one open case per point."""
    from services.booking_service.domain.states import OPEN

    return together(
        await doubles(look, "case_service", "work_orders", "predecessor", where=lambda t: t.c.predecessor.is_not(None)),
        await doubles(look, "case_service", "cases", "open_point", where=lambda t: t.c.open_point.is_not(None)),
        await doubles(look, "booking_service", "appointments", "work_order_id", where=lambda t: t.c.state.in_(OPEN)),
        await doubles(look, "booking_service", "blocks", "technician_id", "cell"),
    )


async def terminal_stays(look: Look) -> Found:
    """I16: nothing leaves an end, except C+ by T25; and each move starts where the one before it ended."""
    from services.case_service.domain.states import HANDED_OVER
    from services.case_service.domain.transitions import TRANSITIONS

    well = {move for move, row in TRANSITIONS.items() if row.closes and row.closes <= HANDED_OVER}
    table = look.table("case_service", "history")
    columns = (table.c.work_order_id, table.c.version, table.c.move, table.c.from_state, table.c.to_state)
    rows = await look.rows("case_service", sa.select(*columns).order_by(table.c.work_order_id, table.c.version))
    offending, before, closed_by = [], None, None
    for row in rows:
        new = before is None or before.work_order_id != row.work_order_id
        closed_by = None if new else closed_by
        left = row.from_state is State.CLOSED and row.to_state is not State.CLOSED
        if left and not (row.move == "T25" and (closed_by is None or closed_by in well)):
            offending.append(named(why="left an end", **row._asdict()))
        if before is not None and not new and row.from_state != before.to_state:
            offending.append(named(why="does not start where it was", **row._asdict()))
        if row.to_state is State.CLOSED and row.from_state is not State.CLOSED:
            closed_by = row.move
        before = row
    return together(Found(len(rows), offending), await _phases_stay(look))


async def _phases_stay(look: Look) -> Found:
    told = [row for row in await _told_of_cases(look) if row.headers["ce_type"] == "rollout.case.phase_changed.v1"]
    facts = [(row, orjson.loads(row.value)) for row in told]
    left = [(row, fact) for row, fact in facts if fact.get("from_phase") in ENDED_FOR_GOOD]
    made = [named(case_id=row.key, sequence=row.sequence, from_phase=fact["from_phase"]) for row, fact in left]
    return Found(len(told), made)


async def answered_once(look: Look) -> Found:
    """I17: a fact goes once to each recipient of each order per attempt."""
    keys = ("case_id", "fact", "attempt", "order_key", "recipient", "document")
    return await doubles(look, "mdm_adapter", "handover_rows", *keys)


async def devices_conserved(look: Look) -> Found:
    """I18: every device is in exactly one place, where its last movement says; the ledger's two sides agree."""
    from services.asset_service.domain.states import PLACES, LocationKind

    columns = ("device_id", "state", "location_id", "last_movement")
    devices = await look.all("asset_service", "devices", *columns)
    kinds = {row.location_id: row.kind for row in await look.all("asset_service", "locations", "location_id", "kind")}
    moved = await look.all(
        "asset_service", "movements", "movement_id", "device_id", "from_location", "to_location", "state_to"
    )
    by_id, offending, here = {row.movement_id: row for row in moved}, [], defaultdict[UUID, int](int)
    for row in devices:
        here[row.location_id] += 1
        if kinds.get(row.location_id) not in PLACES[row.state]:
            offending.append(named(why="in no place where it can be", **row._asdict()))
        last = by_id.get(row.last_movement)
        if row.last_movement and (last is None or (last.to_location, last.state_to) != (row.location_id, row.state)):
            offending.append(named(why="not where its last movement says", **row._asdict()))
    balance = defaultdict[UUID, int](int)
    for row in moved:
        balance[row.from_location] -= 1
        balance[row.to_location] += 1
    origins = {LocationKind.SUPPLIER, LocationKind.FIELD_BEFORE}
    offending += [
        named(location=location, ledger=balance[location], devices=here[location])
        for location in {*here, *balance}
        if kinds.get(location) not in origins and balance[location] != here[location]
    ]
    return Found(len(devices) + len(moved), offending)
