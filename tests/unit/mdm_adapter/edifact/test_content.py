"""Check templates: what must be there, which codes decide, what is plausible; one outcome per Vorgang (E07, E08)."""

from datetime import datetime

import pytest

from services.mdm_adapter.dialects.edifact_fv.checking import check
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET
from services.mdm_adapter.dialects.edifact_fv.patterns import pattern
from services.mdm_adapter.dialects.edifact_fv.tables import tree
from services.mdm_adapter.dialects.edifact_fv.templates import template
from tests.bench.market import seg
from tests.unit.mdm_adapter.edifact.letters import (
    MELO,
    NOW,
    answer,
    begin,
    changed,
    found,
    iftsta,
    interchange,
    judged,
    master_data,
    order,
    parties,
    readings,
    utilmd,
)

POINT = ["NAD+DP", f"LOC+172+{MELO}"]
DAY, OTHER_DAY = "DTM+203:20261221:102", ["DTM+469:20261201:102", "DTM+472:20261211:102"]
RESULT = ["NAD+DP", f"LOC+172+{MELO}"]


def report(pid: str, *lines: str) -> list[str]:
    return [*begin("4+D1"), *parties("MR"), lines[0], f"RFF+Z13:{pid}", *lines[1:]]


GOOD: list[tuple[str, list[str]]] = [
    ("IFTSTA", iftsta("21029", "Z19+Z17", "DTM+76:20270301:102")),
    ("IFTSTA", iftsta("21029", "Z24+Z17", "RFF+AVE:41373559241", *OTHER_DAY)),
    ("IFTSTA", iftsta("21030", "Z19+Z30+A03:E_0233", "RFF+ACW:D1", "RFF+ADY:1", "DTM+76:20270301:102")),
    ("IFTSTA", iftsta("21031", "Z19+Z31+A01:E_0233", "RFF+ACW:D1", "RFF+ADY:1")),
    ("IFTSTA", iftsta("21025", "Z15+Z13+Z74")),
    ("IFTSTA", iftsta("21027", "Z15+Z13+A99:E_0286", "GID+1", "FTX+ACB+++Words")),
    ("IFTSTA", iftsta("21010", "Z10+Z14", "DTM+293:202611190000?+00:303")),
    ("IFTSTA", iftsta("21036", "Z26+Z35", "DTM+293:202611190000?+00:303")),
    ("IFTSTA", iftsta("21009", "Z10+Z13")),
    ("IFTSTA", iftsta("21011", "Z10+Z13")),
    ("IFTSTA", iftsta("21013", "Z10+Z13")),
    ("IFTSTA", iftsta("21012", "Z10+Z14")),
    ("IFTSTA", iftsta("21018", "Z10+Z14")),
    ("ORDERS", order("17001", "Z10", "LIN+1", "RFF+Z03:1", head=[DAY, "RFF+AAG:A1"])),
    ("ORDERS", order("17009", "Z13", *POINT, "LIN+1", "CCI+++ZD4", head=["DTM+203:202612010915?+00:303", "IMD++Z58"])),
    ("ORDERS", order("17009", "Z13", *POINT, "LIN+1", "CCI+++ZD4", "RFF+Z09:X", head=[DAY, "IMD++Z59"])),
    ("ORDERS", order("17011", "Z12", *POINT, "LIN+1+Z19", "PIA+5+9991000002082:Z11", head=[DAY])),
    ("ORDERS", order("17011", "Z93", head=[*OTHER_DAY, "RFF+ACW:A1", "RFF+AAG:A2"])),
    ("ORDERS", order("17132", "Z99")),
    ("ORDRSP", answer("19001", "Z10", "Z13+S_0067", "CTA+IC+:Probe", "COM+a@b.de:EM", head=[DAY])),
    ("ORDRSP", answer("19005", "Z12", "A02+E_0249", head=[DAY])),
    ("ORDRSP", answer("19005", "Z93", "A06+E_0283")),
    ("ORDRSP", answer("19006", "Z12", "A04+E_0250", head=[DAY])),
    ("ORDRSP", answer("19006", "Z93", "A04+E_0279", head=OTHER_DAY)),
    ("ORDRSP", answer("19006", "Z93", "A05+E_0279", "RFF+ACW:P1")),
    ("ORDRSP", changed(answer("19006", "Z93", "A99+E_0283"), "UNS+S", "FTX+AAP+++Words")),
    ("ORDRSP", answer("19015", "Z13", "ZB4+S_0065")),
    ("ORDRSP", changed(answer("19015", "Z13", "ZB5+S_0065"), "UNS+S", "NAD+Z22+++Probe")),
    ("ORDRSP", answer("19016", "Z13", "E17+S_0066")),
    ("ORDRSP", changed(answer("19016", "Z13", "Z07+S_0066"), "UNS+S", "NAD+VY+9900357000003::293")),
    ("MSCONS", readings()),
    ("MSCONS", readings("DTM+60:202611200915?+00:303")),
    ("MSCONS", readings("STS+Z32++Z88", "STS+Z40++Z74", quantity="67:1")),
    (
        "MSCONS",
        changed(
            changed(changed(readings(), "RFF+Z13:13017", "RFF+Z13:13006"), "BGM+7+D1+9", "BGM+7+D1+1"),
            "UNS+D",
            "RFF+ACW:D0",
        ),
    ),
    ("UTILMD", utilmd(master_data())),
    ("UTILMD", utilmd(["IDE+24+V1", "STS+7++ZX7", "STS+E01++A01:E_0415:1", "RFF+Z13:55648", "RFF+TN:V9"])),
    ("UTILMD", utilmd(["IDE+24+V1", "STS+7++ZX7", "RFF+Z13:55658", "RFF+TN:V9"], document="Z88+D1")),
    ("UTILMD", utilmd(["IDE+24+V1", "STS+7++E05", "RFF+Z13:55022", "RFF+ACW:V9"], document="E01+D1")),
    ("UTILMD", utilmd(["IDE+24+V1", "DTM+76:202611302300?+00:303", "STS+7++E01", f"LOC+Z17+{MELO}", "RFF+Z13:55042"])),
    ("UTILMD", utilmd(["IDE+24+V1", "STS+7++E01", "RFF+Z13:55023", "RFF+TN:V9"])),
    ("INSRPT", report("23001", "DOC+21+F1", "LIN+1", "STS+Z06+Z11", *RESULT)),
    ("INSRPT", report("23003", "DOC+22+F1", "RFF+AAV:F0", "LIN+1", "STS+E01++Z29")),
    (
        "INSRPT",
        report(
            "23004", "DOC+22+F1", "RFF+AAV:F0", "LIN+1", "DTM+292:202611301200?+00:303", "STS+Z06+Z10", "STS+E01++E15"
        ),
    ),
    ("INSRPT", report("23008", "DOC+293+F1", "RFF+TN:F0", "LIN+1", "STS+Z06+Z09", *RESULT)),
    ("INSRPT", report("23011", "DOC+21+F1")),
]
IDS = [
    f"{number}-{next(line for line in body if line.startswith('RFF+Z13')).partition(':')[2]}"
    for number, (_, body) in enumerate(GOOD)
]


