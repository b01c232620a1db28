"""What a visit report is found to contradict: noted beside the visit, told without values."""

from collections.abc import Callable
from uuid import UUID

from contracts.assets import DeviceMismatch, ReadingAnomalyFound
from contracts.codes import DeviceRole, Severity
from contracts.event import Event
from contracts.ids import FindingId
from contracts.visits import VisitReported
from services.asset_service.domain.devices import Device
from services.asset_service.domain.readings import Implausible
from services.asset_service.domain.reality import SEVERITIES
from services.asset_service.domain.visits import Finding, FindingState, Visit


class Findings:
    """The findings of one version of a report. What an older version showed too keeps its id and is told again."""

    def __init__(self, report: VisitReported, visit: Visit, told: list[Event], new_id: Callable[[], UUID]) -> None:
        self.report, self.visit, self.told, self.new_id = report, visit, told, new_id
        self.known = {finding.subject: finding for finding in visit.findings}
        self.work = {"case_id": report.case_id, "work_order_id": report.work_order_id, "sequence": report.sequence}

    def mismatch(
        self,
        rule: str,
        device: Device,
        role: DeviceRole,
        *,
        expected_type: str | None = None,
        expected_serial: str | None = None,
    ) -> None:
        """The report contradicts plan or ledger (M1 to M11)."""
        expected = {"expected_type": expected_type, "expected_serial": expected_serial}
        detail = {name: value for name, value in expected.items() if value}
        if finding := self._note(rule, SEVERITIES[rule], device, role, None, detail):
            self.told.append(
                DeviceMismatch(
                    **self.work,
                    **device.named,
                    finding_id=finding.finding_id,
                    rule=rule,
                    severity=finding.severity,
                    role=role,
                    expected_type=expected_type,
                    expected_serial=expected_serial,
                    found_type=device.device_type,
                    found_serial=device.printed,
                    visit_version=self.report.visit_version,
                )
            )

    def anomaly(self, found: Implausible, device: Device, role: DeviceRole) -> None:
        """A reading is not plausible (R1 to R9); its values stay here."""
        if finding := self._note(found.rule, found.severity, device, role, found.obis, dict(found.detail)):
            self.told.append(
                ReadingAnomalyFound(
                    **self.work,
                    **device.named,
                    finding_id=finding.finding_id,
                    rule=found.rule,
                    severity=found.severity,
                    register_=found.obis,
                    visit_version=self.report.visit_version,
                )
            )

    def close_older(self) -> None:
        """What this version does not show any more is fixed."""
        for finding in self.visit.findings:
            if finding.visit_version < self.report.visit_version:
                finding.state = FindingState.FIXED

    def _note(
        self,
        rule: str,
        severity: Severity,
        device: Device,
        role: DeviceRole,
        register: str | None,
        detail: dict[str, str],
    ) -> Finding | None:
        """The finding to tell; None if this version has it already."""
        finding = self.known.get((rule, device.device_id, role, register))
        if finding is None:
            finding = Finding(
                finding_id=FindingId(self.new_id()),
                rule=rule,
                severity=severity,
                role=role,
                device_id=device.device_id,
                register=register,
                visit_version=0,
            )
            self.visit.findings.append(finding)
            self.known[finding.subject] = finding
        if finding.visit_version == self.report.visit_version:
            return None
        finding.visit_version, finding.state = self.report.visit_version, FindingState.OPEN
        finding.severity, finding.detail = severity, detail
        return finding
