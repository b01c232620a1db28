"""What a single segment may say: times, points, parties, registers, quantities, device numbers, lengths."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from contracts.ids import agencies_agree, is_malo, is_market_partner, is_melo, is_resource, obis
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.tables import rows_at
from services.mdm_adapter.dialects.edifact_fv.vorgang import moment

MARKET = ZoneInfo("Europe/Berlin")
DEVICE_CHARACTERS = 35
QUALIFIERS = {"99": "500", "98": "502"}
"""First digits of a market partner -> DE0007; every other one is a number of GS1."""
GS1 = "14"
# fmt: off
POINTS: dict[str, Callable[[str], bool]] = {
    "malo": is_malo,
    "melo": is_melo,
    "nelo": lambda text: is_resource(text, "E"),
    "sr":   lambda text: is_resource(text, "C"),
    "tr":   lambda text: is_resource(text, "D"),
}
LOCATIONS = {"172": ("melo", "nelo", "sr", "tr"), "Z16": ("malo",), "Z17": ("melo",)}
# fmt: on
_QUANTITY = re.compile(r"[0-9]+(?:\.[0-9]{1,3})?")
_PHONE = re.compile(r"\+[0-9]+")
_PHONES = frozenset({"TE", "FX", "AJ", "AL"})


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong inside a segment."""

    code: str
    element: int
    component: int
    detail: str
    rule: str | None = None


def local_day(instant: datetime) -> date | None:
    """The day in Germany that begins at an instant; None: no day begins there."""
    local = instant.astimezone(MARKET)
    return local.date() if local.time() == time() else None


def begin_of_day(day: date) -> datetime:
    """The instant at which a day begins in Germany, in UTC."""
    return datetime.combine(day, time(), MARKET).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """The instant at which it ends: 23, 24 or 25 hours later."""
    return begin_of_day(day + timedelta(days=1))


def written(instant: datetime) -> str:
    """An instant in format 303."""
    return f"{instant.astimezone(UTC):%Y%m%d%H%M}+00"


def day_of(text: str) -> date | None:
    """A day of format 102."""
    if not (len(text) == 8 and text.isascii() and text.isdigit()):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def time_fault(segment: Segment, wanted: str | None, is_day: bool) -> Wrong | None:
    """A DTM: format, zone, and for a day that it begins at midnight in Germany. Other formats than 303, 102 pass."""
    text, form = segment.at(2, 2), segment.at(2, 3)
    if wanted and form != wanted:
        return Wrong("Z35", 2, 3, f"the format is {wanted}")
    if form == "303":
        instant = moment(text)
        if instant is None:
            return Wrong("Z35", 2, 2, "no time CCYYMMDDHHMM in UTC (+00)")
        if is_day and local_day(instant) is None:
            return Wrong("Z35", 2, 2, "a day begins at 00:00 in Germany")
    elif form == "102" and day_of(text) is None:
        return Wrong("Z35", 2, 2, "no day CCYYMMDD")
    elif is_day and form not in {"303", "102"}:
        return Wrong("Z35", 2, 3, "a day has format 303 or 102")
    return None


def point_fault(segment: Segment, schemes: tuple[str, ...] | None = None) -> Wrong | None:
    """A LOC must name a point of a kind that may stand there."""
    allowed = (schemes if segment.at(2) == "172" else None) or LOCATIONS.get(segment.at(2))
    point = segment.at(3)
    if allowed and not any(POINTS[scheme](point) for scheme in allowed):
        rule = "D-MALO-1" if allowed == ("malo",) else "D-MELO-1" if "melo" in allowed else "D-RES-1"
        return Wrong("Z35", 3, 1, f"no {' or '.join(allowed)}", rule)
    return None


def _register(segment: Segment) -> Iterator[Wrong]:
    for index, element in enumerate(segment.elements[1:], 3):
        if len(element) > 1 and element[1] == "SRW" and obis(element[0]) is None:
            yield Wrong("Z35", index, 1, "no register", "D-OBIS-1")


def _quantity(segment: Segment) -> Iterator[Wrong]:
    if not _QUANTITY.fullmatch(segment.at(2, 2)):
        yield Wrong("Z35", 2, 2, "a quantity is not negative and has at most 3 decimals")


def _contact(segment: Segment) -> Iterator[Wrong]:
    text, kind = segment.at(2), segment.at(2, 2)
    if kind == "EM" and not ("@" in text and "." in text):
        yield Wrong("Z35", 2, 1, "no e-mail address")
    elif kind in _PHONES and not _PHONE.fullmatch(text):
        yield Wrong("Z35", 2, 1, "a number is + and digits")


def _device(segment: Segment) -> Iterator[Wrong]:
    component = 4 if segment.tag == "CAV" else 2
    if segment.at(2) in {"Z30", "MG", "Z09"} and not 0 < len(segment.at(2, component)) <= DEVICE_CHARACTERS:
        yield Wrong("Z35", 2, component, "a device number has 1 to 35 characters", "D-DEV-1")


_RULES: dict[str, Callable[[Segment], Iterator[Wrong]]] = {
    "PIA": _register,
    "QTY": _quantity,
    "COM": _contact,
    "CAV": _device,
    "RFF": _device,
}


def faults(segment: Segment) -> Iterator[Wrong]:
    """What is wrong with a segment whatever its message is: codes of APERAK."""
    rule = _RULES.get(segment.tag)
    return rule(segment) if rule else iter(())


@lru_cache(64)
def _lengths(on: date) -> dict[str, tuple[tuple[int, int, int], ...]]:
    found: dict[str, tuple[tuple[int, int, int], ...]] = {}
    for row in rows_at("lengths.csv", on):
        limit = (int(row["element"]), int(row["component"]), int(row["characters"]))
        found[row["tag"]] = (*found.get(row["tag"], ()), limit)
    return found


def too_long(segment: Segment, on: date) -> Wrong | None:
    """An element that is longer than its table says on a day: code of CONTRL."""
    for element, component, limit in _lengths(on).get(segment.tag, ()):
        if len(segment.at(element, component)) > limit:
            return Wrong("39", element, component, f"more than {limit} characters")
    return None


def qualifier_of(partner: str) -> str:
    """The DE0007 that fits a partner's number."""
    return QUALIFIERS.get(partner[:2], GS1)


def party_warnings(partner: str, qualifier: str | None = None, agency: str | None = None) -> Iterator[str]:
    """What strikes the eye in a partner's number, and in the agency that is named for it (UNB or NAD)."""
    if not is_market_partner(partner):
        yield f"MPID_CHECK_DIGIT:{partner}"
    fitting = qualifier_of(partner)
    if qualifier is not None and qualifier != fitting:
        yield f"DE0007_PREFIX:{partner}"
    if agency is not None and not agencies_agree(fitting, agency):
        yield f"NAD_AGENCY:{partner}"
