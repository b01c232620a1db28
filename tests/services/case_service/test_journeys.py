"""The part of case_service in the journeys: given, hears, tells."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contracts import cases, contacts, visits
from contracts.orders import OrderReceived
from kit.testing import Stage
from services.case_service.app import build
from services.case_service.settings import Settings
from tests.services.case_service.story import Story, cancelled, installed, names, removed, wire
from tests.unit.case_service import facts
from tests.unit.case_service.builders import a_device, a_gateway, a_plan, a_report, an_old_device, an_order


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    """An order came in."""
    begun = await Story.begin(tmp_path)
    yield begun
    await begun.stage.close()


async def test_J01_a_booking_by_text_to_completion(story: Story) -> None:
    assert names(await story.stage.told_since()) == [
        *("CaseOpened", "ContactRecorded", "WorkOrderOpened", "CasePhaseChanged")
    ]
    assert await story.moves("anna", "start_planning") == ["WorkOrderMoved", "CasePhaseChanged"]
    await story.is_planned()
    assert [fact.lines[0].device_type for fact in await story.told(cases.MaterialRequested)] == ["mme-3"]
    await story.is_offered()
    assert await story.says(facts.replied) == []
    assert await story.says(facts.confirmed) == ["WorkOrderMoved", "CasePhaseChanged"]
    assert await story.moves("tom", "start") == ["WorkOrderMoved", "CasePhaseChanged"]
    assert await story.reports() == ["VisitReported", "WorkOrderMoved", "CasePhaseChanged"]
    await story.devices_are_booked()
    assert await story.says(facts.approved) == ["WorkOrderMoved", "HandoverRequested", "CasePhaseChanged"]
    assert await story.says(facts.accepted) == ["CaseCompleted", "CasePhaseChanged"]
    assert await story.path() == ["T01", "T04", "T07", "T18", "T20", "T21"]
    assert await story.phases() == [*("BACKLOG", "PLANNING", "BOOKED", "IN_FIELD", "IN_QA", "HANDOVER", "COMPLETED")]
    (done,) = await story.told(cases.CaseCompleted)
    assert (done.completion, [len(item.event_ids) > 0 for item in done.evidence]) == (
        1,
        [True, False, True, True, False],
    )


async def test_J01_facts_may_overtake_each_other_across_topics(story: Story) -> None:
    await story.is_booked()
    await story.moves("tom", "start")
    await story.reports()
    await story.says(facts.approved)
    await story.says(facts.accepted)
    assert await story.told(cases.CaseCompleted) == []
    await story.devices_are_booked()
    assert len(await story.told(cases.CaseCompleted)) == 1


async def test_J09_an_unclear_reply_and_staff_who_confirm(story: Story) -> None:
    await story.is_planned()
    await story.is_offered()
    await story.says(lambda case, order: facts.replied(case, order, "unclear"))
    await story.says(facts.questioned)
    await story.says(lambda case, order: facts.confirmed(case, order, "staff", notice=True))
    assert await story.path() == ["T01", "T04", "T08", "T11"]


async def test_J11_no_answer_and_then_a_late_one(story: Story) -> None:
    await story.is_planned()
    await story.is_offered()
    await story.says(lambda case, order: facts.facts(case, order)["AnswerOverdue"][0])
    await story.says(facts.replied)
    await story.says(facts.confirmed)
    assert await story.path() == ["T01", "T04", "T09", "T13"]


async def test_J19_nobody_is_home_and_somebody_goes_again(story: Story) -> None:
    await story.is_booked()
    await story.is_visited(a_report("NOT_AT_HOME"))
    assert await story.moves("anna", "reopen", reason="again") == ["WorkOrderMoved"]
    assert await story.moves("anna", "plan_again") == ["WorkOrderMoved", "WorkOrderOpened", "CasePhaseChanged"]
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    await story.says(facts.accepted)
    first, second = await story.path(1), await story.path(2)
    assert (first[-3:], second) == (["T20", "T22", "T23"], ["T04", "T07", "T18", "T20", "T21"])
    material = await story.told(cases.MaterialRequested)
    assert material[1].predecessor == material[0].work_order_id
    assert [fact.final for fact in await story.told(cases.HandoverRequested)] == [False, True]
    assert len(await story.told(cases.CaseCompleted)) == 1


async def test_J24_another_device_than_planned(story: Story) -> None:
    await story.is_booked()
    await story.moves("tom", "start")
    wrong = a_report(installed=(a_device(device_type="mme-9"),))
    refused = await story.asks("tom", "resolve", report=wire(wrong))
    assert (refused.status_code, refused.json()["code"]) == (422, "wrong-device-type")
    deviation = {"reason": "other", "text": "the planned one was broken"}
    await story.reports(a_report(installed=(a_device(device_type="mme-9", deviation=deviation),)))
    order = await story.order()
    await story.says(lambda case, _: installed(case, order, order.installed[0], device_type="mme-9"))
    await story.says(lambda case, _: removed(case, order, order.removed[0]))
    await story.is_handed_over()
    await story.says(facts.accepted)
    gate = (await story.acts("anna", "check_gate")).json()
    assert (gate["code"], gate["items"]) == ("gate-closed", ["DoD1: meter"])
    raised = await story.acts(
        "anna",
        "raise_exception",
        type="device_plan_deviation",
        reason="equal in all that matters",
        owner="person:local:anna",
        due_on="2026-03-20",
    )
    exception_id = raised.json()["exceptions"][0]["exception_id"]
    own = await story.acts("anna", "approve_exception", exception_id=exception_id)
    assert (own.status_code, own.json()["code"]) == (403, "role-missing")
    await story.acts("quirin", "approve_exception", exception_id=exception_id)
    (done,) = await story.told(cases.CaseCompleted)
    assert str(done.evidence[0].exception_id) == exception_id


async def test_J26_rework_at_the_desk(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    assert await story.says(lambda case, order: facts.rework(case, order, "desk")) == []
    evidence = [{"evidence_id": "00000000-0000-0000-0000-00000000000e", "kind": "protocol", "sha256": "ab12"}]
    assert await story.moves("tom", "add_evidence", evidence=evidence) == ["EvidenceAdded"]
    assert await story.says(lambda case, order: facts.approved(case, order, round=1, evidence_version=1)) == []
    await story.says(lambda case, order: facts.approved(case, order, round=2))
    assert (await story.path())[-1] == "T21"


async def test_J28_a_rejection_is_put_right_at_the_desk(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    assert await story.says(facts.rejected) == ["WorkOrderMoved", "ExceptionRaised", "CasePhaseChanged"]
    await story.moves("mia", "take_over")
    right = a_report(removed=(an_old_device("OLD1"),))
    assert await story.moves("mia", "correct_report", report=wire(right), reason="typed wrongly") == ["VisitReported"]
    early = await story.asks("mia", "data_corrected", reason="corrected")
    assert (early.status_code, early.json()["code"]) == (409, "review-missing")
    await story.says(lambda case, order: facts.approved(case, order, round=2))
    assert await story.moves("mia", "data_corrected", reason="corrected") == [
        *("WorkOrderMoved", "HandoverRequested", "ExceptionResolved", "CasePhaseChanged")
    ]
    await story.says(facts.accepted)
    assert [fact.attempt for fact in await story.told(cases.HandoverRequested)] == [1, 2]
    assert [fact.visit_version for fact in await story.told(visits.VisitReported)] == [1, 2]
    assert len(await story.told(cases.CaseCompleted)) == 1


async def test_J29_a_rejection_that_needs_another_visit(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    await story.says(facts.rejected)
    await story.moves("mia", "take_over")
    await story.moves("mia", "order_field_visit", reason="look at it")
    await story.moves("anna", "plan_again")
    await story.is_booked()
    report = a_report(installed=(a_device("NEW2"),), removed=(an_old_device("NEW1"),))
    await story.is_visited(report)
    await story.is_handed_over()
    await story.says(facts.accepted)
    assert (await story.path(1))[-4:] == ["T25", "T26", "T33", "T23"]
    assert [fact.attempt for fact in await story.told(cases.HandoverRequested)] == [1, 2]
    assert len(await story.told(cases.CaseCompleted)) == 1


async def test_J30_a_foreign_meter_needs_two_persons(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    await story.says(lambda case, order: facts.rejected(case, order, "FOREIGN_METER"))
    await story.moves("mia", "take_over")
    order = await story.order()
    raised = await story.acts(
        "mia",
        "raise_exception",
        type="foreign_meter",
        work_order_id=str(order.work_order_id),
        reason="not ours",
        owner="person:local:mia",
        due_on="2026-03-20",
    )
    exceptions = {each["type"]: each["exception_id"] for each in raised.json()["exceptions"]}
    await story.acts("quirin", "approve_exception", exception_id=exceptions["foreign_meter"])
    await story.moves("mia", "data_corrected", reason="two agreed")
    assert [fact.attempt for fact in await story.told(cases.HandoverRequested)] == [1]
    assert len(await story.told(cases.CaseCompleted)) == 1


async def test_J33_a_rejection_after_completion_reopens_the_case(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    await story.says(facts.accepted)
    assert await story.says(facts.rejected) == [
        *("WorkOrderMoved", "ExceptionRaised", "CaseReopened", "CasePhaseChanged")
    ]
    await story.moves("mia", "take_over")
    await story.moves("mia", "data_corrected", reason="fixed in the master")
    await story.says(facts.accepted)
    assert [fact.completion for fact in await story.told(cases.CaseCompleted)] == [1, 2]


async def test_J36_a_withdrawal_before_anything_began(story: Story) -> None:
    await story.stage.told_since()
    await story.hears(cancelled())
    assert names(await story.stage.told_since()) == [
        *("WorkOrderMoved", "MaterialReleased", "CaseCancelled", "HandoverRequested", "CasePhaseChanged")
    ]


async def test_J37_a_withdrawal_while_planning_is_decided_by_a_person(story: Story) -> None:
    await story.is_planned()
    await story.stage.told_since()
    await story.hears(cancelled())
    assert names(await story.stage.told_since()) == ["WorkOrderMoved", "ExceptionRaised", "CasePhaseChanged"]
    assert await story.moves("anna", "close_case", resolution="cancelled", reason="agreed") == [
        *("WorkOrderMoved", "MaterialReleased", "ExceptionResolved", "CaseCancelled", "HandoverRequested"),
        "CasePhaseChanged",
    ]


async def test_J39_a_withdrawal_while_waiting_for_the_customer(story: Story) -> None:
    await story.is_planned()
    await story.is_offered()
    await story.hears(cancelled())
    await story.says(facts.replied)
    await story.says(lambda case, order: facts.questioned(case, order, "after_cancel"))
    untold = await story.asks("anna", "close_case", resolution="cancelled", reason="agreed")
    assert untold.json()["code"] == "customer-not-informed"
    await story.moves("anna", "close_case", resolution="cancelled", reason="agreed", customer_informed=True)
    assert await story.path() == ["T01", "T04", "T29", "T31"]


async def test_J41_a_withdrawal_with_a_technician_on_the_way(story: Story) -> None:
    await story.is_booked()
    await story.hears(cancelled())
    told = {"resolution": "cancelled", "reason": "agreed", "customer_informed": True}
    assert (await story.asks("anna", "close_case", **told)).json()["code"] == "technician-not-informed"
    await story.moves("anna", "close_case", **told, technician_informed=True)
    assert [fact.decision for fact in await story.told(cases.HandoverRequested)] == ["confirmed"]


async def test_J42_a_withdrawal_during_the_visit_that_is_finished_all_the_same(story: Story) -> None:
    await story.is_booked()
    await story.moves("tom", "start")
    await story.hears(cancelled())
    await story.stage.told_since()
    assert await story.reports() == ["VisitReported"]
    refused = await story.asks(
        "anna",
        "close_case",
        resolution="cancelled",
        reason="agreed",
        customer_informed=True,
        technician_informed=True,
    )
    assert (refused.json()["code"], refused.json()["serials"]) == ("device-on-site", ["NEW1"])
    await story.devices_are_booked()
    await story.says(facts.approved)
    await story.moves("anna", "data_corrected", reason="complete it")
    assert [(fact.fact, fact.decision) for fact in await story.told(cases.HandoverRequested)] == [
        ("exchange_completed", None),
        ("cancelled", "too_late"),
    ]
    await story.says(facts.accepted)
    assert len(await story.told(cases.CaseCompleted)) == 1


async def test_J47_a_withdrawal_after_the_work_was_done(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    await story.stage.told_since()
    await story.hears(cancelled())
    assert names(await story.stage.told_since()) == ["HandoverRequested", "ExceptionRaised"]
    assert (await story.told(cases.HandoverRequested))[-1].decision == "too_late"
    await story.says(facts.accepted)
    assert len(await story.told(cases.CaseCompleted)) == 1


@pytest.mark.parametrize(("version", "phase"), [(1, "CANCELLED"), (2, "BACKLOG")])
async def test_J51_a_withdrawal_that_came_before_its_order(tmp_path: Path, version: int, phase: str) -> None:
    stage = await Stage.open(build, tmp_path, settings=Settings)
    await stage.hears(cancelled(version=1))
    assert await stage.told() == []
    await stage.hears(an_order(version=version))
    assert [row.phase for row in await stage.rows("cases")] == [phase]
    await stage.close()


async def test_J53_the_same_order_twice_is_one_case(story: Story) -> None:
    await story.hears(an_order())
    assert len(await story.stage.rows("cases")) == 1
    assert [row.code for row in await story.stage.rows("remarks")] == ["late"]


async def test_J54_two_partners_order_the_same_work(story: Story) -> None:
    await story.hears(an_order(order_key="mdm-b:9", partner="mdm-b", order_no="9"))
    (news,) = await story.told(cases.CaseAmended)
    assert (len(await story.stage.rows("cases")), news.orders) == (1, ("erp-a:4711", "mdm-b:9"))
    await story.hears(cancelled(1, "mdm-b:9"))
    (answer,) = await story.told(cases.HandoverRequested)
    assert (answer.decision, answer.order_key) == ("confirmed", "mdm-b:9")
    assert (await story.order()).state == "OPEN"
    await story.hears(cancelled())
    assert len(await story.told(cases.CaseCancelled)) == 1


@pytest.mark.parametrize("held", [False, True], ids=["free", "held by another case"])
async def test_J33_a_reopened_case_holds_its_point_again_unless_another_one_does(story: Story, held: bool) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    await story.says(facts.accepted)
    if held:
        await story.hears(an_order(order_key="mdm-b:8", partner="mdm-b", order_no="8"))
    await story.says(facts.rejected)
    await story.hears(an_order(order_key="mdm-b:9", partner="mdm-b", order_no="9"))
    opened = await story.told(cases.CaseOpened)
    assert len(opened) == (2 if held else 1), "one open case per point (I13)"
    joined = Story(story.stage, "mdm-b:9")
    assert (await joined.case()).case_id == opened[-1].case_id


async def test_J54_two_orders_in_one_batch_are_one_case_too(tmp_path: Path) -> None:
    stage = await Stage.open(build, tmp_path, settings=Settings)
    await stage.hears(an_order(), an_order(order_key="mdm-b:9", partner="mdm-b", order_no="9"))
    assert len(await stage.rows("cases")) == 1
    await stage.close()


async def test_a_newer_version_of_a_cancelled_order_opens_another_case(story: Story) -> None:
    await story.hears(cancelled())
    newer: OrderReceived = an_order(version=3)
    await story.hears(newer)
    rows = await story.stage.rows("cases")
    assert [row.phase for row in rows] == ["CANCELLED", "BACKLOG"]
    assert [link.kind for link in rows[1].links] == ["replaces"]
    assert (await story.case()).case_id == rows[1].case_id


async def test_J13_who_opts_out_gets_no_text_any_more(story: Story) -> None:
    await story.is_planned()
    await story.is_offered()
    await story.says(lambda case, order: facts.questioned(case, order, "stop"))
    await story.says(lambda case, order: facts.facts(case, order)["CustomerOptedOut"][0])
    assert [fact.sms_allowed for fact in await story.told(contacts.ContactRecorded)] == [True, False]
    await story.moves("anna", "plan_again")
    assert (await story.asks("anna", "send_booking")).json()["code"] == "sms-not-allowed"


async def test_J22_communication_is_pending_and_comes_later(tmp_path: Path) -> None:
    story = await Story.begin(tmp_path, device_plan=a_plan(gateway=True))
    await story.is_booked()
    await story.is_visited(a_report("COMMS_PENDING", installed=(a_device(), a_gateway())), sequence=1)
    await story.says(facts.pending, 1)
    await story.is_handed_over(1)
    await story.says(facts.accepted, 1)
    (done,) = await story.told(cases.CaseCompleted)
    assert done.evidence[1].item == "dod2"
    await story.says(facts.commissioned, 1)
    assert (await story.path(2), (await story.order(2)).close_reason) == (["T28"], "NOT_NEEDED")
    assert len(await story.told(cases.CaseCompleted)) == 1
    await story.stage.close()


async def test_J22_communication_comes_before_the_acceptance(tmp_path: Path) -> None:
    story = await Story.begin(tmp_path, device_plan=a_plan(gateway=True))
    await story.is_booked()
    await story.is_visited(a_report("COMMS_PENDING", installed=(a_device(), a_gateway())), sequence=1)
    await story.says(facts.pending, 1)
    await story.says(facts.commissioned, 1)
    await story.is_handed_over(1)
    await story.says(facts.accepted, 1)
    assert (await story.path(2), await story.path(1)) == (["T28"], ["T01", "T04", "T07", "T18", "T20", "T21"])
    assert len(await story.told(cases.CaseCompleted)) == 1
    await story.stage.close()


async def test_the_last_order_that_is_withdrawn_or_given_up_lets_finished_work_complete(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.is_handed_over()
    plan = a_plan().model_dump(mode="json", by_alias=True)
    await story.acts("anna", "add_work_order", kind="repair", device_plan=plan)
    await story.says(facts.accepted, 1)
    assert await story.told(cases.CaseCompleted) == []
    await story.hears(cancelled())
    assert (await story.order(2)).close_reason == "CANCELLED"
    assert len(await story.told(cases.CaseCompleted)) == 1


async def test_J23_documents_come_later(story: Story) -> None:
    await story.is_booked()
    await story.is_visited(a_report("DOCS_INCOMPLETE"), sequence=1)
    evidence = [{"evidence_id": "00000000-0000-0000-0000-00000000000e", "kind": "protocol", "sha256": "ab12"}]
    await story.moves("tom", "add_evidence", sequence=1, evidence=evidence)
    await story.says(facts.approved, 1)
    assert ((await story.order(1)).close_reason, (await story.order(2)).close_reason) == ("DONE_PARTIAL", "NOT_NEEDED")


async def test_J18_on_hold_and_back(story: Story) -> None:
    await story.is_planned()
    await story.is_offered()
    assert await story.moves("anna", "put_on_hold", return_on="2026-04-01") == [
        *("WorkOrderMoved", "MaterialReleased", "CasePhaseChanged")
    ]
    await story.says(lambda case, order: facts.facts(case, order)["AppointmentReleased"][1])
    await story.moves("anna", "plan_again")
    await story.is_planned()
    assert len(await story.told(cases.MaterialRequested)) == 2
    assert await story.path() == ["T01", "T04", "T15", "T17"]


async def test_J25_a_report_that_nobody_expected_is_kept_and_taken_later(story: Story) -> None:
    await story.is_booked()
    await story.says(lambda case, order: facts.moved(case, order, agreed=False))
    await story.moves("anna", "plan_again")
    report = wire(a_report())
    refused = await story.asks("tom", "resolve", report=report)
    again = await story.asks("tom", "resolve", report=report)
    assert [answer.json()["code"] for answer in (refused, again)] == ["move-not-allowed"] * 2
    async with story.person("anna") as anna:
        (kept,) = (await anna.get("/v1/visit-conflicts")).json()["items"]
    await story.moves("anna", "follow_up_manually", reason="he was there")
    await story.moves("anna", "accept_report", conflict_id=kept["conflict_id"], reason="he was there")
    (told,) = await story.told(visits.VisitReported)
    assert (told.on_behalf, told.performed_by) == (True, ("person:local:tom",))
    assert (await story.path())[-2:] == ["T32", "T19"]
    async with story.person("anna") as anna:
        assert (await anna.get("/v1/visit-conflicts")).json()["items"] == []


async def test_J48_a_wrong_installation_is_reversed(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    await story.hears(cancelled())
    await story.moves("anna", "order_field_visit", decision="reverse", reason="take it back")
    await story.moves("anna", "plan_again")
    await story.is_booked()
    await story.is_visited(a_report(installed=(a_device("OLD1"),), removed=(an_old_device("NEW1"),)))
    await story.says(facts.approved)
    assert [(fact.fact, fact.decision) for fact in await story.told(cases.HandoverRequested)] == [
        ("cancelled", "confirmed")
    ]
    assert len(await story.told(cases.CaseCancelled)) == 1


async def test_J66_a_waiver_of_two_persons_stands_in_for_the_review(story: Story) -> None:
    await story.is_booked()
    await story.is_visited()
    raised = await story.acts(
        "mia",
        "raise_exception",
        type="qa_waiver",
        reason="camera broken",
        owner="qa",
        due_on="2026-03-20",
    )
    exception_id = raised.json()["exceptions"][0]["exception_id"]
    await story.acts("quirin", "approve_exception", exception_id=exception_id)
    await story.says(facts.accepted)
    (done,) = await story.told(cases.CaseCompleted)
    assert str(done.evidence[2].exception_id) == exception_id
