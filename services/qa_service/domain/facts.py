"""What rules are asked about: a visit with everything known of it, and what a rule may answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from pydantic import JsonValue

from contracts.codes import ReworkReason, Severity
from contracts.ids import Code
from contracts.parts import EvidenceRef
from services.qa_service.domain.forms import Form
from services.qa_service.domain.records import DeviceFact, Evidence, Visit


@dataclass(frozen=True, slots=True)
class Item:
    """Evidence that an event named, and what is stored under its id."""

    ref: EvidenceRef
    stored: Evidence | None = None

    @property
    def fits(self) -> bool:
        """The very bytes and kind that were named lie here."""
        stored = self.stored
        return stored is not None and stored.sha256_received == self.ref.sha256 and stored.kind == self.ref.kind

    @property
    def captured_at(self) -> datetime | None:
        """By the clock of the device that took it."""
        return (self.stored.captured_at if self.stored else None) or self.ref.captured_at


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """A visit as it is known at one moment; a rule reads no clock, the facts carry `now`."""

    now: datetime
    visit: Visit
    form: Form | None
    """The version that the visit names; None: nobody knows it."""
    items: tuple[Item, ...]
    heard: tuple[DeviceFact, ...] = ()
    follow_up: bool = False
    """A work order that completes the communication is open."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A question that is asked at every review."""

    id: Code
    version: int
    reason: ReworkReason
    severity: Severity
    params: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that a rule found; severity and reason are the rule's unless it says otherwise."""

    target: Code
    text_key: str
    params: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}))
    severity: Severity | None = None
    reason: ReworkReason | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule answered."""

    rule: Rule
    hits: tuple[Hit, ...]
    broken: bool = False
