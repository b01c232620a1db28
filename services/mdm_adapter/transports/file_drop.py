"""Files: partners drop theirs into `in/`, ours lie in `out/`; a file is claimed and delivered by renaming it."""

import asyncio
import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from kit import faults
from kit.auth import Scope
from kit.csvs import write_csv
from kit.effects import Done, Failed, Outcome, Transient
from kit.store import Store
from services.mdm_adapter import store as queries
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.dialects.writing import SUFFIXES
from services.mdm_adapter.domain.policy import SEND_AGAIN
from services.mdm_adapter.outcomes import SUPERSEDED
from services.mdm_adapter.receiving import Arriving
from services.mdm_adapter.transports.rest import REASON, Receive

FOLDERS = ("in", "claimed", "accepted", "rejected", "out")
NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")
PARTNER = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")
UNFINISHED = (".tmp", ".part")
UNKNOWN_PARTNER_BYTES = 10_000_000


class DropFolders:
    """Looks into every partner's folder, also into those of partners that have no profile yet."""

    def __init__(self, root: Path, instance: str, desk: Desk, receive: Receive, settle_seconds: float) -> None:
        self.root, self.instance, self.desk, self.receive = root, instance, desk, receive
        self.settle_seconds = settle_seconds
        self._seen: dict[Path, tuple[int, int, float]] = {}
        self._ready = False

    async def poll(self) -> bool:
        """Take what is ready; True if there was anything."""
        if not self._ready:
            await asyncio.to_thread(self._prepare)
        claimed = await asyncio.to_thread(lambda: list(self._claim()))
        for partner, path in claimed:
            await self._take(partner, path)
        return bool(claimed)

    def _prepare(self) -> None:
        for profile in self.desk.partners.all():
            for folder in FOLDERS:
                (self.root / profile.id / folder).mkdir(parents=True, exist_ok=True)
        self._ready = True

    def _claim(self) -> Iterator[tuple[str, Path]]:
        """Rename what is ready into our own folder; of two who try, one wins. What a crash left there comes first."""
        for home in sorted(self.root.iterdir()) if self.root.is_dir() else ():
            if not (PARTNER.fullmatch(home.name) and home.is_dir() and not home.is_symlink()):
                continue
            mine = home / "claimed" / self.instance
            left = sorted(mine.iterdir()) if mine.is_dir() else []
            yield from ((home.name, path) for path in left if path.is_file())
            for path in sorted((home / "in").iterdir()) if (home / "in").is_dir() else ():
                if self._is_ready(path):
                    mine.mkdir(parents=True, exist_ok=True)
                    try:
                        path.rename(mine / path.name)
                    except FileNotFoundError:
                        continue
                    yield home.name, mine / path.name

    def _is_ready(self, path: Path) -> bool:
        """A whole file with a plain name that has stayed the same for a while; nothing else is touched."""
        if not NAME.fullmatch(path.name) or path.name.endswith(UNFINISHED) or path.is_symlink() or not path.is_file():
            return False
        try:
            now, stat = time.monotonic(), path.stat()
        except FileNotFoundError:
            return False
        size, changed, since = self._seen.get(path, (-1, -1, now))
        if (size, changed) != (stat.st_size, stat.st_mtime_ns):
            since = now
            self._seen[path] = (stat.st_size, stat.st_mtime_ns, now)
        if now - since < self.settle_seconds:
            return False
        self._seen.pop(path, None)
        return True

    async def _take(self, partner: str, path: Path) -> None:
        """Store the bytes, then move the file: a crash in between has it taken again, and known as a copy."""
        profile = self.desk.partners.find(partner)
        limit = profile.limits.message_bytes if profile else UNKNOWN_PARTNER_BYTES
        home = self.root / partner
        content = await asyncio.to_thread(_read, path, limit)
        if content is None:
            await asyncio.to_thread(_reject, path, home / "rejected", f"TOO_LARGE: at most {limit} bytes")
            return
        target = await asyncio.to_thread(_free, home / "accepted", path.name)
        await self.receive(Arriving(partner, content, "file_drop", target.name))
        await asyncio.to_thread(path.rename, target)
        faults.point("in.receipt_sent")


