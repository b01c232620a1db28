"""What an order does not say is taken from what is known of its point and postcode, before the partner's defaults."""

from collections.abc import Iterator
from datetime import date

from kit.store import Ref, Unit
from services.mdm_adapter.documents.order_content import OrderContent
from services.mdm_adapter.documents.values import Location
from services.mdm_adapter.domain.points import KnownArea, MasterData, Point, area_key, is_same_place, said_by
from services.mdm_adapter.partners.profile import Profile


def needs_of_filling(profile: Profile, content: OrderContent, on: date, unit: Unit) -> Iterator[Ref]:
    """The point of an order, and the areas of the postcodes that it, or what is known of the point, names."""
    place, point = content.location, None
    if content.metering_point is not None:
        yield Point, content.metering_point.id
        point = unit.find(Point, content.metering_point.id)
    for each in (place, point.on(on).location if point else None):
        if key := _area_key(profile, each):
            yield KnownArea, key


def known_of(unit: Unit, profile: Profile, content: OrderContent, on: date) -> OrderContent:
    """What is known of an order's point on a day, as an order that says nothing else.

    An address that is not the one of the order is left out as a whole: two addresses are never mixed.
    """
    point = unit.find(Point, content.metering_point.id) if content.metering_point else None
    known = point.on(on) if point else MasterData()
    place = known.location if is_same_place(known.location, content.location) else None
    key = _area_key(profile, content.location) or _area_key(profile, place)
    area = unit.find(KnownArea, key) if key else None
    if area is not None:
        there = place or Location()
        there = there.model_copy(
            update={"municipality": there.municipality or area.municipality, "stage": there.stage or area.stage}
        )
        place = there
    return known.model_copy(update={"location": place}).content()


def learn_from(unit: Unit, content: OrderContent) -> None:
    """An order tells of its point, for those that say less."""
    facts = said_by(content)
    if content.metering_point is None or facts == MasterData():
        return
    point = unit.find(Point, content.metering_point.id)
    if point is None:
        point = Point(metering_point_id=content.metering_point.id, scheme=content.metering_point.scheme)
        unit.add(point)
    point.learn(facts)


def master_data_of(unit: Unit, metering_point_id: str, on: date) -> MasterData:
    """What is known of a point on a day: voltage, class, location, parties; of no point none. Needs `(Point, id)`."""
    point = unit.find(Point, metering_point_id) if metering_point_id else None
    return point.on(on) if point else MasterData()


def _area_key(profile: Profile, place: Location | None) -> str | None:
    """The area of an address; a country that nobody says is the partner's."""
    country = (place.country if place else None) or profile.defaults.country
    return area_key(country, place.postcode) if place and place.postcode and country else None
