"""Facts of a case go out to the ordering partner, and its answers come back to exactly the row that they mean."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from contracts.cases import CaseAmended, CaseCancelled, ExceptionApproved
from contracts.codes import Decision, ExceptionType, Fact, HubReason, Result
from contracts.handovers import HandoverAccepted, HandoverFailed, HandoverRejected, HandoverSent
from contracts.orders import OrderAmended
from services.mdm_adapter.app import build
from services.mdm_adapter.dialects.cim_xml.messages import decode, own_faults
from services.mdm_adapter.settings import Settings
from tests.services.mdm_adapter.erp import Erp, accepts, reply, text
from tests.services.mdm_adapter.scenes import CASE, Scene, opened, order, requested, visited

NEW_CASE_ORDER = "erp-csv:WO-9"


def says(code: str, result: str = "FAILED", *, named: str | None = "WO-1"):  # type: ignore[no-untyped-def]
    """A script that answers every report with this code."""

    def script(message: bytes) -> httpx.Response:
        if b"ResponseMessage" in message:
            return httpx.Response(200)
        return httpx.Response(200, content=reply(text(message, "Header/CorrelationID"), result, code, order=named))

    return script


async def test_J01_completed_work_is_sent_and_accepted(scene: Scene) -> None:
    await scene.given_a_case(visited(), requested())
    (message,) = scene.erp.reports()
    assert text(message, "Payload/ServiceOrders/ServiceOrder/Work/statusKind") == "completed"
    task = "Payload/ServiceOrders/ServiceOrder/Work/WorkTask"
    assert text(message, f"{task}/Assets/serialNumber") == "1EMH0012345678"
    assert text(message, f"{task}/OldAsset/MeterReadings/Readings/value") == "48213.4"
    assert (own_faults(message), decode(message, None, None).findings) == ([], [])


async def test_J01_sent_then_accepted_are_told_in_this_order(scene: Scene) -> None:
    await scene.comes(order())
    await scene.hears(opened(), visited(), requested())
    await scene.works()
    assert (await scene.names())[1:] == ["HandoverSent", "HandoverAccepted"]


async def test_the_answer_may_come_later_through_the_door(scene: Scene) -> None:
    scene.erp.script = lambda _: httpx.Response(202)
    await scene.given_a_case(visited(), requested())
    (message,) = scene.erp.reports()
    await scene.told_since()
    await scene.comes(reply(text(message, "Header/MessageID"), code="0.3", message_id="R-1"))
    await scene.comes(reply(text(message, "Header/MessageID"), message_id="R-2"))
    assert await scene.names() == ["HandoverAcknowledged", "HandoverAccepted"]


async def test_an_answer_that_overtakes_the_transport_counts(scene: Scene) -> None:
    await scene.comes(order())
    await scene.hears(opened(), visited(), requested())
    (row,) = await scene.rows("handover_rows")
    await scene.passes(timedelta())
    await scene.comes(reply(str(row.message_id)))
    assert (await scene.names())[1:] == ["HandoverSent", "HandoverAccepted"]


async def test_X14_J28_a_rejection_is_told_once_and_names_the_reason(scene: Scene) -> None:
    scene.erp.script = says("2.4")
    await scene.comes(order())
    await scene.hears(opened(), visited(), requested())
    await scene.works()
    (message,) = scene.erp.reports()
    await scene.comes(reply(text(message, "Header/MessageID"), "FAILED", "2.13", order="WO-1", message_id="R-9"))
    rejections = [fact for fact in await scene.told() if isinstance(fact, HandoverRejected)]
    assert [[(each.hub_reason, each.code) for each in fact.reasons] for fact in rejections] == [
        [(HubReason.UNKNOWN_DEVICE, "2.4")]
    ]


async def test_J28_the_corrected_attempt_is_sent_and_accepted(scene: Scene) -> None:
    scene.erp.script = says("2.4")
    await scene.given_a_case(visited(), requested())
    scene.erp.script = says("0.0", "OK")
    await scene.hears(visited(version=2, new="1EMH0012345679"), requested(attempt=2, visit_version=2))
    await scene.works()
    first, second = scene.erp.reports()
    task = "Payload/ServiceOrders/ServiceOrder/Work/WorkTask/Assets/serialNumber"
    assert (text(first, task), text(second, task)) == ("1EMH0012345678", "1EMH0012345679")
    *_, last = await scene.told()
    assert isinstance(last, HandoverAccepted)
    assert [(row.attempt, row.state) for row in await scene.rows("handover_rows")] == [
        (1, "SUPERSEDED"),
        (2, "TRANSFERRED"),
    ]


async def test_J32_an_acceptance_after_a_rejection_is_told(scene: Scene) -> None:
    scene.erp.script = says("2.4")
    await scene.given_a_case(visited(), requested())
    (message,) = scene.erp.reports()
    await scene.comes(reply(text(message, "Header/MessageID"), message_id="R-2"))
    assert (await scene.names())[-1] == "HandoverAccepted"


async def test_words_that_were_accepted_before_are_not_sent_again(scene: Scene) -> None:
    await scene.given_a_case(visited(), requested(), requested(attempt=2))
    assert len(scene.erp.reports()) == 1
    accepted = [fact.attempt for fact in await scene.told() if isinstance(fact, HandoverAccepted)]
    assert accepted in ([1, 2], [2])


async def test_J27_rework_without_devices_hands_over_the_exchange_that_it_completes(scene: Scene) -> None:
    again = {"work_order_id": UUID(int=21), "sequence": 2, "visit_id": UUID(int=22), "installed": (), "removed": ()}
    named = {"work_order_id": UUID(int=21), "visit_id": UUID(int=22)}
    await scene.given_a_case(visited(), visited(**again), requested(**named))
    (message,) = scene.erp.reports()
    assert b"1EMH0012345678" in message
    assert (await scene.names())[-1] == "HandoverAccepted"


async def test_J22_a_supplement_that_changes_no_device_says_nothing_again(scene: Scene) -> None:
    again = {"work_order_id": UUID(int=21), "sequence": 2, "visit_id": UUID(int=22), "installed": (), "removed": ()}
    named = {"work_order_id": UUID(int=21), "visit_id": UUID(int=22), "supplement": True}
    await scene.given_a_case(visited(), requested())
    await scene.hears(visited(**again), requested(attempt=2, **named))
    await scene.works()
    accepted = [fact.attempt for fact in await scene.told() if isinstance(fact, HandoverAccepted)]
    assert (len(scene.erp.reports()), accepted) == (1, [1, 2])


async def test_a_stale_attempt_is_ignored_and_recorded(scene: Scene) -> None:
    await scene.given_a_case(visited(), requested(attempt=2))
    await scene.hears(requested(attempt=1))
    assert (len(await scene.rows("handover_rows")), "handover_stale" in await scene.anomalies()) == (1, True)


async def test_a_technical_refusal_is_a_failure_not_a_rejection(scene: Scene) -> None:
    scene.erp.script = says("1.8", named=None)
    await scene.comes(order())
    await scene.hears(opened(), visited(), requested())
    await scene.works()
    (fact,) = [fact for fact in await scene.told() if isinstance(fact, HandoverFailed)]
    assert (fact.cause, fact.level, fact.final) == ("SCHEMA", "syntax", True)


async def test_a_partner_that_is_busy_gets_it_again_by_the_plan(scene: Scene) -> None:
    scene.erp.script = says("5.1")
    await scene.comes(order())
    await scene.hears(opened(), visited(), requested())
    await scene.works()
    scene.erp.script = says("0.0", "OK")
    await scene.passes(timedelta(minutes=1))
    await scene.works()
    failed = [fact for fact in await scene.told() if isinstance(fact, HandoverFailed)]
    assert [(fact.cause, fact.final) for fact in failed] == [("BUSY", False)]
    assert (len(scene.erp.reports()), (await scene.names())[-1]) == (2, "HandoverAccepted")


async def test_a_fact_that_is_missing_holds_the_document_until_it_comes(scene: Scene) -> None:
    await scene.given_a_case(requested())
    (row,) = await scene.rows("handover_rows")
    assert (row.state, row.held, scene.erp.reports()) == ("QUEUED", "FACT_MISSING: visit report", [])
    await scene.hears(visited())
    await scene.works()
    assert (await scene.names(), len(scene.erp.reports())) == (["HandoverSent", "HandoverAccepted"], 1)


async def test_a_reading_that_is_missing_is_named(scene: Scene) -> None:
    report = visited()
    bare = report.removed[0].model_copy(update={"registers": ()})
    await scene.given_a_case(report.model_copy(update={"removed": (bare,)}), requested())
    (row,) = await scene.rows("handover_rows")
    assert row.held == "FACT_MISSING: reading of meter 1OLD0000009876"


async def test_a_fact_that_does_not_come_in_time_fails_the_row(scene: Scene) -> None:
    await scene.given_a_case(requested())
    await scene.passes(timedelta(minutes=15))
    (fact,) = await scene.told_since()
    assert isinstance(fact, HandoverFailed)
    assert (fact.cause, fact.final) == ("fact_missing", True)


async def test_a_server_error_is_tried_again_until_the_tries_are_used_up(scene: Scene) -> None:
    scene.erp.script = lambda _: httpx.Response(503)
    await scene.comes(order())
    await scene.hears(opened(), visited(), requested())
    for _ in range(12):
        await scene.works()
        await scene.passes(timedelta(hours=12))
    (fact,) = [fact for fact in await scene.told() if isinstance(fact, HandoverFailed)]
    assert (fact.cause, fact.final) == ("retries_exhausted", True)
    assert len({key for key, sent in zip(scene.erp.keys, scene.erp.got, strict=True) if b"completed" in sent}) == 1


async def test_a_refused_post_is_not_tried_again(scene: Scene) -> None:
    scene.erp.script = lambda _: httpx.Response(403)
    await scene.comes(order())
    await scene.hears(opened(), visited(), requested())
    await scene.works()
    (fact,) = [fact for fact in await scene.told() if isinstance(fact, HandoverFailed)]
    assert (fact.cause, fact.level, len(scene.erp.reports())) == ("transport", "transport", 1)


async def test_an_answer_that_was_lost_is_unknown_and_repeated_under_the_same_key(scene: Scene) -> None:
    await scene.comes(order())
    answers = scene.erp.script

    def loses(message: bytes) -> httpx.Response:
        if b"completed" in message:
            raise httpx.ReadTimeout("no answer")
        return answers(message)

    scene.erp.script = loses
    await scene.hears(opened(), visited(), requested())
    await scene.works()
    (row,) = await scene.rows("handover_rows")
    assert row.state == "QUEUED"
    scene.erp.script = answers
    await scene.passes(timedelta(minutes=1))
    await scene.works()
    keys = [key for key, sent in zip(scene.erp.keys, scene.erp.got, strict=True) if b"completed" in sent]
    assert (len(keys), len(set(keys)), (await scene.names())[-1]) == (2, 1, "HandoverAccepted")


async def test_when_nobody_knows_after_the_last_try_the_row_says_so_and_can_be_resent(scene: Scene) -> None:
    await scene.comes(order())

    def loses(_: bytes) -> httpx.Response:
        raise httpx.ReadTimeout("no answer")

    scene.erp.script = loses
    await scene.hears(opened(), visited(), requested())
    for _ in range(8):
        await scene.works()
        await scene.passes(timedelta(hours=12))
    (row,) = await scene.rows("handover_rows")
    assert (row.state, row.delivery) == ("ERROR_TECH", "unknown")
    scene.erp.script = says("0.0", "OK")
    async with scene.http("mdm") as client:
        answer = await client.post(f"/v1/messages/{row.row_id}/resend", json={"reason": "asked the partner by phone"})
        again = await client.post(f"/v1/messages/{row.row_id}/resend", json={"reason": "asked the partner by phone"})
    await scene.works()
    assert (answer.status_code, again.status_code, again.json()["code"]) == (200, 409, "already-resent")
    assert (await scene.names())[-1] == "HandoverAccepted"


async def test_J36_a_confirmed_cancellation_is_answered_once_with_0_0(scene: Scene) -> None:
    await scene.given_a_case()
    await scene.comes(order(version="2", verb="cancel", message_id="M-2"))
    await scene.hears(requested(Fact.CANCELLED, order_key="erp-a:WO-1", decision=Decision.CONFIRMED))
    await scene.works()
    (message,) = scene.erp.got
    assert (text(message, "Header/CorrelationID"), scene.erp.replies()) == ("M-2", [("OK", ["0.0"])])
    assert (await scene.names())[1:] == ["HandoverSent", "HandoverAccepted"]


async def test_J47_a_cancellation_that_is_too_late_is_answered_with_6_1(scene: Scene) -> None:
    await scene.given_a_case()
    await scene.comes(order(version="2", verb="cancel", message_id="M-2"))
    await scene.hears(requested(Fact.CANCELLED, order_key="erp-a:WO-1", decision=Decision.TOO_LATE))
    await scene.works()
    assert scene.erp.replies() == [("FAILED", ["6.1"])]
    assert b"already completed" in scene.erp.got[0]


async def test_a_copy_of_the_cancellation_gets_the_decided_answer_again(scene: Scene) -> None:
    await scene.given_a_case()
    cancel = order(version="2", verb="cancel", message_id="M-2")
    await scene.comes(cancel)
    await scene.hears(requested(Fact.CANCELLED, order_key="erp-a:WO-1", decision=Decision.STORNO))
    await scene.works()
    await scene.comes(cancel)
    assert scene.erp.replies() == [("OK", ["0.0"])] * 2


async def test_J19_a_failed_visit_is_reported_and_the_order_stays(scene: Scene) -> None:
    failed = visited(result=Result.NOT_AT_HOME)
    wanted = requested(Fact.WORK_NOT_COMPLETED, final=False, visit_id=failed.visit_id, visit_version=1)
    await scene.given_a_case(failed, wanted)
    (message,) = scene.erp.reports()
    work = "Payload/ServiceOrders/ServiceOrder/Work"
    assert text(message, f"{work}/statusKind") == "waitingToBeScheduled"
    assert text(message, f"{work}/ActivityRecords/reason") == "customer_not_home"


async def test_an_end_without_a_visit_is_reported_as_closed(scene: Scene) -> None:
    await scene.given_a_case(requested(Fact.WORK_NOT_COMPLETED))
    (message,) = scene.erp.reports()
    assert text(message, "Payload/ServiceOrders/ServiceOrder/Work/statusKind") == "closed"


async def test_an_announcement_that_nobody_has_to_hear_is_accepted_at_once(scene: Scene) -> None:
    await scene.comes(order())
    await scene.hears(opened(), requested(Fact.ROLLOUT_ANNOUNCED, statutory=True))
    assert (await scene.names())[-1] == "HandoverAccepted"
    assert await scene.rows("handover_rows") == []


async def test_completed_work_without_a_partner_is_a_failure(scene: Scene) -> None:
    await scene.hears(opened().model_copy(update={"orders": ()}), visited(), requested())
    *_, fact = await scene.told()
    assert isinstance(fact, HandoverFailed)
    assert fact.cause == "no_recipient"


async def test_J54_two_partners_who_ordered_the_same_work_both_hear_of_it(scene: Scene) -> None:
    await scene.comes(order())
    await scene.comes(order("WO-9", source="ERP-CSV"), "erp-csv")
    amended = CaseAmended(case_id=CASE, version=2, changed=("orders",), flags=(), orders=("erp-a:WO-1", NEW_CASE_ORDER))
    await scene.hears(opened(), amended, visited(), requested())
    await scene.works()
    sent = [fact.recipient for fact in await scene.told() if isinstance(fact, HandoverSent)]
    assert sorted(sent) == ["erp-a", "erp-csv"]
    accepted = [fact for fact in await scene.told() if isinstance(fact, HandoverAccepted)]
    assert accepted == []


async def test_J30_an_approved_exception_stands_in_for_the_answer(scene: Scene) -> None:
    scene.erp.script = says("2.13")
    await scene.given_a_case(visited(), requested())
    approved = ExceptionApproved(
        case_id=CASE,
        exception_id=CASE,
        type=ExceptionType.FOREIGN_METER,
        approver="person:local:mia",
        fact=Fact.EXCHANGE_COMPLETED,
        attempt=1,
    )
    await scene.hears(approved)
    (fact,) = [fact for fact in await scene.told() if isinstance(fact, HandoverAccepted)]
    assert fact.by_exception


async def test_H9_what_is_held_when_the_case_is_cancelled_never_leaves(scene: Scene) -> None:
    await scene.given_a_case(requested())
    await scene.hears(CaseCancelled(case_id=CASE, reason="cancelled", orders=("erp-a:WO-1",)))
    await scene.hears(visited())
    await scene.works()
    assert ([row.state for row in await scene.rows("handover_rows")], scene.erp.reports()) == (["SUPERSEDED"], [])


async def test_a_newer_attempt_keeps_an_older_one_from_leaving(scene: Scene) -> None:
    scene.erp.script = lambda _: httpx.Response(503)
    await scene.given_a_case(visited(), requested())
    await scene.hears(visited(version=2, new="1EMH0012345679"), requested(attempt=2, visit_version=2))
    scene.erp.got.clear()
    scene.erp.script = says("0.0", "OK")
    for _ in range(3):
        await scene.passes(timedelta(minutes=10))
        await scene.works()
    (message,) = scene.erp.reports()
    assert b"1EMH0012345679" in message


@pytest.mark.parametrize(("code", "status"), [("6.2", "on_hold"), ("6.3", "released"), ("6.4", "rescheduled")])
async def test_J55_a_status_of_the_partner_is_told_and_moves_nothing(scene: Scene, code: str, status: str) -> None:
    scene.erp.script = says(code)
    await scene.given_a_case(visited(), requested())
    (fact,) = [fact for fact in await scene.told() if isinstance(fact, OrderAmended)]
    (row,) = await scene.rows("handover_rows")
    assert (fact.partner_status, fact.version, row.state) == (status, None, "SENT")


async def test_a_partner_that_says_it_has_these_words_already_has_accepted_them(scene: Scene) -> None:
    scene.erp.script = says("5.1")
    await scene.given_a_case(visited(), requested())
    scene.erp.script = says("6.1")
    await scene.passes(timedelta(minutes=1))
    await scene.works()
    assert (await scene.names())[-1] == "HandoverAccepted"


async def test_6_1_to_the_first_message_is_a_refusal(scene: Scene) -> None:
    scene.erp.script = says("6.1")
    await scene.comes(order())
    await scene.hears(opened(), visited(), requested())
    await scene.works()
    (fact,) = [fact for fact in await scene.told() if isinstance(fact, HandoverRejected)]
    assert fact.reasons[0].hub_reason is HubReason.OTHER


TASK = "Payload/ServiceOrders/ServiceOrder/Work/WorkTask"


@asynccontextmanager
async def agreed_otherwise(folder: Path, **parts: str) -> AsyncIterator[Scene]:
    """The adapter with other agreements with the ERP; a device was exchanged."""
    partners = folder / "partners"
    partners.mkdir()
    (partners / "codes.csv").write_text("partner_code;list;hub_reason;action;valid_from\nUSED;;DUPLICATE;;\n")
    said = "".join(f"{name}: {value}\n" for name, value in parts.items())
    (partners / "erp-a.yaml").write_text(
        f"""
