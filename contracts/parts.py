"""Values that several events share."""

from datetime import UTC, date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from contracts.codes import (
    Answer,
    Comms,
    CommsCause,
    Destination,
    DeviceRole,
    DodItem,
    HubReason,
    ReadingSource,
    Severity,
)
from contracts.event import Part
from contracts.ids import CaseId, Code, DeviceId, EvidenceId, ExceptionId, Ref


class Personal:
    """Marks a field that holds personal data (D2): such fields stand on restricted topics only."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The published schema says so as well."""
        return {**handler(core), "x-personal": True}


Time = Annotated[AwareDatetime, AfterValidator(lambda time: time.astimezone(UTC))]
"""A moment, aware, in UTC; on the wire RFC 3339 with `Z`."""

Dec = Annotated[
    Decimal,
    Field(allow_inf_nan=False),
    PlainSerializer(lambda number: format(number, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}),
]
"""A decimal number; on the wire a string without exponent."""


class Span(Part):
    """From one moment to a later one."""

    from_: Time = Field(alias="from")
    to: Time


class Days(Part):
    """From one day to another, both included; local to the operator."""

    from_: date = Field(alias="from")
    to: date


class Area(Part):
    """Where a metering point lies, as coarse as planning needs it."""

    postcode: Code
    """Without blanks."""
    municipality: Code
    """NO 4 digits, DE 8 digits (AGS)."""
    stage: Code | None = None
    """Stage of the rollout, as the operator names it."""


class PlanItem(Part):
    """Devices of one role that are to be installed."""

    role: DeviceRole
    device_type: Code | None = None
    quantity: int
    alternatives: tuple[Code, ...]
    """Other device types that may be installed instead."""


class PlannedRemoval(Part):
    """A device that is to be removed."""

    role: DeviceRole
    serial: Ref | None = None
    manufacturer: Code | None = None


class DevicePlan(Part):
    """Which devices come and which go."""

    plan: Code
    """Standard plans: MME, IMSYS, IMSYS_CONTROL, IMSYS_MULTI, TRANSFORMER, REMOVAL (D-IMS-1)."""
    install: tuple[PlanItem, ...]
    remove: tuple[PlannedRemoval, ...]


class Link(Part):
    """Another case that this one belongs to."""

    case_id: CaseId
    kind: Code
    """same_house, replaces or belongs_to."""


class Position(Part):
    """Where something is, WGS 84."""

    lat: Dec
    """Degrees north."""
    lon: Dec
    """Degrees east."""


class Address(Part):
    """Where the metering point is, as a letter would name it."""

    street: str
    number: str
    addition: str | None = None
    postcode: Code
    city: str
    country: Code
    """ISO 3166-1 alpha-2."""


class Contact(Part):
    """Whom a partner named for an order."""

    name: str
    phone: str | None = None
    email: str | None = None
    language: Code
    """ISO 639-1."""
    sms_allowed: bool


class OrderedRegister(Part):
    """A register of a device that is to be removed, as the partner knows it."""

    serial: Ref
    obis: Code
    digits: int | None = None
    decimals: int | None = None
    multiplier: Dec | None = None
    last_billed: Dec | None = None
    last_billed_on: date | None = None


class OrderedSite(Part):
    """What the partner knows about consumption and generation."""

    forecast_kwh: Dec | None = None
    """Per year."""
    p_max_kw: Dec | None = None
    generation: bool


class AnswerOwed(Part):
    """The partner expects an answer to its order."""

    answer_by: Time
    proposal: Answer
    """What our rules would answer."""
    code: Code
    """The answer code that goes with the proposal."""
    list: Code | None = None
    """The list that the code belongs to."""
    allowed: tuple[Code, ...]
    """Answer codes that a person may choose."""
    auto: bool
    """The proposal may be answered without a person."""
    window: Days | None = None


class Change(Part):
    """A value that changed; `old` is absent if the sender did not tell it, `new` if there is none any more."""

    old: JsonValue = None
    new: JsonValue = None


class Deviation(Part):
    """Why something else was installed than planned."""

    reason: Code
    text: Annotated[str | None, Personal()] = None


class RegisterReading(Part):
    """One register of a device, read on site."""

    obis: Code
    reading: Dec
    unit: Code
    at: Time
    source: ReadingSource
    digits: int | None = None
    decimals: int | None = None


class RemovedRegisterReading(Part):
    """One register of a device that was taken away, with what is known of its last bill."""

    obis: Code
    reading: Dec
    unit: Code
    at: Time
    source: ReadingSource
    digits: int | None = None
    decimals: int | None = None
    multiplier: Dec | None = None
    last_billed: Dec | None = None
    last_billed_on: date | None = None


class InstalledDevice(Part):
    """A device that was put in."""

    role: DeviceRole
    serial: Ref
    manufacturer: Code | None = None
    device_type: Code | None = None
    at: Time
    gateway_serial: Ref | None = None
    """The gateway through which it communicates."""
    seal_no: Ref | None = None
    comms: Comms
    comms_cause: CommsCause | None = None
    deviation: Deviation | None = None
    registers: Annotated[tuple[RegisterReading, ...], Personal()]


class RemovedDevice(Part):
    """A device that was taken out."""

    role: DeviceRole
    serial: Ref
    manufacturer: Code | None = None
    at: Time
    destination: Destination
    registers: Annotated[tuple[RemovedRegisterReading, ...], Personal()]


class VisitedSite(Part):
    """What is known of the site when the visit is reported."""

    forecast_kwh: Dec | None = None
    """Per year."""
    p_max_kw: Dec | None = None
    generation: bool
    position: Position | None = None
    postcode: Code


class EvidenceRef(Part):
    """A photo, protocol or signature; its bytes lie in qa_service."""

    evidence_id: EvidenceId
    kind: Code
    sha256: Ref
    captured_at: Time | None = None


class FieldClient(Part):
    """With what the technician's client worked while it was offline."""

    downloaded_version: int
    """Version of the work order when the client last saw it; stored, not enforced."""
    clock_offset_s: int
    """The client's clock minus ours, in seconds."""


class MaterialLine(Part):
    """Devices of one role that a work order needs."""

    line: int
    role: DeviceRole
    device_type: Code
    quantity: int
    alternatives: tuple[Code, ...]


class ReservedLine(Part):
    """Devices that are set aside for one line, or that are missing."""

    line: int
    role: DeviceRole
    device_type: Code
    quantity: int
    device_ids: tuple[DeviceId, ...]


class GateEvidence(Part):
    """What proves one item of the definition of done."""

    item: DodItem
    event_ids: tuple[UUID, ...]
    digest: Ref | None = None
    exception_id: ExceptionId | None = None
    """The approved exception that stands in for the item."""


class Condition(Part):
    """One comparison; a list of conditions holds when all of them do."""

    field: Code
    op: Code
    """eq, ne, in, exists, gte or lt."""
    value: bool | int | Code | tuple[Code, ...] | None = None


class PlannedEvidence(Part):
    """Evidence that a form asks for."""

    kind: Code
    min: int
    max: int
    when: tuple[Condition, ...] | None = None
    """Asked for only then; absent: always."""


class ReviewFinding(Part):
    """What a reviewer or a rule found; texts are read through the API of qa_service."""

    rule: Code
    """Q01 to Q18."""
    severity: Severity
    target: Code


class HandoverReason(Part):
    """Why a handover was refused, in our words and in the partner's code."""

    hub_reason: HubReason
    code: Ref | None = None
    list: Ref | None = None
    """The list that the code belongs to."""
