"""Under which references an interchange of ours will be quoted: what has to be remembered when it leaves."""

from collections.abc import Iterator

from services.mdm_adapter.dialects.edifact_fv.envelope import Message, read
from services.mdm_adapter.dialects.edifact_fv.vorgang import vorgaenge
from services.mdm_adapter.dialects.items import Reference


def keys_of(content: bytes) -> tuple[Reference, ...]:
    """The keys of an interchange: ACE, then for each message AGO, ACW, ON, and for each Vorgang TN or ADY."""
    reading = read(content)
    found = [key for message in reading for key in _of_message(message)]
    return (Reference("ACE", reading.head.reference), *dict.fromkeys(found))


def _of_message(message: Message) -> Iterator[Reference]:
    head, inside = vorgaenge(message)
    number = head.value("BGM", 3)
    if not number:
        return
    yield from (Reference("AGO", number), Reference("ACW", number))
    if message.type == "ORDERS":
        yield Reference("ON", number)
    for vorgang in inside:
        match message.type:
            case "UTILMD":
                yield Reference("TN", vorgang.number)
            case "IFTSTA":  # its number runs within the document
                yield Reference("ADY", f"{number}/{vorgang.number}")
            case "INSRPT" if vorgang.number:
                yield from (Reference("TN", vorgang.number), Reference("AAV", vorgang.number))
