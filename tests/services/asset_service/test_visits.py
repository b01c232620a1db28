"""A visit report is booked as it was; contradictions are told by their rule, readings are not told at all."""

from datetime import timedelta

from contracts.assets import (
    CommissioningPending,
    DeviceCommissioned,
    DeviceInstalled,
    DeviceMismatch,
    DeviceRemoved,
    MaterialMissing,
    ReadingAnomalyFound,
)
from contracts.cases import CasePurged
from contracts.codes import CloseReason, Comms, CommsCause, DeviceRole, PurgeReason, PurgeScope, State
from contracts.event import Event
from contracts.parts import DevicePlan, PlanItem, VisitedSite
from contracts.visits import VisitReported
from kit.testing import Stage
from tests.services.asset_service.given import (
    NEW,
    OLD,
    OTHER,
    VISIT_AT,
    came,
    cancelled,
    failed,
    final,
    id_of,
    moved,
    names,
    opened,
    order_opened,
    places,
    planned,
    reading,
    ready,
    requested,
    reserved,
    stocked,
    visited,
    went,
)


def mismatches(told: list[Event]) -> list[str]:
    return [fact.rule for fact in told if isinstance(fact, DeviceMismatch)]


async def test_J01_M0_M7_new_meter_in_old_meter_out(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited())
    assert names(await stage.told_since()) == ["DeviceInstalled", "DeviceRemoved"]
    assert await places(stage) == {NEW: "INSTALLED at site:DEa", OLD: "REMOVED at van"}
    assert (await reserved(stage), stage.processor.cuts) == (["USED"], 0)


async def test_J01_the_facts_name_serial_role_visit_and_order(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited())
    installed, removed = await stage.told_since()
    assert isinstance(installed, DeviceInstalled)
    assert isinstance(removed, DeviceRemoved)
    assert (installed.serial, installed.manufacturer, installed.role) == (NEW, "EMH", DeviceRole.METER)
    assert (installed.visit_version, installed.provisional) == (1, False)
    assert (removed.serial, removed.manufacturer, removed.provisional) == (OLD, "LGZ", False)
    assert removed.work_order_id == id_of("order", "a", 1)


async def test_M1_an_unknown_serial_becomes_a_provisional_device(stage: Stage) -> None:
    await planned(stage)
    await stage.told_since()
    await stage.hears(visited())
    told = await stage.told_since()
    assert names(told) == ["DeviceMoved", "DeviceMismatch", "DeviceInstalled", "DeviceRemoved"]
    assert mismatches(told) == ["M1"]
    assert [fact.provisional for fact in told if isinstance(fact, DeviceInstalled)] == [True]
    assert (await places(stage))[NEW] == "INSTALLED at site:DEa"


async def test_M2_a_meter_that_was_never_picked_is_corrected_into_the_van_first(stage: Stage) -> None:
    await stocked(stage, NEW)
    await planned(stage)
    await stage.hears(visited())
    assert mismatches(await stage.told()) == ["M2"]
    assert (await places(stage))[NEW] == "INSTALLED at site:DEa"
    assert await reserved(stage) == ["USED"]


async def test_M0_what_was_set_aside_in_the_technician_s_own_van_needs_no_picking(stage: Stage) -> None:
    await ready(stage)
    await planned(stage, "b")
    await stocked(stage, OTHER)
    await stage.hears(moved("T31", State.MANUAL_FOLLOW_UP, State.CLOSED, close_reason=CloseReason.CANCELLED))
    await stage.hears(requested("b"))
    assert (await places(stage))[NEW] == "RESERVED at van"
    await stage.hears(visited("b"))
    assert mismatches(await stage.told()) == []


async def test_M3_a_meter_that_is_in_place_elsewhere_is_disputed_and_not_told_as_installed(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited("a", removed=()))
    await planned(stage, "b")
    await stage.told_since()
    await stage.hears(visited("b", installed=(came(NEW),), removed=()))
    told = await stage.told_since()
    assert (names(told), mismatches(told)) == (["DeviceMismatch"], ["M3"])
    assert (await places(stage))[NEW] == "INSTALLED at site:DEa"
    assert [row.disputed for row in await stage.rows("devices")] == [True]


