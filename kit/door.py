"""How one route is entered: who asks, may they, is the body sound, was the same asked before; then the endpoint."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
import structlog
from fastapi import Request, Response, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.types import Message, Receive

from kit import faults, jsons, metrics, rows
from kit.auth import InvalidToken, Needs, Open, Principal, RoleMissing
from kit.edge import WRITES
from kit.errors import Conflict, Forbidden, HubError, Invalid, NotFound, Refused, Unavailable
from kit.failures import is_unique_violation
from kit.jsons import Finding
from kit.problems import BadRequest, IdempotencyConflict, InProgress, TooSlow, Unsupported
from kit.request import RequestInfo, current_request
from kit.store import Ref, Store, Unit
from kit.tables import idempotency

log = structlog.get_logger(__name__)

BODY_SECONDS = 30.0
"""A body that has not arrived by then is not waited for."""
LONGEST_KEY = 200
REFUSED = (Forbidden, NotFound, Refused, Conflict, Invalid)
"""Families of errors that answer somebody who tried something."""
KEPT_HEADERS = ("location", "etag")
ANSWERED = rows.raw(idempotency, ("request_hash", "status", "headers", "body")).where(
    idempotency.c.principal == sa.bindparam("principal"), idempotency.c.request_key == sa.bindparam("key")
)
JSON_TYPE = "application/json"
Handle = Callable[[Request], Coroutine[Any, Any, Response]]


class Door(APIRoute):
    """A route with exactly one gate: `needs(action)` or `open_route(reason)`. Without one there is no route.

    `waits`: nobody is let in before the service has started; without its seed it would answer what is not true.
    """

    def __init__(
        self, path: str, endpoint: Callable[..., Any], *, limit: int | None = None, waits: bool = True, **rest: Any
    ) -> None:
        self.limit, self.waits = limit or jsons.LIMITS.size, waits
        super().__init__(path, endpoint, **rest)

    @property
    def gate(self) -> Needs | Open:
        return _gate(self.dependant, self.path)

    def get_route_handler(self) -> Handle:
        """What FastAPI calls: everything before the endpoint, the endpoint, everything after it."""
        gate, inner, kind = self.gate, super().get_route_handler(), self._takes()

        async def handle(request: Request) -> Response:
            if self.waits and request.app.state.health.starting:
                raise Unavailable("the service is being started")
            if isinstance(gate, Open):
                return await enter(request)
            try:
                await admitted(request, gate)
                return await enter(request)
            except HubError as refusal:
                await noted(request, gate, self.path_format, refusal)
                raise

        async def enter(request: Request) -> Response:
            received = Received(request, self.limit)
            if kind is not None:
                await received.read(kind)
            if request.method not in WRITES:
                return await inner(received)
            faults.point("http.begun")
            return await self._once(received, inner)

        return handle

    def encode(self, answer: Any) -> bytes:
        """An answer as the route sends it."""
        kind = self.response_model
        if kind is not None:
            try:
                fitted = jsons.adapter(kind).validate_python(answer, from_attributes=True)
            except ValidationError:
                kind = None  # the endpoint makes something else of it
            else:
                return jsons.adapter(kind).dump_json(
                    fitted, by_alias=self.response_model_by_alias, exclude_none=self.response_model_exclude_none
                )
        return jsons.write(answer)

    def _takes(self) -> "Body | None":
        bodies = self.dependant.body_params
        if not bodies or isinstance(bodies[0].field_info, params.Form):
            return None
        if len(bodies) > 1:
            raise TypeError(f"{self.path}: a route takes one body")
        return Body(bodies[0].field_info.annotation, bool(bodies[0].field_info.is_required()))

    async def _once(self, request: "Received", inner: Handle) -> Response:
        """Do what is asked; with an Idempotency-Key once, however often it is asked (messaging page, section 9)."""
        principal: Principal | None = getattr(request.state, "principal", None)
        key = idempotency_key(request) if request.method == "POST" and principal is not None else None
        digest = await request.digest() if key is not None else ""
        info = RequestInfo(
            request_id=request.scope["hub.request_id"],
            principal_id=principal.id if principal else "",
            route=f"{request.method} {self.path_format}",
            body_hash=digest,
            key=key,
            traceparent=request.scope["hub.traceparent"],
            status=self.status_code or 200,
        )
        token = current_request.set(info)
        try:
            return await inner(request) if key is None else await self._replayable(request, inner, info)
        finally:
            current_request.reset(token)

    async def _replayable(self, request: "Received", inner: Handle, info: RequestInfo) -> Response:
        store: Store = request.app.state.store
        running: set[tuple[str, str | None]] = request.app.state.running
        if (info.principal_id, info.key) in running:
            raise InProgress("the first request with this Idempotency-Key is still running")
        running.add((info.principal_id, info.key))
        said = Said(self)
        token = _saying.set(said)
        try:
            return await repeated(store, info) or await _said(await inner(request), store, info, said)
        except Exception as error:
            second = isinstance(error, HubError) or is_unique_violation(error)
            if second and (answer := await repeated(store, info)) is not None:
                return answer  # another process was first with the same request
            raise
        finally:
            _saying.reset(token)
            running.discard((info.principal_id, info.key))


@dataclass(frozen=True, slots=True)
class Body:
    """What a route takes."""

    kind: Any
    required: bool


class Received(Request):
    """A request whose body is bounded in size and time, and read strictly before the endpoint sees it."""

    def __init__(self, request: Request, limit: int) -> None:
        self._limit = limit
        self._value: Any = None
        super().__init__(request.scope, _bounded(request.receive, limit))

    async def json(self) -> Any:
        """What `read` made of the body: an object of the type that the endpoint takes."""
        return self._value

    async def read(self, body: Body) -> None:
        """Read the body as JSON of this type; raises `Unreadable`."""
        self._refuse_declared()
        content = await self.body()
        if not content and not body.required:
            return
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise Unsupported("this door takes application/json")
        self._value = jsons.read_as(content, body.kind, jsons.Limits(size=self._limit))

    async def digest(self) -> str:
        """What makes this request the same as another one: method, address and bytes."""
        self._refuse_declared()
        head = f"{self.method} {self.url.path}?{self.url.query}\n".encode()
        return sha256(head + await self.body()).hexdigest()

    def _refuse_declared(self) -> None:
        declared = self.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared[:19]) > self._limit:
            raise _oversize(self._limit)


def as_body(answer: Any) -> bytes:
    """A command's answer as its route sends it: what the store keeps for the next request with the same key."""
    said = _saying.get()
    if said is None:
        return jsons.write(answer)
    said.body = said.door.encode(answer)
    return said.body


