"""The messages as they stand on the wire; what is not here is refused. Their JSON Schemas lie in `schemas/`."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, JsonValue, StringConstraints

from contracts.codes import AnnouncedPlan, DeviceRole, LegalBasis, Level, OrderKind, Origin
from services.mdm_adapter.dialects.json_ce.bo4e import Adresse, Geokoordinaten, Lokation, Stammdatum, Text, Wire

Name = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:{}-]{1,64}$")]
Count = Annotated[int, Field(ge=1, lt=10**9)]


class Tage(Wire):
    """Days, both included."""

    from_: date | None = Field(None, alias="from")
    to: date | None = None


class Auftrag(Wire):
    """Which order is meant."""

    order_no: Name
    """The number of whoever ordered."""
    order_version: Count


class Kunde(Wire):
    """Whom to reach at the point."""

    name: Name | None = None
    phone: Name | None = None
    email: Text | None = None


class Gebiet(Wire):
    """The area that the point lies in."""

    municipality: Name | None = None
    stage: Name | None = None


class Rolle(Wire):
    """Who holds a role at the point, from a day on."""

    role: Literal["nb", "lf", "wmsb", "msb_old"]
    id: Name
    valid_from: date | None = None


class Antwortwunsch(Wire):
    """The sender expects an answer, in these codes."""

    by: AwareDatetime | None = None
    list: Name | None = None
    accept: Name
    also: tuple[Name, ...] | None = Field(None, min_length=1, max_length=20)
    """Other codes of a yes."""
    refuse: tuple[Name, ...] = Field(min_length=1, max_length=20)
    """The first one says that the day comes too soon."""


class Inhalt(Auftrag):
    """What an order may say; what it does not say is taken from the partner's defaults."""

    operator: Name | None = None
    plan: Name | None = None
    priority: Annotated[int, Field(ge=1, le=5)] | None = None
    """1 is the highest."""
    origin: Origin | None = None
    legal_basis: LegalBasis | None = None
    language: Name | None = None
    sms_allowed: bool | None = None
    voltage: Name | None = None
    customer_class: Name | None = None
    window: Tage | None = None
    fixed_on: date | None = None
    planned_on: date | None = None
    due_on: date | None = None
    customer: Kunde | None = None
    area: Gebiet | None = None
    adresse: Adresse | None = None
    geoadresse: Geokoordinaten | None = None
    parties: Annotated[tuple[Rolle, ...], Field(min_length=1, max_length=20)] | None = None
    answer: Antwortwunsch | None = None


class Bestellung(Inhalt):
    """A new order."""

    kind: OrderKind


class Aenderung(Inhalt):
    """A newer version: only what changes. `cleared` names what is to be empty: `fixed_on`, `customer.phone`, …"""

    kind: OrderKind | None = None
    cleared: tuple[Name, ...] = ()


class Stornierung(Wire):
    """The order is withdrawn; without a version the newest one."""

    order_no: Name
    order_version: Count | None = None
    reason: Words | None = None


class Bezug(Wire):
    """The order that an answer speaks of."""

    order_no: Name


class BezugMitVersion(Bezug):
    """The same; with a version, the data are a state of the order of their own."""

    order_version: Count | None = None


class Ankuendigung(Wire):
    """The work is announced."""

    status: Literal["announced"]
    plan: AnnouncedPlan | None = None
    statutory: bool
    planned_on: date | None = None
    window: Tage | None = None


class Ablesung(Wire):
    """What one register showed; the unit follows from the OBIS code."""

    obis: Name
    value: Decimal
    at: AwareDatetime


class GemeldetesGeraet(Wire):
    """A device that came or went."""

    role: DeviceRole
    serial: Name
    readings: tuple[Ablesung, ...] = ()


class Vollzug(Wire):
    """The work is done. `withdraws` names earlier messages of ours that no longer hold."""

    started_at: AwareDatetime
    finished_at: AwareDatetime
    installed: tuple[GemeldetesGeraet, ...] = ()
    removed: tuple[GemeldetesGeraet, ...] = ()
    withdraws: tuple[Id, ...] = ()


class Nichtvollzug(Wire):
    """The work is not done; `final`: nobody tries again."""

    at: AwareDatetime
    outcome: Name
    reason: Name
    sub_reason: Name | None = None
    attempts: Annotated[int, Field(ge=0)]
    final: bool
    text: Words | None = None


class Grund(Wire):
    """Why, in the code of whoever says it; a code means something only with its list."""

    code: Name
    list: Name | None = None
    text: Words | None = None
    field: Text | None = None


class Empfang(Wire):
    """It has arrived; nobody has looked into it."""

    level: Literal[Level.TRANSPORT] = Level.TRANSPORT


class Zustimmung(Wire):
    """It can be processed (level processability), or its content is accepted (level business)."""

    level: Literal[Level.PROCESSABILITY, Level.BUSINESS]
    reasons: tuple[Grund, ...] = Field((), max_length=20)
    fixed_on: date | None = None
    window: Tage | None = None


