"""What a message of ours to the market is written from, beside its document: numbers, parties, time, and more facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from kit.errors import Invalid
from services.mdm_adapter.dialects.edifact_fv.device_types import DeviceTypes
from services.mdm_adapter.documents.matrix import Role
from services.mdm_adapter.documents.values import Customer, DeviceFact, Location, MeteringPoint

T = TypeVar("T")


class MissingFact(Invalid):
    """The document must not leave without this fact; `field` is its name for whoever adds it."""

    code = "fact-missing"

    def __init__(self, field: str) -> None:
        super().__init__(f"FACT_MISSING: {field}")
        self.field = field


class CodeRefused(Invalid):
    """The code does not hold on that day, or says the opposite: another one must be chosen."""

    code = "code-refused"

    def __init__(self, code: str, list_: str, on: date) -> None:
        super().__init__(f"{code} of {list_ or 'no list'} cannot be sent on {on}: choose another code")
        self.refused, self.list, self.on = code, list_, on


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers from our ranges; the functions that write make none."""

    interchange: str
    """DE0020."""
    messages: tuple[str, ...] = ("M0001",)
    """DE0062, one per message."""
    documents: tuple[str, ...] = ()
    """DE1004, one per message."""
    transaction: str = ""
    """DE7402 of the one Vorgang of an UTILMD, or the number of a DOC group."""
    configurations: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """RFF+AGK by gateway and OBIS code."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The order of the market that is answered, as far as an answer quotes it."""

    pid: str
    document: str
    """DE1004."""
    purpose: str = ""
    """DE1001: Z12, Z93, Z13."""
    role: str = "nb"
    """Of whoever ordered; the list of the codes depends on it."""
    transaction: str = ""
    """Number of its DOC group."""
    metering_point: MeteringPoint | None = None
    fixed_on: date | None = None
    """The day that was asked for."""


@dataclass(frozen=True, slots=True)
class Substitute:
    """A value that was formed, not read: how, and why (DE9013 of STS+Z32 and STS+Z40)."""

    how: str
    why: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of the case that no document carries. What is None is not known."""

    voltage: str | None = None
    customer_class: str | None = None
    """person or company."""
    customer: Customer | None = None
    location: Location | None = None
    devices: Mapping[str, DeviceFact] = field(default_factory=dict)
    """By serial."""
    device_types: DeviceTypes = field(default_factory=DeviceTypes.seeded)
    substitutes: Mapping[tuple[str, str], Substitute] = field(default_factory=dict)
    """By serial and OBIS code."""
    malo: str | None = None
    price_key: str | None = None
    """RFF+Z17, to a supplier."""
    price_article: str | None = None
    """RFF+Z45, instead of a key."""
    failure_code: str | None = None
    """Chosen by a person instead of the one of the table."""
    failure_text: str | None = None
    withdrawn: tuple[str, ...] = ()
    """Readings that no longer hold: DE1004 of each 13017."""
    contact: Customer | None = None
    """Whom of ours the receiver may ask; the answer to an order names one where there is one."""
    work_ends_at: datetime | None = None
    """Until when a fault will have been mended."""
    return_to: tuple[Customer, Location] | None = None
    """Where old devices are sent (NAD+Z22)."""
    right_partner: str | None = None
    """Who may order instead (NAD+VY)."""
    price_sheet: str | None = None
    """The right one, where one was refused (RFF+ACW)."""


@dataclass(frozen=True, slots=True)
class MarketSending:
    """One interchange that is about to be written."""

    sender: str
    receiver: str
    at: datetime
    numbers: Numbers
    role: Role = Role.NB
    """What the receiver is to the point."""
    ordered: bool = False
    """The work was ordered by a role of the market (17011); else it is a rollout of our own."""
    facts: Facts = field(default_factory=Facts)
    asked: Asked | None = None
    """The order that an answer answers."""


def needed(value: T | None, field: str) -> T:
    """A fact that must be there."""
    if value is None or value == "":
        raise MissingFact(field)
    return value
