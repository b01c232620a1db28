"""Files: whole ones are taken once, whatever is unfinished or odd is left alone, and each is answered beside it."""

import gzip
import json
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from contracts.codes import Decision, Fact
from services.mdm_adapter.domain.policy import SEND_AGAIN
from services.mdm_adapter.metrics import FILES_LEFT
from services.mdm_adapter.transports.file_drop import DropFolders
from services.mdm_adapter.transports.folders import Instances
from tests.services.mdm_adapter.agreements import agreed
from tests.services.mdm_adapter.erp import reply, text
from tests.services.mdm_adapter.scenes import Scene, opened, order, requested, visited
from tests.services.mdm_adapter.sheets import MAPPING, as_csv, rows_of, wrong_date

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


def another(folders: DropFolders, instance: str, settle_seconds: float = 0) -> DropFolders:
    """The same folders in another process."""
    return DropFolders(folders.root, instance, folders.desk, folders.receive, settle_seconds, folders.records)


def folders_of(scene: Scene) -> DropFolders:
    return scene.service.polls["drop"].__self__  # type: ignore[attr-defined, no-any-return]


def control(content: bytes, **more: object) -> bytes:
    """What a control file says of its file."""
    return json.dumps({"sha256": sha256(content).hexdigest(), "bytes": len(content), "records": 1} | more).encode()


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
    patient = another(folders, "main", settle_seconds=3600)
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


ORDERS = (HEADER + GOOD).encode()


async def test_a_packed_file_is_unpacked_once_and_kept_as_it_came(scene: Scene) -> None:
    packed = gzip.compress(ORDERS)
    await drops(scene, "orders.csv.gz", packed)
    assert await scene.names() == ["OrderReceived"]
    assert [row.content for row in await scene.rows("archive") if row.direction == "in"] == [packed]


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(b"0" * 1_000_000), gzip.compress(gzip.compress(ORDERS)), gzip.compress(ORDERS)[:-9], b"\x1f\x8b!"],
    ids=["inflates", "twice", "cut off", "broken"],
)
async def test_X02_a_file_that_unpacks_to_too_much_or_to_nothing_lies_in_quarantine(
    scene: Scene, packed: bytes
) -> None:
    await drops(scene, "orders.csv.gz", packed)
    assert [row.cause for row in await scene.rows("quarantine")] == ["INFLATION"]
    assert (await scene.names(), result(scene, "orders.csv.gz")["state"]) == (["MessageQuarantined"], "QUARANTINED")


async def test_a_file_that_is_what_its_control_file_says_is_taken_with_it(scene: Scene) -> None:
    (home(scene) / "in").mkdir(parents=True)
    (home(scene) / "in" / "orders.csv.ctl").write_bytes(control(ORDERS))
    await drops(scene, "orders.csv", ORDERS)
    assert await scene.names() == ["OrderReceived"]
    assert (home(scene) / "accepted" / "orders.csv.ctl").exists()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (control(b"other"), "CONTROL: sha256 is"),
        (control(ORDERS, bytes=1), "CONTROL: bytes is"),
        (control(ORDERS, records=2), "CONTROL: records is 1"),
        (b"[]", "CONTROL: the control file is no JSON object"),
    ],
)
async def test_a_file_that_is_not_what_its_control_file_says_is_rejected(
    scene: Scene, said: bytes, reason: str
) -> None:
    (home(scene) / "in").mkdir(parents=True)
    (home(scene) / "in" / "orders.csv.ctl").write_bytes(said)
    await drops(scene, "orders.csv", ORDERS)
    told = json.loads((home(scene) / "rejected" / "orders.csv.result.json").read_text())
    assert (told["reason"].startswith(reason), await scene.told()) == (True, [])
    assert sorted(path.name for path in (home(scene) / "rejected").glob("*.ctl")) == ["orders.csv.ctl"]


async def test_where_it_is_agreed_a_file_waits_for_its_control_file(scene: Scene) -> None:
    agreed(scene, "{kind: file_drop, control: true}")
    content = ORDERS.replace(b"F-1", b"N-1")
    assert not await drops(scene, "orders.csv", content, "erp-n")
    await drops(scene, "orders.csv.ctl", control(content), "erp-n")
    assert await scene.names() == ["OrderReceived"]


async def test_what_a_process_had_claimed_that_is_no_more_is_taken_by_another(scene: Scene) -> None:
    await scene.service.polls["drop"]()
    claimed = home(scene) / "claimed" / "gone"
    claimed.mkdir(parents=True)
    (claimed / "orders.csv").write_bytes(ORDERS)
    (claimed / "orders.csv.ctl").write_bytes(control(ORDERS))
    assert await scene.service.polls["drop"]()
    await scene.works()
    assert (await scene.names(), list(claimed.iterdir())) == (["OrderReceived"], [])


