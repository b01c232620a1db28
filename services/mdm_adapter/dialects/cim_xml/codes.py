"""Reply codes of the dialect: what we write, and what a partner's code means to the hub."""

from collections.abc import Mapping
from types import MappingProxyType

from contracts.codes import HubReason

ACCEPTED, RECEIVED = "0.0", "0.3"
HEADER, REQUEST, PAYLOAD, UNREADABLE, VERSION = "1.5", "1.6", "1.7", "1.8", "1.9"
NOUN, VERB, POINT, SOURCE, ID_REUSED, PLACE, DECLINED = "2.5", "2.9", "2.12", "2.14", "2.15", "2.32", "6.1"

_R = HubReason
# fmt: off
HUB_REASON: Mapping[str, HubReason] = MappingProxyType({
    **dict.fromkeys(("1.5", "1.6", "1.7", "1.8", "2.5", "2.9"), _R.SCHEMA),
    "1.9":                                                      _R.VERSION,
    **dict.fromkeys(("2.4", "2.6", "2.18", "2.30"),             _R.UNKNOWN_DEVICE),
    **dict.fromkeys(("2.12", "2.22", "2.32"),                   _R.UNKNOWN_METERING_POINT),
    **dict.fromkeys(("2.13", "2.29"),                           _R.LINK_CONFLICT),
    "2.14":                                                     _R.UNAUTHORISED,
    "2.15":                                                     _R.OTHER,
    **dict.fromkeys(("3.1", "3.2", "5.1", "5.2"),               _R.BUSY),
    "4.1":                                                      _R.TIMEOUT,
    **dict.fromkeys(("5.3", "5.4", "5.8", "5.9", "6.1"),        _R.OTHER),
    "6.2":                                                      _R.ON_HOLD,
    "6.3":                                                      _R.RELEASED,
    "6.4":                                                      _R.RESCHEDULED,
    "6.5":                                                      _R.CANCELLED_BY_CIS,
    **{f"7.{number}": _R.UNAUTHORISED for number in range(1, 8)},
})
# fmt: on


def hub_reason(code: str) -> HubReason:
    """What a code of a partner means; local numbers are OTHER, their code and text are kept."""
    return HUB_REASON.get(code, HubReason.OTHER)


# What the XML reader finds, as the code of the answer.
READER = MappingProxyType({"NAMESPACE": VERSION, "NOUN": NOUN})


def reply_code(reader_code: str) -> str:
    """The code that answers a finding of the XML reader."""
    return READER.get(reader_code, UNREADABLE)
