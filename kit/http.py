"""The web side of a service: an app in which every route has its gate, and what endpoints need beside it."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from kit import desk, metrics
from kit.auth import Needs, Principal, Verifier, needs, open_route
from kit.door import Door, as_body
from kit.edge import Edge, server_options
from kit.errors import Conflict
from kit.handlers import Handlers
from kit.health import Health
from kit.jsons import Finding
from kit.problems import BadRequest, problem, problem_of
from kit.request import RequestInfo, current_request
from kit.settings import Settings
from kit.store import Store, Unit

__all__ = [
    "Edge",
    "RequestInfo",
    "Served",
    "as_body",
    "current_request",
    "cursor",
    "etag",
    "expected_version",
    "read_cursor",
    "served",
    "server_options",
    "the_store",
    "web",
]

Authenticate = Callable[[Request], Awaitable[Principal]]
"""Finds out who a request comes from, or raises InvalidToken."""
SubjectOf = Callable[[Unit, str], str]
"""The subject under which the audit tells of what a path names, as `<kind>/<id>`; may reach for what it has to know."""
NO_TELEMETRY = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False}
"""The framework's own would write messages of exceptions, and with them values."""


class Parts(Protocol):
    """What of a service its web side is made from; `kit.service.Service` has it."""

    @property
    def name(self) -> str: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def store(self) -> Store: ...
    @property
    def handlers(self) -> Handlers: ...
    @property
    def router(self) -> APIRouter: ...
    @property
    def subject_of(self) -> SubjectOf: ...


class Served(NamedTuple):
    """One route as it is served."""

    method: str
    path: str
    action: str | None
    """The action of the matrix that it needs; None: it is open."""
    reason: str | None
    """Why it is open."""


async def the_store(request: Request) -> Store:
    """Dependency: the store of the service that this route belongs to; async, for others are called in a thread."""
    found: Store = request.app.state.store
    return found


def web(service: Parts, health: Health | None = None, authenticate: Authenticate | None = None) -> FastAPI:
    """The app of a service; a route without exactly one gate makes this raise: deny is the default (SEC-ROL-02).

    `authenticate` takes the place of the bearer token where a service has a second way in, as the console has.
    """
    app = FastAPI(
        title=service.name,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _problem, RequestValidationError: _problem},
        telemetry=NO_TELEMETRY,  # type: ignore[arg-type]
    )
    verifier = Verifier.of(service.settings, service.store.clock)
    app.state.service, app.state.store, app.state.running = service.name, service.store, set()
    app.state.authenticate = authenticate or verifier.authenticate
    app.state.health = health or Health(service.name)
    app.state.subject_of = service.subject_of
    app.state.desk = desk.Desk(service.name, service.store, service.handlers)
    app.add_middleware(Edge, service=service.name, hosts=service.settings.hosts)
    metrics.begin(service.name)
    for context in iter_route_contexts([*service.router.routes, *desk.router.routes, *kernel.routes]):
        if isinstance(context.original_route, APIRoute):
            app.router.routes.append(_door(context, waits=context.original_route not in kernel.routes))
        elif isinstance(context.route, Mount) and isinstance(context.route.app, StaticFiles):
            app.router.routes.append(context.route)  # our own scripts and styles, no gate
        else:
            raise TypeError(f"{context.path}: only routes with a gate and static files are served")
    return app


def served(app: FastAPI) -> Iterator[Served]:
    """Every route with its gate."""
    for route in app.routes:
        if isinstance(route, Door):
            gate = route.gate
            action, reason = (gate.action, None) if isinstance(gate, Needs) else (None, gate.reason)
            for method in sorted(route.methods or ()):
                yield Served(method, route.path, action, reason)


