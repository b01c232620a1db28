"""Reply codes of the dialect; what a partner's code means to the hub stands in `partners/codes.py`."""

from types import MappingProxyType

ACCEPTED, RECEIVED = "0.0", "0.3"
HEADER, REQUEST, PAYLOAD, UNREADABLE, VERSION = "1.5", "1.6", "1.7", "1.8", "1.9"
DEVICE, NOUN, VERB, POINT, SOURCE = "2.4", "2.5", "2.9", "2.12", "2.14"
ID_REUSED, PLACE, DECLINED = "2.15", "2.32", "6.1"

# What the XML reader finds, as the code of the answer.
READER = MappingProxyType({"NAMESPACE": VERSION, "NOUN": NOUN})


def reply_code(reader_code: str) -> str:
    """The code that answers a finding of the XML reader."""
    return READER.get(reader_code, UNREADABLE)
