"""Locations: stores, vans, sites and the virtual ones, each found by what it is the place of."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from contracts.ids import CompanyId, LocationId, TechnicianId
from kit.store import Aggregate
from services.asset_service.domain.states import LocationKind

CENTRAL = "central"
SUPPLIER = "supplier"
FIELD_BEFORE = "field_before"
SCRAP = "scrap"
LOST = "lost"

ALWAYS = (
    (CENTRAL, LocationKind.CENTRAL),
    (SUPPLIER, LocationKind.SUPPLIER),
    (FIELD_BEFORE, LocationKind.FIELD_BEFORE),
    (SCRAP, LocationKind.SCRAP),
    (LOST, LocationKind.LOST),
)
"""Places that are there from the first start on."""


def store_of(name: str) -> str:
    """The key of a small store."""
    return f"store:{name}"


def van_of(technician_id: UUID) -> str:
    """The key of a technician's van."""
    return f"van:{technician_id}"


def site_of(metering_point_id: str) -> str:
    """The key of the place where a metering point's devices are."""
    return f"site:{metering_point_id}"


@dataclass(kw_only=True, eq=False)
class Location(Aggregate):
    """A place that devices can be at."""

    location_id: LocationId
    kind: LocationKind
    place: str
    """What it is found by: `central`, `store:<name>`, `van:<technician>`, `site:<metering point>`, …"""
    name: str
    company_id: CompanyId | None = None
    """Whose van or store it is; none: the operator's own."""
    technician_id: TechnicianId | None = None
    metering_point_id: str | None = None

    def key(self) -> str:
        return str(self.location_id)

    def keys(self) -> Iterable[str]:
        return str(self.location_id), self.place

    @classmethod
    def van(cls, location_id: UUID, technician_id: TechnicianId, company_id: CompanyId | None) -> "Location":
        """A technician's van; it exists from the first time somebody speaks of it."""
        return cls(
            location_id=LocationId(location_id),
            kind=LocationKind.VAN,
            place=van_of(technician_id),
            name=f"van {technician_id}",
            company_id=company_id,
            technician_id=technician_id,
        )

    @classmethod
    def site(cls, location_id: UUID, metering_point_id: str) -> "Location":
        """The place of a metering point, made when it is first needed."""
        return cls(
            location_id=LocationId(location_id),
            kind=LocationKind.SITE,
            place=site_of(metering_point_id),
            name=metering_point_id,
            metering_point_id=metering_point_id,
        )
