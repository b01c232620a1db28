"""Facts of orders: every identifier is valid, nobody is real, and numbers never meet."""

from contracts.ids import is_device_id, is_melo, phone, postcode
from simulators import facts
from simulators.facts import OrderFacts

SOME = [OrderFacts(number) for number in (1, 2, 17, 999, 30_000)]


def test_identifiers_are_valid() -> None:
    assert all(is_melo(order.metering_point) for order in SOME)
    assert all(is_device_id(facts.new_serial(number)) for number in (1, 30_000))
    assert all(postcode(order.postcode, "DE") == order.postcode for order in SOME)


def test_postcodes_are_of_nowhere() -> None:
    assert {OrderFacts(number).postcode for number in range(1, 100)} == {f"0010{last}" for last in range(1, 10)}


def test_a_mobile_takes_texts_and_a_line_at_home_does_not() -> None:
    for order in SOME:
        mobile, home = phone(order.phone, "DE"), phone(order.home_phone, "DE")
        assert mobile is not None
        assert home is not None
        assert (mobile.mobile, home.mobile) == (True, False)


def test_numbers_never_meet() -> None:
    orders = [OrderFacts(number) for number in range(1, 3_001)]
    for name in ("order_no", "metering_point", "old_serial", "phone"):
        assert len({getattr(order, name) for order in orders}) == 3_000, name


def test_the_order_is_found_again_by_its_metering_point() -> None:
    assert [facts.number_of(order.metering_point) for order in SOME] == [order.number for order in SOME]


def test_stock_is_a_delivery_with_a_row_per_device() -> None:
    header, *rows = facts.stock(3, 1).decode().splitlines()
    assert header == "manufacturer;serial;device_type"
    meters = [facts.new_serial(number) for number in (1, 2, 3)]
    assert [row.split(";")[1] for row in rows] == [*meters, "EHUB0000000001", "EHUB0100000001"]
    assert [row.split(";")[2] for row in rows] == ["mme_3ph"] * 3 + ["smgw_lte", "antenna_lte"]