id: erp-a
name: ERP A
role: ERP
identity: [{{scheme: name, value: ERP-A}}]
dialects: [{{dialect: cim_xml}}]
transports: {{in: [{{kind: rest}}], out: [{{kind: rest}}]}}
defaults: {{operator: nord, country: DE, device_types: {{meter: mme_3ph}}}}
{said}"""
    )
    urls = {"erp-a": "http://erp-a.example/in"}
    opened = await Scene.open(build, folder, settings=Settings, partners_dir=partners, partner_urls=urls)
    opened.erp = Erp()
    opened.service.ports["partner_rest"].client = httpx.AsyncClient(transport=httpx.MockTransport(opened.erp.answer))
    await opened.given_a_case(visited())
    yield opened
    await opened.close()


@pytest.fixture
async def one_by_one(tmp_path: Path) -> AsyncIterator[Scene]:
    """The ERP is a system that takes a removal and then an installation."""
    async with agreed_otherwise(tmp_path, options="{removal_first: true}") as scene:
        yield scene


async def test_X17_an_exchange_is_told_as_a_removal_and_then_an_installation(one_by_one: Scene) -> None:
    one_by_one.erp.script = lambda _: httpx.Response(202)
    await one_by_one.hears(requested())
    await one_by_one.works()
    (removal,) = one_by_one.erp.reports()
    held = [row.held for row in await one_by_one.rows("handover_rows")]
    await one_by_one.comes(reply(text(removal, "Header/MessageID"), message_id="R-1"))
    _, installation = one_by_one.erp.reports()
    assert (held, text(removal, f"{TASK}/OldAsset/serialNumber"), text(removal, f"{TASK}/Assets/serialNumber")) == (
        [None, "REMOVAL_FIRST"],
        "1OLD0000009876",
        "",
    )
    assert text(installation, f"{TASK}/Assets/serialNumber") == "1EMH0012345678"
    await one_by_one.comes(reply(text(installation, "Header/MessageID"), message_id="R-2"))
    assert isinstance((await one_by_one.told())[-1], HandoverAccepted)


async def test_X17_where_nothing_went_the_installation_leaves_at_once(one_by_one: Scene) -> None:
    await one_by_one.hears(visited(version=2, removed=()), requested(visit_version=2))
    await one_by_one.works()
    (installation,) = one_by_one.erp.reports()
    assert text(installation, f"{TASK}/Assets/serialNumber") == "1EMH0012345678"
    assert isinstance((await one_by_one.told())[-1], HandoverAccepted)


def unheard(erp: Erp, took: bool) -> None:
    """The first message ends in silence, whether or not the partner took it; the next ones are accepted."""
    left = [1]

    def answer(message: bytes) -> httpx.Response:
        if left.pop() if left else 0:
            if not took:
                erp.got.pop()
            raise httpx.ReadTimeout("silence")
        return accepts(message)

    erp.script = answer


@pytest.mark.parametrize("took", [True, False], ids=["taken before", "not taken"])
async def test_X10_same_id_repeats_the_same_words_under_the_same_id(tmp_path: Path, took: bool) -> None:
    async with agreed_otherwise(tmp_path, retry="{profile: same_id}") as scene:
        unheard(scene.erp, took)
        await scene.hears(requested())
        await scene.works()
        await scene.passes(timedelta(minutes=2))
        await scene.works()
        ids = {text(each, "Header/MessageID") for each in scene.erp.reports()}
        assert (len(scene.erp.reports()), len(ids)) == (1 + took, 1)
        assert isinstance((await scene.told())[-1], HandoverAccepted)


@pytest.mark.parametrize("took", [True, False], ids=["taken before", "not taken"])
async def test_X10_new_id_says_it_in_a_message_of_its_own(tmp_path: Path, took: bool) -> None:
    async with agreed_otherwise(tmp_path, retry="{profile: new_id}") as scene:
        unheard(scene.erp, took)
        await scene.hears(requested())
        await scene.works()
        await scene.passes(timedelta(minutes=2))
        await scene.works()
        ids = [text(each, "Header/MessageID") for each in scene.erp.reports()]
        orders = {text(each, "Payload/ServiceOrders/ServiceOrder/mRID") for each in scene.erp.reports()}
        assert (len(set(ids)), len(ids), orders) == (1 + took, 1 + took, {"WO-1"})
        assert [type(fact) for fact in await scene.told()][-1] is HandoverAccepted


async def test_X10_used_means_received_waits_for_the_answer(tmp_path: Path) -> None:
    async with agreed_otherwise(tmp_path, retry="{profile: used_means_received}", code_map="codes.csv") as scene:
        scene.erp.script = says("USED")
        await scene.hears(requested())
        await scene.works()
        (row,) = await scene.rows("handover_rows")
        assert row.state == "ACKED"


async def test_X18_what_one_visit_did_is_told_in_order_and_nothing_before_it_is_reported(one_by_one: Scene) -> None:
    other = UUID(int=77)
    await one_by_one.hears(requested(visit_id=other, visit_version=1))
    await one_by_one.works()
    before, held = one_by_one.erp.reports(), [row.held for row in await one_by_one.rows("handover_rows")]
    await one_by_one.hears(visited(visit_id=other, sequence=2))
    await one_by_one.works()
    sides = ("OldAsset/serialNumber", "Assets/serialNumber")
    told = [[bool(text(each, f"{TASK}/{side}")) for side in sides] for each in one_by_one.erp.reports()]
    assert (before, held) == ([], ["FACT_MISSING: visit report", "REMOVAL_FIRST"])
    assert told == [[True, False], [False, True]]
