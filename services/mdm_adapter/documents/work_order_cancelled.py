"""A partner withdraws an order."""

from services.mdm_adapter.documents.values import MeteringPoint, Value


class WorkOrderCancelled(Value):
    """Message 3, in. Without a version it means the newest one."""

    order_no: str
    order_version: int | None = None
    reason: str | None = None
    metering_point: MeteringPoint | None = None
    """Where a message names the point and no order."""
