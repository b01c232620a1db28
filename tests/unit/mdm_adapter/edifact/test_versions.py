"""Versions by date (E11), PIDs, and what the head of an interchange must be on the market."""

from datetime import date, datetime

import pytest

from services.mdm_adapter.dialects.edifact_fv.checking import check
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET
from services.mdm_adapter.dialects.edifact_fv.tables import rows, tree
from services.mdm_adapter.dialects.edifact_fv.templates import decision, kinds, name_of, template
from services.mdm_adapter.dialects.edifact_fv.versions import in_changeover, version_at
from tests.conformance.test_bad_edifact import PROFILE
from tests.unit.mdm_adapter.edifact.letters import (
    IDS,
    MSB,
    NB,
    NOW,
    changed,
    iftsta,
    interchange,
    judged,
    master_data,
    utilmd,
)

# fmt: off
VALID = {  # message: version on 2025-10-01, on 2026-04-01, on 2026-10-01
    "UTILMD": ("S2.1", "S2.1", "S2.2"), "ORDERS": ("1.4b", "1.4b", "1.4c"), "ORDRSP": ("1.4a", "1.4b", "1.4c"),
    "ORDCHG": ("1.1",  "1.1",  "1.2"),  "IFTSTA": ("2.0g", "2.0g", "2.1"),  "INSRPT": ("1.1a", "1.1a", "1.1a"),
    "MSCONS": ("2.4c", "2.4c", "2.5"),  "APERAK": ("2.1i", "2.1i", "2.2"),  "CONTRL": ("2.0b", "2.0b", "2.0b"),
}
# fmt: on


@pytest.mark.parametrize("message", VALID)
def test_E11_the_version_of_a_message_is_that_of_its_day(message: str) -> None:
    days = map(datetime.fromisoformat, ("2025-09-30T23:59", "2025-10-01", "2026-04-01", "2026-10-01"))
    found = [version_at(message, day) for day in days]
    assert [version and version.number for version in found] == [None, *VALID[message]]


# fmt: off
CHANGE = [("260930:2359", "S2.1", None), ("260930:2359", "S2.2", "14"), ("261001:0000", "S2.1", "14"),
          ("261001:0000", "S2.2", None), ("250930:2359", "S2.1", "14")]
# fmt: on


@pytest.mark.parametrize(("when", "version", "code"), CHANGE)
def test_E11_at_the_changeover_each_minute_has_its_own_version(when: str, version: str, code: str | None) -> None:
    data = interchange(("UTILMD", utilmd(master_data())), when=when, ids=f"D:11A:UN:{version}")
    found = check(data, NOW)
    assert [(each.code, each.position) for each in found.findings] == ([(code, "m1.s1.e3")] if code else [])
    assert found.content == ("contrl_4" if code else "aperak_312")


@pytest.mark.parametrize("ids", ["D:11B:UN:S2.2", "S:11A:UN:S2.2", "D:11A:BD:S2.2", "D:11A:UN", "D:11A:UN:S2.2x"])
def test_E11_all_of_the_identifier_must_be_right(ids: str) -> None:
    found = check(interchange(("UTILMD", utilmd(master_data())), ids=ids), NOW)
    assert [(each.code, each.position) for each in found.findings] == [("14", "m1.s1.e3")]


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-09-30T17:59", False),
        ("2026-09-30T18:00", True),
        ("2026-10-01T23:59", True),
        ("2026-10-02T00:00", False),
        ("2027-03-31T18:00", True),
        ("2027-04-01T12:00", True),
        ("2027-04-02T00:00", False),
        ("2026-11-20T12:00", False),
    ],
)
def test_E11_around_a_changeover_late_acknowledgements_raise_no_alarm(local: str, expected: bool) -> None:
    assert in_changeover(datetime.fromisoformat(local).replace(tzinfo=MARKET)) is expected


@pytest.mark.parametrize(
    ("line", "code", "position"),
    [(None, "13", "RFF+Z13"), ("RFF+Z13:29999", "12", "m1.s9.e2.c2"), ("RFF+Z13:17011", "12", "m1.s9.e2.c2")],
)
def test_E04_a_pid_that_is_missing_or_unknown_refuses_the_interchange(
    line: str | None, code: str, position: str
) -> None:
    found = judged("IFTSTA", changed(iftsta("21027", "Z15+Z13+Z74"), "RFF+Z13:21027", line))
    assert [(each.code, each.position) for each in found.findings] == [(code, position)]
    assert found.content == "contrl_4"


