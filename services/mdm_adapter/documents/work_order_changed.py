"""A partner changes an order."""

from services.mdm_adapter.documents.order_content import OrderContent, overlaid
from services.mdm_adapter.documents.work_order_requested import WorkOrderRequested


class WorkOrderChanged(OrderContent):
    """Message 2, in. Says only what is to change; what it clears is named."""

    cleared: tuple[str, ...] = ()
    """Fields that are to be empty; `<field>.<member>` for a part of a nested one."""

    def applied_to(self, order: WorkOrderRequested) -> WorkOrderRequested:
        """The order as it is after this change. Kind and point cannot be cleared."""
        content = overlaid(order, self, set(self.cleared) - {"kind", "metering_point"})
        return WorkOrderRequested.model_validate(
            {**content, "order_no": order.order_no, "order_version": self.order_version}
        )
