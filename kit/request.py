"""What the transaction of a request must know of it: who asked, with which key, for which route."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """One HTTP request under way. `key` is its Idempotency-Key; without one nothing is stored for replay."""

    request_id: str
    principal_id: str
    route: str
    body_hash: str
    key: str | None = None
    traceparent: str | None = None
    status: int = 200
    """What the route answers when all goes well."""


current_request: ContextVar[RequestInfo | None] = ContextVar("current_request", default=None)
