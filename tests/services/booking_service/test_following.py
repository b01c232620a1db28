"""How appointments follow their work orders and cases; closings that overtake what they close."""

from datetime import date
from itertools import permutations
from uuid import UUID

import pytest

from contracts.cases import (
    CaseAbandoned,
    CaseAmended,
    CaseCancelled,
    CaseCompleted,
    CaseReopened,
    ExceptionApproved,
)
from contracts.parts import Area
from kit.testing import Stage
from tests.services.booking_service.story import (
    CASE,
    IMSYS,
    NOTICE,
    ORDER,
    SECOND,
    START,
    Moves,
    Office,
    opened,
    replied,
    requested,
    sent,
    work_order,
)

PARTS = ((1, "2026-03-03"), (2, "2026-03-04"))
"""Two parties are informed by letter, one a day later."""
COMPLETED = CaseCompleted(case_id=CASE, completion=1, evidence=(), elapsed_seconds=1)
ENDINGS = (
    CaseCancelled(case_id=CASE, reason="cancelled_by_partner", orders=()),
    CaseAbandoned(case_id=CASE, reason="no_more_attempts", orders=()),
)


@pytest.mark.parametrize(
    ("move", "came_from", "to", "reason"),
    [
        ("T15", "AWAITING_REPLY", "ON_HOLD", "on_hold"),
        ("T21", "RESOLVED", "CLOSED", "closed"),
        ("T24", "RESOLVED", "CLOSED", "closed"),
        ("T27", "MANUAL_FOLLOW_UP", "CLOSED", "closed"),
        ("T28", "OPEN", "CLOSED", "closed"),
        ("T31", "MANUAL_FOLLOW_UP", "CLOSED", "closed"),
        ("T22", "RESOLVED", "REOPENED", "superseded"),
        ("T23", "REOPENED", "CLOSED", "superseded"),
        ("T33", "MANUAL_FOLLOW_UP", "REOPENED", "superseded"),
    ],
)
async def test_moves_that_give_the_time_back(office: Office, stage: Stage, move, came_from, to, reason) -> None:
    appointment = await office.has("SENT")
    await stage.hears(office.moves(move, came_from, to))
    (told,) = await stage.told_since()
    (order,) = await stage.rows("work_orders")
    assert (type(told).__name__, told.reason, told.was_offered) == ("AppointmentReleased", reason, True)
    assert (order.gone_at is not None, order.appointment_id) == (reason == "closed", None)
    assert (await stage.rows("blocks"), await stage.rows("timers")) == ([], [])
    assert (await office.sees(appointment))["state"] == "RELEASED"


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda fact: type(fact).__name__)
async def test_the_end_of_a_case_ends_all_its_appointments(office: Office, stage: Stage, ending) -> None:
    await office.has("CONFIRMED")
    await stage.hears(work_order(SECOND, 2))
    assert await office.hears(ending) == ["AppointmentReleased"]
    assert all(order.gone_at for order in await stage.rows("work_orders"))
    answer = await office.posts(
        "/v1/appointments", {"work_order_id": str(SECOND), "technician_id": office.people["Tilo"], "start": START}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "work-order-gone")


async def test_J22_a_follow_up_is_planned_although_its_case_is_completed(office: Office, stage: Stage) -> None:
    await office.has("CONFIRMED")
    await stage.hears(office.moves("T20", "IN_PROGRESS", "RESOLVED", outcome="PARTIAL"), work_order(SECOND, 2))
    await stage.hears(office.moves("T21", "RESOLVED", "CLOSED"), COMPLETED)
    first, second = await stage.rows("work_orders")
    assert (first.gone_at is not None, second.gone_at) == (True, None)
    asked = {"work_order_id": str(SECOND), "technician_id": office.people["Tilo"], "start": START}
    assert (await office.posts("/v1/appointments", asked)).status_code == 201


