"""What we build is read by two other readers of EDIFACT; where they judge otherwise, the reason stands here.

Differences that are known and wanted:
- pydifact tells nothing about service characters other than the default, control characters, tags or counts: it is
  asked for values only. It drops nothing that we keep.
- makotest sees no UNB behind a UNA, so it is fed without one, on one line. It demands segments that the rules of the
  receiver do not (address details in NAD, the reference layout of APERAK 2.1i) and knows no period references: it is
  asked which messages an interchange holds, which errors it finds in what we build (DIFFERENCES says why they leave
  all the same), and whether our writing of its own messages changes its findings.
"""

import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import makotest
import pytest
from pydifact.segmentcollection import Interchange as Pydifact

from services.mdm_adapter.dialects.edifact_fv.envelope import Interchange, read
from services.mdm_adapter.dialects.edifact_fv.versions import version_at
from services.mdm_adapter.dialects.edifact_fv.writing import write
from tests.bench.market import corpus
from tests.unit.mdm_adapter.edifact.built import BUILT as OURS

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "samples" / "edifact"
BUILT = [*corpus(60, seed=3), *OURS.values()]
NAMES = [*map(str, range(60)), *OURS]
GENERATED = sorted((SAMPLES / "generated-fv2610").glob("*.edi"))
OWN = sorted((SAMPLES / "own").glob("*.edi"))


def ours(interchange: Interchange) -> Iterator[tuple[str, list[list[str]]]]:
    for message in interchange.messages:
        for segment in message.segments[1:-1]:
            yield segment.tag, [list(element) for element in segment.elements]


def theirs(data: bytes) -> Iterator[tuple[str, list[list[str]]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of directories that it does not bring
        for message in Pydifact.from_str(data.decode("latin-1")).get_messages():
            for segment in message.segments:
                yield segment.tag, [each if isinstance(each, list) else [each] for each in segment.elements]


@pytest.mark.parametrize("data", BUILT, ids=NAMES)
def test_pydifact_reads_the_values_that_we_wrote(data: bytes) -> None:
    assert list(theirs(data)) == list(ours(read(data).whole()))


@pytest.mark.parametrize("file", [*GENERATED, *OWN], ids=lambda file: file.name)
def test_pydifact_reads_the_values_of_the_samples_that_we_read(file: Path) -> None:
    data = file.read_bytes()
    assert list(theirs(data)) == list(ours(read(data).whole()))


def judged_by_makotest(data: bytes) -> makotest.ValidationReport:
    written = write(read(data).whole(), line_end="").removeprefix(b"UNA:+.? '")
    return makotest.validate_edifact(written, "2026-11-20")


@pytest.mark.parametrize("data", BUILT, ids=NAMES)
def test_makotest_parses_what_we_wrote_and_sees_the_same_messages(data: bytes) -> None:
    messages = read(data).whole().messages
    assert [each.message_type for each in judged_by_makotest(data).messages] == [each.type for each in messages]


@pytest.mark.parametrize("file", GENERATED, ids=lambda file: file.name)
def test_makotest_judges_its_own_messages_equally_after_our_writing(file: Path) -> None:
    data = file.read_bytes()
    before, after = makotest.validate_edifact(data, "2026-11-20"), judged_by_makotest(data)
    rules = [[(each.rule_id, each.segment) for each in report.findings] for report in (before, after)]
    assert rules[0] == rules[1]


def test_makotest_finds_our_readings_valid() -> None:
    report = judged_by_makotest((SAMPLES / "own" / "mscons_13017_exchange.edi").read_bytes())
    assert [str(each.message) for each in report.errors] == []


MESSAGES = ["UTILMD", "ORDERS", "ORDRSP", "IFTSTA", "INSRPT", "MSCONS", "APERAK"]


@pytest.mark.parametrize("message", MESSAGES)
def test_makotest_knows_the_versions_of_fv2610_that_we_know(message: str) -> None:
    version = version_at(message, datetime.fromisoformat("2026-10-01"))
    assert version is not None
    assert makotest.release_for(message, "2026-10-01") == version.number


@pytest.mark.parametrize("message", [each for each in MESSAGES if each != "UTILMD"])
def test_makotest_knows_the_versions_of_fv2604_that_we_know(message: str) -> None:
    """Of UTILMD it gives the version for gas on that day."""
    version = version_at(message, datetime.fromisoformat("2026-04-01"))
    assert version is not None
    assert makotest.release_for(message, "2026-04-01") == version.number


# fmt: off
DIFFERENCES = {  # built messages in which it finds errors, and why they leave all the same
    "21029 mme":  "it knows no price key behind a window; our rules demand one of a supplier's announcement",
    "21027 A99":  "it does not know A99, which may be sent until 2027-03-31",
    "55643":      "first names and house numbers in NAD: a receiver ignores them",
    "55653":      "the same",
    "55663":      "the same",
    "13006":      "its template has no point; ours demands one",
    "19015":      "a house number in NAD",
    "APERAK 313": "it knows only the layout of 2.1i",
}
# fmt: on


@pytest.mark.parametrize("name", OURS)
def test_makotest_finds_errors_only_in_messages_for_which_there_is_a_reason(name: str) -> None:
    errors = [str(each.message) for each in judged_by_makotest(OURS[name]).errors]
    assert (errors != []) == (name in DIFFERENCES), errors
