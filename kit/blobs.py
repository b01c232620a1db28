"""Bytes that are too large for a database: written once under a key, durable before anything names them."""

import asyncio
import os
import re
from pathlib import Path
from secrets import token_hex
from typing import Protocol

from kit.errors import Unavailable

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}(/[A-Za-z0-9][A-Za-z0-9_-]{0,79}){0,3}")


class BlobMissing(Unavailable):
    """A row names bytes that are not where they should be: the store is incomplete, or away."""

    def __init__(self) -> None:
        super().__init__("the stored bytes cannot be read at the moment")


class Blobs(Protocol):
    """A store of bytes. A key is derived from its content: what lies under it is never replaced by other bytes."""

    async def put(self, key: str, content: bytes) -> None:
        """Store; when this returns, the bytes survive a crash."""

    async def get(self, key: str) -> bytes:
        """The bytes; raises BlobMissing."""

    async def remove(self, key: str) -> None:
        """Delete the bytes, if they are there: what was purged does not lie about."""


class Folder:
    """Bytes as files below one folder. A crash leaves at most a file that nothing names."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def put(self, key: str, content: bytes) -> None:
        await asyncio.to_thread(self._put, self._place(key), content)

    async def get(self, key: str) -> bytes:
        try:
            return await asyncio.to_thread(self._place(key).read_bytes)
        except FileNotFoundError:
            raise BlobMissing from None

    async def remove(self, key: str) -> None:
        await asyncio.to_thread(self._place(key).unlink, missing_ok=True)

    def _place(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise ValueError("a key is at most four names of letters, digits, - and _")
        return self.root / key

    def _put(self, place: Path, content: bytes) -> None:
        """Temporary name, fsync, rename, fsync of the folders: the name stands for whole bytes, or for nothing."""
        if place.exists() and place.stat().st_size == len(content):
            return
        made = _make(place.parent)
        temporary = place.with_name(f".{place.name}.{token_hex(8)}")
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(place)
        finally:
            temporary.unlink(missing_ok=True)
        for folder in made:
            _sync(folder)


def _make(folder: Path) -> list[Path]:
    """Make a folder with its parents; gives the folders whose entries changed by what follows, innermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [folder, *(each.parent for each in missing)]


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
