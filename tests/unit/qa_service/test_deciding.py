"""What a reviewer may do: never on own work, only while the lease lasts, and only what the findings allow."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from contracts.codes import Result, ReworkKind, ReworkReason
from services.qa_service.domain import deciding
from services.qa_service.domain.cases import ReviewedCase
from services.qa_service.domain.deciding import ReworkWish
from services.qa_service.domain.facts import Hit, Verdict
from services.qa_service.domain.judging import judge
from services.qa_service.domain.records import Addition, FindingState, Review
from services.qa_service.domain.states import Column, ReviewState
from services.qa_service.errors import (
    DecidedMeanwhile,
    LeaseLost,
    OpenFindings,
    OwnWork,
    TooManyRounds,
    UnknownFinding,
)
from services.qa_service.rules import mandatory_evidence, plan_complete, times_plausible
from tests.unit.qa_service.builders import NOW, ORDER, REVIEW, RITA, a_case, a_visit, an_act, an_item

DESK = ReworkWish(ReworkKind.DESK, [ReworkReason.PHOTOS])
PEOPLE = [f"person:local:{name}" for name in ("anna", "bert", "cleo", "dirk", "emma", "finn")]


def the(case: ReviewedCase) -> Review:
    found = case.review(REVIEW)
    assert found is not None
    return found


def with_findings(case: ReviewedCase, *verdicts: Verdict) -> ReviewedCase:
    judge(case, the(case), verdicts)
    return case


ERROR = Verdict(plan_complete.RULE, (Hit("meter", "device_missing"),))
WARNING = Verdict(times_plausible.RULE, (Hit("finished_at", "duration"),))
PAPERS = Verdict(mandatory_evidence.RULE, (Hit("photo_old_reading", "evidence_missing"),))


@given(data=some.data())
def test_nobody_takes_approves_or_returns_own_work(data: some.DataObject) -> None:
    """Over random teams: whoever is in no part of the work may, all others may not."""
    team = some.sets(some.sampled_from(PEOPLE), min_size=1)
    performed, adders, uploaders = (tuple(sorted(data.draw(team))) for _ in range(3))
    reporter, reviewer = data.draw(some.sampled_from(PEOPLE)), data.draw(some.sampled_from(PEOPLE))
    case = a_case(Column.IN_REVIEW, performed_by=performed, reported_by=reporter)
    case.visits.append(a_visit(work_order_id=UUID(int=0xA2), performed_by=(PEOPLE[0],)))  # of the same case
    the(case).reviewer = reviewer
    for number, adder in enumerate(adders, 2):
        case.additions.append(
            Addition(
                work_order_id=ORDER,
                evidence_version=number,
                evidence=(),
                added_by=adder,
                company_id=None,
                received_at=NOW,
            )
        )
    for number, uploader in enumerate(uploaders):
        stored = an_item(number, "other").stored
        assert stored is not None
        stored.uploaded_by = uploader
        case.evidence.append(stored)
    own = {*performed, *adders, *uploaders, reporter, PEOPLE[0]}
    try:
        deciding.may_decide(case, the(case), reviewer, an_act())
        refused = False
    except OwnWork:
        refused = True
    assert refused == (reviewer in own)


def test_an_approval_fixes_the_digest_and_locks_the_evidence() -> None:
    item = an_item(1, "photo_new_meter")
    assert item.stored is not None
    case = a_case(Column.IN_REVIEW, evidence=(item.ref,))
    case.evidence.append(item.stored)
    deciding.approve(case, the(case), RITA, an_act(), accepted={})
    review = the(case)
    assert (review.state, review.decided_at, item.stored.locked_at) == (ReviewState.APPROVED, NOW, NOW)
    assert review.seal is not None
    assert review.seal.digest == review.digest
    assert [each.sha256 for each in review.seal.items] == [item.stored.sha256]


def test_warnings_do_not_hinder_and_errors_do() -> None:
    case = with_findings(a_case(Column.IN_REVIEW), WARNING)
    deciding.approve(case, the(case), RITA, an_act(), accepted={})
    assert the(case).state is ReviewState.APPROVED
    case = with_findings(a_case(Column.IN_REVIEW), WARNING, ERROR)
    with pytest.raises(OpenFindings) as refused:
        deciding.approve(case, the(case), RITA, an_act(), accepted={1: "only the warning"})
    assert [each["rule"] for each in refused.value.findings] == ["Q11"]
    assert (the(case).state, case.told) == (ReviewState.IN_REVIEW, [])


def test_an_accepted_error_is_kept_with_its_reason() -> None:
    case = with_findings(a_case(Column.IN_REVIEW), ERROR)
    deciding.approve(case, the(case), RITA, an_act(), accepted={1: "planner agreed"})
    (finding,) = case.findings
    assert (finding.state, finding.accepted_reason) == (FindingState.ACCEPTED, "planner agreed")


def test_papers_that_were_announced_as_missing_cannot_be_accepted() -> None:
    case = with_findings(a_case(Column.IN_REVIEW, result=Result.DOCS_INCOMPLETE), PAPERS)
    with pytest.raises(OpenFindings):
        deciding.approve(case, the(case), RITA, an_act(), accepted={1: "never mind"})
    other = with_findings(a_case(Column.IN_REVIEW), PAPERS)
    deciding.approve(other, the(other), RITA, an_act(), accepted={1: "seen on another photo"})
    assert the(other).state is ReviewState.APPROVED


def test_a_finding_that_is_not_open_cannot_be_accepted() -> None:
    case = with_findings(a_case(Column.IN_REVIEW), ERROR)
    judge(case, the(case), [Verdict(plan_complete.RULE, ())])
    with pytest.raises(UnknownFinding):
        deciding.approve(case, the(case), RITA, an_act(), accepted={1: "it is fixed"})


def test_a_finding_that_comes_back_is_open_again_under_its_number() -> None:
    case, gone = with_findings(a_case(Column.IN_REVIEW), ERROR), Verdict(plan_complete.RULE, ())
    assert judge(case, the(case), [gone]) == []
    assert case.findings[0].state is FindingState.FIXED
    assert judge(case, the(case), [ERROR]) == []
    assert [(each.seq, each.state) for each in case.findings] == [(1, FindingState.OPEN)]
    assert [(each.rule_id, each.findings) for each in the(case).asked] == [("Q11", 1)]


def test_the_lease_is_over_before_the_decision() -> None:
    case, late = a_case(Column.IN_REVIEW), an_act(NOW + timedelta(minutes=30))
    for decide in (
        lambda: deciding.approve(case, the(case), RITA, late, accepted={}),
        lambda: deciding.ask_rework(case, the(case), RITA, late, DESK),
        lambda: deciding.give_back(case, the(case), RITA, late),
    ):
        with pytest.raises(LeaseLost):
            decide()
    assert the(case).state is ReviewState.IN_REVIEW


def test_taking_again_prolongs_and_another_one_has_to_wait_until_it_is_over() -> None:
    case, later = a_case(Column.IN_REVIEW), an_act(NOW + timedelta(minutes=20))
    with pytest.raises(LeaseLost):
        deciding.take(case, the(case), PEOPLE[1], later)
    deciding.take(case, the(case), RITA, later)
    assert the(case).lease_until == NOW + timedelta(minutes=50)
    deciding.take(case, the(case), PEOPLE[1], an_act(NOW + timedelta(minutes=50)))
    assert the(case).reviewer == PEOPLE[1]


def test_the_timer_of_an_older_lease_takes_nothing_away() -> None:
    case = a_case(Column.IN_REVIEW)
    deciding.end_lease(case, the(case), an_act(NOW + timedelta(minutes=29)))
    assert the(case).state is ReviewState.IN_REVIEW
    deciding.end_lease(case, the(case), an_act(NOW + timedelta(minutes=30)))
    assert (the(case).state, the(case).reviewer) == (ReviewState.PENDING, None)


@pytest.mark.parametrize(
    "column", [Column.APPROVED, Column.DESK_REWORK, Column.FIELD_REWORK, Column.CLOSED, Column.WAIVED]
)
def test_what_is_decided_is_not_decided_again(column: Column) -> None:
    case = a_case(column)
    for decide in (
        lambda: deciding.take(case, the(case), RITA, an_act()),
        lambda: deciding.approve(case, the(case), RITA, an_act(), accepted={}),
        lambda: deciding.ask_rework(case, the(case), RITA, an_act(), DESK),
    ):
        with pytest.raises(DecidedMeanwhile) as refused:
            decide()
        assert refused.value.decision == the(case).state


@pytest.mark.parametrize(("rounds", "refused"), [(2, False), (3, True), (4, True)])
def test_desk_rework_ends_with_the_third_round(rounds: int, refused: bool) -> None:
    case = a_case(Column.IN_REVIEW)
    the(case).round = rounds
    if refused:
        with pytest.raises(TooManyRounds):
            deciding.ask_rework(case, the(case), RITA, an_act(), DESK)
    else:
        deciding.ask_rework(case, the(case), RITA, an_act(), DESK)
    deciding_ = ReviewState.IN_REVIEW if refused else ReviewState.REWORK
    assert the(case).state is deciding_


def test_rework_is_due_by_its_kind() -> None:
    for kind, day in ((ReworkKind.DESK, 17), (ReworkKind.FIELD, 30)):  # from Monday 14 December 2026, without the 24th
        case = a_case(Column.IN_REVIEW)
        deciding.ask_rework(case, the(case), RITA, an_act(), ReworkWish(kind, [ReworkReason.SERIAL]))
        assert case.reworks[0].due_at.day == day
