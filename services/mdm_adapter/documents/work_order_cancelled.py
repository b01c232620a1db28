"""A partner withdraws an order."""

from services.mdm_adapter.documents.values import Value


class WorkOrderCancelled(Value):
    """Message 3, in. Without a version it means the newest one."""

    order_no: str
    order_version: int | None = None
    reason: str | None = None