@pytest.mark.parametrize(("type_", "body"), GOOD, ids=IDS)
def test_E08_what_a_template_demands_is_enough(type_: str, body: list[str]) -> None:
    assert (found(type_, body), judged(type_, body).content) == ([], "aperak_312")


@pytest.mark.parametrize(("type_", "body"), GOOD, ids=IDS)
def test_E08_surplus_is_no_error(type_: str, body: list[str]) -> None:
    assert found(type_, [*body, "FTX+ZZZ+++surplus", "DTM+999:1:802", "RFF+ZZZ:1", "QTX+1"]) == []


@pytest.mark.parametrize(("type_", "body"), GOOD, ids=IDS)
def test_E08_each_segment_that_a_template_demands_is_missed_when_it_is_gone(type_: str, body: list[str]) -> None:
    pid = next(line for line in body if line.startswith("RFF+Z13")).partition(":")[2]
    wanted = template(type_, pid, NOW.date())
    assert wanted is not None
    for text in (text for text in wanted.must if isinstance(text, str)):
        kept = [line for line in body if not pattern(text).fits(seg(line))]
        assert any(each.startswith(f"Z29 {pattern(text).tag}") for each in found(type_, kept)), text


BAD: list[tuple[str, list[str], list[str]]] = [
    ("IFTSTA", iftsta("21029", "Z19+Z17"), ["Z29 DTM+76"]),
    ("IFTSTA", iftsta("21029", "Z20+Z17"), ["Z29 STS+Z19+Z17"]),
    ("IFTSTA", iftsta("21029", "Z24+Z17"), ["Z29 DTM+469", "Z29 DTM+472", "Z29 RFF+AVE"]),
    ("IFTSTA", iftsta("21029", "Z19+Z17", "DTM+76:20261120:102"), ["Z41 m1.s10 DTM+76"]),
    ("IFTSTA", iftsta("21029", "Z19+Z17", "DTM+76:202702282300?+00:303"), ["Z35 m1.s10 DTM+76"]),
    (
        "IFTSTA",
        iftsta("21029", "Z24+Z17", "RFF+AVE:4", *OTHER_DAY[::-1][:1], "DTM+469:20261212:102"),
        ["Z34 m1.s11 DTM+472"],
    ),
    (
        "IFTSTA",
        iftsta("21030", "Z19+Z31+A03:E_0233", "RFF+ACW:D1", "RFF+ADY:1", "DTM+76:20270301:102"),
        ["Z39 m1.s8 STS+Z19"],
    ),
    (
        "IFTSTA",
        iftsta("21030", "Z19+Z30+A01:E_0233", "RFF+ACW:D1", "RFF+ADY:1", "DTM+76:20270301:102"),
        ["Z39 m1.s8 STS A01:E_0233"],
    ),
    ("IFTSTA", iftsta("21031", "Z19+Z31", "RFF+ACW:D1", "RFF+ADY:1"), ["Z29 m1.s8 STS+Z19"]),
    ("IFTSTA", iftsta("21027", "Z15+Z13+A01"), ["Z39 m1.s8 STS A01:"]),
    ("IFTSTA", iftsta("21027", "Z15+Z13+Z74:E_0286"), ["Z39 m1.s8 STS Z74:E_0286"]),
    ("IFTSTA", iftsta("21027", "Z15+Z13+A01:E_0279"), ["Z39 m1.s8 STS A01:E_0279"]),
    ("IFTSTA", iftsta("21027", "Z15+Z13+A99:E_0286"), ["Z29 FTX+ACB", "Z29 GID"]),
    ("IFTSTA", iftsta("21036", "Z26+Z35", "DTM+293:202611201001?+00:303"), ["Z41 m1.s10 DTM+293"]),
    ("IFTSTA", changed(iftsta("21027", "Z15+Z13+Z74"), "BGM+Z09+D1", "BGM+Z10+D1"), ["Z39 m1.s2 BGM"]),
    ("IFTSTA", changed(iftsta("21027", "Z15+Z13+Z74"), "CNI+1", None), ["Z29 CNI"]),
    (
        "ORDERS",
        order("17001", "Z10", "LIN+1", "RFF+Z03:1", head=["DTM+203:202612010000?+00:303", "RFF+AAG:A1"]),
        ["Z35 m1.s4 DTM+203"],
    ),
    ("ORDERS", order("17009", "Z13", *POINT, "LIN+1", "CCI+++ZD4", head=[DAY, "IMD++Z59"]), ["Z29 RFF+Z09"]),
    (
        "ORDERS",
        order("17009", "Z13", *POINT, "LIN+1", "CCI+++XXX", head=[DAY, "IMD++Z57"]),
        ["Z39 m1.s5 IMD", "Z39 m1.s12 CCI"],
    ),
    ("ORDERS", order("17011", "Z93", head=OTHER_DAY), ["Z29 RFF+AAG", "Z29 RFF+ACW"]),
    ("ORDRSP", answer("19006", "Z12", "A04+E_0249", head=[DAY]), ["Z39 m1.s7 AJT A04+E_0249"]),
    ("ORDRSP", answer("19006", "Z12", "A02+E_0249", head=[DAY]), ["Z39 m1.s7 AJT A02+E_0249"]),
    ("ORDRSP", answer("19006", "Z12", "A04+E_0279", head=[DAY, *OTHER_DAY]), ["Z39 m1.s9 AJT A04+E_0279"]),
    ("ORDRSP", answer("19006", "Z93", "A04+E_0279"), ["Z29 DTM+469", "Z29 DTM+472"]),
    ("ORDRSP", answer("19006", "Z93", "A05+E_0279"), ["Z29 RFF+ACW"]),
    ("ORDRSP", answer("19006", "Z93", "A99+E_0279"), ["Z29 FTX+AAP"]),
    ("ORDRSP", answer("19015", "Z13", "E17+S_0065"), ["Z39 m1.s6 AJT"]),
    ("ORDRSP", answer("19015", "Z13", "ZB5+S_0065"), ["Z29 NAD+Z22"]),
    ("ORDRSP", answer("19016", "Z13", "Z07+S_0066"), ["Z29 NAD+VY"]),
    ("MSCONS", readings(quantity="67:1"), ["Z29 STS+Z32", "Z29 STS+Z40"]),
    ("MSCONS", readings(quantity="79:1"), ["Z29 QTY+220|67"]),
    ("MSCONS", readings(day="202611202300"), ["Z41 m1.s14 DTM+7"]),
    ("MSCONS", readings("DTM+60:202611202300?+00:303"), ["Z41 m1.s15 DTM+60"]),
    ("MSCONS", readings("DTM+60:202611192259?+00:303"), ["Z41 m1.s15 DTM+60"]),
    ("MSCONS", readings("LIN+2", "QTY+220:1"), ["Z29 DTM+7", "Z29 PIA"]),
    ("MSCONS", readings("NAD+DP", f"LOC+172+{MELO}"), ["Z40 m1.s15 NAD+DP"]),
    (
        "UTILMD",
        utilmd(["IDE+24+V1", "STS+7++ZX7", "STS+E01++A01:E_0412:1", "RFF+Z13:55648", "RFF+TN:V9"]),
        ["Z39 m1.s8 STS A01:E_0412"],
    ),
    ("UTILMD", utilmd(["IDE+24+V1", "STS+7++E03", "RFF+Z13:55022", "RFF+ACW:V9"]), ["Z39 m1.s7 STS+7"]),
    ("UTILMD", utilmd(["IDE+24+V1", "RFF+Z13:55022", "STS+7++E05", "RFF+ACW:V9"]), ["Z29 m1.s7 RFF+Z13"]),
    ("INSRPT", report("23001", "DOC+22+F1", "LIN+1", "STS+Z06+Z11", *RESULT), ["Z39 m1.s6 DOC+22"]),
]


