"""Facts go to every role of the market that must hear of them, and each one's answer counts as the matrix says."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from contracts.cases import CaseAmended, ExceptionApproved
from contracts.codes import (
    AnnouncedPlan,
    Authority,
    Decision,
    ExceptionType,
    Fact,
    HubReason,
    Level,
    MasterDataOrigin,
    Result,
    Scheme,
)
from contracts.handovers import HandoverAccepted, HandoverAcknowledged, HandoverFailed, HandoverRejected
from contracts.orders import MasterDataReceived, OrderAmended
from kit.store import Unit
from services.mdm_adapter.documents.values import Party
from services.mdm_adapter.domain.points import MasterData, Point
from simulators import facts
from tests.services.mdm_adapter.market import Market, announced, with_parties
from tests.services.mdm_adapter.scenes import CASE, POINT, opened, order, requested, visited

NB, LF, WMSB, ERP = "nb-nord", "lf-nord", "wmsb-nord", "erp-a"


async def test_J02_an_announcement_goes_to_nb_lf_and_wmsb_and_waits_for_all_of_them(market: Market) -> None:
    market.scripted(wmsb="silent")
    await market.given_the_market("nb", "lf", "wmsb")
    await market.hears_and_works(announced())
    assert market.documents() == {each: ["work_status"] for each in (NB, LF, WMSB)}
    assert await market.states() == {NB: "TRANSFERRED", LF: "TRANSFERRED", WMSB: "SENT"}
    assert (await market.facts_of(HandoverAccepted), market.trouble()) == ([], [])


async def test_J02_silence_of_the_wmsb_for_three_working_days_is_agreement(market: Market) -> None:
    market.scripted(wmsb="silent")
    await market.given_the_market("nb", "lf", "wmsb")
    await market.hears_and_works(announced())
    await market.passes(until=datetime(2026, 3, 5, 22, 59, tzinfo=UTC))
    before = await market.facts_of(HandoverAccepted)
    await market.passes(until=datetime(2026, 3, 5, 23, tzinfo=UTC))
    (fact,) = await market.facts_of(HandoverAccepted)
    assert (before, fact.fact, fact.by_silence, fact.by_exception) == ([], Fact.ROLLOUT_ANNOUNCED, True, False)


async def test_J02_a_wmsb_that_agrees_is_not_silent(market: Market) -> None:
    await market.given_the_market("nb", "lf", "wmsb")
    await market.hears_and_works(announced())
    (fact,) = await market.facts_of(HandoverAccepted)
    await market.passes(timedelta(days=10))
    assert (fact.by_silence, len(await market.facts_of(HandoverAccepted))) == (False, 1)


async def test_J02_silence_of_a_grid_operator_agrees_to_nothing(market: Market) -> None:
    market.scripted(nb="silent")
    await market.given_the_market("nb", "lf", "wmsb")
    await market.hears_and_works(announced())
    await market.passes(timedelta(days=30))
    assert ((await market.states())[NB], await market.facts_of(HandoverAccepted)) == ("SENT", [])


async def test_a_modern_meter_is_announced_to_the_supplier_alone(market: Market) -> None:
    await market.given_the_market("nb", "lf")
    await market.hears_and_works(announced(plan=AnnouncedPlan.MME))
    assert market.documents() == {LF: ["work_status"]}


@pytest.mark.parametrize(("since", "told"), [(date(2026, 3, 2), True), (date(2026, 3, 3), False)])
async def test_a_role_that_the_order_does_not_name_is_held_as_the_point_says_for_the_day(
    market: Market, since: date, told: bool
) -> None:
    supplier = Party(role="lf", id=facts.MARKET_CODES["lf"], valid_from=since)

    def learn(unit: Unit) -> None:
        point = Point(metering_point_id=POINT, scheme=Scheme.MELO)
        unit.add(point)
        point.learn(MasterData(parties=(supplier,)))

    await market.run(learn, needs=[(Point, POINT)])
    await market.given_the_market("nb")
    await market.hears_and_works(announced())
    assert market.documents() == {each: ["work_status"] for each in ([NB, LF] if told else [NB])}


async def test_J03_an_objection_is_a_rejection_of_the_announcement(market: Market) -> None:
    market.scripted(wmsb="reject:A01:E_0233")
    await market.given_the_market("nb", "lf", "wmsb")
    await market.hears_and_works(announced())
    (fact,) = await market.facts_of(HandoverRejected)
    assert (fact.fact, fact.authority, fact.level) == (Fact.ROLLOUT_ANNOUNCED, Authority.WMSB, Level.BUSINESS)
    assert [(each.hub_reason, each.code, each.list) for each in fact.reasons] == [
        (HubReason.ANNOUNCEMENT_OBJECTED, "A01", "E_0233")
    ]
    await market.passes(timedelta(days=10))
    assert await market.facts_of(HandoverAccepted) == []


async def test_J03_whatever_is_refused_before_the_visit_is_a_refused_order(market: Market) -> None:
    market.scripted(nb="reject:Z99")
    await market.given_the_market("nb")
    await market.hears_and_works(announced())
    (fact,) = await market.facts_of(HandoverRejected)
    assert fact.reasons[0].hub_reason is HubReason.ORDER_REFUSED


async def test_J03_an_abandoned_rollout_is_told_to_who_heard_of_it(market: Market) -> None:
    market.scripted(wmsb="reject:A01:E_0233")
    await market.given_the_market("nb", "lf", "wmsb")
    await market.hears_and_works(announced(), requested(Fact.WORK_NOT_COMPLETED))
    assert market.documents() == {
        NB: ["work_status", "work_not_completed"],
        LF: ["work_status", "work_not_completed"],
        WMSB: ["work_status"],
    }


async def test_J01_done_work_is_accepted_when_every_role_and_the_erp_have_it(market: Market) -> None:
    market.scripted(lf="late")
    await market.given_the_market("nb", "lf", "wmsb")
    await market.hears_and_works(visited(), requested())
    early = await market.facts_of(HandoverAccepted)
    await market.hours_pass()
    acknowledged = sorted(fact.recipient for fact in await market.facts_of(HandoverAcknowledged))
    assert (early, acknowledged, len(await market.facts_of(HandoverAccepted))) == ([], [LF, NB, WMSB], 1)
    assert await market.states() == dict.fromkeys((ERP, NB, LF, WMSB), "TRANSFERRED")
    assert market.trouble() == []


async def test_J20_the_end_without_work_is_told_to_nb_and_lf_once(market: Market) -> None:
    failed = visited(result=Result.NOT_AT_HOME)
    asked = requested(Fact.WORK_NOT_COMPLETED, final=False, visit_id=failed.visit_id, visit_version=1)
    await market.given_the_market("nb", "lf", "wmsb")
    await market.hears_and_works(failed, asked)
    between = dict(market.documents())
    ended = requested(Fact.WORK_NOT_COMPLETED, 2, visit_id=failed.visit_id, visit_version=1)
    await market.hears_and_works(ended, ended)
    assert (between, market.documents()) == ({}, {NB: ["work_not_completed"], LF: ["work_not_completed"]})
    assert len(market.erp.reports()) == 2


async def test_J27_the_visit_after_a_rework_is_what_everybody_is_told(market: Market) -> None:
    await market.given_the_market("nb", "lf")
    again = visited(new="1EMH0012345679", visit_id=CASE, sequence=2, work_order_id=POINT_ORDER)
    second = requested(work_order_id=POINT_ORDER, visit_id=CASE)
    await market.hears_and_works(visited(), again, second)
    (message,) = market.erp.reports()
    assert (b"1EMH0012345679" in message, b"1EMH0012345678" in message) == (True, False)
    assert market.documents() == {NB: ["device_exchange_completed"], LF: ["device_exchange_completed"]}


POINT_ORDER = visited().visit_id
"""Some id that is no other work order's."""


