"""One appointment: what may happen to it, and what it tells when it does."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.bookings import (
    AnswerOverdue,
    AppointmentConfirmed,
    AppointmentKept,
    AppointmentMissed,
    AppointmentMoved,
    AppointmentOffered,
    AppointmentProposed,
    AppointmentReleased,
)
from contracts.codes import (
    AgreedVia,
    BookingChannel,
    ConfirmedBy,
    Outcome,
    ReleaseReason,
    SubReason,
    Suggestion,
)
from contracts.groups import OfAppointment
from contracts.ids import AppointmentId, CaseId, CompanyId, ReplyId, TeamId, TechnicianId, WorkOrderId
from contracts.parts import Span
from kit.aggregate import Aggregate
from services.booking_service.domain.grid import cells
from services.booking_service.domain.places import Place
from services.booking_service.domain.states import NEXT, AppointmentState, Step
from services.booking_service.errors import StateForbids

UNDELIVERED, UNREPORTED = "undelivered", "unreported"
"""Causes of `needs_staff` beside those of questions: the text did not arrive; the visit was not reported."""


@dataclass(kw_only=True)
class Block:
    """One cell of a technician's time; its primary key is what makes double booking impossible."""

    technician_id: TechnicianId
    cell: int


@dataclass(kw_only=True, eq=False)
class Appointment(Aggregate):
    """A technician's time set aside for one work order, and what the customer made of it."""

    appointment_id: AppointmentId
    case_id: CaseId
    work_order_id: WorkOrderId
    sequence: int
    technician_id: TechnicianId
    team_id: TeamId | None
    company_id: CompanyId
    block_start: datetime
    block_minutes: int
    window_from: datetime
    window_to: datetime
    alternatives: tuple[Span, ...]
    state: AppointmentState
    revision: int = 0
    attempt: int = 0
    channel: BookingChannel | None = None
    answer_by: datetime | None = None
    """None: nobody waits for an answer."""
    entry_right: bool = False
    was_offered: bool = False
    offered_at: datetime | None = None
    needs_staff: str | None = None
    suggestion: Suggestion | None = None
    frozen: bool = False
    recheck: bool = False
    """Address, meter or area changed after the appointment was made."""
    confirmed_by: ConfirmedBy | None = None
    agreed_via: AgreedVia | None = None
    created_by: str
    created_at: datetime
    blocks: list[Block] = field(default_factory=list)
    warnings: tuple[str, ...] = ()
    """What whoever made or moved it should know; not kept."""

    def key(self) -> str:
        return str(self.appointment_id)

    @property
    def window(self) -> Span:
        """What the customer is told."""
        return Span(from_=self.window_from, to=self.window_to)

    @property
    def block_end(self) -> datetime:
        """When the work should be done."""
        return self.block_start + timedelta(minutes=self.block_minutes)

    @property
    def of(self) -> OfAppointment:
        """Which appointment, in which version: what every fact about it begins with."""
        return OfAppointment(
            case_id=self.case_id,
            work_order_id=self.work_order_id,
            sequence=self.sequence,
            appointment_id=self.appointment_id,
            revision=self.revision,
            attempt=self.attempt,
        )

    @classmethod
    def propose(cls, known: OfAppointment, place: Place, by: str, now: datetime) -> "Appointment":
        """A1: set the time aside. Nobody outside has heard of it yet."""
        made = cls(
            **vars(known),
            technician_id=place.technician_id,
            team_id=place.team_id,
            company_id=place.company_id,
            block_start=place.start,
            block_minutes=place.minutes,
            window_from=place.window.from_,
            window_to=place.window.to,
            alternatives=place.alternatives,
            state=AppointmentState.PROPOSED,
            created_by=by,
            created_at=now,
        )
        made._take(place)
        made.told.append(AppointmentProposed(**made._slot(by)))
        return made

    def may(self, step: Step) -> bool:
        """Ask: whether the table has this step here."""
        return (self.state, step) in NEXT

    def offer(
        self, attempt: int, channel: BookingChannel, answer_by: datetime | None, *, entry_right: bool, now: datetime
    ) -> None:
        """A2: the customer is to be asked."""
        self._step(Step.OFFER)
        self.attempt, self.channel, self.answer_by = attempt, channel, answer_by
        self.entry_right, self.was_offered, self.offered_at = entry_right, True, now
        self._settled()
        self.told.append(
            AppointmentOffered(
                **vars(self.of),
                channel=channel,
                window=self.window,
                alternatives=self.alternatives,
                answer_by=answer_by,
                entry_right=entry_right,
            )
        )

    def sent(self, answer_by: datetime | None) -> None:
        """A3: the offer left the house; the deadline counts from the actual sending, never earlier than promised."""
        self._step(Step.SENT)
        if answer_by is not None:
            self.answer_by = max(filter(None, (self.answer_by, answer_by)))

    def not_sent(self) -> None:
        """A4: the offer could not be sent."""
        self._step(Step.NOT_SENT)
        self.answer_by = None

    def overdue(self) -> None:
        """A5: the answer did not come in time."""
        if self.channel is None or self.answer_by is None:
            raise StateForbids("nobody waits for an answer")
        self._step(Step.OVERDUE)
        self.told.append(AnswerOverdue(**vars(self.of), channel=self.channel, answer_by=self.answer_by))
        self.answer_by = None

    def confirm(
        self, by: ConfirmedBy, agreed_via: AgreedVia | None = None, *, notice: bool, reply_id: ReplyId | None = None
    ) -> None:
        """A6, or A7 where staff agreed it without an offer."""
        unasked = by is ConfirmedBy.STAFF and self.state is AppointmentState.PROPOSED
        self._step(Step.CONFIRM_UNASKED if unasked else Step.CONFIRM)
        self._confirmed(by, agreed_via, notice=notice, reply_id=reply_id)

    def decline(self) -> None:
        """A8: the customer wants another time. A question goes with it."""
        self._step(Step.DECLINE)

    def ask_staff(self, cause: str, suggestion: Suggestion | None) -> None:
        """A person must look at it; the state stays, and whatever settles the matter clears this."""
        if self.state.open:
            self.needs_staff, self.suggestion = cause, suggestion

    def move(self, place: Place, by: str) -> None:
        """A9: another time or window without asking the customer; what was offered or agreed is void."""
        self._step(Step.MOVE)
        self._go(place, by, agreed=False)

    def move_agreed(self, place: Place, by: str, agreed_via: AgreedVia) -> None:
        """A10: another time that the customer agreed to, as staff heard it."""
        self._step(Step.MOVE_AGREED)
        self._go(place, by, agreed=True)
        self._confirmed(ConfirmedBy.STAFF, agreed_via, notice=False)

    def reassign(self, place: Place, by: str) -> None:
        """A14: another technician at the same time; what the customer was told or agreed to stands."""
        self._step(Step.REASSIGN)
        self._go(place, by, agreed=True)

    def release(self, reason: ReleaseReason) -> None:
        """A11: give the time back."""
        self._step(Step.RELEASE)
        self.answer_by = None
        self._settled()
        self.blocks.clear()
        self.told.append(AppointmentReleased(**vars(self.of), reason=reason, was_offered=self.was_offered))

    def visited(self, outcome: Outcome, sub_reason: str | None, at: datetime) -> None:
        """A12, A13: the visit took place. Only a confirmed customer who was not at home has missed it."""
        absent = outcome is Outcome.FAILED and sub_reason == SubReason.CUSTOMER_NOT_HOME
        if self.state is AppointmentState.CONFIRMED:
            self._step(Step.MISS if absent else Step.KEEP)
        else:
            self._step(Step.KEEP_UNCONFIRMED)
        self.answer_by = None
        self._settled()
        self.blocks.clear()
        fact = AppointmentMissed if self.state is AppointmentState.MISSED else AppointmentKept
        self.told.append(fact(**vars(self.of), outcome=outcome, sub_reason=sub_reason, at=at))

    def void(self) -> None:
        """T17, T32: planned anew; an answer to the old offer is stale from here on."""
        self._step(Step.VOID)
        self.answer_by = self.confirmed_by = self.agreed_via = None
        self.entry_right = False
        self._settled()

    def stop_waiting(self) -> None:
        """T10, T32: a person took over, so no reminder goes out."""
        self.answer_by = None

    def freeze(self) -> None:
        """A cancellation arrived: the time stays, and nothing happens until people decide."""
        self.frozen, self.answer_by = True, None

    def unfreeze(self) -> None:
        """The cancellation was withdrawn."""
        self.frozen = False

    def _step(self, step: Step) -> None:
        if (self.state, step) not in NEXT:
            raise StateForbids(f"{step} ({step.name.lower()}) is not possible for an appointment that is {self.state}")
        self.state = NEXT[self.state, step]

    def _confirmed(
        self, by: ConfirmedBy, agreed_via: AgreedVia | None, *, notice: bool, reply_id: ReplyId | None = None
    ) -> None:
        self.confirmed_by, self.agreed_via, self.answer_by = by, agreed_via, None
        self._settled()
        self.told.append(
            AppointmentConfirmed(**vars(self.of), by=by, agreed_via=agreed_via, notice=notice, reply_id=reply_id)
        )

    def _go(self, place: Place, by: str, *, agreed: bool) -> None:
        was = self.window
        if (self.block_start, self.block_minutes, was) != (place.start, place.minutes, place.window):
            self.revision += 1
            self.answer_by = None
            self.entry_right = False
            self.recheck = False
            self._settled()
        self.technician_id, self.team_id, self.company_id = place.technician_id, place.team_id, place.company_id
        self.block_start, self.block_minutes = place.start, place.minutes
        self.window_from, self.window_to = place.window.from_, place.window.to
        self.alternatives = place.alternatives
        self._take(place)
        moved = AppointmentMoved(**self._slot(by), was_window=was, window_changed=was != place.window, agreed=agreed)
        self.told.append(moved)

    def _take(self, place: Place) -> None:
        wanted = cells(place.start, place.minutes, place.grid_minutes)
        self.blocks = [Block(technician_id=place.technician_id, cell=cell) for cell in wanted]

    def _settled(self) -> None:
        """Whatever staff were asked to do is answered by what happened now."""
        self.needs_staff = self.suggestion = None

    def _slot(self, by: str) -> dict[str, object]:
        return {
            **vars(self.of),
            "block_start": self.block_start,
            "block_minutes": self.block_minutes,
            "window": self.window,
            "technicians": (self.technician_id,),
            "team": self.team_id,
            "company_id": self.company_id,
            "alternatives": self.alternatives,
            "by": by,
        }
