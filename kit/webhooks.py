"""Signed calls between the hub and its counterparties: proved over the raw bytes, before anything is parsed."""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import md5, sha256
from typing import Protocol

from kit.auth import InvalidToken

TOLERANCE_SECONDS = 300
"""How far a call's time may lie from ours, both ways."""
SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix that all secrets of this standard have
DIGITS = re.compile(r"[0-9]{1,12}")


class Refused(InvalidToken):
    """The call is not proved. Every cause answers alike; the reason is for our own log and metric."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it came in. The address is the one that we published, never the one that the Host header says."""

    body: bytes
    headers: Mapping[str, str]
    """Names in lower case."""
    method: str = "POST"
    url: str = ""
    """Full address by the setting `public_url`, with path and query."""

    def header(self, name: str) -> str:
        """A header that the proof needs; raises Refused without it."""
        value = self.headers.get(name)
        if not value:
            raise Refused("missing")
        return value


class Proof(Protocol):
    """How one counterparty proves that a call is its own."""

    def check(self, call: Call, now: datetime) -> str | None:
        """Raise Refused, or give the id under which a repeat of this call is known (None: it has none)."""


@dataclass(frozen=True)
class Standard:
    """Standard Webhooks: HMAC-SHA-256 over id, timestamp and body."""

    secrets: Sequence[str]
    """`whsec_…`; two while they are being exchanged."""

    def check(self, call: Call, now: datetime) -> str | None:
        name, time, given = (call.header(f"webhook-{part}") for part in ("id", "timestamp", "signature"))
        _refuse_time(time, now)
        expected = [sign(secret, name, int(time), call.body) for secret in self.secrets]
        if not _any_equal(given.split(" "), expected):
            raise Refused("signature")
        return name


@dataclass(frozen=True)
class Seven:
    """An SMS gateway's recipe: hex HMAC-SHA-256 over time, nonce, method, address and the body's MD5, line by line."""

    secrets: Sequence[str]

    def check(self, call: Call, now: datetime) -> str | None:
        given, time, nonce = (call.header(f"x-{part}") for part in ("signature", "timestamp", "nonce"))
        _refuse_time(time, now)
        digest = md5(call.body, usedforsecurity=False).hexdigest()  # the vendor's recipe; the HMAC is what proves
        expected = [self.sign(secret, time, nonce, call.method, call.url, digest) for secret in self.secrets]
        if not _any_equal([given.lower()], expected):
            raise Refused("signature")
        return nonce

    @staticmethod
    def sign(secret: str, time: str, nonce: str, method: str, url: str, digest: str) -> str:
        """What the gateway puts into X-Signature."""
        text = f"{time}\n{nonce}\n{method}\n{url}\n{digest}"
        return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()


@dataclass(frozen=True)
class Basic:
    """User and password, for vendors that cannot sign; only together with an address that we know (SEC-HOOK-04)."""

    user: str
    password: str

    def check(self, call: Call, now: datetime) -> str | None:  # noqa: ARG002 - a password knows no time
        expected = b64encode(f"{self.user}:{self.password}".encode()).decode()
        kind, _, given = call.header("authorization").partition(" ")
        if kind.lower() != "basic" or not _any_equal([given.strip()], [expected]):
            raise Refused("signature")
        return None


@dataclass(frozen=True)
class UrlSecret:
    """A secret last part of the path, for vendors that can do nothing else."""

    secrets: Sequence[str]

    def check(self, call: Call, now: datetime) -> str | None:  # noqa: ARG002 - a secret knows no time
        if not _any_equal([call.url.partition("?")[0].rpartition("/")[2]], self.secrets):
            raise Refused("signature")
        return None


def verify(call: Call, proofs: Sequence[Proof], now: datetime) -> str | None:
    """Check every proof that an endpoint asks for, at least one; gives the id of the call, if it has one."""
    if not proofs:
        raise ValueError("an endpoint asks for at least one proof")
    names = [proof.check(call, now) for proof in proofs]
    return next((name for name in names if name is not None), None)


def sign(secret: str, name: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature` (Standard Webhooks) for a call of ours."""
    key = b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    content = f"{name}.{timestamp}.".encode() + body
    return f"v1,{b64encode(hmac.new(key, content, sha256).digest()).decode()}"


def _refuse_time(text: str, now: datetime) -> None:
    if not DIGITS.fullmatch(text) or abs(now.timestamp() - int(text)) > TOLERANCE_SECONDS:
        raise Refused("expired")


def _any_equal(given: Sequence[str], expected: Sequence[str]) -> bool:
    """Whether one is one of the others; takes as long whichever it is."""
    equal = [hmac.compare_digest(one.encode(), other.encode()) for one in given for other in expected]
    return any(equal)
