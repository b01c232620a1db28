"""The command line: results on standard output, words on standard error, and one exit code per kind of end."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from typer.testing import CliRunner, Result

from hub.asking import exit_code
from hub.cli import app
from tests.services.mdm_adapter.sheets import MAPPING, as_csv, rows_of, wrong_digit

ROOT = Path(__file__).resolve().parents[3]
HUB = [sys.executable, "-m", "hub"]


def hub(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A hub in a process of its own, on a data directory of its own."""
    folder = tmp_path_factory.mktemp("data")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    command = [*HUB, "up", "--port", "0", "--data", str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, env=plain, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield folder
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=20)
    assert re.fullmatch(r"ready http://127\.0\.0\.1:\d+\n", line), words
    assert (process.returncode, "sign-in?code=" in words) == (0, True)
    assert not (folder / "hub.address").exists()


def test_what_a_running_hub_leaves_for_the_shell_is_for_its_owner_only(running: Path) -> None:
    modes = {name: (running / name).stat().st_mode & 0o777 for name in ("hub.address", "hub.token", "signing-key.pem")}
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize(
    "command",
    ["parked list", "parked retry --reason bug", "case list", "messages list", "token key list", "doctor database"],
)
def test_0_it_is_done(running: Path, command: str) -> None:
    done = hub(*command.split(), "--data", str(running))
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("parked show nobody", "hub parked list"),
        ("parked discard nobody --reason gone", "hub parked list"),
        ("case show erp/1", "there is no case"),
        ("token key revoke abc", "hub token key list"),
    ],
)
def test_1_the_answer_is_no(running: Path, command: str, words: str) -> None:
    done = hub(*command.split(), "--data", str(running))
    assert (done.exit_code, words in done.stderr, done.stdout) == (1, True, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["parked", "retry"],
        ["import", __file__, "--kind", "stones"],
        ["import", __file__, "--kind", "orders"],
        ["rebuild", "case_service"],
        ["migrate", "everything"],
        ["doctor", "weather"],
        ["up", "--services", "tea_service"],
        ["case", "move", "x", "start", "--arg", "nothing"],
        ["check", "nowhere.xml"],
        ["check", "nowhere.xml", "--as-of", "soon"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_2_wrong_usage(arguments: list[str], running: Path) -> None:
    assert hub(*arguments).exit_code == 2 or hub(*arguments, "--data", str(running)).exit_code == 2


def test_2_a_second_hub_on_the_same_data(running: Path) -> None:
    done = subprocess.run(
        [*HUB, "rebuild", "cockpit_service", "--data", str(running)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "already running" in done.stderr) == (2, True)


def test_1_the_audit_of_a_case_that_is_not_there(running: Path) -> None:
    done = hub("audit", "export", "0197f000-0000-7000-8000-000000000001", "--html", "--data", str(running))
    assert (done.exit_code, "not-found" in done.stderr) == (1, True)


def test_3_some_rows_are_refused(running: Path, tmp_path: Path) -> None:
    file = tmp_path / "devices.csv"
    file.write_text("manufacturer;serial;device_type\nITR;0012345678;mme_1ph\nITR;0012345679;no_such_type\n")
    done = hub("import", str(file), "--kind", "devices", "--data", str(running), "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["received"], found["refused"], "row 2" in done.stderr) == (3, 1, 1, True)


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """Three orders in columns of somebody's own; the second has a wrong check digit."""
    file = tmp_path / "orders.csv"
    file.write_bytes(as_csv(rows_of(3, {2: wrong_digit}, prefix=uuid4().hex[:8])))
    return file


def imports(running: Path, file: Path, *more: str) -> Result:
    return hub("import", str(file), "--kind", "orders", "--partner", "erp-csv", "--data", str(running), "--json", *more)


def mapping_of(orders: Path) -> str:
    """A mapping file beside the orders."""
    file = orders.with_name("mapping.yaml")
    columns = {name: ours for name, ours in MAPPING["columns"].items() if ours != "fixed_on"}  # a day that is over
    file.write_text(yaml.safe_dump({"columns": columns, "constants": MAPPING["constants"]}, allow_unicode=True))
    return str(file)


def test_3_what_the_columns_mean_is_proposed_and_waits_for_a_person(running: Path, orders: Path) -> None:
    done = imports(running, orders)
    proposal = json.loads(done.stdout)
    assert (done.exit_code, "--as-proposed" in done.stderr) == (3, True)
    assert proposal["mapping"]["columns"]["Auftragsnummer"] == "order_no"


def test_3_a_file_of_orders_is_rehearsed_and_taken_and_its_bad_rows_are_told(running: Path, orders: Path) -> None:
    mapping, errors = mapping_of(orders), orders.with_name("errors.csv")
    rehearsed = imports(running, orders, "--mapping", mapping, "--dry-run")
    taken = imports(running, orders, "--mapping", mapping, "--errors", str(errors))
    again = imports(running, orders, "--mapping", mapping)
    counts = [json.loads(done.stdout) for done in (rehearsed, taken, again)]
    assert [(each["accepted"], each["unchanged"], each["refused"]) for each in counts] == [
        (2, 0, 1),
        (2, 0, 1),
        (0, 2, 1),
    ]
    assert (taken.exit_code, "row 2: Zählpunkt" in taken.stderr) == (3, True)
    assert errors.read_text("utf-8").splitlines()[1].split(";")[-4:-1] == ["2", "Zählpunkt", "D-MALO-1"]


def test_1_all_or_nothing_takes_nothing(running: Path, orders: Path) -> None:
    done = imports(running, orders, "--mapping", mapping_of(orders), "--atomic")
    assert (done.exit_code, json.loads(done.stdout)["state"]) == (1, "refused")


def test_3_what_looked_at_nothing_proves_nothing(running: Path) -> None:
    done = hub("verify", "--data", str(running))
    assert (done.exit_code, "nothing to look at" in done.stdout) == (3, True)


@pytest.mark.parametrize("where", [["--url", "http://127.0.0.1:1"], ["--data", "nowhere"]])
def test_4_nobody_answers(running: Path, where: list[str]) -> None:
    token = ["--token-file", str(running / "hub.token")]
    done = hub("case", "list", *where, *token)
    assert (done.exit_code, "hub up" in done.stderr) == (4, True)


def test_4_there_is_no_database(tmp_path: Path) -> None:
    assert hub("verify", "--data", str(tmp_path)).exit_code == 4


def test_5_who_may_not_is_told_so(running: Path, tmp_path: Path) -> None:
    key = hub("token", "key", "create", "--owner", "a", "--action", "feed:read", "--data", str(running)).stdout
    file = tmp_path / "key"
    file.write_text(key)
    done = hub("case", "list", "--data", str(running), "--token-file", str(file))
    assert (done.exit_code, "role-missing" in done.stderr) == (5, True)


def test_5_no_token_at_all(tmp_path: Path) -> None:
    assert hub("case", "list", "--url", "http://127.0.0.1:1", "--data", str(tmp_path)).exit_code == 5


@pytest.mark.parametrize(("status", "code"), [(401, 5), (403, 5), (404, 1), (409, 1), (422, 1), (503, 4), (500, 70)])
def test_what_an_answer_means_for_the_shell(status: int, code: int) -> None:
    assert exit_code(status) == code


def test_70_a_defect_says_so() -> None:
    code = "import sys\nfrom hub import cli\ncli.check = cli.app.command('boom')(lambda: 1 / 0)\n"
    code += "sys.argv = ['hub', 'boom']\ncli.main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "this is a defect" in done.stderr) == (70, True)


def test_an_invitation_and_a_token_are_made_and_read(running: Path) -> None:
    link = hub("token", "sign-in", "--person", "anna", "--data", str(running)).stdout
    seen = hub("token", "inspect", "--data", str(running), "--json", stdin=(running / "hub.token").read_text())
    bad = hub("token", "inspect", "--data", str(running), "--json", stdin="a.b.c")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/sign-in\?code=\S{43}\n", link)
    assert (json.loads(seen.stdout)["verdict"], json.loads(bad.stdout)["verdict"]) == ("good", "refused")
    assert bad.exit_code == 1


def test_migrations_are_made_once(tmp_path: Path) -> None:
    before = hub("migrate", "db", "--service", "qa_service", "--check", "--data", str(tmp_path))
    made = hub("migrate", "db", "--service", "qa_service", "--data", str(tmp_path))
    after = hub("migrate", "--service", "qa_service", "--check", "--data", str(tmp_path))
    assert (before.exit_code, made.exit_code, after.exit_code) == (1, 0, 0)


def test_a_file_is_judged_without_a_hub(tmp_path: Path) -> None:
    bad, profile = tmp_path / "bad.xml", tmp_path / "partner.yaml"
    bad.write_text("<a>")
    profile.write_text("id: x\nbogus: 1\n")
    judged, checked = hub("check", str(bad), "--json"), hub("partner", "check", str(profile))
    assert (judged.exit_code, json.loads(judged.stdout)["content_verdict"]) == (1, "reject")
    assert (checked.exit_code, f"{profile}:2: bogus" in checked.stdout) == (1, True)


def test_the_lifecycle_and_the_documents_need_no_hub(tmp_path: Path) -> None:
    lifecycle = json.loads(hub("case", "lifecycle", "--json").stdout)
    out = tmp_path / "asyncapi.json"
    hub("asyncapi", "--out", str(out))
    described = json.loads(hub("openapi", "case_service").stdout)
    assert (
        lifecycle["transitions"]["T25"]["to"],
        "| T01 | OP |" in hub("case", "lifecycle", "--format", "md").stdout,
    ) == (
        "REJECTED_BY_MDM",
        True,
    )
    printed = hub("case", "lifecycle").stdout
    assert all(words in printed for words in ("T34", "G28", "still-needed", "Ausführungsbereit", "Klar til utførelse"))
    assert ("asyncapi" in json.loads(out.read_text()), "/v1/cases" in described["paths"]) == (True, True)
