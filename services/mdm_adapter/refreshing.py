"""What was edited at the desk, or in the operator's folder, is in force everywhere within seconds; no restart."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from kit.auth import Scope
from kit.store import Store
from services.mdm_adapter import store_beside as queries
from services.mdm_adapter.desk import Desk
from services.mdm_adapter.domain.agreements import DEVICE_TYPES
from services.mdm_adapter.errors import BadProfile
from services.mdm_adapter.partners import device_types
from services.mdm_adapter.partners.codes import CodeMap, read_codes
from services.mdm_adapter.partners.loader import check_profile
from services.mdm_adapter.partners.profile import Profile

log = structlog.get_logger(__name__)

EVERY_SECONDS = 2.0
REASON = "what is agreed with partners holds for the whole service"
Stamp = tuple[tuple[str, int], ...]


class Refreshing:
    """Looks at the database and at the folder of profiles, and takes over what is new."""

    def __init__(self, store: Store, desk: Desk, folder: Path | None, every_seconds: float = EVERY_SECONDS) -> None:
        self.store, self.desk, self.folder, self.every_seconds = store, desk, folder, every_seconds
        self._next = 0.0
        self._edited: Stamp | None = None
        self._files: Stamp = self._stamp_of_files()

    async def poll(self) -> bool:
        """Look, if it is time; never says that there is more to do at once."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self.every_seconds
            await self.look()
        return False

    async def look(self) -> None:
        """Take over what changed since the last look; what cannot be taken leaves everything as it was."""
        try:
            if (files := self._stamp_of_files()) != self._files:
                self._files = files
                self.desk.partners.look_again()
            rows = await self.store.read(lambda db: queries.editions(db, Scope.everything(REASON)))
            edited = tuple(sorted((row.name, row.number) for row in rows))
            if edited != self._edited:
                self._take({row.name: row.text for row in rows})
                self._edited = edited
        except BadProfile as refused:
            log.warning("profiles were not taken", key=refused.file, count=len(refused.errors))

    def _stamp_of_files(self) -> Stamp:
        if self.folder is None or not self.folder.is_dir():
            return ()
        return tuple(sorted((file.name, file.stat().st_mtime_ns) for file in self.folder.iterdir() if file.is_file()))

    def _take(self, texts: Mapping[str, str]) -> None:
        profiles, codes = dict[str, Profile](), dict[str, CodeMap]()
        for name, text in texts.items():
            kind, _, partner = name.partition("/")
            if kind == "profile":
                _put(profiles, partner, check_profile(text)[0])
            elif kind == "codes":
                _put(codes, partner, read_codes(text)[0])
            elif name == DEVICE_TYPES and (rows := device_types.read(text)) is not None:
                self.desk.device_types.take(rows)
        self.desk.partners.take_edited(profiles, codes)


def _put(found: dict[str, Any], partner: str, read: Any) -> None:
    """What was right when it was edited may be wrong for a newer release: then the file counts, and it is logged."""
    if read is None:
        log.error("what was edited at the desk no longer fits", key=partner)
    else:
        found[partner] = read
