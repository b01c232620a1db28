"""Reservations: set aside once, taken over, given back, and never alive after a cancellation (I8)."""

import asyncio
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from contracts.assets import MaterialMissing, MaterialReserved
from contracts.cases import CaseAbandoned, CaseCompleted, CaseReopened, MaterialRequested
from contracts.codes import CloseReason, State
from contracts.event import Event
from kit.store import Unit
from kit.testing import Stage
from services.asset_service import rooms
from services.asset_service.app import build
from services.asset_service.domain.material import WorkOrder
from services.asset_service.handlers import wants_material
from services.asset_service.settings import Settings
from tests.services.asset_service.given import (
    NEW,
    OTHER,
    cancelled,
    failed,
    id_of,
    line,
    moved,
    names,
    opened,
    order_opened,
    places,
    planned,
    proposed,
    ready,
    released,
    requested,
    reserved,
    stocked,
    visited,
)


async def test_J01_everything_there_is_told_with_devices_store_and_day(stage: Stage) -> None:
    await stocked(stage, NEW)
    await planned(stage)
    (fact,) = [fact for fact in await stage.told() if isinstance(fact, MaterialReserved)]
    (told,) = fact.lines
    (device,) = await stage.rows("devices")
    assert (told.device_ids, told.quantity, fact.needed_on) == ((device.device_id,), 1, date(2026, 3, 10))
    assert fact.store == device.location_id


async def test_what_is_missing_is_told_and_set_aside_when_stock_arrives(stage: Stage) -> None:
    await planned(stage)
    assert names(await stage.told_since()) == ["MaterialMissing"]
    await stocked(stage, NEW)
    await stage.passes()
    assert names(await stage.told_since()) == ["DeviceReceived", "MaterialReserved"]
    assert await places(stage) == {NEW: "RESERVED at central"}


async def test_a_part_is_set_aside_and_the_rest_is_named(stage: Stage) -> None:
    await stocked(stage, NEW)
    await stage.hears(opened(), order_opened(), requested("a", 1, line(quantity=3)))
    (fact,) = [fact for fact in await stage.told() if isinstance(fact, MaterialMissing)]
    assert [(each.quantity, len(each.device_ids)) for each in fact.lines] == [(2, 1)]
    assert await reserved(stage) == ["RESERVED", "MISSING", "MISSING"]


async def test_an_alternative_is_taken_where_the_wanted_type_is_missing(stage: Stage) -> None:
    await stocked(stage, NEW, device_type="mme_1ph")
    await stage.hears(opened(), order_opened(), requested("a", 1, line(alternatives=("mme_1ph",))))
    assert names(await stage.told())[-1] == "MaterialReserved"


async def test_stock_of_an_alternative_helps_who_waits(stage: Stage) -> None:
    await stage.hears(opened(), order_opened(), requested("a", 1, line(alternatives=("mme_1ph",))))
    await stocked(stage, NEW, device_type="mme_1ph")
    await stage.passes()
    assert await reserved(stage) == ["RESERVED"]


async def test_the_most_urgent_gets_what_arrives(stage: Stage) -> None:
    late, soon = date(2026, 5, 1), date(2026, 4, 1)
    await stage.hears(opened("a"), order_opened("a"), requested("a", needed_on=late))
    await stage.hears(opened("b"), order_opened("b"), requested("b", needed_on=soon))
    await stage.hears(opened("c", priority=90), order_opened("c"), requested("c", needed_on=soon))
    await stocked(stage, NEW)
    await stage.passes()
    (holding,) = [row.work_order_id for row in await stage.rows("reservations") if row.state == "RESERVED"]
    assert holding == id_of("order", "c", 1)


async def test_what_one_order_gives_back_goes_to_who_waits(stage: Stage) -> None:
    await stocked(stage, NEW)
    await planned(stage, "a")
    await planned(stage, "b")
    await stage.hears(released("a"))
    await stage.passes()
    by_order = {row.work_order_id: row.state for row in await stage.rows("reservations")}
    assert by_order == {id_of("order", "a", 1): "RELEASED", id_of("order", "b", 1): "RESERVED"}


