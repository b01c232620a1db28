"""Whether the archive still holds what it was given: every link of its chain is computed anew."""

from collections.abc import Iterable
from typing import Any

from services.mdm_adapter.domain.messages import START, digest


def broken_links(entries: Iterable[Any]) -> tuple[int, list[str]]:
    """How many entries were looked at, and the ids of those that do not fit: their bytes, or their place in the chain.

    Entries come in the order of the chain, with id, sha256, content, prev_hash and hash.
    """
    before, seen, broken = START, 0, []
    for entry in entries:
        seen += 1
        own = digest(entry.content)
        linked = entry.prev_hash == before and entry.hash == digest(f"{before}{own}{entry.id}".encode())
        if own != entry.sha256 or not linked:
            broken.append(str(entry.id))
        before = entry.hash
    return seen, broken
