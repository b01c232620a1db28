"""What becomes of a request that is refused: nothing changes, but it is counted by its code and audited."""

from collections.abc import Awaitable
from typing import TypeVar
from uuid import UUID

from contracts.ids import WorkOrderId
from kit.errors import HubError
from kit.store import Unit
from services.case_service import metrics
from services.case_service.domain.case import Case
from services.case_service.errors import GateClosed

T = TypeVar("T")


async def audited(what: str, subject: str, running: Awaitable[T]) -> T:
    """Await a command; if it is refused, the door writes down who tried what, and on what."""
    try:
        return await running
    except HubError as refusal:
        if refusal.status < 500:
            metrics.REFUSALS.labels(refusal.code).inc()
            if isinstance(refusal, GateClosed):
                for item in _items_of(refusal):
                    metrics.GATE_REFUSALS.labels(item).inc()
            refusal.about = what, subject
        raise


def subject_of(unit: Unit, subject: str) -> str:
    """All about one case stands in one shard: a work order is named by its case and its number there."""
    kind, _, id_ = subject.partition("/")
    case = unit.find(Case, id_) if kind in {"case", "work_order"} else None
    if case is None:
        return subject
    if kind == "case":
        return f"case/{case.case_id}"
    return f"work_order/{case.case_id}/{case.order(WorkOrderId(UUID(id_))).sequence}"


def _items_of(refusal: GateClosed) -> set[str]:
    """dod1 to dod5, as far as the refusal names them."""
    found = vars(refusal).get("items", ())
    return {item.partition(":")[0].lower() for item in found if item.startswith("DoD")}
