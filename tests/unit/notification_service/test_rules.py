"""The table of rules, and the desk that asks the gates in their order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from contracts.bookings import (
    AnswerOverdue,
    AppointmentConfirmed,
    AppointmentMoved,
    AppointmentOffered,
    AppointmentProposed,
    AppointmentReleased,
)
from contracts.cases import HandoverRequested, WorkOrderMoved
from contracts.codes import OptOutSource
from contracts.contacts import ContactRecorded
from contracts.samples import example
from services.notification_service.domain import rules
from services.notification_service.domain.correspondence import Contact, Correspondence
from services.notification_service.domain.desk import Desk, Fail, Hold, Later, Send, Suppress, Verdict, Wait
from services.notification_service.domain.dialogues import Dialogue
from services.notification_service.domain.lines import Line
from services.notification_service.domain.notices import Notice, Subject
from services.notification_service.domain.operators import DEFAULT_OPERATORS, Operators
from services.notification_service.domain.rules import BY_ID, RULES, Condition
from services.notification_service.domain.templates import Templates
from services.notification_service.texts import TEXTS
from services.notification_service.texts.letters import LETTERS

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)
NIGHT = datetime(2026, 3, 2, 21, tzinfo=UTC)
CASE, APPOINTMENT = UUID("0197f000-0000-7000-8000-00000000000a"), UUID("0197f000-0000-7000-8000-00000000000b")
DESK = Desk(
    Operators(DEFAULT_OPERATORS),
    Templates(TEXTS),
    Templates(LETTERS, letters=True),
    {"k1": b"test-key-0123456789abcdef"},
    b"pepper-0123456789",
)


def test_the_rules_of_now_are_these() -> None:
    assert [(rule.rule_id, rule.template, rule.audience.value, " ".join(rule.channels)) for rule in RULES] == [
        ("N01", "booking_offer", "customer", "sms"),
        ("N02", "booking_letter", "customer", "letter"),
        ("N03", "booking_reminder", "customer", "sms"),
        ("N04", "booking_confirmation", "customer", "sms"),
        ("N05", "appointment_reminder", "customer", "sms"),
        ("N06", "appointment_moved", "customer", "sms letter"),
        ("N07", "appointment_cancelled", "customer", "sms"),
        ("N08", "statutory_37", "customer", "letter"),
        ("N09", "stop_work", "technician", "sms"),
    ]


@pytest.mark.parametrize(
    ("event", "fits"),
    [
        (example(AppointmentOffered, channel="sms"), ["N01"]),
        (example(AppointmentOffered, channel="letter"), ["N02"]),
        (example(AppointmentMoved, agreed=False, window_changed=True), ["N06"]),
        (example(AppointmentMoved, agreed=False, window_changed=False), []),
        (example(AppointmentMoved, agreed=True, window_changed=True), []),
        (example(AppointmentReleased, reason="on_hold"), ["N07"]),
        (example(AppointmentReleased, reason="closed"), ["N07"]),
        (example(AppointmentReleased, reason="superseded"), []),
        (example(HandoverRequested, fact="rollout_announced", statutory=True), ["N08"]),
        (example(HandoverRequested, fact="rollout_announced", statutory=False), []),
        (example(HandoverRequested, fact="exchange_completed", statutory=True), []),
        (example(AnswerOverdue), ["N03"]),
        (example(AppointmentConfirmed, by="staff", notice=True), ["N04", "N05"]),
        (example(AppointmentConfirmed, by="staff", notice=False), ["N05"]),
        (example(AppointmentConfirmed, by="portal", notice=True), ["N05"]),
        (example(WorkOrderMoved, move="T29", from_state="READY"), ["N09"]),
        (example(WorkOrderMoved, move="T29", from_state="IN_PROGRESS"), ["N09"]),
        (example(WorkOrderMoved, move="T29", from_state="PLANNING"), []),
        (example(WorkOrderMoved, move="T32", from_state="READY"), []),
    ],
)
def test_an_event_makes_the_notices_whose_conditions_hold(event: rules.Event, fits: list[str]) -> None:
    assert [rule.rule_id for rule in rules.fitting(event)] == fits


def test_a_condition_on_a_field_that_the_event_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="has no field colour"):
        replace(BY_ID["N01"], conditions=(Condition("colour", "eq", "red"),))


@pytest.mark.parametrize(
    ("op", "value", "holds"),
    [
        ("eq", 1, True),
        ("ne", 1, False),
        ("in", (1, 2), True),
        ("exists", True, True),
        ("exists", False, False),
        ("gte", 1, True),
        ("lt", 1, False),
    ],
)
def test_every_operator_of_a_condition(op: str, value: object, holds: bool) -> None:
    assert Condition("attempt", op, value).holds(example(AnswerOverdue, attempt=1)) is holds


def test_an_unknown_operator_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no operator like"):
        Condition("attempt", "like", 1).holds(example(AnswerOverdue))


def a_case(**contact: object) -> Correspondence:
    """An offer to a customer who can be texted, unless `contact` says otherwise."""
    case = Correspondence(case_id=CASE, begun_at=MORNING, operator="auental")
    start = MORNING + timedelta(days=14)
    window = {"from": start, "to": start + timedelta(hours=2)}
    slot = {"appointment_id": APPOINTMENT, "revision": 0, "block_start": start, "window": window}
    case.propose(example(AppointmentProposed, **slot))
    case.offer(example(AppointmentOffered, appointment_id=APPOINTMENT, revision=0, attempt=1, window=window))
    heard = example(ContactRecorded)
    known = {"phone": "+4915112345678", "number_hash": "h", "sms_allowed": True, "language": "de"} | contact
    case.contacts.append(
        Contact(version=1, name=heard.name, email=None, address=heard.address, postcode="00101", **known)  # type: ignore[arg-type]
    )
    return case


def an_offer(case: Correspondence, rule_id: str = "N01", revision: int = 0, attempt: int = 1) -> Notice:
    about = Subject(appointment_id=APPOINTMENT, revision=revision, attempt=attempt)
    notice = Notice.planned(UUID(int=1), CASE, "N01:a", BY_ID[rule_id], about, MORNING)
    case.notices.append(notice)
    return notice


def verdict(case: Correspondence, notice: Notice, now: datetime = MORNING, line: Line | None = None) -> Verdict:
    return DESK.verdict(notice, case, line, None, now)


def test_an_open_gate_names_the_number() -> None:
    case = a_case()
    assert verdict(case, an_offer(case)) == Send("+4915112345678")


@pytest.mark.parametrize(
    ("contact", "cause"),
    [
        ({"phone": None}, "no_number"),
        ({"sms_allowed": False}, "not_allowed"),
        ({"phone": "+49301234567"}, "not_mobile"),
    ],
)
def test_who_cannot_be_texted_fails_even_at_night(contact: dict[str, object], cause: str) -> None:
    case = a_case(**contact)
    assert verdict(case, an_offer(case), NIGHT) == Fail(cause)


@pytest.mark.parametrize(("revision", "attempt"), [(1, 1), (0, 2)])
def test_what_is_no_longer_true_is_suppressed_before_anything_else_is_asked(revision: int, attempt: int) -> None:
    case = a_case(phone=None)
    assert verdict(case, an_offer(case, revision=revision, attempt=attempt)) == Suppress("no_longer_true")


def test_past_the_start_of_the_block_nothing_is_said_about_it() -> None:
    case = a_case()
    assert verdict(case, an_offer(case), MORNING + timedelta(days=14)) == Suppress("no_longer_true")


def test_a_notice_waits_for_the_case_and_the_contact() -> None:
    unknown, nobody = a_case(), a_case()
    unknown.operator = None
    nobody.contacts.clear()
    assert verdict(unknown, an_offer(unknown)) == verdict(nobody, an_offer(nobody)) == Wait()


def test_quiet_hours_hold_until_eight() -> None:
    case = a_case()
    assert verdict(case, an_offer(case), NIGHT) == Hold("quiet_hours", datetime(2026, 3, 3, 7, tzinfo=UTC))


def test_a_reminder_is_due_on_the_working_day_before() -> None:
    case = a_case()
    assert verdict(case, an_offer(case, "N05")) == Later(datetime(2026, 3, 13, 15, tzinfo=UTC))


def test_D_DP_6_an_opt_out_closes_every_gate_but_that_of_the_last_text() -> None:
    case, line = a_case(), Line(number_hash="h")
    line.opt_out("auental", MORNING, OptOutSource.REPLY)
    closing = Notice.planned(UUID(int=2), CASE, "STOP:a", BY_ID["STOP"], Subject(), MORNING)
    assert verdict(case, an_offer(case), line=line) == Fail("opted_out")
    assert verdict(case, closing, line=line) == Send("+4915112345678")


def test_an_opt_out_is_for_one_operator() -> None:
    line = Line(number_hash="h")
    line.opt_out("fjordnett", MORNING, OptOutSource.REPLY)
    case = a_case()
    assert verdict(case, an_offer(case), line=line) == Send("+4915112345678")


@pytest.mark.parametrize(
    ("taken", "free_at"),
    [
        ([], None),
        ([1, 2], None),
        ([1, 2, 23], 1),
        ([1, 2, 25], None),
        ([24 * day for day in range(1, 21)], 10 * 24),
        ([24 * day + 1 for day in range(1, 20)], None),
    ],
)
def test_SEC_LIM_09_three_texts_a_day_and_twenty_in_thirty_days(taken: list[int], free_at: int | None) -> None:
    line = Line(number_hash="h", taken=tuple(sorted(MORNING - timedelta(hours=hours) for hours in taken)))
    assert line.free_at(MORNING) == (MORNING + timedelta(hours=free_at) if free_at else None)


def test_texts_older_than_thirty_days_are_not_kept() -> None:
    line = Line(number_hash="h", taken=(MORNING - timedelta(days=31), MORNING - timedelta(days=1)))
    line.take(MORNING)
    assert line.taken == (MORNING - timedelta(days=1), MORNING)


def test_a_portal_puts_its_link_into_the_offer_and_hides_it_in_what_is_kept() -> None:
    operators = Operators((DEFAULT_OPERATORS[0].model_copy(update={"portal_url": "https://t.example/r/"}),))
    desk = replace(DESK, operators=operators)
    case = a_case()
    salt, code = next(desk.code_candidates(APPOINTMENT, 0, 1))
    about = {"appointment_id": APPOINTMENT, "revision": 0, "attempt": 1, "salt": salt, "key_id": desk.key_id}
    dialogue = Dialogue(dialogue_id=UUID(int=3), code_hash=desk.hash(code), expires_at=NIGHT, **about)  # type: ignore[arg-type]
    case.dialogues.append(dialogue)
    text = desk.render(an_offer(case), case, None)
    assert f"https://t.example/r/{desk.link_token(dialogue)}" in text.sent
    assert desk.code(dialogue) == code
    assert desk.link_token(dialogue) not in text.kept
    assert code[:3] not in text.kept