async def test_J30_an_approved_exception_stands_in_for_every_open_row(market: Market) -> None:
    market.scripted(nb="reject:Z88", lf="silent")
    await market.given_the_market("nb", "lf")
    await market.hears_and_works(visited(), requested())
    approved = ExceptionApproved(
        case_id=CASE,
        exception_id=CASE,
        type=ExceptionType.FOREIGN_METER,
        approver="person:local:mia",
        fact=Fact.EXCHANGE_COMPLETED,
        attempt=1,
    )
    await market.hears(approved)
    (fact,) = await market.facts_of(HandoverAccepted)
    assert (fact.by_exception, fact.by_silence) == (True, False)
    assert await market.states() == {
        ERP: "TRANSFERRED",
        NB: "ACCEPTED_BY_EXCEPTION",
        LF: "ACCEPTED_BY_EXCEPTION",
    }


async def test_J32_an_acceptance_after_the_rejection_is_told(market: Market) -> None:
    market.scripted(nb="reject_then_accept:Z88")
    await market.given_the_market("nb")
    await market.hears_and_works(visited(), requested())
    early = await market.facts_of(HandoverAccepted)
    await market.hours_pass()
    assert (early, len(await market.facts_of(HandoverRejected)), len(await market.facts_of(HandoverAccepted))) == (
        [],
        1,
        1,
    )


