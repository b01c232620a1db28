"""Letters: prepared, handed over, printed once, called back; given, hears, told."""

import csv
import io
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from pypdf import PdfReader

from contracts.cases import CaseCancelled, CasePurged
from contracts.codes import Channel, Match, Reading
from contracts.messages import MessageRecorded
from contracts.notices import LetterPrepared, LetterPrinted, NoticeFailed, NoticeSent, ReplyReceived
from contracts.samples import example
from services.notification_service.printing import batch_id_of
from simulators.print_shop.shop import Habits
from tests.services.notification_service.story import MOBILE, House, World

EVENING = timedelta(hours=10)
"""From Monday, nine in Berlin, to behind the print run."""
MORNING = timedelta(hours=24)


async def states(world: World) -> list[str]:
    return [row.state for row in await world.stage.rows("letters")]


async def a_letter(folder: Path, **options: Any) -> tuple[World, House]:
    """One letter, prepared."""
    world, house = await World.open(folder, **options), House(phone=None)
    await world.hears(*house.known(), house.by_letter())
    return world, house


def pdf(folder: Path, row: Any) -> bytes:
    return (folder / "letters" / str(row.case_id) / row.sha256).read_bytes()


def words(content: bytes) -> str:
    """The text of a document, as a reader of it hears it."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def documents(folder: Path) -> list[Path]:
    """Every PDF below a folder."""
    return [path for path in folder.rglob("*") if path.is_file() and path.read_bytes()[:5] == b"%PDF-"]


def objects(content: bytes) -> list[Any]:
    """All dictionaries of a document."""
    reader = PdfReader(io.BytesIO(content))
    found = [reader.get_object(number) for number in range(1, int(reader.trailer["/Size"]))]
    return [each for each in found if isinstance(each, dict)]


async def post(world: World, path: str, body: dict[str, Any], role: str = "dispatcher") -> httpx.Response:
    async with world.stage.http(role) as http:
        answer = await http.post(
            path, json=body, headers={"Idempotency-Key": sha256(f"{path}{body}".encode()).hexdigest()}
        )
    await world.settle()
    return answer


async def test_J05_a_letter_is_printed_and_its_offer_is_told_as_sent(tmp_path: Path) -> None:
    world, _ = await a_letter(tmp_path)
    assert (await world.kinds(), await states(world)) == (["LetterPrepared"], ["PREPARED"])
    await world.passes(EVENING)
    assert (await world.kinds(), await states(world)) == ([], ["HANDED_OVER"])
    await world.passes(MORNING)
    assert await world.kinds() == ["LetterPrinted", "NoticeSent", "MessageRecorded"]
    (sent,), (printed,), (prepared,) = [await world.told(kind) for kind in (NoticeSent, LetterPrinted, LetterPrepared)]
    assert (sent.rule_id, sent.template, sent.channel, sent.sent_on) == (
        "N02",
        "booking_letter",
        Channel.LETTER,
        date(2026, 3, 3),
    )
    assert (printed.printed_on, printed.pulled_late, printed.attempt) == (date(2026, 3, 3), False, 1)
    assert (prepared.letter_id, prepared.notice_id) == (printed.letter_id, sent.notice_id)
    assert (await states(world), world.shop.answers, world.rings) == (["PRINTED"], {200: 1}, 0)
    await world.close()


async def test_a_letter_says_who_when_and_how_to_answer(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House(phone=None)
    other = {"from": house.block + timedelta(days=1), "to": house.block + timedelta(days=1, hours=2)}
    await world.hears(*house.known(), house.by_letter(alternatives=(other,)))
    (row,) = await world.stage.rows("letters")
    said, contact = words(pdf(tmp_path, row)), house.contact()
    for part in (
        contact.name,
        contact.address.postcode,
        "Mo 16.03.2026",
        "10:00-12:00",
        "Di 17.03.2026",
        "+4915700000001",
    ):
        assert part in said
    assert (row.sheets, row.language, row.window_profile) == (1, "de", "din5008b")
    await world.close()


async def test_the_code_of_a_letter_answers_its_offer_and_is_nowhere_kept(tmp_path: Path) -> None:
    world, house = await a_letter(tmp_path)
    (row,) = await world.stage.rows("letters")
    code = words(pdf(tmp_path, row)).rsplit(" ", 4)[-4]
    await world.passes(EVENING + MORNING)
    world.gateway.say(MOBILE, f"OK {code}")
    await world.settle()
    (reply,) = await world.told(ReplyReceived)
    assert (reply.match, reply.reading, reply.appointment_id) == (Match.CODE, Reading.EXACT_OK, house.appointment_id)
    texts = [each.text for each in await world.told(MessageRecorded)] + [row.text for row in await world.notices()]
    assert [text for text in texts if code in str(text)] == []
    await world.close()


async def test_with_a_portal_the_letter_leads_there(tmp_path: Path) -> None:
    operator = {"code": "auental", "name": "Stadtwerke Auental", "sender": "+4915700000001", "service_phone": "1"}
    with_portal = [operator | {"portal_url": "https://t.example/r/"}]
    world, house = await World.open(tmp_path, operators=with_portal), House(phone=None)
    await world.hears(*house.known(), house.by_letter())
    (row,) = await world.stage.rows("letters")
    alternatives = {str(each.get("/Alt")) for each in objects(pdf(tmp_path, row))}
    assert [each for each in alternatives if each.startswith("https://t.example/r/")] != []
    await world.close()


async def test_S3_31_two_hundred_planned_letters_are_two_hundred_codes_files_and_lines(tmp_path: Path) -> None:
    world, many = await World.open(tmp_path), 200
    houses = [House(number, phone=None) for number in range(1, many + 1)]
    await world.hears(*(fact for house in houses for fact in (*house.known(), house.by_letter())))
    await world.passes(EVENING)
    ((batch, job),) = world.shop.taken.items()
    assert job.wrong == []
    manifest = list(csv.DictReader(io.StringIO((job.folder / "manifest.csv").read_text())))
    files = {each["file"]: sha256((job.folder / each["file"]).read_bytes()).hexdigest() for each in manifest}
    assert len({row.code_hash for row in await world.stage.rows("dialogues")}) == many
    assert len({each["code_hash12"] for each in manifest}) == many == len(files)
    assert files == {each["file"]: each["sha256"] for each in manifest}
    assert [row.letters for row in await world.stage.rows("batches")] == [many]
    assert batch == str((await world.stage.rows("batches"))[0].batch_id)
    await world.close()


async def test_S3_32_two_hundred_letters_are_marked_as_printed_at_once_with_a_result_each(tmp_path: Path) -> None:
    world, many = await World.open(tmp_path), 200
    houses = [House(number, phone=None) for number in range(1, many + 1)]
    await world.hears(*(fact for house in houses for fact in (*house.known(), house.by_letter())))
    async with world.stage.http("dispatcher") as http:
        waiting = (await http.get("/v1/letters", params={"state": "PREPARED", "limit": 500})).json()["letters"]
    ids = [each["letter_id"] for each in waiting]
    body = {"letter_ids": [*ids, str(UUID(int=7))], "printed_on": "2026-03-02"}
    answer = await post(world, "/v1/letters/mark-printed", body)
    results = [each["result"] for each in answer.json()["letters"]]
    assert (answer.status_code, results) == (200, ["done"] * many + ["refused"])
    sent = await world.told(NoticeSent)
    assert {each.appointment_id for each in sent} == {house.appointment_id for house in houses}
    assert {each.sent_on for each in sent} == {date(2026, 3, 2)}
    await world.close()


async def test_S3_33_the_same_receipt_twice_changes_nothing(tmp_path: Path) -> None:
    world, _ = await a_letter(tmp_path)
    await world.passes(EVENING + MORNING)
    told, job = len(await world.stage.told()), next(iter(world.shop.taken.values()))
    receipt = f"letter_id,status,printed_on,sheets\r\n{job.letters[0]['letter_id']},printed,2026-03-03,1\r\n".encode()
    await world.shop._send(job, receipt, world.stage.clock.now())
    assert (world.shop.answers, len(await world.stage.told())) == ({200: 2}, told)
    await world.close()


async def test_S3_33_a_letter_is_printed_by_hand_or_by_the_shop_and_goes_out_once(tmp_path: Path) -> None:
    world, _ = await a_letter(tmp_path)
    (row,) = await world.stage.rows("letters")
    body = {"letter_ids": [str(row.letter_id)], "printed_on": "2026-03-02"}
    first = await post(world, "/v1/letters/mark-printed", body)
    again = await post(world, "/v1/letters/mark-printed", body | {"printed_on": "2026-03-01"})
    assert [each.json()["letters"][0]["result"] for each in (first, again)] == ["done", "unchanged"]
    await world.passes(EVENING + MORNING)
    assert (len(await world.told(LetterPrinted)), world.shop.taken) == (1, {})
    await world.close()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{id},printed,2026-03-03,2", "letter/sheets"),
        ("{id},printed,2026-03-05,1", "letter/future"),
        ("{id},lost,2026-03-03,1", "letter/status"),
        ("{id},printed,yesterday,1", "letter/day"),
        ("0197f000-0000-7000-8000-00000000dead,printed,2026-03-03,1", "letter/unknown"),
        ("{id},pulled,2026-03-03,1", "letter/state"),
    ],
)
async def test_a_wrong_line_of_a_receipt_is_recorded_and_the_others_count(tmp_path: Path, line: str, code: str) -> None:
    world, _ = await a_letter(tmp_path, habits=Habits(takes=timedelta(days=2)))
    house = House(2, phone=None)
    await world.hears(*house.known(), house.by_letter())
    await world.passes(EVENING + MORNING)
    job = next(iter(world.shop.taken.values()))
    bad, good = [each["letter_id"] for each in job.letters]
    lines = ["letter_id,status,printed_on,sheets", line.format(id=bad), f"{good},printed,2026-03-03,1", ""]
    await world.shop._send(job, "\r\n".join(lines).encode(), world.stage.clock.now())
    found = [(row.code, row.details["rule"], row.details["row"]) for row in await world.stage.rows("anomalies")]
    assert (found, await states(world)) == ([("print_receipt", code, 1)], ["HANDED_OVER", "PRINTED"])
    await world.close()


async def test_a_receipt_without_a_proof_is_refused(tmp_path: Path) -> None:
    world, _ = await a_letter(tmp_path)
    await world.passes(EVENING)
    world.shop.secret = "whsec_" + "QUJD" * 8
    await world.passes(MORNING)
    assert (world.shop.answers[401], await states(world)) == (1, ["HANDED_OVER"])
    await world.close()


async def test_a_spoiled_letter_is_prepared_again_once_with_the_same_code(tmp_path: Path) -> None:
    world, _ = await a_letter(tmp_path)
    (dialogue,) = await world.stage.rows("dialogues")
    world.shop.habits = Habits(spoils={dialogue.code_hash[:12]: 1})
    await world.passes(EVENING + timedelta(hours=15))
    assert (await states(world), await world.told(NoticeFailed)) == (["SPOILED", "PREPARED"], [])
    await world.passes(MORNING)
    (first, second) = await world.told(LetterPrepared)
    assert (first.sha256 == second.sha256, first.letter_id != second.letter_id) == (True, True)
    assert (await states(world), len(await world.told(LetterPrinted))) == (["SPOILED", "PRINTED"], 1)
    await world.close()


async def test_a_letter_that_is_spoiled_twice_has_failed(tmp_path: Path) -> None:
    world, _ = await a_letter(tmp_path)
    (dialogue,) = await world.stage.rows("dialogues")
    world.shop.habits = Habits(spoils={dialogue.code_hash[:12]: 2})
    await world.passes(EVENING + MORNING * 2)
    (failed,) = await world.told(NoticeFailed)
    assert (failed.cause, failed.channel, await states(world)) == ("retries_exhausted", "letter", ["SPOILED"] * 2)
    await world.close()


@pytest.mark.parametrize(
    ("move", "state"), [("T29", "READY_TO_PRINT"), ("T32", "READY_TO_PRINT"), ("T15", "READY_TO_PRINT")]
)
async def test_J38_a_letter_that_waits_for_print_is_pulled_and_its_code_is_void(
    tmp_path: Path, move: str, state: str
) -> None:
    world, house = await a_letter(tmp_path)
    await world.hears(house.moved(move, state, "MANUAL_FOLLOW_UP"))
    await world.passes(EVENING + MORNING)
    (dialogue,) = await world.stage.rows("dialogues")
    assert (await states(world), await world.states(), dialogue.state) == (["PULLED"], {"N02": "PULLED"}, "VOID")
    assert (world.shop.taken, await world.told(LetterPrinted), await world.told(NoticeSent)) == ({}, [], [])
    await world.close()


async def test_J38_a_letter_that_the_shop_has_is_called_back(tmp_path: Path) -> None:
    world, house = await a_letter(tmp_path)
    await world.passes(EVENING)
    await world.hears(house.moved("T29", "READY_TO_PRINT", "MANUAL_FOLLOW_UP"))
    assert await states(world) == ["PULL_REQUESTED"]
    await world.passes(MORNING)
    assert (await states(world), dict(world.shop.paper)) == (["PULLED"], {})
    assert await world.told(LetterPrinted) == []
    await world.close()


async def test_J38_a_letter_that_is_printed_all_the_same_is_told_as_pulled_late(tmp_path: Path) -> None:
    world, house = await a_letter(tmp_path)
    (row,) = await world.stage.rows("letters")
    world.shop.habits = Habits(ignores=frozenset({str(row.letter_id)}))
    await world.passes(EVENING)
    await world.hears(house.moved("T29", "READY_TO_PRINT", "MANUAL_FOLLOW_UP"))
    await world.passes(MORNING)
    (printed,) = await world.told(LetterPrinted)
    assert (printed.pulled_late, await world.told(NoticeSent), await states(world)) == (True, [], ["PRINTED"])
    await world.close()


async def test_a_letter_is_not_pulled_by_a_move_of_the_order_before_its_offer(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House(phone=None)
    await world.hears(*house.known(), house.by_letter(attempt=2))
    await world.hears(house.moved("T17", "MANUAL_FOLLOW_UP", "PLANNING"))  # it names offer 1
    (dialogue,) = await world.stage.rows("dialogues")
    assert (await states(world), dialogue.state) == (["PREPARED"], "OPEN")
    await world.close()


async def test_a_move_of_the_window_pulls_the_letter_and_nobody_is_told_of_it(tmp_path: Path) -> None:
    world, house = await a_letter(tmp_path)
    await world.hears(house.moved_to(house.block + timedelta(days=1)))
    assert (await states(world), await world.states()) == (["PULLED"], {"N02": "PULLED"})
    await world.close()


async def test_J02_a_statutory_notice_goes_out_by_letter_as_part_one_of_one(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.announced())
    await world.passes(EVENING + MORNING)
    (sent,) = await world.told(NoticeSent)
    assert (sent.template, sent.part, sent.parts, sent.channel) == ("statutory_37", 1, 1, Channel.LETTER)
    assert (sent.appointment_id, sent.sent_on, world.rings) == (None, date(2026, 3, 3), 0)
    (row,) = await world.stage.rows("letters")
    assert "§ 37 Messstellenbetriebsgesetz" in words(pdf(tmp_path, row))
    await world.close()


async def test_D_NOT_5_a_second_statutory_notice_within_thirty_days_stays_unsent(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.announced())
    await world.passes(timedelta(days=29))
    await world.hears(house.announced(attempt=2))
    found = [(row.state, row.cause) for row in await world.notices()]
    assert sorted(found, key=str) == [("SENT", None), ("SUPPRESSED", "told_recently")]
    await world.close()


async def test_a_letter_needs_an_address(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    address = house.contact().address.model_copy(update={"street": ""})
    await world.hears(
        house.opened(), house.contact(address=address), house.ordered(), house.proposed(), house.by_letter()
    )
    (failed,) = await world.told(NoticeFailed)
    assert (failed.cause, failed.channel, await states(world)) == ("no_address", "letter", [])
    await world.close()


async def test_a_batch_goes_by_hand_before_the_print_run(tmp_path: Path) -> None:
    world, _ = await a_letter(tmp_path)
    answer = await post(world, "/v1/batches", {"operator": "auental"})
    async with world.stage.http("dispatcher") as http:
        (batch,) = (await http.get("/v1/batches")).json()["batches"]
    assert (answer.status_code, answer.json()["batch_id"]) == (202, batch["batch_id"])
    assert (batch["letters"], batch["handed_over_at"] is not None, await states(world)) == (1, True, ["HANDED_OVER"])
    await world.close()


async def test_a_run_that_a_crash_interrupted_completes_its_batch_and_makes_no_second_one(tmp_path: Path) -> None:
    world, _ = await a_letter(tmp_path)
    port = world.stage.service.ports["print_run"]
    payload = {"operator": "auental", "batch_id": str(batch_id_of("auental/2026-03-02T17:00:00"))}
    first = await port.send("auental/2026-03-02T17:00:00", payload)  # written, and its outcome is lost
    again = await port.send("auental/2026-03-02T17:00:00", payload)
    assert (first == again, len(await world.stage.rows("batches"))) == (True, 1)
    await world.shop.act()
    assert [len(each.letters) for each in world.shop.taken.values()] == [1]
    await world.close()


async def test_a_letter_that_is_called_back_while_its_batch_is_written_goes_on_a_pull_list(tmp_path: Path) -> None:
    world, house = await a_letter(tmp_path)
    claim = world.stage.service.ports["print_run"].claim  # type: ignore[attr-defined]

    async def slow(reference: str, operator: str) -> Any:
        run = await claim(reference, operator)
        await world.stage.hears(house.moved("T29", "READY_TO_PRINT", "MANUAL_FOLLOW_UP"))
        return run

    world.stage.service.ports["print_run"].claim = slow  # type: ignore[attr-defined]
    await world.passes(EVENING)
    assert await states(world) == ["PULL_REQUESTED"]
    await world.passes(MORNING)
    assert (await states(world), dict(world.shop.paper)) == (["PULLED"], {})
    await world.close()


async def test_what_was_printed_stays_sent_whatever_follows(tmp_path: Path) -> None:
    world, house = await a_letter(tmp_path)
    await world.passes(EVENING + MORNING)
    await world.hears(house.moved("T32", "AWAITING_REPLY", "MANUAL_FOLLOW_UP"), house.released(), house.cancelled())
    assert (await states(world), (await world.states())["N02"]) == (["PRINTED"], "SENT")
    await world.close()


async def test_only_dispatchers_handle_letters(tmp_path: Path) -> None:
    world, _ = await a_letter(tmp_path)
    (row,) = await world.stage.rows("letters")
    for role in ("company_admin", "qa", "technician", "admin"):
        async with world.stage.http(role) as http:
            assert (await http.get("/v1/letters")).status_code == 403
            assert (await http.get(f"/v1/letters/{row.letter_id}/pdf")).status_code == 403
    async with world.stage.http("dispatcher") as http:
        document = await http.get(f"/v1/letters/{row.letter_id}/pdf")
    assert (document.headers["content-type"], sha256(document.content).hexdigest()) == ("application/pdf", row.sha256)
    await world.close()


async def test_a_purge_deletes_the_documents_and_keeps_their_digest(tmp_path: Path) -> None:
    world, house = await a_letter(tmp_path)
    await world.passes(EVENING + MORNING)
    (row,) = await world.stage.rows("letters")
    assert len(documents(tmp_path)) == 2
    await world.hears(example(CasePurged, case_id=house.case_id, scope="contact"))
    assert (documents(tmp_path), (await world.stage.rows("letters"))[0].sha256) == ([], row.sha256)
    await world.close()


async def test_the_end_of_a_case_pulls_what_is_not_printed(tmp_path: Path) -> None:
    world, house = await World.open(tmp_path), House()
    await world.hears(*house.known(), house.announced())
    await world.hears(example(CaseCancelled, case_id=house.case_id))
    assert (await states(world), await world.states()) == (["PULLED"], {"N08": "PULLED"})
    await world.close()
