"""What identifies a message and what it is about, in a few words: the first message of an interchange."""

from services.mdm_adapter.dialects.edifact_fv.envelope import Head, Message
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.vorgang import Part

# fmt: off
FIRST = {  # name: pattern, element, component
    "pid":         ("RFF+Z13", 2, 2),
    "transaction": ("IDE+24", 3, 1),
    "melo":        ("LOC+172|Z17", 3, 1),
    "malo":        ("LOC+Z16", 3, 1),
    "erc":         ("ERC", 2, 1),
    "obis":        ("PIA++:SRW", 3, 1),
    "action":      ("UCI", 5, 1),
    "uci_ref":     ("UCI", 2, 1),
}
# fmt: on
REFERENCES = ("AAG", "ACE", "ACW", "ADY", "AGO", "MG", "ON", "TN")
TIMES = ("7", "60", "76", "203", "292", "293", "469", "472", "Z25")


def key_fields(head: Head, message: Message, messages: int, segments: int) -> dict[str, str | int]:
    """By name; what is not there has no name."""
    part = Part(message, tuple(enumerate(message.segments[1:-1], 2)))
    said: dict[str, str | int] = {
        "type": message.type,
        "version": message.version,
        "sender": head.sender,
        "receiver": head.receiver,
        "dar": head.reference,
        "messages": messages,
        "segments": segments,
    }
    found = {name: part.value(text, element, component) for name, (text, element, component) in FIRST.items()}
    found |= {f"ref_{qualifier.lower()}": part.reference(qualifier) for qualifier in REFERENCES}
    found |= {f"dtm_{qualifier}": part.value(f"DTM+{qualifier}", 2, 2) for qualifier in TIMES}
    found |= {"bgm": part.value("BGM", 2), "doc_no": part.value("BGM", 3)}
    if quantity := part.first("QTY"):
        found["qty"] = f"{quantity.at(2)}:{quantity.at(2, 2)}"
    found |= {name: _plain(segment) for name, tag in (("sts", "STS"), ("ajt", "AJT")) if (segment := part.first(tag))}
    said |= {name: value for name, value in found.items() if value}
    if message.type == "CONTRL":
        said["syntax_code"] = part.value("UCI", 6)
    return said


def _plain(segment: Segment) -> str:
    """A segment's elements as one reads them, without its tag."""
    return "+".join(":".join(element) for element in segment.trimmed().elements)
