"""The vendor profile `seven`: how its requests are made, its answers and callbacks read. No I/O.

Its callbacks are proved by `kit.webhooks.Seven`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.notification_service.domain.notices import NoticeState
from services.notification_service.errors import Unreadable

VENDOR = "seven"
SEND_PATH, STATUS_PATH = "/api/sms", "/api/status"
TAKEN = frozenset({"100", "101"})
REFUSED_FOR: Mapping[str, str] = {"202": "invalid_number"}
"""Result codes that name a cause of ours; every other refusal is the vendor's own."""

# fmt: off
MEANING: Mapping[str, NoticeState | None] = {
    "ACCEPTED":     NoticeState.SENT,
    "BUFFERED":     NoticeState.SENT,
    "TRANSMITTED":  NoticeState.SENT,
    "DELIVERED":    NoticeState.DELIVERED,
    "NOTDELIVERED": NoticeState.UNDELIVERED,
    "EXPIRED":      NoticeState.UNDELIVERED,
    "REJECTED":     NoticeState.UNDELIVERED,
    "FAILED":       NoticeState.UNDELIVERED,
}
# fmt: on
"""What a receipt says about a message; a status that is not here is kept and says nothing."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class Mo(_Data):
    """A text that somebody sent us (mobile originated)."""

    id: str = Field(min_length=1, max_length=80)
    sender: str = Field(max_length=80)
    text: str


class Dlr(_Data):
    """A delivery receipt."""

    msg_id: str = Field(min_length=1, max_length=80)
    status: str = Field(min_length=1, max_length=40)
    foreign_id: str | None = None
    """Our reference, where the vendor repeats it."""


class _MoEvent(_Data):
    webhook_event: Literal["sms_mo"]
    data: Mo


class _DlrEvent(_Data):
    webhook_event: Literal["dlr"]
    data: Dlr


_CALLBACK: TypeAdapter[_MoEvent | _DlrEvent] = TypeAdapter(
    Annotated[_MoEvent | _DlrEvent, Field(discriminator="webhook_event")]
)


def parse(body: bytes) -> Mo | Dlr:
    """A callback that was proved before; raises Unreadable, naming the place and nothing of the content."""
    try:
        return _CALLBACK.validate_json(body).data
    except ValidationError as error:
        places = ["/".join(map(str, found["loc"])) or "/" for found in error.errors(include_input=False)]
        raise Unreadable(places) from None


def request(to: str, sender: str, text: str, reference: str) -> dict[str, Any]:
    """The body that sends one SMS; `foreign_id` is our reference."""
    return {"to": to, "from": sender, "text": text, "foreign_id": reference, "dlr": 1}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor said to a sending: his id, or why not."""

    provider_id: str | None
    cause: str | None


def answer(document: Any) -> Answer | None:
    """Read the answer to a sending; None if it says neither yes nor no."""
    if not isinstance(document, dict):
        return None
    code = str(document.get("success", ""))
    if code not in TAKEN:
        return Answer(None, REFUSED_FOR.get(code, "blocked_by_vendor")) if code else None
    messages = document.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else {}
    found = first.get("id") if isinstance(first, dict) else None
    return Answer(str(found), None) if found else None
