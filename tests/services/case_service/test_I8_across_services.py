"""I8 across services: whatever was under way when a partner withdrew, no appointment and no reservation stays active.

booking_service and asset_service run on stages of their own and hear what case_service told.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from contracts.cases import MaterialRequested
from contracts.event import Event
from contracts.ids import AppointmentId
from contracts.parts import MaterialLine
from kit.store import Unit
from kit.testing import Stage
from services.asset_service.app import build as build_asset
from services.asset_service.settings import Settings as AssetSettings
from services.booking_service.app import Settings as BookingSettings
from services.booking_service.app import build as build_booking
from services.booking_service.domain.appointments import Appointment
from services.booking_service.domain.cases import BookedCase
from services.booking_service.domain.states import AppointmentState
from services.case_service.app import build
from services.case_service.domain.case import Ending
from services.case_service.settings import Settings
from tests.services.asset_service.given import METER, stocked
from tests.services.booking_service.story import Office
from tests.services.case_service.ground import PLACES, Ground, a_case_at, flight_of, names_of_flights
from tests.services.case_service.test_cancelling import Race, arrive, partners_withdraw, people_decide, set_out
from tests.unit.case_service.builders import COMPANY, NOW

BOOKED = {
    "PL with an offer": AppointmentState.OFFERED,
    "RP": AppointmentState.OFFERED,
    "AR": AppointmentState.SENT,
    "MF": AppointmentState.SENT,
    "RD": AppointmentState.CONFIRMED,
    "IP": AppointmentState.CONFIRMED,
}
"""Places where somebody's time and material are set aside, and how far the appointment is."""
FINAL = frozenset({AppointmentState.KEPT, AppointmentState.MISSED, AppointmentState.RELEASED})
NOBODY_S = frozenset({"RELEASED", "USED"})


class Neighbours:
    """booking_service with an appointment per work order, asset_service with its material set aside."""

    def __init__(self, office: Office, asset: Stage) -> None:
        self.office, self.booking, self.asset = office, office.stage, asset

    @classmethod
    async def open(cls, folder: Path) -> "Neighbours":
        for name in ("booking", "asset"):
            (folder / name).mkdir()
        office = Office(await Stage.open(build_booking, folder / "booking", settings=BookingSettings))
        await office.opens()
        return cls(office, await Stage.open(build_asset, folder / "asset", settings=AssetSettings))

    async def close(self) -> None:
        await self.booking.close()
        await self.asset.close()

    async def know(self, races: Sequence[Race], openings: Sequence[Event]) -> None:
        """They heard of the cases, and did their part."""
        await stocked(self.asset, *(f"S{number:05}" for number in range(len(races))))
        await self.hear(openings)
        await self.asset.hears(*map(request_of, races))
        needs = [(BookedCase, str(race.key)) for race in races]
        await self.booking.run(lambda unit: [self._book(unit, race) for race in races], needs=needs)

    def _book(self, unit: Unit, race: Race) -> None:
        first = race.case.by_sequence[0]
        known = unit.get(BookedCase, str(race.key)).order(first.work_order_id)
        assert known is not None
        assert first.appointment_id is not None
        known.appointment_id, known.attempt = first.appointment_id, first.offer
        known.state = first.state
        unit.add(
            Appointment(
                appointment_id=AppointmentId(first.appointment_id),
                case_id=race.key,
                work_order_id=first.work_order_id,
                sequence=1,
                technician_id=UUID(self.office.people["Tilo"]),
                team_id=None,
                company_id=COMPANY,
                block_start=NOW + timedelta(days=7),
                block_minutes=45,
                window_from=NOW + timedelta(days=7),
                window_to=NOW + timedelta(days=7, hours=2),
                alternatives=(),
                state=BOOKED[race.place.name],
                attempt=first.offer,
                created_by="person:local:anna",
                created_at=NOW,
            )
        )

    async def hear(self, told: Sequence[Event]) -> None:
        for begin in range(0, len(told), 400):
            for stage in (self.booking, self.asset):
                await stage.hears(*told[begin : begin + 400])
                assert await stage.parked() == []


def request_of(race: Race) -> MaterialRequested:
    order = race.case.by_sequence[0]
    return MaterialRequested(
        case_id=race.key,
        work_order_id=order.work_order_id,
        sequence=order.sequence,
        lines=(MaterialLine(line=1, role="meter", device_type=METER, quantity=1, alternatives=()),),
        needed_on=(NOW + timedelta(days=7)).date(),
    )


async def test_I8_no_appointment_or_reservation_of_withdrawn_work_stays_active(tmp_path: Path) -> None:
    ground = Ground(await Stage.open(build, tmp_path, settings=Settings))
    neighbours = await Neighbours.open(tmp_path)
    races, openings = [], list[Event]()
    for place in (each for each in PLACES if each.name in BOOKED):
        for name, _ in names_of_flights():
            case, opening = a_case_at(place)
            races.append(Race(place, flight_of(case, name, 0), case))
            openings += opening
    await neighbours.know(races, openings)
    await set_out(ground, races)
    await ground.stage.told_since()
    await partners_withdraw(ground, races[::2])
    await arrive(ground, races)
    await partners_withdraw(ground, races[1::2])
    await neighbours.hear(await ground.stage.told_since())
    appointments = await neighbours.booking.rows("appointments")
    assert [row for row in appointments if row.state not in FINAL and not row.frozen] == []

    cases = await ground.kept([race.key for race in races])
    await people_decide(ground, cases)
    await neighbours.hear(await ground.stage.told_since())
    cases = await ground.kept([race.key for race in races])
    cancelled = {o.work_order_id for case in cases if case.ending is Ending.CANCELLED for o in case.work_orders}
    closed = {o.work_order_id for case in cases for o in case.work_orders if o.closed}
    assert len(cancelled) > len(races) / 2
    appointments = await neighbours.booking.rows("appointments")
    assert {row.work_order_id for row in appointments if row.state not in FINAL} & closed == set()
    reservations = await neighbours.asset.rows("reservations")
    assert {row.work_order_id for row in reservations if row.state not in NOBODY_S} & cancelled == set()
    assert len({row.work_order_id for row in reservations} & cancelled) > len(races) / 2
    await neighbours.close()
    await ground.stage.close()
