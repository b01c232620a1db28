"""Assigning over HTTP: what is answered, what is told, and that nobody is booked twice."""

import asyncio
from uuid import UUID

import pytest

from contracts.bookings import AppointmentMoved, AppointmentProposed
from kit.auth import Scope
from kit.store import Unit
from kit.testing import Stage
from services.booking_service import booking
from services.booking_service.domain.appointments import Appointment
from services.booking_service.domain.technicians import Technician
from services.booking_service.errors import SlotTaken
from tests.services.booking_service.story import MONDAY, ORDER, SECOND, START, Office, contact, replied, work_order


async def test_J01_3_a_slot_is_proposed_and_told_without_a_name(office: Office, stage: Stage) -> None:
    answer = await office.posts(
        "/v1/appointments",
        {"work_order_id": str(ORDER), "technician_id": office.people["Tilo"], "start": START},
    )
    (told,) = await stage.told_since()
    assert isinstance(told, AppointmentProposed)
    assert (answer.status_code, answer.headers["etag"], answer.json()["version"]) == (201, '"1"', 1)
    assert (told.revision, told.attempt, told.by) == (0, 0, "person:local:anna")
    assert (told.technicians, len(told.alternatives)) == ((UUID(office.people["Tilo"]),), 2)
    assert "Tilo" not in told.to_json().decode()
    assert len(await stage.rows("blocks")) == 3


async def test_the_same_request_with_its_key_books_once(office: Office, stage: Stage) -> None:
    body = {"work_order_id": str(ORDER), "technician_id": office.people["Tilo"], "start": START}
    first, second = [await office.posts("/v1/appointments", body, **{"Idempotency-Key": "k1"}) for _ in range(2)]
    assert (first.status_code, second.status_code, first.json()) == (201, 201, second.json())
    assert len(await stage.rows("appointments")) == 1


