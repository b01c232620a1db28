"""The hub's side for tests of a market party: interchanges as the adapter writes them, judged as it judges them."""

from datetime import UTC, datetime
from typing import Any

from kit.clock import ManualClock
from services.mdm_adapter.checking import Verdict, check
from services.mdm_adapter.dialects.edifact_fv import messages as adapter
from services.mdm_adapter.documents.matrix import Role
from simulators.edifact.party import EdifactParty
from simulators.edifact.syntax import Interchange, read
from simulators.partner import Action
from tests.unit.mdm_adapter.edifact.letters import MSB, NB
from tests.unit.mdm_adapter.edifact.sendings import ANNOUNCED_IMS, EXCHANGE, POINT, failed, sending

__all__ = ["ANNOUNCED_IMS", "EXCHANGE", "MSB", "NB", "POINT", "failed"]

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROLES = {"nb": Role.NB, "lf": Role.LF, "wmsb": Role.WMSB}
ORDER = POINT.id


def a_party(role: str = "nb", *actions: str | Action, at: datetime = NOW) -> EdifactParty:
    """A party with this script for everything."""
    scripts = {"*": actions} if actions else None
    return EdifactParty(ManualClock(at), f"{role}-nord", role, scripts, code=NB, hub=MSB)


def told(document: Any, role: str = "nb", number: int = 101, **more: Any) -> bytes:
    """A report of the hub to this role."""
    return adapter.encode(document, sending(number=number, role=ROLES[role], **more))


def readings(number: int = 201, document: Any = EXCHANGE, **more: Any) -> bytes:
    return adapter.encode_readings(document, sending(number=number, **more))


class Sent:
    """Takes what a party sends."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []

    async def __call__(self, partner: str, message: bytes) -> None:
        self.messages.append((partner, message))

    def contents(self) -> list[bytes]:
        return [message for _, message in self.messages]

    def said(self) -> list[str]:
        """Message and PID, or the kind of receipt, of everything that was sent."""
        return [word for content in self.contents() for word in words(read(content))]


def words(came: Interchange) -> list[str]:
    found = []
    for message in came.messages:
        texts = [segment.text for segment in message.segments]
        pid = next((text.partition(":")[2] for text in texts if text.startswith("RFF+Z13:")), "")
        kind = next((text.split("+")[1] for text in texts if text.startswith("BGM+")), "")
        errors = [text.split("+")[1] for text in texts if text.startswith("ERC+")]
        found.append(" ".join([message.type, pid or kind, *errors]).strip())
    return found


async def sends(party: EdifactParty, sent: Sent) -> list[str]:
    """Everything that is due now."""
    sent.messages.clear()
    await party.act(sent)
    return sent.said()


def verdict(content: bytes, at: datetime = NOW) -> Verdict:
    """What `hub check` says of a message."""
    return check(content, as_of=at)
