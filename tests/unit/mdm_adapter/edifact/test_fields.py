"""Field rules: times and days (E12), identifiers and parties (E13), quantities, contacts, lengths."""

from datetime import UTC, date, datetime

import pytest

from services.mdm_adapter.dialects.edifact_fv import fields
from services.mdm_adapter.dialects.edifact_fv.checking import check
from services.mdm_adapter.dialects.edifact_fv.vorgang import moment
from tests.conformance.test_bad_edifact import PROFILE
from tests.unit.mdm_adapter.edifact.letters import (
    MELO,
    MSB,
    NB,
    NOW,
    begin,
    changed,
    found,
    iftsta,
    interchange,
    judged,
    order,
    parties,
    readings,
)

# fmt: off
DAYS = [
    ("2026-12-01", "202611302300"), ("2026-08-01", "202607312200"), ("2027-03-28", "202703272300"),
    ("2027-03-29", "202703282200"), ("2026-10-25", "202610242200"), ("2026-10-26", "202610252300"),
]
# fmt: on


@pytest.mark.parametrize(("day", "text"), DAYS)
def test_E12_a_day_is_the_instant_at_which_it_begins_in_germany(day: str, text: str) -> None:
    instant = moment(f"{text}+00")
    assert instant is not None
    assert fields.local_day(instant) == date.fromisoformat(day)
    assert fields.written(fields.begin_of_day(date.fromisoformat(day))) == f"{text}+00"


def test_E12_a_day_has_23_hours_or_25_when_the_clocks_change() -> None:
    lengths = [
        (fields.end_of_day(day) - fields.begin_of_day(day)).total_seconds() / 3600
        for day in (date(2027, 3, 28), date(2026, 10, 25), date(2026, 11, 20))
    ]
    assert lengths == [23, 25, 24]


def ordered(day: str) -> list[str]:
    point = ["NAD+DP", f"LOC+172+{MELO}", "LIN+1+Z19", "PIA+5+9991000002082:Z11"]
    return order("17011", "Z12", *point, head=[f"DTM+203:{day}"])


@pytest.mark.parametrize("text", [text for _, text in DAYS])
def test_E12_a_day_field_takes_midnight_in_germany(text: str) -> None:
    assert found("ORDERS", ordered(f"{text}?+00:303")) == []


@pytest.mark.parametrize(
    "text",
    [
        "202612010000?+00:303",
        "202611302200?+00:303",
        "202611302300?+01:303",
        "202611302300:303",
        "202613302300?+00:303",
        "20261132:102",
        "2026112:102",
        "202612010000:203",
        "202611302300?+00",
    ],
)
def test_E12_a_day_field_takes_nothing_else(text: str) -> None:
    assert found("ORDERS", ordered(text)) == ["Z35 m1.s4 DTM+203"]


def test_E12_a_local_day_may_be_written_as_such() -> None:
    assert found("ORDERS", ordered("20261201:102")) == []


@pytest.mark.parametrize(("created", "expected"), [("202611241105", []), ("202611241106", ["Z41 m1.s3 DTM+137"])])
def test_a_document_is_created_at_most_five_minutes_from_now(created: str, expected: list[str]) -> None:
    body = changed(iftsta("21027", "Z15+Z13+Z74"), "DTM+137:202611201000?+00:303", f"DTM+137:{created}?+00:303")
    assert found("IFTSTA", body) == expected


# fmt: off
POINTS = [(MELO, True), ("E0A1B2C3D45", True), ("C0A1B2C3D47", True), ("D0A1B2C3D46", True), ("E1234567891", True),
          ("DE000123001010000000000000001234A", True), ("DE000123001010000000000000001234a", False),
          ("DE00012300101000000000000000123", False), ("DE00012A001010000000000000001234A", False), ("", False),
          ("E0A1B2C3D44", False), ("G0A1B2C3D45", False), ("41373559241", False), ("BADID", False)]
# fmt: on


@pytest.mark.parametrize(("point", "is_good"), POINTS)
def test_E13_a_point_of_a_message_is_a_melo_or_a_resource(point: str, is_good: bool) -> None:
    expected = [] if is_good else ["Z35 m1.s7 LOC+172"]
    assert found("IFTSTA", iftsta("21027", "Z15+Z13+Z74", point=point)) == expected


@pytest.mark.parametrize(("kind", "point"), [("Z19", MELO), ("Z55", "E0A1B2C3D45"), ("Z56", "C0A1B2C3D47")])
def test_E13_an_order_names_the_kind_of_point_that_its_position_says(kind: str, point: str) -> None:
    def body(which: str) -> list[str]:
        lines = ["NAD+DP", f"LOC+172+{which}", f"LIN+1+{kind}", "PIA+5+9991000002082:Z11"]
        return order("17011", "Z12", *lines, head=["DTM+203:20261221:102"])

    assert found("ORDERS", body(point)) == []
    assert found("ORDERS", body("D0A1B2C3D46")) == ["Z35 m1.s9 LOC+172"]


@pytest.mark.parametrize(("melo", "expected"), [("reject", ["Z35"]), ("warn", [])])
def test_E13_a_profile_may_wave_a_wrong_point_through_with_a_warning(melo: str, expected: list[str]) -> None:
    strict = PROFILE.strict.model_copy(update={"ids": PROFILE.strict.ids.model_copy(update={"melo": melo})})
    profile = PROFILE.model_copy(update={"strict": strict, "identity": ()})
    checked = judged("IFTSTA", iftsta("21027", "Z15+Z13+Z74", point="BADID"), profile)
    assert [each.code for each in checked.findings] == expected
    assert checked.warnings == (() if expected else ("MELO_CHECK_DIGIT:BADID",))


