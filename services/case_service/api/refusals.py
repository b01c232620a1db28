"""What becomes of a request that is refused: nothing changes, but it is counted by its code and audited."""

from collections.abc import Awaitable
from functools import partial
from typing import TypeVar
from uuid import UUID

from contracts.ids import WorkOrderId
from kit.auth import Principal
from kit.errors import HubError
from kit.http import current_request
from kit.store import Store, Unit
from services.case_service import metrics
from services.case_service.domain.case import Case
from services.case_service.errors import GateClosed

T = TypeVar("T")


async def audited(store: Store, actor: Principal, what: str, subject: str, running: Awaitable[T]) -> T:
    """Await a command; if it is refused, somebody may ask later who tried."""
    try:
        return await running
    except HubError as refusal:
        if refusal.status < 500:
            code = refusal.code
            metrics.REFUSALS.labels(code).inc()
            if isinstance(refusal, GateClosed):
                for item in _items_of(refusal):
                    metrics.GATE_REFUSALS.labels(item).inc()
            # not the answer to the request: that is not to be found under its Idempotency-Key
            token = current_request.set(None)
            try:
                id_ = subject.partition("/")[2]
                refused = partial(_note, what=what, subject=subject, code=code)
                await store.run(actor, refused, needs=[(Case, id_)])
            finally:
                current_request.reset(token)
        raise


def _note(unit: Unit, *, what: str, subject: str, code: str) -> None:
    """All about one case stands in one shard: a work order is named by its case and its number there."""
    kind, _, id_ = subject.partition("/")
    case = unit.find(Case, id_)
    if case is not None:
        of_order = kind == "work_order"
        part = f"/{case.order(WorkOrderId(UUID(id_))).sequence}" if of_order else ""
        subject = f"{kind}/{case.case_id}{part}"
    unit.audit(f"refused:{what}", subject, code=code)


def _items_of(refusal: GateClosed) -> set[str]:
    """dod1 to dod5, as far as the refusal names them."""
    found = vars(refusal).get("items", ())
    return {item.partition(":")[0].lower() for item in found if item.startswith("DoD")}