async def test_M4_a_type_that_is_not_in_the_plan_is_installed_and_told(stage: Stage) -> None:
    await stocked(stage, NEW, device_type="mme_3ph_ct")
    await planned(stage)
    await stage.hears(visited())
    told = await stage.told()
    assert mismatches(told) == ["M2", "M4"]
    (found,) = [fact for fact in told if isinstance(fact, DeviceMismatch) and fact.rule == "M4"]
    assert (found.expected_type, found.found_type) == ("mme_3ph", "mme_3ph_ct")
    assert (await places(stage))[NEW] == "INSTALLED at site:DEa"


async def test_M4_near_miss_an_alternative_of_the_plan_is_no_contradiction(stage: Stage) -> None:
    await stocked(stage, NEW, device_type="mme_1ph")
    await planned(stage)
    await stage.hears(visited())
    assert mismatches(await stage.told()) == ["M2"]


async def test_M5_what_was_set_aside_and_not_used_is_free(stage: Stage) -> None:
    await ready(stage)
    await stocked(stage, OTHER)
    await stage.hears(visited(installed=(came(OTHER),)))
    assert mismatches(await stage.told()) == ["M2", "M5"]
    assert (await places(stage))[NEW] == "IN_STOCK at van"
    assert await reserved(stage) == ["RELEASED"]


