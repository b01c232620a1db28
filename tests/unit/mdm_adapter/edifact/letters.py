"""Interchanges for tests, written as people write them; counts and references are put in."""

from collections.abc import Sequence
from datetime import datetime

from services.mdm_adapter.dialects.edifact_fv.checking import Checked, check
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET
from services.mdm_adapter.partners.profile import Profile

MSB, NB = "9900000001019", "9900000001027"
NOW = datetime(2026, 11, 24, 12, tzinfo=MARKET)
MELO = "DE0009991011500000000000000004711"
# fmt: off
IDS = {"UTILMD": "D:11A:UN:S2.2", "ORDERS": "D:09B:UN:1.4c", "ORDRSP": "D:10A:UN:1.4c", "IFTSTA": "D:18A:UN:2.1",
       "INSRPT": "D:10A:UN:1.1a", "MSCONS": "D:04B:UN:2.5", "APERAK": "D:07B:UN:2.2", "CONTRL": "D:3:UN:2.0b",
       "ORDCHG": "D:20B:UN:1.2"}
# fmt: on


def interchange(
    *messages: tuple[str, Sequence[str]], head: str = "", when: str = "261120:1100", ids: str = ""
) -> bytes:
    """An interchange of messages: their type and their segments between UNH and UNT."""
    lines = [head or f"UNB+UNOC:3+{NB}:500+{MSB}:500+{when}+NB0000000001"]
    for number, (type_, body) in enumerate(messages, 1):
        lines += [f"UNH+{number}+{type_}:{ids or IDS[type_]}", *body, f"UNT+{len(body) + 2}+{number}"]
    reference = lines[0].split("+")[5]
    return ("'".join([*lines, f"UNZ+{len(messages)}+{reference}"]) + "'").encode("latin-1")


def parties(first: str = "MS") -> list[str]:
    both = [f"NAD+MS+{NB}::293", f"NAD+MR+{MSB}::293"]
    return both if first == "MS" else both[::-1]


def begin(document: str, created: str = "202611201000") -> list[str]:
    return [f"BGM+{document}", f"DTM+137:{created}?+00:303"]


def iftsta(pid: str, status: str, *more: str, point: str = MELO) -> list[str]:
    """One IFTSTA about one point."""
    lines = [*begin("Z09+D1"), *parties("MR"), "CNI+1", f"LOC+172+{point}", f"STS+{status}", f"RFF+Z13:{pid}"]
    return [*lines, *more]


def order(pid: str, document: str, *more: str, head: Sequence[str] = ()) -> list[str]:
    return [*begin(f"{document}+D1"), *head, f"RFF+Z13:{pid}", *parties(), *more, "UNS+S"]


def answer(pid: str, document: str, decision: str, *more: str, head: Sequence[str] = ()) -> list[str]:
    return [
        *begin(f"{document}+D1"),
        *head,
        "RFF+ON:O1",
        f"RFF+Z13:{pid}",
        *more,
        f"AJT+{decision}",
        *parties(),
        "UNS+S",
    ]


def master_data(number: int = 1) -> list[str]:
    """A Vorgang of 55643 with one period."""
    lines = [f"IDE+24+V{number}", "STS+7++ZX7", f"LOC+Z17+{MELO}", "RFF+Z13:55643", "RFF+Z49::1"]
    lines += ["DTM+Z25:202611192300?+00:303", "SEQ+Z18+1", "SEQ+Z03+1", "CAV+Z30:::1HUB0000002002", "SEQ+Z20+1"]
    lines += ["PIA+5+1-0?:1.8.0:SRW", "SEQ+Z05+1", "SEQ+Z13+1"]
    for role in ("Z07", "Z08", "Z03", "Z05"):
        lines += [f"NAD+{role}+++Probe:Ada", "RFF+Z46:1"]
    return lines


def utilmd(*vorgaenge: Sequence[str], document: str = "E03+D1") -> list[str]:
    return [*begin(document), *parties(), *(line for each in vorgaenge for line in each)]


def readings(*more: str, quantity: str = "220:48213.4", day: str = "202611192300") -> list[str]:
    """A MSCONS 13017 of one device."""
    lines = [
        *begin("7+D1+9"),
        "RFF+Z13:13017",
        *parties(),
        "UNS+D",
        "NAD+DP",
        f"LOC+172+{MELO}",
        "RFF+MG:1OLD0000009876",
    ]
    return [*lines, "LIN+1", "PIA+5+1-0?:1.8.0:SRW", f"QTY+{quantity}", f"DTM+7:{day}?+00:303", *more]


def judged(type_: str, body: Sequence[str], profile: Profile | None = None) -> Checked:
    return check(interchange((type_, body)), NOW, profile)


def found(type_: str, body: Sequence[str]) -> list[str]:
    """Codes and places of everything that is wrong with one message."""
    return [f"{each.code} {each.position}" for each in judged(type_, body).findings]


def changed(body: Sequence[str], old: str, new: str | None) -> list[str]:
    """A message with another segment, or without it."""
    assert old in body
    return [new if line == old else line for line in body if not (line == old and new is None)]  # type: ignore[misc]
