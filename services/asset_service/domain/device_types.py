"""Device types: what a code stands for, as far as stock and readings need it."""

from dataclasses import dataclass

from contracts.codes import DeviceRole
from kit.store import Aggregate


@dataclass(kw_only=True, eq=False)
class DeviceType(Aggregate):
    """A kind of device that can be ordered, reserved and installed; seeded from the contracts' table."""

    code: str
    role: DeviceRole
    phases: int | None = None
    connection: str | None = None
    """`direct`, or `ct`: measured behind current transformers."""
    serialised: bool = True
    calibration_class: str | None = None
    digits: int | None = None
    """Of the display, before the point."""
    decimals: int | None = None

    def key(self) -> str:
        return self.code

    @property
    def is_ct(self) -> bool:
        return self.connection == "ct"
