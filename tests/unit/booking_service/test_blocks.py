"""Whatever is tried with appointments, their cells are exactly those of the open ones, and nobody is booked twice."""

from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as some

from contracts.codes import AgreedVia, Outcome, ReleaseReason
from contracts.groups import OfAppointment
from contracts.parts import Span
from services.booking_service.domain.appointments import Appointment
from services.booking_service.domain.assigning import Assignment, objections
from services.booking_service.domain.places import Place
from services.booking_service.domain.technicians import Busy, Technician
from tests.unit.booking_service.given import CASE, COMPANY, NOW, START, a_case, a_technician, an_operator, an_order

PEOPLE = [UUID(int=40), UUID(int=41)]
STEPS = some.lists(
    some.tuples(
        some.sampled_from(["assign", "move", "agree", "release", "visit"]),
        some.integers(0, 4),
        some.sampled_from(PEOPLE),
        some.integers(-1, 12),
        some.sampled_from([15, 40, 60, 90]),
    ),
    max_size=40,
)


class Office:
    """Five work orders, two technicians, and the database's rule that a cell is held once."""

    def __init__(self) -> None:
        self.open: dict[int, Appointment] = {}
        self.ids = iter(range(1_000, 10_000))

    def cells(self) -> dict[tuple[UUID, int], UUID]:
        held = {}
        for appointment in self.open.values():
            for block in appointment.blocks:
                key = (block.technician_id, block.cell)
                assert key not in held
                held[key] = appointment.appointment_id
        return held

    def technician(self, person: UUID) -> Technician:
        busy = [Busy(cell=cell, appointment_id=held) for (whose, cell), held in self.cells().items() if whose == person]
        return a_technician(technician_id=person, busy=busy)

    def attempt(self, act: str, number: int, person: UUID, slot: int, minutes: int) -> None:
        now = self.open.get(number)
        if act in ("release", "visit"):
            self.end(act, number)
        elif (act == "assign") is (now is None):
            self.place(act, number, now, person, START + timedelta(minutes=15 * slot), minutes)

    def end(self, act: str, number: int) -> None:
        appointment = self.open.pop(number, None)
        if appointment is not None and act == "release":
            appointment.release(ReleaseReason.STAFF)
        elif appointment is not None:
            appointment.visited(Outcome.OK, None, NOW)
        assert appointment is None or appointment.blocks == []

    def place(self, act: str, number: int, now: Appointment | None, person: UUID, start, minutes: int) -> None:
        window = Span(from_=start, to=start + timedelta(hours=1))
        place = Place(
            technician_id=person, team_id=None, company_id=COMPANY, start=start, minutes=minutes, window=window
        )
        order = an_order(work_order_id=UUID(int=500 + number), appointment_id=now.appointment_id if now else None)
        ask = Assignment(
            case=a_case(order),
            order=order,
            technician=self.technician(person),
            place=place,
            operator=an_operator(),
            now=NOW,
            moving=now,
        )
        if next(objections(ask), None) is not None:
            return
        if now is None:
            known = OfAppointment(
                case_id=CASE,
                work_order_id=order.work_order_id,
                sequence=1,
                appointment_id=UUID(int=next(self.ids)),
                revision=0,
                attempt=0,
            )
            self.open[number] = Appointment.propose(known, place, "person:local:anna", NOW)
        elif act == "agree":
            now.move_agreed(place, "person:local:anna", AgreedVia.PHONE)
        else:
            now.move(place, "person:local:anna")


@given(STEPS)
def test_cells_are_those_of_the_open_appointments_and_held_once(steps) -> None:
    office = Office()
    for step in steps:
        office.attempt(*step)
        wanted = {
            (appointment.technician_id, cell) for appointment in office.open.values() for cell in _cells(appointment)
        }
        assert office.cells().keys() == wanted


def _cells(appointment: Appointment) -> range:
    first = int(appointment.block_start.timestamp()) // 900
    return range(first, first + -(-appointment.block_minutes // 15))
