"""Whose objects somebody sees: what lies outside a scope does not exist for the caller."""

from collections.abc import Container
from uuid import UUID

from kit.auth import Scope


def identity(scope: Scope) -> UUID | None:
    """The company or technician that a scope ends at."""
    try:
        return UUID(scope.id)
    except ValueError:
        return None


def sees_order(scope: Scope, company_id: UUID | None, technicians: Container[UUID]) -> bool:
    """Whether a work order is in sight: everything, the own company's, or one that the technician was sent to."""
    match scope.kind:
        case "all":
            return True
        case "company":
            return company_id is not None and identity(scope) == company_id
        case "technician":
            return identity(scope) in technicians
        case _:
            return False