async def admitted(request: Request, gate: Needs) -> None:
    """Who asks, if the gate lets them in; refusals are counted with their cause, which the caller never learns."""
    try:
        request.state.principal = await request.app.state.authenticate(request)
        gate.admit(request.state.principal)
    except (InvalidToken, RoleMissing) as refusal:
        reason = refusal.reason if isinstance(refusal, InvalidToken) else "role"
        metrics.AUTH_REFUSALS.labels(request.app.state.service, reason).inc()
        log.info("access refused", error_code=reason, route=f"{request.method} {gate.action}")
        raise


async def noted(request: Request, gate: Needs, path: str, refusal: HubError) -> None:
    """Somebody may ask later who tried: a change that was refused is audited, whoever refused it (security §13).

    What cannot be read is no try yet; of a read it is, where the endpoint says so.
    """
    tried = request.method in WRITES and isinstance(refusal, REFUSED) and not isinstance(refusal, jsons.Unreadable)
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None or not (tried or refusal.about):
        return
    what, subject = refusal.about or (gate.action, _subject(request, path))
    state = request.app.state

    def command(unit: Unit) -> None:
        unit.audit(f"refused:{what}", state.subject_of(unit, subject), code=refusal.code)

    def needs(unit: Unit) -> Iterator[Ref]:
        state.subject_of(unit, subject)  # reaches for what it needs
        yield from ()

    await state.store.run(principal, command, needs=needs)


def _subject(request: Request, path: str) -> str:
    """What the path names; anything but an id of ours may be personal, and only the route is named."""
    for name, value in request.path_params.items():
        try:
            return f"{name.removesuffix('_id')}/{UUID(str(value))}"
        except ValueError:
            continue
    return f"route/{path}"


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key of a request: up to 200 visible ASCII characters."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    if len(keys) > 1 or not 0 < len(keys[0]) <= LONGEST_KEY or not all("!" <= sign <= "~" for sign in keys[0]):
        rule = f"one Idempotency-Key of at most {LONGEST_KEY} visible ASCII characters"
        raise BadRequest(Finding("http/idempotency-key", rule=rule))
    return keys[0]


async def repeated(store: Store, info: RequestInfo) -> Response | None:
    """The answer that was given to the same request before."""
    asked = {"principal": info.principal_id, "key": info.key}
    found = await store.glance(lambda db: rows.fetch(db, ANSWERED, asked))
    if not found:
        return None
    request_hash, status, headers, body = found[0]
    if request_hash != info.body_hash:
        raise IdempotencyConflict("this Idempotency-Key was used for another request")
    headers = {**orjson.loads(headers), "Idempotency-Replayed": "true"}
    return Response(body, status, headers, "application/json" if body else None)


@dataclass(slots=True)
class Said:
    """What the store kept as the answer of a request under way."""

    door: Door
    body: bytes | None = None


_saying: ContextVar[Said | None] = ContextVar("saying", default=None)


async def _said(response: Response, store: Store, info: RequestInfo, said: Said) -> Response:
    """Where an endpoint says something else than its command answered, that is what is repeated later."""
    body = bytes(response.body)
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    if response.media_type != JSON_TYPE and "content-type" in response.headers:
        headers["content-type"] = response.headers["content-type"]
    if said.body is None or (body == said.body and response.status_code == info.status and not headers):
        return response
    where = (idempotency.c.principal == info.principal_id) & (idempotency.c.request_key == info.key)
    change = sa.update(idempotency).where(where).values(body=body, status=response.status_code, headers=headers)
    await store.db.transact(lambda db: db.execute(change))
    return response


def _gate(dependant: Dependant, path: str) -> Needs | Open:
    gates = {call for call in _calls(dependant) if isinstance(call, Needs | Open)}
    if len(gates) != 1:
        raise TypeError(f"{path}: exactly one needs(…) or open_route(…), found {len(gates)}")
    return gates.pop()


def _calls(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)


def _bounded(receive: Receive, limit: int) -> Receive:
    end, size, whole = asyncio.get_running_loop().time() + BODY_SECONDS, 0, False

    async def bounded() -> Message:
        nonlocal size, whole
        if whole:  # from here on it is only waited for the other side to hang up
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), end - asyncio.get_running_loop().time())
        except TimeoutError:
            raise TooSlow(f"the body has to arrive within {BODY_SECONDS:g} s") from None
        size += len(message.get("body", b""))
        if size > limit:
            raise _oversize(limit)
        whole = not message.get("more_body", False)
        return message

    return bounded


def _oversize(limit: int) -> jsons.Oversize:
    return jsons.Oversize([Finding(jsons.LIMIT, rule=f"at most {limit} bytes")])