def test_every_message_of_the_market_names_the_interchange_that_refuses_it_first() -> None:
    bad = changed(iftsta("21027", "Z15+Z13+Z74"), "RFF+Z13:21027", "RFF+Z13:1")
    found = check(interchange(("IFTSTA", iftsta("21027", "Z15+Z13+Z74")), ("IFTSTA", bad), ("IFTSTA", bad)), NOW)
    assert ([each.position for each in found.findings], found.outcomes) == (["m2.s9.e2.c2"], ())


@pytest.mark.parametrize(
    ("pid", "processed"), [("17011", True), ("17001", False), ("55168", False), ("21011", True), ("19001", True)]
)
def test_what_the_hub_does_nothing_with_is_known_and_marked(pid: str, processed: bool) -> None:
    message = tree("templates.yaml")[pid][0]["message"]
    found = template(message, pid, NOW.date())
    assert found is not None
    assert found.is_processed is processed


def test_a_change_of_an_order_is_known_and_not_processed() -> None:
    found = judged(
        "ORDCHG",
        ["BGM+Z01+D1", "DTM+137:202611201000?+00:303", "RFF+Z13:39000", f"NAD+MS+{NB}::293", f"NAD+MR+{MSB}::293"],
    )
    assert [outcome.is_processed for outcome in found.outcomes] == [False]


# fmt: off
HEADS = [
    (f"UNB+UNOA:3+{NB}:500+{MSB}:500+261120:1100+R1",            "2",  "UNB.e2"),
    (f"UNB+UNOC:4+{NB}:500+{MSB}:500+261120:1100+R1",            "2",  "UNB.e2"),
    (f"UNB+UNOC:3+{NB}:500+{MSB}:500+261120:1100+R1++++++1",     "25", "UNB.e12"),
    (f"UNB+UNOC:3+{NB}:500+{MSB}:500+261120:1100+R1++XX",        "12", "UNB.e8"),
]
# fmt: on


@pytest.mark.parametrize(("head", "code", "position"), HEADS)
def test_E04_what_the_market_does_not_take_in_a_head_is_refused(head: str, code: str, position: str) -> None:
    found = check(interchange(("IFTSTA", iftsta("21027", "Z15+Z13+Z74")), head=head), NOW)
    assert [(each.code, each.position) for each in found.findings] == [(code, position)]
    assert found.content == "contrl_4"


def test_a_test_is_taken_from_a_partner_that_is_not_live() -> None:
    head = f"UNB+UNOC:3+{NB}:500+{MSB}:500+261120:1100+R1++++++1"
    profile = PROFILE.model_copy(update={"live": False, "identity": ()})
    assert (
        check(interchange(("IFTSTA", iftsta("21027", "Z15+Z13+Z74")), head=head), NOW, profile).content == "aperak_312"
    )


def test_a_reference_with_other_characters_is_warned_of() -> None:
    head = f"UNB+UNOC:3+{NB}:500+{MSB}:500+261120:1100+nb-1"
    found = check(interchange(("IFTSTA", iftsta("21027", "Z15+Z13+Z74")), head=head), NOW)
    assert (found.warnings, found.content) == (("DE0020_CHARACTERS",), "aperak_312")


def test_the_tables_hold_together() -> None:
    """Every template is of a known message, every list it names has codes, every message has its versions."""
    templates = [row for found in tree("templates.yaml").values() for row in found]
    assert {row["message"] for row in templates} <= kinds().keys() == IDS.keys() == VALID.keys()
    lists = {name for row in templates for answer in row.get("answers", ()) for name in answer["lists"]}
    assert lists == {row["list"] for row in rows("ebd_codes.csv")}
    assert len({row["code"] for row in rows("erc_codes.csv")}) == len(rows("erc_codes.csv")) == 27
    assert "29" in {row["code"] for row in rows("syntax_codes.csv")}
    assert (name_of("LOC+Z17"), name_of("QTY+220"), name_of("ZZZ")) == ("Messlokation", "Menge", "ZZZ")


def test_a_code_holds_from_day_to_day() -> None:
    days = map(date.fromisoformat, ("2025-09-30", "2025-10-01", "2027-03-31", "2027-04-01"))
    assert [decision("E_0286", "A99", day) is not None for day in days] == [False, True, True, False]
