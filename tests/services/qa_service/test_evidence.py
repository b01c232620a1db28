"""Uploads: what is taken, what is refused, and that a report and its photos may come in any order."""

from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image

from kit.auth import Scope
from kit.blobs import BlobMissing, Folder
from services.qa_service.domain.records import EvidenceState
from tests.services.qa_service.story import (
    ARRIVED,
    CASE,
    COMPANY,
    KINDS,
    ORDER,
    OTHER_COMPANY,
    PHOTOS,
    RESOLVED,
    TILO,
    Gate,
    added,
    picture,
    reported,
)

ITEM = UUID(int=0xE999)
OLD, OLD_READING, NEW, NEW_READING = PHOTOS


def folder(gate: Gate) -> Path:
    return gate.stage.service.settings.data_dir / "evidence"


async def test_a_photo_is_stored_as_a_clean_copy_and_served_as_an_attachment(gate: Gate) -> None:
    content = picture(1, comment=b"secret")
    answer = await gate.put(ITEM, content)
    assert answer.status_code == 201
    stored = answer.json()
    assert stored["sha256_received"] == sha256(content).hexdigest()
    served = await gate.get(f"/v1/evidence/{ITEM}")
    assert served.headers["content-disposition"] == f'attachment; filename="{ITEM}.jpg"'
    assert (served.headers["content-type"], served.headers["x-content-type-options"]) == ("image/jpeg", "nosniff")
    assert sha256(served.content).hexdigest() == stored["sha256"]
    assert b"secret" in content
    assert b"secret" not in served.content


async def test_the_same_upload_again_is_the_same_item(gate: Gate) -> None:
    first = await gate.put(ITEM, picture(1))
    again = await gate.put(ITEM, picture(1))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert len(await gate.stage.rows("evidence")) == 1


@pytest.mark.parametrize("change", [{"content": picture(2)}, {"kind": "photo_old_meter"}])
async def test_another_item_under_the_same_id_is_refused(gate: Gate, change: dict[str, object]) -> None:
    await gate.put(ITEM, picture(1))
    answer = await gate.put(ITEM, **{"content": picture(1), **change})  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (409, "other-content")
    assert len(await gate.stage.rows("evidence")) == 1


async def test_equal_bytes_under_two_ids_are_one_object_and_two_rows(gate: Gate) -> None:
    await gate.put(ITEM, picture(1))
    await gate.put(UUID(int=0xE998), picture(1))
    assert len(await gate.stage.rows("evidence")) == 2
    assert len(list((folder(gate) / str(CASE)).iterdir())) == 1


async def test_what_was_approved_is_locked(gate: Gate) -> None:
    await gate.uploads()
    await gate.stage.hears(RESOLVED, reported())
    await gate.approve()
    answer = await gate.put(OLD, picture(77), "photo_old_meter")
    assert (answer.status_code, answer.json()["code"]) == (409, "locked")
    same = await gate.put(OLD, PHOTOS[OLD][1], "photo_old_meter")
    assert same.status_code == 200  # a phone that did not hear the first answer; nothing is written
    assert all(row.locked_at for row in await gate.stage.rows("evidence"))