def _door(context: Any, *, waits: bool) -> Door:
    """The route as it was declared, behind a door."""
    names = ("response_model", "status_code", "tags", "dependencies", "summary", "description", "responses", "name")
    shape = ("methods", "operation_id", "response_class", "include_in_schema", "response_model_exclude_none")
    declared = {name: getattr(context, name) for name in (*names, *shape)}
    return Door(context.path, context.endpoint, limit=context.max_body_size, waits=waits, **declared)


async def _problem(request: Request, error: Exception) -> Response:
    return problem_of(error, request.scope["hub.request_id"])


kernel = APIRouter()
"""What every service answers beside its own routes."""

PROBE = Depends(open_route("asked by balancers and supervisors, who have no token; answers names of checks only"))
WATCHER = Depends(needs("health:read"))


@kernel.get("/health/live", dependencies=[PROBE])
async def live(request: Request) -> Response:
    """Whether the process turns at all; if not, it is killed and started again."""
    return _health(request, await request.app.state.health.live())


@kernel.get("/health/startup", dependencies=[PROBE])
async def startup(request: Request) -> Response:
    """Whether the process has what it needs to begin."""
    return _health(request, await request.app.state.health.startup())


@kernel.get("/health/ready", dependencies=[PROBE])
async def ready(request: Request) -> Response:
    """Whether requests should come here."""
    return _health(request, await request.app.state.health.ready())


@kernel.get("/health", dependencies=[WATCHER])
async def every_check(request: Request) -> dict[str, str]:
    """All checks with their answers."""
    found: dict[str, str] = await request.app.state.health.every()
    return found


@kernel.get("/metrics", dependencies=[WATCHER])
async def measured() -> Response:
    """Everything measured, as OpenMetrics text."""
    body, media_type = metrics.exposition()
    return Response(body, media_type=media_type)


def _health(request: Request, failing: dict[str, str]) -> Response:
    if not failing:
        return Response('{"status":"ok"}', media_type="application/json")
    names, request_id = sorted(failing), request.scope["hub.request_id"]
    return problem(503, "unavailable", f"failing: {', '.join(names)}", request_id, {"failing": names})


def etag(version: int) -> str:
    """The version of an object as an entity tag."""
    return f'"{version}"'


def expected_version(request: Request, in_body: int | None = None) -> int | None:
    """The version that an edit is based on: `If-Match: "7"`, or the member `expected_version` of the body.

    None: neither was given. Two different ones are a stale version, whichever is right.
    """
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return in_body
    digits = given.strip().removeprefix("W/").strip('"')
    if not digits.isdecimal() or len(digits) > 18:
        raise BadRequest(Finding("http/if-match", rule='a version, as in If-Match: "7"'))
    if in_body is not None and in_body != int(digits):
        raise Conflict("If-Match and expected_version name two versions")
    return int(digits)


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return moment


READ: Mapping[type, Callable[[str], Any]] = {UUID: UUID, date: date.fromisoformat, datetime: _instant}
"""What a cursor holds as text, and how it is read."""
LARGEST = 2**31
"""What every integer column bears."""


def cursor(*parts: str | int | UUID | date | datetime) -> str:
    """Where a page ended, as a text that callers hand back and do not read."""
    return urlsafe_b64encode(json.dumps(parts, default=str).encode()).decode().rstrip("=")


def read_cursor(text: str, *kinds: type) -> tuple[Any, ...]:
    """The parts of a cursor as these kinds (str, int, UUID, date, datetime); anything else is refused (400)."""
    try:
        parts = json.loads(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
        return tuple(_part(part, kind) for part, kind in zip(parts, kinds, strict=True))
    except (ValueError, TypeError, RecursionError):
        raise BadRequest(Finding("http/cursor", "/query/after", rule="a cursor that a page gave")) from None


def _part(part: Any, kind: type) -> Any:
    if kind in READ and isinstance(part, str):
        return READ[kind](part)
    bearable = "\x00" not in part if isinstance(part, str) else abs(part) < LARGEST if isinstance(part, int) else False
    if type(part) is not kind or not bearable:
        raise ValueError(f"a {kind.__name__} was expected")
    return part
