"""A device changed its place in the hub's stores, came back, or was scrapped: what partners with an asset feed hear."""

from datetime import datetime
from typing import Literal

from contracts.codes import DeviceRole
from services.mdm_adapter.documents.device_announced import Lifecycle
from services.mdm_adapter.documents.values import Value


class AssetMoved(Value):
    """Message 9, out."""

    serial: str
    role: DeviceRole = DeviceRole.METER
    movement: Literal["moved", "returned", "scrapped"]
    at: datetime
    from_place: str | None = None
    to_place: str | None = None
    lifecycle: Lifecycle = Lifecycle()
