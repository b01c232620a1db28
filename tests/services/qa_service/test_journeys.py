"""Whole stories of reviews: what the service hears, what its reviewers do, what it tells."""

from datetime import timedelta

import pytest

from contracts.cases import CaseAbandoned, CaseCancelled
from contracts.codes import ReworkKind
from contracts.parts import EvidenceRef
from contracts.quality import FormActivated, ReviewApproved, ReviewOpened, ReworkRequested
from kit.testing import MONDAY_MORNING, Stage
from tests.services.qa_service.story import (
    CASE,
    COMPANY,
    ORDER,
    OTHER_VISIT,
    PHOTOS,
    RESOLVED,
    SECOND,
    Gate,
    added,
    in_days,
    moved,
    names,
    reported,
    waiver,
    work_order,
)

OLD, OLD_READING, NEW, NEW_READING = PHOTOS


async def test_the_first_start_tells_the_form_and_the_second_does_not(stage: Stage) -> None:
    (told,) = await stage.told_since()
    assert isinstance(told, FormActivated)
    assert (told.form_key, told.form_version, told.work_kind) == ("meter_exchange", 1, "meter_exchange")
    assert stage.service.seed is not None
    await stage.run(stage.service.seed, needs=stage.service.seed_needs)
    assert await stage.told_since() == []


async def test_J01_a_good_visit_is_reviewed_and_approved(gate: Gate) -> None:
    await gate.uploads()
    await gate.stage.hears(RESOLVED, reported())
    (opened,) = await gate.stage.told_since()
    assert isinstance(opened, ReviewOpened)
    assert (opened.round, opened.visit_version, opened.evidence_version, opened.mode) == (1, 1, 1, "gate")
    assert opened.due_at == in_days(2)
    answer = await gate.approve(comment="all there")
    assert (answer.status_code, answer.json()["state"]) == (200, "APPROVED")
    (approved,) = await gate.stage.told_since()
    assert isinstance(approved, ReviewApproved)
    assert (approved.reviewer, approved.evidence_version, approved.accepted) == ("person:local:rita", 1, 0)
    verified = (await gate.get(f"/v1/reviews/{approved.review_id}/verify")).json()
    assert (verified["ok"], verified["digest"]) == (True, approved.digest)
    assert not await gate.stage.anomalies()


async def test_J26_desk_rework_comes_back_as_round_two(gate: Gate) -> None:
    await gate.uploads([OLD, NEW, NEW_READING])
    await gate.stage.hears(RESOLVED, reported(evidence=_without(OLD_READING)))
    assert await gate.errors() == [("Q01", "photo_old_reading")]
    answer = await gate.rework("desk", "photos", comment="the old reading, please")
    assert answer.json()["state"] == "REWORK"
    _, asked = await gate.stage.told_since()
    assert isinstance(asked, ReworkRequested)
    assert (asked.kind, asked.reasons, asked.company_id) == (ReworkKind.DESK, ("photos",), COMPANY)
    assert [(each.rule, each.target) for each in asked.findings] == [("Q01", "photo_old_reading")]
    assert asked.due_at == in_days(3)
    await gate.uploads([OLD_READING])
    await gate.stage.hears(added(2, [OLD_READING]))
    assert await gate.errors() == [("Q01", "photo_old_reading")]  # of round 1, as it was decided
    (again,) = await gate.stage.told_since()
    assert isinstance(again, ReviewOpened)
    assert (again.round, again.visit_version, again.evidence_version) == (2, 1, 2)
    assert (await gate.approve()).json()["round"] == 2
    assert [fact.round for fact in await gate.stage.told_since() if isinstance(fact, ReviewApproved)] == [2]
    assert [row.state.value for row in await gate.stage.rows("reworks")] == ["CLOSED"]


