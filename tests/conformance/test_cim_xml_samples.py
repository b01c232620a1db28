"""Every XML sample gets the verdict of its manifest."""

import csv
import gzip
import json
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
from services.mdm_adapter.checking import Verdict, check
from services.mdm_adapter.dialects.cim_xml.parsing import parse
from services.mdm_adapter.dialects.cim_xml.xml import canonical
from services.mdm_adapter.partners.profile import Profile

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "samples" / "xml"
ROWS = {row["file"]: row for row in csv.DictReader((SAMPLES / "MANIFEST.csv").read_text("utf-8").splitlines())}
MESSAGES = sorted(name for name, row in ROWS.items() if row["kind"] == "message")
OWN = [name for name in MESSAGES if name.startswith("own/")]

PARTNER = Profile.model_validate(
    {
        "id": "any",
        "name": "Any partner",
        "role": "ERP",
        "dialects": [{"dialect": "cim_xml"}],
        "transports": {"in": [{"kind": "rest"}], "out": [{"kind": "rest"}]},
        "strict": {"ids": {"malo": "reject", "melo": "reject", "gsrn": "reject", "mp": "reject"}},
        "defaults": {"operator": "nord", "origin": "statutory", "language": "de", "sms_allowed": False},
    }
)


COLUMNS = (
    *("root_namespace", "root_name", "noun", "well_formed", "xsd_verdict"),
    *("content_verdict", "content_codes", "content_positions", "warnings"),
)


def verdict(name: str) -> Verdict:
    file = SAMPLES / name
    return check(file.read_bytes(), PARTNER, SAMPLES / "energinet-cim" / "xsd", beside=file.parent)


def hub_check(folder: Path, *names: str) -> tuple[int, list[dict[str, object]]]:
    profile = folder / "any.yaml"
    profile.write_text(json.dumps(PARTNER.model_dump(mode="json", by_alias=True, exclude_unset=True)), "utf-8")
    options = ["--partner", "any", "--schemas", str(SAMPLES / "energinet-cim" / "xsd"), "--json"]
    files = [str(SAMPLES / name) for name in names]
    done = CliRunner().invoke(app, ["check", *files, *options], env={"HUB_PARTNERS_DIR": str(folder)})
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]


def test_the_manifest_names_every_file_and_its_bytes() -> None:
    files = {str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*") if path.is_file()}
    files -= {"MANIFEST.csv", "SOURCES.md", "LICENSES/Apache-2.0.txt"}
    assert files == ROWS.keys()
    assert [name for name in files if sha256((SAMPLES / name).read_bytes()).hexdigest() != ROWS[name]["sha256"]] == []


@pytest.mark.parametrize("name", sorted(ROWS))
def test_X05_a_sample_is_judged_as_every_column_of_its_manifest_says(name: str) -> None:
    said, row = json.loads(verdict(name).as_json()), ROWS[name]
    assert {column: said[column] for column in COLUMNS} == {column: row[column] for column in COLUMNS}
    assert said["key_fields"] == json.loads(row["key_fields"] or "{}")


def test_X05_hub_check_says_the_same_of_all_files_at_once(tmp_path: Path) -> None:
    names = sorted(ROWS)
    code, said = hub_check(tmp_path, *names)
    found = {str(Path(str(each["file"])).relative_to(SAMPLES)): each for each in said}
    assert [{column: found[name][column] for column in COLUMNS} for name in names] == [
        {column: ROWS[name][column] for column in COLUMNS} for name in names
    ]
    fields = {name: json.loads(ROWS[name]["key_fields"] or "{}") for name in names}
    assert {name: found[name]["key_fields"] for name in names} == fields
    refused = {name for name, each in found.items() if each["exit_code"]}
    assert (code, refused) == (1, {name for name in names if ROWS[name]["content_verdict"] == "reject"})


def test_X05_a_placeholder_that_its_schema_allows_is_refused() -> None:
    allowed = [name for name in MESSAGES if (ROWS[name]["xsd_verdict"], name[:13]) == ("valid", "energinet-cim")]
    assert {name: verdict(name).content for name in allowed} == dict.fromkeys(allowed, "reject")
    assert len(allowed) == 4


@pytest.mark.parametrize("name", OWN)
def test_X05_a_message_of_our_own_form_is_written_as_it_was_read(name: str) -> None:
    data = (SAMPLES / name).read_bytes()
    assert canonical(parse(data)) == data


def test_a_schema_that_does_not_compile_is_refused_with_the_reason(tmp_path: Path) -> None:
    schema = b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a" type="b"/></xs:schema>'
    found = check(schema, beside=tmp_path)
    assert (found.schema, found.content, found.exit_code, found.findings[0].code) == ("invalid", "reject", 1, "1.8")
    assert "'b'" in found.findings[0].detail


CONFIRMED = (SAMPLES / "energinet-cim" / "xml" / "confirm.xml").read_bytes().replace(b"changeofacc", b"changeacc")
REFUSED = CONFIRMED.replace(b"Confirm", b"Reject").replace(b":confirm", b":reject").replace(b">A01<", b">A02<")


@pytest.mark.parametrize(
    ("data", "content", "codes"),
    [
        (CONFIRMED, "read_positive", []),
        (
            REFUSED.replace(b"</cim:MktActivityRecord>", b"%s</cim:MktActivityRecord>")
            % b"<cim:Reason><cim:code>E10</cim:code></cim:Reason>",
            "read_negative",
            ["E10"],
        ),
    ],
)
def test_an_answer_of_the_danish_hub_is_read_by_schemas_from_a_folder(
    data: bytes, content: str, codes: list[str]
) -> None:
    valid = data.replace(b"579999993331812345", b"571313135100020644").replace(b"5799999933318", b"5790001330552")
    found = check(valid, PARTNER, SAMPLES / "energinet-cim" / "xsd")
    assert (found.schema, found.content, [each.code for each in found.findings]) == ("valid", content, codes)
    assert found.exit_code == 0


def test_X02_a_packed_file_is_judged_by_its_content_unless_it_unpacks_to_too_much() -> None:
    plain, bomb = (SAMPLES / OWN[0]).read_bytes(), b"<a>" + b" " * 1_000_000 + b"</a>"
    whole = check(gzip.compress(plain), PARTNER)
    assert whole == check(plain, PARTNER)
    refused = check(gzip.compress(bomb), PARTNER)
    assert (refused.content, refused.findings[0].rule, refused.exit_code) == ("quarantine", "INFLATION", 1)
