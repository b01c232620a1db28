"""Rules R1 to R9, each with a hit and a near miss; the vectors of the domain facts."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.codes import ReadingSource, Severity
from services.asset_service.domain.readings import Exchange, Meter, Register, cap, check, delta, p_max_kw, reduced

OUT = datetime(2026, 3, 10, 10, 5, tzinfo=UTC)
IN = datetime(2026, 3, 10, 10, 20, tzinfo=UTC)
BILLED_ON = date(2026, 2, 14)


def register(value: str, obis: str = "1-0:1.8.0", **more: Any) -> Register:
    decimals = {name: Decimal(more[name]) for name in ("multiplier", "last_billed") if name in more}
    return Register(obis, Decimal(value), OUT, **{**more, **decimals})


def old(*registers: Register, **more: Any) -> Meter:
    return Meter(**{"at": OUT, "registers": registers or (register("23456"),), **more})


def new(*registers: Register, **more: Any) -> Meter:
    return Meter(**{"at": IN, "registers": registers or (register("0"),), **more})


def rules(old_: Meter | None = None, new_: Meter | None = None, **site: Any) -> list[str]:
    return [found.rule for found in check(Exchange(old_ or old(), new_ or new(), **site))]


def days_ago(days: int) -> date:
    return OUT.date() - timedelta(days=days)


def test_a_plausible_exchange_has_no_findings() -> None:
    assert rules() == []


def test_R1_removal_before_installation() -> None:
    assert rules(new_=new(at=OUT + timedelta(minutes=15))) == []
    assert rules(new_=new(at=OUT - timedelta(minutes=5))) == ["R1"]


def test_R1_less_than_a_day_between() -> None:
    assert rules(new_=new(at=OUT + timedelta(hours=24) - timedelta(seconds=1))) == []
    assert rules(new_=new(at=OUT + timedelta(hours=24))) == ["R1"]


def test_R1_both_readings_are_there() -> None:
    assert rules(new_=new(register("0", "1-0:3.8.0"))) == ["R1"]
    assert rules(old(register("5", "1-0:1.8.1"), register("5", "1-0:1.8.2"))) == []


def test_R1_a_direction_that_the_old_meter_counted_is_read_on_the_new_one_too() -> None:
    both = old(register("100"), register("0", "1-0:2.8.0"))
    assert rules(both) == ["R1"]
    assert rules(both, new(register("0"), register("0", "1-0:2.8.0"))) == []


def test_R1_a_meter_alone_needs_a_reading_of_its_own() -> None:
    assert [found.rule for found in check(Exchange(None, new(register("0", "1-0:3.8.0"))))] == ["R1"]
    assert check(Exchange(None, new())) == []


@pytest.mark.parametrize(
    ("last_billed", "final", "digits", "days", "expected"),
    [
        ("999812", "145", 6, 24, Decimal(333)),
        ("800000", "0", 6, 90, None),
        ("999812", "145", None, 24, None),
        ("100", "433", None, 24, Decimal(333)),
        ("100", "100", 6, 24, Decimal(0)),
    ],
)
def test_R2_the_difference_is_known_or_it_is_a_riddle(
    last_billed: str, final: str, digits: int | None, days: int, expected: Decimal | None
) -> None:
    read = register(final, last_billed=last_billed, last_billed_on=days_ago(days), digits=digits)
    assert delta(read, digits, None) == expected
    found = [found.rule for found in check(Exchange(old(read), new())) if found.rule == "R2"]
    assert found == ([] if expected is not None else ["R2"])


def test_R2_the_caps_of_the_domain_facts() -> None:
    assert round(p_max_kw(63), 2) == Decimal("43.65")
    assert (round(cap(24, Decimal(1))), round(cap(90, Decimal(1)))) == (25_141, 94_279)
    assert cap(24, Decimal(30)) == cap(24, Decimal(1)) / 30


def test_R2_the_master_data_s_power_counts_where_it_is_known() -> None:
    read = register("145", last_billed="999812", last_billed_on=days_ago(24), digits=6)
    assert delta(read, 6, Decimal("0.5")) is None
    assert delta(read, 6, Decimal("0.6")) == 333


def test_R3_a_meter_behind_transformers_needs_its_factor() -> None:
    assert rules(old(register("10"), is_ct=True)) == ["R3"]
    assert rules(old(register("10", multiplier="30"), is_ct=True)) == []
    assert rules(old(register("10"))) == []


@pytest.mark.parametrize(("energy", "warned"), [("299", True), ("300", False), ("3000", False), ("3001", True)])
def test_R4_consumption_near_the_forecast_limits_included(energy: str, warned: bool) -> None:
    read = register(energy, last_billed="0", last_billed_on=days_ago(100))
    found = check(Exchange(old(read), new(), forecast_kwh=Decimal(3650)))
    assert [(each.rule, each.severity) for each in found] == ([("R4", Severity.WARNING)] if warned else [])


@pytest.mark.parametrize(("energy", "warned"), [("345.2", True), ("345.3", False), ("3452", False), ("3452.1", True)])
def test_R4_the_band_of_3500_kwh_over_120_days(energy: str, warned: bool) -> None:
    read = register(energy, last_billed="0", last_billed_on=days_ago(120))
    assert rules(old(read), forecast_kwh=Decimal(3500)) == (["R4"] if warned else [])


def test_R4_is_silent_before_30_days_and_counts_tariffs_and_multipliers() -> None:
    short = register("5000", last_billed="0", last_billed_on=days_ago(29))
    assert rules(old(short), forecast_kwh=Decimal(3650)) == []
    month = register("5000", last_billed="0", last_billed_on=days_ago(30))
    assert rules(old(month), forecast_kwh=Decimal(3650)) == ["R4"]
    billed = {"last_billed": "0", "last_billed_on": days_ago(100), "multiplier": "2"}
    tariffs = [register("250", f"1-0:1.8.{number}", **billed) for number in (1, 2)]
    assert rules(old(*tariffs), forecast_kwh=Decimal(3650)) == []


@pytest.mark.parametrize(("total", "wrong"), [("149", False), ("151", False), ("152", True), ("148", True)])
@pytest.mark.parametrize("direction", ["1-0:1.8", "1-0:2.8"])
def test_R5_the_tariffs_make_the_total(direction: str, total: str, wrong: bool) -> None:
    parts = [register(total, f"{direction}.0"), register("100", f"{direction}.1"), register("50", f"{direction}.2")]
    meter = old(register("1"), *parts) if direction.endswith("2.8") else old(*parts)
    found = [found.rule for found in check(Exchange(meter, None, generation=True)) if found.rule == "R5"]
    assert found == (["R5"] if wrong else [])


@pytest.mark.parametrize(("value", "wrong"), [("0", False), ("10", False), ("11", True)])
def test_R6_a_new_meter_begins_low(value: str, wrong: bool) -> None:
    assert rules(new_=new(register(value))) == (["R6"] if wrong else [])


@pytest.mark.parametrize(("value", "wrong"), [("309", False), ("311", False), ("311.1", True), ("0", True)])
def test_R6_a_known_meter_begins_where_it_ended(value: str, wrong: bool) -> None:
    meter = new(register(value), history={"1-0:1.8.0": Decimal(310)})
    assert rules(new_=meter) == (["R6"] if wrong else [])


@pytest.mark.parametrize(("typed", "wrong"), [("23456", False), ("23456.9", False), ("23465", True)])
def test_R7_a_person_typed_what_was_read_out(typed: str, wrong: bool) -> None:
    read = register("23456.7", source=ReadingSource.READOUT)
    assert rules(old(read, register(typed))) == (["R7"] if wrong else [])


@pytest.mark.parametrize(
    ("value", "wrong"), [("123456", False), ("1234567", True), ("12.5", False), ("12.55", True), ("12.50", False)]
)
def test_R8_a_reading_fits_the_display(value: str, wrong: bool) -> None:
    assert rules(old(register(value), digits=6, decimals=1)) == (["R8"] if wrong else [])
    assert rules(old(register(value, digits=6, decimals=1))) == (["R8"] if wrong else [])


def test_R8_a_reading_has_no_sign_and_an_unknown_display_takes_any() -> None:
    assert rules(old(register("-1"))) == ["R8"]
    assert rules(old(register("123456789.123"))) == []


def test_R9_a_site_that_feeds_in_needs_the_export_register() -> None:
    assert rules(generation=True) == ["R9"]
    both = new(register("0"), register("0", "1-0:2.8.0"))
    assert rules(new_=both, generation=True) == []


@pytest.mark.parametrize(("value", "warned"), [("1", False), ("1.1", True)])
def test_R9_a_site_that_does_not_has_nothing_on_it(value: str, warned: bool) -> None:
    fed = register(value, "1-0:2.8.0", last_billed="0", last_billed_on=BILLED_ON)
    found = rules(old(register("5"), fed), new(register("0"), register("0", "1-0:2.8.0")))
    assert found == (["R9"] if warned else [])


def test_a_multiplier_makes_energy_of_a_difference() -> None:
    assert Decimal(333) * 30 == 9_990
    billed = {"last_billed": "0", "last_billed_on": days_ago(365)}
    meter = old(register("333", multiplier="30", **billed), is_ct=True)
    assert rules(meter, forecast_kwh=Decimal(9_990)) == []
    assert rules(old(register("333", **billed)), forecast_kwh=Decimal(9_990)) == ["R4"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("1-0:1.8.0", "1-0:1.8.0"),
        ("1-0:1.8.0*255", "1-0:1.8.0"),
        ("1.8.0", "1-0:1.8.0"),
        ("1-1:1.29.0", "1-1:1.29.0"),
    ],
)
def test_D_OBIS_1_codes_are_kept_reduced(code: str, expected: str) -> None:
    assert reduced(code) == expected
