"""The pages that are made from the code's tables say what the code says (SEC-ROL-01)."""

import re

from contracts.roles import MATRIX, Role
from hub.pages import DOCS, PAGES, SHORT, stale


def test_the_pages_made_from_the_code_are_fresh() -> None:
    assert (stale(), [name for name in PAGES if not (DOCS / name).exists()]) == ([], [])


def test_SEC_ROL_01_the_page_shows_the_cells_of_the_matrix() -> None:
    """Both are parsed and compared, so that the maker of the page is no witness in its own cause."""
    lines = [line.strip("| ").split(" | ") for line in (DOCS / "security.md").read_text("utf-8").splitlines()]
    rows = {cells[0].strip("`"): cells[1:] for cells in lines if re.fullmatch(r"`[a-z_]+:[a-z_]+`", cells[0])}
    head = next(cells[1:] for cells in lines if cells[0] == "action")
    assert (set(rows), head) == (set(MATRIX), list(SHORT.values()))
    for action, cells in rows.items():
        shown = {role: cell for role, cell in zip(Role, cells, strict=True) if cell != "–"}
        meant = {role: f"{grant.reach} {grant.remark}".strip() for role, grant in MATRIX[action].items()}
        assert shown == meant, action
