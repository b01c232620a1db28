"""Files of partners: they are dropped into `in/`, claimed by renaming them, stored, and moved to `accepted/`."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from kit import faults
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.metrics import FILES_LEFT
from services.mdm_adapter.partners.profile import FileIn, Profile
from services.mdm_adapter.receiving import Arriving
from services.mdm_adapter.transports.folders import CONTROL, Instances, control_of, free_name, read_plain, write_whole
from services.mdm_adapter.transports.rest import Receive

FOLDERS = ("in", "claimed", "accepted", "rejected", "out", "sent")
NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")
PARTNER = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")
UNFINISHED = (".tmp", ".part")
UNKNOWN_PARTNER_BYTES = 10_000_000
CONTROL_BYTES = 10_000

Count = Callable[[str, bytes], int | None]
"""How many records a partner's file holds; None: nobody can say. The transport itself looks into no file."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A file in our hands."""

    partner: str
    path: Path


class DropFolders:
    """Looks into every partner's folder, also into those of partners that have no profile yet."""

    def __init__(
        self, root: Path, instance: str, desk: Desk, receive: Receive, settle_seconds: float, records: Count
    ) -> None:
        self.root, self.instance, self.desk, self.receive = root, instance, desk, receive
        self.settle_seconds, self.records = settle_seconds, records
        self._instances = Instances(root / ".instances")
        self._seen: dict[Path, tuple[int, int, float]] = {}
        self._left: set[Path] = set()
        self._ready = False

    async def poll(self) -> bool:
        """Take what is ready; True if there was anything."""
        if not self._ready:
            await asyncio.to_thread(self._prepare)
        claimed = await asyncio.to_thread(lambda: list(self._claim()))
        for each in claimed:
            await self._take(each)
        return bool(claimed)

    def _prepare(self) -> None:
        self.instance = self._instances.hold(self.instance)
        for profile in self.desk.partners.all():
            for folder in FOLDERS:
                (self.root / profile.id / folder).mkdir(parents=True, exist_ok=True)
        self._ready = True

    def _claim(self) -> Iterator[Claimed]:
        """Rename what is ready into our own folder; of two who try, one wins. What a crash left comes first."""
        for home in sorted(self.root.iterdir()):
            if not (PARTNER.fullmatch(home.name) and home.is_dir() and not home.is_symlink()):
                continue
            mine = home / "claimed" / self.instance
            self._take_over(home, mine)
            left = sorted(mine.iterdir()) if mine.is_dir() else []
            yield from (Claimed(home.name, path) for path in left if path.is_file() and path.suffix != CONTROL)
            for path in sorted((home / "in").iterdir()) if (home / "in").is_dir() else ():
                ready = self._is_ready(path) and self._has_its_control(home.name, path)
                if ready and (target := _moved(path, mine)):
                    yield Claimed(home.name, target)

    def _take_over(self, home: Path, mine: Path) -> None:
        """What a process had claimed that is no more is ours."""
        for folder in sorted((home / "claimed").iterdir()) if (home / "claimed").is_dir() else ():
            if folder == mine or folder.is_symlink() or not folder.is_dir() or not any(folder.iterdir()):
                continue
            with self._instances.ended(folder.name) as gone:
                for path in sorted(folder.iterdir()) if gone else ():
                    _moved(path, mine)

    def _is_ready(self, path: Path) -> bool:
        """A whole file with a plain name; nothing else is touched."""
        if path.name.endswith((*UNFINISHED, CONTROL)):
            return False
        if odd := _oddity(path):
            if path not in self._left:
                self._left.add(path)
                FILES_LEFT.labels(odd).inc()
            return False
        return self._has_settled(path)

    def _has_settled(self, path: Path) -> bool:
        """Whether it has stayed the same for a while."""
        try:
            now, status = time.monotonic(), path.stat()
        except FileNotFoundError:
            return False
        size, changed, since = self._seen.get(path, (-1, -1, now))
        if (size, changed) != (status.st_size, status.st_mtime_ns):
            since = now
            self._seen[path] = (status.st_size, status.st_mtime_ns, now)
        return now - since >= self.settle_seconds

    def _has_its_control(self, partner: str, path: Path) -> bool:
        """A control file is waited for where it is agreed, and until it is whole where it is there."""
        control, profile = control_of(path), self.desk.partners.find(partner)
        if control.is_symlink() or not control.exists():
            whole = not (profile and _files_in(profile).control)
        else:
            whole = self._has_settled(control)
        if whole:
            self._seen.pop(path, None)
            self._seen.pop(control, None)
        return whole

    async def _take(self, claimed: Claimed) -> None:
        """Store the bytes, then move the file: a crash in between has it taken again, and known as a copy."""
        partner, path = claimed.partner, claimed.path
        profile = self.desk.partners.find(partner)
        limit = profile.limits.message_bytes if profile else UNKNOWN_PARTNER_BYTES
        home = self.root / partner
        content = await asyncio.to_thread(read_plain, path, limit)
        if content is None:
            await asyncio.to_thread(_reject, path, home / "rejected", f"TOO_LARGE: at most {limit} bytes")
            return
        await asyncio.to_thread(_fetch_control, home / "in", path)
        if differs := await asyncio.to_thread(self._differs, partner, path, content):
            await asyncio.to_thread(_reject, path, home / "rejected", f"CONTROL: {differs}")
            return
        target = await asyncio.to_thread(free_name, home / "accepted", path.name)
        once = await asyncio.to_thread(_once, path, content)
        await self.receive(Arriving(partner, content, "file_drop", target.name, once=once))
        await asyncio.to_thread(_put_away, path, target)
        faults.point("in.receipt_sent")

    def _differs(self, partner: str, path: Path, content: bytes) -> str | None:
        """In what a file is not the one that its control file speaks of."""
        control = control_of(path)
        if not control.is_file():
            return None
        try:
            said = json.loads(read_plain(control, CONTROL_BYTES) or b"")
        except (ValueError, OSError):
            said = None
        if not isinstance(said, dict):
            return "the control file is no JSON object"
        is_so: dict[str, Any] = {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
        if "records" in said and (found := self.records(partner, content)) is not None:
            is_so["records"] = found
        return next((f"{name} is {so}" for name, so in is_so.items() if name in said and said[name] != so), None)


def _files_in(profile: Profile) -> FileIn:
    """What is agreed about a partner's files."""
    return next((each for each in profile.transports.in_ if isinstance(each, FileIn)), FileIn(kind="file_drop"))


def _oddity(path: Path) -> str | None:
    """Why something is not touched."""
    if path.is_symlink():
        return "link"
    if not NAME.fullmatch(path.name):
        return "name"
    return None if path.is_file() or not path.exists() else "folder"


def _moved(path: Path, folder: Path) -> Path | None:
    """Rename a file into a folder; None: somebody else was first."""
    target = free_name(folder, path.name)
    try:
        return path.rename(target)
    except FileNotFoundError:
        return None


def _once(path: Path, content: bytes) -> str:
    """What tells a file that is taken again after a crash from one that was dropped again."""
    status = path.stat()
    return f"file/{path.name}/{status.st_ino}/{status.st_mtime_ns}/{sha256(content).hexdigest()}"


def _fetch_control(folder: Path, path: Path) -> None:
    """The control file follows its file, also where a crash came in between."""
    control = control_of(folder / path.name)
    if control.is_file() and not control.is_symlink() and not control_of(path).exists():
        with suppress(FileNotFoundError):
            control.rename(control_of(path))


def _put_away(path: Path, target: Path) -> None:
    """A file and its control file leave our hands together; the control file first, for the file may come again."""
    if control_of(path).exists():
        control_of(path).rename(control_of(target))
    path.rename(target)


def _reject(path: Path, folder: Path, reason: str) -> None:
    target = free_name(folder, path.name)
    _put_away(path, target)
    result = {"state": "REJECTED", "reason": reason}
    write_whole(target.with_name(f"{target.name}.result.json"), json.dumps(result).encode())
