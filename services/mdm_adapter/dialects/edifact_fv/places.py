"""Names and addresses in NAD, both ways."""

from collections.abc import Iterator

from services.mdm_adapter.dialects.edifact_fv.composing import seg
from services.mdm_adapter.dialects.edifact_fv.market_sending import needed
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.documents.values import Customer, Location

PERSON, COMPANY = "Z01", "Z02"
NAME_FORMS = {"person": PERSON, "company": COMPANY}
CLASSES = {form: name for name, form in NAME_FORMS.items()}


def name(customer: Customer | None, customer_class: str | None) -> tuple[str, ...]:
    """C080: a person by surname and first name, a company as it is called."""
    form = needed(NAME_FORMS.get(customer_class or ""), "master_data.customer_class")
    called = needed(customer.name if customer else None, "contact.name")
    first, _, last = called.rpartition(" ") if form == PERSON else ("", "", called)
    return (last, first, "", "", "", form)


def address(location: Location | None) -> tuple[str | tuple[str, ...], ...]:
    """C059, city, region, postcode, country."""
    place = location or Location()
    street, number = needed(place.street, "address.street"), needed(place.number, "address.number")
    city, postcode = needed(place.city, "address.city"), needed(place.postcode, "address.postcode")
    country = needed(place.country, "address.country")
    return ((street, "", number, place.addition or ""), city, "", postcode, country)


def as_said(location: Location | None) -> tuple[str | tuple[str, ...], ...]:
    """The same, as far as it is known."""
    place = location or Location()
    street = (place.street or "", "", place.number or "", place.addition or "")
    return (street, place.city or "", "", place.postcode or "", place.country or "")


def nad(role: str, called: tuple[str, ...] = (), at: tuple[str | tuple[str, ...], ...] = ()) -> Segment:
    """NAD with a name, an address, or both."""
    return seg("NAD", role, "", "", called or "", *at)


def contact(asked: Customer | None) -> Iterator[Segment]:
    """CTA and COM of somebody who can be asked, behind a NAD."""
    if asked is None or not (asked.phone or asked.email):
        return
    yield seg("CTA", "IC", ("", asked.name or ""))
    if asked.phone:
        yield seg("COM", (asked.phone, "TE"))
    if asked.email:
        yield seg("COM", (asked.email, "EM"))


def name_of(segment: Segment) -> str | None:
    """The name in a NAD as one says it."""
    first, last = segment.at(5, 2), segment.at(5)
    return " ".join(filter(None, (first, last))) or None


def location_of(segment: Segment) -> Location | None:
    """The address in a NAD, as far as it says one."""
    said = dict(_address(segment))
    return Location(**said) if said else None


def _address(segment: Segment) -> Iterator[tuple[str, str]]:
    places = {"street": (6, 1), "number": (6, 3), "addition": (6, 4), "city": (7, 1), "postcode": (9, 1)}
    places["country"] = (10, 1)
    for field, (element, component) in places.items():
        if value := segment.at(element, component):
            yield field, value


def one_line(segment: Segment) -> str:
    """Name and address for people."""
    said = dict(_address(segment))
    street = " ".join(filter(None, (said.get("street"), said.get("number"), said.get("addition"))))
    city = " ".join(filter(None, (said.get("postcode"), said.get("city"))))
    return ", ".join(filter(None, (name_of(segment), street, city)))
