"""A case as people see it: columns by the topic that they come from, one writer each."""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from contracts.codes import Fact
from contracts.groups import OfWorkOrder
from kit.aggregate import Aggregate


@dataclass(kw_only=True, eq=False)
class WorkOrder:
    """One visit's worth of work."""

    work_order_id: UUID
    sequence: int

    kind: str | None = None
    state: str | None = None
    move: str | None = None
    """The last row of the transition table that it took."""
    moved_at: datetime | None = None
    reason: str | None = None
    result: str | None = None
    close_reason: str | None = None
    predecessor: UUID | None = None
    due_on: date | None = None
    queue_company_id: UUID | None = None
    responsible: UUID | None = None

    appointment_id: UUID | None = None
    appointment_state: str | None = None
    window_from: datetime | None = None
    window_to: datetime | None = None
    technicians: tuple[UUID, ...] = ()
    company_id: UUID | None = None

    visit_id: UUID | None = None
    visit_version: int | None = None
    visit_result: str | None = None
    visited_at: datetime | None = None

    review_state: str | None = None
    review_round: int | None = None

    material: str | None = None


@dataclass(kw_only=True, eq=False)
class Handover:
    """One fact on its way to those who must know it."""

    fact: Fact
    attempt: int

    requested_at: datetime | None = None
    supplement: bool = False

    state: str | None = None
    """The newest word of mdm_adapter; None while it said nothing."""
    document: str | None = None
    recipient: str | None = None
    reasons: tuple[str, ...] = ()
    changed_at: datetime | None = None


@dataclass(kw_only=True, eq=False)
class Problem:
    """Something that a person has to look at. It is never deleted, only closed."""

    problem_key: str
    """Kind and id of what it is about: one problem, however often it is told."""
    kind: str
    code: str
    since: datetime
    work_order_id: UUID | None = None
    owner: str | None = None
    due_on: date | None = None
    visit_version: int | None = None
    """Report of the visit that it was found in; a newer report makes it void."""
    open: bool = True


@dataclass(kw_only=True, eq=False)
class Case(Aggregate):
    """All that is shown of a case. It stands as soon as one topic names it; what is not heard yet is empty."""

    case_id: UUID
    heard: dict[str, int] = field(default_factory=dict)
    """Topic, or topic/device, to the last sequence that changed something here."""

    opened_at: datetime | None = None
    operator: str | None = None
    case_type: str | None = None
    origin: str | None = None
    legal_basis: str | None = None
    metering_point_id: str | None = None
    orders: tuple[str, ...] = ()
    postcode: str | None = None
    municipality: str | None = None
    stage: str | None = None
    priority: int | None = None
    due_on: date | None = None
    flags: tuple[str, ...] = ()
    phase: str | None = None
    phase_since: datetime | None = None
    on_hold: bool = False
    sla: str | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None
    purged: bool = False

    bookable_from: date | None = None

    last_notice: str | None = None
    last_notice_at: datetime | None = None

    work_orders: list[WorkOrder] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def key(self) -> str:
        return str(self.case_id)

    def is_news(self, line: str, sequence: int) -> bool:
        """Whether this is newer than all that was heard on this line; if so, it counts as heard."""
        if sequence <= self.heard.get(line, 0):
            return False
        self.heard = dict(sorted({**self.heard, line: sequence}.items()))
        return True

    def work_order(self, named: OfWorkOrder) -> WorkOrder:
        """The work order that an event is about, known from now on at the latest."""
        for order in self.work_orders:
            if order.work_order_id == named.work_order_id:
                return order
        self.work_orders.append(WorkOrder(work_order_id=named.work_order_id, sequence=named.sequence))
        return self.work_orders[-1]

    def handover(self, fact: Fact, attempt: int) -> Handover:
        """One try to hand a fact over, known from now on at the latest."""
        for handover in self.handovers:
            if (handover.fact, handover.attempt) == (fact, attempt):
                return handover
        self.handovers.append(Handover(fact=fact, attempt=attempt))
        return self.handovers[-1]

    def raise_problem(self, problem: Problem) -> None:
        """Show a problem; told again, it takes the place of what was told before."""
        self.problems = [each for each in self.problems if each.problem_key != problem.problem_key] + [problem]

    def close_problem(self, problem_key: str) -> None:
        """Nobody has to look at it any more."""
        for problem in self.problems:
            if problem.problem_key == problem_key:
                problem.open = False


@dataclass(kw_only=True, eq=False)
class Contact(Aggregate):
    """Who lives there. Apart from the case, so that deleting it leaves nothing behind."""

    case_id: UUID
    sequence: int
    name: str
    street: str
    number: str
    addition: str | None
    postcode: str
    city: str
    country: str
    language: str
    sms_allowed: bool

    def key(self) -> str:
        return str(self.case_id)


@dataclass(kw_only=True, eq=False)
class Line(Aggregate):
    """One event in the timeline of its case. Only ever added: nothing has to be loaded for it."""

    event_id: UUID
    case_id: UUID
    work_order_id: UUID | None
    topic: str
    sequence: int
    at: datetime
    type: str
    text: str
    """Codes, dates and ids; no words of a person."""

    def key(self) -> str:
        return str(self.event_id)


@dataclass(kw_only=True, eq=False)
class Quarantined(Aggregate):
    """A partner's message that mdm_adapter could not process. Its release is not told, so it is shown for a while."""

    quarantine_id: UUID
    case_id: UUID | None
    partner: str | None
    cause: str
    since: datetime

    def key(self) -> str:
        return str(self.quarantine_id)
