"""A partner orders work at a metering point."""

from contracts.codes import OrderKind
from services.mdm_adapter.documents.order_content import OrderContent
from services.mdm_adapter.documents.values import MeteringPoint


class WorkOrderRequested(OrderContent):
    """Message 1, in. Kind and point must be said; everything else may come from the partner's defaults."""

    kind: OrderKind
    metering_point: MeteringPoint