async def test_M5_near_miss_a_failed_visit_keeps_the_material_for_the_next_one(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(failed())
    assert (await stage.told_since(), await reserved(stage)) == ([], ["PICKED"])


async def test_J24_M6_another_serial_on_site_is_booked_and_the_expected_one_disputed(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited("a", installed=(came(NEW),), removed=()))
    await planned(stage, "b", 1)
    await stage.hears(opened("b", metering_point_id="DEa"))
    expected = DevicePlan(plan="REMOVAL", install=(), remove=visited().device_plan.remove[:1]).model_copy(
        update={"remove": (visited().device_plan.remove[0].model_copy(update={"serial": NEW, "manufacturer": "EMH"}),)}
    )
    await stage.hears(opened("c", metering_point_id="DEa"), order_opened("c", kind="removal"))
    await stage.told_since()
    await stage.hears(visited("c", installed=(), removed=(went("SN-7"),), device_plan=expected))
    told = await stage.told_since()
    assert (names(told), mismatches(told)) == (["DeviceMismatch", "DeviceRemoved"], ["M6"])
    (found,) = [fact for fact in told if isinstance(fact, DeviceMismatch)]
    assert (found.expected_serial, found.found_serial) == (NEW, "SN-7")
    assert (await places(stage))[NEW] == "DISPUTED at site:DEa"
    assert (await places(stage))["SN-7"] == "REMOVED at van"


async def test_J24_M6_an_expected_meter_that_the_ledger_never_knew_is_only_named(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited(removed=(went("1LGZ0061578889"),)))
    told = await stage.told_since()
    assert mismatches(told) == ["M6"]
    assert [fact.provisional for fact in told if isinstance(fact, DeviceRemoved)] == [True]


async def test_M9_what_is_said_to_have_happened_before_an_earlier_movement_is_disputed(stage: Stage) -> None:
    await ready(stage)
    early = came(NEW, at=stage.clock.now() - timedelta(hours=1))
    await stage.hears(visited(installed=(early,), removed=()))
    told = await stage.told_since()
    assert (names(told), mismatches(told)) == (["DeviceMismatch"], ["M9"])
    assert (await places(stage))[NEW] == "PICKED at van"


async def test_M9_near_miss_the_same_moment_as_the_last_movement_fits(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited(installed=(came(NEW, at=stage.clock.now()),), removed=()))
    assert names(await stage.told_since()) == ["DeviceInstalled"]


async def test_M10_the_same_serial_twice_is_booked_once(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited(installed=(came(NEW), came("1emh-0012-345678")), removed=()))
    told = await stage.told_since()
    assert (names(told), mismatches(told)) == (["DeviceInstalled", "DeviceMismatch"], ["M10"])


async def test_M10_installed_and_removed_at_once_is_booked_as_installed(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited(removed=(went(NEW),)))
    assert mismatches(await stage.told_since()) == ["M10"]
    assert (await places(stage))[NEW] == "INSTALLED at site:DEa"


async def test_a_meter_set_aside_for_another_order_is_used_and_the_other_one_asks_again(stage: Stage) -> None:
    await ready(stage)
    await planned(stage, "b")
    await stocked(stage, OTHER)
    await stage.told_since()
    await stage.hears(visited("b", removed=()))
    told = await stage.told_since()
    assert names(told) == ["DeviceInstalled", "MaterialMissing"] or names(told) == [
        "MaterialMissing",
        "DeviceInstalled",
    ]
    (lost,) = [fact for fact in told if isinstance(fact, MaterialMissing)]
    assert lost.work_order_id == id_of("order", "a", 1)
    await stage.passes()
    assert names(await stage.told_since()) == ["MaterialReserved"]
    assert (await places(stage))[OTHER] == "RESERVED at central"


async def test_a_superseded_order_loses_its_meter_without_a_word(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(moved("T23", State.REOPENED, State.CLOSED, close_reason=CloseReason.SUPERSEDED))
    await stage.hears(opened("b"), order_opened("b"))
    await stage.hears(visited("b", removed=()))
    assert names(await stage.told_since()) == ["DeviceInstalled"]
    assert await reserved(stage) == ["MISSING"]


async def test_a_serial_alone_names_a_device_only_if_one_manufacturer_has_it(stage: Stage) -> None:
    await stocked(stage, "30001", "30002")
    body = "manufacturer;serial;device_type\nLGZ;30001;mme_3ph"
    async with stage.http("warehouse") as client:
        await client.post("/v1/imports/devices", content=body, headers={"Content-Type": "text/csv"})
    await stage.hears(opened("a"), order_opened("a"), opened("b"), order_opened("b"))
    await stage.hears(visited("a", installed=(came("30002"),), removed=()))
    await stage.hears(visited("b", installed=(came("30001"),), removed=()))
    told = [(fact.manufacturer, fact.rule) for fact in await stage.told() if isinstance(fact, DeviceMismatch)]
    assert told == [("EMH", "M2"), ("UNKNOWN", "M1")]


async def test_a_visit_whose_work_order_is_not_heard_of_waits(stage: Stage) -> None:
    await stage.hears(visited())
    assert len(await stage.parked()) == 1
    await stage.hears(opened(), order_opened())
    await stage.passes(timedelta(seconds=2))
    assert (await stage.parked(), names(await stage.told()).count("DeviceInstalled")) == ([], 1)


async def test_a_label_that_is_none_parks_its_case_and_nobody_else_s(stage: Stage) -> None:
    await stage.hears(opened("a"), order_opened("a"), opened("b"), order_opened("b"))
    await stage.hears(visited("a", installed=(came("x" * 36),)), visited("b"))
    assert [text.split(": ")[1] for text in await stage.parked()] == ["bad-serial"]
    assert names(await stage.told()).count("DeviceInstalled") == 1


async def test_a_late_report_after_the_cancellation_is_booked_all_the_same(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(cancelled())
    await stage.hears(visited())
    assert names(await stage.told_since())[-2:] == ["DeviceInstalled", "DeviceRemoved"]
    assert await reserved(stage) == ["RELEASED"]


GATEWAY_PLAN = DevicePlan(
    plan="IMSYS",
    install=(PlanItem(role=DeviceRole.SMGW, device_type="smgw_lte", quantity=1, alternatives=()),),
    remove=(),
)


async def gateway_visit(stage: Stage, comms: Comms, cause: CommsCause | None = None) -> list[Event]:
    await stocked(stage, NEW, device_type="smgw_lte")
    await stage.hears(opened(), order_opened())
    await stage.told_since()
    box = came(NEW, role=DeviceRole.SMGW, comms=comms, comms_cause=cause)
    await stage.hears(visited(installed=(box,), removed=(), device_plan=GATEWAY_PLAN))
    return [fact for fact in await stage.told_since() if not isinstance(fact, DeviceMismatch)]


async def test_a_gateway_that_communicates_is_commissioned_by_the_visit(stage: Stage) -> None:
    told = await gateway_visit(stage, Comms.OK)
    assert names(told)[-2:] == ["DeviceInstalled", "DeviceCommissioned"]
    assert await places(stage) == {NEW: "COMMISSIONED at site:DEa"}


async def test_J22_a_gateway_that_does_not_is_pending_with_its_cause(stage: Stage) -> None:
    told = await gateway_visit(stage, Comms.PENDING, CommsCause.NO_COVERAGE)
    assert isinstance(told[-1], CommissioningPending)
    assert told[-1].cause is CommsCause.NO_COVERAGE
    assert await places(stage) == {NEW: "INSTALLED at site:DEa"}


async def test_J22_the_head_end_commissions_later_in_the_name_of_the_installing_order(stage: Stage) -> None:
    await gateway_visit(stage, Comms.PENDING)
    (row,) = await stage.rows("devices")
    async with stage.http("mdm") as client:
        body = {"at": "2026-03-11T08:00:00Z", "by": "head_end", "proof": "HES-4711"}
        path = f"/v1/devices/{row.device_id}/commissioned"
        assert (await client.post(path, json=body)).status_code == 200
        assert (await client.post(path, json=body)).json()["state"] == "COMMISSIONED"
    (fact,) = await stage.told_since()
    assert isinstance(fact, DeviceCommissioned)
    assert fact.work_order_id == id_of("order", "a", 1)


async def test_what_is_not_in_place_is_not_commissioned(stage: Stage) -> None:
    await stocked(stage, NEW)
    (row,) = await stage.rows("devices")
    async with stage.http("mdm") as client:
        body = {"at": "2026-03-11T08:00:00Z", "by": "head_end", "proof": "HES-4711"}
        answer = await client.post(f"/v1/devices/{row.device_id}/commissioned", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong-location")


async def test_R8_uses_the_display_of_the_device_type(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited(installed=(came(NEW, reading("0.25")),)))
    found = [fact.rule for fact in await stage.told_since() if isinstance(fact, ReadingAnomalyFound)]
    assert found == ["R8"]


async def test_R6_a_meter_with_history_begins_where_it_ended(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited("a", removed=()))
    await stage.hears(opened("c", metering_point_id="DEa"), order_opened("c", kind="removal"))
    later = VISIT_AT + timedelta(days=1)
    took = went(NEW, final(310, at=later), at=later)
    await stage.hears(visited("c", installed=(), removed=(took,), device_plan=GATEWAY_PLAN))
    await planned(stage, "b")
    await stage.told_since()
    back = VISIT_AT + timedelta(days=2)
    await stage.hears(visited("b", installed=(came(NEW, reading(312, at=back), at=back),), removed=()))
    found = [fact for fact in await stage.told_since() if isinstance(fact, ReadingAnomalyFound)]
    assert [fact.rule for fact in found] == ["R6"]


SECRETS = ("23456.7", "812.9", "0.3", "3456.1")


async def test_SEC_PII_01_no_reading_is_told(stage: Stage) -> None:
    await ready(stage)
    site = VisitedSite(generation=False, postcode="00101", forecast_kwh="3456.1")
    old = went(OLD, final("23456.7", last_billed="812.9", last_billed_on="2026-01-02", digits=4))
    report = visited(installed=(came(NEW, reading("0.3")),), removed=(old,), site=site)
    await stage.hears(report)
    told = b"".join(row.value or b"" for row in await stage.rows("outbox"))
    assert [rule for fact in await stage.told() if isinstance(fact, ReadingAnomalyFound) for rule in [fact.rule]]
    assert [secret for secret in SECRETS if secret.encode() in told] == []


async def test_an_erasure_deletes_readings_and_keeps_ledger_and_serials(stage: Stage) -> None:
    await ready(stage)
    await stage.hears(visited(installed=(came(NEW, reading(11)),)))
    movements = len(await stage.rows("movements"))
    await stage.hears(
        CasePurged(case_id=id_of("case", "a"), scope=PurgeScope.ALL, reason=PurgeReason.ERASURE, request_id=None)
    )
    assert await stage.rows("exchange_readings") == []
    assert [row.detail for row in await stage.rows("findings")] == [{}]
    assert (len(await stage.rows("movements")), len(await stage.rows("devices"))) == (movements, 2)


def test_the_report_of_the_stories_is_one_that_case_service_could_tell() -> None:
    assert VisitReported.from_json(visited().to_json()) == visited()
