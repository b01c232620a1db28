"""The ledger under random movements, visits and corrections: one place per device, and the books balance."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from prometheus_client import REGISTRY

from contracts.codes import CloseReason, State
from kit.auth import Scope
from kit.store import Unit
from kit.testing import Stage
from services.asset_service import store as queries
from services.asset_service.app import build
from services.asset_service.domain.devices import Device
from services.asset_service.domain.ledger import Movement, balances, replay
from services.asset_service.settings import Settings
from tests.services.asset_service.given import (
    NEW,
    OLD,
    OTHER,
    came,
    cancelled,
    failed,
    line,
    moved,
    picked,
    planned,
    ready,
    released,
    requested,
    returned,
    stocked,
    visited,
    went,
)

EVERYTHING = Scope.everything("the test looks at all of it")


async def movements(stage: Stage) -> list[Movement]:
    names = Movement.__dataclass_fields__
    return [Movement(**{name: getattr(row, name) for name in names}) for row in await stage.rows("movements")]


async def differences(stage: Stage) -> Sequence[Any]:
    return await stage.store.read(lambda db: queries.ledger_differences(db, EVERYTHING))


async def balanced(stage: Stage) -> None:
    """State and place are the replay of the ledger, and its two sides are equal."""
    lines = await movements(stage)
    projected = {row.device_id: (row.location_id, row.state) for row in await stage.rows("devices")}
    assert replay(lines) == projected
    assert sum(balances(lines).values()) == 0
    assert [line.movement_id for line in lines] == list(range(1, len(lines) + 1))
    assert await differences(stage) == []
    held = [row.device_id for row in await stage.rows("reservations") if row.state in {"RESERVED", "PICKED"}]
    assert len(held) == len(set(held))
    kept = {row.device_id for row in await stage.rows("devices") if row.state in {"RESERVED", "PICKED"}}
    assert kept == set(held)
    standing = [row.serial_key for row in await stage.rows("installations") if row.removed_at is None]
    assert len(standing) == len(set(standing))


SERIALS = (NEW, OTHER, OLD, "SN-1")
STEPS = some.one_of(
    some.tuples(some.just("pick"), some.sampled_from("ab"), some.sampled_from(SERIALS)),
    some.tuples(some.just("return"), some.sampled_from(SERIALS)),
    some.tuples(some.just("release"), some.sampled_from("ab")),
    some.tuples(some.just("request"), some.sampled_from("ab")),
    some.tuples(some.just("cancel"), some.sampled_from("ab")),
    some.tuples(some.just("close"), some.sampled_from("ab")),
    some.tuples(some.just("stock"), some.sampled_from(["30001", "30002"])),
    some.tuples(some.just("fail"), some.sampled_from("ab")),
    some.tuples(
        some.just("visit"),
        some.sampled_from("ab"),
        some.integers(1, 4),
        some.lists(some.sampled_from(SERIALS), max_size=2),
        some.lists(some.sampled_from(SERIALS), max_size=2),
        some.integers(0, 3),
    ),
)


async def do(stage: Stage, step: tuple[Any, ...]) -> None:
    match step:
        case "pick", case, serial:
            await picked(stage, serial, case=case)
        case "return", serial:
            await returned(stage, serial)
        case "release", case:
            await stage.hears(released(case))
        case "request", case:
            await stage.hears(requested(case))
        case "cancel", case:
            await stage.hears(cancelled(case))
        case "close", case:
            await stage.hears(moved("T31", State.MANUAL_FOLLOW_UP, State.CLOSED, case, close_reason=CloseReason.FAILED))
        case "stock", serial:
            await stocked(stage, serial)
        case "fail", case:
            await stage.hears(failed(case))
        case "visit", case, version, came_, went_, hours:
            late = timedelta(hours=hours)
            installed = tuple(came(serial, at=came().at + late) for serial in came_)
            removed = tuple(went(serial, at=went().at + late) for serial in went_)
            await stage.hears(visited(case, version=version, installed=installed, removed=removed))
    await stage.passes(timedelta(minutes=1))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=some.lists(STEPS, min_size=1, max_size=14))
async def test_whatever_happens_each_device_is_in_one_place_and_the_ledger_proves_it(
    steps: list[tuple[Any, ...]],
) -> None:
    with TemporaryDirectory() as folder:
        stage = await Stage.open(build, Path(folder), settings=Settings)
        await stocked(stage, NEW, OTHER)
        await planned(stage, "a")
        await planned(stage, "b")
        for step in steps:
            await do(stage, step)
        assert await stage.parked() == []
        await balanced(stage)
        await stage.close()


@pytest.mark.parametrize("change", ["UPDATE movements SET reason = 'x'", "DELETE FROM movements"])
async def test_the_database_refuses_to_change_the_ledger(stage: Stage, change: str) -> None:
    await stocked(stage, NEW)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        await stage.store.db.transact(lambda db: db.execute(sa.text(change)))
    assert len(await stage.rows("movements")) == 2


async def test_I5_the_database_refuses_a_second_installation_of_a_serial(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited())
    row = next(row for row in await stage.rows("devices") if row.printed == NEW)

    def again(unit: Unit) -> None:
        device = unit.get(Device, str(row.device_id))
        device.put(999_999, unit.now, device.installations[0].role)

    with pytest.raises(sa.exc.IntegrityError, match="installations"):
        await stage.run(again, needs=[(Device, str(row.device_id))])


async def test_a_device_without_a_place_can_not_be_kept(stage: Stage) -> None:
    await stocked(stage, NEW)
    with pytest.raises(sa.exc.IntegrityError, match="location_id"):
        await stage.store.db.transact(lambda db: db.execute(sa.text("UPDATE devices SET location_id = NULL")))


async def test_the_check_of_the_ledger_finds_a_device_that_was_moved_past_it(stage: Stage) -> None:
    await stocked(stage, NEW, OTHER)
    assert await differences(stage) == []
    wrong = "UPDATE devices SET state = 'SCRAPPED' WHERE printed = :printed"
    await stage.store.db.transact(lambda db: db.execute(sa.text(wrong), {"printed": NEW}))
    assert [row.printed for row in await differences(stage)] == [NEW]


async def test_stock_and_what_is_missing_are_measured(stage: Stage) -> None:
    await stocked(stage, NEW, OTHER)
    await planned(stage, "a")
    await stage.hears(requested("a", 1, line(quantity=3)))
    assert await stage.service.polls["gauges"]() is False
    stock = {"state": "RESERVED", "kind": "central"}
    assert REGISTRY.get_sample_value("rollout_asset_devices", stock) == 2
    assert REGISTRY.get_sample_value("rollout_asset_missing_lines", {"type": "mme_3ph"}) == 1
    assert REGISTRY.get_sample_value("rollout_asset_ledger_differences") == 0


async def test_seeding_again_changes_nothing(stage: Stage) -> None:
    before = [await stage.rows(table) for table in ("locations", "device_types", "ledger")]
    assert stage.service.seed is not None
    await stage.run(stage.service.seed, needs=stage.service.seed_needs)
    assert [await stage.rows(table) for table in ("locations", "device_types", "ledger")] == before
    assert len(before[1]) > 10