async def test_J37_an_undecided_cancellation_freezes_until_it_is_decided(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    await stage.hears(office.moves("T29", "AWAITING_REPLY", "MANUAL_FOLLOW_UP", cancellation="undecided"))
    frozen = await office.sees(appointment)
    path = f"/v1/appointments/{appointment['appointment_id']}"
    answers = [
        await office.moves_it(frozen, start="2026-03-10T09:00:00Z"),
        await office.posts(f"{path}/confirm", {"agreed_via": "phone"}),
        await office.posts(f"{path}/release", {"reason": "customer said so"}),
    ]
    assert frozen["frozen"] is True
    assert await stage.rows("timers") == []
    assert [answer.json()["code"] for answer in answers] == ["frozen"] * 3
    assert len(await stage.rows("blocks")) == 3
    assert await office.hears(office.moves("T31", "MANUAL_FOLLOW_UP", "CLOSED")) == ["AppointmentReleased"]


async def test_J39_an_ok_after_the_cancellation_never_confirms(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    await stage.hears(office.moves("T29", "AWAITING_REPLY", "MANUAL_FOLLOW_UP", cancellation="undecided"))
    await stage.hears(replied(appointment))
    (told,) = await stage.told_since()
    assert (told.cause, told.suggestion) == ("after_cancel", "call")
    assert (await office.sees(appointment))["state"] == "SENT"


async def test_a_cancellation_that_is_withdrawn_lets_things_go_on(office: Office, stage: Stage) -> None:
    appointment = await office.has("CONFIRMED")
    await stage.hears(
        office.moves("T29", "READY", "MANUAL_FOLLOW_UP", cancellation="undecided"),
        office.moves("T34", "MANUAL_FOLLOW_UP", "MANUAL_FOLLOW_UP", reason="cancellation_withdrawn"),
    )
    assert (await office.sees(appointment))["frozen"] is False
    assert [timer.kind for timer in await stage.rows("timers")] == ["unreported"]


@pytest.mark.parametrize("state", ["PROPOSED", "SENT", "REMINDED"])
async def test_T12_staff_sent_it_to_execution_so_it_is_confirmed(office: Office, stage: Stage, state: str) -> None:
    appointment = await office.has(state)
    assert await office.hears(office.moves("T12", "MANUAL_FOLLOW_UP", "READY")) == ["AppointmentConfirmed"]
    assert (await office.sees(appointment))["confirmed_by"] == "staff"


async def test_T11_what_is_confirmed_already_is_told_once(office: Office) -> None:
    await office.has("CONFIRMED")
    assert await office.hears(office.moves("T11", "MANUAL_FOLLOW_UP", "READY")) == []


async def test_T17_planned_anew_an_ok_to_the_old_offer_is_stale(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    await stage.hears(office.moves("T17", "MANUAL_FOLLOW_UP", "PLANNING"))
    await stage.hears(replied(appointment))
    (told,) = await stage.told_since()
    assert (told.cause, (await office.sees(appointment))["state"]) == ("stale", "PROPOSED")
    assert await office.hears(requested(appointment, attempt=2)) == ["AppointmentOffered"]


async def test_T10_whoever_takes_over_by_hand_wants_no_reminder(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    await stage.hears(office.moves("T10", "AWAITING_REPLY", "MANUAL_FOLLOW_UP"))
    assert (await stage.rows("timers"), (await office.sees(appointment))["state"]) == ([], "SENT")
    assert await office.hears(replied(appointment)) == ["AppointmentConfirmed"]


@pytest.mark.parametrize(
    ("outcome", "sub_reason", "told"),
    [
        ("OK", None, "AppointmentKept"),
        ("PARTIAL", None, "AppointmentKept"),
        ("FAILED", "customer_not_home", "AppointmentMissed"),
        ("FAILED", "no_access", "AppointmentKept"),
    ],
)
async def test_J19_the_visit_ends_the_appointment(office: Office, stage: Stage, outcome, sub_reason, told) -> None:
    await office.has("CONFIRMED")
    start = office.moves("T18", "READY", "IN_PROGRESS")
    visit = office.moves("T20", "IN_PROGRESS", "RESOLVED", outcome=outcome, sub_reason=sub_reason)
    assert await office.hears(start, visit) == [told]
    (order,) = await stage.rows("work_orders")
    assert (order.started, order.appointment_id, await stage.rows("blocks")) == (True, None, [])


async def test_A13_a_visit_without_a_confirmation_keeps_the_appointment(office: Office) -> None:
    appointment = await office.has("SENT")
    visit = office.moves("T19", "MANUAL_FOLLOW_UP", "RESOLVED", outcome="FAILED", sub_reason="customer_not_home")
    assert await office.hears(visit) == ["AppointmentKept"]
    assert (await office.sees(appointment))["state"] == "KEPT"


async def test_what_the_table_does_not_have_is_an_anomaly_and_the_key_goes_on(office: Office, stage: Stage) -> None:
    await office.has("REBOOK_REQUESTED")
    visit = office.moves("T19", "MANUAL_FOLLOW_UP", "RESOLVED", outcome="OK")
    assert await office.hears(visit) == []
    assert (await stage.anomalies(), await stage.parked()) == (["state-forbids"], [])
    assert await office.hears(office.moves("T21", "RESOLVED", "CLOSED")) == ["AppointmentReleased"]


async def test_a_closing_that_overtakes_the_opening_leaves_a_tombstone(office: Office, stage: Stage) -> None:
    moves = Moves()
    await stage.hears(moves("T28", "OPEN", "CLOSED", work_order_id=SECOND, sequence=2))
    await stage.hears(work_order(SECOND, 2))
    answer = await office.posts(
        "/v1/appointments", {"work_order_id": str(SECOND), "technician_id": office.people["Tilo"], "start": START}
    )
    assert await stage.anomalies() == ["gone_work_order"]
    assert answer.json()["code"] == "work-order-gone"


async def test_a_work_order_of_a_case_that_ended_is_born_dead_until_the_case_is_reopened(
    office: Office, stage: Stage
) -> None:
    await stage.hears(ENDINGS[0], work_order(SECOND, 2))
    reopened = CaseReopened(case_id=CASE, work_order_id=ORDER, attempt=1, reason="UNKNOWN_DEVICE")
    await stage.hears(reopened, work_order(UUID(int=0xA3), 3))
    gone = [order.gone_at is not None for order in await stage.rows("work_orders")]
    assert gone == [True, True, False]
    assert await stage.anomalies() == ["gone_work_order"]


async def test_nothing_late_brings_a_closed_work_order_back(office: Office, stage: Stage) -> None:
    appointment = await office.has("OFFERED")
    await stage.hears(office.moves("T31", "MANUAL_FOLLOW_UP", "CLOSED"))
    await stage.told_since()
    await stage.hears(requested(appointment, attempt=2), sent(appointment))
    await stage.hears(replied(appointment))
    (told,) = await stage.told_since()
    assert told.cause == "after_cancel"
    assert await stage.anomalies() == ["gone_work_order", "gone_work_order"]
    assert (await office.sees(appointment))["state"] == "RELEASED"


@pytest.mark.parametrize("order", list(permutations(range(2))), ids=["closing first", "ok first"])
async def test_release_and_ok_in_one_batch_end_released(office: Office, stage: Stage, order) -> None:
    appointment = await office.has("SENT")
    both = (office.moves("T31", "MANUAL_FOLLOW_UP", "CLOSED"), replied(appointment))
    told = await office.hears(*(both[number] for number in order))
    assert (await office.sees(appointment))["state"] == "RELEASED"
    assert told[-1] == ("AppointmentQuestioned" if order == (0, 1) else "AppointmentReleased")
    assert stage.processor.cuts == 0


async def test_T29_between_offer_and_ok_confirms_nothing(office: Office) -> None:
    appointment = await office.has("OFFERED")
    freeze = office.moves("T29", "PLANNING", "MANUAL_FOLLOW_UP", cancellation="undecided")
    assert await office.hears(freeze, replied(appointment), sent(appointment)) == ["AppointmentQuestioned"]
    seen = await office.sees(appointment)
    assert (seen["state"], seen["needs_staff"]) == ("SENT", "after_cancel")


async def test_an_older_move_changes_nothing(office: Office, stage: Stage) -> None:
    old = office.moves("T29", "PLANNING", "MANUAL_FOLLOW_UP", cancellation="undecided")  # version 1
    await stage.hears(office.moves("T04", "PLANNING", "AWAITING_REPLY"), old)
    (order,) = await stage.rows("work_orders")
    assert (order.state, order.frozen) == ("AWAITING_REPLY", False)


async def test_moves_of_an_unknown_work_order_are_visible(office: Office, stage: Stage) -> None:
    await stage.hears(office.moves("T01", "OPEN", "PLANNING", work_order_id=SECOND, sequence=2))
    assert await stage.anomalies() == ["unknown_work_order"]


async def test_J52_a_changed_place_marks_the_appointment_and_moves_nothing(office: Office, stage: Stage) -> None:
    appointment = await office.has("CONFIRMED")
    amended = CaseAmended(
        case_id=CASE,
        version=2,
        changed=("address", "area"),
        flags=(),
        area=Area(postcode="44139", municipality="05913000"),
    )
    assert await office.hears(amended) == []
    seen = await office.sees(appointment)
    assert (seen["recheck"], seen["state"]) == (True, "CONFIRMED")


async def test_a_plain_meter_may_be_planned_from_the_day_its_case_opens(stage: Stage) -> None:
    await stage.hears(opened())
    (told,) = await stage.told()
    assert (told.notice_required, told.bookable_from, told.rule_id) == (False, date(2026, 3, 2), "N37")


async def test_J02_an_intelligent_system_waits_for_its_statutory_notice(office: Office, stage: Stage) -> None:
    case, order = UUID(int=0xC2), UUID(int=0xA9)
    await stage.hears(opened(case_id=case, device_plan=IMSYS), work_order(order, case_id=case))
    (told,) = await stage.told_since()
    assert (told.notice_required, told.bookable_from) == (True, None)
    refused = await office.posts(
        "/v1/appointments", {"work_order_id": str(order), "technician_id": office.people["Tara"], "start": START}
    )
    assert (refused.json()["code"], refused.json()["first_possible"]) == ("too-early", None)
    notice = {"case_id": case, "work_order_id": None, "appointment_id": None, "revision": None, "attempt": None}
    letter = {**notice, "notice_id": NOTICE, "rule_id": "N08", "template": "statutory_37", "channel": "letter"}
    appointment = dict.fromkeys(("work_order_id", "sequence", "appointment_id", "revision", "attempt"))
    parts = [sent({**appointment, "case_id": case}, **letter, part=part, parts=2, sent_on=on) for part, on in PARTS]
    assert await office.hears(parts[0]) == []
    await stage.hears(parts[1])
    (known,) = await stage.told_since()
    assert (known.effective_on, known.notice_on, known.bookable_from) == (
        date(2026, 3, 8),
        date(2026, 3, 4),
        date(2026, 6, 9),
    )


async def test_an_override_by_two_persons_lifts_the_notice_once(office: Office, stage: Stage) -> None:
    case = UUID(int=0xC2)
    await stage.hears(opened(case_id=case, device_plan=IMSYS))
    await stage.told_since()
    lifted = ExceptionApproved(
        case_id=case, exception_id=UUID(int=9), type="notice_override", approver="person:local:mona"
    )
    await stage.hears(lifted, lifted)
    (told,) = await stage.told_since()
    assert (told.notice_required, told.bookable_from) == (True, date(2026, 3, 2))


async def test_a_plan_that_becomes_intelligent_needs_the_notice(office: Office, stage: Stage) -> None:
    amended = CaseAmended(case_id=CASE, version=2, changed=("device_plan",), flags=(), device_plan=IMSYS)
    assert await office.hears(amended, amended.model_copy(update={"version": 3})) == ["BookableFromSet"]


async def test_a_copy_of_everything_changes_nothing(office: Office, stage: Stage) -> None:
    await office.has("CONFIRMED")
    before = [await stage.rows(table) for table in ("cases", "work_orders", "appointments", "blocks")]
    await stage.hears(opened(), work_order())
    assert await stage.told_since() == []
    assert [await stage.rows(table) for table in ("cases", "work_orders", "appointments", "blocks")] == before
