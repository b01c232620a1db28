"""Whether a reply confirms, and every way to be too late."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.codes import Match, QuestionCause, Reading
from services.booking_service.domain.offering import SUGGESTIONS
from services.booking_service.domain.operators import ReplyMode
from services.booking_service.domain.replies import CONFIRM, ON_RECORD, Verdict, judge
from services.booking_service.domain.states import AppointmentState
from tests.unit.booking_service.given import NOW, START, a_reply, an_appointment, an_operator, an_order

EXACT, TOLERANT = an_operator(), an_operator(reply_mode=ReplyMode.TOLERANT)
ANSWERABLE = (
    AppointmentState.OFFERED,
    AppointmentState.SENT,
    AppointmentState.REMINDED,
    AppointmentState.REBOOK_REQUESTED,
)


def _offered(state: AppointmentState = AppointmentState.SENT, **changes: Any):
    return an_appointment(state, attempt=1, **changes)


@pytest.mark.parametrize("state", ANSWERABLE)
def test_an_ok_confirms_also_late_and_before_the_sending_was_heard_of(state: AppointmentState) -> None:
    assert judge(a_reply(), _offered(state), an_order(), EXACT, NOW) == CONFIRM


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"reply": {"revision": 1}}, QuestionCause.STALE),
        ({"reply": {"attempt": 0}}, QuestionCause.STALE),
        ({"state": AppointmentState.PROPOSED}, QuestionCause.STALE),
        ({"state": AppointmentState.RELEASED}, QuestionCause.STALE),
        ({"order": {"gone_at": NOW}}, QuestionCause.AFTER_CANCEL),
        ({"order": {"gone_at": NOW}, "reply": {"reading": Reading.CONTACT}}, QuestionCause.AFTER_CANCEL),
        ({"order": {"frozen": True}}, QuestionCause.AFTER_CANCEL),
        ({"order": {"frozen": True}, "reply": {"reading": Reading.DECLINE}}, QuestionCause.DECLINE),
        ({"now": START - timedelta(minutes=119)}, QuestionCause.TOO_LATE),
        ({"now": START + timedelta(days=1)}, QuestionCause.TOO_LATE),
        ({"reply": {"reading": Reading.STOP}}, QuestionCause.STOP),
        ({"reply": {"reading": Reading.LIKELY_OK, "confidence": Decimal("0.99")}}, QuestionCause.LIKELY_OK),
    ],
)
def test_what_cannot_confirm_becomes_a_question_with_its_cause(changes: dict[str, Any], cause: QuestionCause) -> None:
    verdict = judge(
        a_reply(**changes.get("reply", {})),
        _offered(changes.get("state", AppointmentState.SENT)),
        an_order(**changes.get("order", {})),
        EXACT,
        changes.get("now", NOW),
    )
    assert verdict == Verdict(cause=cause)


def test_two_hours_before_the_block_an_ok_still_confirms() -> None:
    assert judge(a_reply(), _offered(), an_order(), EXACT, START - timedelta(hours=2)) == CONFIRM


@pytest.mark.parametrize("reading", [Reading.EXACT_OK, Reading.LIKELY_OK])
def test_a_second_ok_is_only_kept_on_record(reading: Reading) -> None:
    confirmed = _offered(AppointmentState.CONFIRMED)
    assert judge(a_reply(reading=reading), confirmed, an_order(), EXACT, NOW) == ON_RECORD


def test_an_ok_to_an_appointment_nobody_knows_is_stale() -> None:
    assert judge(a_reply(), None, an_order(), EXACT, NOW) == Verdict(cause=QuestionCause.STALE)


@pytest.mark.parametrize(("match", "confirms"), [(Match.CODE, True), (Match.STAFF, True), (Match.NUMBER_UNIQUE, False)])
def test_where_a_code_is_required_a_number_alone_does_not_confirm(match: Match, confirms: bool) -> None:
    strict = an_operator(code_required=True)
    assert judge(a_reply(match=match), _offered(), an_order(), strict, NOW).confirms is confirms


@pytest.mark.parametrize(("confidence", "confirms"), [("0.85", True), ("0.84", False)])
def test_the_threshold_belongs_to_the_confident(confidence: str, confirms: bool) -> None:
    reply = a_reply(reading=Reading.LIKELY_OK, confidence=Decimal(confidence))
    assert judge(reply, _offered(), an_order(), TOLERANT, NOW).confirms is confirms


def test_whatever_needs_staff_comes_with_a_suggestion() -> None:
    assert set(SUGGESTIONS) == {*QuestionCause, "undelivered", "unreported"}
