"""Every EDIFACT sample gets the verdict of its manifest, from the codec and from `hub check`."""

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
from services.mdm_adapter.dialects.edifact_fv.checking import Checked, check
from services.mdm_adapter.dialects.edifact_fv.envelope import Interchange, read
from services.mdm_adapter.dialects.edifact_fv.fields import MARKET
from services.mdm_adapter.dialects.edifact_fv.syntax import Segment
from services.mdm_adapter.dialects.edifact_fv.writing import write

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "samples" / "edifact"
ROWS = {row["file"]: row for row in csv.DictReader((SAMPLES / "MANIFEST.csv").read_text("utf-8").splitlines())}
MESSAGES = sorted(name for name in ROWS if name.endswith(".edi"))
READABLE = [name for name in MESSAGES if ROWS[name]["core_verdict"] == "ok"]
OWN = [name for name in MESSAGES if name.startswith("own/")]
RECEIVED_AT = datetime(2026, 11, 24, 12, tzinfo=MARKET)
COLUMNS = (
    "message",
    "pid",
    "version",
    "core_verdict",
    "core_code",
    "core_position",
    "content_verdict",
    "content_codes",
    "content_positions",
    "warnings",
)
REFUSED = {"aperak_313", "contrl_4"}


def checked(name: str) -> Checked:
    return check((SAMPLES / name).read_bytes(), RECEIVED_AT)


def values(interchange: Interchange) -> list[Segment]:
    segments = [segment for message in interchange.messages for segment in message.segments]
    return [each.trimmed() for each in (interchange.head, *segments, interchange.trailer)]


def hub_check(*names: str) -> tuple[int, list[dict[str, object]]]:
    files = [str(SAMPLES / name) for name in names]
    done = CliRunner().invoke(app, ["check", *files, "--as-of", "2026-11-24T12:00", "--json"])
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]


def without_hints(cell: object) -> list[str]:
    return [position.partition(" ")[0] for position in str(cell).split(";")]


def test_the_manifest_names_every_file_and_its_bytes() -> None:
    files = {str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*") if path.is_file()}
    files = {name for name in files if not name.startswith("LICENSES/")} - {"MANIFEST.csv", "SOURCES.md"}
    assert files == ROWS.keys()
    assert [name for name in files if sha256((SAMPLES / name).read_bytes()).hexdigest() != ROWS[name]["sha256"]] == []


@pytest.mark.parametrize("name", MESSAGES)
def test_E04_syntax_and_envelope_of_a_sample_are_judged_as_its_manifest_says(name: str) -> None:
    found, row = checked(name), ROWS[name]
    core = (found.core.code, found.core.position) if found.core else ("", "")
    assert ("reject" if found.core else "ok", *core) == (row["core_verdict"], row["core_code"], row["core_position"])


@pytest.mark.parametrize("name", READABLE)
def test_E08_content_of_a_sample_is_judged_as_its_manifest_says(name: str) -> None:
    found, row = checked(name), ROWS[name]
    codes = ";".join(each.code for each in found.findings)
    positions = ";".join(each.position for each in found.findings if each.position)
    assert (found.content, codes, positions) == (row["content_verdict"], row["content_codes"], row["content_positions"])
    assert ";".join(found.warnings) == row["warnings"]


@pytest.mark.parametrize("name", READABLE)
def test_what_a_sample_is_about_is_read_as_its_manifest_says(name: str) -> None:
    found, row = checked(name), ROWS[name]
    assert found.key_fields == json.loads(row["key_fields"])
    assert (found.messages, found.segments) == (int(row["messages"]), int(row["segments"]))


@pytest.mark.parametrize("name", sorted(ROWS))
def test_hub_check_prints_the_columns_of_the_manifest(name: str) -> None:
    row, (code, (printed,)) = ROWS[name], hub_check(name)
    assert {column: printed[column] for column in COLUMNS} == {column: row[column] for column in COLUMNS}
    assert printed["key_fields"] == json.loads(row["key_fields"] or "{}")
    assert code == int(row["core_verdict"] == "reject" or row["content_verdict"] in REFUSED)


def test_hub_check_of_many_files_prints_one_object_each_and_is_refused_when_one_is() -> None:
    code, printed = hub_check(*OWN, "mako/mscons__invalid__bad_melo.edi")
    assert (code, len(printed)) == (1, len(OWN) + 1)


@pytest.mark.parametrize("name", OWN)
def test_E01_an_own_sample_is_written_back_byte_by_byte(name: str) -> None:
    data = (SAMPLES / name).read_bytes()
    assert write(read(data).whole()) == data


@pytest.mark.parametrize("name", READABLE)
def test_E01_a_sample_loses_no_value_and_its_second_writing_is_its_first(name: str) -> None:
    first = read((SAMPLES / name).read_bytes()).whole()
    written = write(first)
    again = read(written).whole()
    assert (values(again), write(again)) == (values(first), written)


def offsets(name: str) -> Iterator[tuple[bytes, bytes]]:
    data = (SAMPLES / name).read_bytes()
    for message in read(data).whole().messages:
        for number, segment in enumerate(message.segments, 1):
            begin = message.offset_of(number)
            yield data[begin : begin + 3], segment.tag.encode()


@pytest.mark.parametrize("name", READABLE)
def test_the_offset_of_a_segment_is_where_it_stands_in_the_file(name: str) -> None:
    found = list(offsets(name))
    assert [stands for stands, _ in found] == [tag for _, tag in found]
