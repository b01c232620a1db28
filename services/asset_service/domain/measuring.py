"""The readings of a visit: kept per device and register, and asked whether they are plausible."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from contracts.codes import DeviceRole
from contracts.ids import VisitId
from contracts.parts import InstalledDevice, RemovedDevice
from contracts.visits import VisitReported
from services.asset_service.domain.device_types import DeviceType
from services.asset_service.domain.devices import Device
from services.asset_service.domain.findings import Findings
from services.asset_service.domain.readings import Exchange, Meter, check, registers_of
from services.asset_service.domain.visits import ExchangeReading, ReadingKind, Visit

Came = tuple[InstalledDevice, Device]
Went = tuple[RemovedDevice, Device]


class Measuring:
    """One version of a report, and the devices that it speaks of."""

    def __init__(
        self,
        report: VisitReported,
        visit: Visit,
        findings: Findings,
        type_of: Callable[[str], DeviceType | None],
        visit_of: Callable[[VisitId], Visit | None],
    ) -> None:
        self.report, self.visit, self.findings = report, visit, findings
        self.type_of, self.visit_of = type_of, visit_of

    def measure(self, came: Sequence[Came], went: Sequence[Went]) -> None:
        """Keep every reading, and check old against new meter, in the order in which they were reported."""
        for installed, device in came:
            self._keep(ReadingKind.INITIAL, installed, device)
        for removed, device in went:
            self._keep(ReadingKind.FINAL, removed, device)
        new = [each for each in came if each[0].role is DeviceRole.METER]
        old = [each for each in went if each[0].role is DeviceRole.METER]
        for at in range(max(len(new), len(old))):
            self._check(old[at] if at < len(old) else None, new[at] if at < len(new) else None)

    def _keep(self, kind: ReadingKind, item: InstalledDevice | RemovedDevice, device: Device) -> None:
        first = {(each.obis, each.source): each for each in reversed(registers_of(item.registers))}
        self.visit.readings += [
            ExchangeReading(
                visit_version=self.report.visit_version,
                device_id=device.device_id,
                obis=register.obis,
                kind=kind,
                source=register.source,
                value=register.reading,
                at=register.at,
            )
            for register in first.values()
        ]

    def _check(self, old: Went | None, new: Came | None) -> None:
        site = self.report.site
        exchange = Exchange(
            self._meter(*old) if old else None,
            self._meter(*new, self._history(new[1])) if new else None,
            site.forecast_kwh,
            site.p_max_kw,
            site.generation,
        )
        for found in check(exchange):
            about = (old if found.of_old else new) or old or new
            if about is not None:
                self.findings.anomaly(found, about[1], about[0].role)

    def _history(self, device: Device) -> Mapping[str, Decimal]:
        last = device.last_removal
        visit = self.visit_of(last.removed_visit) if last and last.removed_visit else None
        return visit.finals_of(device.device_id) if visit else {}

    def _meter(
        self, item: InstalledDevice | RemovedDevice, device: Device, history: Mapping[str, Decimal] | None = None
    ) -> Meter:
        kind = self.type_of(device.device_type)
        registers = registers_of(item.registers)
        if kind is None:
            return Meter(item.at, registers, history=history or {})
        return Meter(item.at, registers, kind.is_ct, kind.digits, kind.decimals, history or {})
