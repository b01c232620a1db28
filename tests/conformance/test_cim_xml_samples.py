"""Every XML sample gets the verdict of its manifest."""

import csv
import json
from hashlib import sha256
from pathlib import Path

import pytest
from lxml import etree

from services.mdm_adapter.checking import Verdict, check
from services.mdm_adapter.dialects.cim_xml.parsing import compiled
from services.mdm_adapter.partners.profile import Profile

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "samples" / "xml"
ROWS = {row["file"]: row for row in csv.DictReader((SAMPLES / "MANIFEST.csv").read_text("utf-8").splitlines())}
MESSAGES = sorted(name for name, row in ROWS.items() if row["kind"] == "message")
SCHEMAS = sorted(name for name, row in ROWS.items() if row["xsd_verdict"] == "compiles")
JUDGED = [name for name in MESSAGES if ROWS[name]["content_verdict"] != "n/a"]

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


def verdict(name: str) -> Verdict:
    return check((SAMPLES / name).read_bytes(), PARTNER, SAMPLES / "energinet-cim" / "xsd")


def listed(cell: str) -> list[str]:
    return cell.split(";") if cell else []


def test_the_manifest_names_every_file_and_its_bytes() -> None:
    files = {str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*") if path.is_file()}
    files -= {"MANIFEST.csv", "SOURCES.md", "LICENSES/Apache-2.0.txt"}
    assert files == ROWS.keys()
    assert [name for name in files if sha256((SAMPLES / name).read_bytes()).hexdigest() != ROWS[name]["sha256"]] == []


@pytest.mark.parametrize("name", MESSAGES)
def test_X5_root_and_schema_of_a_sample_are_judged_as_its_manifest_says(name: str) -> None:
    found, row = verdict(name), ROWS[name]
    assert (found.root_namespace, found.root_name, found.noun) == (
        row["root_namespace"],
        row["root_name"],
        row["noun"],
    )
    assert (found.well_formed, found.schema) == (row["well_formed"] == "yes", row["xsd_verdict"])


@pytest.mark.parametrize("name", MESSAGES)
def test_X5_content_of_a_sample_is_judged_as_its_manifest_says(name: str) -> None:
    found, row = verdict(name), ROWS[name]
    assert found.content == row["content_verdict"]
    assert [finding.code for finding in found.findings] == listed(row["content_codes"])
    assert [finding.position for finding in found.findings if finding.position] == listed(row["content_positions"])
    assert [finding.code for finding in found.warnings] == listed(row["warnings"])


@pytest.mark.parametrize("name", JUDGED)
def test_X5_key_fields_of_a_sample_are_read_as_its_manifest_says(name: str) -> None:
    wanted = json.loads(ROWS[name]["key_fields"] or "{}")
    assert verdict(name).key_fields == wanted


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_of_the_samples_compiles(name: str) -> None:
    assert isinstance(compiled(SAMPLES / name), etree.XMLSchema)
