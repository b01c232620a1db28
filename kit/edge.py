"""What every request passes first and every answer last: hosts, limits, headers, a request id, one log line."""

import re
import time
from collections.abc import Iterable
from secrets import token_hex
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from kit import faults, metrics
from kit.jsons import Finding
from kit.keys import SHAPE
from kit.problems import BadRequest, UnknownHost, problem_of
from kit.settings import Settings

log = structlog.get_logger(__name__)

LARGEST_HEADERS = 16 * 1024
"""Bytes of all names and values together."""
TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
QUIET = ("/health", "/metrics")
"""Asked every few seconds by machines: not worth a line each."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""On every answer that does not set them itself (SEC-WEB-03)."""
ONE_YEAR = "max-age=31536000"


class Edge:
    """ASGI middleware around a service, or around the roof over several."""

    def __init__(self, app: ASGIApp, service: str, hosts: Iterable[str]) -> None:
        self.app, self.service, self.hosts = app, service, frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "hub.request_id" in scope:
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        _name(scope)
        answer = _Answer(scope, send)
        with structlog.contextvars.bound_contextvars(service=self.service, trace_id=scope["hub.traceparent"][3:35]):
            try:
                self._check(scope)
                await self.app(scope, receive, answer)
            except Exception as error:  # a stranger never sees a stack, a log never sees a value
                if answer.status is None:
                    await problem_of(error, scope["hub.request_id"])(scope, receive, answer)
                else:
                    log.exception("the answer broke off", error=type(error).__name__, exc_info=error)
            if scope["method"] in WRITES:
                faults.point("http.answered")
            self._note(scope, answer.status or 0, time.perf_counter() - began)

    def _check(self, scope: Scope) -> None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if sum(len(name) + len(value) for name, value in headers) > LARGEST_HEADERS:
            raise BadRequest(Finding("http/limit", rule=f"at most {LARGEST_HEADERS} bytes of headers"))
        hosts = [value.decode("latin-1").lower() for name, value in headers if name == b"host"]
        if len(hosts) != 1 or _without_port(hosts[0]) not in self.hosts:
            metrics.AUTH_REFUSALS.labels(self.service, "host").inc()
            raise UnknownHost("this host is not served here")
        if SHAPE.search(scope["path"]) or SHAPE.search(scope.get("query_string", b"").decode("latin-1")):
            raise BadRequest(Finding("http/key-in-address", rule="a key belongs into the Authorization header"))

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path_format", "unmatched")
        method = scope["method"] if scope["method"] in METHODS else "other"
        metrics.HTTP_REQUESTS.labels(self.service, route, method, str(status)).inc()
        metrics.HTTP_SECONDS.labels(self.service, route, method).observe(seconds)
        write = log.debug if route.startswith(QUIET) else log.info
        principal = getattr(scope.get("state", {}).get("principal"), "id", None)
        write("request", route=f"{method} {route}", status=status, seconds=round(seconds, 4), principal=principal)


class _Answer:
    """Sends an answer on, with the headers that all answers carry."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if headers.get("content-type", "").startswith("text/html"):
                headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            if self._scope.get("scheme") == "https":
                headers.setdefault("Strict-Transport-Security", ONE_YEAR)
            headers["X-Request-Id"] = self._scope["hub.request_id"]
        await self._send(message)


def _name(scope: Scope) -> None:
    """Give the request its id and its place in a trace; both may be written anywhere."""
    scope["hub.request_id"] = str(uuid7())
    given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"]
    known = len(given) == 1 and TRACEPARENT.fullmatch(given[0])
    trace = given[0][3:35] if known else token_hex(16)
    scope["hub.traceparent"] = f"00-{trace}-{token_hex(8)}-01"


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def server_options(settings: Settings) -> dict[str, Any]:
    """How uvicorn is run: its parser refuses doubtful framing, and only a trusted proxy's forwarded address counts."""
    return {
        "host": settings.host,
        "port": settings.port,
        "http": "httptools",
        "ws": "none",
        "server_header": False,
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": settings.trusted_proxies,
        "access_log": False,
        "log_config": None,
        "limit_concurrency": 1_000,
        "timeout_keep_alive": 30,
        "timeout_graceful_shutdown": 10,
    }