async def test_J33_a_rejection_after_everything_was_accepted_is_told(market: Market) -> None:
    market.scripted(nb="accept_then_reject:Z88")
    await market.given_the_market("nb", "lf")
    await market.hears_and_works(visited(), requested())
    accepted = len(await market.facts_of(HandoverAccepted))
    await market.hours_pass()
    (fact,) = await market.facts_of(HandoverRejected)
    assert (accepted, fact.authority, fact.reasons[0].hub_reason) == (1, Authority.NB, HubReason.DATA_CLEARING)
    assert await market.states() == {ERP: "TRANSFERRED", NB: "REJECTED", LF: "TRANSFERRED"}


async def test_J33_the_mended_attempt_goes_only_to_who_has_not_taken_these_words(market: Market) -> None:
    market.scripted(nb="accept_then_reject:Z88")
    await market.given_the_market("nb", "lf")
    await market.hears_and_works(visited(), requested())
    await market.hours_pass()
    await market.hears_and_works(requested(attempt=2))
    assert {partner: len(got) for partner, got in market.documents().items()} == {NB: 2, LF: 1}
    assert [fact.attempt for fact in await market.facts_of(HandoverAccepted)] == [1, 2]


async def test_J34_a_receipt_that_says_no_is_a_failure_and_the_resent_document_is_accepted(market: Market) -> None:
    market.scripted(nb="refuse_receipt:Z35")
    await market.given_the_market("nb")
    await market.hears_and_works(visited(), requested())
    (fact,) = await market.facts_of(HandoverFailed)
    assert (fact.recipient, fact.level, fact.cause, fact.final) == (NB, Level.PROCESSABILITY, "SCHEMA", False)
    (row,) = [each for each in await market.rows("handover_rows") if each.recipient == NB]
    async with market.http("mdm") as client:
        answer = await client.post(f"/v1/messages/{row.row_id}/resend", json={"reason": "form of the point mended"})
    await market.works()
    assert (answer.status_code, len(await market.facts_of(HandoverAccepted))) == (200, 1)
    assert await market.facts_of(HandoverRejected) == []


async def test_J34_a_receipt_keeps_the_reason_that_is_no_technical_one(market: Market) -> None:
    market.scripted(nb="refuse_receipt:Z10")
    await market.given_the_market("nb")
    await market.hears_and_works(visited(), requested())
    (fact,) = await market.facts_of(HandoverFailed)
    assert (fact.hub_reason, await market.facts_of(HandoverRejected)) == (HubReason.UNKNOWN_METERING_POINT, [])


async def test_J35_of_two_recipients_only_the_one_that_could_not_read_gets_it_again(market: Market) -> None:
    market.scripted(lf="refuse_receipt:Z35")
    await market.given_the_market("nb", "lf")
    await market.hears_and_works(visited(), requested())
    (row,) = [each for each in await market.rows("handover_rows") if each.recipient == LF]
    async with market.http("mdm") as client:
        await client.post(f"/v1/messages/{row.row_id}/resend", json={"reason": "form of the point mended"})
    await market.works()
    assert {partner: len(got) for partner, got in market.documents().items()} == {NB: 1, LF: 2}
    assert set((await market.states()).values()) == {"TRANSFERRED"}


