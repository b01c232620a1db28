"""Who may look up and book what, what a label means, and how two persons settle a dispute."""

from typing import Any
from uuid import uuid4

import pytest

from contracts.assets import DeviceInstalled, DeviceMoved
from kit.auth import Scope
from kit.testing import Stage
from tests.services.asset_service.given import (
    COMPANY,
    NEW,
    OLD,
    OTHER,
    TECHNICIAN,
    came,
    final,
    id_of,
    names,
    picked,
    places,
    planned,
    reading,
    ready,
    stocked,
    visited,
    went,
)

SOMEBODY = id_of("device", 99)
OWN = Scope("technician", str(TECHNICIAN))
FOREIGN = Scope("technician", str(id_of("technician", 2)))


async def look(stage: Stage, path: str, role: str = "warehouse", scope: Scope | None = None) -> Any:
    async with stage.http(role, scope=scope) as client:
        return await client.get(path)


async def test_devices_are_found_by_serial_state_place_and_type(stage: Stage) -> None:
    await ready(stage)
    await stocked(stage, OTHER)
    for query in (
        "serial=1emh 0012 345678",
        "serial=12345678",
        "state=PICKED",
        f"location=van:{TECHNICIAN}",
        "state=PICKED&model=mme_3ph",
    ):
        answer = (await look(stage, f"/v1/devices?{query}")).json()
        assert [device["serial"] for device in answer["devices"]] == [NEW], query


async def test_the_list_of_devices_has_pages(stage: Stage) -> None:
    await stocked(stage, "30001", "30002", "30003")
    first = (await look(stage, "/v1/devices?limit=2")).json()
    second = (await look(stage, f"/v1/devices?limit=2&after={first['next']}")).json()
    assert [len(page["devices"]) for page in (first, second)] == [2, 1]
    assert second["next"] is None


async def test_the_history_of_a_device_names_every_movement_and_place(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited())
    (row,) = [row for row in await stage.rows("devices") if row.printed == NEW]
    answer = (await look(stage, f"/v1/devices/{row.device_id}/history")).json()
    assert [each["kind"] for each in answer["movements"]] == ["receive", "put_away", "reserve", "pick", "install"]
    assert [each["place"] for each in answer["installations"]] == ["site:DEa"]


async def test_reservations_are_the_list_that_the_warehouse_picks_by(stage: Stage) -> None:
    await stocked(stage, NEW)
    await planned(stage)
    await planned(stage, "b")
    answer = (await look(stage, "/v1/reservations?state=RESERVED")).json()["reservations"]
    assert [(each["serial"], each["technician_id"], each["location"]) for each in answer] == [
        (NEW, str(TECHNICIAN), "central")
    ]
    assert len((await look(stage, "/v1/reservations?state=MISSING&needed_on=2026-03-10")).json()["reservations"]) == 1


@pytest.mark.parametrize(
    ("scope", "seen"),
    [(OWN, 1), (FOREIGN, 0), (Scope("company", str(COMPANY)), 1), (Scope("company", str(id_of("company", 2))), 0)],
)
async def test_technicians_and_companies_see_their_own_vans_only(stage: Stage, scope: Scope, seen: int) -> None:
    await ready(stage)
    await stocked(stage, OTHER)
    role = "technician" if scope.kind == "technician" else "company_admin"
    (row,) = [row for row in await stage.rows("devices") if row.printed == NEW]
    assert len((await look(stage, "/v1/devices", role, scope)).json()["devices"]) == seen
    assert len((await look(stage, "/v1/reservations", role, scope)).json()["reservations"]) == seen
    for path in (f"/v1/devices/{row.device_id}", f"/v1/devices/{row.device_id}/history"):
        assert (await look(stage, path, role, scope)).status_code == (200 if seen else 404)


async def test_a_partner_s_key_sees_no_devices(stage: Stage) -> None:
    await ready(stage)
    answer = await look(stage, "/v1/devices", "system", Scope("partner", "erp-a"))
    assert answer.json()["devices"] == []


async def test_an_unknown_device_and_one_out_of_scope_answer_alike(stage: Stage) -> None:
    await ready(stage)
    (row,) = await stage.rows("devices")
    unknown, hidden = uuid4(), row.device_id
    answers = [await look(stage, f"/v1/devices/{each}", "technician", FOREIGN) for each in (unknown, hidden)]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "unknown-device")] * 2


async def test_a_technician_books_into_his_own_van_only(stage: Stage) -> None:
    await stocked(stage, NEW)
    await planned(stage)
    body = {
        "work_order_id": str(id_of("order", "a", 1)),
        "serials": [NEW],
        "technician_id": str(TECHNICIAN),
    }
    async with stage.http("technician", scope=FOREIGN) as client:
        assert (await client.post("/v1/picks", json=body)).status_code == 404
    async with stage.http("technician", scope=OWN) as client:
        assert (await client.post("/v1/picks", json=body)).status_code == 200
    async with stage.http("technician", scope=FOREIGN) as client:
        assert (await client.post("/v1/returns", json={"serials": [NEW]})).status_code == 404


@pytest.mark.parametrize(
    ("role", "path", "body"),
    [
        ("dispatcher", "/v1/picks", {"work_order_id": str(SOMEBODY), "serials": ["1"], "technician_id": str(SOMEBODY)}),
        ("qa", "/v1/returns", {"serials": ["1"]}),
        (
            "warehouse",
            f"/v1/devices/{SOMEBODY}/commissioned",
            {"at": "2026-03-11T08:00:00Z", "by": "staff", "proof": "x"},
        ),
        ("dispatcher", f"/v1/devices/{SOMEBODY}/settle", {"is_at": str(SOMEBODY), "reason": "x"}),
        ("technician", "/v1/locations", {"name": "north"}),
        ("admin", "/v1/labels/parse", {"label": "1"}),
    ],
)
async def test_whoever_the_matrix_does_not_name_is_refused(
    stage: Stage, role: str, path: str, body: dict[str, Any]
) -> None:
    async with stage.http(role, scope=OWN if role == "technician" else None) as client:
        answer = await client.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "role-missing")


