"""Our files for partners: documents in `out/`, and beside what they dropped what became of it."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
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
from services.mdm_adapter.partners.profile import FileOut
from services.mdm_adapter.transports.folders import control_of, write_whole
from services.mdm_adapter.transports.rest import REASON

NOT_TAKEN = "not_taken"
"""Cause of a delivery that lies ready, and that the partner has not taken yet."""


class FilePort:
    """Puts our messages into the partner's `out/`; never overwrites."""

    repeatable = True
    retry: Sequence[timedelta] = SEND_AGAIN

    def __init__(self, store: Store, desk: Desk, root: Path) -> None:
        self.store, self.desk, self.root = store, desk, root

    async def send(self, _reference: str, payload: Mapping[str, Any]) -> Outcome:
        """Write the file once; the same bytes under the same name are the same delivery."""
        message_id = UUID(payload["message_id"])
        now = self.store.clock.now()
        found = await self.store.read(lambda db: queries.to_send(db, Scope.everything(REASON), message_id, now))
        faults.point("in.committed")
        if found is None:
            return Failed("no_recipient")
        if found.stale:
            return Failed(found.stale)
        if found.answers_to and self.desk.waiting.gives(found.answers_to, found.dialect, found.content):
            return Done(str(message_id))
        profile = self.desk.partners.find(payload["partner"])
        agreed = profile.out if profile and isinstance(profile.out, FileOut) else FileOut(kind="file_drop")
        name = f"{message_id}.{SUFFIXES[found.dialect]}"
        return await asyncio.to_thread(_deliver, self.root / payload["partner"], name, found.content, agreed)

    async def ask(self, _reference: str) -> Outcome | None:
        """A folder cannot be asked: the partner may have taken the file away."""
        return None

    async def close(self) -> None:
        """Nothing is held open."""


def _deliver(home: Path, name: str, content: bytes, agreed: FileOut) -> Outcome:
    """File, then control file. Where taking it counts, a note in `sent/` tells one that is taken from one never put."""
    path, note = home / "out" / name, home / "sent" / name
    try:
        if agreed.taking_counts and note.exists():
            if path.exists():
                return Transient(NOT_TAKEN)
            control_of(path).unlink(missing_ok=True)
            return Done(name)
        if path.exists() and path.read_bytes() != content:
            return Failed("name_clash")
        if not path.exists():
            write_whole(path, content)
        if agreed.control:
            write_whole(control_of(path), _control(content))
        if agreed.taking_counts:
            write_whole(note, b"")
            return Transient(NOT_TAKEN)
    except OSError as error:
        return Transient(type(error).__name__)
    return Done(name)


def _control(content: bytes) -> bytes:
    """What a reader can check a file by."""
    return json.dumps({"sha256": sha256(content).hexdigest(), "bytes": len(content), "records": 1}).encode()


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
        "result": state.lower(),
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
