"""Times and versions of the market: UTC in the segments, days that begin at midnight in Germany, a version by date."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
AUTUMN_25, SPRING_26, AUTUMN_26 = date(2025, 10, 1), date(2026, 4, 1), date(2026, 10, 1)
# fmt: off
VERSIONS: Mapping[str, tuple[str, Mapping[date, str]]] = {
    "UTILMD": ("D:11A", {AUTUMN_25: "S2.1", AUTUMN_26: "S2.2"}),
    "ORDERS": ("D:09B", {AUTUMN_25: "1.4b", AUTUMN_26: "1.4c"}),
    "ORDRSP": ("D:10A", {AUTUMN_25: "1.4a", SPRING_26: "1.4b", AUTUMN_26: "1.4c"}),
    "IFTSTA": ("D:18A", {AUTUMN_25: "2.0g", AUTUMN_26: "2.1"}),
    "INSRPT": ("D:10A", {AUTUMN_25: "1.1a"}),
    "MSCONS": ("D:04B", {AUTUMN_25: "2.4c", AUTUMN_26: "2.5"}),
    "APERAK": ("D:07B", {AUTUMN_25: "2.1i", AUTUMN_26: "2.2"}),
    "CONTRL": ("D:3",   {AUTUMN_25: "2.0b"}),
}
# fmt: on
"""Directory of the message, and its versions with the day from which each holds."""


def identifier(message: str, on: date) -> tuple[str, ...] | None:
    """S009 of a message on a day; None: the market has no such message then."""
    directory, versions = VERSIONS.get(message, ("", {}))
    valid = [version for begins, version in sorted(versions.items()) if begins <= on]
    return (message, *directory.split(":"), "UN", valid[-1]) if valid else None


def local(at: datetime) -> datetime:
    """A moment as clocks in Germany show it."""
    return at.astimezone(BERLIN)


def in_utc(sent: datetime) -> datetime:
    """What UNB says, as a moment."""
    return sent.replace(tzinfo=BERLIN).astimezone(UTC)


def stamp(at: datetime) -> str:
    """A moment in format 303."""
    return f"{at.astimezone(UTC):%Y%m%d%H%M}+00"


def midnight(day: date) -> datetime:
    """When a day begins in Germany."""
    return datetime.combine(day, time(), BERLIN).astimezone(UTC)


def moment(text: str) -> datetime | None:
    """A moment of format 303, which is UTC; None: it is none."""
    try:
        return datetime.strptime(text, "%Y%m%d%H%M+00").replace(tzinfo=UTC)
    except ValueError:
        return None


def day(text: str) -> date | None:
    """A day that a field of moments names; None: no day begins in Germany at that moment."""
    at = moment(text)
    return local(at).date() if at and local(at).time() == time() else None
