"""Who gets which document about which fact. For now there is one column: the partner that ordered the work."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from contracts.codes import Fact


class DocumentKind(StrEnum):
    """Documents that leave the house about a case."""

    DEVICE_EXCHANGE_COMPLETED = "device_exchange_completed"
    WORK_NOT_COMPLETED = "work_not_completed"
    CANCELLATION_ANSWER = "cancellation_answer"
    ORDER_ANSWER = "order_answer"


# fmt: off
ORDERING_PARTNER: Mapping[Fact, DocumentKind | None] = MappingProxyType({
    Fact.ROLLOUT_ANNOUNCED:  None,  # the market's business, and that of partners with a status feed
    Fact.EXCHANGE_COMPLETED: DocumentKind.DEVICE_EXCHANGE_COMPLETED,
    Fact.WORK_NOT_COMPLETED: DocumentKind.WORK_NOT_COMPLETED,
    Fact.CANCELLED:          DocumentKind.CANCELLATION_ANSWER,
})
# fmt: on
