"""The proof of the adapter's archive: its chain is computed anew from the first message to the last."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kit.auth import Scope
from kit.db import Db
from kit.settings import Settings
from services.mdm_adapter import store as queries
from services.mdm_adapter.archive import Broken, Chain, End
from services.mdm_adapter.sealing import folder_of, noted

PAGE = 500
REASON = "the archive is proved as a whole"


@dataclass(frozen=True)
class ArchiveProof:
    """What the walk along the chain came to."""

    messages: int
    ends: int
    """Noted ends that it had to pass."""
    broken: list[Broken]

    def line(self) -> str:
        """The same for people."""
        looked = f"{self.messages} messages" if self.messages else "nothing to look at"
        verdict = f"{len(self.broken)} BROKEN" if self.broken else "holds"
        return f"{'archive':<8} {verdict:<10} {looked}, noted ends: {self.ends}"

    def as_dict(self) -> Mapping[str, Any]:
        """For machines."""
        return {"messages": self.messages, "ends": self.ends, "broken": [asdict(each) for each in self.broken]}


async def prove_archive(db: Db, settings: Settings) -> ArchiveProof:
    """Walk along the whole chain, a page at a time; every message that does not fit is named."""
    scope = Scope.everything(REASON)
    head = await db.read(lambda connection: queries.chain_head(connection, scope))
    ends = list(noted(folder_of(settings)))
    if head is not None:
        ends.append(End(head.entries, head.hash, "the end in the database"))
    chain, messages = Chain.upto(ends), 0
    while True:
        behind = chain.entries
        page = await db.read(lambda connection: queries.chain(connection, scope, behind, PAGE))  # noqa: B023 -- awaited
        if not page:
            break
        messages += chain.take(page)
    return ArchiveProof(messages, len(ends), chain.finish())
