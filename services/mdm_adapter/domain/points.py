"""What is known of metering points and postcodes apart from single orders: master data, each valid from a day on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from contracts.codes import Scheme
from kit.store import Aggregate
from services.mdm_adapter.documents.order_content import OrderContent
from services.mdm_adapter.documents.values import Location, Party, Value

ADDRESS = ("street", "number", "postcode", "city", "country")


class Learnt(StrEnum):
    """What master data were, beside what was known."""

    NEW = "accepted"
    CHANGED = "changed"
    SAME = "unchanged"


class MasterData(Value):
    """What is known of a point on a day, as far as anybody said it."""

    location: Location | None = None
    voltage: str | None = None
    """E03 to E06."""
    customer_class: str | None = None
    parties: tuple[Party, ...] = ()
    """Who holds which role, each from a day on."""

    def over(self, below: "MasterData") -> "MasterData":
        """Both together; what is said here wins. Another address replaces the old one as a whole."""
        said = self.model_dump(exclude_none=True, exclude={"location", "parties"})
        return MasterData.model_validate(
            {
                **below.model_dump(exclude={"location", "parties"}),
                **said,
                "location": _moved(below.location, self.location),
                "parties": _joined(below.parties, self.parties),
            }
        )

    def content(self) -> OrderContent:
        """The same in the form of an order that says nothing else."""
        return OrderContent(
            order_no="",
            order_version=0,
            location=self.location,
            voltage=self.voltage,
            customer_class=self.customer_class,
            parties=self.parties or None,
        )


class Since(Value):
    """What holds from a day on; without a day: what orders said, or what always held."""

    valid_from: date | None = None
    facts: MasterData


@dataclass(kw_only=True, eq=False)
class Point(Aggregate):
    """A metering point, as imports and orders tell of it."""

    metering_point_id: str
    scheme: Scheme
    states: tuple[Since, ...] = ()
    """Oldest first."""

    def key(self) -> str:
        return self.metering_point_id

    def on(self, day: date) -> MasterData:
        """What is known on that day: later states win."""
        found = MasterData()
        for state in self.states:
            if (state.valid_from or date.min) <= day:
                found = state.facts.over(found)
        return found

    def learn(self, facts: MasterData, valid_from: date | None = None) -> Learnt:
        """Take over what somebody said of it."""
        before = next((each for each in self.states if each.valid_from == valid_from), None)
        after = facts.over(before.facts) if before else facts
        if before and after == before.facts:
            return Learnt.SAME
        is_new = not self.states
        others = [each for each in self.states if each is not before]
        states = [*others, Since(valid_from=valid_from, facts=after)]
        self.states = tuple(sorted(states, key=lambda each: each.valid_from or date.min))
        return Learnt.NEW if is_new else Learnt.CHANGED


@dataclass(kw_only=True, eq=False)
class KnownArea(Aggregate):
    """In which municipality, and in which stage of the rollout, a postcode lies."""

    area_key: str
    municipality: str
    stage: str | None = None

    def key(self) -> str:
        return self.area_key

    def learn(self, municipality: str, stage: str | None) -> Learnt:
        """Take over what an import says."""
        if (self.municipality, self.stage) == (municipality, stage):
            return Learnt.SAME
        self.municipality, self.stage = municipality, stage
        return Learnt.CHANGED


def area_key(country: str, postcode: str) -> str:
    """The name of a postcode; those of two countries may be equal."""
    return f"{country}/{postcode.replace(' ', '')}"


def said_by(content: OrderContent) -> MasterData:
    """What an order says about its point."""
    return MasterData(
        location=content.location,
        voltage=content.voltage,
        customer_class=content.customer_class,
        parties=content.parties or (),
    )


def is_same_place(one: Location | None, other: Location | None) -> bool:
    """Whether nothing that both say of the address differs."""
    if one is None or other is None:
        return True
    both = ((getattr(one, name), getattr(other, name)) for name in ADDRESS)
    return all(left is None or right is None or left == right for left, right in both)


def _moved(below: Location | None, above: Location | None) -> Location | None:
    if above is None or below is None:
        return above or below
    if not is_same_place(below, above):
        return above
    said: dict[str, Any] = above.model_dump(exclude_none=True)
    return below.model_copy(update=said)


def _joined(below: Iterable[Party], above: Iterable[Party]) -> tuple[Party, ...]:
    """Each role from each day on once; who is named later wins."""
    found = {(each.role, each.valid_from): each for each in (*below, *above)}
    return tuple(found[key] for key in sorted(found, key=lambda key: (key[0], key[1] or date.min)))
