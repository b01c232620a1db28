"""Every image of the bad-input corpus gets the verdict of its manifest at the door where photos come in."""

import csv
import tracemalloc
from collections.abc import AsyncIterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image

from kit.testing import Stage
from services.qa_service.app import Settings, build
from services.qa_service.errors import InvalidImage
from services.qa_service.images import Limits, clean, sniffed
from tests.services.qa_service.story import Gate

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "samples" / "badinput"
ROWS = {
    row["file"]: row
    for row in csv.DictReader((CORPUS / "MANIFEST.csv").read_text(encoding="utf-8").splitlines())
    if row["file"].startswith("images/")
}
TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".svg": "image/svg+xml"}
ITEM = UUID(int=0xE0)
MEBIBYTE = 1024 * 1024
ORIENTATION = 0x0112


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[Gate]:
    stage = await Stage.open(build, tmp_path, settings=Settings)
    made = Gate(stage)
    await made.opens()
    yield made
    await stage.close()


def content_of(name: str) -> bytes:
    return (CORPUS / name).read_bytes()


async def uploaded(gate: Gate, name: str) -> httpx.Response:
    return await gate.put(ITEM, content_of(name), content_type=TYPES[Path(name).suffix])


def test_every_file_has_its_row_and_every_row_its_file() -> None:
    files = {f"images/{file.name}" for file in (CORPUS / "images").iterdir()}
    assert files == ROWS.keys()


@pytest.mark.parametrize("name", sorted(name for name, row in ROWS.items() if row["expected_error_code"]))
async def test_what_the_manifest_refuses_is_refused_and_leaves_nothing(gate: Gate, name: str) -> None:
    row = ROWS[name]
    answer = await uploaded(gate, name)
    found = [each["code"] for each in answer.json()["errors"]]
    assert (str(answer.status_code), answer.json()["code"], found) == (
        row["expected_verdict"],
        "invalid-image",
        [row["expected_error_code"]],
    )
    assert await gate.stage.rows("evidence") == []
    assert not list(gate.stage.service.settings.data_dir.glob("evidence/**/*"))


@pytest.mark.parametrize("name", sorted(name for name, row in ROWS.items() if not row["expected_error_code"]))
async def test_what_the_manifest_accepts_is_stored_clean(gate: Gate, name: str) -> None:
    content = content_of(name)
    answer = await uploaded(gate, name)
    assert (answer.status_code, answer.json()["sha256_received"]) == (201, sha256(content).hexdigest())
    served = (await gate.get(f"/v1/evidence/{ITEM}")).content
    with Image.open(BytesIO(served)) as copy, Image.open(BytesIO(content)) as received:
        assert dict(copy.getexif()) == {}
        turned = received.getexif().get(ORIENTATION) in {5, 6, 7, 8}
        assert copy.size == (received.size[::-1] if turned else received.size)
    assert served.endswith(b"\xff\xd9")  # nothing behind the end of the image


@pytest.mark.parametrize("name", ["images/bomb_10000x10000.png", "images/ztxt_bomb.png"])
def test_a_bomb_is_refused_before_it_is_unpacked(name: str) -> None:
    content = content_of(name)
    tracemalloc.start()
    with pytest.raises(InvalidImage, match="image/limit"):
        clean(content, "image/png", Limits())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * MEBIBYTE


@given(name=some.sampled_from(sorted(ROWS)), at=some.integers(0, 20_000), by=some.binary(max_size=8))
def test_only_our_own_errors_leave_the_reader(name: str, at: int, by: bytes) -> None:
    content = content_of(name)
    at %= len(content)
    damaged = content[:at] + by + content[at + len(by) :]
    try:
        found = sniffed(clean(damaged, sniffed(damaged) or "image/jpeg", Limits()).content)
    except InvalidImage as refused:
        found = refused.errors[0].code
    assert found in {"image/jpeg", "image/png", "image/type", "image/limit", "image/unreadable"}
