"""The way of a letter out of the house: written, kept, handed to the print shop in batches, called back, shredded."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from kit.blobs import Blobs
from kit.csvs import read_csv, write_csv
from kit.effects import Done, Failed, Outcome
from services.notification_service.channels.sms import RETRY, WITHHELD
from services.notification_service.domain.letters import Paper
from services.notification_service.rendering import rendered

MANIFEST, READY = "manifest.csv", "manifest.sha256"
"""The list of a batch; its digest is written last and says that the batch is complete."""
COLUMNS = (
    *("letter_id", "case_id", "file", "pages", "sheets", "sha256", "code_hash12", "language"),
    *("window_profile", "country"),
)


class Entry(NamedTuple):
    """One letter of a batch, as the manifest names it."""

    letter_id: UUID
    case_id: UUID
    sheets: int
    sha256: str
    code_hash12: str
    language: str
    window_profile: str
    country: str

    @property
    def row(self) -> tuple[str | int, ...]:
        known = (str(self.letter_id), str(self.case_id), f"{self.letter_id}.pdf", self.sheets, self.sheets)
        return (*known, self.sha256, self.code_hash12, self.language, self.window_profile, self.country)


class Run(NamedTuple):
    """What a print run has to write: its letters, all that belong to its batch, and whether more are waiting."""

    entries: Sequence[Entry]
    members: Sequence[UUID]
    more: bool


Release = Callable[[UUID, UUID, str], Awaitable[Paper | None]]
"""Case, notice and reference to the paper, in a transaction that asks every gate once more; None: it is withheld."""
Claim = Callable[[str, str], Awaitable[Run]]
"""Reference and operator to the batch of a print run; the same one, however often it is asked."""


def archive_key(case_id: object, digest: str) -> str:
    """Under which the bytes of a letter are kept."""
    return f"{case_id}/{digest}"


class Alone:
    """A port behind which nobody but the file system stands: doing it twice is doing it once."""

    repeatable = True
    retry: Sequence[timedelta] = RETRY

    async def ask(self, reference: str) -> Outcome | None:  # noqa: ARG002 - the port's signature
        """Nobody needs to be asked: it is done again."""
        return None

    async def close(self) -> None:
        """Holds nothing."""


class LetterPort(Alone):
    """Writes a letter, and keeps its bytes before anything names them."""

    def __init__(self, release: Release, archive: Blobs) -> None:
        self.release, self.archive = release, archive

    async def send(self, reference: str, payload: Mapping[str, Any]) -> Outcome:
        """Render one letter, unless a gate has closed since it was planned."""
        paper = await self.release(UUID(payload["case_id"]), UUID(payload["notice_id"]), reference)
        if paper is None:
            return Failed(WITHHELD)
        made = await asyncio.to_thread(rendered, paper)
        digest = sha256(made.content).hexdigest()
        await self.archive.put(archive_key(payload["case_id"], digest), made.content)
        said = {"window_profile": paper.window_profile, "language": paper.language}
        return Done(digest, {"sheets": made.sheets, **said})


class PrintRunPort(Alone):
    """Hands a batch to the print shop: a folder with the letters and their manifest, complete or not there."""

    def __init__(self, claim: Claim, archive: Blobs, folder: Path) -> None:
        self.claim, self.archive, self.folder = claim, archive, folder

    async def send(self, reference: str, payload: Mapping[str, Any]) -> Outcome:
        """Write the batch of this run. A run that a crash interrupted finds its batch and completes it."""
        run = await self.claim(reference, payload["operator"])
        place = self.folder / payload["operator"] / payload["batch_id"]
        if not run.entries and not (place / READY).exists():
            return Done(None, {"letters": [], "left_out": [str(each) for each in run.members], "more": run.more})
        if not (place / READY).exists():
            letters = {f"{each.letter_id}.pdf": await self._content(each) for each in run.entries}
            await asyncio.to_thread(_write_batch, place, letters, run.entries)
        manifest = (place / MANIFEST).read_bytes()
        written = [row.values["letter_id"] for row in read_csv(manifest, delimiter=",").rows]
        left_out = [str(each) for each in run.members if str(each) not in written]
        return Done(sha256(manifest).hexdigest(), {"letters": written, "left_out": left_out, "more": run.more})

    async def _content(self, entry: Entry) -> bytes:
        return await self.archive.get(archive_key(entry.case_id, entry.sha256))


class PullPort(Alone):
    """Calls back a letter that the print shop has: a list of one line beside its batch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def send(self, reference: str, payload: Mapping[str, Any]) -> Outcome:
        """`pull-<batch>-<letter>.csv`: the letter is in its name, so two lists never meet."""
        place = self.folder / payload["operator"] / f"pull-{payload['batch_id']}-{reference}.csv"
        await asyncio.to_thread(_write, place, write_csv(("letter_id",), [(reference,)], delimiter=","))
        return Done()


class ShredPort(Alone):
    """Deletes the bytes of a letter, in the archive and where the print shop took them from."""

    def __init__(self, archive: Blobs, folder: Path) -> None:
        self.archive, self.folder = archive, folder

    async def send(self, reference: str, payload: Mapping[str, Any]) -> Outcome:  # noqa: ARG002 - the port's signature
        """After this nothing but the digest is left."""
        await self.archive.remove(archive_key(payload["case_id"], payload["sha256"]))
        if payload.get("batch_id"):
            place = self.folder / payload["operator"] / payload["batch_id"] / f"{payload['letter_id']}.pdf"
            await asyncio.to_thread(place.unlink, missing_ok=True)
        return Done()


def _write_batch(place: Path, letters: Mapping[str, bytes], entries: Sequence[Entry]) -> None:
    """Beside its place under a name that nobody reads, then renamed; the digest of the manifest comes last."""
    beside = place.with_name(f".{place.name}")
    for left in (beside, place):  # what a crash left is not complete
        shutil.rmtree(left, ignore_errors=True)
    beside.mkdir(parents=True)
    for name, content in letters.items():
        _write(beside / name, content)
    manifest = write_csv(COLUMNS, [each.row for each in entries], delimiter=",")
    _write(beside / MANIFEST, manifest)
    beside.rename(place)
    _write(place / READY, f"{sha256(manifest).hexdigest()}\n".encode())


def _write(place: Path, content: bytes) -> None:
    """Whole or not at all, and there after a crash."""
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f".{place.name}.tmp")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