async def withdrawn(market: Market, decision: Decision) -> None:
    """The ERP withdraws its order, and the case has decided."""
    await market.comes(order(version="2", verb="cancel", message_id="M-2"))
    await market.hears_and_works(requested(Fact.CANCELLED, order_key="erp-a:WO-1", decision=decision))


async def test_J46_a_withdrawal_after_a_rejection_is_answered_to_who_withdrew_alone(market: Market) -> None:
    market.scripted(nb="reject:Z88")
    await market.given_the_market("nb")
    await market.hears_and_works(visited(), requested())
    await withdrawn(market, Decision.TOO_LATE)
    assert market.erp.replies()[-1] == ("FAILED", ["6.1"])
    assert market.documents() == {NB: ["device_exchange_completed"]}


async def test_J47_a_withdrawal_that_comes_too_late_changes_nothing_in_the_market(market: Market) -> None:
    await market.given_the_market("nb", "lf")
    await market.hears_and_works(visited(), requested())
    await withdrawn(market, Decision.TOO_LATE)
    assert market.erp.replies()[-1] == ("FAILED", ["6.1"])
    assert {len(documents) for documents in market.documents().values()} == {1}


async def test_J47_a_withdrawal_before_any_work_is_confirmed(market: Market) -> None:
    await market.given_the_market("nb")
    await withdrawn(market, Decision.CONFIRMED)
    assert (market.erp.replies()[-1], market.documents()) == (("OK", ["0.0"]), {})


async def test_J48_a_storno_takes_the_values_back_from_who_has_them(market: Market) -> None:
    await market.given_the_market("nb", "lf")
    await market.hears_and_works(visited(), requested())
    back = visited(visit_id=CASE, work_order_id=POINT_ORDER, sequence=2, new="1OLD0000009876")
    await market.comes(order(version="2", verb="cancel", message_id="M-2"))
    storno = requested(
        Fact.CANCELLED, order_key="erp-a:WO-1", decision=Decision.STORNO, work_order_id=POINT_ORDER, visit_id=None
    )
    await market.hears_and_works(back, storno)
    assert market.documents() == {each: ["device_exchange_completed"] * 2 for each in (NB, LF)}
    assert (market.erp.replies()[-1], market.trouble()) == (("OK", ["0.0"]), [])
    rows = [row for row in await market.rows("handover_rows") if row.fact is Fact.CANCELLED]
    assert sorted((row.recipient, row.document, row.state) for row in rows) == [
        (ERP, "cancellation_answer", "TRANSFERRED"),
        (LF, "values_withdrawn", "TRANSFERRED"),
        (NB, "values_withdrawn", "TRANSFERRED"),
    ]


async def test_J48_without_values_sent_there_is_nothing_to_take_back(market: Market) -> None:
    await market.given_the_market("nb")
    await withdrawn(market, Decision.STORNO)
    assert market.documents() == {}


async def both_ordered(market: Market) -> None:
    """ERP A and MDM B ordered the same work."""
    await market.given_the_market("nb")
    await market.says("mdm-b", market.order_of("mdm-b", "B-1"))
    amended = CaseAmended(case_id=CASE, version=2, changed=("orders",), flags=(), orders=("erp-a:WO-1", "mdm-b:B-1"))
    await market.hears_and_works(amended)


async def test_J54_two_partners_who_ordered_the_same_work_both_hear_of_it(market: Market) -> None:
    await both_ordered(market)
    await market.hears_and_works(visited(), requested())
    assert market.documents("B-1") == {"mdm-b": ["device_exchange_completed"]}
    assert market.documents() == {NB: ["device_exchange_completed"]}
    assert (len(market.erp.reports()), len(await market.facts_of(HandoverAccepted))) == (1, 1)


