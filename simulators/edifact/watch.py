"""What a receiver can see of the order in which the hub sends (mdm-adapter, section 7): H1, H2, H3 and H9."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from simulators.edifact.calendar import day, local, moment
from simulators.edifact.documents import ANNOUNCED, GIVEN_UP, MASTER_DATA, READINGS, WITHDRAWN, Item


@dataclass
class _Point:
    """What came about one point."""

    open: dict[tuple[str, str, str], Item] = field(default_factory=dict)
    """Master data whose receipt is on its way."""
    taken: list[date] = field(default_factory=list)
    """Days from which master data hold that were acknowledged."""
    installed: set[str] = field(default_factory=set)
    installed_on: date = date.min
    new_read: set[date] = field(default_factory=set)
    """Days on which a device that stays was read."""
    withdrawn: bool = False
    given_up_on: date | None = None
    closed: bool = False


class Watch:
    """Looks at every Vorgang that comes to one recipient, and remembers what should not have come yet."""

    def __init__(self) -> None:
        self.points: dict[str, _Point] = {}
        self.readings: set[str] = set()
        """DE1004 of readings that came, without those that were taken back."""
        self.taken_back: set[str] = set()

    def came(self, item: Item, *, is_answered: bool) -> list[str]:
        """Rules that this Vorgang breaks; `is_answered`: a receipt of this side is going to follow."""
        point = self.points.setdefault(item.point, _Point())
        found = list(self._after_the_end(item, point))
        if item.pid in MASTER_DATA:
            found += self._master_data(item, point, is_answered=is_answered)
        elif item.pid == READINGS:
            found += self._reading(item, point)
        elif item.pid == WITHDRAWN:
            found += self._taken_back(item, point)
        elif item.pid in GIVEN_UP:
            point.given_up_on = _created_on(item)
        elif item.pid == ANNOUNCED:
            point.given_up_on = None
        return found

    def answered(self, item: Item, *, accepted: bool) -> None:
        """A receipt of this side leaves."""
        point = self.points.setdefault(item.point, _Point())
        point.open.pop(item.fact(), None)
        if accepted and item.pid in MASTER_DATA:
            point.taken.append(item.day("Z25") or date.min)

    def ordered(self, metering_point: str) -> None:
        """This side wants something done there: whatever ended before is over."""
        self.points[metering_point] = _Point(installed=self._of(metering_point).installed)

    def closed(self, metering_point: str) -> None:
        """The hub has confirmed that nothing will be done there any more."""
        self._of(metering_point).closed = True

    def _of(self, metering_point: str) -> _Point:
        return self.points.setdefault(metering_point, _Point())

    def _master_data(self, item: Item, point: _Point, *, is_answered: bool) -> Iterator[str]:
        fact, devices = item.fact(), set(item.devices())
        if any(other != fact for other in point.open):
            yield "H1 master data before the last ones were acknowledged"
        if is_answered:
            point.open[fact] = item
        for other, place in self.points.items():
            if other != item.point and (double := place.installed & devices):
                yield f"H3 {', '.join(sorted(double))} is still installed at {other}"
        point.installed, point.installed_on, point.withdrawn = devices, item.day("Z25") or date.min, False
        point.new_read.clear()

    def _reading(self, item: Item, point: _Point) -> Iterator[str]:
        on = day(item.time("7")) or date.min
        if item.document in self.taken_back:
            yield "H9 readings that were taken back"
        self.readings.add(item.document)
        if not any(taken >= on for taken in point.taken):
            yield "H2 readings before master data were acknowledged"
        for serial in item.devices():
            if serial not in point.installed:
                yield from ["H3 the removal behind the installation"] if on in point.new_read else []
            elif on > point.installed_on:  # what was built in earlier is read because it goes
                point.installed.discard(serial)
            else:
                point.new_read.add(on)

    def _taken_back(self, item: Item, point: _Point) -> Iterator[str]:
        quoted = item.first("RFF+ACW:").at(2, 2)
        if quoted not in self.readings:
            yield f"ACW {quoted} takes back what never came"
        self.readings.discard(quoted)
        self.taken_back.add(quoted)
        point.withdrawn = True

    def _after_the_end(self, item: Item, point: _Point) -> Iterator[str]:
        """H9: what was held when the work ended never leaves. Readings taken back, and the old data behind them, do."""
        if item.pid not in MASTER_DATA | {READINGS, ANNOUNCED} or point.withdrawn:
            return
        done_on = item.day("Z25") or item.day("7")
        if point.closed:
            yield "H9 the cancellation had been confirmed"
        elif point.given_up_on and done_on and done_on <= point.given_up_on:
            yield "H9 the work had been given up"


def _created_on(item: Item) -> date | None:
    created = moment(item.time("137"))
    return local(created).date() if created else None
