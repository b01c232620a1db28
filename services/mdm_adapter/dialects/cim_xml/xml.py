"""Small words of reading and writing: texts, times, numbers, elements in their order."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from lxml import etree

MESSAGE = "http://iec.ch/TC57/2011/schema/message"
ORDERS = "http://iec.ch/TC57/2011/ServiceOrders#"
METERS = "http://iec.ch/TC57/2011/MeterConfig#"
LINKAGES = "http://iec.ch/TC57/2011/MasterDataLinkageConfig#"
READINGS = "http://iec.ch/TC57/2011/MeterReadings#"
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def texts(element: etree._Element | None, namespace: str, path: str) -> Iterator[str]:
    """The texts of all elements on a path of local names, blanks around them removed; empty ones too."""
    if element is not None:
        for found in element.iterfind(_steps(namespace, path)):
            yield (found.text or "").strip()


def leaves(element: etree._Element, prefix: str) -> dict[str, str]:
    """The texts of the elements right below whose tags begin so, by what follows; the first of each."""
    found, skipped = dict[str, str](), len(prefix)
    for child in element:
        tag = child.tag
        if tag.startswith(prefix):
            found.setdefault(tag[skipped:], (child.text or "").strip())
    return found


def first(element: etree._Element | None, namespace: str, path: str) -> etree._Element | None:
    """The first element on a path of local names."""
    return None if element is None else element.find(_steps(namespace, path))


@cache
def _steps(namespace: str, path: str) -> str:
    """A path of ours as the library wants it; there are as many as this package names."""
    return "/".join(f"{{{namespace}}}{step}" for step in path.split("/"))


def text(element: etree._Element | None, namespace: str, path: str) -> str | None:
    """The first text on a path; empty is absent."""
    return next(texts(element, namespace, path), "") or None


def instant(value: str | None) -> datetime | None:
    """A time with offset, in UTC; without offset, or unreadable, it is absent."""
    if not value:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def day(value: str | None, zone: ZoneInfo) -> date | None:
    """The local day of a time."""
    found = instant(value)
    return found.astimezone(zone).date() if found else None


def number(value: str | None) -> Decimal | None:
    """A decimal number; the schema has seen its form."""
    return Decimal(value) if value else None


def amount(value: str | None) -> Decimal:
    """A decimal number that the schema demands."""
    return Decimal(value or 0)


def written(value: datetime) -> str:
    """A time as we write it: UTC, with Z."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def day_start(value: date, zone: ZoneInfo) -> str:
    """The first moment of a local day."""
    return written(datetime.combine(value, time.min, zone))


def day_end(value: date, zone: ZoneInfo) -> str:
    """The last second of a local day."""
    return written(datetime.combine(value, time(23, 59, 59), zone))


def canonical(root: etree._Element) -> bytes:
    """A document in the one form in which we write: declaration, the tree as it is, the end of the last line."""
    return DECLARATION + etree.tostring(root, encoding="UTF-8", xml_declaration=False) + b"\n"


class Writer:
    """Writes elements of one namespace below a parent; what has no value is not written, nor a group of nothing."""

    __slots__ = ("_above", "_element", "_name", "_prefix")

    def __init__(self, element: etree._Element | None, prefix: str, above: "Writer | None", name: str) -> None:
        self._element, self._prefix, self._above, self._name = element, prefix, above, name

    @classmethod
    def below(cls, element: etree._Element, namespace: str) -> "Writer":
        """Into an element that is there."""
        return cls(element, f"{{{namespace}}}", None, "")

    def inside(self, name: str) -> "Writer":
        """A new element, to be filled; it comes into being with the first that is written into it."""
        return Writer(None, self._prefix, self, name)

    @property
    def element(self) -> etree._Element:
        """The element that is written into."""
        if self._element is None:
            assert self._above is not None  # noqa: S101 -- only a group can be without element
            self._element = etree.SubElement(self._above.element, self._prefix + self._name)
        return self._element

    def leaf(self, name: str, value: object | None, **attributes: str) -> None:
        """An element with a text, unless there is no value."""
        if value is not None:
            leaf = etree.SubElement(self.element, self._prefix + name, attributes or None)
            leaf.text = str(value)
