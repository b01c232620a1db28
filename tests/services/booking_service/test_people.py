"""Technicians, teams, shifts and calendars, by API and by CSV."""

import httpx
import pytest

from kit.testing import Stage
from tests.services.booking_service.story import MONDAY, ORDER, START, TECHNICIANS, Office, opened

CSV = {"Content-Type": "text/csv"}
WEEK = [{"weekday": day, "from": "08:00:00", "to": "16:00:00", "valid_from": "2026-01-01"} for day in range(5)]


async def _imports(stage: Stage, content: str, role: str = "dispatcher") -> httpx.Response:
    async with stage.http(role) as http:
        return await http.post("/v1/imports/technicians", content=content.encode(), headers=CSV)


async def test_a_file_of_technicians_is_entered_once(stage: Stage) -> None:
    first, again = await _imports(stage, TECHNICIANS), await _imports(stage, TECHNICIANS)
    assert first.json() == {"rows": 2, "created": 2, "changed": 0, "unchanged": 0, "refused": 0, "errors": []}
    assert again.json() == {"rows": 2, "created": 0, "changed": 0, "unchanged": 2, "refused": 0, "errors": []}
    assert len(await stage.rows("shift_templates")) == 10
    assert [row.name for row in await stage.rows("companies")] == ["Stadtwerk"]


async def test_a_changed_row_changes_its_technician(stage: Stage) -> None:
    await _imports(stage, TECHNICIANS)
    changed = await _imports(stage, TECHNICIANS.replace("meter_1ph meter_3ph smgw", "meter_3ph"))
    assert (changed.json()["changed"], changed.json()["unchanged"]) == (1, 1)


async def test_every_bad_row_is_named_with_place_and_rule_and_the_good_ones_are_entered(stage: Stage) -> None:
    rows = [
        "person:local:a;A;Stadtwerk;meter_3ph;12345;07:30;15:30",
        "person:local:b;B;Stadtwerk;meter_9ph;12345;07:30;15:30",
        ";C;Stadtwerk;meter_3ph;12345;07:30;15:30",
        "person:local:d;D;Stadtwerk;meter_3ph;8;07:30;15:30",
        "person:local:e;E;Stadtwerk;meter_3ph;12345;half past;",
        "person:local:f;F;Stadtwerk;meter_3ph;12345;15:30;07:30",
        "person:local:a;A;Stadtwerk;meter_3ph;12345;07:30;15:30",
    ]
    answer = await _imports(stage, "\n".join([TECHNICIANS.splitlines()[0].split(";break")[0], *rows]))
    found = answer.json()
    assert (found["rows"], found["created"], found["refused"]) == (7, 1, 6)
    assert [(error["row"], error.get("column"), error["code"]) for error in found["errors"]] == [
        (2, "skills", "csv/skill"),
        (3, "user_id", "csv/user"),
        (4, "weekdays", "csv/weekdays"),
        (5, "shift_from", "csv/time"),
        (5, "shift_to", "csv/empty"),
        (6, "shift_to", "csv/shift"),
        (7, "user_id", "csv/duplicate"),
    ]
    assert "half past" not in answer.text


@pytest.mark.parametrize(
    ("content", "code"),
    [("user_id;name\n", "csv/header"), ("", "csv/header"), ('user_id;"name', "csv/syntax")],
)
async def test_what_is_no_table_is_refused_as_a_whole(stage: Stage, content: str, code: str) -> None:
    answer = await _imports(stage, content)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-body")
    assert answer.json()["errors"][0]["code"] == code


async def test_only_text_csv_and_only_from_planners(stage: Stage) -> None:
    async with stage.http("dispatcher") as http:
        kind = await http.post("/v1/imports/technicians", json={})
    role = await _imports(stage, TECHNICIANS, "warehouse")
    assert (kind.status_code, role.status_code, role.json()["code"]) == (415, 403, "role-missing")


async def test_a_technician_is_entered_by_hand(office: Office, stage: Stage) -> None:
    async with stage.http("dispatcher") as http:
        company = (await http.get("/v1/companies")).json()[0]
        team = (
            await http.post("/v1/teams", json={"company_id": company["company_id"], "name": "North", "areas": ["441"]})
        ).json()
        body = {
            "user_id": "person:local:timo",
            "name": "Timo",
            "company_id": company["company_id"],
            "team_id": team["team_id"],
            "skills": ["meter_3ph"],
            "week": WEEK,
        }
        made = await http.post("/v1/technicians", json=body)
        twice = await http.post("/v1/technicians", json=body)
        unknown = await http.post("/v1/technicians", json={**body, "user_id": "x", "skills": ["magic"]})
        foreign = await http.post("/v1/technicians", json={**body, "user_id": "x", "company_id": str(ORDER)})
    assert (made.status_code, made.json()["version"], made.json()["zone"]) == (201, 1, "Europe/Berlin")
    assert [answer.status_code for answer in (twice, unknown, foreign)] == [422, 422, 404]


async def test_a_team_is_only_proposed_where_it_works(office: Office, stage: Stage) -> None:
    async with stage.http("dispatcher") as http:
        company = (await http.get("/v1/companies")).json()[0]["company_id"]
        team = await http.post("/v1/teams", json={"company_id": company, "name": "Far", "areas": ["1"]})
        for name in ("Tilo", "Tara"):
            await http.patch(
                f"/v1/technicians/{office.people[name]}",
                json={"team_id": team.json()["team_id"]},
                headers={"If-Match": '"1"'},
            )
        assert (await http.get("/v1/slots", params={"work_order": str(ORDER)})).json()["slots"] == []


