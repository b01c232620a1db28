"""E24: the archive proves that it holds what came and left, and no log holds what people are called."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import structlog
from typer.testing import CliRunner

from hub.archive_proof import prove_archive
from hub.cli import app
from kit import logs
from kit.auth import Scope
from kit.store import Unit
from services.mdm_adapter import processing, tables
from services.mdm_adapter import store as queries
from services.mdm_adapter.answering import head_of
from services.mdm_adapter.domain.messages import CHAIN, ArchiveHead, archive, digest
from services.mdm_adapter.sealing import DailyEnds, folder_of
from tests.services.mdm_adapter.erp import fault
from tests.services.mdm_adapter.scenes import Scene, order, requested, visited

EVERYTHING = Scope.everything("a test")
NUMBER = 10_000


async def filled(scene: Scene, number: int = NUMBER) -> list[Any]:
    """That many messages in the archive; returns them in the order of the chain."""

    def command(unit: Unit) -> None:
        for each in range(number):
            content = f"message {each}".encode()
            unit.add(archive(head_of(unit), unit.new_id(), "in", "erp-a", unit.now, content))

    await scene.run(command, needs=[(ArchiveHead, CHAIN)])
    return list(await scene.store.read(lambda db: queries.chain(db, EVERYTHING)))


async def change(scene: Scene, number: int, **values: Any) -> None:
    table = tables.archive
    await scene.store.db.transact(
        lambda db: db.execute(sa.update(table).where(table.c.number == number).values(**values))
    )


async def proved(scene: Scene) -> list[tuple[int, str | None, str]]:
    found = await prove_archive(scene.store.db, scene.service.settings)
    return [(each.number, each.message_id, each.what) for each in found.broken]


async def test_E24_one_changed_byte_in_10_000_messages_is_found_and_named(scene: Scene) -> None:
    entries = await filled(scene)
    whole = await proved(scene)
    await change(scene, 4_711, content=b"message 471O")
    assert (whole, await proved(scene)) == (
        [],
        [(4_711, str(entries[4_710].id), "its bytes are not those that were archived")],
    )


async def test_E24_a_message_whose_hash_was_changed_with_its_bytes_is_found_too(scene: Scene) -> None:
    await filled(scene, 10)
    await change(scene, 4, content=b"x", sha256=digest(b"x"))
    assert [what for _, _, what in await proved(scene)] == ["its hash does not fit"]


async def test_E24_a_message_that_was_taken_out_is_missing(scene: Scene) -> None:
    await filled(scene, 10)
    table = tables.archive
    await scene.store.db.transact(lambda db: db.execute(sa.delete(table).where(table.c.number.in_([4, 10]))))
    assert [(number, what.partition(":")[0]) for number, _, what in await proved(scene)] == [
        (4, "is missing"),
        (5, "it does not follow the one before"),
        (10, "is missing"),
    ]


async def test_E24_a_chain_that_was_rewritten_whole_does_not_pass_the_end_that_was_noted_outside(scene: Scene) -> None:
    await filled(scene, 5)
    await DailyEnds(scene.store, folder_of(scene.service.settings)).note()
    for table in (tables.archive, tables.archive_heads):
        await scene.store.db.transact(lambda db, table=table: db.execute(sa.delete(table)))
    await filled(scene, 5)
    assert [(number, what) for number, _, what in await proved(scene)] == [
        (5, "it is not the one that the end of 2026-03-02 was noted for")
    ]


async def test_E24_an_end_is_noted_once_a_day_and_never_again(scene: Scene) -> None:
    ends = DailyEnds(scene.store, folder_of(scene.service.settings))
    await ends.note()
    await filled(scene, 2)
    await ends.note()
    await filled(scene, 2)
    await ends.poll()
    await DailyEnds(scene.store, ends.folder).note()
    (file,) = ends.folder.glob("*.json")
    assert (json.loads(file.read_text())["entries"], file.stat().st_mode & 0o777) == (2, 0o600)


async def test_E24_the_command_names_the_message(scene: Scene, tmp_path: Path) -> None:
    entries = await filled(scene, 20)
    runner = CliRunner()
    command = ["verify", "archive", "--data", str(tmp_path), "--json"]
    good = await asyncio.to_thread(runner.invoke, app, command)
    await change(scene, 7, content=b"other")
    bad = await asyncio.to_thread(runner.invoke, app, command)
    assert (good.exit_code, json.loads(good.stdout)["archive"]["messages"]) == (0, 20)
    assert (bad.exit_code, f"message 7 {entries[6].id}" in bad.stderr) == (1, True)


async def test_E24_what_was_sent_is_what_is_kept_and_knows_its_case(scene: Scene) -> None:
    await scene.given_a_case(visited(), requested())
    kept = {row.id: row.content for row in await scene.rows("archive")}
    (row,) = [each for each in await scene.rows("outbound_messages") if each.row_id]
    (handover,) = await scene.rows("handover_rows")
    assert (kept[row.id], row.case_id, row.row_id, handover.order_key) == (
        scene.erp.reports()[0],
        handover.case_id,
        handover.row_id,
        "erp-a:WO-1",
    )
    assert await proved(scene) == []


CANARY, PHONE, STREET = "Kanaria Vogelsang", "+4915199988877", "Kanarienweg"


def with_canary(**how: Any) -> bytes:
    content = order(**how).decode().replace("Ada Probe", CANARY)
    return content.replace("+4915112345678", PHONE).replace("Am Hang", STREET).encode()


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Logging as a service has it, with every line, put back as it was afterwards."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    out = io.StringIO()
    logs.configure("debug", stream=out)
    yield out
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)


async def test_E24_no_personal_data_of_any_message_stand_in_the_logs(
    scene: Scene, logged: io.StringIO, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken, refused, unreadable, quarantined, partner broken, looked at, defect while processing: nobody is named."""
    await scene.comes(with_canary())
    await scene.comes(with_canary(number="WO-2", message_id="M-2", point="DE1"))
    await scene.comes(with_canary(message_id="M-1", city="Suedstadt"))
    await scene.comes(with_canary(number="WO-3", message_id="M-3")[:-40])
    await scene.comes(with_canary(number="WO-4"), "erp-unknown")
    await scene.comes(f"order_no;version;name\nX;1;{CANARY}\n".encode(), "erp-csv")
    scene.erp.script = lambda _: httpx.Response(500, content=fault("5.1") + CANARY.encode())
    await scene.comes(with_canary(number="WO-5", message_id="M-5"))
    async with scene.http("mdm") as client:
        for message in (await client.get(f"/v1/messages?q={CANARY}")).json()["items"]:
            await client.get(f"/v1/messages/{message['id']}/decoded")
        for message in (await client.get("/v1/messages")).json()["items"]:
            await client.get(f"/v1/messages/{message['id']}/decoded")

    def defect(*_: object) -> None:
        raise RuntimeError(f"{CANARY}, {PHONE}")

    monkeypatch.setattr(processing, "_take_orders", defect)
    await scene.comes(with_canary(number="WO-6", message_id="M-6"))
    logging.getLogger("a.library").warning("%s called", CANARY)
    out = capsys.readouterr()
    said = logged.getvalue() + out.out + out.err
    assert "GET /v1/messages/{message_id}/decoded" in said
    assert [word for word in (CANARY, "Kanaria", PHONE, STREET) if word in said] == []