async def test_new_evidence_after_an_approval_is_taken_and_not_locked(gate: Gate) -> None:
    await gate.uploads()
    await gate.stage.hears(RESOLVED, reported())
    await gate.approve()
    assert (await gate.put(ITEM, picture(5), "other")).status_code == 201
    rows = {row.evidence_id: row for row in await gate.stage.rows("evidence")}
    assert (rows[ITEM].locked_at, rows[ITEM].state) == (None, EvidenceState.STORED)
    assert await gate.states() == [(1, 1, "APPROVED")]


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"", {}, 422, "empty"),
        (picture(1), {"x_content_sha256": "0" * 64}, 422, "hash-mismatch"),
        (picture(1), {"x_work_order": str(UUID(int=0xA9))}, 404, "unknown-work-order"),
        (picture(1, "PNG"), {}, 415, "invalid-image"),
        (b"GIF89a" + bytes(40), {"content_type": "image/gif"}, 415, "invalid-image"),
        (b"%PDF-1.7\n", {"content_type": "application/pdf"}, 415, "invalid-image"),
        (picture(1)[:200], {}, 422, "invalid-image"),
        (b"\xff\xd8\xff" + bytes(10), {}, 422, "invalid-image"),
        (b"\x89PNG\r\n\x1a\n", {"content_type": "image/png"}, 422, "invalid-image"),
        (picture(1), {"x_kind": "no kind"}, 422, "invalid-body"),
        (picture(1), {"x_content_sha256": "abc"}, 422, "invalid-body"),
        (picture(1), {"x_captured_at": "2026-03-02T08:00:00"}, 422, "invalid-body"),
    ],
)
async def test_what_is_not_taken_leaves_nothing(
    gate: Gate, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await gate.put(ITEM, content, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await gate.stage.rows("evidence") == []
    assert not folder(gate).exists()


async def test_an_unknown_work_order_is_tried_again_later(gate: Gate) -> None:
    answer = await gate.put(ITEM, picture(1), x_work_order=str(UUID(int=0xA9)))
    assert answer.headers["retry-after"] == "30"


async def test_more_than_the_limit_is_refused_without_reading_on(gate: Gate) -> None:
    answer = await gate.put(ITEM, bytes(15_000_001))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, "image/limit")


@pytest.mark.parametrize(
    ("role", "scope", "status"),
    [
        ("technician", Scope("technician", str(TILO)), 201),
        ("technician", Scope("technician", str(UUID(int=0x72))), 404),
        ("technician", None, 404),
        ("dispatcher", None, 201),
        ("company_admin", Scope("company", str(COMPANY)), 404),
        ("qa", None, 403),
        ("warehouse", None, 403),
    ],
)
async def test_who_may_upload(gate: Gate, role: str, scope: Scope | None, status: int) -> None:
    answer = await gate.put(ITEM, picture(1), client=gate.stage.http(role, name="mia", scope=scope))
    assert answer.status_code == status


async def test_a_company_uploads_and_reads_what_is_its_own_once_it_did_the_visit(gate: Gate) -> None:
    await gate.uploads()
    await gate.stage.hears(RESOLVED, reported())
    own, foreign = Scope("company", str(COMPANY)), Scope("company", str(OTHER_COMPANY))
    for scope, put, get in ((own, 201, 200), (foreign, 404, 404)):
        client = gate.stage.http("company_admin", name="carla", scope=scope)
        assert (await gate.put(ITEM, picture(1), client=client)).status_code == put
        assert (await gate.get(f"/v1/evidence/{OLD}", "company_admin", scope=scope)).status_code == get


async def test_an_unknown_item_is_not_found(gate: Gate) -> None:
    assert (await gate.get(f"/v1/evidence/{ITEM}")).status_code == 404


@pytest.mark.parametrize("first", ["report", "photos"])
async def test_report_and_photos_come_in_any_order(gate: Gate, first: str) -> None:
    if first == "photos":
        await gate.uploads()
    await gate.stage.hears(RESOLVED, reported())
    if first == "report":
        assert await gate.errors() == sorted(("Q01", str(each)) for each in PHOTOS)
        await gate.uploads()
    assert await gate.errors() == []
    assert {row.state for row in await gate.stage.rows("evidence")} == {EvidenceState.BOUND}
    assert (await gate.approve()).status_code == 200


async def test_an_awaited_item_takes_the_review_from_its_reviewer(gate: Gate) -> None:
    await gate.uploads([OLD, OLD_READING, NEW])
    await gate.stage.hears(RESOLVED, reported())
    await gate.take()
    await gate.uploads([NEW_READING])
    assert await gate.states() == [(1, 1, "PENDING")]


async def test_other_bytes_than_the_report_names_are_a_finding(gate: Gate) -> None:
    await gate.uploads([OLD, OLD_READING, NEW])
    await gate.put(NEW_READING, picture(99), "photo_new_reading")
    await gate.stage.hears(RESOLVED, reported())
    assert await gate.errors() == [("Q01", str(NEW_READING))]


async def test_an_item_of_another_kind_than_the_report_names_is_a_finding(gate: Gate) -> None:
    await gate.uploads([OLD, OLD_READING, NEW])
    await gate.put(NEW_READING, PHOTOS[NEW_READING][1], "photo_cabinet")
    await gate.stage.hears(RESOLVED, reported())
    assert await gate.errors() == [("Q01", str(NEW_READING))]


async def test_no_position_is_left_in_any_table_or_file(gate: Gate) -> None:
    exif = Image.Exif()
    exif[0x010E] = "canary-4711"
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 30.0, 7.25), 3: "E", 4: (7.0, 27.0, 0.0)})
    exif.get_ifd(0x8769).update({0x9003: "2026:03:02 07:30:00", 0x9011: "+01:00"})
    made = BytesIO()
    Image.new("RGB", (40, 30), "red").save(made, "JPEG", exif=exif)
    answer = await gate.put(ITEM, made.getvalue(), x_captured_at="")
    assert answer.json()["captured_at"] == "2026-03-02T06:30:00Z"
    with Image.open(BytesIO((await gate.get(f"/v1/evidence/{ITEM}")).content)) as copy:
        assert (dict(copy.getexif()), copy.size) == ({}, (40, 30))
    assert b"canary" in made.getvalue()
    for file in gate.stage.service.settings.data_dir.rglob("*"):
        assert not file.is_file() or b"canary" not in file.read_bytes(), file