async def test_J54_the_handover_waits_for_both(market: Market) -> None:
    await both_ordered(market)
    market.parties["mdm-b"].scripts["B-1"] = ["silent"]
    await market.hears_and_works(visited(), requested())
    assert ((await market.states())["mdm-b"], await market.facts_of(HandoverAccepted)) == ("SENT", [])


async def test_J54_the_withdrawal_of_one_reference_is_answered_to_that_partner_alone(market: Market) -> None:
    await both_ordered(market)
    await market.says("mdm-b", market.parties["mdm-b"].cancellation("B-1", 2))
    await market.hears_and_works(requested(Fact.CANCELLED, order_key="mdm-b:B-1", decision=Decision.CONFIRMED))
    assert market.parties["mdm-b"].log("B-1").answers == [
        ("accepted", "business"),
        ("accepted", "processability"),
        ("accepted", "business"),
    ]
    assert market.erp.replies() == [("OK", ["0.0"])]


async def test_J54_who_withdrew_its_reference_hears_no_more_of_the_work(market: Market) -> None:
    await both_ordered(market)
    await market.says("mdm-b", market.parties["mdm-b"].cancellation("B-1", 2))
    await market.hears_and_works(requested(Fact.CANCELLED, order_key="mdm-b:B-1", decision=Decision.CONFIRMED))
    await market.hears_and_works(visited(), requested())
    assert (market.documents("B-1"), len(market.erp.reports())) == ({}, 1)
    assert [fact.fact for fact in await market.facts_of(HandoverAccepted)] == [
        Fact.CANCELLED,
        Fact.EXCHANGE_COMPLETED,
    ]


async def test_J55_a_partner_may_say_how_its_side_stands_before_it_was_sent_anything(market: Market) -> None:
    await both_ordered(market)
    await market.says("mdm-b", market.parties["mdm-b"].status("B-1", "RESCHEDULED", "2026-03-09", "2026-03-11"))
    (fact,) = await market.facts_of(OrderAmended)
    assert (fact.order_key, fact.partner_status, fact.version) == ("mdm-b:B-1", "rescheduled", None)
    assert (str(fact.window.from_), str(fact.window.to)) == ("2026-03-09", "2026-03-11")


async def test_J63_corrected_data_are_told_and_the_row_stays_accepted(market: Market) -> None:
    market.scripted(nb="correct:priority=70")
    await market.given_the_market("nb")
    await market.hears_and_works(visited(), requested())
    await market.hours_pass()
    (fact,) = await market.facts_of(MasterDataReceived)
    assert (fact.order_key, fact.metering_point_id, fact.origin, fact.version) == (
        "erp-a:WO-1",
        POINT,
        MasterDataOrigin.MARKET_FEEDBACK,
        None,
    )
    assert (fact.changed["priority"].new, (await market.states())[NB]) == (70, "TRANSFERRED")


async def test_J63_a_correction_that_belongs_to_nothing_lies_in_quarantine(market: Market) -> None:
    data = {"auftrag": {"order_no": "X"}, "rueckmeldung": {"changes": [{"field": "priority", "new": 1}]}}
    await market.says(NB, market.parties[NB].event("corrected", "x", data))
    (entry,) = await market.rows("quarantine")
    assert (entry.cause, await market.facts_of(MasterDataReceived)) == ("UNCORRELATED", [])


async def test_J66_after_a_waived_review_the_same_documents_leave(market: Market) -> None:
    await market.given_the_market("nb", "lf")
    await market.hears_and_works(visited(), requested(evidence_digest=None))
    assert market.documents() == {NB: ["device_exchange_completed"], LF: ["device_exchange_completed"]}
    assert len(await market.facts_of(HandoverAccepted)) == 1


STRANGER = "9900000000004"
PROFILE = f"""
id: nb-fern
name: NB Fern
role: NB
contract: market
identity: [{{scheme: bdew, value: "{STRANGER}"}}]
dialects: [{{dialect: json_ce}}]
transports: {{in: [{{kind: rest}}], out: [{{kind: rest, url: "http://nb-nord.example/in"}}]}}
defaults: {{operator: nord}}
"""