async def test_J27_field_rework_ends_this_review_and_the_successor_gets_its_own(gate: Gate) -> None:
    await gate.uploads()
    await gate.stage.hears(RESOLVED, reported())
    await gate.rework("field", "serial")
    await gate.stage.hears(
        moved("T33", 6, "REOPENED", "RESOLVED"),
        moved("T23", 7, "CLOSED", "REOPENED", close_reason="SUPERSEDED"),
        work_order(SECOND, 2, predecessor=ORDER, kind="rework"),
        reported(work_order_id=SECOND, sequence=2, visit_id=OTHER_VISIT),
    )
    assert await gate.states() == [(1, 1, "REWORK"), (2, 1, "PENDING")]
    assert [row.state.value for row in await gate.stage.rows("reworks")] == ["DELIVERED"]
    opened = [fact for fact in await gate.stage.told_since() if isinstance(fact, ReviewOpened)]
    assert [(fact.sequence, fact.round) for fact in opened] == [(1, 1), (2, 1)]


async def test_J28_a_corrected_report_after_the_approval_opens_round_two(gate: Gate) -> None:
    await gate.uploads()
    await gate.stage.hears(RESOLVED, reported())
    first = (await gate.approve()).json()
    await gate.stage.told_since()
    await gate.stage.hears(reported(2, answers={"installation_safe": True, "customer_present": False}))
    (opened,) = await gate.stage.told_since()
    assert isinstance(opened, ReviewOpened)
    assert (opened.round, opened.visit_version, opened.evidence_version) == (2, 2, 2)
    second = (await gate.approve()).json()
    assert second["digest"] != first["digest"]
    assert await gate.states() == [(1, 1, "APPROVED"), (1, 2, "APPROVED")]
    verified = (await gate.get(f"/v1/reviews/{first['review_id']}/verify")).json()
    assert verified["ok"]  # the old round stays as it was


async def test_V10_evidence_that_is_added_after_the_approval_opens_round_two(gate: Gate) -> None:
    await gate.uploads()
    await gate.stage.hears(RESOLVED, reported())
    await gate.approve()
    await gate.stage.hears(added(2, [OLD]))
    assert await gate.states() == [(1, 1, "APPROVED"), (1, 2, "PENDING")]


async def test_a_failed_visit_is_kept_and_not_reviewed(gate: Gate) -> None:
    await gate.stage.hears(reported(outcome="FAILED", result="NOT_AT_HOME", sub_reason="customer_not_home"))
    assert (await gate.stage.told_since(), len(await gate.stage.rows("visits"))) == ([], 1)


async def test_a_visit_before_its_work_order_waits_and_is_not_lost(stage: Stage) -> None:
    await stage.hears(reported())
    assert len(await stage.parked()) == 1
    await stage.hears(work_order())
    await stage.passes(timedelta(minutes=1))
    assert (await stage.parked(), names(await stage.told())) == ([], ["FormActivated", "ReviewOpened"])


async def test_a_newer_version_or_evidence_takes_the_review_from_its_reviewer(gate: Gate) -> None:
    await gate.uploads()
    await gate.stage.hears(RESOLVED, reported())
    taken = await gate.take()
    await gate.stage.hears(reported(2))
    refused = await gate.post(f"/v1/reviews/{taken['review_id']}/approve", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "lease-lost")
    (row,) = await gate.stage.rows("reviews")
    assert (row.state, row.round, row.visit_version, row.evidence_version) == ("PENDING", 1, 2, 2)


async def test_what_is_older_is_late_and_changes_nothing(gate: Gate) -> None:
    await gate.stage.hears(RESOLVED, reported(2, 3))
    await gate.stage.hears(reported(1), added(2, [OLD]))
    (row,) = await gate.stage.rows("reviews")
    assert (row.visit_version, row.evidence_version) == (2, 3)
    assert await gate.stage.anomalies() == ["late", "late"]


