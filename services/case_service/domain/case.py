"""The case: one metering point's way through the rollout, with all that changes together with it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

from contracts.cases import CaseAbandoned, CaseCancelled, HandoverRequested, MaterialReleased, WorkOrderMoved
from contracts.codes import (
    CaseType,
    CloseReason,
    Fact,
    Flag,
    LegalBasis,
    MoveDecision,
    Origin,
    Outcome,
    Phase,
    PurgeScope,
    Scheme,
    State,
    WorkOrderKind,
)
from contracts.ids import CaseId, Code, OrderKey, Principal, Ref, WorkOrderId
from contracts.parts import (
    Address,
    Area,
    Contact,
    Days,
    DevicePlan,
    GateEvidence,
    Link,
    OrderedRegister,
    OrderedSite,
    Position,
)
from kit.audit import Change as Audited
from kit.errors import NotFound
from kit.store import Aggregate
from services.case_service.domain.act import Act
from services.case_service.domain.changes import CASE_LEFT_OUT, CASE_SHOWN, KINDS, Kind, Trail
from services.case_service.domain.entries import (
    Bookable,
    CaseException,
    DeviceFact,
    Ending,
    Handover,
    OrderReference,
    Pause,
    Remark,
    SlaState,
    SlaTarget,
    Wait,
    Words,
)
from services.case_service.domain.flow import STANDARD, Flow, kept
from services.case_service.domain.serials import plain
from services.case_service.domain.transitions import allowed
from services.case_service.domain.work_order import BuiltIn, Change, WorkOrder
from services.case_service.errors import IllegalStep


@dataclass(kw_only=True, eq=False)
class Case(Aggregate):
    """A case with its work orders. Every change of a state goes through `step`, every fact into `told`."""

    case_id: CaseId
    edition: int = 1
    """The version of the case on the wire: +1 per CaseAmended."""
    phase: Phase | None = None
    """Derived (lifecycle §3), never set by hand."""
    on_hold: bool = False
    operator: Code
    case_type: CaseType
    flow_version: int
    origin: Origin
    legal_basis: LegalBasis
    metering_point_id: Ref
    metering_point_scheme: Scheme
    open_point: str | None
    """Operator, point and kind while the case is open: no two cases share it (I13)."""
    area: Area
    priority: int
    window: Days | None = None
    fixed_on: date | None = None
    planned_on: date | None = None
    due_on: date | None = None
    due_by: date | None = None
    """Derived: by when it should be done, whoever said so; lists are sorted by it."""
    device_plan: DevicePlan
    permits: tuple[Code, ...] = ()
    open_permits: tuple[Code, ...] = ()
    """Mandatory permits that nobody has yet; they block every work order."""
    steps_done: tuple[Code, ...] = ()
    """Steps of the flow whose activity is open or done already."""
    installer: Principal | None = None
    other_party_attends: bool = False
    registers: tuple[OrderedRegister, ...] = ()
    site: OrderedSite
    flags: tuple[Flag, ...] = ()
    flag_text: str | None = None
    links: tuple[Link, ...] = ()
    opened_at: datetime

    contact: Contact | None = None
    address: Address
    position: Position | None = None
    access_note: str | None = None
    building: str | None = None
    """Derived from the address: what cases of one building share (A13)."""
    contact_version: int = 0
    opted_out: bool = False
    """The customer does not want texts and said so here; no master's consent takes that back."""
    purged: PurgeScope | None = None

    bookable: Bookable | None = None
    announced: bool = False
    devices: tuple[DeviceFact, ...] = ()
    handovers: tuple[Handover, ...] = ()
    completion: int = 0
    gate_evidence: tuple[GateEvidence, ...] | None = None
    ending: Ending | None = None
    ended_at: datetime | None = None
    waits: dict[str, Wait] = field(default_factory=dict)
    sla_target: SlaTarget
    sla_state: SlaState = SlaState.OK
    sla_due_at: datetime | None = None
    """When the target will be used up; while the clock stands still, what was last known."""
    audited: int = 0
    """How many rows of the audit tell of its changes; each row carries its number."""

    pauses: list[Pause] = field(default_factory=list)
    work_orders: list[WorkOrder] = field(default_factory=list)
    references: list[OrderReference] = field(default_factory=list)
    exceptions: list[CaseException] = field(default_factory=list)
    history: list[Change] = field(default_factory=list)

    kept_flow: Flow | None = field(default=None, repr=False)
    """The version of the flow that this case keeps, as it was loaded; version 1 needs no loading."""
    beside: list[Aggregate] = field(default_factory=list, repr=False)
    """Records that came up with a change and stand in tables of their own: remarks, words, visits."""
    anomalies: list[tuple[str, dict[str, Any]]] = field(default_factory=list, repr=False)
    """What the tables do not allow: code and details, never personal data."""
    fired: list[tuple[Code, str]] = field(default_factory=list, repr=False)
    """Automations that fired: rule id and the key under which they fire once (lifecycle §13)."""
    trail: Trail = field(default_factory=Trail, repr=False)
    lost: tuple[int, ...] = ()
    """Numbers of audit rows that are missing, or too many, as counted when the case was loaded (DoD5)."""

    def key(self) -> str:
        return str(self.case_id)

    def keys(self) -> Iterable[str]:
        yield self.key()
        yield from (str(order.work_order_id) for order in self.work_orders)
        yield from (reference.current_key for reference in self.references if reference.current_key)
        if self.open_point:
            yield self.open_point

    def changes(self) -> Iterable[Audited]:
        """What the audit is told of the step that ends: old and new, and why."""
        return self.trail.settle(self)

    # ask

    def order(self, work_order_id: WorkOrderId) -> WorkOrder:
        """The work order with this id; raises NotFound."""
        for order in self.work_orders:
            if order.work_order_id == work_order_id:
                return order
        raise NotFound(f"there is no work order {work_order_id}")

    @property
    def flow(self) -> Flow:
        """The version of its flow that this case keeps to its end."""
        return kept(self.kept_flow or STANDARD[self.case_type], self.flow_version)

    @property
    def by_sequence(self) -> list[WorkOrder]:
        """Work orders, oldest first."""
        return sorted(self.work_orders, key=lambda order: order.sequence)

    @property
    def defect(self) -> bool:
        """One visit was not enough: it has a second work order (S0-02)."""
        return len(self.work_orders) > 1

    @property
    def unclosed(self) -> list[WorkOrder]:
        """Work orders that somebody still has to do something about."""
        return [order for order in self.by_sequence if not order.closed]

    @property
    def current(self) -> WorkOrder:
        """The newest work order that is not closed, else the newest."""
        return (self.unclosed or self.by_sequence)[-1]

    @property
    def terminal(self) -> bool:
        """Nothing changes it any more, but a refusal of what was handed over."""
        return self.ending is not None or self.gate_evidence is not None

    @property
    def on_site(self) -> tuple[BuiltIn, ...]:
        """Devices that this case installed and that are still in place, as reported."""
        there: dict[str, BuiltIn] = {}
        for order in self.by_sequence:
            for gone in order.removed:
                there.pop(plain(gone.serial), None)
            if order.kind != WorkOrderKind.REVERSAL:  # a reversal puts back what was there before
                there |= {plain(device.serial): device for device in order.installed}
        return tuple(there.values())

    @property
    def failed_attempts(self) -> int:
        """Visits of this case that failed (G25)."""
        return sum(order.outcome is Outcome.FAILED for order in self.work_orders)

    def since(self, order: WorkOrder) -> datetime:
        """Since when an order stands in its state."""
        entered = (
            line.at
            for line in self.history
            if line.work_order_id == order.work_order_id and line.to_state is order.state is not line.from_state
        )
        return max(entered, default=order.opened_at)

    @property
    def order_keys(self) -> tuple[OrderKey, ...]:
        return tuple(reference.order_key for reference in self.references)

    def successor_of(self, order: WorkOrder) -> WorkOrder | None:
        """The work order that continues this one; there is at most one (I13)."""
        found = (each for each in self.work_orders if each.predecessor == order.work_order_id)
        return next(found, None)

    def predecessor_of(self, order: WorkOrder) -> WorkOrder | None:
        """The work order that this one continues."""
        return next((each for each in self.work_orders if each.work_order_id == order.predecessor), None)

    # do

    def step(
        self,
        act: Act,
        order: WorkOrder,
        move: Code,
        to: State,
        *,
        reason: Code | None = None,
        close: CloseReason | None = None,
        decision: MoveDecision | None = None,
        rule: Code | None = None,
    ) -> None:
        """Take one step of the transition table, record it and tell it. The only place where a state changes."""
        before, was = order.column, order.state
        if not allowed(move, before, to, close):
            raise IllegalStep(move, before, to)
        order.state, order.close_reason = to, close
        if to is State.MANUAL_FOLLOW_UP and was is not State.MANUAL_FOLLOW_UP:
            order.came_from = was
        if to is State.CLOSED:
            order.closed_at = act.at
        order.decision = decision or order.decision
        self.record(act, order, was, move=move, reason=reason, rule=rule)
        self.told.append(
            WorkOrderMoved(
                case_id=self.case_id,
                work_order_id=order.work_order_id,
                sequence=order.sequence,
                version=order.version,
                move=move,
                from_state=was,
                to_state=to,
                reason=reason,
                outcome=order.outcome,
                result=order.result,
                sub_reason=order.sub_reason,
                close_reason=close,
                came_from=order.came_from,
                cancellation=order.cancellation,
                decision=decision,
                appointment_id=order.appointment_id,
                revision=order.revision,
                attempt=order.offer,
                responsible=order.responsible,
                start=order.start,
                rule=rule,
                actor=act.actor,
            )
        )

    def record(
        self,
        act: Act,
        order: WorkOrder,
        was: State | None = None,
        *,
        move: Code | None = None,
        reason: Code | None,
        rule: Code | None = None,
    ) -> None:
        """Count a change of a work order, give it its line in the history and its row in the audit."""
        order.version += 1
        self.history.append(
            Change(
                work_order_id=order.work_order_id,
                version=order.version,
                move=move,
                from_state=was or order.state,
                to_state=order.state,
                reason=reason,
                actor=act.actor,
                at=act.at,
                event_id=act.event_id,
            )
        )
        if move is None:
            self.trail.note(self, order, "work_order:change", reason=reason, rule=rule)
        else:
            moved = {"move": move, "from": was, "to": order.state}
            self.trail.note(self, order, "work_order:move", reason=reason, rule=rule, **moved)

    def remark(self, act: Act, order: WorkOrder | None, code: Code, *, hotlist: bool = False, **params: Any) -> None:
        """Add a coded line: a comment, a hint for a hotlist, a fact that came late."""
        remark_id, sequence = act.new_id(), order.sequence if order else None
        self.trail.say(self, "case:remark", remark=remark_id, code=code, work_order=sequence)
        self.beside.append(
            Remark(
                remark_id=remark_id,
                case_id=self.case_id,
                work_order_id=order.work_order_id if order else None,
                code=code,
                hotlist=hotlist,
                params={name: value for name, value in params.items() if value is not None},
                actor=act.actor,
                at=act.at,
                event_id=act.event_id,
            )
        )

    def words(self, act: Act, order: WorkOrder | None, step: Code, text: str | None) -> None:
        """Keep what a person wrote; empty words are none."""
        if text and text.strip():
            words_id, sequence = act.new_id(), order.sequence if order else None
            self.trail.say(self, "case:words", words=words_id, step=step, work_order=sequence)
            self.beside.append(
                Words(
                    words_id=words_id,
                    case_id=self.case_id,
                    work_order_id=order.work_order_id if order else None,
                    step=step,
                    text=text.strip(),
                    actor=act.actor,
                    at=act.at,
                )
            )

    def hotlist(self, act: Act, order: WorkOrder | None, code: Code, **params: Any) -> None:
        """Something waits for a person."""
        self.remark(act, order, code, hotlist=True, **params)

    def anomaly(self, act: Act, order: WorkOrder, code: Code, **params: Any) -> None:
        """Something that the tables do not allow: a line in the history, and a row where operations look."""
        self.hotlist(act, order, code, **params)
        self.anomalies.append((code, {"work_order_id": str(order.work_order_id), **params}))

    def automated(self, rule: Code, key: str) -> None:
        """An automation fired; its rule id goes into the audit, also into the rows of what this step changes."""
        self.fired.append((rule, key))
        self.trail.fired.append(rule)

    def hand_over(self, act: Act, fact: Fact, order: WorkOrder | None, **said: Any) -> None:
        """Ask mdm_adapter to hand a fact over; attempts count per case and fact."""
        attempt = 1 + max((each.attempt for each in self.handovers if each.fact is fact), default=0)
        of = order.work_order_id if order else None
        self.handovers += (Handover(fact=fact, attempt=attempt, work_order_id=of, requested_at=act.at),)
        if fact is Fact.EXCHANGE_COMPLETED and order:
            order.handover = attempt
        known = {"supplement": False, "final": True, "statutory": False} | said
        self.told.append(HandoverRequested(case_id=self.case_id, work_order_id=of, fact=fact, attempt=attempt, **known))

    def release_material(self, order: WorkOrder, reason: Code) -> None:
        """The order needs its devices no longer."""
        order.material_requested = False
        self.told.append(
            MaterialReleased(
                case_id=self.case_id, work_order_id=order.work_order_id, sequence=order.sequence, reason=reason
            )
        )

    def end(self, act: Act, how: Ending, reason: Code) -> None:
        """Cancelled or abandoned, for good."""
        self.ending, self.ended_at, self.open_point = how, act.at, None
        kind = CaseCancelled if how is Ending.CANCELLED else CaseAbandoned
        self.told.append(kind(case_id=self.case_id, reason=reason, orders=self.order_keys))


KINDS["case"] = Kind("case", [each.name for each in fields(Case)], CASE_SHOWN, CASE_LEFT_OUT)