async def test_J18_released_material_in_a_van_stays_there_as_stock(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(released())
    assert (await places(stage), await reserved(stage)) == ({NEW: "IN_STOCK at van"}, ["RELEASED"])


async def test_J18_a_new_request_takes_the_technician_s_own_stock_first(stage: Stage) -> None:
    await ready(stage)
    await stocked(stage, OTHER)
    await stage.hears(released())
    await stage.hears(requested())
    assert await places(stage) == {NEW: "RESERVED at van", OTHER: "IN_STOCK at central"}


async def test_a_repeated_request_replaces_the_lines_and_keeps_what_fits(stage: Stage) -> None:
    await stocked(stage, NEW, OTHER)
    await stage.hears(opened(), order_opened(), requested("a", 1, line(quantity=2)))
    await stage.hears(requested("a", 1, line()))
    assert sorted((await places(stage)).values()) == ["IN_STOCK at central", "RESERVED at central"]
    assert await reserved(stage) == ["RESERVED"]


async def test_J19_the_successor_takes_over_what_was_picked(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(
        failed(),
        moved("T20", State.IN_PROGRESS, State.RESOLVED),
        moved("T22", State.RESOLVED, State.REOPENED, version=3),
        moved("T23", State.REOPENED, State.CLOSED, close_reason=CloseReason.SUPERSEDED, version=4),
    )
    assert await places(stage) == {NEW: "PICKED at van"}
    first = id_of("order", "a", 1)
    await stage.hears(order_opened("a", 2, predecessor=first), proposed("a", 2), requested("a", 2, predecessor=first))
    assert names(await stage.told_since()) == ["MaterialReserved"]
    assert await places(stage) == {NEW: "PICKED at van"}
    states = {row.work_order_id: row.state for row in await stage.rows("reservations")}
    assert states == {first: "RELEASED", id_of("order", "a", 2): "PICKED"}


@pytest.mark.parametrize(
    ("move", "from_state", "reason"),
    [
        ("T24", State.RESOLVED, CloseReason.FAILED),
        ("T28", State.OPEN, CloseReason.CANCELLED),
        ("T31", State.MANUAL_FOLLOW_UP, CloseReason.CANCELLED),
        ("T31", State.MANUAL_FOLLOW_UP, CloseReason.NOT_NEEDED),
        ("T21", State.RESOLVED, CloseReason.DONE),
    ],
)
async def test_a_closed_work_order_gives_everything_back(
    stage: Stage, move: str, from_state: State, reason: CloseReason
) -> None:
    await stocked(stage, NEW)
    await planned(stage)
    await stage.hears(moved(move, from_state, State.CLOSED, close_reason=reason))
    assert (await places(stage), await reserved(stage)) == ({NEW: "IN_STOCK at central"}, ["RELEASED"])


@pytest.mark.parametrize(
    ("move", "from_state"),
    [
        ("T29", State.PLANNING),
        ("T29", State.AWAITING_REPLY),
        ("T29", State.READY),
        ("T29", State.IN_PROGRESS),
        ("T30", State.RESOLVED),
    ],
)
async def test_J37_J39_J41_J42_a_cancellation_keeps_the_reservation_until_T31(
    stage: Stage, move: str, from_state: State
) -> None:
    await stocked(stage, NEW)
    await planned(stage)
    await stage.hears(moved(move, from_state, State.MANUAL_FOLLOW_UP))
    assert await reserved(stage) == ["RESERVED"]
    ended = moved("T31", State.MANUAL_FOLLOW_UP, State.CLOSED, close_reason=CloseReason.CANCELLED, version=3)
    await stage.hears(ended, released(), cancelled())
    assert await reserved(stage) == ["RELEASED"]


async def test_J36_a_cancelled_open_order_has_nothing_left(stage: Stage) -> None:
    await stage.hears(opened(), order_opened())
    closing = moved("T28", State.OPEN, State.CLOSED, close_reason=CloseReason.CANCELLED)
    await stage.hears(closing, released(), cancelled())
    assert (await reserved(stage), await stage.parked(), await stage.told()) == ([], [], [])


ANY_ORDER: list[list[Event]] = [
    list(order)
    for order in permutations([requested(), cancelled(), released(), proposed(), order_opened("a", 2)])
    if order.index(requested()) < 4
]


@pytest.mark.parametrize("order", ANY_ORDER[::5])
async def test_I8_after_a_cancellation_no_reservation_is_alive_in_any_order(stage: Stage, order: list[Event]) -> None:
    await stocked(stage, NEW)
    await stage.hears(opened(), order_opened())
    for fact in order:
        await stage.hears(fact)
        await stage.passes()
    await stage.hears(requested("a", 2))
    await stage.passes(timedelta(hours=1))
    alive = [state for state in await reserved(stage) if state in {"RESERVED", "PICKED", "MISSING"}]
    assert (alive, await places(stage)) == ([], {NEW: "IN_STOCK at central"})


async def test_I8_a_cancellation_heard_first_is_kept_as_a_tombstone(stage: Stage) -> None:
    await stocked(stage, NEW)
    await stage.hears(cancelled())
    await stage.hears(opened(), order_opened(), requested())
    assert (await reserved(stage), await places(stage)) == ([], {NEW: "IN_STOCK at central"})
    assert set(await stage.anomalies()) == {"work_order_after_end", "material_after_end"}


async def test_I8_who_waits_gets_nothing_once_its_case_is_cancelled(stage: Stage) -> None:
    await planned(stage)
    await stage.hears(cancelled())
    await stocked(stage, NEW)
    await stage.passes()
    assert await places(stage) == {NEW: "IN_STOCK at central"}


async def test_the_end_of_a_case_frees_what_is_left(stage: Stage) -> None:
    await stocked(stage, NEW)
    await planned(stage)
    await stage.hears(CaseAbandoned(case_id=id_of("case", "a"), reason="refused", orders=()))
    assert await places(stage) == {NEW: "IN_STOCK at central"}


async def test_J22_a_follow_up_keeps_its_material_although_its_case_is_completed(stage: Stage) -> None:
    await stocked(stage, NEW)
    await planned(stage)
    await stage.hears(CaseCompleted(case_id=id_of("case", "a"), completion=1, evidence=(), elapsed_seconds=1))
    assert await places(stage) == {NEW: "RESERVED at central"}


async def test_J29_a_reopened_case_may_ask_for_material_again(stage: Stage) -> None:
    await stocked(stage, NEW, OTHER)
    await planned(stage)
    await stage.hears(
        CaseCompleted(case_id=id_of("case", "a"), completion=1, evidence=(), elapsed_seconds=1),
        CaseReopened(case_id=id_of("case", "a"), work_order_id=id_of("order", "a", 1), attempt=1, reason="rejected"),
        order_opened("a", 2),
        requested("a", 2),
    )
    assert names(await stage.told_since())[-1] == "MaterialReserved"


async def test_a_request_for_a_work_order_not_heard_of_waits(stage: Stage) -> None:
    await stage.hears(requested())
    assert len(await stage.parked()) == 1
    await stage.hears(opened(), order_opened())
    assert await reserved(stage) == []


async def test_a_moved_appointment_changes_day_and_van(stage: Stage) -> None:
    await planned(stage)
    other = id_of("technician", 2)
    night = (await stage.rows("work_orders"))[0].needed_on
    await stage.hears(proposed("a", 1, other, at=proposed().block_start + timedelta(days=1, hours=14)))
    (order,) = await stage.rows("work_orders")
    assert (order.technician_id, order.needed_on) == (other, night + timedelta(days=2))  # 23:00 UTC is tomorrow


async def test_50_requests_at_once_for_40_devices_reserve_40_and_none_twice(stage: Stage) -> None:
    await stocked(stage, *(f"3{number:04}" for number in range(40)))
    cases = [f"c{number}" for number in range(50)]
    for case in cases:
        await stage.hears(opened(case), order_opened(case))
    await asyncio.gather(*(ask(stage, requested(case)) for case in cases))
    states = await reserved(stage)
    held = [row.device_id for row in await stage.rows("reservations") if row.device_id]
    assert (states.count("RESERVED"), states.count("MISSING"), len(set(held))) == (40, 10, 40)


async def test_50_requests_in_one_batch_are_served_in_their_order(stage: Stage) -> None:
    await stocked(stage, *(f"3{number:04}" for number in range(40)))
    cases = [f"c{number}" for number in range(50)]
    await stage.hears(*[fact for case in cases for fact in (opened(case), order_opened(case))])
    await stage.hears(*[requested(case) for case in cases])
    states = {row.work_order_id: row.state for row in await stage.rows("reservations")}
    assert [states[id_of("order", case, 1)] for case in cases] == ["RESERVED"] * 40 + ["MISSING"] * 10
    assert stage.processor.cuts == 0


async def ask(stage: Stage, event: MaterialRequested) -> None:
    """The request as a transaction of its own, as another process would make it."""

    def command(unit: Unit) -> None:
        order = unit.get(WorkOrder, str(event.work_order_id))
        page = rooms.journal(unit, order.movements, order.told, order)
        order.request(event.lines, event.needed_on, None, rooms.storeroom(unit, page))

    await stage.run(command, needs=lambda unit: wants_material(event, unit))


async def test_the_database_itself_refuses_a_second_reservation_of_a_device(tmp_path: Path) -> None:
    stage = await Stage.open(build, tmp_path, settings=Settings)
    await stocked(stage, NEW)
    await planned(stage)

    def twice(unit: Unit) -> None:
        first = unit.get(WorkOrder, str(id_of("order", "a", 1)))
        copy = vars(first.reservations[0]) | {"unit": 2}
        first.reservations.append(type(first.reservations[0])(**copy))

    with pytest.raises(Exception, match="reservations"):
        await stage.run(twice, needs=[(WorkOrder, str(id_of("order", "a", 1)))])
    await stage.close()


async def test_what_a_visit_of_the_same_batch_uses_is_not_set_aside(stage: Stage) -> None:
    await stocked(stage, NEW)
    await stage.hears(opened("a"), order_opened("a"), opened("b"), order_opened("b"))
    await stage.hears(visited("a"), requested("b"))
    assert (await reserved(stage), await stage.parked(), stage.processor.cuts) == (["MISSING"], [], 0)
    assert (await places(stage))[NEW] == "INSTALLED at site:DEa"


async def test_J28_a_rejected_order_may_ask_for_material_again_unless_its_case_is_over(stage: Stage) -> None:
    await stocked(stage, NEW, OTHER)
    for case in ("a", "b"):
        await stage.hears(opened(case), order_opened(case))
        await stage.hears(moved("T21", State.RESOLVED, State.CLOSED, case, close_reason=CloseReason.DONE))
    await stage.hears(cancelled("b"))
    for case in ("a", "b"):
        await stage.hears(moved("T25", State.CLOSED, State.REJECTED_BY_MDM, case, version=3), requested(case))
    assert await reserved(stage) == ["RESERVED"]
    assert await stage.anomalies() == ["material_after_end"]
