"""Pages of docs/ that are made from the code's own tables: `python -m hub.pages` writes them, `--check` compares."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from contracts.roles import MATRIX, Role
from hub.partner_page import partners_page
from hub.printing import markdown
from services.case_service.domain import lifecycle

DOCS = Path(__file__).resolve().parents[1] / "docs"
MADE = "*Made from the code by `python -m hub.pages`; `make check` finds a stale one.*"
COLUMNS = ("dis", "tec", "cad", "cte", "qa", "mdm", "war", "man", "aud", "pla", "adm", "cus", "ins", "sys")
SHORT = dict(zip(Role, COLUMNS, strict=True))
"""Heads of the matrix's columns (security §5)."""
LIFECYCLE_WORDS = (
    "The same tables are printed by `hub case lifecycle`; they are the data that the case service runs on "
    "(`services/case_service/domain/`). Columns of the matrices: codes of the states."
)
SECURITY_WORDS = (
    "Every route names exactly one action (`Depends(needs(…))`), every move of a work order and every action on a "
    "case another one behind it. What stands nowhere is refused."
)
REACHES = (
    "**A** all · **T** own area or team · **C** own company · **O** own or assigned · **V** own, on the day of the "
    "visit · **P** own partner · **S** status words only · **R** may ask for it, a dispatcher decides · – refused "
    "(403 `role-missing`); what lies outside the reach does not exist (404)"
)


def lifecycle_page() -> str:
    """docs/lifecycle.md: what the case service may do, and when."""
    parts = [
        "# Lifecycle of a work order",
        MADE,
        LIFECYCLE_WORDS,
        "## Diagram",
        f"Rows that keep the state ({', '.join(_staying())}) are left out.",
        f"```mermaid\n{lifecycle.diagram()}\n```",
        *(markdown(table.title, table.head, table.rows, table.note) for table in lifecycle.tables()),
    ]
    return "\n\n".join(parts) + "\n"


def security_page() -> str:
    """docs/security.md: who may do what (SEC-ROL-01)."""
    rows = [(f"`{action}`", *(_cell(action, role) for role in Role)) for action in MATRIX]
    names = ", ".join(f"{short} {role}" for role, short in SHORT.items())
    parts = [
        "# Roles and actions",
        MADE,
        SECURITY_WORDS,
        markdown("Matrix", ("action", *SHORT.values()), rows, f"{REACHES}. Columns: {names}."),
    ]
    return "\n\n".join(parts) + "\n"


def _cell(action: str, role: Role) -> str:
    grant = MATRIX[action].get(role)
    return "–" if grant is None else f"{grant.reach} {grant.remark}".strip()


def _staying() -> list[str]:
    return [row[0] for row in lifecycle.transitions().rows if row[2] == lifecycle.STAYS]


PAGES: Mapping[str, Callable[[], str]] = {
    "lifecycle.md": lifecycle_page,
    "security.md": security_page,
    "partners.md": lambda: partners_page(DOCS / "partners.md"),
}


def stale() -> list[Path]:
    """Pages whose text is not what the code says."""
    return [
        DOCS / name
        for name, made in PAGES.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text("utf-8") != made()
    ]


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` name the stale ones."""
    if arguments == ["--check"]:
        found = stale()
        for path in found:
            sys.stderr.write(f"{path} is stale: python -m hub.pages\n")
        return 1 if found else 0
    for name, made in PAGES.items():
        (DOCS / name).write_text(made(), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
