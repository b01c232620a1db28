"""The tables of states and movements, tested by their complement."""

from datetime import UTC, datetime
from itertools import product
from uuid import UUID

import pytest

from contracts.ids import LocationId
from services.asset_service.domain.devices import Device
from services.asset_service.domain.labels import read_label
from services.asset_service.domain.ledger import Journal, Ledger, Movement, replay
from services.asset_service.domain.places import Location
from services.asset_service.domain.states import (
    NEXT,
    PLACES,
    STEPS,
    TARGETS,
    DeviceState,
    LocationKind,
    MovementKind,
)
from services.asset_service.errors import ImpossibleMovement

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
REALITY_KINDS = {MovementKind.CORRECT, MovementKind.DISPUTE, MovementKind.SETTLE, MovementKind.REVERSE}
ORDINARY = sorted(set(MovementKind) - REALITY_KINDS)
ILLEGAL = [pair for pair in product(ORDINARY, DeviceState) if pair not in STEPS]


def a_place(kind: LocationKind, number: int = 2) -> Location:
    return Location(location_id=LocationId(UUID(int=number)), kind=kind, place=f"{kind}:{number}", name="x")


def a_device(state: DeviceState, at: Location | None = None) -> Device:
    place = at or a_place(LocationKind.VAN, 1)
    return Device.known_by(read_label("1EMH0012345678"), UUID(int=9), "mme_3ph", "x", place.location_id, state=state)


def a_journal() -> Journal:
    return Journal(Ledger(), [], [], now=NOW, actor="person:local:anna")


@pytest.mark.parametrize(("kind", "state"), ILLEGAL)
def test_what_the_table_does_not_allow_is_refused_and_changes_nothing(kind: MovementKind, state: DeviceState) -> None:
    device, journal = a_device(state), a_journal()
    before = dict(vars(device))
    for target in LocationKind:
        with pytest.raises(ImpossibleMovement, match=state):
            journal.move(device, kind, a_place(target))
    assert (dict(vars(device)), journal.page, journal.told, journal.ledger.last_movement) == (before, [], [], 0)


@pytest.mark.parametrize(("kind", "state"), sorted(STEPS))
def test_what_the_table_allows_leads_to_its_state_at_its_places_only(kind: MovementKind, state: DeviceState) -> None:
    for target in LocationKind:
        device, journal = a_device(state), a_journal()
        if target in TARGETS[kind]:
            movement = journal.move(device, kind, a_place(target))
            assert (device.state, movement.state_from, movement.movement_id) == (STEPS[kind, state], state, 1)
        else:
            with pytest.raises(ImpossibleMovement, match="no place"):
                journal.move(device, kind, a_place(target))


@pytest.mark.parametrize(("kind", "state"), sorted(STEPS))
def test_every_ordinary_movement_follows_the_table_of_states(kind: MovementKind, state: DeviceState) -> None:
    after = STEPS[kind, state]
    assert after in NEXT[state] or after is state
    assert TARGETS[kind] & PLACES[after]


def test_every_state_has_its_places_and_only_scrapped_is_final() -> None:
    assert set(PLACES) == set(NEXT) == set(DeviceState)
    assert [state for state, after in NEXT.items() if not after] == [DeviceState.SCRAPPED]


def test_only_a_visit_puts_a_device_in_place() -> None:
    installing = {kind for (kind, _), state in STEPS.items() if state is DeviceState.INSTALLED}
    assert installing == {MovementKind.INSTALL, MovementKind.TAKE_IN}


def test_a_reversed_movement_leaves_the_device_as_it_was() -> None:
    device, journal = a_device(DeviceState.PICKED), a_journal()
    before = (device.state, device.location_id, device.moved_at, device.last_movement)
    movement = journal.move(device, MovementKind.INSTALL, a_place(LocationKind.SITE))
    mirror = journal.reverse(device, movement)
    assert (device.state, device.location_id, device.moved_at, device.last_movement) == before
    assert (mirror.reverses, replay(journal.page)) == (1, {device.device_id: (device.location_id, device.state)})


def test_only_the_newest_movement_of_a_device_can_be_reversed() -> None:
    device, journal = a_device(DeviceState.PICKED), a_journal()
    first = journal.move(device, MovementKind.INSTALL, a_place(LocationKind.SITE))
    journal.stay(device, MovementKind.COMMISSION)
    with pytest.raises(ImpossibleMovement, match="moved on"):
        journal.reverse(device, first)


def test_a_chain_with_a_gap_is_no_ledger() -> None:
    device, journal = a_device(DeviceState.PICKED), a_journal()
    journal.move(device, MovementKind.INSTALL, a_place(LocationKind.SITE))
    last: Movement = journal.move(device, MovementKind.REMOVE, a_place(LocationKind.VAN, 1))
    last.from_location = LocationId(UUID(int=77))
    with pytest.raises(ValueError, match="movement 2 does not begin where"):
        replay(journal.page)
