"""Partner profiles: one closed form, and every fault named with its line."""

from pathlib import Path

import pytest

from services.mdm_adapter.errors import BadProfile
from services.mdm_adapter.partners.loader import Partners, check_profile

GOOD = """id: erp-x
name: ERP X
role: ERP
identity: [{scheme: name, value: ERP-X}]
dialects: [{dialect: cim_xml}]
transports: {in: [{kind: rest}], out: [{kind: rest}]}
defaults:
  operator: nord
"""


def test_the_profiles_that_come_with_the_hub_are_valid() -> None:
    expected = ["erp-a", "erp-csv", "lf-nord", "mdm-b", "nb-nord", "wmsb-nord"]
    assert [profile.id for profile in Partners.load().all()] == expected


def test_a_good_profile_has_no_finding() -> None:
    profile, findings = check_profile(GOOD)
    assert (profile is not None, findings) == (True, [])


@pytest.mark.parametrize(
    ("was", "now", "line", "place"),
    [
        ("name: ERP X", "nmae: ERP X", 2, "nmae"),
        ("role: ERP", "role: BANK", 3, "role"),
        ("scheme: name", "scheme: nickname", 4, "identity.0.scheme"),
        ("out: [{kind: rest}]", "out: []", 6, "transports.out"),
        ("  operator: nord", "  operator: nord\n  colour: red", 9, "defaults.colour"),
        ("id: erp-x", "id: ERP X", 1, "id"),
    ],
)
def test_a_fault_is_named_with_its_line(was: str, now: str, line: int, place: str) -> None:
    profile, findings = check_profile(GOOD.replace(was, now))
    assert profile is None
    assert (line, place) in [(found.line, found.place) for found in findings]


@pytest.mark.parametrize("text", ["", "[1, 2]", "id: [", "a: b: c"])
def test_what_is_no_profile_at_all_is_refused_too(text: str) -> None:
    profile, findings = check_profile(text)
    assert (profile, bool(findings)) == (None, True)


def test_a_profile_that_appears_is_found_when_somebody_looks_again(tmp_path: Path) -> None:
    partners = Partners.load(tmp_path)
    (tmp_path / "erp-x.yaml").write_text(GOOD)
    before = partners.find("erp-x")
    partners.look_again()
    assert (before, partners.find("erp-x") is not None) == (None, True)


def test_two_partners_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD.replace("id: erp-x", "id: erp-y"))
    with pytest.raises(BadProfile, match="identity ERP-X is that of erp-x"):
        Partners.load(tmp_path)


def test_a_bad_file_stops_the_start_with_its_name_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace("role: ERP", "role: BANK"))
    with pytest.raises(BadProfile, match=r"a\.yaml: line 3: role"):
        Partners.load(tmp_path)