@pytest.mark.parametrize(("type_", "body", "expected"), BAD)
def test_E08_what_is_wrong_is_found_with_code_and_place(type_: str, body: list[str], expected: list[str]) -> None:
    assert found(type_, body) == expected


PERIODS: list[tuple[str, str | None, list[str]]] = [
    (
        "RFF+Z49::1",
        "RFF+Z49::2",
        [
            "Z21 m1.s12 SEQ+Z18",
            "Z21 m1.s13 SEQ+Z03",
            "Z21 m1.s15 SEQ+Z20",
            "Z21 m1.s17 SEQ+Z05",
            "Z21 m1.s18 SEQ+Z13",
            "Z21 m1.s20 RFF+Z46",
            "Z21 m1.s22 RFF+Z46",
            "Z21 m1.s24 RFF+Z46",
            "Z21 m1.s26 RFF+Z46",
            "Z35 m1.s10 RFF+Z49 period id",
        ],
    ),
    ("SEQ+Z18+1", "SEQ+Z18+2", ["Z21 m1.s12 SEQ+Z18"]),
    ("SEQ+Z18+1", None, ["Z29 SEQ+Z18"]),
    ("SEQ+Z03+1", None, ["Z29 SEQ+Z03"]),
    ("SEQ+Z20+1", "SEQ+Z18+1", ["Z29 SEQ+Z20", "Z40 m1.s15 SEQ+Z18"]),
    ("SEQ+Z05+1", None, ["Z29 SEQ+Z05"]),
    ("SEQ+Z13+1", None, ["Z40 m1.s17 SEQ+Z05"]),
    ("NAD+Z07+++Probe:Ada", None, ["Z29 NAD+Z07"]),
    ("NAD+Z07+++Probe:Ada", "NAD+Z08+++Probe:Ada", ["Z29 NAD+Z07", "Z40 m1.s21 NAD+Z08"]),
    ("DTM+Z25:202611192300?+00:303", None, ["Z29 DTM+Z25"]),
    ("DTM+Z25:202611192300?+00:303", "DTM+Z25:202611201000?+00:303", ["Z35 m1.s11 DTM+Z25"]),
    ("DTM+Z25:202611192300?+00:303", "DTM+Z25:202611202300?+00:303", []),
    ("DTM+Z25:202611192300?+00:303", "DTM+Z25:202611212300?+00:303", ["Z41 m1.s11 DTM+Z25"]),
]


