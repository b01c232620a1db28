"""Values that several documents share; every one can be compared, none knows how it is written."""

from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import DeviceRole, Scheme


class Value(BaseModel):
    """Frozen, closed against misspelt members."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", use_attribute_docstrings=True)


class Document(Value):
    """What all documents say about the order they belong to."""

    order_no: str
    """The partner's own number."""
    order_version: int
    """Counts the partner's states of the order, from 1."""


class MeteringPoint(Value):
    """The point that is worked at, under one of its names."""

    id: str
    scheme: Scheme


class Location(Value):
    """Where the point is, as far as a message says: its address and its area."""

    street: str | None = None
    number: str | None = None
    addition: str | None = None
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    municipality: str | None = None
    stage: str | None = None
    lat: Decimal | None = None
    lon: Decimal | None = None


class Customer(Value):
    """Whom to reach at the point, as far as a message says."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None


class Party(Value):
    """Who holds a role at the point, from a day on."""

    role: str
    """nb, lf, wmsb or msb_old."""
    id: str
    valid_from: date | None = None


class AnswerWanted(Value):
    """The partner expects an answer to its order, in these codes."""

    by: datetime | None = None
    """Without it the agreed time counts from receipt."""
    list: str | None = None
    """The list that the codes belong to."""
    accept: str
    """The code of a yes."""
    also: tuple[str, ...] | None = Field(None, exclude_if=lambda codes: codes is None)
    """Other codes of a yes. Left out where there is none: the hash of an order that was stored before stays."""
    refuse: tuple[str, ...]
    """Codes of a no; the first one says that the day comes too soon."""


class OldDevice(Value):
    """A device that is to be removed."""

    role: DeviceRole = DeviceRole.METER
    serial: str


class Reading(Value):
    """What one register showed; the unit follows from the OBIS code."""

    obis: str
    value: Decimal
    at: datetime


class DeviceFact(Value):
    """What is known of one device beside what documents say about it; only some markets want to know."""

    device_type: str | None = None
    """As reported, else as planned."""
    gateway: str | None = None
    """Serial of the gateway through which it communicates."""
    registers: dict[str, tuple[int, int]] = {}
    """Digits before and behind the point, by OBIS code, as they were reported."""


class ReportedDevice(Value):
    """A device that was put in or taken out, with what its registers showed then."""

    role: DeviceRole = DeviceRole.METER
    serial: str
    readings: tuple[Reading, ...] = ()
