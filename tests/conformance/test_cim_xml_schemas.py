"""Our own schemas, and sets of schemas of partners: what they take, what they refuse, and that they can grow."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import xmlschema
from lxml import etree
from typer.testing import CliRunner

from hub.cli import app
from services.mdm_adapter.checking import check
from services.mdm_adapter.dialects.cim_xml.envelope import ENVELOPES, PAYLOADS, SCHEMAS
from services.mdm_adapter.dialects.cim_xml.parsing import compiled, validate
from services.mdm_adapter.dialects.cim_xml.schema_sets import SchemaRefused, SchemaSet

FIXTURES = Path(__file__).parent / "cim_xml"
NOUNS = ("message", "service_orders", "meter_config", "master_data_linkage_config", "meter_readings")
MINORS = sorted(path.name for path in FIXTURES.iterdir())


def fixtures(minor: str, noun: str, kind: str) -> list[etree._Element]:
    """Documents of one version, as each stands alone."""
    file = FIXTURES / minor / f"{noun}.xml"
    if not file.exists():
        return []
    found = etree.parse(file).getroot().iterfind(f"{kind}/*")
    return [etree.fromstring(etree.tostring(each, with_tail=False)) for each in found]


def schema_of(noun: str) -> etree.XMLSchema:
    return compiled(SCHEMAS / f"{noun}.xsd")


def newest(noun: str) -> str:
    return max(minor for minor in MINORS if (FIXTURES / minor / f"{noun}.xml").exists())


@pytest.mark.parametrize("noun", NOUNS)
def test_X25_what_was_valid_under_an_earlier_minor_version_is_valid_now(noun: str) -> None:
    schema = schema_of(noun)
    documents = [each for minor in MINORS for each in fixtures(minor, noun, "valid")]
    assert [validate(each, schema) for each in documents] == [[] for _ in documents]
    assert len(documents) >= 3


@pytest.mark.parametrize("noun", NOUNS)
def test_X25_a_schema_has_fixtures_of_its_own_minor_version(noun: str) -> None:
    assert etree.parse(SCHEMAS / f"{noun}.xsd").getroot().get("version") == newest(noun)


@pytest.mark.parametrize("noun", NOUNS)
def test_X25_what_is_not_valid_is_refused_with_its_place(noun: str) -> None:
    schema = schema_of(noun)
    documents = fixtures("1.0", noun, "invalid") + (
        fixtures(newest(noun), noun, "invalid") if newest(noun) > "1.0" else []
    )
    places = [validate(each, schema)[0].xpath for each in documents]
    assert (len(places) >= 5, all(place and place.startswith("/") for place in places)) == (True, True)


@pytest.mark.parametrize("noun", NOUNS)
def test_X_XSD_1_another_compiler_agrees_on_every_fixture(noun: str) -> None:
    other = xmlschema.XMLSchema(str(SCHEMAS / f"{noun}.xsd"))
    for kind, wanted in (("valid", True), ("invalid", False)):
        documents = [each for minor in MINORS for each in fixtures(minor, noun, kind)]
        assert [other.is_valid(each) for each in documents] == [wanted for _ in documents]


def test_X25_an_upgrade_that_takes_something_away_would_be_found(tmp_path: Path) -> None:
    for file in SCHEMAS.glob("*.xsd"):
        text = file.read_text("utf-8").replace(
            '<xs:element name="Seals" type="Text"', '<xs:element name="Seals" type="Day"'
        )
        (tmp_path / file.name).write_text(text, "utf-8")
    narrower = compiled(tmp_path / "meter_config.xsd")
    assert [bool(validate(each, narrower)) for each in fixtures("1.0", "meter_config", "valid")] == [False, True, False]


def test_X04_every_noun_of_the_profile_has_its_own_namespace_and_schema() -> None:
    assert sorted((namespace, name) for namespace, name in PAYLOADS) == [
        (f"http://iec.ch/TC57/2011/{noun}#", noun)
        for noun in ("MasterDataLinkageConfig", "MeterConfig", "MeterReadings", "ServiceOrders")
    ]
    assert {name for _, name in ENVELOPES} == {"RequestMessage", "ResponseMessage", "EventMessage", "FaultMessage"}


def part(number: int, more: str = "") -> str:
    return (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:shared" targetNamespace="urn:shared">'
        f'{more}<xs:simpleType name="T{number}"><xs:restriction base="xs:string">'
        f'<xs:pattern value="{number}[0-9]+"/></xs:restriction></xs:simpleType></xs:schema>'
    )


def imports_of_five() -> str:
    imports = "".join(f'<xs:import namespace="urn:shared" schemaLocation="part{n}.xsd"/>' for n in range(1, 6))
    elements = "".join(f'<xs:element name="e{n}" type="s:T{n}"/>' for n in range(1, 6))
    return (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:s="urn:shared" targetNamespace="urn:main" '
        f'elementFormDefault="qualified">{imports}<xs:element name="Document"><xs:complexType><xs:sequence>'
        f"{elements}</xs:sequence></xs:complexType></xs:element></xs:schema>"
    )


@pytest.fixture
def partner_set(tmp_path: Path) -> Path:
    """A document whose schema imports one namespace from five files; two of them include another one."""
    (tmp_path / "main.xsd").write_text(imports_of_five(), "utf-8")
    for number in range(1, 6):
        more = '<xs:include schemaLocation="part5.xsd"/>' if number in {1, 2} else ""
        (tmp_path / f"part{number}.xsd").write_text(part(number, more), "utf-8")
    return tmp_path


def document(*values: str) -> bytes:
    inner = "".join(f"<e{number}>{value}</e{number}>" for number, value in enumerate(values, 1))
    return f'<Document xmlns="urn:main">{inner}</Document>'.encode()


GOOD = [("11", "22", "33", "44", "55"), ("10", "20", "30", "40", "50"), ("19", "299", "3999", "49999", "599999")]
BAD = [("21", "22", "33", "44", "55"), ("11", "22", "33", "44", "5"), ("11", "22", "33", "44")]


def test_X07_the_library_alone_takes_only_the_first_of_five_files(partner_set: Path) -> None:
    with pytest.raises(etree.XMLSchemaParseError):
        compiled(partner_set / "main.xsd")


@pytest.mark.parametrize("values", GOOD)
def test_X07_a_set_that_imports_one_namespace_from_five_files_takes_what_is_valid(
    values: tuple[str, ...], partner_set: Path
) -> None:
    found = check(document(*values), schemas_dir=partner_set)
    assert (found.schema, found.content, found.findings) == ("valid", "accept", [])


@pytest.mark.parametrize("values", BAD)
def test_X07_a_set_that_imports_one_namespace_from_five_files_refuses_what_is_not(
    values: tuple[str, ...], partner_set: Path
) -> None:
    found = check(document(*values), schemas_dir=partner_set)
    assert (found.schema, found.content, {each.code for each in found.findings}) == ("invalid", "reject", {"1.8"})


def test_X07_a_set_opens_no_file_and_no_address_that_a_schema_names(tmp_path: Path) -> None:
    outside = tmp_path / "outside.xsd"
    outside.write_text(part(1), "utf-8")
    inside = tmp_path / "inside"
    inside.mkdir()
    text = imports_of_five().replace('schemaLocation="part1.xsd"', f'schemaLocation="{outside.as_uri()}"')
    (inside / "main.xsd").write_text(text, "utf-8")
    with pytest.raises(SchemaRefused, match="T1"):
        SchemaSet.of_folder(inside).registry()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"<a", "bad.xsd"), (b"<a/>", "no schema"), (b"<!DOCTYPE a><a/>", "document type")],
)
def test_X07_a_folder_that_cannot_be_used_says_which_file_it_is(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "bad.xsd").write_bytes(content)
    with pytest.raises(SchemaRefused, match=reason):
        SchemaSet.of_folder(tmp_path)


def test_X07_hub_check_names_the_file_of_a_folder_that_it_cannot_use(tmp_path: Path) -> None:
    (tmp_path / "bad.xsd").write_bytes(b"<a")
    (tmp_path / "a.xml").write_bytes(document("11"))
    done = CliRunner().invoke(app, ["check", str(tmp_path / "a.xml"), "--schemas", str(tmp_path)])
    assert (done.exit_code, "bad.xsd" in done.output, "Traceback" in done.output) == (2, True, False)


def lines(folder: Path) -> Iterator[str]:
    for file in folder.glob("*.xsd"):
        yield from file.read_text("utf-8").splitlines()


def test_our_schemas_are_closed_but_for_the_holders_of_payloads() -> None:
    wild = [line.strip() for line in lines(SCHEMAS) if "xs:any" in line]
    assert wild == [
        '<xs:any namespace="##other" processContents="skip"/>',
        '<xs:any namespace="##local" processContents="skip"/>',
        '<xs:any namespace="##other" processContents="skip"/>',
    ]