@pytest.mark.parametrize(
    "end",
    [
        moved("T24", 6, "CLOSED", "RESOLVED", close_reason="SUPERSEDED"),
        moved("T31", 6, "CLOSED", "MANUAL_FOLLOW_UP", close_reason="CANCELLED"),
        CaseCancelled(case_id=CASE, reason="other", orders=()),
        CaseAbandoned(case_id=CASE, reason="other", orders=()),
    ],
    ids=["T24", "T31", "CaseCancelled", "CaseAbandoned"],
)
@pytest.mark.parametrize("overtakes", [False, True])
async def test_V9_an_end_closes_the_review_whichever_is_heard_first(gate: Gate, end: object, overtakes: bool) -> None:
    first, second = ((RESOLVED, end), (reported(),)) if overtakes else ((RESOLVED, reported()), (end,))
    await gate.stage.hears(*first)  # type: ignore[arg-type]
    await gate.stage.hears(*second)  # type: ignore[arg-type]
    assert await gate.states() == [(1, 1, "CLOSED")]
    assert names(await gate.stage.told_since()) == ["ReviewOpened"]
    assert await gate.stage.rows("timers") == []


@pytest.mark.parametrize("overtakes", [False, True])
async def test_J66_a_waiver_waives_the_review_whichever_is_heard_first(gate: Gate, overtakes: bool) -> None:
    first, second = (waiver(), reported()) if overtakes else (reported(), waiver())
    await gate.stage.hears(RESOLVED, first)
    await gate.stage.hears(second)
    await gate.stage.passes(timedelta(minutes=1))
    assert await gate.states() == [(1, 1, "WAIVED")]
    assert await gate.stage.parked() == []


async def test_another_exception_waives_nothing(gate: Gate) -> None:
    await gate.stage.hears(RESOLVED, reported(), waiver(type="device_plan_deviation"))
    assert await gate.states() == [(1, 1, "PENDING")]


async def test_a_waiver_without_a_review_is_an_anomaly(gate: Gate) -> None:
    await gate.stage.hears(waiver())
    assert (await gate.stage.anomalies(), await gate.stage.parked()) == (["nothing_to_waive"], [])


async def test_T30_a_cancellation_after_the_installation_lets_the_review_go_on(gate: Gate) -> None:
    await gate.uploads()
    cancelled = moved("T30", 6, "MANUAL_FOLLOW_UP", "RESOLVED", cancellation="undecided")
    await gate.stage.hears(RESOLVED, reported(), cancelled)
    assert (await gate.approve()).json()["state"] == "APPROVED"


async def test_a_lease_ends_after_thirty_minutes(gate: Gate) -> None:
    await gate.stage.hears(RESOLVED, reported())
    await gate.take()
    await gate.stage.passes(timedelta(minutes=29))
    assert await gate.states() == [(1, 1, "IN_REVIEW")]
    await gate.stage.passes(timedelta(minutes=1))
    assert await gate.states() == [(1, 1, "PENDING")]


async def test_overdue_reviews_and_reworks_are_marked(gate: Gate) -> None:
    await gate.stage.hears(RESOLVED, reported())
    await gate.stage.passes(timedelta(days=2))
    (review,) = await gate.stage.rows("reviews")
    assert review.overdue
    await gate.rework("desk", "photos")
    await gate.stage.passes(timedelta(days=9))
    (rework,) = await gate.stage.rows("reworks")
    assert rework.overdue
    assert await gate.stage.rows("timers") == []


async def test_decided_reviews_leave_no_timers(gate: Gate) -> None:
    await gate.uploads()
    await gate.stage.hears(RESOLVED, reported())
    assert [row.kind for row in await gate.stage.rows("timers")] == ["review_due"]
    await gate.approve()
    assert await gate.stage.rows("timers") == []
    assert gate.stage.clock.now() == MONDAY_MORNING


def _without(missing: object) -> tuple[EvidenceRef, ...]:
    return tuple(ref for ref in reported().evidence if ref.evidence_id != missing)


async def test_S0_30_A01_a_review_that_opens_by_itself_names_its_rule(gate: Gate) -> None:
    await gate.stage.hears(RESOLVED, reported())
    rows = [row for row in await gate.stage.rows("audit") if row.action == "review:open"]
    assert [('"rules":["A01"]' in row.details, row.subject.startswith(f"review/{CASE}/")) for row in rows] == [
        (True, True)
    ]
