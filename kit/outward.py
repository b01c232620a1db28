"""Calls to addresses in the internet that others gave us: only to public ones, and to exactly what was checked."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import httpx

SECONDS = 15.0
"""A call takes at most so long, its answer included."""
ANSWER_BYTES = 64 * 1024
HTTPS = 443
NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            *("192.0.0.0/24", "192.88.99.0/24", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/23"),
            *("2002::/16", "3fff::/20", "5f00::/16", "fec0::/10"),
        ),
    )
)
"""Networks that Python calls global, and that are not reached through the internet alone (SEC-OUT-03)."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host."""


class NotOutward(ValueError):
    """The address leads somewhere else than into the internet (SEC-OUT-02)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the other side answered; of a long answer its beginning."""

    status: int
    body: bytes


def is_public(address: str) -> bool:
    """Whether an address is reached through the internet and nowhere else (SEC-OUT-03)."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if not found.is_global or found.is_multicast or found.is_reserved:
        return False
    return not any(found in network for network in NOT_PUBLIC if network.version == found.version)


def outward_url(text: str) -> str:
    """An address as it may be configured: https, nobody's name or password in it. Raises NotOutward."""
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname:
        raise NotOutward("an address to call begins with https:// and a host")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise NotOutward("an address to call has no user, no password and no fragment")
    if _is_literal(parts.hostname) and not is_public(parts.hostname):
        raise NotOutward("an address to call is public")
    return text


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def resolve(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Outward(httpx.AsyncBaseTransport):
    """Resolves by itself, refuses a host of which one address is not public, and calls the address that it checked."""

    def __init__(
        self,
        ports: Collection[int] = (HTTPS,),
        inner: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve = resolve,
    ) -> None:
        self._inner, self._ports, self._resolve = inner, frozenset(ports), resolve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host, port = request.url.host, request.url.port or HTTPS
        if request.url.scheme != "https" or port not in self._ports:
            raise NotOutward("only https, and only agreed ports")
        try:
            addresses = await self._resolve(host, port)
        except OSError as error:
            raise httpx.ConnectError("the host is not known", request=request) from error
        if not addresses or not all(map(is_public, addresses)):
            raise NotOutward("the host is not in the internet")
        return await self._carrier().handle_async_request(
            httpx.Request(
                request.method,
                request.url.copy_with(host=addresses[0]),
                headers=request.headers,  # Host is that of the name
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
        )

    async def aclose(self) -> None:
        if self._inner is not None:
            await self._inner.aclose()

    def _carrier(self) -> httpx.AsyncBaseTransport:
        """Made at the first call: the authorities that it trusts take memory.

        One connection per call: two names at one address must not share a connection that was opened for the other.
        """
        if self._inner is None:
            limits = httpx.Limits(max_keepalive_connections=0)
            self._inner = httpx.AsyncHTTPTransport(trust_env=False, limits=limits)
        return self._inner


def client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """A client that follows no redirect, and takes no proxy from the environment."""
    return httpx.AsyncClient(transport=transport, timeout=SECONDS, follow_redirects=False, trust_env=False)


async def post(client: httpx.AsyncClient, url: str, content: bytes, headers: Mapping[str, str]) -> Heard:
    """Post, and read the answer as far as it counts. Raises NotOutward, httpx.HTTPError or TimeoutError."""
    plain = {**headers, "Accept-Encoding": "identity"}  # nothing is unpacked that a stranger packed
    async with asyncio.timeout(SECONDS), client.stream("POST", url, content=content, headers=plain) as answer:
        body = b""
        async for part in answer.aiter_raw():
            body += part
            if len(body) > ANSWER_BYTES:
                break
        return Heard(answer.status_code, body[:ANSWER_BYTES])
