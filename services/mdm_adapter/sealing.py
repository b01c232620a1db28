"""Once a day the end of the archive's chain is noted outside of the database: nobody rewrites both unseen."""

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from kit.auth import Scope
from kit.keys import write_private
from kit.settings import Settings
from kit.store import Store
from services.mdm_adapter import store as queries
from services.mdm_adapter.archive import End

EVERY_SECONDS = 60.0
REASON = "the end of the archive is that of all partners"


def folder_of(settings: Settings) -> Path:
    """Where the ends are noted: beside the anchors of the audit."""
    return settings.anchors_path / "mdm_adapter" / "archive"


class DailyEnds:
    """Writes a small file a day; one that is there is never written again."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder
        self._noted: date | None = None
        self._next = 0.0

    async def poll(self) -> bool:
        """Note today's end, if that was not done; never says that there is more to do."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_SECONDS
            await self.note()
        return False

    async def note(self) -> None:
        """Note the end of today, as soon as there is one."""
        today = self.store.clock.now().date()
        if today == self._noted:
            return
        head = await self.store.read(lambda db: queries.chain_head(db, Scope.everything(REASON)))
        if head is not None:
            said = json.dumps({"day": today.isoformat(), "entries": head.entries, "hash": head.hash})
            await asyncio.to_thread(write_private, self.folder / f"{today.isoformat()}.json", said.encode(), keep=True)
            self._noted = today


def noted(folder: Path) -> Iterator[End]:
    """The ends that were noted; a file that cannot be read is an end that nothing fits."""
    for place in sorted(folder.glob("*.json")):
        try:
            said = json.loads(place.read_text("utf-8"))
            yield End(int(said["entries"]), str(said["hash"]), f"the end of {said['day']}")
        except (ValueError, KeyError, TypeError):
            yield End(1, "", f"the file {place.name}, which cannot be read,")
