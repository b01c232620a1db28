"""The ways booking_service says no; first the hard checks in their order (booking page, section 4)."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from kit.errors import Conflict, Invalid, NotFound, Refused


class UnknownWorkOrder(NotFound):
    """No such work order was heard of, or it is out of the caller's sight."""

    code = "unknown-work-order"


class WorkOrderGone(Refused):
    """The work order is closed or cancelled; nothing brings it back to life."""

    code = "work-order-gone"


class StateForbids(Refused):
    """The work order or the appointment is in a state that does not allow this."""

    code = "state-forbids"


class LetterInPrint(Refused):
    """The letter with this very time is being printed: take it back first (T32)."""

    code = "letter-in-print"


class Frozen(Refused):
    """A cancellation is undecided: no offer, no confirmation, no move until people decide."""

    code = "frozen"


class PastCutOff(Refused):
    """It is too near to be changed by the customer alone."""

    code = "past-cut-off"


class CompanyMismatch(Refused):
    """The work order lies with another company than the technician's."""

    code = "company-mismatch"


class OffGrid(Invalid):
    """Blocks start on the grid and last at least one cell of it."""

    code = "off-grid"


class OutsideOwnWindow(OffGrid):
    """The window that the customer shall be told does not hold the start of the work."""


class InThePast(Invalid):
    """Nobody can be sent yesterday."""

    code = "in-the-past"


class TimeDoesNotExist(Invalid):
    """A local time in the gap of the change to summer time (D-CAL-3)."""

    code = "time-does-not-exist"


class MissingSkill(Refused):
    """The technician lacks skills; names them."""

    code = "missing-skill"

    def __init__(self, skills: Iterable[str]) -> None:
        self.skills = tuple(sorted(skills))
        super().__init__(f"the technician lacks {', '.join(self.skills)}")


class OutsideShift(Refused):
    """The block does not lie within one shift, beside its break."""

    code = "outside-shift"


class Absent(Refused):
    """The technician is away at that time."""

    code = "absent"


class MaxJobs(Refused):
    """The shift has as many jobs as it may have."""

    code = "max-jobs"

    def __init__(self, max_jobs: int) -> None:
        self.max_jobs = max_jobs
        super().__init__(f"this shift takes at most {max_jobs} jobs")


class TooEarly(Refused):
    """Rule N37: the three months after the statutory notice are not over, or the notice is missing."""

    code = "too-early"

    def __init__(self, first_possible: date | None) -> None:
        self.first_possible = first_possible
        first = f"first possible on {first_possible}" if first_possible else "no § 37 notice on record"
        super().__init__(f"too early: {first}")


class OutsideWindow(Refused):
    """The partner fixed a day, or days, and this is not one of them."""

    code = "outside-window"


class SlotTaken(Refused):
    """Somebody else has this time of the technician; a company is not told who."""

    code = "slot-taken"

    def __init__(self, appointment_id: UUID | None = None) -> None:
        self.appointment_id = appointment_id
        super().__init__(f"taken by appointment {appointment_id}" if appointment_id else "busy")


class HasAppointments(Refused):
    """The technician still has open appointments."""

    code = "has-appointments"

    def __init__(self, appointments: Iterable[UUID]) -> None:
        self.appointments = tuple(sorted(appointments))
        super().__init__(f"{len(self.appointments)} open appointments")


class ShiftsOverlap(Invalid):
    """Two shifts of one technician share a minute, or a shift ends before it starts."""


class UnknownName(Invalid):
    """A skill, team or company that nobody has entered."""


class ReasonMissing(Invalid):
    """Whoever gives a customer's time back says why."""

    code = "reason-missing"


class Stale(Conflict):
    """Somebody else changed it first; names the version that stands."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(f"version {version} stands")
