"""What a dialect makes of a message: its orders, one by one, or its answer; and what was found on the way."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.mdm_adapter.dialects.edifact_fv.checking import Checked
from services.mdm_adapter.dialects.edifact_fv.market_sending import Asked
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.reply import Reply
from services.mdm_adapter.documents.answer import Answer
from services.mdm_adapter.documents.corrected import Corrected
from services.mdm_adapter.documents.device_announced import DeviceAnnounced
from services.mdm_adapter.documents.work_order_cancelled import WorkOrderCancelled
from services.mdm_adapter.documents.work_order_changed import WorkOrderChanged
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested

OrderDocument = WorkOrderRequested | WorkOrderChanged | WorkOrderCancelled


class Reference(NamedTuple):
    """A number of ours that a message of the market quotes."""

    kind: str
    """TN, ADY, ACW, AGO, ON, ACE."""
    number: str


@dataclass(frozen=True, slots=True)
class Item:
    """One order of a message, or one Vorgang. With findings it is refused, and its document is not looked at."""

    order_no: str
    document: OrderDocument | None
    findings: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    row: int | None = None
    """Data row of a file, from 1."""
    references: tuple[Reference, ...] = ()
    """In EDIFACT: what it quotes of ours, in the order in which it is looked up."""
    answer: Answer | None = None
    """In EDIFACT each Vorgang may be an answer, to something else than the next one."""
    said_at: datetime | None = None
    """When its sender wrote it: of two answers the later one counts, in whatever order they come."""
    corrected: Corrected | None = None
    asked: Asked | None = None
    """In EDIFACT: what an answer of ours to this order quotes."""


class Kind(StrEnum):
    """What a message is, as far as it could be read."""

    ORDERS = "orders"
    ANSWER = "answer"
    CORRECTION = "correction"
    """Accepted, and master data are corrected."""
    FAULT = "fault"
    """A negative answer that names no message: the exchange it came in is all there is to correlate."""
    DEVICES = "devices"
    """Devices are announced."""
    MIXED = "mixed"
    """Several of these: each item says what it is."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A whole message. With findings it is refused as a whole; items carry their own."""

    dialect: str
    kind: Kind
    items: list[Item] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    message_id: str | None = None
    correlation_id: str | None = None
    """What an answer of ours echoes, or which message of ours this one answers."""
    ack_required: bool = False
    verb: str | None = None
    noun: str | None = None
    orders: tuple[str, ...] = ()
    """Numbers of the orders that it names, also where it is refused."""
    reply: Reply | None = None
    """An answer in XML: what it says about an item is known once the item is."""
    answer: Answer | None = None
    """An answer in JSON: it names the one order that it speaks of."""
    corrected: Corrected | None = None
    announced: tuple[DeviceAnnounced, ...] = ()
    """Devices that it announces, in XML."""
    checked: Checked | None = None
    """In EDIFACT: what was found, for the receipts that are owed."""
