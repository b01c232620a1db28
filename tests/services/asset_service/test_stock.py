"""Stock comes in by CSV, is picked for a work order, and comes back."""

from kit.testing import Stage
from tests.services.asset_service.given import (
    METER,
    NEW,
    OLD,
    OTHER,
    TECHNICIAN,
    came,
    line,
    names,
    opened,
    order_opened,
    picked,
    places,
    planned,
    ready,
    requested,
    reserved,
    returned,
    stocked,
    visited,
)


async def test_received_devices_are_in_stock_and_told(stage: Stage) -> None:
    answer = await stocked(stage, NEW, OTHER)
    assert (answer["received"], answer["refused"]) == (2, 0)
    assert names(await stage.told()) == ["DeviceReceived"] * 2
    assert await places(stage) == {NEW: "IN_STOCK at central", OTHER: "IN_STOCK at central"}


async def test_the_same_file_again_changes_nothing(stage: Stage) -> None:
    await stocked(stage, NEW)
    answer = await stocked(stage, NEW)
    assert (answer["received"], answer["unchanged"], len(await stage.told())) == (0, 1, 1)


async def test_bad_rows_are_named_and_the_others_are_received(stage: Stage) -> None:
    rows = [
        f"EMH;{NEW};{METER};",
        f"EMH;{NEW};{METER};",
        "EMH;1ЕMH0012345670;mme_3ph;",
        f"XYZ;{OTHER};{METER};",
        "EMH;SN1;no_such_type;",
        "EMH;SN2;mme_3ph;nowhere",
        "EMH;SN3;seal_set;",
        "EM;SN4;mme_3ph;",
        "EMH;SN5;mme_3ph",
    ]
    body = "\n".join(["manufacturer;serial;device_type;store", *rows])
    async with stage.http("warehouse") as client:
        answer = (await client.post("/v1/imports/devices", content=body, headers={"Content-Type": "text/csv"})).json()
    found = [(error["row"], error["code"]) for error in answer["errors"]]
    assert (answer["received"], answer["refused"], answer["rows"]) == (1, 8, 9)
    assert found == [
        (2, "csv/duplicate"),
        (3, "csv/serial"),
        (4, "D-DEV-1"),
        (5, "csv/device-type"),
        (6, "csv/store"),
        (7, "csv/device-type"),
        (8, "D-DEV-1"),
        (9, "csv/columns"),
    ]


async def test_D_DEV_2_a_known_serial_of_another_type_is_refused(stage: Stage) -> None:
    await stocked(stage, NEW)
    answer = await stocked(stage, NEW, device_type="mme_1ph")
    assert [error["code"] for error in answer["errors"]] == ["duplicate-serial"]


async def test_a_device_of_a_corrected_report_can_still_be_delivered(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited(version=1, installed=(came(OTHER),)))
    await stage.hears(visited(version=2))
    assert (await stocked(stage, OTHER))["received"] == 1
    assert (await places(stage))[OTHER] == "IN_STOCK at central"


async def test_a_device_that_only_a_visit_knows_is_not_received_a_second_time(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited(installed=(came(OTHER),)))
    answer = await stocked(stage, OTHER)
    assert [error["code"] for error in answer["errors"]] == ["duplicate-serial"]


async def test_D_DEV_2_the_same_serial_of_another_manufacturer_is_another_device(stage: Stage) -> None:
    await stocked(stage, "30001")
    body = f"manufacturer;serial;device_type\nLGZ;30001;{METER}"
    async with stage.http("warehouse") as client:
        await client.post("/v1/imports/devices", content=body, headers={"Content-Type": "text/csv"})
    assert len(await stage.rows("devices")) == 2


async def test_a_file_of_another_kind_or_without_its_header_is_refused_as_a_whole(stage: Stage) -> None:
    async with stage.http("warehouse") as client:
        wrong = await client.post("/v1/imports/devices", json={})
        headless = await client.post("/v1/imports/devices", content="a;b\n1;2", headers={"Content-Type": "text/csv"})
    assert (wrong.status_code, headless.status_code) == (415, 422)
    assert await stage.rows("devices") == []


async def test_J01_the_reserved_meter_is_picked(stage: Stage) -> None:
    await stocked(stage, NEW)
    await planned(stage)
    assert (await picked(stage, NEW)).status_code == 200
    assert names(await stage.told()) == ["DeviceReceived", "MaterialReserved", "DevicePicked"]
    assert (await places(stage), await reserved(stage)) == ({NEW: "PICKED at van"}, ["PICKED"])