async def test_the_values_of_a_finding_are_for_few(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited(installed=(came(NEW, reading("11.5")),), removed=(went(OLD, final("23456.7")),)))
    (row,) = await stage.rows("findings")
    answer = (await look(stage, f"/v1/anomalies/{row.finding_id}", "qa")).json()
    assert (answer["rule"], answer["obis"], answer["detail"]) == ("R6", "1-0:1.8.0", {"initial": "11.5"})
    assert [each["value"] for each in answer["readings"]] == ["11.5"]
    assert (await look(stage, f"/v1/anomalies/{row.finding_id}", "warehouse")).status_code == 403
    assert (await look(stage, f"/v1/anomalies/{row.finding_id}", "technician", FOREIGN)).status_code == 404


async def test_a_label_is_read_and_a_mistakable_one_gets_a_proposal(stage: Stage) -> None:
    await stocked(stage, "1EMHO0I1")
    async with stage.http("qa") as client:
        read = (await client.post("/v1/labels/parse", json={"label": "1emh 0012 345678"})).json()
        near = (await client.post("/v1/labels/parse", json={"label": "1EMH00I1"})).json()
        bad = await client.post("/v1/labels/parse", json={"label": "   "})
    assert (read["official_id"], read["manufacturer"], read["serial"]) == (NEW, "EMH", "12345678")
    assert (near["serial"], near["proposal"]) == ("1EMH00I1", "1EMHO0I1")
    assert (bad.status_code, bad.json()["code"]) == (422, "bad-serial")


async def disputed(stage: Stage) -> str:
    """NEW stands at DEa for the ledger and was reported as installed at DEb."""
    await ready(stage)
    await stage.hears(visited("a", removed=()))
    await planned(stage, "b")
    await stage.hears(visited("b", removed=()))
    await stage.told_since()
    return next(str(row.device_id) for row in await stage.rows("devices") if row.printed == NEW)


async def say(stage: Stage, role: str, name: str, device_id: str, place: str) -> Any:
    is_at = next(str(row.location_id) for row in await stage.rows("locations") if row.place == place)
    async with stage.http(role, name=name) as client:
        body = {"is_at": is_at, "reason": "seen on site"}
        return await client.post(f"/v1/devices/{device_id}/settle", json=body)


async def test_two_persons_settle_where_a_disputed_device_is(stage: Stage) -> None:
    device_id = await disputed(stage)
    assert (await say(stage, "warehouse", "walter", device_id, "site:DEb")).status_code == 200
    assert (await places(stage))[NEW] == "INSTALLED at site:DEa"
    assert (await say(stage, "qa", "quinn", device_id, "site:DEb")).status_code == 200
    assert (await places(stage))[NEW] == "INSTALLED at site:DEb"
    told = await stage.told_since()
    assert [type(fact) for fact in told] == [DeviceMoved, DeviceInstalled]
    assert [row.removed_at is None for row in await stage.rows("installations")] == [False, True]


async def test_a_settlement_back_to_stock_frees_the_device(stage: Stage) -> None:
    device_id = await disputed(stage)
    await say(stage, "warehouse", "walter", device_id, "central")
    await say(stage, "qa", "quinn", device_id, "central")
    assert names(await stage.told_since()) == ["DeviceMoved"]
    assert (await places(stage))[NEW] == "IN_STOCK at central"


async def test_the_same_person_can_not_agree_to_the_own_proposal(stage: Stage) -> None:
    device_id = await disputed(stage)
    await say(stage, "warehouse", "walter", device_id, "central")
    answer = await say(stage, "qa", "walter", device_id, "central")
    assert (answer.status_code, answer.json()["code"]) == (403, "four-eyes")


async def test_nobody_agrees_to_another_place_than_was_proposed(stage: Stage) -> None:
    device_id = await disputed(stage)
    await say(stage, "warehouse", "walter", device_id, "central")
    answer = await say(stage, "qa", "quinn", device_id, "site:DEb")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-disputed")


async def test_a_device_that_nobody_doubts_is_not_settled(stage: Stage) -> None:
    await ready(stage)
    (row,) = await stage.rows("devices")
    answer = await say(stage, "warehouse", "walter", str(row.device_id), "central")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-disputed")


async def test_a_repeated_pick_with_the_same_key_has_one_effect(stage: Stage) -> None:
    await stocked(stage, NEW)
    await planned(stage)
    body = {
        "work_order_id": str(id_of("order", "a", 1)),
        "serials": [NEW],
        "technician_id": str(TECHNICIAN),
    }
    async with stage.http("warehouse") as client:
        answers = [await client.post("/v1/picks", json=body, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert names(await stage.told()).count("DevicePicked") == 1
    assert (await picked(stage, NEW)).status_code == 200


async def test_stores_are_entered_once_and_listed_with_vans(stage: Stage) -> None:
    await ready(stage)
    async with stage.http("warehouse") as client:
        answers = [(await client.post("/v1/locations", json={"name": "north"})).json() for _ in range(2)]
        listed = (await client.get("/v1/locations")).json()["locations"]
    assert answers[0] == answers[1]
    assert [each["place"] for each in listed] == ["central", "store:north", f"van:{TECHNICIAN}"]
