"""What customers do by themselves, and what a technician's absence leaves to do."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from contracts.bookings import AppointmentConfirmed, AppointmentMoved, AppointmentQuestioned, AppointmentReleased
from contracts.notices import CustomerOptedOut
from kit.auth import Scope
from kit.testing import Stage
from services.booking_service.app import Settings, build
from tests.services.booking_service.story import CASE, START, Office, failed, replied, requested, sent


async def asks(
    stage: Stage, appointment: dict[str, Any], path: str, body: dict[str, Any] | None = None
) -> httpx.Response:
    """As the customer of this appointment."""
    scope = Scope("appointment", appointment["appointment_id"])
    async with stage.http("customer", scope=scope) as http:
        if body is None:
            return await http.get(f"/v1/portal/{path}")
        return await http.post(f"/v1/portal/{path}", json=body)


async def test_J05_who_typed_the_code_of_a_letter_confirms(office: Office, stage: Stage) -> None:
    appointment = await office.assigns(start="2026-03-30T06:00:00Z")
    await stage.hears(requested(appointment, channel="letter"))
    await stage.hears(sent(appointment, rule_id="N02", template="booking_letter", channel="letter"))
    await stage.told_since()
    answer = await asks(stage, appointment, "appointment/confirm", {})
    (told,) = await stage.told_since()
    assert isinstance(told, AppointmentConfirmed)
    assert (answer.status_code, answer.json()["state"], told.by, told.attempt) == (200, "CONFIRMED", "portal", 1)
    assert (await asks(stage, appointment, "appointment/confirm", {})).status_code == 200
    assert await stage.told_since() == []


async def test_the_customer_sees_the_time_and_no_person(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    seen = (await asks(stage, appointment, "appointment")).json()
    assert set(seen) == {"window_from", "window_to", "alternatives", "state", "revision"}
    assert seen["state"] == "SENT"


@pytest.mark.parametrize("path", ["appointment", "appointment/confirm", "appointment/another-time"])
async def test_nobody_else_has_an_appointment_in_the_portal(office: Office, stage: Stage, path: str) -> None:
    await office.has("SENT")
    other = {"appointment_id": str(UUID(int=5))}
    body = None if path == "appointment" else {}
    assert (await asks(stage, other, path, body)).status_code == 404
    async with stage.http("dispatcher") as http:
        answer = await (http.get(f"/v1/portal/{path}") if body is None else http.post(f"/v1/portal/{path}", json=body))
    assert answer.status_code == 404


@pytest.mark.parametrize("state", ["OFFERED", "SENT", "REMINDED", "CONFIRMED"])
async def test_J15_another_time_is_a_question_and_the_time_is_to_be_rebooked(
    office: Office, stage: Stage, state: str
) -> None:
    appointment = await office.has(state)
    answer = await asks(stage, appointment, "appointment/another-time", {})
    (told,) = await stage.told_since()
    assert isinstance(told, AppointmentQuestioned)
    assert (told.cause, told.suggestion, answer.json()["state"]) == ("rebook_requested", "rebook", "REBOOK_REQUESTED")
    assert "answer_due" not in [timer.kind for timer in await stage.rows("timers")]
    assert (await office.sees(appointment))["needs_staff"] == "rebook_requested"


async def test_J15_a_new_time_that_was_agreed_on_the_phone_is_confirmed(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    await asks(stage, appointment, "appointment/another-time", {})
    await stage.told_since()
    now = await office.sees(appointment)
    answer = await office.moves_it(now, start="2026-03-10T09:00:00Z", agreed=True)
    moved, confirmed = await stage.told_since()
    assert isinstance(moved, AppointmentMoved)
    assert isinstance(confirmed, AppointmentConfirmed)
    assert (answer.status_code, moved.agreed, moved.revision, confirmed.by) == (200, True, 1, "staff")
    assert (await office.sees(appointment))["needs_staff"] is None


async def test_J15_who_wants_a_call_keeps_the_time(office: Office, stage: Stage) -> None:
    appointment = await office.has("CONFIRMED")
    await asks(stage, appointment, "appointment/another-time", {"reading": "contact"})
    (told,) = await stage.told_since()
    assert (told.cause, told.suggestion, (await office.sees(appointment))["state"]) == ("contact", "call", "CONFIRMED")


async def test_a_time_that_was_never_offered_is_none_of_the_portal(office: Office, stage: Stage) -> None:
    appointment = await office.has("PROPOSED")
    for path in ("appointment/confirm", "appointment/another-time"):
        answer = await asks(stage, appointment, path, {})
        assert (answer.status_code, answer.json()["code"]) == (409, "state-forbids")


async def test_J39_after_a_cancellation_nothing_is_confirmed_by_portal(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    await stage.hears(office.moves("T29", "AWAITING_REPLY", "MANUAL_FOLLOW_UP"))
    assert (await asks(stage, appointment, "appointment/confirm", {})).json()["code"] == "frozen"
    await stage.hears(office.moves("T31", "MANUAL_FOLLOW_UP", "CLOSED", close_reason="CANCELLED"))
    assert (await asks(stage, appointment, "appointment/confirm", {})).json()["code"] == "work-order-gone"
    assert (await office.sees(appointment))["state"] == "RELEASED"


async def test_less_than_two_hours_before_the_visit_the_portal_says_to_call(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    stage.clock.set(datetime.fromisoformat(START) - timedelta(minutes=119))
    answer = await asks(stage, appointment, "appointment/confirm", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "past-cut-off")


async def test_J10_one_key_confirms_what_most_likely_means_yes(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    await stage.hears(replied(appointment, "likely_ok", confidence="0.95"))
    await stage.told_since()
    listed = (await office.gets("/v1/appointments", needs_staff=True)).json()["items"]
    assert [(each["appointment_id"], each["suggestion"]) for each in listed] == [
        (appointment["appointment_id"], "confirm")
    ]
    path = f"/v1/appointments/{appointment['appointment_id']}/confirm"
    await office.posts(path, {"agreed_via": "reply", "notice": False})
    (told,) = await stage.told_since()
    assert isinstance(told, AppointmentConfirmed)
    assert (told.by, told.agreed_via, told.notice) == ("staff", "reply", False)
    assert (await office.gets("/v1/appointments", needs_staff=True)).json()["items"] == []


async def test_J10_in_tolerant_mode_the_confidence_decides(tmp_path: Any) -> None:
    stage = await Stage.open(build, tmp_path, settings=Settings, reply_mode="tolerant")
    office = Office(stage)
    await office.opens()
    appointment = await office.has("SENT")
    await stage.hears(replied(appointment, "likely_ok", confidence="0.80", reply_id=UUID(int=1)))
    (asked,) = await stage.told_since()
    assert (type(asked), (await office.sees(appointment))["state"]) == (AppointmentQuestioned, "SENT")
    await stage.hears(replied(appointment, "likely_ok", confidence="0.85", reply_id=UUID(int=2)))
    (told,) = await stage.told_since()
    assert (type(told), told.by) == (AppointmentConfirmed, "reply")  # type: ignore[attr-defined]
    await stage.close()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_J13_stop_is_one_question_in_any_order_and_a_confirmed_time_stands(
    office: Office, stage: Stage, order: tuple[int, int]
) -> None:
    appointment = await office.has("CONFIRMED")
    since = datetime(2026, 3, 2, tzinfo=UTC)
    facts = [
        replied(appointment, "stop", reply_id=UUID(int=3)),
        CustomerOptedOut(case_id=CASE, channel="sms", since=since, source="reply"),
    ]
    await stage.hears(*(facts[at] for at in order))
    (told,) = await stage.told_since()
    assert (type(told), told.cause) == (AppointmentQuestioned, "stop")  # type: ignore[attr-defined]
    assert (await office.sees(appointment))["state"] == "CONFIRMED"
    offer = await office.gets(f"/v1/appointments/{appointment['appointment_id']}/offerability", channel="sms")
    assert "sms-not-allowed" in offer.json()["codes"]


async def test_J16_an_absence_lists_what_it_meets_until_a_colleague_takes_it(office: Office, stage: Stage) -> None:
    appointment = await office.has("CONFIRMED")
    assert (await office.gets("/v1/conflicts")).json()["items"] == []
    away = {"technician_id": office.people["Tilo"], "from": START, "to": "2026-03-09T15:00:00Z", "kind": "sick"}
    await office.posts("/v1/absences", away)
    listed = (await office.gets("/v1/conflicts")).json()["items"]
    assert [each["appointment_id"] for each in listed] == [appointment["appointment_id"]]
    answer = await office.moves_it(appointment, technician_id=office.people["Tara"])
    (moved,) = await stage.told_since()
    assert (answer.status_code, moved.agreed, moved.window_changed, moved.revision) == (200, True, False, 0)  # type: ignore[attr-defined]
    assert ((await office.sees(appointment))["state"], (await office.gets("/v1/conflicts")).json()["items"]) == (
        "CONFIRMED",
        [],
    )


async def test_J16_another_time_that_nobody_agreed_to_has_to_be_offered_again(office: Office, stage: Stage) -> None:
    appointment = await office.has("CONFIRMED")
    await office.moves_it(appointment, technician_id=office.people["Tara"], start="2026-03-10T09:00:00Z")
    (moved,) = await stage.told_since()
    assert (moved.agreed, moved.window_changed, moved.revision) == (False, True, 1)  # type: ignore[attr-defined]
    assert (await office.sees(appointment))["state"] == "PROPOSED"


async def test_J18_on_hold_gives_the_time_back_and_says_that_it_was_offered(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    await stage.hears(office.moves("T15", "AWAITING_REPLY", "ON_HOLD"))
    (told,) = await stage.told_since()
    assert isinstance(told, AppointmentReleased)
    assert (told.reason, told.was_offered) == ("on_hold", True)
    assert (await stage.rows("blocks"), (await office.sees(appointment))["state"]) == ([], "RELEASED")


async def test_J07_after_a_failed_text_the_same_time_goes_by_letter(office: Office, stage: Stage) -> None:
    appointment = await office.assigns(start="2026-03-30T06:00:00Z")
    await stage.hears(requested(appointment), failed(appointment))
    await stage.hears(
        office.moves("T05", "PLANNING", "MANUAL_FOLLOW_UP"), office.moves("T17", "MANUAL_FOLLOW_UP", "PLANNING")
    )
    await stage.hears(requested(appointment, attempt=2, channel="letter"))
    now = await office.sees(appointment)
    assert (now["state"], now["channel"], now["attempt"], now["needs_staff"]) == ("OFFERED", "letter", 2, None)
