"""Roles of the market are told by EDIFACT, answer by it, and order by it."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from contracts.cases import CaseCancelled, OrderAnswered
from contracts.codes import Decision, Fact, FailureCause, HubReason, Level, OrderKind, Result
from contracts.handovers import HandoverAccepted, HandoverFailed, HandoverRejected, MessageQuarantined
from contracts.orders import MasterDataReceived, OrderCancelled, OrderReceived
from kit.testing import MONDAY_MORNING
from services.mdm_adapter.app import build
from services.mdm_adapter.settings import Settings
from simulators import facts
from tests.services.mdm_adapter.erp import Erp, reply, text
from tests.services.mdm_adapter.exchanges import ERP, PROFILE, US, Exchange, kind, reference, said
from tests.services.mdm_adapter.market import ADDRESSES, PARTIES, announced, with_parties
from tests.services.mdm_adapter.scenes import CASE, POINT, opened, order, requested, visited


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    """An adapter whose partners of the market speak EDIFACT."""
    opened = await exchange_at(tmp_path, MONDAY_MORNING)
    yield opened
    await opened.close()


@pytest.fixture
async def last_evening(tmp_path: Path) -> AsyncIterator[Exchange]:
    """The same, two minutes before other versions hold."""
    opened = await exchange_at(tmp_path, datetime(2026, 9, 30, 21, 58, tzinfo=UTC))
    yield opened
    await opened.close()


async def exchange_at(folder: Path, at: datetime) -> Exchange:
    partners = folder / "partners"
    partners.mkdir()
    (partners / "erp-a.yaml").write_text(ERP)
    for role, partner in PARTIES.items():
        code = facts.MARKET_CODES[role]
        (partners / f"{partner}.yaml").write_text(PROFILE.format(partner=partner, role=role.upper(), code=code))
    options = {"partners_dir": partners, "partner_urls": ADDRESSES, "market_id": US}
    opened = await Exchange.open(build, folder, settings=Settings, at=at, **options)
    opened.erp = Erp()
    opened.open_addresses()
    return opened


async def given_done_work(exchange: Exchange, *roles: str) -> None:
    await exchange.given_the_market(*roles)
    await exchange.hears_and_works(visited(), requested())


async def test_J01_devices_are_told_in_each_role_s_own_message(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb", "lf", "wmsb")
    assert [exchange.kinds(role) for role in ("nb", "lf", "wmsb")] == [["55643"], ["55653"], ["55663"]]


async def test_E17_readings_leave_only_once_the_devices_are_known_to_that_recipient(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb", "lf")
    await exchange.receives("lf", exchange.last("lf"))
    assert (exchange.kinds("nb"), exchange.kinds("lf")) == (["55643"], ["55653", "13017"])
    await exchange.receives("nb", exchange.last("nb"))
    assert exchange.kinds("nb") == ["55643", "13017"]


async def test_E17_a_row_of_readings_is_settled_by_the_receipts_of_all_its_devices(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb")
    await exchange.receives("nb", exchange.last("nb"))
    readings = exchange.last("nb")
    first, second = (exchange.receipt("nb", readings, number=number) for number in (0, 1))
    await exchange.says("nb-nord", exchange.written("nb", "APERAK", first))
    between = await exchange.facts_of(HandoverAccepted)
    await exchange.says("nb-nord", exchange.written("nb", "APERAK", second))
    assert (between, len(await exchange.facts_of(HandoverAccepted))) == ([], 1)


async def test_J34_a_refused_receipt_leaves_the_order_unmoved_and_readings_held(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb")
    await exchange.receives("nb", exchange.last("nb"), "Z35")
    (fact,) = await exchange.facts_of(HandoverFailed)
    assert (fact.level, fact.cause, fact.final) == (Level.PROCESSABILITY, FailureCause.SCHEMA, False)
    assert (exchange.kinds("nb"), await exchange.facts_of(HandoverRejected)) == (["55643"], [])


async def test_J35_only_the_refused_recipient_is_told_again(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb", "lf")
    await exchange.receives("nb", exchange.last("nb"))
    await exchange.receives("nb", exchange.last("nb"))
    await exchange.receives("lf", exchange.last("lf"), "Z29")
    (row,) = [each for each in await exchange.rows("handover_rows") if each.state == "ERROR_TECH"]
    first = exchange.last("lf")
    async with exchange.http("mdm") as person:
        path = f"/v1/messages/{row.row_id}/resend"
        answer = await person.post(path, json={"reason": "mapping was mended"})
    assert answer.status_code == 200, answer.text
    await exchange.works()
    again = exchange.last("lf")
    assert (exchange.kinds("nb"), exchange.kinds("lf")) == (["55643", "13017"], ["55653", "55653"])
    for tag, element in (("UNB", 5), ("BGM", 2), ("IDE", 2)):
        assert said(first, tag, element) != said(again, tag, element)
    await exchange.receives("lf", again)
    await exchange.receives("lf", exchange.last("lf"))
    assert len(await exchange.facts_of(HandoverAccepted)) == 1


async def test_E10_a_missing_receipt_is_told_after_its_time_and_nothing_is_sent_again(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb")
    await exchange.minutes_pass(59)
    before = await exchange.facts_of(HandoverFailed)
    await exchange.minutes_pass(2)
    (fact,) = await exchange.facts_of(HandoverFailed)
    assert (before, fact.cause, exchange.kinds("nb")) == ([], FailureCause.ACK_MISSING, ["55643"])
    await exchange.receives("nb", exchange.last("nb"))
    assert exchange.kinds("nb") == ["55643", "13017"]


async def test_E06_receipts_are_never_answered(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb")
    contrl = [f"UCI+{said(exchange.last('nb'), 'UNB', 5)[0]}+{US}:500+{facts.MARKET_CODES['nb']}:500+7"]
    await exchange.says("nb-nord", exchange.written("nb", "CONTRL", contrl))
    await exchange.receives("nb", exchange.last("nb"))
    assert exchange.kinds("nb") == ["55643", "13017"]


async def test_a_refused_interchange_is_an_integration_incident(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb")
    contrl = [f"UCI+{said(exchange.last('nb'), 'UNB', 5)[0]}+{US}:500+{facts.MARKET_CODES['nb']}:500+4+14"]
    await exchange.says("nb-nord", exchange.written("nb", "CONTRL", contrl))
    (fact,) = await exchange.facts_of(HandoverFailed)
    assert (fact.level, fact.cause) == (Level.SYNTAX, FailureCause.VERSION)


def feedback(exchange: Exchange, sent: bytes, code: str, *more: str, name: str = "E03") -> list[str]:
    """UTILMD 55648 of the grid operator about our 55643."""
    status = [] if name == "Z88" else [f"STS+E01++{code}:E_0415:1"]
    head = exchange.head("nb", name)
    about = ["IDE+24+NB-V-1", "STS+7++ZX7", *status, f"LOC+Z17+{POINT}", "RFF+Z13:55648"]
    return [*head, *about, f"RFF+TN:{said(sent, 'IDE', 2)[0]}", "RFF+Z49::1", "DTM+Z25:202603012300?+00:303", *more]


async def test_J63_master_data_that_the_receiver_sees_otherwise_are_told(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb")
    sent = exchange.last("nb")
    more = ["SEQ+Z18+1", "CCI+++E04", "CAV+E05"]
    await exchange.says("nb-nord", exchange.written("nb", "UTILMD", feedback(exchange, sent, "A02", *more)))
    facts_ = await exchange.facts_of(MasterDataReceived)
    assert [fact.origin.value for fact in facts_] == ["market_feedback"]
    assert exchange.kinds("nb") == ["55643", "13017", "APERAK 312"]


async def test_J33_a_clearing_request_is_a_late_rejection(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb")
    sent = exchange.last("nb")
    await exchange.receives("nb", sent)
    await exchange.says("nb-nord", exchange.written("nb", "UTILMD", feedback(exchange, sent, "", name="Z88")))
    (fact,) = await exchange.facts_of(HandoverRejected)
    assert [each.hub_reason for each in fact.reasons] == [HubReason.DATA_CLEARING]


async def test_E21_an_answer_to_nothing_of_ours_is_kept_for_a_person_and_answered_z33(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb", "lf")
    foreign = exchange.last("lf")  # the reference of another partner
    await exchange.says("nb-nord", exchange.written("nb", "UTILMD", feedback(exchange, foreign, "A01")))
    (fact,) = await exchange.facts_of(MessageQuarantined)
    assert (fact.cause, kind(exchange.last("nb"))) == ("UNCORRELATED", "APERAK 313")
    assert said(exchange.last("nb"), "ERC") == ["Z33"]


def objection(exchange: Exchange, sent: bytes, status: str) -> list[str]:
    """IFTSTA 21030 or 21031 of the wMSB about our 21029."""
    pid = "21030" if "Z30" in status else "21031"
    about = ["CNI+1", f"LOC+172+{POINT}", f"STS+Z19+{status}", f"RFF+Z13:{pid}"]
    quoted = [f"RFF+ACW:{said(sent, 'BGM', 2)[0]}", "RFF+ADY:1", "DTM+76:20260901:102"]
    return [*exchange.head("wmsb", "Z09", "MR"), *about, *quoted]


async def given_an_announcement(exchange: Exchange, **more: Any) -> None:
    await exchange.given_the_market("nb", "wmsb")
    await exchange.hears_and_works(announced().model_copy(update=more))


async def test_J03_an_objection_of_the_wmsb_reaches_the_announcement(exchange: Exchange) -> None:
    await given_an_announcement(exchange, planned_on=date(2026, 9, 1))
    message = objection(exchange, exchange.last("wmsb"), "Z31+A01:E_0233")
    await exchange.says("wmsb-nord", exchange.written("wmsb", "IFTSTA", message))
    (fact,) = await exchange.facts_of(HandoverRejected)
    assert (fact.fact, fact.reasons[0].hub_reason, fact.reasons[0].code) == (
        Fact.ROLLOUT_ANNOUNCED,
        HubReason.ANNOUNCEMENT_OBJECTED,
        "A01",
    )
    assert kind(exchange.last("wmsb")) == "APERAK 312"


async def test_J20_given_up_work_is_told_to_the_grid_operator_and_the_supplier(exchange: Exchange) -> None:
    await exchange.given_the_market("nb", "lf")
    await exchange.hears_and_works(requested(Fact.WORK_NOT_COMPLETED, visit_id=None, visit_version=None))
    assert (exchange.kinds("nb"), exchange.kinds("lf")) == (["21027"], ["21025"])


ADDRESS = "NAD+DP++++Am Hang::7+Nordstadt++00101+DE"
NOWHERE = "NAD+DP"


def ordered(exchange: Exchange, place: str = ADDRESS, day: str = "202605042200") -> list[str]:
    """ORDERS 17011 of the grid operator: another technique at the point."""
    head, created, *parties = exchange.head("nb", "Z12")
    point = [place, f"LOC+172+{POINT}", "LIN+1+Z19", "PIA+5+9991000002082:Z11", "UNS+S"]
    return [head, created, f"DTM+203:{day}?+00:303", "RFF+Z13:17011", *parties, *point]


async def orders(exchange: Exchange, **more: str) -> None:
    await exchange.says("nb-nord", exchange.written("nb", "ORDERS", ordered(exchange, **more)))


async def test_J04_an_order_of_the_market_gets_its_receipt_and_waits_for_a_decision(exchange: Exchange) -> None:
    await orders(exchange)
    (fact,) = await exchange.facts_of(OrderReceived)
    assert fact.answer is not None
    assert (fact.metering_point_id, fact.answer.code, fact.answer.list) == (POINT, "A02", "E_0249")
    assert exchange.kinds("nb") == ["APERAK 312"]


async def test_J04_the_decision_is_an_ordrsp_that_quotes_the_order(exchange: Exchange) -> None:
    await orders(exchange)
    (heard,) = await exchange.facts_of(OrderReceived)
    await exchange.hears_and_works(answered(heard.order_key, "accepted", "A02"))
    sent = exchange.last("nb")
    assert (kind(sent), reference(sent, "ON"), said(sent, "AJT"), said(sent, "AJT", 2)) == (
        "19005",
        [heard.order_no],
        ["A02"],
        ["E_0249"],
    )


async def test_J04_a_refused_order_is_a_19006(exchange: Exchange) -> None:
    await orders(exchange, day="202603092300")
    (heard,) = await exchange.facts_of(OrderReceived)
    assert heard.answer is not None
    await exchange.hears_and_works(answered(heard.order_key, "refused", heard.answer.code))
    assert (kind(exchange.last("nb")), said(exchange.last("nb"), "AJT")) == ("19006", ["A01"])


def answered(order_key: str, decision: str, code: str) -> OrderAnswered:
    return OrderAnswered(
        case_id=CASE,
        order_key=order_key,
        order_version=1,
        decision=decision,
        code=code,
        list="E_0249",
        needs_text=False,
        actor="person:local:anna",
    )


async def test_an_order_to_a_place_that_nobody_knows_is_refused_by_its_receipt(exchange: Exchange) -> None:
    await orders(exchange, place=NOWHERE)
    sent = exchange.last("nb")
    assert (kind(sent), said(sent, "ERC"), await exchange.facts_of(OrderReceived)) == ("APERAK 313", ["Z35"], [])


async def test_E15_a_copy_of_an_interchange_has_no_effect_and_gets_the_same_answers(exchange: Exchange) -> None:
    message = exchange.written("nb", "ORDERS", ordered(exchange))
    for _ in range(3):
        await exchange.says("nb-nord", message)
        await exchange.minutes_pass(1)
    numbers = [said(content, "UNB", 5)[0] for content in exchange.sent["nb-nord"]]
    assert (exchange.kinds("nb"), len(set(numbers))) == (["APERAK 312"] * 3, 3)
    assert len(await exchange.facts_of(OrderReceived)) == 1


async def test_the_number_of_an_interchange_used_twice_is_kept_for_a_person(exchange: Exchange) -> None:
    await exchange.says("nb-nord", exchange.written("nb", "ORDERS", ordered(exchange), number="NB1"))
    await exchange.says("nb-nord", exchange.written("nb", "ORDERS", ordered(exchange), number="NB1"))
    (fact,) = await exchange.facts_of(MessageQuarantined)
    assert (fact.cause, exchange.kinds("nb")) == ("ID_REUSED", ["APERAK 312"])


async def test_E07_every_vorgang_gets_a_receipt_of_its_own(exchange: Exchange) -> None:
    good = ordered(exchange)
    bad = [each for each in ordered(exchange) if not each.startswith("DTM+203")]
    bad[0] = "BGM+Z12+NB-D-99"
    await exchange.says("nb-nord", exchange.written("nb", "ORDERS", good, bad))
    sent = exchange.last("nb")
    assert (said(sent, "BGM"), said(sent, "ERC")) == (["312", "313"], ["Z29"])
    assert len(await exchange.facts_of(OrderReceived)) == 1


async def test_E04_what_cannot_be_read_gets_contrl_and_nothing_else(exchange: Exchange) -> None:
    broken = exchange.written("nb", "ORDERS", ordered(exchange)).replace(b"UNZ+1", b"UNZ+2")
    await exchange.says("nb-nord", broken)
    assert (kind(exchange.last("nb")), said(exchange.last("nb"), "UCI", 5)) == ("CONTRL 4", ["29"])


async def test_a_stranger_s_interchange_is_kept_and_not_answered(exchange: Exchange) -> None:
    message = exchange.written("nb", "ORDERS", ordered(exchange))
    await exchange.says("lf-nord", message)
    (fact,) = await exchange.facts_of(MessageQuarantined)
    assert (fact.cause, exchange.sent["lf-nord"]) == ("SENDER_MISMATCH", [])


async def test_J48_undone_work_takes_its_readings_back_before_the_old_state_is_told(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb")
    await exchange.receives("nb", exchange.last("nb"))
    readings = exchange.last("nb")
    await exchange.receives("nb", readings)
    undone = requested(Fact.CANCELLED, 1, decision=Decision.STORNO, order_key="erp-a:WO-1")
    await exchange.hears_and_works(undone)
    assert exchange.kinds("nb") == ["55643", "13017", "13006", "55643"]
    assert reference(exchange.sent["nb-nord"][2], "ACW") == said(readings, "BGM", 2)


ANSWERS = ("receipt", "agrees", "objects later", "contrl 7")


@pytest.mark.parametrize("turns", list(permutations(ANSWERS)), ids=" ".join)
async def test_E22_in_whatever_order_answers_come_the_later_decision_stands(
    exchange: Exchange, turns: tuple[str, ...]
) -> None:
    await given_an_announcement(exchange, planned_on=date(2026, 9, 1))
    sent = exchange.last("wmsb")
    uci = f"UCI+{said(sent, 'UNB', 5)[0]}+{US}:500+{facts.MARKET_CODES['wmsb']}:14+7"
    written = {"agrees": objection(exchange, sent, "Z30+A03:E_0233"), "receipt": exchange.receipt("wmsb", sent)}
    await exchange.minutes_pass(30)
    written |= {"objects later": objection(exchange, sent, "Z31+A02:E_0233"), "contrl 7": [uci]}
    types = {"receipt": "APERAK", "contrl 7": "CONTRL"}
    for name in turns:
        type_ = types.get(name, "IFTSTA")
        await exchange.says("wmsb-nord", exchange.written("wmsb", type_, written[name]))
    states = await exchange.states()
    rejections = await exchange.facts_of(HandoverRejected)
    assert (states["wmsb-nord"], len(rejections)) == ("REJECTED", 1)
    assert await exchange.facts_of(MessageQuarantined) == []


async def test_E19_the_reason_of_an_objection_keeps_its_code_and_list(exchange: Exchange) -> None:
    await given_an_announcement(exchange, planned_on=date(2026, 9, 1))
    for code in ("A01", "A02", "A04"):
        exchange.counted += 1
        message = objection(exchange, exchange.sent["wmsb-nord"][0], f"Z31+{code}:E_0233")
        await exchange.says("wmsb-nord", exchange.written("wmsb", "IFTSTA", message))
    (fact,) = await exchange.facts_of(HandoverRejected)  # once per attempt and row
    (row,) = [each for each in await exchange.rows("handover_rows") if each.recipient == "wmsb-nord"]
    assert (fact.reasons[0].list, row.reasons[0].code, row.reasons[0].list) == ("E_0233", "A04", "E_0233")


async def test_H7_work_that_is_announced_too_late_is_held_with_the_first_day_that_would_do(exchange: Exchange) -> None:
    await given_an_announcement(exchange, planned_on=date(2026, 5, 1))
    rows = {row.recipient: row.held for row in await exchange.rows("handover_rows")}
    assert exchange.sent["nb-nord"] == exchange.sent["wmsb-nord"] == []
    assert rows == {
        "nb-nord": "M-DL-01: told too late for 2026-05-01, the first day would be 2026-06-02",
        "wmsb-nord": "M-DL-01: told too late for 2026-05-01, the first day would be 2026-06-05",
    }


async def test_H9_what_is_held_does_not_leave_once_the_case_is_cancelled(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb")
    ended = CaseCancelled(case_id=CASE, reason="cancelled", orders=("erp-a:WO-1",))
    await exchange.hears_and_works(ended)
    await exchange.receives("nb", exchange.last("nb"))
    assert exchange.kinds("nb") == ["55643"]


STEPS = ("cancel", "erp answers", "devices taken", "readings taken")


def in_turn(steps: tuple[str, ...]) -> bool:
    """Readings leave only once the devices were taken."""
    return steps.index("devices taken") < steps.index("readings taken")


@pytest.mark.parametrize("steps", list(filter(in_turn, permutations(STEPS))), ids=" ".join)
async def test_E20_withdrawal_completion_and_answers_end_alike_in_any_order(
    exchange: Exchange, steps: tuple[str, ...]
) -> None:
    exchange.erp.script = lambda _: httpx.Response(202)
    await given_done_work(exchange, "nb")
    report = exchange.erp.reports()[-1]
    for step in steps:
        match step:
            case "cancel":
                await exchange.comes(order(verb="cancel", version="2", message_id="M-2"))
            case "erp answers":
                await exchange.comes(reply(text(report, "Header/MessageID"), message_id="R-1"))
            case _:
                await exchange.receives("nb", exchange.last("nb"))
    undone = requested(Fact.CANCELLED, 1, decision=Decision.STORNO, order_key="erp-a:WO-1")
    await exchange.hears_and_works(undone)
    for content in exchange.sent["nb-nord"][2:]:
        await exchange.receives("nb", content)
    states = {(row.recipient, row.document): row.state for row in await exchange.rows("handover_rows")}
    assert set(states.values()) == {"TRANSFERRED"}
    assert exchange.kinds("nb") == ["55643", "13017", "13006", "55643"]
    assert [result for result, _ in exchange.erp.replies()].count("OK") == 2  # to the order, and to its withdrawal
    assert len(await exchange.facts_of(HandoverAccepted)) == 2


def fault(exchange: Exchange) -> list[str]:
    """INSRPT 23001 of the grid operator: the meter is reported to be faulty."""
    return [
        *exchange.head("nb", "4", "MR"),
        "DOC+21+NB-F-1",
        "RFF+Z13:23001",
        "LIN+1",
        "STS+Z06+Z11",
        ADDRESS,
        f"LOC+172+{POINT}",
    ]


async def test_a_reported_fault_is_an_order_to_repair_that_is_confirmed_with_the_end_of_the_work(
    exchange: Exchange,
) -> None:
    await exchange.says("nb-nord", exchange.written("nb", "INSRPT", fault(exchange)))
    (heard,) = await exchange.facts_of(OrderReceived)
    decided = answered(heard.order_key, "accepted", "E15").model_copy(update={"fixed_on": date(2026, 3, 6)})
    await exchange.hears_and_works(decided)
    sent = exchange.last("nb")
    assert (heard.kind, exchange.kinds("nb")) == (OrderKind.REPAIR, ["APERAK 312", "23004"])
    assert (reference(sent, "AAV"), "292:202603062300?" in said(sent, "DTM")) == (["NB-F-1"], True)


async def test_a_fault_that_is_confirmed_without_a_day_is_mended_within_seven_working_days(exchange: Exchange) -> None:
    await exchange.says("nb-nord", exchange.written("nb", "INSRPT", fault(exchange)))
    (heard,) = await exchange.facts_of(OrderReceived)
    await exchange.hears_and_works(answered(heard.order_key, "accepted", "E15"))
    assert "292:202603112300?" in said(exchange.last("nb"), "DTM")


async def test_J20_what_a_role_of_the_market_ordered_fails_for_it_alone_with_its_list(exchange: Exchange) -> None:
    await orders(exchange)
    (heard,) = await exchange.facts_of(OrderReceived)
    await exchange.hears(opened(heard.order_key))
    failed = visited(result=Result.NOT_AT_HOME)
    asked = requested(Fact.WORK_NOT_COMPLETED, visit_id=failed.visit_id, visit_version=1, order_key=heard.order_key)
    await exchange.hears_and_works(failed, asked)
    sent = exchange.last("nb")
    assert (kind(sent), said(sent, "STS", 3)) == ("21027", ["A01:E_0286"])


def version(content: bytes) -> str:
    return said(content, "UNH", 2)[0].rpartition(":")[2]


async def test_E11_documents_are_written_in_the_version_of_their_minute(last_evening: Exchange) -> None:
    await given_done_work(last_evening, "nb")
    await last_evening.minutes_pass(1)
    await last_evening.receives("nb", last_evening.last("nb"))
    await last_evening.minutes_pass(1)
    await last_evening.hears_and_works(requested(attempt=2))  # devices are accepted, readings are not
    assert [version(content) for content in last_evening.sent["nb-nord"]] == ["S2.1", "2.4c", "2.5"]


async def test_E11_what_comes_in_a_version_that_no_longer_holds_is_refused(last_evening: Exchange) -> None:
    message = last_evening.written("nb", "ORDERS", ordered(last_evening))
    await last_evening.minutes_pass(2)
    late = message.replace(b"260930:2358", b"261001:0000")
    await last_evening.says("nb-nord", late)
    assert (kind(last_evening.last("nb")), said(last_evening.last("nb"), "UCM", 4)) == ("CONTRL 4", ["14"])


async def test_E10_a_late_receipt_is_no_alarm_while_versions_change_over(last_evening: Exchange) -> None:
    await given_done_work(last_evening, "nb")
    await last_evening.minutes_pass(120)
    before = await last_evening.facts_of(HandoverFailed)
    await last_evening.minutes_pass(26 * 60)
    (fact,) = await last_evening.facts_of(HandoverFailed)
    assert (before, fact.cause) == ([], FailureCause.ACK_MISSING)


async def test_H8_what_was_built_and_not_sent_before_the_change_over_is_built_anew(last_evening: Exchange) -> None:
    last_evening.down = True
    await given_done_work(last_evening, "nb")
    last_evening.down = False
    await last_evening.minutes_pass(10)
    assert [version(content) for content in last_evening.sent["nb-nord"]] == ["S2.2"]
    numbers = [row.sha256 for row in await last_evening.rows("outbound_messages") if row.partner == "nb-nord"]
    assert len(set(numbers)) == 2
    await last_evening.receives("nb", last_evening.last("nb"))
    assert last_evening.kinds("nb") == ["55643", "13017"]


async def test_the_receipt_of_an_answer_of_ours_is_noted_and_a_refusal_is_for_a_person(exchange: Exchange) -> None:
    await orders(exchange)
    (heard,) = await exchange.facts_of(OrderReceived)
    await exchange.hears_and_works(answered(heard.order_key, "accepted", "A02"))
    await exchange.receives("nb", exchange.last("nb"))
    before = await exchange.facts_of(MessageQuarantined)
    await exchange.receives("nb", exchange.last("nb"), "Z29")
    (fact,) = await exchange.facts_of(MessageQuarantined)
    assert (before, fact.cause, exchange.kinds("nb")) == ([], "UNCORRELATED", ["APERAK 312", "19005"])


async def test_a_corrected_voltage_is_said_from_then_on(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb")
    more = ["SEQ+Z18+1", "CCI+++E04", "CAV+E05"]
    message = feedback(exchange, exchange.last("nb"), "A02", *more)
    await exchange.says("nb-nord", exchange.written("nb", "UTILMD", message))
    changed = visited(version=2, new="1EMH0012345679")
    await exchange.hears_and_works(changed, requested(attempt=2, visit_version=2))
    assert "E05" in said([each for each in exchange.sent["nb-nord"] if kind(each) == "55643"][-1], "CAV")


async def test_bytes_that_are_no_interchange_are_kept_and_not_answered(exchange: Exchange) -> None:
    await exchange.says("nb-nord", "UNB+".encode("utf-16"))
    (fact,) = await exchange.facts_of(MessageQuarantined)
    assert (fact.cause, exchange.sent["nb-nord"]) == ("NOT_EDIFACT", [])


async def test_receipts_of_several_cases_may_share_one_interchange(exchange: Exchange) -> None:
    cases = [UUID(int=CASE.int + number) for number in range(4)]
    for number, case in enumerate(cases):
        named = with_parties("nb").replace(b"WO-1", f"WO-{number}".encode()).replace(b"M-1", f"M-{number}".encode())
        await exchange.comes(named)
        await exchange.hears(opened(f"erp-a:WO-{number}", case_id=case))
        await exchange.hears_and_works(visited(case_id=case), requested(case_id=case))
    bodies = [exchange.receipt("nb", content) for content in exchange.sent["nb-nord"]]
    await exchange.says("nb-nord", exchange.written("nb", "APERAK", *bodies))
    assert exchange.kinds("nb") == ["55643"] * 4 + ["13017"] * 4


async def test_many_orders_of_one_interchange_are_taken_at_once(exchange: Exchange) -> None:
    bodies = [ordered(exchange) for _ in range(6)]
    for number, body in enumerate(bodies):
        body[0] = f"BGM+Z12+NB-D-{100 + number}"
        body[-4] = f"LOC+172+DE00012300101000000000000000123{number}A"
        body[-5] = ADDRESS.replace("00101", f"0010{number + 1}")
    await exchange.says("nb-nord", exchange.written("nb", "ORDERS", *bodies))
    assert len(await exchange.facts_of(OrderReceived)) == 6
    assert said(exchange.last("nb"), "BGM") == ["312"] * 6


async def test_a_storno_that_waits_for_a_fact_outlives_the_end_of_its_case(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb")
    await exchange.receives("nb", exchange.last("nb"))
    await exchange.receives("nb", exchange.last("nb"))
    late = UUID(int=CASE.int + 99)
    undone = requested(Fact.CANCELLED, 1, decision=Decision.STORNO, order_key="erp-a:WO-1", visit_id=late)
    ended = CaseCancelled(case_id=CASE, reason="cancelled", orders=("erp-a:WO-1",))
    await exchange.hears_and_works(undone.model_copy(update={"visit_version": 1}), ended)
    before = exchange.kinds("nb")
    await exchange.hears_and_works(visited(visit_id=late, sequence=2))
    assert (before, exchange.kinds("nb")[2:]) == (["55643", "13017"], ["13006", "55643"])


async def test_a_refusal_without_a_code_is_a_refusal(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb")
    uci = f"UCI+{said(exchange.last('nb'), 'UNB', 5)[0]}+{US}:500+{facts.MARKET_CODES['nb']}:500+4"
    await exchange.says("nb-nord", exchange.written("nb", "CONTRL", [uci]))
    (fact,) = await exchange.facts_of(HandoverFailed)
    assert (fact.level, fact.cause) == (Level.SYNTAX, FailureCause.SCHEMA)


async def test_E10_a_receipt_of_one_device_does_not_stop_the_alarm_about_the_other(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb")
    await exchange.receives("nb", exchange.last("nb"))
    first = exchange.receipt("nb", exchange.last("nb"))
    await exchange.says("nb-nord", exchange.written("nb", "APERAK", first))
    await exchange.minutes_pass(3 * 24 * 60)
    (fact,) = await exchange.facts_of(HandoverFailed)
    assert fact.cause is FailureCause.ACK_MISSING


async def test_E10_that_an_interchange_could_be_read_does_not_stop_the_alarm(exchange: Exchange) -> None:
    await given_done_work(exchange, "nb")
    uci = f"UCI+{said(exchange.last('nb'), 'UNB', 5)[0]}+{US}:500+{facts.MARKET_CODES['nb']}:500+7"
    await exchange.says("nb-nord", exchange.written("nb", "CONTRL", [uci]))
    await exchange.minutes_pass(61)
    (fact,) = await exchange.facts_of(HandoverFailed)
    assert fact.cause is FailureCause.ACK_MISSING


async def test_a_name_that_the_market_cannot_write_breaks_its_document_and_nothing_else(exchange: Exchange) -> None:
    named = with_parties("nb").replace(b"Ada Probe", "Ада Проба".encode())
    await exchange.comes(named)
    await exchange.hears(opened())
    await exchange.hears_and_works(visited(), requested())
    (fact,) = await exchange.facts_of(HandoverFailed)
    assert (fact.cause, await exchange.rows("parked_keys")) == (FailureCause.OWN_OUTPUT_INVALID, [])


async def test_a_repeated_order_is_answered_with_the_day_that_was_confirmed(exchange: Exchange) -> None:
    body = ordered(exchange)
    await exchange.says("nb-nord", exchange.written("nb", "ORDERS", body))
    (heard,) = await exchange.facts_of(OrderReceived)
    decided = answered(heard.order_key, "accepted", "A02").model_copy(update={"fixed_on": date(2026, 5, 12)})
    await exchange.hears_and_works(decided)
    await exchange.says("nb-nord", exchange.written("nb", "ORDERS", body))
    days = [said(each, "DTM")[1] for each in exchange.sent["nb-nord"] if kind(each) == "19005"]
    assert days == ["203:202605112200?"] * 2


async def test_a_copy_is_judged_by_when_the_first_came(exchange: Exchange) -> None:
    body = ordered(exchange)
    body[1] = f"DTM+137:{exchange.clock.now() + timedelta(minutes=9):%Y%m%d%H%M}?+00:303"
    message = exchange.written("nb", "ORDERS", body)
    await exchange.says("nb-nord", message)
    await exchange.minutes_pass(10)
    await exchange.says("nb-nord", message)
    assert exchange.kinds("nb") == ["APERAK 313"] * 2


async def test_the_end_of_an_order_that_nobody_knows_is_for_a_person(exchange: Exchange) -> None:
    await exchange.says("nb-nord", exchange.written("nb", "IFTSTA", ended(exchange, "#4711")))
    (fact,) = await exchange.facts_of(MessageQuarantined)
    assert (fact.cause, said(exchange.last("nb"), "ERC")) == ("UNCORRELATED", ["Z33"])


async def test_E25_a_fixed_interchange_keeps_its_number_that_its_sender_may_not_use_again(exchange: Exchange) -> None:
    message = exchange.written("nb", "IFTSTA", ended(exchange, "NB-D-TYPO"), number="NB1")
    await exchange.says("nb-nord", exchange.written("nb", "ORDERS", ordered(exchange)))
    await exchange.says("nb-nord", message)
    async with exchange.http("mdm") as person:
        (entry,) = (await person.get("/v1/quarantine?state=OPEN")).json()
        fix = {"reason": "they told us the number", "edits": {"m1.s10.e2.c2": "NB-D-1"}}
        answer = await person.post(f"/v1/quarantine/{entry['id']}/fix", json=fix)
    assert answer.is_success, answer.text
    await exchange.works()
    assert (exchange.kinds("nb")[-1], len(await exchange.facts_of(OrderCancelled))) == ("APERAK 312", 1)
    await exchange.says("nb-nord", message.replace(b"TYPO", b"OTHER"))
    assert [fact.cause for fact in await exchange.facts_of(MessageQuarantined)] == ["UNCORRELATED", "ID_REUSED"]


async def test_a_day_is_told_in_the_zone_of_the_partner_s_profile(exchange: Exchange) -> None:
    profile = exchange.service.settings.partners_dir / "lf-nord.yaml"
    profile.write_text(profile.read_text().replace("edifact_fv", "cim_xml") + "time_zone: Europe/Helsinki\n")
    exchange.service.ports["partner_rest"].desk.partners.look_again()
    await exchange.given_the_market("lf")
    await exchange.hears_and_works(announced().model_copy(update={"planned_on": date(2026, 9, 1)}))
    (told,) = [row.content for row in await exchange.rows("archive") if row.partner == "lf-nord"]
    assert b"2026-08-31T21:00:00Z" in told


DEPOT = {
    "name": "Lager GmbH",
    "street": "Probeweg",
    "number": "7",
    "postcode": "00101",
    "city": "Nordstadt",
    "country": "DE",
}


def taken_over(exchange: Exchange) -> list[str]:
    """ORDERS 17009 of the next metering operator: the old device is to go."""
    head, created, *parties = exchange.head("wmsb", "Z13")
    asked = ["DTM+203:202605042200?+00:303", "IMD++Z58", "RFF+Z13:17009"]
    return [head, created, *asked, *parties, ADDRESS, f"LOC+172+{POINT}", "LIN+1", "CCI+++ZD4", "UNS+S"]


def offered(exchange: Exchange) -> list[str]:
    """ORDERS 17011 of the grid operator, by an offer of ours."""
    head, created, *parties = exchange.head("nb", "Z93")
    days = ["DTM+469:202605042200?+00:303", "DTM+472:202605112200?+00:303"]
    quoted = ["RFF+Z13:17011", "RFF+ACW:SHEET-1", "RFF+AAG:OFFER-1"]
    point = [ADDRESS, f"LOC+172+{POINT}", "LIN+1+Z19", "PIA+5+9991000002082:Z11", "UNS+S"]
    return [head, created, *days, *quoted, *parties, *point]


COMPLETED = [
    ("nb", offered, "refused", "A05", {"price_sheet": "SHEET-2"}, "RFF+ACW:SHEET-2"),
    ("wmsb", taken_over, "accepted", "ZB5", {"return_to": DEPOT}, "NAD+Z22+++Lager GmbH"),
    ("wmsb", taken_over, "refused", "Z07", {"right_partner": "9900357000003"}, "NAD+VY+9900357000003::293"),
]


@pytest.mark.parametrize(
    ("role", "asks", "decision", "code", "facts_", "line"), COMPLETED, ids=[c[3] for c in COMPLETED]
)
async def test_an_answer_leaves_once_the_facts_are_there_that_its_code_demands(
    exchange: Exchange, role: str, asks: Any, decision: str, code: str, facts_: dict[str, Any], line: str
) -> None:
    await exchange.says(PARTIES[role], exchange.written(role, "ORDERS", asks(exchange)))
    (heard,) = await exchange.facts_of(OrderReceived)
    assert code in heard.answer.allowed
    await exchange.hears_and_works(answered(heard.order_key, decision, code))
    before = exchange.kinds(role)
    async with exchange.http("mdm") as person:
        path = f"/v1/orders/{heard.order_key}/answer-text"
        text_alone = await person.post(path, json={"text": "as we said on the phone"})
        given = await person.post(path, json={"facts": facts_})
    await exchange.works()
    assert (before, text_alone.json()["code"], given.status_code) == (["APERAK 312"], "answer-incomplete", 200)
    assert line in exchange.last(role).decode("latin-1").replace("\n", "")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"facts": {}},
        {"facts": {"right_partner": "9900357000001"}},
        {"facts": {"return_to": {"name": "Lager GmbH"}}},
        {"facts": {"price_sheet": "9" * 36}},
        {"facts": {"colour": "red"}},
    ],
    ids=["nothing", "no fact", "check digit", "no address", "too long", "unknown"],
)
async def test_facts_of_an_answer_are_refused_at_the_door_where_they_cannot_be_right(
    exchange: Exchange, wrong: dict[str, Any]
) -> None:
    async with exchange.http("mdm") as person:
        refused = await person.post("/v1/orders/nb-nord:NB-D-0/answer-text", json=wrong)
    assert refused.status_code == 422, refused.text


def ended(exchange: Exchange, order_no: str) -> list[str]:
    """IFTSTA 21013 of the grid operator: the change of operator failed, and with it what was ordered for it."""
    about = ["CNI+1", f"LOC+172+{POINT}", "STS+Z10+Z13+E17", "RFF+Z13:21013", f"RFF+ON:{order_no}"]
    return [*exchange.head("nb", "Z09", "MR"), *about]


async def retried(exchange: Exchange) -> None:
    """A person has what lies in quarantine worked on once more."""
    async with exchange.http("mdm") as person:
        for entry in (await person.get("/v1/quarantine?state=OPEN")).json():
            why = {"reason": "the order has come by now"}
            assert (await person.post(f"/v1/quarantine/{entry['id']}/retry", json=why)).is_success
    await exchange.works()


async def test_E25_a_retry_answers_only_what_was_judged_again(exchange: Exchange) -> None:
    """One withdrawal names an order that we know, the other one that comes later."""
    first, second = ordered(exchange), ordered(exchange)
    second[0] = "BGM+Z12+NB-D-LATER"
    await exchange.says("nb-nord", exchange.written("nb", "ORDERS", first))
    known, early = ended(exchange, "NB-D-0"), ended(exchange, "NB-D-LATER")
    early[0] = "BGM+Z09+NB-D-EARLY"
    await exchange.says("nb-nord", exchange.written("nb", "IFTSTA", known, early))
    before = said(exchange.last("nb"), "BGM")
    await exchange.says("nb-nord", exchange.written("nb", "ORDERS", second))
    await retried(exchange)
    answer = exchange.last("nb")
    assert (before, said(answer, "BGM"), reference(answer, "AGO")) == (["312", "313"], ["312"], ["NB-D-EARLY"])
    ended_ = [fact.order_key for fact in await exchange.facts_of(OrderCancelled)]
    assert ended_ == ["nb-nord:NB-D-0", "nb-nord:NB-D-LATER"]


async def test_a_party_whose_profile_comes_later_is_told_devices_and_readings(exchange: Exchange) -> None:
    folder = exchange.service.settings.partners_dir
    profile = (folder / "nb-nord.yaml").read_text()
    other = profile.replace(facts.MARKET_CODES["nb"], "9900001000019").replace("nb-nord", "nb-sued")
    await exchange.comes(with_parties("nb").replace(facts.MARKET_CODES["nb"].encode(), b"9900001000019"))
    await exchange.hears(opened())
    await exchange.hears_and_works(visited(), requested())
    (row,) = [each for each in await exchange.rows("handover_rows") if each.recipient == "9900001000019"]
    (folder / "nb-sued.yaml").write_text(other)
    exchange.service.ports["partner_rest"].desk.partners.look_again()
    exchange.service.ports["partner_rest"].desk.urls["nb-sued"] = "http://nb-nord.example/in"
    async with exchange.http("mdm") as person:
        answer = await person.post(f"/v1/messages/{row.row_id}/resend", json={"reason": "the profile is there"})
    assert answer.status_code == 200, answer.text
    await exchange.works()
    rows = {each.document: each.held for each in await exchange.rows("handover_rows") if each.recipient == "nb-sued"}
    assert rows == {"device_exchange_completed": None, "meter_readings": "DEVICES_FIRST"}
