"""What becomes of a request that is refused: nothing changes, but it is counted by its code and audited."""

from collections.abc import Awaitable
from typing import TypeVar

from kit.auth import Principal
from kit.errors import HubError
from kit.http import current_request
from kit.store import Store
from services.case_service import metrics
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
                await store.run(actor, lambda unit: unit.audit(f"refused:{what}", subject, code=code))
            finally:
                current_request.reset(token)
        raise


def _items_of(refusal: GateClosed) -> set[str]:
    """dod1 to dod5, as far as the refusal names them."""
    found = vars(refusal).get("items", ())
    return {item.partition(":")[0].lower() for item in found if item.startswith("DoD")}
