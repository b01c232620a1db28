"""APERAK and CONTRL are read, in the old layout and the new one, and never answered."""

import pytest

from services.mdm_adapter.dialects.edifact_fv.acknowledgements import (
    Acknowledgement,
    cause_of,
    meaning_of,
    read_acknowledgement,
)
from services.mdm_adapter.dialects.edifact_fv.checking import check
from services.mdm_adapter.dialects.edifact_fv.envelope import read
from tests.unit.mdm_adapter.edifact.letters import MSB, NB, NOW, begin, interchange, judged, parties

ERRORS = ["ERC+Z35", "FTX+ABO+++wrong", "RFF+TN:V1", "FTX+Z02+++Messlokation:LOC?+Z17?+DE", "ERC+Z29"]
NEW = [*begin("313+A1"), "RFF+ACE:I1", "DTM+171:202611201000?+00:303", "RFF+AGO:D1", "RFF+TN:V1", *parties(), *ERRORS]
OLD = [*begin("313+A1"), *parties(), "ERC+Z17", "FTX+ABO+++not assigned", "RFF+ACW:I1", "RFF+AGO:D1", "RFF+TN:V1"]


def said(type_: str, body: list[str]) -> Acknowledgement:
    (message,) = read(interchange((type_, body))).whole().messages
    return read_acknowledgement(message)


def test_an_aperak_says_code_words_and_place_of_each_error() -> None:
    found = said("APERAK", NEW)
    assert (found.accepted, found.reference("ACE"), found.reference("AGO"), found.reference("TN")) == (
        False,
        "I1",
        "D1",
        "V1",
    )
    assert [(each.code, each.text, each.place) for each in found.refusals] == [
        ("Z35", "wrong", "LOC+Z17+DE"),
        ("Z29", "", ""),
    ]


def test_the_references_of_the_old_layout_stand_behind_the_error_and_are_found() -> None:
    found = said("APERAK", OLD)
    assert [found.reference(name) for name in ("ACW", "AGO", "TN", "ACE")] == ["I1", "D1", "V1", ""]
    assert judged("APERAK", OLD).warnings == ("APERAK_SG2_ACE_MISSING", "APERAK_SG2_AGO_MISSING")


def test_words_behind_an_unknown_qualifier_are_kept() -> None:
    assert said("APERAK", [*begin("313+A1"), "ERC+Z20", "FTX+Z03+++kept"]).refusals[0].text == "kept"


def test_a_code_that_nobody_knows_is_kept_as_it_is() -> None:
    found = judged("APERAK", [*begin("313+A1"), *parties(), "ERC+E02"])
    assert (found.content, [each.code for each in found.findings]) == ("read_negative", ["E02"])


@pytest.mark.parametrize(
    ("body", "code", "position"),
    [
        ([*begin("313+A1"), *parties()], "Z29", "ERC"),
        ([*begin("314+A1"), *parties()], "Z39", "BGM"),
        (parties(), "Z29", "BGM"),
    ],
)
def test_an_aperak_that_cannot_be_used_goes_to_a_person(body: list[str], code: str, position: str) -> None:
    found = judged("APERAK", body)
    assert (found.content, [(each.code, each.position) for each in found.findings]) == ("operator", [(code, position)])


@pytest.mark.parametrize(
    ("code", "reason", "next_"),
    [
        ("Z35", "SCHEMA", "fix"),
        ("Z16", "NOT_RESPONSIBLE", "re_address"),
        ("Z19", "UNKNOWN_DEVICE", "after_master_data"),
    ],
)
def test_an_error_means_a_reason_and_a_next_step(code: str, reason: str, next_: str) -> None:
    cause = cause_of(code, NOW.date())
    assert (cause.reason, cause.next) == (reason, next_)


@pytest.mark.parametrize("code", ["E01", "E06", "Z04", "Z07", "Z28", "XXX"])
def test_a_code_that_is_none_of_erc_goes_to_a_person(code: str) -> None:
    assert cause_of(code, NOW.date()).next == "operator"


def test_codes_of_syntax_have_a_meaning_from_their_day_on() -> None:
    assert (meaning_of("29", NOW.date()), meaning_of("29", NOW.date().replace(year=2024))) == ("count", "")


def uci(*more: str) -> list[str]:
    return [f"UCI+I1+{MSB}:500+{NB}:500+{more[0]}", *more[1:]]


@pytest.mark.parametrize(
    ("body", "content", "codes"),
    [
        (uci("4+12"), "read_negative", ["12"]),
        (uci("4", "UCM+1+UTILMD:D:11A:UN:S2.2+4+29"), "read_negative", ["29"]),
        (uci("4", "UCM+1+UTILMD:D:11A:UN:S2.2+4", "UCS+7", "UCD+21+3:1"), "read_negative", ["21"]),
        (uci("4", "UCM+1+UTILMD+4", "UCS+7+15"), "read_negative", ["15"]),
        (uci("7"), "read_positive", []),
        (uci("8"), "read_positive", []),
        (uci("9"), "operator", ["12"]),
        (["BGM+1"], "operator", ["13"]),
    ],
)
def test_a_contrl_says_what_is_wrong_or_that_nothing_is(body: list[str], content: str, codes: list[str]) -> None:
    found = judged("CONTRL", body)
    assert (found.content, [each.code for each in found.findings]) == (content, codes)


@pytest.mark.parametrize("type_", ["APERAK", "CONTRL"])
def test_E11_an_acknowledgement_of_another_version_is_not_refused_but_looked_at(type_: str) -> None:
    body = NEW if type_ == "APERAK" else uci("4+12")
    found = check(interchange((type_, body), when="230101:0000"), NOW)
    assert (found.content, [each.code for each in found.findings], found.outcomes) == (
        "operator",
        ["VERSION_UNKNOWN"],
        (),
    )


def test_E06_nothing_of_an_acknowledgement_is_an_outcome_that_would_be_answered() -> None:
    found = check(interchange(("APERAK", NEW), ("APERAK", OLD)), NOW)
    assert (found.content, found.outcomes, len(found.acknowledgements)) == ("read_negative", (), 2)
