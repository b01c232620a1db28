"""Senders that wait for the answer to what they just handed in: they are given it, and it leaves on no other way."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it leaves."""

    dialect: str
    content: bytes


@dataclass
class Waiting:
    """Requests of this process that are kept open; one in another process is not known here, and ends without."""

    _asked: dict[UUID, "asyncio.Future[Given]"] = field(default_factory=dict)

    def expects(self, message_id: UUID) -> None:
        """From here on the answer to this message is waited for."""
        self._asked[message_id] = asyncio.get_running_loop().create_future()

    async def answer(self, message_id: UUID, seconds: float) -> Given | None:
        """The answer, if it is there in time."""
        try:
            return await asyncio.wait_for(self._asked[message_id], seconds)
        except TimeoutError:
            return None

    def forget(self, message_ids: Iterable[UUID]) -> None:
        """Nobody waits any more."""
        for message_id in message_ids:
            self._asked.pop(message_id, None)

    def gives(self, message_id: UUID, dialect: str, content: bytes) -> bool:
        """Hand an answer over; False: nobody waits for it, or somebody has it already."""
        asked = self._asked.get(message_id)
        if asked is None or asked.done():
            return False
        asked.set_result(Given(dialect, content))
        return True
