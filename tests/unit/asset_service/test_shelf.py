"""In which order free devices are chosen, and until when they must be verified."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from contracts.ids import CompanyId, DeviceId, LocationId, TechnicianId, WorkOrderId
from services.asset_service.domain.material import Candidate, Shelf, Wish, verified_from
from services.asset_service.domain.states import LocationKind

TOM, TINA = TechnicianId(UUID(int=1)), TechnicianId(UUID(int=2))
OURS, THEIRS = CompanyId(UUID(int=3)), CompanyId(UUID(int=4))


def wish(**changes: Any) -> Wish:
    values: dict[str, Any] = {
        "device_type": "mme_3ph",
        "quantity": 1,
        "technician_id": TOM,
        "company_id": OURS,
        "verified_until": date(2028, 3, 2),
        "work_order_id": WorkOrderId(UUID(int=9)),
    }
    return Wish(**values | changes)


def at(number: int, kind: LocationKind, owner: UUID | None = None) -> Candidate:
    is_van = kind is LocationKind.VAN
    return Candidate(
        DeviceId(UUID(int=number)),
        LocationId(UUID(int=100)),
        kind,
        TechnicianId(owner) if is_van and owner else None,
        CompanyId(owner) if not is_van and owner else None,
    )


def taken(candidates: Iterable[Candidate], who: Wish) -> list[int]:
    shelf, found = Shelf(device_type="mme_3ph", candidates=list(candidates)), []
    while (candidate := shelf.take(who, lambda _: True)) is not None:
        found.append(candidate.device_id.int)
    return found


PLACES = [
    at(10, LocationKind.CENTRAL),
    at(11, LocationKind.SMALL_STORE),
    at(12, LocationKind.SMALL_STORE, OURS),
    at(13, LocationKind.SMALL_STORE, THEIRS),
    at(14, LocationKind.VAN, TOM),
    at(15, LocationKind.VAN, TINA),
]


def test_own_van_then_own_store_then_central_and_nobody_else_s() -> None:
    assert taken(PLACES, wish()) == [14, 12, 11, 10]


def test_without_a_technician_no_van_is_looked_into() -> None:
    assert taken(PLACES, wish(technician_id=None, company_id=None)) == [11, 10]


def test_a_device_that_is_not_free_any_more_is_passed_over() -> None:
    shelf = Shelf(device_type="mme_3ph", candidates=PLACES)
    found = shelf.take(wish(), lambda device_id: device_id.int == 10)
    assert found == PLACES[0]
    assert shelf.take(wish(), lambda _: True) is None


@pytest.mark.parametrize("changes", [{}, {"technician_id": None}, {"company_id": None, "quantity": 7}])
def test_a_wish_survives_its_key(changes: dict[str, Any]) -> None:
    assert Wish.of(wish(**changes).key) == wish(**changes)


@pytest.mark.parametrize(
    ("today", "until"),
    [
        (date(2026, 3, 2), date(2028, 3, 2)),
        (date(2026, 12, 31), date(2028, 12, 31)),
        (date(2028, 2, 29), date(2030, 2, 28)),
    ],
)
def test_a_device_must_be_verified_for_24_months(today: date, until: date) -> None:
    assert verified_from(today) == until
