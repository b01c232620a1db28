"""The matrix of roles and actions is that of the security page."""

import re
from pathlib import Path

import pytest

from contracts.roles import MATRIX, Grant, Reach, Role, granted

PAGE = Path(__file__).resolve().parents[2] / "../shared/spec/security.md"

NARROWED = {
    ("work_order:rework", Role.QA): None,  # "T33 by review": by a decision of the review, not by a move of its own
    ("work_order:correct", Role.QA): None,
    ("evidence:upload", Role.QA): None,  # "A read"
    ("evidence:upload", Role.MDM): None,
    ("evidence:upload", Role.AUDITOR): None,
    ("evidence:read", Role.QA): "A",
    ("evidence:read", Role.MDM): "A",
    ("evidence:read", Role.AUDITOR): "A",
    ("evidence:read", Role.DISPATCHER): "A",  # "A on behalf" is about uploads
    ("appointment:confirm", Role.CUSTOMER): "O",  # "O, no release"
    ("appointment:move", Role.CUSTOMER): "O",
    ("appointment:release", Role.CUSTOMER): None,
    ("award:answer", Role.TECHNICIAN): None,  # "R absence"
    ("device:report", Role.MDM): None,  # "A multipliers"
    ("device:report", Role.ADMIN): None,  # "A types"
    ("device:define", Role.MANAGEMENT): None,  # "A read"
    ("device:report", Role.MANAGEMENT): "A",
    ("message:discard", Role.MDM): "A two persons",
    ("order:submit", Role.CUSTOMER): None,  # "R cancel"
    ("order:submit", Role.INSTALLER): None,
    ("order:amend", Role.CUSTOMER): None,
    ("order:amend", Role.INSTALLER): None,
    ("order:cancel", Role.CUSTOMER): "R",
    ("order:cancel", Role.INSTALLER): "R",
    ("replay:run", Role.MDM): None,  # "A parked market messages"
    ("job:run", Role.MDM): None,
    ("health:read", Role.MDM): None,
    ("feed:read", Role.SYSTEM): "A key scope feed",
}
"""Where one cell of the page stands for several actions, and its remark says for which."""


def page() -> dict[str, list[str]]:
    """The rows of the page: action → its fourteen cells."""
    section = PAGE.read_text("utf-8").split("## 5. Roles × actions")[1].split("| id | rule")[0]
    rows = {}
    for line in section.splitlines():
        actions, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == len(Role):
            rows.update(dict.fromkeys(re.findall(r"`(\w+:\w+)`", re.sub(r"\(.*?\)", "", actions)), cells))
    return rows


def cell(grant: Grant | None) -> str | None:
    return None if grant is None else f"{grant.reach.value} {grant.remark}".strip()


ROWS = page()


def test_every_action_of_the_page_is_in_the_matrix_and_no_other() -> None:
    assert set(MATRIX) == set(ROWS)


@pytest.mark.rule("SEC-ROL-01")
@pytest.mark.parametrize("action", ROWS)
def test_a_row_grants_what_the_page_grants(action: str) -> None:
    wanted = {
        role: NARROWED.get((action, role), None if text == "–" else text.replace(", ", " ", 1))
        for role, text in zip(Role, ROWS[action], strict=True)
    }
    got = {role: cell(MATRIX[action].get(role)) for role in Role}
    assert {role: (text or "").replace(",", "") for role, text in got.items()} == {
        role: (text or "").replace(",", "") for role, text in wanted.items()
    }


def test_there_are_fourteen_roles() -> None:
    assert [role.value for role in Role] == [
        "dispatcher", "technician", "company_admin", "company_technician", "qa", "mdm", "warehouse",
        "management", "auditor", "platform", "admin", "customer", "installer", "system",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("role", "action", "grant"),
    [
        (Role.DISPATCHER, "work_order:report", Grant(Reach.ALL, "on behalf, reason")),
        (Role.COMPANY_ADMIN, "work_order:hold", Grant(Reach.REQUEST)),
        (Role.COMPANY_TECHNICIAN, "contact:read", Grant(Reach.VISIT_DAY, "masked")),
        (Role.CUSTOMER, "case:read", Grant(Reach.STATUS)),
        (Role.CUSTOMER, "appointment:release", None),
        (Role.QA, "work_order:rework", None),
        (Role.PLATFORM, "case:read", None),
        (Role.SYSTEM, "order:submit", Grant(Reach.PARTNER)),
    ],
)
def test_a_cell_reads_as_on_the_page(role: Role, action: str, grant: Grant | None) -> None:
    assert granted({role}, action) == grant


def test_of_several_roles_the_widest_grant_counts() -> None:
    assert granted({Role.TECHNICIAN, Role.DISPATCHER}, "case:read") == Grant(Reach.ALL)


def test_without_a_role_or_for_an_unknown_action_nothing_is_granted() -> None:
    assert granted(set(), "case:read") is None
    assert granted(set(Role), "case:explode") is None


@pytest.mark.parametrize("role", [Role.PLATFORM, Role.ADMIN])
def test_who_runs_or_sets_the_machine_sees_no_customer(role: Role) -> None:
    seeing = ["case:read", "contact:read", "evidence:read", "reading:read", "notice:read", "message:read", "export:run"]
    assert [action for action in seeing if granted({role}, action)] == []