# fmt: off
PARTIES = [
    (MSB, "500", "293", []),
    ("9800001000004", "502", "332", []),
    ("4012345000009", "14", "9", []),
    ("9900357000004", "500", "293", ["MPID_CHECK_DIGIT"]),
    (MSB, "14", "293", ["DE0007_PREFIX"]),
    (MSB, "500", "9", ["NAD_AGENCY"]),
    ("4012345000009", "500", "293", ["DE0007_PREFIX", "NAD_AGENCY"]),
    ("9800001000004", "500", "293", ["DE0007_PREFIX", "NAD_AGENCY"]),
]
# fmt: on


@pytest.mark.parametrize(("party", "qualifier", "agency", "expected"), PARTIES)
def test_E13_a_party_whose_agency_or_check_digit_does_not_fit_is_warned_of(
    party: str, qualifier: str, agency: str, expected: list[str]
) -> None:
    body = [line.replace(f"{NB}::293", f"{party}::{agency}") for line in iftsta("21027", "Z15+Z13+Z74")]
    head = f"UNB+UNOC:3+{party}:{qualifier}+{MSB}:500+261120:1100+NB1"
    checked = check(interchange(("IFTSTA", body), head=head), NOW)
    assert checked.warnings == tuple(f"{code}:{party}" for code in expected)
    assert checked.content == "aperak_312"


def test_E13_a_message_whose_parties_are_not_those_of_its_interchange_is_warned_of() -> None:
    body = [line.replace(NB, "9900357000003") for line in iftsta("21027", "Z15+Z13+Z74")]
    assert judged("IFTSTA", body).warnings == ("UNB_NAD_MISMATCH",)


@pytest.mark.parametrize("party", ["SENDER:ZZ", "990000000101:500", "9900000001019:ZZ", "99000000010AB:500"])
def test_E13_who_is_no_market_partner_is_not_answered(party: str) -> None:
    head = f"UNB+UNOC:3+{party}+{MSB}:500+261120:1100+NB1"
    checked = check(interchange(("IFTSTA", iftsta("21027", "Z15+Z13+Z74")), head=head), NOW)
    assert [(each.code, each.position) for each in checked.findings] == [("23", "UNB.e3")]
    assert checked.content == "quarantine"


@pytest.mark.parametrize(
    ("register", "is_good"),
    [
        ("1-0?:1.8.0", True),
        ("1-1?:1.29.0", True),
        ("1-0?:1.8.0*255", True),
        ("1-0?:1,8,0", False),
        ("9991000002082", False),
        ("", False),
    ],
)
def test_a_register_is_one_of_power(register: str, is_good: bool) -> None:
    body = changed(readings(), "PIA+5+1-0?:1.8.0:SRW", f"PIA+5+{register}:SRW")
    assert found("MSCONS", body) == ([] if is_good else ["Z35 m1.s12 PIA"])


@pytest.mark.parametrize(
    ("value", "is_good"),
    [
        ("0", True),
        ("1.234", True),
        ("0048213.4", True),
        ("-1", False),
        ("1.2345", False),
        ("1,5", False),
        ("", False),
        ("1e5", False),
        (".5", False),
    ],
)
def test_a_quantity_is_not_negative_and_has_three_decimals(value: str, is_good: bool) -> None:
    assert found("MSCONS", readings(quantity=f"220:{value}")) == ([] if is_good else ["Z35 m1.s13 QTY+220"])


@pytest.mark.parametrize(
    ("contact", "is_good"),
    [
        ("a@b.de:EM", True),
        ("ab.de:EM", False),
        ("?+49341:TE", True),
        ("0341:TE", False),
        ("?+49 341:FX", False),
        ("x:AO", True),
    ],
)
def test_a_contact_can_be_reached(contact: str, is_good: bool) -> None:
    body = iftsta("21027", "Z15+Z13+Z74")
    body.insert(4, f"COM+{contact}")
    assert [each.partition(" COM")[0] for each in found("IFTSTA", body)] == ([] if is_good else ["Z35 m1.s6"])


@pytest.mark.parametrize(("number", "is_good"), [("x", True), ("1" * 35, True), ("", False), ("1" * 36, False)])
def test_a_device_number_is_what_is_printed_on_the_device(number: str, is_good: bool) -> None:
    assert found("MSCONS", changed(readings(), "RFF+MG:1OLD0000009876", f"RFF+MG:{number}")) == (
        [] if is_good else ["Z35 m1.s10 RFF+MG"]
    )


def test_an_element_that_is_too_long_refuses_the_interchange() -> None:
    lines = begin("Z09+" + "D" * 36)
    checked = judged("IFTSTA", [*lines, *parties("MR"), *iftsta("21027", "Z15+Z13+Z74")[4:]])
    assert [(each.code, each.position) for each in checked.findings] == [("39", "m1.s2.e3.c1")]
    assert checked.content == "contrl_4"


def test_a_time_of_format_303_is_utc_and_real() -> None:
    assert moment("202611201000+00") == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert [moment(text) for text in ("202611201000", "202611201000+01", "202602301000+00", "20261120100０+00")] == [
        None
    ] * 4