async def test_the_time_of_the_header_counts_before_that_of_the_photo(gate: Gate) -> None:
    await gate.put(ITEM, picture(1))
    (row,) = await gate.stage.rows("evidence")
    assert row.captured_at == ARRIVED + timedelta(minutes=20)


async def test_desk_evidence_that_nobody_uploaded_yet_is_awaited(gate: Gate) -> None:
    await gate.uploads([OLD, NEW, NEW_READING])
    await gate.stage.hears(RESOLVED, reported())
    await gate.rework("desk", "photos")
    await gate.stage.hears(added(2, [OLD_READING]))
    shown = (await gate.take())["evidence"]
    assert [each["kind"] for each in shown if each["stored"] is None] == ["photo_old_reading"]
    assert len(shown) == len(KINDS)


async def test_bytes_are_whole_or_not_there(tmp_path: Path) -> None:
    blobs = Folder(tmp_path / "deep" / "er")
    await blobs.put("case/abc", b"one")
    await blobs.put("case/abc", b"one")
    assert await blobs.get("case/abc") == b"one"
    assert [each.name for each in (tmp_path / "deep" / "er" / "case").iterdir()] == ["abc"]
    with pytest.raises(BlobMissing):
        await blobs.get("case/other")


@pytest.mark.parametrize("key", ["../up", "/etc", "a//b", "", ".hidden", "a/b/c/d/e"])
async def test_a_key_never_leaves_its_folder(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="a key is at most"):
        await Folder(tmp_path).put(key, b"x")


async def test_missing_bytes_are_a_503_and_a_difference(gate: Gate) -> None:
    await gate.uploads()
    await gate.stage.hears(RESOLVED, reported())
    review = (await gate.approve()).json()
    for file in (folder(gate) / str(CASE)).iterdir():
        file.unlink()
    assert (await gate.get(f"/v1/evidence/{OLD}")).status_code == 503
    verified = (await gate.get(f"/v1/reviews/{review['review_id']}/verify")).json()
    assert (verified["ok"], verified["differences"]) == (False, [str(each) for each in PHOTOS])


async def test_a_changed_byte_is_named_by_verify(gate: Gate) -> None:
    await gate.uploads()
    await gate.stage.hears(RESOLVED, reported())
    review = (await gate.approve()).json()
    stored = {row.evidence_id: row.sha256 for row in await gate.stage.rows("evidence")}
    place = folder(gate) / str(CASE) / stored[NEW]
    place.write_bytes(place.read_bytes()[:-1] + b"\0")
    verified = (await gate.get(f"/v1/reviews/{review['review_id']}/verify")).json()
    assert (verified["ok"], verified["differences"]) == (False, [str(NEW)])
    assert str(ORDER) == review["work_order_id"]