class Ablehnung(Wire):
    """It cannot be read or processed, or its content is refused; `window`: another time that would do."""

    level: Literal[Level.SYNTAX, Level.PROCESSABILITY, Level.BUSINESS]
    reasons: tuple[Grund, ...] = Field(min_length=1, max_length=20)
    fixed_on: date | None = None
    window: Tage | None = None


class Feld(Wire):
    """One value that is different."""

    field: Name
    old: JsonValue = None
    new: JsonValue = None


class Korrektur(Wire):
    """What was told is accepted, and these data are corrected."""

    changes: tuple[Feld, ...] = Field(min_length=1, max_length=100)


class Bestellt(Wire):
    """Data of message 1. `stammdaten`: the point, and the devices that are to be removed."""

    auftrag: Bestellung
    stammdaten: tuple[Stammdatum, ...] = Field(min_length=1, max_length=50)


class Geaendert(Wire):
    """Data of message 2."""

    auftrag: Aenderung
    stammdaten: tuple[Stammdatum, ...] = Field((), max_length=50)


class Storniert(Wire):
    """Data of message 3."""

    auftrag: Stornierung


class Angekuendigt(Wire):
    """Data of message 5."""

    auftrag: Auftrag
    rueckmeldung: Ankuendigung
    stammdaten: tuple[Lokation]


class Vollzogen(Wire):
    """Data of message 6."""

    auftrag: Auftrag
    rueckmeldung: Vollzug
    stammdaten: tuple[Lokation]


class NichtVollzogen(Wire):
    """Data of message 8."""

    auftrag: Auftrag
    rueckmeldung: Nichtvollzug
    stammdaten: tuple[Lokation]


class Erhalten(Wire):
    """Data of message 10."""

    auftrag: Bezug
    rueckmeldung: Empfang


class Angenommen(Wire):
    """Data of message 11."""

    auftrag: Bezug
    rueckmeldung: Zustimmung


class Abgelehnt(Wire):
    """Data of message 12; without an order where none could be read."""

    auftrag: Bezug | None = None
    rueckmeldung: Ablehnung


class Korrigiert(Wire):
    """Data of message 14."""

    auftrag: BezugMitVersion
    rueckmeldung: Korrektur


class CloudEvent(Wire):
    """The envelope: CloudEvents 1.0, structured mode."""

    specversion: Literal["1.0"] = "1.0"
    id: Id
    """Unique per sender, for ever."""
    source: Name
    """The name under which the sender speaks."""
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    subject: Name | None = None
    """The number of the order; for people and routers."""
    correlationid: Id | None = None
    """What it answers: the id of that message. Of an order: what its answer shall quote instead of the id."""


class WorkOrderRequested(CloudEvent):
    """Message 1, in."""

    type: Literal["rollout.document.work_order_requested.v1"]
    data: Bestellt


class WorkOrderChanged(CloudEvent):
    """Message 2, in."""

    type: Literal["rollout.document.work_order_changed.v1"]
    data: Geaendert


class WorkOrderCancelled(CloudEvent):
    """Message 3, in."""

    type: Literal["rollout.document.work_order_cancelled.v1"]
    data: Storniert


class WorkStatus(CloudEvent):
    """Message 5, out."""

    type: Literal["rollout.document.work_status.v1"]
    data: Angekuendigt


class DeviceExchangeCompleted(CloudEvent):
    """Message 6, out."""

    type: Literal["rollout.document.device_exchange_completed.v1"]
    data: Vollzogen


class WorkNotCompleted(CloudEvent):
    """Message 8, out."""

    type: Literal["rollout.document.work_not_completed.v1"]
    data: NichtVollzogen


class Received(CloudEvent):
    """Message 10, both ways."""

    type: Literal["rollout.document.received.v1"]
    data: Erhalten


class Accepted(CloudEvent):
    """Message 11, both ways."""

    type: Literal["rollout.document.accepted.v1"]
    data: Angenommen


class Rejected(CloudEvent):
    """Message 12, both ways."""

    type: Literal["rollout.document.rejected.v1"]
    data: Abgelehnt


class Corrected(CloudEvent):
    """Message 14, in."""

    type: Literal["rollout.document.corrected.v1"]
    data: Korrigiert


MESSAGES: tuple[type[CloudEvent], ...] = (
    WorkOrderRequested,
    WorkOrderChanged,
    WorkOrderCancelled,
    WorkStatus,
    DeviceExchangeCompleted,
    WorkNotCompleted,
    Received,
    Accepted,
    Rejected,
    Corrected,
)


def type_of(message: type[CloudEvent]) -> str:
    """The CloudEvents type of a message."""
    name: str = message.model_fields["type"].annotation.__args__[0]  # type: ignore[union-attr]
    return name


BY_TYPE = {type_of(message): message for message in MESSAGES}