async def test_nobody_leaves_with_open_appointments(office: Office, stage: Stage) -> None:
    appointment = await office.assigns()
    path = f"/v1/technicians/{office.people['Tilo']}"
    async with stage.http("dispatcher") as http:
        refused = await http.patch(path, json={"active_to": "2026-03-08"}, headers={"If-Match": '"1"'})
        allowed = await http.patch(path, json={"active_to": MONDAY}, headers={"If-Match": '"1"'})
        stale = await http.patch(path, json={"name": "T"}, headers={"If-Match": '"1"'})
    assert (refused.status_code, refused.json()["code"]) == (409, "has-appointments")
    assert refused.json()["appointments"] == [appointment["appointment_id"]]
    assert (allowed.status_code, stale.json()["code"]) == (200, "stale-version")


async def test_changed_shifts_name_what_they_uncover_and_move_nothing(office: Office, stage: Stage) -> None:
    appointment = await office.assigns()
    path = f"/v1/technicians/{office.people['Tilo']}/shifts"
    days = {"from": MONDAY, "to": MONDAY}
    late = {"shifts": [{"day": MONDAY, "from": "12:00:00", "to": "20:00:00"}]}
    async with stage.http("dispatcher") as http:
        before = await http.get(path, params=days)
        changed = await http.put(path, params=days, json=late)
        after = await http.get(path, params=days)
        back = await http.put(path, params=days, json={"shifts": []})
    assert [shift["manual"] for shift in before.json()["shifts"] + after.json()["shifts"]] == [False, True]
    assert changed.json()["conflicts"] == [appointment["appointment_id"]]
    assert back.json()["conflicts"] == []
    assert len(await stage.rows("blocks")) == 3


async def test_an_absence_names_what_it_meets_and_can_be_taken_back(office: Office, stage: Stage) -> None:
    appointment = await office.assigns()
    away = {"technician_id": office.people["Tilo"], "from": START, "to": "2026-03-09T15:00:00Z", "kind": "sick"}
    async with stage.http("dispatcher") as http:
        made = await http.post("/v1/absences", json=away)
        gone = await http.delete(f"/v1/absences/{made.json()['absence_id']}")
        again = await http.delete(f"/v1/absences/{made.json()['absence_id']}")
    assert made.json()["conflicts"] == [appointment["appointment_id"]]
    assert (gone.status_code, again.status_code) == (200, 404)
    assert (await office.sees(appointment))["state"] == "PROPOSED"


async def test_DCAL3_a_shift_in_the_gap_of_the_clock_is_refused(office: Office, stage: Stage) -> None:
    path = f"/v1/technicians/{office.people['Tilo']}/shifts"
    night = {"shifts": [{"day": "2026-03-29", "from": "02:30:00", "to": "08:00:00"}]}
    async with stage.http("dispatcher") as http:
        answer = await http.put(path, params={"from": "2026-03-29", "to": "2026-03-29"}, json=night)
    assert (answer.status_code, answer.json()["code"]) == (422, "time-does-not-exist")


async def test_an_operator_may_have_its_own_calendar(office: Office, stage: Stage) -> None:
    norway = {"country": "NO", "zone": "Europe/Oslo", "closures": ["12-24"], "reply_mode": "tolerant"}
    async with stage.http("admin", name="ada") as http:
        default = await http.get("/v1/calendars/default")
        none = await http.get("/v1/calendars/nettselskap")
        made = await http.put("/v1/calendars/nettselskap", json=norway)
        blind = await http.put("/v1/calendars/nettselskap", json=norway)
        changed = await http.put(
            "/v1/calendars/nettselskap", json={**norway, "sms_answer_days": 5}, headers={"If-Match": '"1"'}
        )
        nowhere = await http.put("/v1/calendars/x", json={**norway, "country": "XX"})
    assert (default.json()["country"], default.json()["closures"]) == ("DE", ["12-24", "12-31"])
    assert [answer.status_code for answer in (none, made, blind, changed, nowhere)] == [404, 200, 409, 200, 422]
    assert (changed.json()["sms_answer_days"], changed.headers["etag"]) == (5, '"2"')


async def test_cases_follow_the_calendar_of_their_operator(office: Office, stage: Stage) -> None:
    norway = {"country": "NO", "zone": "Europe/Oslo", "closures": []}
    async with stage.http("admin", name="ada") as http:
        await http.put("/v1/calendars/nettselskap", json=norway)
    plan = opened(case_id="00000000-0000-0000-0000-0000000000c9", operator="nettselskap").model_copy(
        update={"device_plan": opened().device_plan.model_copy(update={"plan": "IMSYS"})}
    )
    await stage.hears(plan)
    (told,) = await stage.told_since()
    assert told.notice_required is False


async def test_skills_can_be_added(office: Office, stage: Stage) -> None:
    async with stage.http("dispatcher") as http:
        await http.post("/v1/skills", json={"code": "roof", "labels": {"de": "Dach"}})
        await http.post("/v1/skills", json={"code": "roof", "labels": {"en": "Roof"}})
        found = {each["code"]: each["labels"] for each in (await http.get("/v1/skills")).json()}
    assert found["roof"] == {"en": "Roof"}
    assert len(found) == 9