@pytest.mark.parametrize(("old", "new", "expected"), PERIODS)
def test_E08_periods_of_master_data_are_numbered_named_and_complete(
    old: str, new: str | None, expected: list[str]
) -> None:
    assert found("UTILMD", utilmd(changed(master_data(), old, new))) == expected


def test_E08_a_period_that_ends_before_it_begins_is_no_period() -> None:
    body = master_data()
    body.insert(6, "DTM+Z26:202611182300?+00:303")
    assert found("UTILMD", utilmd(body)) == ["Z34 m1.s12 DTM+Z26"]


def test_E08_each_of_two_periods_must_be_complete() -> None:
    first = master_data()
    first[6:6] = ["RFF+Z53::2", "DTM+Z25:202612312300?+00:303"]
    assert found("UTILMD", utilmd([*first, "SEQ+Z18+2"])) == [
        f"Z29 {name}" for name in ("NAD+Z03", "NAD+Z05", "NAD+Z07", "NAD+Z08", "SEQ+Z03", "SEQ+Z20")
    ]


def test_E07_one_outcome_per_vorgang_and_the_others_go_on() -> None:
    bad = changed(master_data(2), "STS+7++ZX7", "STS+7++E01")
    outcomes = judged("UTILMD", utilmd(master_data(1), bad, master_data(3))).outcomes
    assert [(each.vorgang and each.vorgang.number, len(each.findings)) for each in outcomes] == [
        ("V1", 0),
        ("V2", 1),
        ("V3", 0),
    ]


