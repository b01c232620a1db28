"""A row of a handover, as tests of its states and of its recipients need one."""

from typing import Any
from uuid import UUID

from contracts.codes import Fact
from services.mdm_adapter.domain.handover import Row


def a_row(**more: Any) -> Row:
    """A completed exchange that is told to nb-nord for the order of erp-a; `more` says what is different."""
    values: dict[str, Any] = {
        "row_id": UUID(int=1),
        "fact": Fact.EXCHANGE_COMPLETED,
        "attempt": 1,
        "work_order_id": None,
        "order_key": "erp-a:1",
        "recipient": "nb-nord",
        "document": "device_exchange_completed",
    }
    return Row(**values | more)
