"""Orders as rows: each is read alone, and every fault names its row and column."""

from pathlib import Path

import pytest

from services.mdm_adapter.checking import check
from services.mdm_adapter.dialects.csv.files import decode
from services.mdm_adapter.dialects.csv.orders import COLUMNS
from services.mdm_adapter.documents.work_order_cancelled import WorkOrderCancelled

HEADER = "order_no;version;kind;metering_point_id;street;number;postcode;city;municipality;country;priority"
ROW = "F-1;1;exchange;DE000123001010000000000000001234A;Am Hang;7;00101;Nordstadt;01001001;DE;2"


def found(*rows: str, header: str = HEADER) -> list[tuple[int | None, str, str]]:
    decoded = decode("\n".join((header, *rows)).encode(), None)
    return [(item.row, each.code, each.position) for item in decoded.items for each in item.findings]


def test_a_good_row_is_an_order() -> None:
    assert (found(ROW), check(f"{HEADER}\n{ROW}\n".encode()).exit_code) == ([], 0)


@pytest.mark.parametrize(
    ("was", "now", "code", "column"),
    [
        ("exchange", "swap", "csv/value", "kind"),
        ("exchange", "", "csv/value", "kind"),
        ("DE000123001010000000000000001234A", "41373559214", "2.12", "metering_point"),
        ("DE000123001010000000000000001234A", "", "csv/value", "metering_point"),
        (";DE;2", ";DE;9", "csv/value", "priority"),
        ("F-1;1", "F-1;0", "csv/version", "version"),
        ("F-1;1", ";1", "csv/order-no", "order_no"),
        ("F-1;1", f"{'x' * 90};1", "1.7", "order_no"),
        (";DE;2", ";DE", "csv/columns", "row"),
    ],
)
def test_a_fault_names_row_and_column(was: str, now: str, code: str, column: str) -> None:
    assert found(ROW.replace("F-1", "F-0"), ROW.replace(was, now)) == [(2, code, column)]


def test_the_same_order_and_version_twice_is_refused_once() -> None:
    assert found(ROW, ROW) == [(2, "csv/duplicate", "version")]


def test_a_row_may_cancel() -> None:
    (item,) = decode(b"order_no;version;action;reason\nF-1;2;cancel;moved\n", None).items
    assert item.document == WorkOrderCancelled(order_no="F-1", order_version=2, reason="moved")


def test_an_action_that_is_none_is_refused() -> None:
    header, row = f"{HEADER};action", f"{ROW};stop"
    assert found(row, header=header) == [(1, "csv/action", "action")]


def test_every_column_of_the_readme_is_known_and_no_other() -> None:
    readme = (Path(__file__).resolve().parents[3] / "services" / "mdm_adapter" / "README.md").read_text("utf-8")
    section = readme[readme.index("## CSV") : readme.index("| again | effect |")]
    assert [column for column in COLUMNS if column not in section] == []


def test_a_missing_address_is_found_by_the_check_too() -> None:
    verdict = check(b"order_no;version;kind;metering_point_id\nF-1;1;exchange;41373559241\n")
    assert [(each.code, each.position) for each in verdict.findings] == [("2.32", "row 1, address")]
    assert verdict.exit_code == 1
