"""Segments of messages of ours, and the interchange that holds them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from services.mdm_adapter.dialects.edifact_fv.envelope import build
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET, begin_of_day, qualifier_of, written
from services.mdm_adapter.dialects.edifact_fv.market_sending import MarketSending, MissingFact, needed
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.versions import version_at
from services.mdm_adapter.dialects.edifact_fv.writing import write

AGENCIES = {"500": "293", "502": "332", "14": "9"}
"""DE0007 -> DE3055 (D-MP-2)."""
TEXT, TEXTS = 512, 5
"""FTX C108 holds five components of 512 characters."""


def seg(tag: str, *elements: str | tuple[str, ...]) -> Segment:
    """A segment; a plain text is an element of one component."""
    return Segment(tag, tuple((each,) if isinstance(each, str) else each for each in elements))


def at(qualifier: str, instant: datetime) -> Segment:
    """DTM with a moment."""
    return seg("DTM", (qualifier, written(instant), "303"))


def day(qualifier: str, on: date) -> Segment:
    """DTM with a day: the moment at which it begins in Germany."""
    return at(qualifier, begin_of_day(on))


def rff(qualifier: str, number: str) -> Segment:
    """RFF with a number."""
    return seg("RFF", (qualifier, number))


def window(start: date | None, end: date | None) -> list[Segment]:
    """DTM+469 and 472; the market knows no window of a single moment."""
    first, last = needed(start, "window_from"), needed(end, "window_to")
    if last <= first:
        raise MissingFact("window_to")
    return [day("469", first), day("472", last)]


def ftx(qualifier: str, text: str) -> Segment:
    """FTX with a text, as far as it fits."""
    parts = [text[begin : begin + TEXT] for begin in range(0, len(text), TEXT)][:TEXTS]
    return seg("FTX", qualifier, "", "", tuple(parts))


def nad(role: str, partner: str) -> Segment:
    """NAD of a market partner."""
    return seg("NAD", role, (partner, "", AGENCIES[qualifier_of(partner)]))


def parties(sending: MarketSending, first: str = "MS") -> list[Segment]:
    """Sender and receiver, in the order of the message."""
    both = [nad("MS", sending.sender), nad("MR", sending.receiver)]
    return both if first == "MS" else both[::-1]


def begin(sending: MarketSending, name: str, index: int = 0, function: str = "") -> list[Segment]:
    """BGM and DTM+137 of the n-th message."""
    documents = sending.numbers.documents
    number = needed(documents[index] if index < len(documents) else None, "number.document")
    return [seg("BGM", name, number, function), at("137", sending.at)]


def version_of(type_: str, sending: MarketSending) -> str:
    """The number of the version in which a message is written now."""
    return _version(type_, sending)[-1]


def _version(type_: str, sending: MarketSending) -> tuple[str, ...]:
    version = version_at(type_, sending.at.astimezone(MARKET).replace(tzinfo=None))
    if version is None:
        raise MissingFact(f"version of {type_}")
    return version.identifier()


def interchange(
    sending: MarketSending, type_: str, bodies: Iterable[Sequence[Segment]], application: str = ""
) -> bytes:
    """The bytes of an interchange; each body is what stands between UNH and UNT."""
    local, numbers = sending.at.astimezone(MARKET), sending.numbers
    head = seg(
        "UNB",
        ("UNOC", "3"),
        (sending.sender, qualifier_of(sending.sender)),
        (sending.receiver, qualifier_of(sending.receiver)),
        (f"{local:%y%m%d}", f"{local:%H%M}"),
        numbers.interchange,
        "",
        application,
    ).trimmed()
    identifier, messages = _version(type_, sending), []
    for index, body in enumerate(bodies):
        reference = needed(numbers.messages[index] if index < len(numbers.messages) else None, "number.message")
        messages.append([seg("UNH", reference, identifier), *(segment.trimmed() for segment in body)])
    return write(build(head, messages))