async def test_what_a_process_has_claimed_that_is_at_work_is_left_to_it(scene: Scene) -> None:
    other = Instances(folders_of(scene).root / ".instances")
    assert other.hold("other") == "other"
    claimed = home(scene) / "claimed" / "other"
    claimed.mkdir(parents=True)
    (claimed / "orders.csv").write_bytes(ORDERS)
    assert not await scene.service.polls["drop"]()


async def test_two_processes_of_one_name_do_not_share_what_they_claim(scene: Scene) -> None:
    first = folders_of(scene)
    second = another(first, "main")
    await first.poll()
    await second.poll()
    assert (first.instance, second.instance) == ("main", "main-2")


async def test_a_file_that_is_taken_again_after_a_crash_is_no_duplicate(scene: Scene) -> None:
    await drops(scene, "orders.csv", ORDERS)
    taken = home(scene) / "accepted" / "orders.csv"
    taken.rename(home(scene) / "claimed" / "main" / "orders.csv")  # it died before it had put the file away
    await scene.service.polls["drop"]()
    await scene.works()
    assert (len(await scene.rows("inbound_messages")), result(scene, "orders.csv")["result"]) == (1, "processed")


async def test_what_is_not_touched_is_counted_once(scene: Scene) -> None:
    counted = {why: FILES_LEFT.labels(why)._value.get() for why in ("link", "name", "folder")}
    folder = home(scene) / "in"
    (folder / "folder").mkdir(parents=True)
    (folder / "or ders.csv").write_bytes(ORDERS)
    (folder / "link.csv").symlink_to(folder / "or ders.csv")
    for _ in range(3):
        await scene.service.polls["drop"]()
    assert {why: FILES_LEFT.labels(why)._value.get() - was for why, was in counted.items()} == dict.fromkeys(counted, 1)


async def given_a_document(scene: Scene, taking_counts: str = "false") -> Path:
    """ERP N gets its documents as files; returns the one that lies there."""
    agreed(scene, "{kind: file_drop}", f"{{kind: file_drop, taking_counts: {taking_counts}}}")
    await drops(scene, "order.xml", order(source="ERP-N"), "erp-n")
    (file,) = (home(scene, "erp-n") / "out").glob("*.xml")
    return file


async def test_behind_each_document_lies_its_control_file(scene: Scene) -> None:
    file = await given_a_document(scene)
    said = json.loads(file.with_name(f"{file.name}.ctl").read_text())
    content = file.read_bytes()
    assert said == {"sha256": sha256(content).hexdigest(), "bytes": len(content), "records": 1}


async def test_where_it_is_agreed_a_document_is_delivered_when_the_partner_has_taken_it(scene: Scene) -> None:
    file = await given_a_document(scene, "true")
    (lying,) = await scene.rows("outbound_messages")
    file.unlink()
    await scene.passes(SEND_AGAIN[0])
    await scene.delivers()
    (taken,) = await scene.rows("outbound_messages")
    assert (lying.state, taken.state, list(file.parent.iterdir())) == ("READY", "SENT", [])


async def test_a_partner_drops_files_in_columns_of_its_own(scene: Scene) -> None:
    scene.service.settings.partners_dir.mkdir()
    (scene.service.settings.partners_dir / "erp-n.map.yaml").write_text(yaml.safe_dump(MAPPING, allow_unicode=True))
    agreed(scene, "{kind: file_drop}", more="csv: {mapping: erp-n.map.yaml}")
    await drops(scene, "orders.csv", as_csv(rows_of(3, {2: wrong_date})), "erp-n")
    assert (await scene.names()).count("OrderReceived") == 2
    errors = (home(scene, "erp-n") / "accepted" / "orders.csv.err.csv").read_text().splitlines()
    assert errors[1:] == ["2;fixed_on;csv/date;no date of the form %d.%m.%Y"]


async def test_a_file_without_the_agreed_columns_is_refused_as_a_whole(scene: Scene) -> None:
    scene.service.settings.partners_dir.mkdir()
    agreed(scene, "{kind: file_drop}", more="csv: {mapping: {columns: {Nr: order_no}, constants: {version: 1}}}")
    await drops(scene, "orders.csv", ORDERS, "erp-n")
    found = result(scene, "orders.csv", "erp-n")
    assert (found["state"], found["findings"][0]["detail"]) == (
        "REFUSED",
        "columns.Nr: the file has no such column",
    )