async def test_an_unknown_work_order_is_named_as_such(office: Office) -> None:
    answer = await office.posts(
        "/v1/appointments", {"work_order_id": str(SECOND), "technician_id": office.people["Tilo"], "start": START}
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-work-order")


async def test_a_second_open_appointment_is_refused(office: Office) -> None:
    await office.assigns()
    answer = await office.posts(
        "/v1/appointments", {"work_order_id": str(ORDER), "technician_id": office.people["Tara"], "start": START}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "state-forbids")


async def test_a_taken_time_names_whose_it_is(office: Office, stage: Stage) -> None:
    first = await office.assigns()
    await stage.hears(work_order(SECOND, 2))
    answer = await office.posts(
        "/v1/appointments", {"work_order_id": str(SECOND), "technician_id": office.people["Tilo"], "start": START}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "slot-taken")
    assert answer.json()["appointment_id"] == first["appointment_id"]


async def test_of_many_who_want_one_time_one_gets_it_and_all_others_learn_that_it_is_taken(
    office: Office, stage: Stage
) -> None:
    orders = [UUID(int=0xB00 + number) for number in range(20)]
    await stage.hears(*(work_order(order, 2 + number) for number, order in enumerate(orders)))
    async with stage.http("dispatcher") as http:
        body = {"technician_id": office.people["Tilo"], "start": START}
        answers = await asyncio.gather(
            *(http.post("/v1/appointments", json={"work_order_id": str(order), **body}) for order in orders)
        )
    refused = [answer.json()["code"] for answer in answers if answer.status_code == 409]
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert set(refused) == {"slot-taken"}
    assert len(await stage.rows("blocks")) == 3


async def test_the_database_itself_refuses_a_cell_twice(office: Office, stage: Stage) -> None:
    await office.assigns()
    await stage.hears(work_order(SECOND, 2))
    start = (await stage.rows("appointments"))[0].block_start
    wish = booking.Wish(technician_id=UUID(office.people["Tilo"]), start=start)
    assign = booking.assign(SECOND, wish)

    def blind(unit: Unit) -> Appointment:
        unit.get(Technician, office.people["Tilo"]).__dict__["holder"] = {}  # as if the other had come a moment later
        return assign(unit)

    wanted = booking.assigning(SECOND, wish.technician_id)
    with pytest.raises(SlotTaken):
        await booking.booked(stage.store, stage.store.actor, blind, wanted)
    assert len(await stage.rows("appointments")) == 1
    assert len(await stage.rows("blocks")) == 3


async def test_A9_a_move_frees_the_old_time_and_takes_the_new_one(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    answer = await office.moves_it(appointment, start="2026-03-10T09:00:00Z")
    (told,) = await stage.told_since()
    assert isinstance(told, AppointmentMoved)
    assert (told.agreed, told.window_changed, told.revision) == (False, True, 1)
    assert (answer.json()["state"], answer.json()["version"]) == ("PROPOSED", appointment["version"] + 1)
    assert len(await stage.rows("blocks")) == 3
    assert await stage.rows("timers") == []


async def test_A10_a_move_that_was_agreed_confirms(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    answer = await office.moves_it(appointment, start="2026-03-10T09:00:00Z", agreed=True)
    assert [type(fact).__name__ for fact in await stage.told_since()] == ["AppointmentMoved", "AppointmentConfirmed"]
    assert (answer.json()["state"], answer.json()["confirmed_by"], answer.json()["revision"]) == (
        "CONFIRMED",
        "staff",
        1,
    )


async def test_A14_a_colleague_takes_over_and_nobody_is_bothered(office: Office, stage: Stage) -> None:
    appointment = await office.has("CONFIRMED")
    answer = await office.moves_it(appointment, technician_id=office.people["Tara"])
    (told,) = await stage.told_since()
    assert isinstance(told, AppointmentMoved)
    assert (told.agreed, told.window_changed, told.revision, told.window) == (True, False, 0, told.was_window)
    assert (answer.json()["state"], answer.json()["technician_id"]) == ("CONFIRMED", office.people["Tara"])


async def test_a_move_to_where_it_is_changes_nothing(office: Office, stage: Stage) -> None:
    appointment = await office.has("CONFIRMED")
    answer = await office.moves_it(appointment)
    assert (answer.status_code, answer.json()["version"]) == (200, appointment["version"])
    assert await stage.told_since() == []


async def test_a_refused_move_changes_nothing(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    before = (await stage.rows("blocks"), await stage.rows("timers"))
    answer = await office.moves_it(appointment, start="2026-03-10T03:00:00Z")
    assert (answer.status_code, answer.json()["code"]) == (409, "outside-shift")
    assert (await stage.rows("blocks"), await stage.rows("timers")) == before
    assert await office.sees(appointment) == appointment


async def test_an_edit_names_the_version_it_is_based_on(office: Office) -> None:
    appointment = await office.assigns()
    path = f"/v1/appointments/{appointment['appointment_id']}/move"
    stale = await office.posts(path, {"start": "2026-03-10T09:00:00Z"}, **{"If-Match": '"7"'})
    missing = await office.posts(path, {"start": "2026-03-10T09:00:00Z"})
    assert [answer.json()["code"] for answer in (stale, missing)] == ["stale-version", "stale-version"]
    assert stale.json()["version"] == appointment["version"]


async def test_staff_gives_a_time_back_with_a_reason(office: Office, stage: Stage) -> None:
    appointment = await office.has("CONFIRMED")
    path = f"/v1/appointments/{appointment['appointment_id']}/release"
    silent = await office.posts(path, {"reason": " "})
    answer = await office.posts(path, {"reason": "technician ill"})
    (told,) = await stage.told_since()
    assert (silent.status_code, silent.json()["code"]) == (422, "reason-missing")
    assert (answer.json()["state"], told.reason, told.was_offered) == ("RELEASED", "staff", True)
    assert (await stage.rows("blocks"), await stage.rows("timers")) == ([], [])


async def test_J09_staff_confirms_what_was_agreed_by_phone(office: Office, stage: Stage) -> None:
    appointment = await office.has("SENT")
    await stage.hears(replied(appointment, "unclear"))
    await stage.told_since()
    listed = await office.gets("/v1/appointments", needs_staff=True)
    path = f"/v1/appointments/{appointment['appointment_id']}/confirm"
    answer = await office.posts(path, {"agreed_via": "phone", "notice": True})
    (told,) = await stage.told_since()
    assert [(each["needs_staff"], each["suggestion"]) for each in listed.json()["items"]] == [("unclear", "call")]
    assert (told.by, told.agreed_via, told.notice) == ("staff", "phone", True)
    assert (answer.json()["state"], answer.json()["needs_staff"]) == ("CONFIRMED", None)
    assert (await office.gets("/v1/appointments", needs_staff=True)).json()["items"] == []


async def test_a_text_message_gives_no_right_of_entry(office: Office) -> None:
    appointment = await office.has("SENT")
    path = f"/v1/appointments/{appointment['appointment_id']}/confirm"
    answer = await office.posts(path, {"agreed_via": "entry_right"})
    assert (answer.status_code, answer.json()["code"]) == (409, "state-forbids")


async def test_free_slots_keep_the_lead_time_of_the_channel(office: Office) -> None:
    answer = await office.gets("/v1/slots", work_order=str(ORDER), limit=5)
    found = answer.json()
    assert found["first_day"] == "2026-03-05"
    assert [slot["start"] for slot in found["slots"][:2]] == ["2026-03-05T06:30:00Z"] * 2
    assert {slot["technician_id"] for slot in found["slots"][:2]} == set(office.people.values())


async def test_a_free_slot_can_be_assigned_as_it_is(office: Office) -> None:
    slot = (await office.gets("/v1/slots", work_order=str(ORDER), limit=1)).json()["slots"][0]
    made = await office.assigns(technician_id=slot["technician_id"], start=slot["start"], window=slot["window"])
    assert (made["block_start"], made["window_from"]) == (slot["start"], slot["window"]["from"])


async def test_S3_27_work_orders_without_a_time_are_listed_until_they_have_one(office: Office) -> None:
    before = await office.gets("/v1/work-orders", state="PLANNING", unassigned=True)
    await office.assigns()
    after = await office.gets("/v1/work-orders", state="PLANNING", unassigned=True)
    assert [each["work_order_id"] for each in before.json()["items"]] == [str(ORDER)]
    assert after.json()["items"] == []


async def test_lists_are_read_page_by_page(office: Office, stage: Stage) -> None:
    await stage.hears(work_order(SECOND, 2))
    first = (await office.gets("/v1/work-orders", limit=1)).json()
    second = (await office.gets("/v1/work-orders", limit=1, after=first["next"])).json()
    assert [each["items"][0]["work_order_id"] for each in (first, second)] == [str(ORDER), str(SECOND)]


async def test_a_technician_reads_the_own_day_and_nobody_elses(office: Office, stage: Stage) -> None:
    await stage.hears(contact(2, position={"lat": "51.50", "lon": "7.45"}))
    appointment = await office.assigns()
    mine = Scope("technician", office.people["Tilo"])
    async with stage.http("technician", name="tilo", scope=mine) as http:
        day = await http.get(f"/v1/technicians/{office.people['Tilo']}/day", params={"on": MONDAY})
        other = await http.get(f"/v1/technicians/{office.people['Tara']}/day", params={"on": MONDAY})
    (stop,) = day.json()["stops"]
    assert (stop["appointment_id"], stop["work_order_state"]) == (appointment["appointment_id"], "PLANNING")
    assert (day.json()["work_minutes"], stop["travel_estimate_min"], day.json()["warnings"]) == (45, 5, [])
    assert other.status_code == 404
    assert "Beispiel" not in day.text


async def test_a_company_sees_its_own_only(office: Office, stage: Stage) -> None:
    foreign = Scope("company", str(UUID(int=0xF0)))
    appointment = await office.assigns()
    async with stage.http("company_admin", name="carl", scope=foreign) as http:
        people = await http.get("/v1/technicians")
        seen = await http.get(f"/v1/appointments/{appointment['appointment_id']}")
        moved = await http.post(
            f"/v1/appointments/{appointment['appointment_id']}/move", json={}, headers={"If-Match": '"1"'}
        )
        assigned = await http.post(
            "/v1/appointments",
            json={"work_order_id": str(ORDER), "technician_id": office.people["Tilo"], "start": START},
        )
    assert people.json()["items"] == []
    assert [answer.status_code for answer in (seen, moved, assigned)] == [404, 404, 404]


async def test_offerability_names_every_code(office: Office, stage: Stage) -> None:
    appointment = await office.assigns()
    path = f"/v1/appointments/{appointment['appointment_id']}/offerability"
    good = await office.gets(path, channel="sms")
    letter = await office.gets(path, channel="letter")
    assert good.json()["codes"] == []
    assert (letter.json()["codes"], letter.json()["first_possible"]) == (["entry-notice"], "2026-03-22")


async def test_who_may_not_plan_is_refused(office: Office, stage: Stage) -> None:
    async with stage.http("qa", name="quirin") as http:
        answer = await http.post(
            "/v1/appointments",
            json={"work_order_id": str(ORDER), "technician_id": office.people["Tilo"], "start": START},
        )
    assert (answer.status_code, answer.json()["code"]) == (403, "role-missing")
