"""A corrected report: counter-movements first, then as if only the newest version had ever been heard."""

from datetime import timedelta

import pytest

from contracts.assets import (
    DeviceRemoved,
    ReadingAnomalyFound,
)
from contracts.parts import InstalledDevice, RemovedDevice
from kit.testing import Stage
from tests.services.asset_service.given import (
    NEW,
    OLD,
    OTHER,
    VISIT_AT,
    came,
    final,
    id_of,
    picked,
    places,
    planned,
    reading,
    ready,
    reserved,
    returned,
    stocked,
    visited,
    went,
)


async def test_J28_a_corrected_report_is_booked_by_counter_movements(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited(version=1))
    await stage.told_since()
    await stage.hears(visited(version=2, removed=(went("1LGZ0061578889"),)))
    told = await stage.told_since()
    assert [(type(fact).__name__, fact.visit_version) for fact in told if hasattr(fact, "visit_version")] == [
        ("DeviceInstalled", 2),
        ("DeviceMismatch", 2),
        ("DeviceRemoved", 2),
    ]
    now = await places(stage)
    assert (now[OLD], now["1LGZ0061578889"]) == ("INSTALLED at field_before", "REMOVED at van")
    kinds = [row.kind for row in await stage.rows("movements")]
    assert kinds.count("reverse") == 3


async def test_J28_an_older_version_is_ignored_and_counted(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited(version=2))
    before = await places(stage)
    await stage.told_since()
    await stage.hears(visited(version=1, installed=(came(OTHER),)))
    assert (await stage.told_since(), await places(stage)) == ([], before)
    assert [row.ignored for row in await stage.rows("visits")] == [1]


async def test_J28_what_moved_on_since_keeps_its_place_and_is_told_again(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited(version=1))
    await returned(stage, OLD)
    await stage.told_since()
    await stage.hears(visited(version=2, removed=(went(OLD, final(23_457)),)))
    told = await stage.told_since()
    assert [fact.serial for fact in told if isinstance(fact, DeviceRemoved)] == [OLD]
    assert (await places(stage))[OLD] == "RETURNED at central"


async def test_J28_what_moved_on_and_is_not_in_the_new_version_is_left_to_people(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited(version=1))
    await returned(stage, OLD)
    await stage.hears(visited(version=2, removed=()))
    assert await stage.anomalies() == ["correction_overtaken"]
    assert [row.disputed for row in await stage.rows("devices") if row.printed == OLD] == [True]


WRONG = "1LGZ0061578889"
VERSIONS: list[tuple[tuple[InstalledDevice, ...], tuple[RemovedDevice, ...]]] = [
    ((came(NEW),), (went(OLD),)),
    ((came(OTHER),), (went(OLD),)),
    ((came("SN-9"),), (went(WRONG),)),
    ((came(NEW), came(OTHER)), ()),
    ((), (went(OLD), went(NEW))),
    ((came(NEW, at=VISIT_AT + timedelta(hours=1)),), (went(OLD, at=VISIT_AT + timedelta(minutes=50)),)),
]


@pytest.mark.parametrize("first", range(len(VERSIONS)))
@pytest.mark.parametrize("second", range(len(VERSIONS)))
async def test_version_2_equals_booking_only_version_2(stage: Stage, first: int, second: int) -> None:
    await stocked(stage, NEW, OTHER)
    await planned(stage, "a")
    await planned(stage, "b", technician=id_of("technician", "b"))
    await picked(stage, NEW)
    came_first, went_first = VERSIONS[first]
    came_second, went_second = VERSIONS[second]
    await stage.hears(visited("a", version=1, installed=came_first, removed=went_first))
    await stage.hears(visited("a", version=2, installed=came_second, removed=went_second))
    corrected = await outcome(stage)
    await stage.store.db.transact(stage.service.metadata.drop_all)
    await stage.store.db.transact(stage.service.metadata.create_all)
    await stage.store.run(stage.store.actor, stage.service.seed or (lambda _: None), needs=stage.service.seed_needs)
    await stocked(stage, NEW, OTHER)
    await planned(stage, "a")
    await planned(stage, "b", technician=id_of("technician", "b"))
    await picked(stage, NEW)
    await stage.hears(visited("a", version=2, installed=came_second, removed=went_second))
    assert corrected == await outcome(stage)


async def outcome(stage: Stage) -> object:
    """What counts in the end: places, findings, reservations, times in place; without what was taken back."""
    await stage.passes()
    assert await stage.parked() == []
    unmoved = {row.device_id for row in await stage.rows("devices") if not row.last_movement}
    now = await places(stage)
    for row in await stage.rows("devices"):
        if row.device_id in unmoved:
            del now[row.printed]
    open_ = [
        (row.rule, row.role, row.register, row.visit_version)
        for row in await stage.rows("findings")
        if row.state == "OPEN"
    ]
    placed = [(row.serial_key, row.installed_at, row.removed_at) for row in await stage.rows("installations")]
    moved_at = {row.printed: row.moved_at for row in await stage.rows("devices") if row.device_id not in unmoved}
    return now, sorted(open_, key=str), await reserved(stage), sorted(placed, key=str), moved_at


async def test_J64_a_corrected_reading_closes_its_finding(stage: Stage) -> None:
    await ready(stage)
    wrong = went(OLD, final(145, last_billed=99_812, last_billed_on="2026-02-14"))
    await stage.hears(visited(version=1, removed=(wrong,)))
    (found,) = [fact for fact in await stage.told_since() if isinstance(fact, ReadingAnomalyFound)]
    right = went(OLD, final(99_912, last_billed=99_812, last_billed_on="2026-02-14"))
    await stage.hears(visited(version=2, removed=(right,)))
    assert not [fact for fact in await stage.told_since() if isinstance(fact, ReadingAnomalyFound)]
    assert [(row.finding_id, row.state) for row in await stage.rows("findings")] == [(found.finding_id, "FIXED")]


async def test_a_finding_that_still_holds_keeps_its_id_in_the_new_version(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited(version=1, installed=(came(NEW, reading(11)),)))
    await stage.hears(visited(version=2, installed=(came(NEW, reading(12)),)))
    found = [fact for fact in await stage.told_since() if isinstance(fact, ReadingAnomalyFound)]
    assert [(fact.rule, fact.visit_version) for fact in found] == [("R6", 1), ("R6", 2)]
    assert len({fact.finding_id for fact in found}) == 1