def _read(path: Path, limit: int) -> bytes | None:
    return None if path.stat().st_size > limit else path.read_bytes()


def _free(folder: Path, name: str) -> Path:
    """A name in a folder; one that is taken gets a number."""
    folder.mkdir(parents=True, exist_ok=True)
    target, number = folder / name, 1
    while target.exists():
        number += 1
        target = folder / f"{name}.{number}"
    return target


def _reject(path: Path, folder: Path, reason: str) -> None:
    target = _free(folder, path.name)
    path.rename(target)
    result = {"state": "REJECTED", "reason": reason}
    write_whole(target.with_name(f"{target.name}.result.json"), json.dumps(result).encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it: temporary name, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class FilePort:
    """Puts our messages into the partner's `out/`; never overwrites."""

    repeatable = True
    retry: Sequence[timedelta] = SEND_AGAIN

    def __init__(self, store: Store, root: Path) -> None:
        self.store, self.root = store, root

    async def send(self, _reference: str, payload: Mapping[str, Any]) -> Outcome:
        """Write the file once; the same bytes under the same name are the same delivery."""
        message_id = UUID(payload["message_id"])
        found = await self.store.read(lambda db: queries.to_send(db, Scope.everything(REASON), message_id))
        faults.point("in.committed")
        if found is None:
            return Failed("no_recipient")
        if found.superseded:
            return Failed(SUPERSEDED)
        path = self.root / payload["partner"] / "out" / f"{message_id}.{SUFFIXES[found.dialect]}"
        return await asyncio.to_thread(_deliver, path, found.content)

    async def ask(self, _reference: str) -> Outcome | None:
        """A folder cannot be asked: the partner may have taken the file away."""
        return None

    async def close(self) -> None:
        """Nothing is held open."""


def _deliver(path: Path, content: bytes) -> Outcome:
    try:
        if path.exists():
            return Done(path.name) if path.read_bytes() == content else Failed("name_clash")
        write_whole(path, content)
    except OSError as error:
        return Transient(type(error).__name__)
    return Done(path.name)


class ResultPort:
    """Writes what became of a file beside it in `accepted/`, and its bad rows as a file of errors."""

    repeatable = True
    retry: Sequence[timedelta] = SEND_AGAIN

    def __init__(self, store: Store, root: Path) -> None:
        self.store, self.root = store, root

    async def send(self, reference: str, payload: Mapping[str, Any]) -> Outcome:
        """Ours to write, and to write again when the file was worked on once more."""
        message_id = UUID(payload["message_id"])
        scope = Scope.everything(REASON)
        message = await self.store.read(lambda db: queries.inbound(db, scope, payload["partner"], message_id))
        if message is None:
            return Failed(f"no_message:{reference}")
        folder = self.root / payload["partner"] / "accepted"
        try:
            await asyncio.to_thread(_write_result, folder, payload["name"], message)
        except OSError as error:
            return Transient(type(error).__name__)
        return Done(payload["name"])

    async def ask(self, _reference: str) -> Outcome | None:
        """Writing again is harmless."""
        return None

    async def close(self) -> None:
        """Nothing is held open."""


def _write_result(folder: Path, name: str, message: Any) -> None:
    findings = [found.model_dump(exclude_none=True) for found in message.findings]
    results = [result.model_dump(exclude_none=True) for result in message.results]
    state = "DUPLICATE" if message.copy_of else message.state.value
    result = {
        "receipt": f"in-{message.copy_of or message.id}",
        "sha256": message.sha256,
        "state": state,
        "findings": findings,
        "records": results,
    }
    write_whole(folder / f"{name}.result.json", json.dumps(result, ensure_ascii=False, indent=1).encode())
    rows = [
        (str(record.row or ""), found.position, found.rule or found.code, found.detail)
        for record in message.results
        for found in record.findings
    ]
    rows += [("", found.position, found.rule or found.code, found.detail) for found in message.findings]
    if rows:
        write_whole(folder / f"{name}.err.csv", write_csv(("row", "column", "rule", "message"), rows))