async def test_picking_twice_changes_nothing(stage: Stage) -> None:
    await ready(stage)
    assert (await picked(stage, NEW)).status_code == 200
    assert await stage.told_since() == []


async def test_another_serial_of_the_same_type_takes_the_place_of_the_reserved_one(stage: Stage) -> None:
    await stocked(stage, NEW, OTHER)
    await planned(stage)
    assert (await picked(stage, OTHER)).status_code == 200
    assert await places(stage) == {NEW: "IN_STOCK at central", OTHER: "PICKED at van"}
    assert await reserved(stage) == ["PICKED"]


async def test_another_type_is_refused_naming_both(stage: Stage) -> None:
    await stocked(stage, NEW)
    await stocked(stage, OTHER, device_type="mme_3ph_ct")
    await planned(stage)
    answer = await picked(stage, OTHER)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "wrong-device-type")
    assert (problem["found"], problem["expected"]) == ("mme_3ph_ct", [METER])


async def test_what_is_set_aside_for_another_work_order_is_not_picked(stage: Stage) -> None:
    await stocked(stage, NEW)
    await planned(stage, "a")
    await planned(stage, "b")
    answer = await picked(stage, NEW, case="b")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-in-stock")
    assert "set aside for another work order" in answer.json()["detail"]


async def test_an_unknown_serial_is_not_picked(stage: Stage) -> None:
    await planned(stage)
    answer = await picked(stage, NEW)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-device")


async def test_a_refused_pick_books_nothing_of_its_list(stage: Stage) -> None:
    await stocked(stage, NEW)
    await planned(stage)
    assert (await picked(stage, NEW, OTHER)).status_code == 404
    assert await places(stage) == {NEW: "RESERVED at central"}


async def test_the_removed_meter_comes_back_to_the_store(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited())
    await stage.told_since()
    assert (await returned(stage, OLD)).status_code == 200
    assert names(await stage.told_since()) == ["DeviceReturned"]
    assert (await places(stage))[OLD] == "RETURNED at central"


async def test_an_unused_meter_comes_back_as_stock_and_its_reservation_ends(stage: Stage) -> None:
    await ready(stage)
    assert (await returned(stage, NEW)).status_code == 200
    assert names(await stage.told_since()) == ["DeviceReturned"]
    assert (await places(stage), await reserved(stage)) == ({NEW: "IN_STOCK at central"}, ["RELEASED"])


async def test_D_DEV_6_a_return_never_creates_a_device(stage: Stage) -> None:
    answer = await returned(stage, NEW)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-device")
    assert await stage.rows("devices") == []


async def test_what_lies_in_a_store_can_not_come_back(stage: Stage) -> None:
    await stocked(stage, NEW)
    answer = await returned(stage, NEW)
    assert (answer.status_code, answer.json()["code"]) == (409, "not-picked")


async def test_a_store_that_does_not_exist_takes_nothing_back(stage: Stage) -> None:
    await ready(stage)
    answer = await returned(stage, NEW, store="nowhere")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong-location")


async def test_own_small_store_first_then_central_never_another_company_s(stage: Stage) -> None:
    async with stage.http("warehouse") as client:
        await client.post("/v1/locations", json={"name": "north"})
        await client.post("/v1/locations", json={"name": "foreign", "company_id": str(TECHNICIAN)})
    await stocked(stage, "30002")
    await stocked(stage, "30009", store="north")
    await stocked(stage, "30000", store="foreign")
    await stage.hears(opened(), order_opened(), requested("a", 1, line(quantity=3)))
    held = [place for place in (await places(stage)).values() if place.startswith("RESERVED")]
    assert sorted(held) == ["RESERVED at central", "RESERVED at store:north"]
    assert (await places(stage))["30000"] == "IN_STOCK at store:foreign"


async def test_the_oldest_verification_goes_first_but_none_that_ends_within_24_months(stage: Stage) -> None:
    await stocked(stage, "30001", verified_until="2033-12-31")
    await stocked(stage, "30002", verified_until="2031-12-31")
    await stocked(stage, "30003", verified_until="2028-03-01")
    await stocked(stage, "30004", verified_until="2028-03-02")
    await stage.hears(opened(), order_opened(), requested("a", 1, line(quantity=2)))
    states = {serial: place.split()[0] for serial, place in (await places(stage)).items()}
    assert states == {"30001": "IN_STOCK", "30002": "RESERVED", "30003": "IN_STOCK", "30004": "RESERVED"}