async def test_a_party_without_a_profile_cannot_be_told_until_it_has_one(market: Market) -> None:
    await market.comes(with_parties("nb").replace(b"9900001000002", STRANGER.encode()))
    await market.hears(opened())
    await market.hears_and_works(visited(), requested())
    (fact,) = await market.facts_of(HandoverFailed)
    assert (fact.cause, fact.recipient, (await market.states())[ERP]) == ("no_recipient", STRANGER, "TRANSFERRED")
    folder = market.service.settings.partners_dir
    folder.mkdir()
    (folder / "nb-fern.yaml").write_text(PROFILE)
    async with market.http("mdm") as client:
        await client.post(f"/v1/messages/{fact.row_id}/resend", json={"reason": "the profile is there now"})
    await market.works()
    assert await market.states() == {ERP: "TRANSFERRED", "nb-fern": "SENT"}
    assert market.documents() == {NB: ["device_exchange_completed"]}


async def test_another_partners_answer_moves_nothing(market: Market) -> None:
    market.scripted(nb="silent")
    await market.given_the_market("nb")
    await market.hears_and_works(visited(), requested())
    (row,) = [each for each in await market.rows("handover_rows") if each.recipient == NB]
    data = {"auftrag": {"order_no": "WO-1"}, "rueckmeldung": {"level": "business"}}
    await market.says(LF, market.parties[LF].event("accepted", "y", data, correlationid=str(row.message_id)))
    (entry,) = await market.rows("quarantine")
    assert (entry.cause, (await market.states())[NB]) == ("UNCORRELATED", "SENT")


@pytest.mark.parametrize(
    ("about", "states"),
    [({}, "ERROR_TECH"), ({"auftrag": {"order_no": "WO-1"}}, "ERROR_TECH"), ({"auftrag": {"order_no": "X"}}, "SENT")],
)
async def test_a_refusal_names_our_order_or_the_whole_message(market: Market, about: Any, states: str) -> None:
    market.scripted(nb="silent")
    await market.given_the_market("nb")
    await market.hears_and_works(visited(), requested())
    (row,) = [each for each in await market.rows("handover_rows") if each.recipient == NB]
    data = about | {"rueckmeldung": {"level": "syntax", "reasons": [{"code": "1.8"}]}}
    await market.says(NB, market.parties[NB].event("rejected", "n", data, correlationid=str(row.message_id)))
    assert (await market.states())[NB] == states


@pytest.mark.parametrize("order_of_words", list(permutations(("received", "receipt", "refusal"))))
async def test_whatever_comes_first_the_row_ends_alike(market: Market, order_of_words: tuple[str, ...]) -> None:
    market.scripted(nb="silent")
    await market.given_the_market("nb")
    await market.hears_and_works(visited(), requested())
    (row,) = [each for each in await market.rows("handover_rows") if each.recipient == NB]
    reason = [{"code": "Z88"}]
    words = {
        "received": ("received", {"level": "transport"}),
        "receipt": ("accepted", {"level": "processability"}),
        "refusal": ("rejected", {"level": "business", "reasons": reason}),
    }
    for word in order_of_words:
        name, said = words[word]
        data = {"auftrag": {"order_no": "WO-1"}, "rueckmeldung": said}
        await market.says(NB, market.parties[NB].event(name, word, data, correlationid=str(row.message_id)))
    assert ((await market.states())[NB], len(await market.facts_of(HandoverRejected))) == ("REJECTED", 1)


async def test_the_matrix_of_a_case_is_seen_with_role_level_and_state(market: Market) -> None:
    market.scripted(wmsb="silent")
    await market.given_the_market("nb", "wmsb")
    await market.hears_and_works(announced())
    async with market.http("mdm") as client:
        (view,) = (await client.get("/v1/handovers", params={"case": str(CASE)})).json()
    seen = {(row["role"], row["document"], row["accept"], row["state"]) for row in view["rows"]}
    assert view["outlook"] == "Waiting"
    assert seen == {
        ("nb", "work_announced", "processability", "TRANSFERRED"),
        ("wmsb", "work_announced", "business", "SENT"),
    }
