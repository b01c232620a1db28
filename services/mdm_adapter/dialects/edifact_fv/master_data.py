"""UTILMD of ours: the state of a point after its devices were changed (55643, 55653, 55663)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from contracts.codes import DeviceRole
from services.mdm_adapter.dialects.edifact_fv import places
from services.mdm_adapter.dialects.edifact_fv.composing import begin, day, interchange, parties, rff, seg, version_of
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET
from services.mdm_adapter.dialects.edifact_fv.market_sending import MarketSending, MissingFact, needed
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.tables import rows, tree
from services.mdm_adapter.documents.device_exchange_completed import DeviceExchangeCompleted
from services.mdm_adapter.documents.matrix import Role
from services.mdm_adapter.documents.values import DeviceFact, ReportedDevice

PIDS = {Role.NB: "55643", Role.LF: "55653"}
OTHER_PID = "55663"
PERIOD = "1"
_TARIFF = re.compile(r"\d+-\d+:\d+\.\d+\.([1-9]|[1-5]\d|6[0-2])(?:\*\d+)?")


def changed_devices(document: DeviceExchangeCompleted, sending: MarketSending) -> bytes:
    """One Vorgang with one period, from the day of the change on. A fact that is missing is named, never guessed."""
    pid = PIDS.get(sending.role, OTHER_PID)
    blocks = _Blocks(document, sending, frozenset(tree("master_data.yaml")[pid]))
    body = [*begin(sending, "E03"), *parties(sending)]
    body += [seg("IDE", "24", needed(sending.numbers.transaction, "number.transaction")), seg("STS", "7", "", "ZX7")]
    body += [seg("LOC", "Z17", document.metering_point.id), rff("Z13", pid), seg("RFF", ("Z49", "", PERIOD))]
    body += [day("Z25", document.finished_at.astimezone(MARKET).date()), *blocks.all()]
    return interchange(sending, "UTILMD", [body])


@dataclass(frozen=True, slots=True)
class _Blocks:
    """The groups of one document, in their order."""

    document: DeviceExchangeCompleted
    sending: MarketSending
    without: frozenset[str]

    def all(self) -> Iterator[Segment]:
        meters = self._of(DeviceRole.METER)
        if not meters:
            raise MissingFact("installed.meter")
        voltage = needed(self.sending.facts.voltage, "master_data.voltage")
        yield from (self._seq("Z18"), _cci("E04"), _cav(voltage))
        yield from self._metering(meters)
        yield from self._communicating(meters)
        yield from self._parties()

    def _metering(self, meters: tuple[ReportedDevice, ...]) -> Iterator[Segment]:
        for meter in meters:
            yield from self._meter(meter)
        for meter in meters:
            yield from self._registers(meter)
        for transformer in self._of(DeviceRole.CURRENT_TRANSFORMER):
            yield from self._transformer(transformer, meters[0])

    def _communicating(self, meters: tuple[ReportedDevice, ...]) -> Iterator[Segment]:
        if "SEQ+Z05" not in self.without:
            for gateway in self._of(DeviceRole.SMGW):
                yield from self._communication(gateway, meters)
        if "SEQ+Z06" not in self.without:
            for box in self._of(DeviceRole.CONTROL_BOX):
                yield from (self._seq("Z06"), _cci("Z27"), _cav(self._typed(box, "control")))
        for gateway in self._of(DeviceRole.SMGW):
            yield from (self._seq("Z13"), _cci("Z75"), _number(gateway.serial))
        if "SEQ+Z14" not in self.without:
            for box in self._of(DeviceRole.CONTROL_BOX):
                yield from (self._seq("Z14"), rff("Z14", needed(self._gateway(box), f"gateway of {box.serial}")))
                yield from (_cci("Z76"), _number(box.serial))

    def _of(self, role: DeviceRole) -> tuple[ReportedDevice, ...]:
        return tuple(device for device in self.document.installed if device.role is role)

    def _seq(self, block: str) -> Segment:
        return seg("SEQ", block, PERIOD)

    def _fact(self, device: ReportedDevice) -> DeviceFact:
        return self.sending.facts.devices.get(device.serial) or DeviceFact()

    def _on(self) -> date:
        return self.document.finished_at.astimezone(MARKET).date()

    def _typed(self, device: ReportedDevice, column: str) -> str:
        """A characteristic of the device's type."""
        code = needed(self._fact(device).device_type, f"device_type of {device.serial}")
        value = self.sending.facts.device_types.value(code, column, self._on())
        return needed(value, f"device_types.{code}.{column}")

    def _gateway(self, device: ReportedDevice) -> str | None:
        """The gateway of a device: as reported, else the only one that was installed."""
        if named := self._fact(device).gateway:
            return named
        gateways = self._of(DeviceRole.SMGW)
        if len(gateways) > 1:
            raise MissingFact(f"gateway of {device.serial}")
        return gateways[0].serial if gateways else None

    def _meter(self, meter: ReportedDevice) -> Iterator[Segment]:
        gateway = self._gateway(meter)
        yield self._seq("Z03")
        if gateway:
            yield rff("Z14", gateway)
        yield from (_cci("E13"), _cav(*self._typed(meter, "meter_type").split(":")), _number(meter.serial))
        yield from (_cav(self._typed(meter, "tariffs")), _cav(self._typed(meter, "direction")))
        if "CAV+Z58" not in self.without:
            yield _cav("Z58", "", "", self._typed(meter, "remote_switch"))
        if "CCI+Z28" not in self.without:
            yield from (_cci("Z28"), _cav(self._typed(meter, "mounting")))
        if gateway is None and "CCI+E12" not in self.without:
            yield from (_cci("E12"), _cav(self._typed(meter, "readout")))

    def _registers(self, meter: ReportedDevice) -> Iterator[Segment]:
        gateway, fact = self._gateway(meter), self._fact(meter)
        codes = list(dict.fromkeys([*(reading.obis for reading in meter.readings), *fact.registers]))
        if not codes:
            raise MissingFact(f"registers of {meter.serial}")
        for obis in codes:
            yield self._seq("Z20")
            if gateway:
                number = self.sending.numbers.configurations.get((gateway, obis))
                yield from (rff("Z14", gateway), rff("AGK", needed(number, "number.configuration")))
            else:
                yield rff("MG", meter.serial)
            yield from (seg("PIA", "5", (obis, "SRW")), _cci("ZE4"), _cav(self._typed(meter, "granularity")))
            yield from self._register_class()
            if _TARIFF.fullmatch(obis):
                yield from (seg("CCI", "Z39"), seg("CCI", "Z38"))
            yield from (seg("CCI", "11", "", "Z33"), _cav("", "", "", *self._digits(meter, obis)))

    def _register_class(self) -> Iterator[Segment]:
        """Versions that want it get it with every register."""
        version = version_of("UTILMD", self.sending)
        yield from (
            seg("CCI", "Z10", "", row["code"]) for row in rows("register_classes.csv") if row["version"] == version
        )

    def _digits(self, meter: ReportedDevice, obis: str) -> tuple[str, str]:
        if found := self._fact(meter).registers.get(obis):
            return str(found[0]), str(found[1])
        return self._typed(meter, "digits"), self._typed(meter, "decimals")

    def _transformer(self, device: ReportedDevice, meter: ReportedDevice) -> Iterator[Segment]:
        yield from (self._seq("Z04"), rff("MG", meter.serial), _cci("Z25"), _number(device.serial))
        yield _cav(self._typed(device, "transformer"), "", "", self._typed(device, "factor"))

    def _communication(self, gateway: ReportedDevice, meters: tuple[ReportedDevice, ...]) -> Iterator[Segment]:
        """Exactly one per gateway: what carries its data, else the gateway itself."""
        behind = next((each for each in meters if self._gateway(each) == gateway.serial), meters[0])
        roles = (DeviceRole.LAN, DeviceRole.ANTENNA)
        carriers = [each for role in roles for each in self._of(role) if self._gateway(each) == gateway.serial]
        carrier = carriers[0] if carriers else gateway
        known = carrier if self._bearer(carrier) else gateway
        yield from (self._seq("Z05"), rff("MG", behind.serial), _cci("Z26"), _number(carrier.serial))
        yield _cav(self._typed(known, "bearer"))

    def _bearer(self, device: ReportedDevice) -> str | None:
        code = self._fact(device).device_type
        return self.sending.facts.device_types.value(code, "bearer", self._on()) if code else None

    def _parties(self) -> Iterator[Segment]:
        facts = self.sending.facts
        called, place = places.name(facts.customer, facts.customer_class), places.address(facts.location)
        written = {
            "Z07": places.nad("Z07", called),
            "Z08": places.nad("Z08", called, place),
            "Z03": places.nad("Z03", at=place),
            "Z05": places.nad("Z05", called, place),
        }
        for role, segment in written.items():
            if f"NAD+{role}" not in self.without:
                yield from (segment, rff("Z46", PERIOD))


def _cci(characteristic: str) -> Segment:
    return seg("CCI", "", "", characteristic)


def _cav(*parts: str) -> Segment:
    return seg("CAV", parts)


def _number(serial: str) -> Segment:
    return _cav("Z30", "", "", serial)
