"""What the hub says to a market party: one Vorgang after the other, and what this party's own eyes find wrong in it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from itertools import pairwise

from simulators.edifact import calendar
from simulators.edifact.syntax import Interchange, Message, Segment

BEGINS = {"UTILMD": "IDE", "IFTSTA": "CNI", "INSRPT": "DOC"}
"""The segment with which a Vorgang begins; every other message is one."""
ACKNOWLEDGEMENTS = frozenset({"APERAK", "CONTRL"})
MASTER_DATA, READINGS, WITHDRAWN = frozenset({"55643", "55653", "55663"}), "13017", "13006"
ANNOUNCED, GIVEN_UP = "21029", frozenset({"21025", "21027"})
NAMES: Mapping[str, str] = {
    ANNOUNCED: "work_status",
    **dict.fromkeys(MASTER_DATA, "device_exchange_completed"),
    **dict.fromkeys(GIVEN_UP, "work_not_completed"),
    READINGS: "readings",
    WITHDRAWN: "readings_withdrawn",
    "17009": "work_order_requested",
}
"""What a message is called in every dialect, by its PID."""
ANSWERS: Mapping[str, tuple[str, str, str]] = {
    "19005": ("accepted", "AJT+", "RFF+ON:"),
    "19006": ("rejected", "AJT+", "RFF+ON:"),
    "19015": ("accepted", "AJT+", "RFF+ON:"),
    "19016": ("rejected", "AJT+", "RFF+ON:"),
    "23003": ("rejected", "STS+E01+", "RFF+AAV:"),
    "23004": ("accepted", "STS+E01+", "RFF+AAV:"),
}
"""Answers of the hub to orders: what they say, where the code stands, and what they quote."""
_TO_ALL = frozenset(ANSWERS)
# fmt: off
FOR: Mapping[str, frozenset[str]] = {
    "nb":   _TO_ALL | {ANNOUNCED, "21027", "55643", READINGS, WITHDRAWN},
    "lf":   _TO_ALL | {ANNOUNCED, "21025", "55653", READINGS, WITHDRAWN},
    "wmsb": _TO_ALL | {ANNOUNCED, "21027", "55663", READINGS, WITHDRAWN},
    "msba": _TO_ALL | {"17009", "55663", READINGS, WITHDRAWN},
}
"""PIDs that a role of the market has a use for."""
_PERIOD = ("STS+7++ZX7", "LOC+Z17+", "RFF+Z49::1", "DTM+Z25:", "SEQ+Z18+1", "SEQ+Z03+1", "SEQ+Z20+1", "NAD+Z05")
_HOUSE = ("NAD+Z07", "NAD+Z08", "NAD+Z03")
MUST: Mapping[str, Sequence[str]] = {
    ANNOUNCED: ("LOC+172+", "STS+Z"),
    "21025":   ("LOC+172+", "STS+Z15+Z13+"),
    "21027":   ("LOC+172+", "STS+Z15+Z13+"),
    "55643":   (*_PERIOD, *_HOUSE),
    "55653":   _PERIOD,
    "55663":   (*_PERIOD, *_HOUSE),
    READINGS:  ("NAD+DP", "LOC+172+", "RFF+MG:", "LIN+1", "PIA+5+", "QTY+", "DTM+7:"),
    WITHDRAWN: ("RFF+ACW:", "LOC+172+"),
    "17009":   ("BGM+Z13+", "DTM+203:", "IMD++Z5", "LOC+172+", "LIN+1", "CCI+++"),
    "19005":   ("RFF+ON:", "AJT+A0"),
    "19006":   ("RFF+ON:", "AJT+A"),
    "19015":   ("RFF+ON:", "AJT+ZB"),
    "19016":   ("RFF+ON:", "AJT+"),
    "23003":   ("DOC+22", "RFF+AAV:", "STS+E01++"),
    "23004":   ("DOC+22", "RFF+AAV:", "DTM+292:", "STS+Z06+Z10", "STS+E01++E15"),
}
"""How segments begin that a Vorgang must have."""
HAS_DAYS: Mapping[str, Sequence[str]] = {
    ANNOUNCED: ("469", "472"),
    READINGS: ("7",),
    **dict.fromkeys(MASTER_DATA, ("Z25", "Z26")),
    **dict.fromkeys(("19005", "19006"), ("203", "469", "472")),
}
# fmt: on
"""DTM that name a day."""
_NUMBERED = ("BGM+", "DTM+137", "IDE+", "CNI+", "DOC+", "RFF+AGK")
"""Segments that number or date a document; they say nothing about the world."""
_POINT = re.compile(r"[A-Z0-9]{11}|[A-Z]{2}[0-9]{6}[A-Z0-9]{25}")


@dataclass(frozen=True)
class Item:
    """One Vorgang, with the head of its message before it."""

    came: Interchange
    message: Message
    number: str
    """Of its IDE, CNI or DOC group; empty where the message is the Vorgang."""
    segments: tuple[Segment, ...]

    def all(self, begin: str) -> Iterator[Segment]:
        """Segments that begin so."""
        return (segment for segment in self.segments if segment.text.startswith(begin))

    def first(self, begin: str) -> Segment:
        """The first of them; one without content where there is none."""
        return next(self.all(begin), Segment(begin[:3], ()))

    def time(self, qualifier: str) -> str:
        """What a DTM says."""
        return self.first(f"DTM+{qualifier}:").at(2, 2)

    def day(self, qualifier: str) -> date | None:
        """The day that a DTM names."""
        return calendar.day(self.time(qualifier))

    @property
    def pid(self) -> str:
        return self.first("RFF+Z13:").at(2, 2)

    @property
    def document(self) -> str:
        """DE1004."""
        return self.first("BGM+").at(3)

    @property
    def point(self) -> str:
        """The point that it is about."""
        return self.first("LOC+172+").at(3) or self.first("LOC+Z17+").at(3)

    @property
    def name(self) -> str:
        """What it is called in every dialect."""
        return NAMES.get(self.pid, self.pid)

    @property
    def is_intelligent(self) -> bool:
        """It announces an intelligent system: a competing operator must answer."""
        return any(self.all("STS+Z19+Z17"))

    def devices(self) -> tuple[str, ...]:
        """Numbers of the devices of this document, in their order."""
        read = (segment.at(2, 2) for segment in self.all("RFF+MG:")) if self.pid == READINGS else ()
        return (*read, *(segment.at(2, 4) for segment in self.all("CAV+Z30:")))

    def fact(self) -> tuple[str, str, str]:
        """The same for the same words about the same point, whatever numbers they come under."""
        words = [segment.text for segment in self.segments if not segment.text.startswith(_NUMBERED)]
        return self.pid, self.point, sha256("'".join(words).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Receipt:
    """What an APERAK or a CONTRL of the hub says."""

    what: str
    """CONTRL 4, APERAK 312, APERAK 313."""
    quoted: str
    """DE0020 of what it acknowledges."""
    errors: tuple[str, ...]


def receipt(message: Message) -> Receipt:
    """Read a receipt."""
    found = {"": Segment("", ())} | {segment.text.partition(":")[0]: segment for segment in message.segments}
    if message.type == "CONTRL":
        uci = next((segment for segment in message.segments if segment.tag == "UCI"), found[""])
        codes = [segment.at(5) for segment in message.segments if segment.tag == "UCM"]
        return Receipt(f"CONTRL {uci.at(5)}", uci.at(2), tuple(filter(None, (uci.at(6), *codes))))
    kind = next((segment.at(2) for segment in message.segments if segment.tag == "BGM"), "")
    errors = [segment.at(2) for segment in message.segments if segment.tag == "ERC"]
    return Receipt(f"APERAK {kind}", found.get("RFF+ACE", found[""]).at(2, 2), tuple(errors))


def items(came: Interchange) -> Iterator[Item]:
    """Everything in an interchange that is processed, or refused, by itself."""
    for message in came.messages:
        inside = message.segments[1:-1]
        tag = BEGINS.get(message.type)
        begins = [index for index, segment in enumerate(inside) if segment.tag == tag] if tag else []
        if not begins:
            yield Item(came, message, "", inside)
        for begin, end in pairwise([*begins, len(inside)]):
            first = inside[begin]
            number = first.at(2) if tag == "CNI" else first.at(3)
            yield Item(came, message, number, (*inside[: begins[0]], *inside[begin:end]))


def version_fault(message: Message, came: Interchange) -> bool:
    """A message is of another version than the day of its interchange demands."""
    return message.identifier != calendar.identifier(message.type, came.sent.date())


def faults(item: Item, role: str) -> list[str]:
    """What is wrong with a Vorgang in the eyes of this role: code of an APERAK, and where."""
    if item.pid not in FOR[role]:
        return [f"Z31 {item.pid}"]
    found = [f"Z29 {begin}" for begin in MUST[item.pid] if not any(item.all(begin))]
    found += [f"Z35 DTM+{q}" for q in HAS_DAYS.get(item.pid, ()) if any(item.all(f"DTM+{q}:")) and not item.day(q)]
    if not _POINT.fullmatch(item.point or "0" * 11):
        found.append("Z35 LOC")
    return [*found, *_of_times(item), *_of_parties(item)]


def _of_times(item: Item) -> Iterator[str]:
    """Moments are UTC; a document is not from the future; an exchange lies on the day of its reading."""
    for segment in item.all("DTM+"):
        if segment.at(2, 3) == "303" and calendar.moment(segment.at(2, 2)) is None:
            yield f"Z35 DTM+{segment.at(2)}"
    created, sent = calendar.moment(item.time("137")), calendar.in_utc(item.came.sent)
    if created is None or created > sent + timedelta(minutes=5):
        yield "Z41 DTM+137"
    changed, day = calendar.moment(item.time("60")), item.day("7")
    if item.pid == READINGS and changed and day != calendar.local(changed).date():
        yield "Z41 DTM+60"


def _of_parties(item: Item) -> Iterator[str]:
    """Who stands in UNB stands in NAD; readings name their application."""
    came = item.came
    for role, element in (("MS", 3), ("MR", 4)):
        if item.first(f"NAD+{role}+").at(3) != came.head.at(element):
            yield f"Z35 NAD+{role}"
    if item.message.type == "MSCONS" and came.head.at(8) != "VL":
        yield "Z35 UNB"
