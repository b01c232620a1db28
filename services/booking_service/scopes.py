"""Whose objects somebody sees: what lies outside a scope does not exist for the caller."""

from uuid import UUID

from kit.auth import Scope


def identity(scope: Scope) -> UUID | None:
    """The company or technician that a scope ends at."""
    try:
        return UUID(scope.id)
    except ValueError:
        return None


def sees_company(scope: Scope, company_id: UUID | None) -> bool:
    """Whether what belongs to a company is in sight."""
    return scope.kind == "all" or (scope.kind == "company" and company_id is not None and identity(scope) == company_id)
