"""What the adapter keeps of a case: its orders, its visits, and every handover with its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from contracts.cases import CaseAmended, CaseOpened, HandoverRequested
from contracts.codes import Authority, Decision, Fact, FailureCause, HubReason, Level, Scheme
from contracts.handovers import HandoverAccepted, HandoverAcknowledged, HandoverFailed, HandoverRejected, HandoverSent
from contracts.ids import CaseId, RowId, WorkOrderId
from contracts.parts import Days, HandoverReason, InstalledDevice, RegisterReading, RemovedDevice
from contracts.visits import VisitReported
from kit.store import Aggregate
from services.mdm_adapter.documents.answer import Reason
from services.mdm_adapter.documents.matrix import Accept, DocumentKind
from services.mdm_adapter.documents.values import DeviceFact, Reading, ReportedDevice
from services.mdm_adapter.domain.handover import SETTLED, Handover, Outlook, Row, RowState, Signal, outlook

WAITS_FOR: Mapping[str, tuple[str, DocumentKind]] = MappingProxyType(
    {
        DocumentKind.METER_READINGS: ("DEVICES_FIRST", DocumentKind.DEVICE_EXCHANGE_COMPLETED),  # H2
        DocumentKind.DEVICE_INSTALLED: ("REMOVAL_FIRST", DocumentKind.DEVICE_REMOVED),  # H3
    }
)
"""Why a document waits, and for which one: readings for their devices, an installation for the removal."""


@dataclass
class Visit:
    """The newest report of one visit, as far as documents need it."""

    visit_id: UUID
    work_order_id: UUID
    sequence: int
    visit_version: int
    outcome: str
    result: str
    sub_reason: str | None
    started_at: datetime
    finished_at: datetime
    installed: tuple[ReportedDevice, ...]
    removed: tuple[ReportedDevice, ...]
    devices: dict[str, DeviceFact] = field(default_factory=dict)
    """More about those that were installed, by serial."""


@dataclass(kw_only=True, eq=False)
class Dossier(Aggregate):
    """One case, seen from the door to its partners."""

    case_id: UUID
    case_version: int = 0
    """0: a visit was heard of, the case not yet."""
    orders: tuple[str, ...] = ()
    metering_point_id: str | None = None
    metering_point_scheme: Scheme | None = None
    ended: bool = False
    visits: list[Visit] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def key(self) -> str:
        return str(self.case_id)

    def opened(self, fact: CaseOpened) -> None:
        """The case is known now."""
        self.case_version, self.orders = fact.version, fact.orders
        self.metering_point_id, self.metering_point_scheme = fact.metering_point_id, fact.metering_point_scheme

    def amended(self, fact: CaseAmended) -> None:
        """References and point may change; an older version says nothing new."""
        if fact.version <= self.case_version:
            return
        self.case_version = fact.version
        if fact.orders is not None:
            self.orders = fact.orders
        if fact.metering_point_id is not None:
            self.metering_point_id = fact.metering_point_id
        if fact.metering_point_scheme is not None:
            self.metering_point_scheme = fact.metering_point_scheme

    def visited(self, fact: VisitReported) -> bool:
        """Keep the newest report of a visit; returns whether this was it."""
        before = self.visit(fact.visit_id)
        if before and fact.visit_version <= before.visit_version:
            return False
        made = Visit(
            visit_id=fact.visit_id,
            work_order_id=fact.work_order_id,
            sequence=fact.sequence,
            visit_version=fact.visit_version,
            outcome=fact.outcome,
            result=fact.result,
            sub_reason=fact.sub_reason,
            started_at=fact.started_at or fact.arrived_at,
            finished_at=fact.finished_at,
            installed=tuple(_reported(device) for device in fact.installed),
            removed=tuple(_reported(device) for device in fact.removed),
            devices={device.serial: _fact(device) for device in fact.installed},
        )
        self.visits = [each for each in self.visits if each.visit_id != fact.visit_id]
        self.visits.append(made)
        return True

    def visit(self, visit_id: UUID | None) -> Visit | None:
        """The visit of that id."""
        return next((each for each in self.visits if each.visit_id == visit_id), None)

    def handover(self, fact: Fact, attempt: int) -> Handover:
        """The handover that a row belongs to."""
        return next(each for each in self.handovers if (each.fact, each.attempt) == (fact, attempt))

    def newest(self, fact: Fact) -> int:
        """The highest attempt of a fact; 0 if there was none."""
        return max((each.attempt for each in self.handovers if each.fact is fact), default=0)

    def row(self, row_id: UUID | str) -> Row | None:
        """The row of that id."""
        return next((each for each in self.rows if str(each.row_id) == str(row_id)), None)

    def rows_of(self, handover: Handover) -> list[Row]:
        """The rows of one attempt."""
        return [each for each in self.rows if (each.fact, each.attempt) == (handover.fact, handover.attempt)]

    def request(self, fact: HandoverRequested, at: datetime) -> Handover | None:
        """Open a new attempt; it takes the place of the older one. None: a copy, or an attempt that is stale."""
        if fact.attempt <= self.newest(fact.fact):
            return None
        handover = Handover(
            fact=fact.fact,
            attempt=fact.attempt,
            work_order_id=fact.work_order_id,
            order_key=fact.order_key,
            decision=fact.decision,
            supplement=fact.supplement,
            final=fact.final,
            visit_id=fact.visit_id,
            visit_version=fact.visit_version,
            evidence_digest=fact.evidence_digest,
            requested_at=at,
            plan=fact.plan,
            statutory=fact.statutory,
            planned_on=fact.planned_on,
            window_from=fact.window.from_ if fact.window else None,
            window_to=fact.window.to if fact.window else None,
        )
        for row in self.rows:
            if self._replaced_by(row, handover):
                row.meets(Signal.REPLACED)
                row.held = None
        self.handovers.append(handover)
        return handover

    def _replaced_by(self, row: Row, handover: Handover) -> bool:
        """An addition about another work order, or an answer to another order, replaces nothing."""
        if row.fact is not handover.fact or row.attempt >= handover.attempt:
            return False
        if handover.fact is Fact.CANCELLED and handover.order_key is not None:
            return row.order_key == handover.order_key
        return not handover.supplement or row.work_order_id == handover.work_order_id

    def was_told(self, fact: Fact, partner: str) -> bool:
        """Whether a document about a fact has left to a partner."""
        return any(each.was_sent for each in self.rows if (each.fact, each.recipient) == (fact, partner))

    def must_wait(self, row: Row) -> str | None:
        """Why a document waits for another one to the same recipient, as long as that is not settled."""
        reason, before = WAITS_FOR.get(row.document, (None, None))
        first = (
            each
            for each in self.rows
            if (each.fact, each.attempt, each.recipient) == (row.fact, row.attempt, row.recipient)
            and each.document == before
            and each.work_order_id == row.work_order_id
        )
        return reason if any(each.state not in SETTLED for each in first) else None

    def readings_sent(self, partner: str) -> list[Row]:
        """Rows that told readings to a partner."""
        told = DocumentKind.METER_READINGS
        return [each for each in self.rows if (each.document, each.recipient) == (told, partner) and each.was_sent]

    @property
    def withdrawn(self) -> set[str | None]:
        """Orders whose withdrawal was confirmed, while another one kept the case alive."""
        asked = (each for each in self.handovers if each.fact is Fact.CANCELLED)
        return {each.order_key for each in asked if each.decision is Decision.CONFIRMED}

    def add_row(self, row: Row) -> None:
        """One more recipient."""
        self.rows.append(row)

    def earlier(self, row: Row) -> list[Row]:
        """Rows of older attempts that said the same to the same partner about the same order."""
        return [
            each
            for each in self.rows
            if each.attempt < row.attempt
            and (each.fact, each.recipient, each.order_key, each.document)
            == (row.fact, row.recipient, row.order_key, row.document)
            and each.payload_hash is not None
            and each.payload_hash == row.payload_hash
        ]

    def carried_over(self, row: Row) -> bool:
        """Whether the partner has accepted these very words before: then nothing is sent again."""
        if any(each.state is RowState.TRANSFERRED for each in self.earlier(row)):
            row.state, row.delivery, row.was_sent = RowState.TRANSFERRED, "delivered", True
            self.settle(row)
            return True
        return False

    def nothing_to_tell(self, row: Row) -> None:
        """Nothing came, or nothing went: what is not said needs no answer."""
        row.required = False
        row.meets(Signal.ACCEPTED)
        self.settle(row)

    def sent(self, row: Row) -> None:
        """The transport took it; told once per row."""
        row.delivery = "delivered"
        row.meets(Signal.TAKEN)
        if not row.was_sent:
            row.was_sent = True
            self.told.append(
                HandoverSent(
                    **self._about(row), document=row.document, required=row.required, message_ref=str(row.message_id)
                )
            )

    def received(self, row: Row, level: Level) -> None:
        """The recipient has it, and has not looked into it yet."""
        self._implied_sent(row)
        if row.meets(Signal.RECEIVED):
            self.told.append(HandoverAcknowledged(**self._about(row), document=row.document, level=level))

    def answered(self, row: Row, reached: Accept, level: Level) -> None:
        """A positive answer: it settles the row if it is deep enough. A receipt behind a refusal changes nothing."""
        if reached is not Accept.BUSINESS:
            self.received(row, level)
            if row.state is RowState.REJECTED:
                return
        if row.settled_by(reached):
            self.accepted(row)

    def accepted(self, row: Row) -> None:
        """The level that counts is reached."""
        self._implied_sent(row)
        if row.meets(Signal.ACCEPTED):
            self.settle(row)

    def agreed_by_silence(self, row: Row) -> None:
        """The time to object is over; whoever has answered by now is not meant."""
        if row.state in {RowState.SENT, RowState.ACKED}:
            row.by_silence = True
            self.accepted(row)

    def refused(
        self,
        row: Row,
        reasons: tuple[HandoverReason, ...],
        given: tuple[Reason, ...],
        *,
        authority: Authority,
        window: Days | None = None,
    ) -> None:
        """A business refusal; told once per attempt and row. `window`: another time that would do."""
        self._implied_sent(row)
        row.reasons = given
        if row.meets(Signal.REFUSED) and not row.was_refused:
            row.was_refused = True
            self.told.append(
                HandoverRejected(
                    **self._about(row),
                    authority=authority,
                    level=Level.BUSINESS,
                    reasons=reasons,
                    window=window,
                    message_ref=str(row.message_id),
                )
            )

    def broken(
        self,
        row: Row,
        cause: FailureCause,
        level: Level,
        *,
        final: bool = True,
        next_try_at: datetime | None = None,
        hub_reason: HubReason | None = None,
    ) -> None:
        """A technical end, for now or for good."""
        row.held = None
        if row.meets(Signal.BROKEN):
            self.told.append(
                HandoverFailed(
                    **self._about(row),
                    level=level,
                    cause=cause,
                    hub_reason=hub_reason,
                    final=final,
                    next_try_at=next_try_at,
                )
            )

    def settle(self, row: Row) -> None:
        """The handover is accepted once, when its last required row is."""
        handover = self.handover(row.fact, row.attempt)
        rows = self.rows_of(handover)
        if handover.accepted or outlook(each.state for each in rows if each.required) is not Outlook.TRANSFERRED:
            return
        handover.accepted = True
        excepted = any(each.state is RowState.ACCEPTED_BY_EXCEPTION for each in rows)
        silent = any(each.by_silence for each in rows if each.state is RowState.TRANSFERRED)
        self._accept(handover, by_exception=excepted, by_silence=silent)

    def accept_without_rows(self, handover: Handover) -> None:
        """Nobody has to be told."""
        handover.accepted = True
        self._accept(handover)

    def _accept(self, handover: Handover, *, by_exception: bool = False, by_silence: bool = False) -> None:
        self.told.append(
            HandoverAccepted(
                case_id=CaseId(self.case_id),
                work_order_id=WorkOrderId(handover.work_order_id) if handover.work_order_id else None,
                fact=handover.fact,
                attempt=handover.attempt,
                by_silence=by_silence,
                by_exception=by_exception,
            )
        )

    def except_(self, fact: Fact | None, attempt: int | None) -> None:
        """An approved exception stands in for every answer that is still owed to this attempt."""
        touched = [
            row
            for row in self.rows
            if (fact is None or row.fact is fact)
            and row.attempt == (attempt or self.newest(row.fact))
            and row.meets(Signal.EXCEPTED)
        ]
        for row in touched:
            row.held = None
            self.settle(row)

    def _implied_sent(self, row: Row) -> None:
        """An answer proves that the message arrived, also when the transport has not said so yet."""
        if not row.was_sent and row.state is not RowState.SUPERSEDED:
            self.sent(row)

    def _about(self, row: Row) -> dict[str, Any]:
        return {
            "case_id": CaseId(self.case_id),
            "work_order_id": row.work_order_id,
            "fact": row.fact,
            "attempt": row.attempt,
            "row_id": RowId(row.row_id),
            "recipient": row.recipient,
        }


def _reported(device: InstalledDevice | RemovedDevice) -> ReportedDevice:
    """A device of a visit report; manufacturer, seal and place stay behind."""
    readings = tuple(Reading(obis=each.obis, value=each.reading, at=each.at) for each in device.registers)
    return ReportedDevice(role=device.role, serial=device.serial, readings=readings)


def _fact(device: InstalledDevice) -> DeviceFact:
    return DeviceFact(
        device_type=device.device_type,
        gateway=device.gateway_serial,
        registers={each.obis: digits for each in device.registers if (digits := _digits(each))},
    )


def _digits(register: RegisterReading) -> tuple[int, int] | None:
    if register.digits is None or register.decimals is None:
        return None
    return register.digits, register.decimals
