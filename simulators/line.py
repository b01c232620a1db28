"""How everybody around the hub reaches it: each service at its own address, and again while one of them is away."""

import asyncio
import time
from collections.abc import Mapping

import httpx

AWAY = frozenset({502, 503, 504})
FIRST_WAIT, LONGEST_WAIT = 0.05, 1.0
"""Seconds between tries; each wait is twice the one before."""


class Line(httpx.AsyncBaseTransport):
    """Sends a request again, unchanged, until somebody answers: its Idempotency-Key makes the repetition harmless.

    `services` holds the address of each service that runs on its own; a path `/api/<service>/v1/…` goes there as
    `/v1/…`. Without it the path stays, for all services in one process.
    """

    def __init__(
        self,
        services: Mapping[str, str] | None = None,
        *,
        patience_seconds: float = 60.0,
        inner: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.services = dict(services or {})
        self.patience_seconds = patience_seconds
        self.inner = inner or httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The first answer that is not "nobody is here"; the last one, once patience is over."""
        asked, end, wait = self._addressed(request), time.monotonic() + self.patience_seconds, FIRST_WAIT
        while True:
            try:
                answer = await self.inner.handle_async_request(asked)
            except httpx.TransportError:
                if time.monotonic() >= end:
                    raise
            else:
                if answer.status_code not in AWAY or time.monotonic() >= end:
                    return answer
                await answer.aclose()
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    async def aclose(self) -> None:
        await self.inner.aclose()

    def _addressed(self, request: httpx.Request) -> httpx.Request:
        """The request as it goes to the service that its path names."""
        _, api, name, *rest = [*request.url.raw_path.decode("ascii").split("/", 3), "", "", ""][:4]
        if api != "api" or name not in self.services:
            return request
        url = httpx.URL(f"{self.services[name]}/{rest[0]}")
        others = [(key, value) for key, value in request.headers.raw if key.lower() != b"host"]
        headers = [(b"Host", url.netloc), *others]
        return httpx.Request(request.method, url, headers=headers, stream=request.stream, extensions=request.extensions)
