"""`hub audit`: what is whole is proved, what was tampered with is named, an export is checked without a hub."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app
from hub.databases import opened
from kit import migrate
from kit.anchors import Anchors
from tests.services.case_service.story import LATER, Story


def hub(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The data directory of a hub that worked for a day and was sealed."""

    async def work() -> None:
        story = await Story.begin(tmp_path)
        await story.is_booked()
        story.stage.clock.advance(LATER)
        await Anchors(story.stage.store, story.stage.service.settings).keep()
        case = await story.case()
        async with story.person("mia") as mia:
            exported = await mia.get(f"/v1/cases/{case.case_id}/audit")
        (tmp_path / "case.json").write_bytes(exported.content)
        await story.stage.close()

    asyncio.run(work())
    return tmp_path


DELETED = "DELETE FROM audit WHERE shard = :shard AND seq = :seq"
FORGED = "UPDATE audit SET actor = 'person:local:mallory' WHERE shard = :shard AND seq = :seq"
TAIL_CUT = (
    "DELETE FROM audit WHERE shard = :shard AND seq > :seq",
    """UPDATE audit_heads SET seq = :seq, hash = (SELECT hash FROM audit WHERE shard = :shard AND seq = :seq)
    WHERE shard = :shard""",
)


def tamper(folder: Path, place: tuple[int, int], *statements: str) -> None:
    named = dict(zip(("shard", "seq"), place, strict=True))
    with sqlite3.connect(folder / "case_service.db") as db:
        for trigger in ("audit_no_update", "audit_no_delete"):
            db.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            db.execute(statement, named)
    db.close()


def test_a_sealed_service_whose_database_is_gone_is_named(folder: Path) -> None:
    async def another() -> None:
        async with opened(folder, ["qa_service"], new=True) as databases:
            await migrate.upgrade("qa_service", databases["qa_service"])

    asyncio.run(another())
    assert hub("audit", "verify", "--data", str(folder)).exit_code == 0
    (folder / "case_service.db").unlink()
    found = hub("audit", "verify", "--data", str(folder))
    assert found.exit_code == 1
    assert "case_service: there are seals, but no database" in found.output


def place_of(folder: Path) -> tuple[int, int]:
    """Shard and number of a row in the middle of the case's chain."""
    with sqlite3.connect(folder / "case_service.db") as db:
        (found,) = db.execute(
            "SELECT shard, seq FROM audit WHERE subject LIKE 'case/%' ORDER BY shard, seq LIMIT 1 OFFSET 4"
        )
    db.close()
    return found


def test_what_is_whole_is_proved(folder: Path) -> None:
    done = hub("audit", "verify", "--data", str(folder))
    assert (done.exit_code, "holds" in done.stdout, "1 anchors" in done.stdout) == (0, True, True)


def test_SEC_AUD_03_what_was_tampered_with_is_named_by_service_shard_and_seq(folder: Path) -> None:
    shard, seq = place_of(folder)
    tamper(folder, (shard, seq), FORGED)
    done = hub("audit", "verify", "--data", str(folder))
    assert done.exit_code == 1
    assert f"case_service: shard {shard} seq {seq}: the row does not fit its hash" in done.stderr


def test_SEC_AUD_03_a_tail_cut_off_with_its_head_is_named_for_machines(folder: Path) -> None:
    shard, seq = place_of(folder)
    tamper(folder, (shard, seq), *TAIL_CUT)
    done = hub("audit", "verify", "--service", "case_service", "--data", str(folder), "--json")
    (found,) = json.loads(done.stdout)["services"]
    (broken,) = found["breaks"]
    assert (done.exit_code, broken["shard"], broken["seq"]) == (1, shard, seq + 1)
    assert broken["what"].startswith("the end is cut off: the anchor of ")


def test_the_doctor_asks_the_same(folder: Path) -> None:
    assert hub("doctor", "audit", "--data", str(folder)).exit_code == 0
    shard, seq = place_of(folder)
    tamper(folder, (shard, seq), DELETED)
    done = hub("doctor", "audit", "--data", str(folder))
    assert (done.exit_code, f"shard {shard} seq {seq + 1}: a gap behind {seq - 1}" in done.stdout) == (1, True)


def test_copies_of_anchors_that_are_elsewhere_are_used(folder: Path) -> None:
    (folder / "anchors").rename(folder / "archive")
    missing = hub("audit", "verify", "--data", str(folder))
    there = hub("audit", "verify", "--data", str(folder), "--anchors", str(folder / "archive"))
    assert (missing.exit_code, "the copy of the anchor" in missing.stderr, there.exit_code) == (1, True, 0)


def test_an_export_is_checked_without_a_hub(folder: Path) -> None:
    file = folder / "case.json"
    whole = hub("audit", "verify", str(file))
    file.write_text(file.read_text("utf-8").replace('"T01"', '"T02"', 1), "utf-8")
    changed = hub("audit", "verify", str(file))
    assert (whole.exit_code, changed.exit_code, "does not fit its hash" in changed.stderr) == (0, 1, True)


@pytest.mark.parametrize("arguments", [["--service", "no_such"], ["--from", "yesterday"]])
def test_2_wrong_usage(folder: Path, arguments: list[str]) -> None:
    assert hub("audit", "verify", "--data", str(folder), *arguments).exit_code == 2
