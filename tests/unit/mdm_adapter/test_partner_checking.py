"""`hub partner check`: every fault of a profile by file and line, alone, together, and beside those in force."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app

EXAMPLES = Path(__file__).parents[3] / "services/mdm_adapter/partners/examples"
GOOD = """id: erp-x
name: ERP X
role: ERP
identity: [{scheme: name, value: ERP-X}]
dialects: [{dialect: cim_xml}]
transports: {in: [{kind: rest}], out: [{kind: rest}]}
defaults:
  operator: nord
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path


def checked(folder: Path, *files: str | Path) -> Result:
    return CliRunner().invoke(app, ["partner", "check", *map(str, files), "--data", str(folder / "data")])


def test_the_three_examples_are_well_each_and_together(folder: Path) -> None:
    files = sorted(EXAMPLES.glob("*.yaml"))
    done = checked(folder, *files)
    assert (done.exit_code, done.stderr, done.stdout.count(": well")) == (0, "", 3)
    assert [file.stem for file in files] == ["grid-fjord", "msb-west-erp", "werke-auental"]


@pytest.mark.parametrize(
    ("was", "now", "line", "words"),
    [
        ("name: ERP X", "nmae: ERP X", 2, "nmae"),
        ("role: ERP", "role: ERP\nrole: KIS", 4, "role: stands there twice"),
        ("  operator: nord", "  operator: nord\npassword: geheim", 9, "a secret does not stand in a profile"),
        (
            "out: [{kind: rest}]",
            'out: [{kind: rest, url: "https://me:geheim@erp.example/in"}]',
            6,
            "a secret does not stand in a profile",
        ),
        ("[{dialect: cim_xml}]", "[{dialect: cim_xml, valid_from: 2099-01-01}]", 5, "until 2099-01-01 no dialect"),
        ("[{dialect: cim_xml}]", "[{dialect: csv}]", 5, "nothing of ours can be written"),
        ("value: ERP-X", "value: ERP-A", 4, "identity ERP-A is that of erp-a"),
        ("role: ERP", "role: NB\ncontract: market", 6, "announcements of the market"),
        ("role: ERP", "role: ERP\ncode_map: none.csv", 4, "the file none.csv is missing"),
        ("role: ERP", "role: ERP\ncsv: {mapping: none.map.yaml}", 4, "the file none.map.yaml is missing"),
        ("name: ERP X", "name: &x ERP X\n", 1, ""),
        ("name: ERP X", "name: [", 4, "not YAML"),
    ],
)
def test_a_fault_is_named_with_file_and_line(folder: Path, was: str, now: str, line: int, words: str) -> None:
    file = folder / "p.yaml"
    file.write_text(GOOD.replace(was, now))
    done = checked(folder, file)
    if not words:
        assert (done.exit_code, done.stdout) == (0, f"{file}: well\n")
        return
    assert (done.exit_code, done.exception.__class__.__name__) == (1, "SystemExit")
    assert any(each.startswith(f"{file}:{line}: ") and words in each for each in done.stdout.splitlines()), done.stdout


def test_two_files_must_not_share_a_name_or_an_id(folder: Path) -> None:
    first, second, third = (folder / f"{name}.yaml" for name in "abc")
    first.write_text(GOOD)
    second.write_text(GOOD.replace("id: erp-x", "id: erp-y"))
    third.write_text(GOOD.replace("ERP-X", "ERP-Z"))
    names, ids = checked(folder, first, second), checked(folder, first, third)
    assert (names.exit_code, f"{second}:4: identity: identity ERP-X is that of erp-x" in names.stdout) == (1, True)
    assert (ids.exit_code, f"{third}:1: id: erp-x is that of {first} too" in ids.stdout) == (1, True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b"a: &a [*a]",
        b"[" * 20_000,
        b"a: 2026-02-31",
        b"? {a: b}\n: c",
        b"x: !!python/object:os.system ls",
        b"\x00",
        b"- " * 3_000,
        b"a: &x [1]\nb: [*x, *x]",
        b"id: " + b"x" * 300_000,
    ],
)
def test_whatever_a_file_holds_there_is_a_line_and_no_trace(folder: Path, content: bytes) -> None:
    file = folder / "p.yaml"
    file.write_bytes(content)
    done = checked(folder, file)
    assert (done.exit_code, isinstance(done.exception, SystemExit), f"{file}:" in done.stdout) == (1, True, True)


@pytest.mark.parametrize("arguments", [["nowhere.yaml"], ["."], []])
def test_2_what_is_no_file_is_wrong_usage(folder: Path, arguments: list[str]) -> None:
    assert checked(folder, *arguments).exit_code == 2


def test_a_message_is_judged_by_a_profile_that_is_not_in_force(folder: Path) -> None:
    message, bad = folder / "o.csv", folder / "bad.yaml"
    message.write_text("order_no;version;action\nA;1;cancel\n")
    bad.write_text("id: [")
    how = ["--data", str(folder / "data")]
    good = CliRunner().invoke(app, ["check", str(message), "--profile", str(EXAMPLES / "werke-auental.yaml"), *how])
    wrong = CliRunner().invoke(app, ["check", str(message), "--profile", str(bad), *how])
    nobody = CliRunner().invoke(app, ["check", str(message), "--partner", "nobody", *how])
    assert ([each.exit_code for each in (good, wrong, nobody)], f"{bad}:1" in wrong.stderr) == ([0, 2, 2], True)


def test_a_partner_in_force_is_checked_by_its_name(folder: Path) -> None:
    done = checked(folder, "erp-a")
    assert (done.exit_code, done.stdout) == (0, "erp-a: well\n")


def test_a_profile_is_shown_with_its_defaults(folder: Path) -> None:
    done = CliRunner().invoke(app, ["partner", "show", "erp-a", "--json", "--data", str(folder / "data")])
    absent = CliRunner().invoke(app, ["partner", "show", "nobody", "--data", str(folder / "data")])
    assert ('"message_bytes": 10000000' in done.stdout, absent.exit_code) == (True, 1)


def test_a_bad_map_beside_a_profile_is_named_with_its_line(folder: Path) -> None:
    (folder / "p.yaml").write_text(GOOD + "code_map: p.csv\n")
    (folder / "p.csv").write_text("partner_code;list;hub_reason;action;valid_from\n1;;NONSENSE;;\n")
    done = checked(folder, folder / "p.yaml")
    assert (done.exit_code, f"{folder / 'p.csv'}:2: hub_reason" in done.stdout) == (1, True)
