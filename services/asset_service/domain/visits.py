"""What a visit left behind: its findings, the readings at exchange, and its page of the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from contracts.codes import DeviceRole, ReadingSource, Severity
from contracts.ids import CaseId, DeviceId, FindingId, VisitId, WorkOrderId
from kit.store import Aggregate
from services.asset_service.domain.ledger import Movement
from services.asset_service.domain.states import MovementKind


class FindingState(StrEnum):
    """Whether somebody still has to look at a finding."""

    OPEN = "OPEN"
    FIXED = "FIXED"
    """A corrected report does not show it any more."""


class ReadingKind(StrEnum):
    """Which end of a meter's time a reading is of."""

    FINAL = "final"
    INITIAL = "initial"


@dataclass(kw_only=True)
class Finding:
    """A report that contradicts plan or ledger (M1 to M11), or a reading that is not plausible (R1 to R9)."""

    finding_id: FindingId
    rule: str
    severity: Severity
    role: DeviceRole
    device_id: DeviceId
    register: str | None = None
    """OBIS, reduced; only with R rules."""
    visit_version: int
    state: FindingState = FindingState.OPEN
    detail: dict[str, str] = field(default_factory=dict)
    """Restricted: with R rules it holds values."""

    @property
    def subject(self) -> tuple[str, DeviceId, DeviceRole, str | None]:
        """What makes it the same finding in a corrected report."""
        return self.rule, self.device_id, self.role, self.register


@dataclass(kw_only=True)
class ExchangeReading:
    """One register, read when its meter went or came. Restricted; never told."""

    visit_version: int
    device_id: DeviceId
    obis: str
    kind: ReadingKind
    source: ReadingSource
    value: Decimal
    at: datetime


@dataclass(kw_only=True, eq=False)
class Visit(Aggregate):
    """One visit, as far as it was booked; the newest version of its report counts."""

    visit_id: VisitId
    case_id: CaseId
    work_order_id: WorkOrderId
    visit_version: int = 0
    ignored: int = 0
    """Reports that came after a newer one."""
    movements: list[Movement] = field(default_factory=list)
    readings: list[ExchangeReading] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def key(self) -> str:
        return str(self.visit_id)

    @property
    def standing(self) -> list[Movement]:
        """Its movements that were not reversed."""
        reversed_ = {each.reverses for each in self.movements}
        return [
            each
            for each in self.movements
            if each.kind is not MovementKind.REVERSE and each.movement_id not in reversed_
        ]

    def finals_of(self, device_id: DeviceId) -> Mapping[str, Decimal]:
        """What the registers of a device showed when this visit removed it."""
        return {
            each.obis: each.value
            for each in self.readings
            if each.device_id == device_id
            and each.kind is ReadingKind.FINAL
            and each.visit_version == self.visit_version
        }

    def forget_readings(self) -> None:
        """Delete what is personal: readings and the values in findings. Ledger and serials stay."""
        self.readings = []
        for finding in self.findings:
            if finding.register is not None:
                finding.detail = {}
