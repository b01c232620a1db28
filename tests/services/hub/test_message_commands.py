"""`hub messages` against a running hub: list with age, show with the finding marked, check, fix, retry, discard."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.asking import Services
from hub.cli import app
from hub.message_commands import age

ROOT = Path(__file__).resolve().parents[3]
CSV = """order_no;version;kind;metering_point_id;street;number;postcode;city;municipality
W-1;1;exchange;DE000123001010000000000000001234A;Am Hang;7;00101;Nordstadt;01001001
W-2;1;exchange;41373559240;Am Hang;8;00101;Nordstadt;01001001
W-3;1;exchange;41373559240;Am Hang;9;00101;Nordstadt;01001001
"""


def hub(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A hub to which a partner has handed in a file with two bad rows."""
    folder = tmp_path_factory.mktemp("data")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    command = [sys.executable, "-m", "hub", "up", "--port", "0", "--data", str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, env=plain, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as up:
        try:
            assert up.stdout is not None
            assert up.stdout.readline().startswith("ready ")
            hand_in(folder)
            for _ in range(1_000):
                if len(listed(folder)["quarantine"]) == 2:
                    break
            yield folder
        finally:
            up.send_signal(signal.SIGINT)
            up.communicate(timeout=20)


def hand_in(folder: Path) -> None:
    """With a key of the partner's own."""
    grant = ["--owner", "erp-csv", "--partner", "erp-csv", "--action", "order:submit"]
    key = folder / "partner.key"
    key.write_text(hub("token", "key", "create", *grant, "--data", str(folder)).stdout)
    Services.found(None, key, folder).send("mdm", "/v1/in/erp-csv", CSV.encode(), "text/csv")


def on(folder: Path, *arguments: str) -> Result:
    return hub("messages", *arguments, "--data", str(folder))


def listed(folder: Path, *arguments: str) -> Any:
    return json.loads(on(folder, "list", *arguments, "--json").stdout)


def entry_of(folder: Path, row: int) -> dict[str, Any]:
    return next(each for each in listed(folder)["quarantine"] if each["row"] == row)


def test_messages_are_listed_and_what_waits_below_them_with_its_age(running: Path) -> None:
    done = on(running, "list", "--partner", "erp-csv")
    words = done.stdout
    assert (done.exit_code, "PROCESSED" in words, words.count("D-MALO-1"), "0 min" in words) == (0, True, 2, True)
    assert entry_of(running, 2)["id"] in words


def test_a_message_is_shown_beside_what_it_says_with_its_findings_marked(running: Path) -> None:
    entry = entry_of(running, 2)
    done = on(running, "show", entry["id"])
    lines = done.stdout.splitlines()
    row = next(number for number, line in enumerate(lines) if line.startswith("row 2"))
    assert (done.exit_code, "41373559240" in lines[row], lines[row + 1].startswith("!")) == (0, True, True)
    assert ("│" in done.stdout, "[WorkOrderRequested 1]" in done.stdout, "chain" in done.stdout) == (True, True, True)
    assert "order erp-csv:W-1, version 1" in done.stdout


def test_the_bytes_are_shown_as_they_came_and_everything_as_json(running: Path) -> None:
    entry = entry_of(running, 2)
    whole = json.loads(on(running, "show", entry["message_id"], "--json").stdout)
    assert on(running, "show", f"in-{entry['message_id']}", "--raw").stdout == CSV
    assert (whole["decoded"]["dialect"], whole["inbound"]["state"], len(whole["chain"]["steps"])) == (
        "csv",
        "PROCESSED",
        1,
    )


def test_stored_bytes_are_judged_again(running: Path) -> None:
    done = on(running, "check", entry_of(running, 2)["message_id"])
    assert (done.exit_code, "row 2, metering_point_id" in done.stdout or "row 2" in done.stdout) == (1, True)


def test_a_row_is_fixed_from_the_shell_or_refused_with_what_is_wrong(running: Path) -> None:
    why = ("--reason", "the partner told us the number")
    entry = entry_of(running, 2)
    place = "row 2, metering_point_id"
    wrong = on(running, "fix", entry["id"], *why, "--edit", f"{place}=41373559242")
    good = on(running, "fix", entry["id"], *why, "--edit", f"{place}=41373559241")
    assert (wrong.exit_code, "edit-refused" in wrong.stderr) == (1, True)
    assert (good.exit_code, "state: FIXED" in good.stdout) == (0, True)
    assert 2 not in [each["row"] for each in listed(running)["quarantine"]]


def test_the_second_person_is_asked_for(running: Path) -> None:
    entry = entry_of(running, 3)
    done = on(running, "discard", entry["id"], "--reason", "they send it again")
    assert (done.exit_code, "somebody else confirms" in done.stderr) == (0, True)
    assert entry_of(running, 3)["discard_asked_by"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "nonsense"], "there is no message nonsense"),
        (["resend", "0197f000-0000-7000-8000-000000000001", "--reason", "because it must"], "not-found"),
        (["retry", "0197f000-0000-7000-8000-000000000001", "--reason", "because it must"], "not-found"),
        (["discard", "nonsense", "--reason", "because it must"], "does not lie in quarantine"),
        (["resend", "0197f000-0000-7000-8000-000000000001", "--reason", "short"], "reason-missing"),
    ],
)
def test_1_what_cannot_be_done_is_said_in_words(running: Path, arguments: list[str], words: str) -> None:
    done = on(running, *arguments)
    assert (done.exit_code, words in done.stderr, isinstance(done.exception, SystemExit)) == (1, True, True)


@pytest.mark.parametrize(
    "arguments",
    [["fix", "x", "--reason", "because it must"], ["resend", "x", "--reason", "why not so", "--edit", "nothing"]],
)
def test_2_edits_name_a_place_and_a_value(running: Path, arguments: list[str]) -> None:
    assert on(running, *arguments).exit_code == 2


@pytest.mark.parametrize("command", ["list", "show x", "check x", "resend x --reason because"])
def test_4_where_nobody_answers_the_way_to_start_is_named(tmp_path: Path, command: str) -> None:
    (tmp_path / "token").write_text("t")
    where = ["--url", "http://127.0.0.1:1", "--token-file", str(tmp_path / "token")]
    done = hub("messages", *command.split(), *where)
    assert (done.exit_code, "hub up" in done.stderr) == (4, True)


def test_codes_that_nobody_knows_are_listed(running: Path) -> None:
    done = hub("partner", "unmapped", "erp-a", "--data", str(running))
    assert (done.exit_code, "nothing" in done.stdout) == (0, True)


@pytest.mark.parametrize(("seconds", "words"), [(59, "0 min"), (3_700, "1 h 1 min"), (90_000, "1 d 1 h"), (0, "0 min")])
def test_an_age_is_told_as_people_do(seconds: int, words: str) -> None:
    assert age(seconds) == words