def test_E08_four_errors_of_one_vorgang_are_told_together_with_what_was_received() -> None:
    body = changed(changed(master_data(), "STS+7++ZX7", "STS+7++E01"), f"LOC+Z17+{MELO}", "LOC+Z17+DE000999")
    body = changed(changed(body, "PIA+5+1-0?:1.8.0:SRW", "PIA+5+1-0?:1,8:SRW"), "SEQ+Z03+1", None)
    (outcome,) = judged("UTILMD", utilmd(body)).outcomes
    assert [each.code for each in outcome.findings] == ["Z29", "Z35", "Z35", "Z39"]
    assert [(each.segment, each.value) for each in outcome.findings[1:]] == [
        ("LOC+Z17+DE000999", "DE000999"),
        ("PIA+5+1-0?:1,8:SRW", "1-0:1,8"),
        ("STS+7++E01", "E01"),
    ]


def test_E07_an_error_of_the_head_refuses_the_message_without_a_vorgang() -> None:
    body = changed(utilmd(master_data(1), master_data(2)), "DTM+137:202611201000?+00:303", "DTM+137:20261120:102")
    (outcome,) = judged("UTILMD", body).outcomes
    assert (outcome.vorgang, outcome.document, [each.code for each in outcome.findings]) == (None, "D1", ["Z35"])


def test_E07_where_the_message_is_the_vorgang_head_and_content_are_told_together() -> None:
    body = order("17011", "Z12", *POINT, "LIN+1+Z19", "PIA+5+9991000002082:Z11")
    body = changed(body, "DTM+137:202611201000?+00:303", "DTM+137:20261120:102")
    (outcome,) = judged("ORDERS", body).outcomes
    assert [each.code for each in outcome.findings] == ["Z29", "Z35"]


def test_a_code_that_has_run_out_is_refused() -> None:
    body = iftsta("21027", "Z15+Z13+A99:E_0286", "GID+1", "FTX+ACB+++Words")
    later = datetime(2027, 4, 1, 12, tzinfo=MARKET)
    before, after = (
        check(interchange(("IFTSTA", body), when=when), later).content for when in ("270331:1200", "270401:1200")
    )
    assert (before, after) == ("aperak_312", "aperak_313")


def test_a_supplier_must_be_told_the_market_location_and_the_price() -> None:
    data = interchange(("IFTSTA", iftsta("21029", "Z19+Z17", "DTM+76:20270301:102")))
    found_ = check(data, NOW, to_supplier=True).findings
    assert [each.position for each in found_] == ["RFF+AVE", "RFF+Z17|Z45"]


def test_another_list_than_expected_is_a_warning_where_the_code_decides() -> None:
    assert judged("ORDRSP", answer("19016", "Z13", "E17+S_0099")).warnings == ("AJT_LIST:S_0099",)


def test_readings_without_application_reference_are_warned_of() -> None:
    assert judged("MSCONS", readings()).warnings == ("UNB_0026_MISSING",)


@pytest.mark.parametrize("pid", sorted(tree("templates.yaml")))
def test_every_template_of_the_table_can_be_read(pid: str) -> None:
    row = tree("templates.yaml")[pid][0]
    found_ = template(row["message"], pid, NOW.date())
    assert found_ is not None
    assert (found_.pid, found_.message) == (pid, row["message"])
