"""API keys of partners, feed readers and scripts (SEC-KEY): shown once, kept as a hash."""

import hmac
import json
import os
import re
import secrets
from base64 import b32encode
from binascii import crc32
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from contracts.roles import MATRIX, Role
from kit import jsons

SHAPE = re.compile(r"hub_([a-z2-7]{12})_([a-z2-7]{52})_([0-9a-f]{8})")
LONGEST_LIFE = timedelta(days=365)
SYSTEM_ACTIONS = frozenset(action for action, cells in MATRIX.items() if Role.SYSTEM in cells)
"""What a key can be good for: the column *system* of the matrix."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A key as it was shown, taken apart; its check sum was right."""

    id: str
    secret: str


class ApiKey(BaseModel):
    """What is kept of a key."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    id: str
    hash: str
    """SHA-256 of the secret, hex."""
    owner: str
    """Who asked for it, for people."""
    actions: frozenset[str]
    partner: str | None = None
    """The partner whose objects it reaches; none: a reader of the feed."""
    expires_at: datetime


def make(id_: str | None = None, secret: bytes | None = None) -> str:
    """A new key; 256 random bits and a check sum, so that a typing mistake costs no look-up."""
    name = id_ or _letters(secrets.token_bytes(8))[:12]
    stem = f"hub_{name}_{_letters(secret or secrets.token_bytes(32))}"
    return f"{stem}_{crc32(stem.encode()):08x}"


def parse(text: str) -> Parsed | None:
    """Take a key apart; None where it cannot be one."""
    found = SHAPE.fullmatch(text)
    if found is None or f"{crc32(text.rpartition('_')[0].encode()):08x}" != found[3]:
        return None
    return Parsed(found[1], found[2])


def digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


class KeyFile:
    """All keys of one installation, in a JSON file that only its owner can read; read again when it changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._version: tuple[int, int] | None = None
        self._keys: dict[str, ApiKey] = {}

    def find(self, text: str, now: datetime) -> ApiKey | None:
        """The live key that this text is, compared in constant time."""
        if (parsed := parse(text)) is None:
            return None
        key = self.keys().get(parsed.id)
        matches = hmac.compare_digest(digest(parsed.secret), key.hash if key else digest(""))
        return key if key is not None and matches and now < key.expires_at else None

    def add(
        self, owner: str, actions: Iterable[str], now: datetime, partner: str | None = None, days: int = 365
    ) -> str:
        """Make and keep a key; the text is given out here and never again."""
        asked = frozenset(actions)
        if beyond := asked - SYSTEM_ACTIONS:
            raise ValueError(f"a key cannot be good for {', '.join(sorted(beyond))}")
        if not 0 < days <= LONGEST_LIFE.days:
            raise ValueError(f"a key lives 1 to {LONGEST_LIFE.days} days")
        text = make()
        parsed = parse(text)
        assert parsed is not None  # noqa: S101 - made a line above
        expires_at = now + timedelta(days=days)
        key = ApiKey(
            id=parsed.id,
            hash=digest(parsed.secret),
            owner=owner,
            actions=asked,
            partner=partner,
            expires_at=expires_at,
        )
        self._write({**self.keys(), key.id: key})
        return text

    def revoke(self, key_id: str) -> bool:
        """Take a key out of use, in every process that reads this file; False: there was none."""
        keys = dict(self.keys())
        gone = keys.pop(key_id, None)
        if gone is not None:
            self._write(keys)
        return gone is not None

    def keys(self) -> dict[str, ApiKey]:
        """The keys by their id; none while there is no file."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return {}
        version = (status.st_ino, status.st_mtime_ns)
        if version != self._version:
            found = jsons.read_as(self.path.read_bytes(), list[ApiKey])
            self._keys, self._version = {key.id: key for key in found}, version
        return self._keys

    def _write(self, keys: dict[str, ApiKey]) -> None:
        document = [json.loads(key.model_dump_json()) for key in keys.values()]
        write_private(self.path, json.dumps(document, indent=1).encode())


def write_private(path: Path, content: bytes, *, keep: bool = False) -> None:
    """Put a file in place at once, readable by its owner only; `keep`: unless there is one, also made meanwhile."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if not keep:
        beside.replace(path)
        return
    with suppress(FileExistsError):
        os.link(beside, path)
    beside.unlink()


def _letters(content: bytes) -> str:
    return b32encode(content).decode().rstrip("=").lower()
