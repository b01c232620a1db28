"""The work is done: which devices came and went, and what their registers showed."""

from datetime import datetime

from contracts.codes import DeviceRole, OrderKind
from services.mdm_adapter.documents.values import Document, MeteringPoint, ReportedDevice


class DeviceExchangeCompleted(Document):
    """Message 6, out; with devices on one side only it is an installation or a removal."""

    metering_point: MeteringPoint
    started_at: datetime
    finished_at: datetime
    installed: tuple[ReportedDevice, ...] = ()
    removed: tuple[ReportedDevice, ...] = ()
    withdraws: tuple[str, ...] = ()
    """Our messages whose values no longer hold: the work was undone, and this is the state after it."""

    @property
    def kind(self) -> OrderKind:
        """What was done, seen by the devices."""
        if self.installed and self.removed:
            return OrderKind.EXCHANGE
        return OrderKind.INSTALL if self.installed else OrderKind.REMOVE

    def missing(self) -> tuple[str, ...]:
        """Facts without which this document must not leave: the devices, and a reading of every meter."""
        if not self.installed and not self.removed:
            return ("devices",)
        return tuple(
            f"reading of meter {device.serial}"
            for device in (*self.removed, *self.installed)
            if device.role is DeviceRole.METER and not device.readings
        )
