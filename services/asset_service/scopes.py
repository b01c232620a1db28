"""Whose objects somebody sees: what lies outside a scope does not exist for the caller."""

from uuid import UUID

from kit.auth import Scope
from services.asset_service.domain.places import Location
from services.asset_service.domain.states import LocationKind

NOBODY = UUID(int=0)


def identity(scope: Scope) -> UUID:
    """The company or technician that a scope ends at; nobody's id where it names none."""
    try:
        return UUID(scope.id)
    except ValueError:
        return NOBODY


def reaches(scope: Scope, van: Location) -> bool:
    """Whether somebody may book from or to a van: the warehouse all, a company its own, a technician his."""
    if scope.kind == "all":
        return True
    if van.kind is not LocationKind.VAN:
        return False
    return identity(scope) in {
        "technician": (van.technician_id,),
        "company": (van.company_id,),
    }.get(scope.kind, ())
