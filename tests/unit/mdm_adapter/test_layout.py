"""Messages are laid out with places in the words of findings, and a finding is marked where it is."""

import pytest

from services.mdm_adapter.checking import check
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.dialects.layout import Line, lines_of, mark_of, marked

INTERCHANGE = (
    b"UNA:+.? '\nUNB+UNOC:3+9900000001019:500+9900000001027:500+261123:1530+HUB00000000104'\n"
    b"UNH+M0001+IFTSTA:D:18A:UN:2.1'\nBGM+Z09+D?'1'\nFTX+ACB+++a?+b:c'\nUNT+4+M0001'\nUNZ+1+HUB00000000104'\n"
)


def places(data: bytes, dialect: str) -> list[str]:
    return [line.at for line in lines_of(data, dialect)]


def test_segments_have_the_places_of_findings_and_a_released_terminator_ends_nothing() -> None:
    assert places(INTERCHANGE, "edifact_fv") == ["UNA", "UNB", "m1.s1", "m1.s2", "m1.s3", "m1.s4", "UNZ"]
    assert [line.text for line in lines_of(INTERCHANGE, "edifact_fv")][3] == "BGM+Z09+D?'1"


def test_elements_have_paths_without_namespaces_and_count_where_there_are_several() -> None:
    data = b'<a:A xmlns:a="x"><a:B>1</a:B><a:B c="d">2</a:B><a:C/></a:A>'
    found = {line.at: line.text for line in lines_of(data, "cim_xml")}
    assert found == {"/A": "A", "/A/B[1]": "B: 1", "/A/B[2]": 'B c="d": 2', "/A/C": "C"}


def test_members_have_pointers() -> None:
    assert places(b'{"a": {"b": [1, "x"]}}', "json_ce") == ["/", "/a", "/a/b", "/a/b/0", "/a/b/1"]


def test_rows_count_behind_the_head() -> None:
    assert places(b"a;b\n1;2\n3;4\n", "csv") == ["head", "row 1", "row 2"]


@pytest.mark.parametrize("dialect", ["edifact_fv", "cim_xml", "json_ce", "csv", "unknown"])
@pytest.mark.parametrize(
    "data", [b"", b"\x00\xff\xfe", b"<a><b>", b'{"a": ', b"UNA", b"UNB+?", b"UNA:+.? 'UNH", b"\n\n", b"[" * 5_000]
)
def test_whatever_the_bytes_are_they_are_laid_out(data: bytes, dialect: str) -> None:
    assert isinstance(lines_of(data, dialect), list)


@pytest.mark.parametrize(
    ("position", "text"),
    [
        ("m1.s3.e2", "ACB"),
        ("m1.s3.e5", "a?+b:c"),
        ("m1.s3.e5.c1", "a?+b"),
        ("m1.s3.e5.c2", "c"),
        ("m1.s3.e5.c3", ""),
        ("m1.s3.e9", ""),
        ("m1.s3", None),
    ],
)
def test_the_component_that_is_meant_is_marked(position: str, text: str | None) -> None:
    line = Line("m1.s3", "FTX+ACB+++a?+b:c")
    marks = mark_of(Finding("Z35", position, ""), line)
    assert (None if marks is None else line.text[slice(*marks)]) == text


def test_every_finding_of_a_check_stands_at_its_segment_or_apart() -> None:
    verdict = check(INTERCHANGE.replace(b"UNT+4", b"UNT+9"))
    assert verdict.core_finding is not None
    lines, apart = marked(lines_of(INTERCHANGE, "edifact_fv"), [verdict.core_finding])
    assert ([(line.at, len(line.findings)) for line in lines if line.findings], apart) == ([("m1.s4", 1)], [])


def test_a_finding_goes_to_the_nearest_line_around_it() -> None:
    lines = (
        [Line("/"), Line("/data"), Line("/data/auftrag")]
        if False
        else lines_of(b'{"data": {"auftrag": {}}}', "json_ce")
    )
    found, apart = marked(lines, [Finding("1.7", "/data/auftrag/kind", "missing"), Finding("2.32", "location", "x")])
    assert ([line.at for line in found if line.findings], [each.code for each in apart]) == (
        ["/data/auftrag"],
        ["2.32"],
    )


def test_a_segment_is_not_taken_for_one_that_begins_like_it() -> None:
    lines = [Line("m1.s1", "A"), Line("m1.s10", "B")]
    found, _ = marked(lines, [Finding("Z35", "m1.s10.e2", "")])
    assert [bool(line.findings) for line in found] == [False, True]


def test_where_nothing_can_be_read_lines_are_counted() -> None:
    verdict = check(b"<a>\n<b>\n</a>")
    lines, apart = marked(lines_of(b"<a>\n<b>\n</a>", "cim_xml"), verdict.findings)
    assert ([line.number for line in lines if line.findings], apart) == ([3], [])
