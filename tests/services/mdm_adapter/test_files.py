"""Files: whole ones are taken once, whatever is unfinished or odd is left alone, and each is answered beside it."""

import json
from pathlib import Path

from contracts.codes import Decision, Fact
from services.mdm_adapter.transports.file_drop import DropFolders
from tests.services.mdm_adapter.erp import reply, text
from tests.services.mdm_adapter.scenes import Scene, opened, order, requested, visited

HEADER = "order_no;version;kind;metering_point_id;street;number;postcode;city;municipality;old_serial;sms_allowed\n"
GOOD = "F-1;1;exchange;DE000123001010000000000000001234A;Am Hang;7;00101;Nordstadt;01001001;1old0000009876;true\n"
BAD_POINT = "F-2;1;exchange;707057500012345672;Am Hang;8;00101;Nordstadt;01001001;;true\n"
CSV = "erp-csv"


def home(scene: Scene, partner: str = CSV) -> Path:
    return scene.service.settings.data_dir / "drop" / partner


async def drops(scene: Scene, name: str, content: bytes, partner: str = CSV) -> bool:
    folder = home(scene, partner) / "in"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    found = await scene.service.polls["drop"]()
    await scene.works()
    return found


def result(scene: Scene, name: str, partner: str = CSV) -> dict:  # type: ignore[type-arg]
    return json.loads((home(scene, partner) / "accepted" / f"{name}.result.json").read_text())


async def test_a_file_of_orders_is_taken_told_and_answered_by_its_result_file(scene: Scene) -> None:
    assert await drops(scene, "orders.csv", (HEADER + GOOD).encode())
    assert await scene.names() == ["OrderReceived"]
    assert (home(scene) / "accepted" / "orders.csv").exists()
    found = result(scene, "orders.csv")
    assert (found["state"], found["records"]) == (
        "PROCESSED",
        [{"order_no": "F-1", "result": "accepted", "row": 1, "findings": []}],
    )


async def test_a_bad_row_is_named_and_quarantined_and_the_others_go_on(scene: Scene) -> None:
    await drops(scene, "orders.csv", (HEADER + BAD_POINT + GOOD).encode())
    assert sorted(await scene.names()) == ["MessageQuarantined", "OrderReceived"]
    assert [(row.cause, row.row) for row in await scene.rows("quarantine")] == [("D-GSRN-1", 1)]
    errors = (home(scene) / "accepted" / "orders.csv.err.csv").read_text().splitlines()
    assert errors == ["row;column;rule;message", "1;metering_point;D-GSRN-1;not a gsrn"]


async def test_a_file_that_cannot_be_read_is_refused_as_a_whole(scene: Scene) -> None:
    await drops(scene, "orders.csv", b'order_no;version\nF-1;"1\n')
    found = result(scene, "orders.csv")
    assert (found["state"], found["findings"][0]["code"], await scene.told()) == ("REFUSED", "csv/syntax", [])


async def test_the_same_file_again_has_no_effect(scene: Scene) -> None:
    await drops(scene, "orders.csv", (HEADER + GOOD).encode())
    await drops(scene, "orders.csv", (HEADER + GOOD).encode())
    assert await scene.names() == ["OrderReceived"]
    assert result(scene, "orders.csv.2")["state"] == "DUPLICATE"


async def test_what_is_unfinished_odd_or_a_link_is_not_touched(scene: Scene) -> None:
    folder = home(scene) / "in"
    folder.mkdir(parents=True)
    for name in ("orders.csv.tmp", "orders.csv.part", "or ders.csv"):
        (folder / name).write_text(HEADER + GOOD)
    (folder / "folder").mkdir()
    secret = scene.service.settings.data_dir / "secret.csv"
    secret.write_text(HEADER + GOOD)
    (folder / "link.csv").symlink_to(secret)
    assert not await scene.service.polls["drop"]()
    assert len(list(folder.iterdir())) == 5
    assert await scene.rows("archive") == []


async def test_a_file_that_was_claimed_before_a_crash_is_taken_again(scene: Scene) -> None:
    claimed = home(scene) / "claimed" / "main"
    claimed.mkdir(parents=True)
    (claimed / "orders.csv").write_text(HEADER + GOOD)
    assert await scene.service.polls["drop"]()
    await scene.works()
    assert await scene.names() == ["OrderReceived"]


async def test_a_file_has_to_stay_the_same_for_a_while(scene: Scene) -> None:
    folders = scene.service.polls["drop"].__self__  # type: ignore[attr-defined]
    patient = DropFolders(folders.root, "main", folders.desk, folders.receive, settle_seconds=3600)
    folder = home(scene) / "in"
    folder.mkdir(parents=True)
    (folder / "orders.csv").write_text(HEADER + GOOD)
    assert not await patient.poll()
    assert await scene.rows("archive") == []


async def test_a_file_that_is_too_large_is_rejected_with_a_reason(scene: Scene) -> None:
    await drops(scene, "large.csv", b"x" * 10_000_001)
    reason = json.loads((home(scene) / "rejected" / "large.csv.result.json").read_text())["reason"]
    assert (reason[:9], await scene.rows("archive")) == ("TOO_LARGE", [])


async def test_J60_the_folder_of_an_unknown_partner_ends_in_quarantine(scene: Scene) -> None:
    await drops(scene, "orders.xml", order(), "erp-new")
    assert [row.cause for row in await scene.rows("quarantine")] == ["UNKNOWN_PARTNER"]
    assert result(scene, "orders.xml", "erp-new")["state"] == "QUARANTINED"


async def test_a_file_partner_finds_its_documents_in_out_and_answers_through_in(scene: Scene) -> None:
    await drops(scene, "orders.csv", (HEADER + GOOD).encode())
    await scene.hears(opened("erp-csv:F-1"), visited(), requested())
    await scene.works()
    (file,) = (home(scene) / "out").glob("*.xml")
    assert text(file.read_bytes(), "Payload/ServiceOrders/ServiceOrder/mRID") == "F-1"
    await drops(scene, "reply.xml", reply(file.stem).replace(b"ERP-A", b"ERP-CSV"))
    assert (await scene.names())[-1] == "HandoverAccepted"


async def test_a_row_cancels_and_the_answer_comes_as_xml(scene: Scene) -> None:
    await drops(scene, "orders.csv", (HEADER + GOOD).encode())
    await drops(scene, "cancel.csv", b"order_no;version;action;reason\nF-1;2;cancel;moved_out\n")
    assert await scene.names() == ["OrderReceived", "OrderCancelled"]
    wanted = requested(Fact.CANCELLED, order_key="erp-csv:F-1", decision=Decision.CONFIRMED)
    await scene.hears(opened("erp-csv:F-1"), wanted)
    await scene.works()
    (file,) = (home(scene) / "out").glob("*.xml")
    receipt = result(scene, "cancel.csv")["receipt"]
    assert (text(file.read_bytes(), "Reply/Result"), f"in-{text(file.read_bytes(), 'Header/CorrelationID')}") == (
        "OK",
        receipt,
    )


async def test_a_document_in_out_is_never_overwritten(scene: Scene) -> None:
    await drops(scene, "orders.csv", (HEADER + GOOD).encode())
    await scene.hears(opened("erp-csv:F-1"), visited(), requested())
    (row,) = await scene.rows("handover_rows")
    clash = home(scene) / "out" / f"{row.message_id}.xml"
    clash.parent.mkdir(parents=True, exist_ok=True)
    clash.write_text("somebody else's")
    await scene.works()
    assert (clash.read_text(), (await scene.names())[-1]) == ("somebody else's", "HandoverFailed")
