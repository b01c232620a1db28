"""Offers, replies and reminders: what each answer does to the appointment, in any order of topics."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.bookings import AnswerOverdue, AppointmentConfirmed, AppointmentOffered, AppointmentQuestioned
from contracts.cases import CasePurged
from contracts.contacts import ContactRecorded
from contracts.notices import CustomerOptedOut
from kit.testing import Stage
from services.booking_service.app import Settings, build
from tests.services.booking_service.story import (
    CASE,
    MONDAY,
    ORDER,
    REPLY,
    Office,
    contact,
    failed,
    opened,
    replied,
    requested,
    sent,
    work_order,
)

DEADLINE = datetime(2026, 3, 5, 11, tzinfo=UTC)
"""Noon in Berlin, two working days before the block on Monday; the third working day would be the same."""


async def test_J01_4_an_offer_goes_out_with_its_deadline(office: Office, stage: Stage) -> None:
    appointment = await office.assigns()
    await stage.hears(requested(appointment))
    (told,) = await stage.told_since()
    assert isinstance(told, AppointmentOffered)
    assert (told.attempt, told.channel, told.answer_by, told.entry_right) == (1, "sms", DEADLINE, False)
    assert (await office.sees(appointment))["state"] == "OFFERED"
    assert await stage.rows("timers") == []


async def test_A3_the_deadline_is_waited_for_from_the_sending_on(office: Office, stage: Stage) -> None:
    await office.has("SENT")
    (timer,) = await stage.rows("timers")
    assert (timer.kind, timer.due_at, timer.payload) == ("answer_due", DEADLINE, {"revision": 0, "attempt": 1})


async def test_A3_a_late_sending_is_given_more_time(office: Office, stage: Stage) -> None:
    appointment = await office.assigns(start="2026-03-16T07:00:00Z")
    await stage.hears(requested(appointment))
    await stage.hears(sent(appointment, sent_on="2026-03-04", sent_at=datetime(2026, 3, 4, 8, tzinfo=UTC)))
    assert (await office.sees(appointment))["answer_by"] == "2026-03-09T11:00:00Z"


async def test_a_repeated_request_is_a_copy_and_an_older_one_is_stale(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    assert await office.hears(requested(appointment), requested(appointment, attempt=0)) == []
    assert (await office.sees(appointment))["state"] == "SENT"


async def test_J08_an_offer_that_may_not_be_made_is_a_question_with_its_code(office: Office, stage: Stage) -> None:
    appointment = await office.assigns(start="2026-03-03T07:00:00Z")
    await stage.hears(requested(appointment))
    (told,) = await stage.told_since()
    assert isinstance(told, AppointmentQuestioned)
    assert (told.cause, told.code, told.attempt, told.channel) == ("offer_refused", "lead-time", 1, "sms")
    assert str(told.first_possible) == "2026-03-05"
    seen = await office.sees(appointment)
    assert (seen["state"], seen["needs_staff"]) == ("PROPOSED", "offer_refused")


async def test_an_offer_of_an_older_time_is_refused(office: Office, stage: Stage) -> None:
    appointment = await office.assigns()
    await office.moves_it(appointment, start="2026-03-10T09:00:00Z")
    await stage.told_since()
    await stage.hears(requested(appointment))
    (told,) = await stage.told_since()
    assert (told.cause, told.code) == ("offer_refused", "stale-version")


async def test_a_letter_names_its_alternatives_and_gives_a_right_of_entry(office: Office, stage: Stage) -> None:
    appointment = await office.assigns(start="2026-04-13T06:00:00Z")
    await stage.hears(requested(appointment, channel="letter"))
    (told,) = await stage.told_since()
    assert (len(told.alternatives), told.entry_right, told.channel) == (2, True, "letter")
    answer = await office.posts(
        f"/v1/appointments/{appointment['appointment_id']}/confirm", {"agreed_via": "entry_right"}
    )
    assert answer.json()["state"] == "CONFIRMED"


async def test_J07_an_offer_that_cannot_be_sent_is_a_proposal_again(office: Office) -> None:
    appointment = await office.has("OFFERED")
    assert await office.hears(failed(appointment, permanence="transient", cause="vendor_5xx")) == []
    assert (await office.sees(appointment))["state"] == "OFFERED"
    assert await office.hears(failed(appointment, try_no=2)) == []
    assert (await office.sees(appointment))["state"] == "PROPOSED"


async def test_J07_what_was_sent_and_not_delivered_needs_a_person(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    await stage.hears(failed(appointment, cause="undelivered", after_send=True))
    seen = await office.sees(appointment)
    assert (seen["state"], seen["needs_staff"]) == ("SENT", "undelivered")


async def test_J01_5_an_ok_confirms(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    await stage.hears(replied(appointment))
    (told,) = await stage.told_since()
    assert isinstance(told, AppointmentConfirmed)
    assert (told.by, told.reply_id, told.notice, told.attempt) == ("reply", REPLY, False, 1)
    assert [timer.kind for timer in await stage.rows("timers")] == ["unreported"]


async def test_J12_a_reply_that_overtakes_the_sending_confirms(office: Office) -> None:
    appointment = await office.has("OFFERED")
    assert await office.hears(replied(appointment), sent(appointment)) == ["AppointmentConfirmed"]
    assert (await office.sees(appointment))["state"] == "CONFIRMED"


async def test_J11_no_answer_reminds_and_a_late_ok_still_confirms(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    await stage.passes(until=DEADLINE - timedelta(seconds=1))
    assert await stage.told_since() == []
    await stage.passes(timedelta(seconds=1))
    (told,) = await stage.told_since()
    assert isinstance(told, AnswerOverdue)
    assert (told.answer_by, told.channel) == (DEADLINE, "sms")
    assert (await office.sees(appointment))["state"] == "REMINDED"
    assert await office.hears(replied(appointment)) == ["AppointmentConfirmed"]


async def test_J11_an_ok_to_the_time_before_the_move_is_stale(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    await office.moves_it(appointment, start="2026-03-10T09:00:00Z")
    await stage.told_since()
    await stage.hears(replied(appointment))
    (told,) = await stage.told_since()
    assert (told.cause, told.revision, told.reply_id) == ("stale", 0, REPLY)
    assert (await office.sees(appointment))["state"] == "PROPOSED"


async def test_J09_an_unclear_reply_asks_staff_and_nobody_is_reminded(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    await stage.hears(replied(appointment, "unclear", confidence="0.20"))
    (told,) = await stage.told_since()
    assert (told.cause, told.suggestion) == ("unclear", "call")
    await stage.passes(timedelta(days=7))
    assert await stage.told_since() == []
    assert (await office.sees(appointment))["state"] == "SENT"


async def test_J15_a_customer_who_declines_wants_another_time(office: Office, stage: Stage) -> None:
    appointment = await office.has("CONFIRMED")
    await stage.hears(replied(appointment, "decline"))
    (told,) = await stage.told_since()
    seen = await office.sees(appointment)
    assert (told.cause, told.suggestion) == ("decline", "rebook")
    assert (seen["state"], seen["needs_staff"]) == ("REBOOK_REQUESTED", "decline")


async def test_a_second_ok_is_only_kept_on_record(office: Office) -> None:
    appointment = await office.has("CONFIRMED")
    assert await office.hears(replied(appointment)) == []


async def test_what_most_likely_means_yes_confirms_where_the_operator_is_tolerant(tmp_path) -> None:
    stage = await Stage.open(build, tmp_path, settings=Settings, reply_mode="tolerant")
    office = Office(stage)
    await office.opens()
    appointment = await office.has("SENT")
    assert await office.hears(replied(appointment, "likely_ok", confidence="0.95")) == ["AppointmentConfirmed"]
    await stage.close()


async def test_J10_in_exact_mode_it_is_one_key_for_staff(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    await stage.hears(replied(appointment, "likely_ok", confidence="0.95"))
    (told,) = await stage.told_since()
    assert (told.cause, told.suggestion) == ("likely_ok", "confirm")


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ((contact(2, phone="+49231123456"),), "no-mobile"),
        ((contact(2, sms_allowed=False),), "sms-not-allowed"),
        (
            (CustomerOptedOut(case_id=CASE, channel="sms", since=datetime(2026, 3, 2, tzinfo=UTC), source="reply"),),
            "sms-not-allowed",
        ),
    ],
)
async def test_J13_nobody_gets_a_text_who_has_no_mobile_or_wants_none(
    office: Office, stage: Stage, facts, code
) -> None:
    appointment = await office.assigns()
    await stage.hears(*facts)
    await stage.hears(requested(appointment))
    (told,) = await stage.told_since()
    assert (told.cause, told.code) == ("offer_refused", code)


async def test_an_older_contact_is_ignored_and_a_renewed_consent_ends_the_opt_out(office: Office, stage: Stage) -> None:
    appointment = await office.assigns()
    opted_out = CustomerOptedOut(case_id=CASE, channel="sms", since=datetime(2026, 3, 2, tzinfo=UTC), source="staff")
    await stage.hears(opted_out, contact(3, sms_allowed=False), contact(2), contact(4))
    assert await office.hears(requested(appointment)) == ["AppointmentOffered"]


async def test_the_contact_may_come_before_the_case_and_its_number_is_not_kept(stage: Stage) -> None:
    await stage.hears(contact())
    await stage.hears(opened(), work_order())
    (case,) = await stage.rows("cases")
    assert (case.operator, case.contact.mobile, case.contact.postal) == ("stadtwerk", True, True)
    assert "Beispiel" not in repr(case)
    assert "4915112345678" not in repr(case)


async def test_J31_the_contact_is_deleted_by_tombstone_and_by_purge(office: Office, stage: Stage) -> None:
    await stage.hears_forget(ContactRecorded, str(CASE))
    (forgotten,) = await stage.rows("cases")
    await stage.hears(contact(1))
    (still,) = await stage.rows("cases")
    await office.assigns()
    (appointment,) = await stage.rows("appointments")
    await office.posts(f"/v1/appointments/{appointment.appointment_id}/release", {"reason": "Frau Beispiel is away"})
    await stage.hears(contact(2))
    (written,) = await stage.rows("work_orders")
    await stage.hears(CasePurged(case_id=CASE, scope="contact", reason="retention"))
    (purged,) = await stage.rows("cases")
    (order,) = await stage.rows("work_orders")
    assert [row.contact for row in (forgotten, still, purged)] == [None, None, None]
    assert (written.comment, order.comment) == ("Frau Beispiel is away", None)


async def test_a_visit_that_nobody_reports_is_listed(office: Office, stage: Stage) -> None:
    appointment = await office.has("CONFIRMED")
    await stage.passes(until=datetime(2026, 3, 10, 7, 44, tzinfo=UTC))
    assert (await office.sees(appointment))["needs_staff"] is None
    await stage.passes(timedelta(minutes=1))
    assert (await office.sees(appointment))["needs_staff"] == "unreported"
    assert str(ORDER) == appointment["work_order_id"]
    assert appointment["block_start"].startswith(MONDAY)
