"""An order of a partner, as the adapter remembers it: its versions, what became of it, and what a repetition means."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from contracts.ids import order_key
from contracts.orders import OrderCancelled
from kit.store import Aggregate
from services.mdm_adapter.dialects.items import OrderDocument
from services.mdm_adapter.documents.answer import Answer
from services.mdm_adapter.documents.order_content import OrderContent
from services.mdm_adapter.documents.work_order_cancelled import WorkOrderCancelled
from services.mdm_adapter.documents.work_order_changed import WorkOrderChanged
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested
from services.mdm_adapter.domain.translation import order_amended, order_received
from services.mdm_adapter.partners.profile import Profile


class Verdict(StrEnum):
    """What a message about an order is, beside what we know of it."""

    NEW = "accepted"
    DEAD_ON_ARRIVAL = "accepted_cancelled"
    """The cancellation came first, with this version or a higher one."""
    CHANGED = "changed"
    CANCELLED = "cancelled"
    KEPT = "cancellation_kept"
    """A cancellation of an order that we do not know yet."""
    REPEATED = "unchanged"
    LATE = "late"
    """A newer version was here first."""
    CONFLICT = "conflict"
    """The same version with other content, or a version that goes back."""
    UNKNOWN = "unknown_order"


class Statement(StrEnum):
    """What a message does with an order."""

    ORDER = "order"
    CHANGE = "change"
    CANCEL = "cancel"


def statement_of(document: OrderDocument) -> Statement:
    """What a document does."""
    if isinstance(document, WorkOrderCancelled):
        return Statement.CANCEL
    return Statement.CHANGE if isinstance(document, WorkOrderChanged) else Statement.ORDER


def payload_hash(document: OrderDocument) -> str:
    """The same content has the same hash, whatever envelope it came in."""
    return sha256(document.model_dump_json().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Arrival:
    """With which message something came, and what an answer to it echoes."""

    message_id: UUID
    correlation_id: str
    at: datetime


@dataclass
class OrderVersion:
    """One statement of the partner that was taken, and the message that it came with."""

    statement: Statement
    number: int
    payload_hash: str
    message_id: UUID


@dataclass(kw_only=True, eq=False)
class Order(Aggregate):
    """All that one partner said about one order."""

    order_key: str
    partner: str
    order_no: str
    order_version: int = 0
    """0: only a cancellation is known."""
    content: WorkOrderRequested | None = None
    """The order as it stands, without the partner's defaults."""
    message_id: UUID | None = None
    correlation_id: str | None = None
    """What an answer to the order echoes."""
    cancelled_version: int | None = None
    cancel_message_id: UUID | None = None
    cancel_correlation_id: str | None = None
    case_id: UUID | None = None
    answered: bool = False
    answer_waiting: Answer | None = None
    """Decided, and its code demands a text that a person still has to write."""
    versions: list[OrderVersion] = field(default_factory=list)

    def key(self) -> str:
        return self.order_key

    @classmethod
    def unknown(cls, partner: str, order_no: str) -> "Order":
        """An order of which nothing is known yet."""
        return cls(order_key=order_key(partner, order_no), partner=partner, order_no=order_no)

    def first_of(self, document: OrderDocument) -> OrderVersion | None:
        """The statement that this document repeats, if it does."""
        statement, hash_ = statement_of(document), payload_hash(document)
        if statement is Statement.CANCEL:
            number = self._cancel_version(document.order_version)
            repeated = self.cancelled_version is not None and number <= self.cancelled_version
            known = [each for each in self.versions if each.statement is statement]
            return known[-1] if repeated and known else None
        return next(
            (each for each in self.versions if each.statement is statement and each.payload_hash == hash_), None
        )

    def judge(self, document: OrderDocument) -> Verdict:
        """Ask: what is this, beside what is known? Changes nothing."""
        if self.first_of(document):
            return Verdict.REPEATED
        number = document.order_version or 0
        match statement_of(document):
            case Statement.CANCEL:
                return self._judge_cancel(self._cancel_version(document.order_version))
            case Statement.CHANGE if self.order_version == 0:
                return Verdict.UNKNOWN
            case Statement.ORDER if self.order_version == 0:
                dead = self.cancelled_version is not None and number <= self.cancelled_version
                return Verdict.DEAD_ON_ARRIVAL if dead else Verdict.NEW
        return self._judge_later(number, statement_of(document))

    def _judge_later(self, number: int, statement: Statement) -> Verdict:
        if number <= self.order_version:
            same = number == self.order_version or any(each.number == number for each in self.versions)
            return Verdict.CONFLICT if same else Verdict.LATE
        if self.cancelled_version is None:
            return Verdict.CHANGED
        if number <= self.cancelled_version:
            return Verdict.LATE
        return Verdict.NEW if statement is Statement.ORDER else Verdict.CHANGED

    def _judge_cancel(self, number: int) -> Verdict:
        if self.order_version == 0:
            return Verdict.KEPT
        return Verdict.CONFLICT if number < self.order_version else Verdict.CANCELLED

    def _cancel_version(self, number: int | None) -> int:
        return number or max(self.order_version, self.cancelled_version or 0, 1)

    def take(
        self,
        document: OrderDocument,
        verdict: Verdict,
        arrival: Arrival,
        profile: Profile,
        known: OrderContent | None = None,
    ) -> None:
        """Do: take over what the document says, and tell it, filled from what is known of the point.

        Verdicts that change nothing are not taken.

        Raises pydantic's ValidationError where a value does not fit the hub, and has changed nothing then.
        """
        match document:
            case WorkOrderCancelled():
                self._cancel(document, verdict, arrival)
            case WorkOrderChanged() if self.content:
                self._change(document.applied_to(self.content), profile, arrival.at, known)
            case WorkOrderRequested() if verdict is Verdict.CHANGED:
                self._change(document, profile, arrival.at, known)
            case WorkOrderRequested():
                self._order(document, verdict, profile, arrival, known)
        number = self.cancelled_version if isinstance(document, WorkOrderCancelled) else document.order_version
        made = OrderVersion(statement_of(document), number or 0, payload_hash(document), arrival.message_id)
        name = (made.statement, made.number)
        self.versions = [*(each for each in self.versions if (each.statement, each.number) != name), made]

    def after(self, document: OrderDocument) -> WorkOrderRequested | None:
        """The order as it would stand; None where a document does not say how."""
        match document:
            case WorkOrderChanged() if self.content:
                return document.applied_to(self.content)
            case WorkOrderRequested():
                return document
        return None

    def _order(
        self,
        order: WorkOrderRequested,
        verdict: Verdict,
        profile: Profile,
        arrival: Arrival,
        known: OrderContent | None,
    ) -> None:
        self.told.append(order_received(order, profile, arrival.at, known))
        self.order_version, self.content, self.answered = order.order_version, order, False
        self.correlation_id, self.message_id = arrival.correlation_id, arrival.message_id
        if verdict is Verdict.DEAD_ON_ARRIVAL:
            self.told.append(self._cancelled_fact(None, arrival.at))
        elif verdict is Verdict.NEW and self.cancelled_version is not None:
            self.cancelled_version = self.cancel_message_id = self.cancel_correlation_id = None

    def _change(self, after: WorkOrderRequested, profile: Profile, at: datetime, known: OrderContent | None) -> None:
        if self.content is None:
            return
        self.told.append(order_amended(self.content, after, profile, at, known))
        self.order_version, self.content = after.order_version, after
        if self.cancelled_version is not None and after.order_version > self.cancelled_version:
            self.cancelled_version = None

    def _cancel(self, document: WorkOrderCancelled, verdict: Verdict, arrival: Arrival) -> None:
        self.cancelled_version = self._cancel_version(document.order_version)
        self.cancel_message_id, self.cancel_correlation_id = arrival.message_id, arrival.correlation_id
        if verdict is Verdict.CANCELLED:
            self.told.append(self._cancelled_fact(document.reason, arrival.at))

    def _cancelled_fact(self, reason: str | None, at: datetime) -> OrderCancelled:
        code = (reason or "").strip().lower().replace(" ", "_")
        fits = code.isascii() and code[:1].isalnum() and all(char.isalnum() or char in "_.:-" for char in code)
        return OrderCancelled(
            order_key=self.order_key,
            partner=self.partner,
            version=self.cancelled_version or self.order_version,
            reason=code if fits and len(code) <= 40 else "other",
            cancelled_by=self.partner,
            received_at=at,
        )
