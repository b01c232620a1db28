"""What a partner's code means: its own map first, by list and day, then what is agreed for all."""

from datetime import date
from pathlib import Path

import pytest

from contracts.codes import Fact, HubReason
from services.mdm_adapter.errors import BadProfile
from services.mdm_adapter.partners.codes import CodeMap, read_codes
from services.mdm_adapter.partners.loader import Partners

TODAY = date(2026, 3, 2)
HEAD = "partner_code;list;hub_reason;action;valid_from\n"
MAP = f"""{HEAD}4711;;UNKNOWN_DEVICE;look in the store;
A04;E_0250;FOREIGN_METER;;
Z88;;OTHER;;2026-04-01
"""


def the_map() -> CodeMap:
    found, wrong = read_codes(MAP)
    assert (found is not None, wrong) == (True, [])
    return found or CodeMap()


@pytest.mark.parametrize(
    ("code", "list_", "fact", "day", "reason"),
    [
        ("4711", None, None, TODAY, HubReason.UNKNOWN_DEVICE),
        ("4711", "any", None, TODAY, HubReason.UNKNOWN_DEVICE),
        ("A04", "E_0250", Fact.ROLLOUT_ANNOUNCED, TODAY, HubReason.FOREIGN_METER),
        ("A04", "E_0233", Fact.ROLLOUT_ANNOUNCED, TODAY, HubReason.ANNOUNCEMENT_OBJECTED),
        ("A04", "E_0233", Fact.EXCHANGE_COMPLETED, TODAY, None),
        ("Z88", None, None, TODAY, HubReason.DATA_CLEARING),
        ("Z88", None, None, date(2026, 4, 1), HubReason.OTHER),
        ("E17", None, Fact.ROLLOUT_ANNOUNCED, TODAY, HubReason.TOO_LATE),
        ("what", None, Fact.ROLLOUT_ANNOUNCED, TODAY, HubReason.ORDER_REFUSED),
        ("what", None, Fact.EXCHANGE_COMPLETED, TODAY, None),
        ("UNKNOWN_DEVICE", None, None, TODAY, HubReason.UNKNOWN_DEVICE),
        ("2.4", None, None, TODAY, HubReason.UNKNOWN_DEVICE),
    ],
)
def test_a_code_is_read_by_map_list_fact_and_day(
    code: str, list_: str | None, fact: Fact | None, day: date, reason: HubReason | None
) -> None:
    assert the_map().reason(code, list_, fact, day) is reason


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("code;reason\n", "line 1: the columns are partner_code;list;hub_reason;action;valid_from"),
        (f"{HEAD}1;;NONSENSE;;\n", "line 2: hub_reason: not one of ours"),
        (f"{HEAD};;OTHER;;\n", "line 2: partner_code: is missing"),
        (f"{HEAD}1;;OTHER;;tomorrow\n", "line 2: valid_from: a day like 2026-04-01"),
    ],
)
def test_a_bad_map_is_refused_with_the_line(text: str, finding: str) -> None:
    assert read_codes(text) == (None, [finding])


PROFILE = """
id: erp-z
name: Z
role: ERP
dialects: [{dialect: json_ce}]
transports: {in: [{kind: rest}], out: [{kind: rest}]}
code_map: erp-z.codes.csv
defaults: {operator: nord}
"""


def test_a_changed_map_holds_as_soon_as_somebody_looks_again(tmp_path: Path) -> None:
    (tmp_path / "erp-z.yaml").write_text(PROFILE)
    codes = tmp_path / "erp-z.codes.csv"
    codes.write_text(f"{HEAD}1;;OTHER;;\n")
    partners = Partners.load(tmp_path)
    before = partners.codes("erp-z").reason("1", None, None, TODAY)
    codes.write_text(f"{HEAD}1;;NOT_CONNECTED;;\n")
    partners.look_again()
    after = partners.codes("erp-z").reason("1", None, None, TODAY)
    assert (before, after) == (HubReason.OTHER, HubReason.NOT_CONNECTED)


def test_a_profile_that_names_a_map_which_is_not_there_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "erp-z.yaml").write_text(PROFILE)
    with pytest.raises(BadProfile, match=r"erp-z\.codes\.csv"):
        Partners.load(tmp_path)
