"""Identifiers and their check digits: the vectors of the domain facts."""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from contracts import ids

PHONES = Path(__file__).resolve().parents[2] / "../shared/samples/badinput/phones.csv"
DIGITS = some.text("0123456789", min_size=17, max_size=17)


@pytest.mark.parametrize("text", ["41373559241", "51238696781", "51238696012", "10000000009"])
def test_D_MALO_1_a_market_location_is_known(text: str) -> None:
    assert ids.is_malo(text)


@pytest.mark.parametrize(
    "text",
    [
        *["41373559214", "41373559248", "51238696788", "51238696780", "10000000005", "01234567890", "4137355924"],
        *["٤1373559241", " 41373559241", "41373559241\n", "４1373559241"],
    ],
)
def test_D_MALO_1_what_is_no_market_location_is_refused(text: str) -> None:
    assert not ids.is_malo(text)


@pytest.mark.parametrize("text", ["46373559241", "51288696781"])
def test_D_MALO_2_a_change_by_five_in_an_even_position_is_not_seen(text: str) -> None:
    assert ids.is_malo(text)


@given(DIGITS)
def test_D_MALO_1_every_made_number_is_valid(digits: str) -> None:
    body = "4" + digits[:9]
    assert ids.is_malo(f"{body}{ids.malo_check_digit(body)}")


def test_D_MELO_1_a_metering_location_has_33_characters() -> None:
    melo = "DE000123001010000000000000001234A"
    assert ids.is_melo(melo)
    assert ids.is_melo("AT" + melo[2:])
    for text in (melo.lower(), melo[:-1], melo + "A", "DE00012A" + melo[8:], "FR" + melo[2:]):
        assert not ids.is_melo(text)


@pytest.mark.parametrize("text", ["E0A1B2C3D45", "C0A1B2C3D47", "D0A1B2C3D46", "B0A1B2C3D48", "E1234567891"])
def test_D_RES_1_a_resource_is_known(text: str) -> None:
    assert ids.is_resource(text)


@pytest.mark.parametrize("text", ["E0A1B2C3D44", "E1234567890", "G0A1B2C3D45"])
def test_D_RES_1_what_is_no_resource_is_refused(text: str) -> None:
    assert not ids.is_resource(text)


def test_D_RES_1_a_kind_can_be_asked_for() -> None:
    assert ids.is_resource("E0A1B2C3D45", prefixes="E")
    assert not ids.is_resource("C0A1B2C3D47", prefixes="E")


@pytest.mark.parametrize("text", ["9900357000003", "9900001000002", "9800001000004", "4012345000009"])
def test_D_MP_1_a_market_partner_is_known_by_either_rule(text: str) -> None:
    assert ids.is_market_partner(text)


@pytest.mark.parametrize("text", ["9900357000004", "9900987654321", "990035700000", "99003570000031"])
def test_D_MP_1_what_fits_neither_rule_is_no_market_partner(text: str) -> None:
    assert not ids.is_market_partner(text)


def test_D_MP_2_both_agencies_are_the_same_one() -> None:
    assert [ids.agencies_agree(*pair) for pair in (("500", "293"), ("502", "332"), ("14", "9"))] == [True] * 3
    assert not ids.agencies_agree("500", "9")
    assert not ids.agencies_agree("999", "293")


@pytest.mark.parametrize("text", ["10YDE-VE-------2", "10YNO-0--------C", "11XRWENET12345-2"])
def test_D_EIC_1_an_energy_identification_code_is_known(text: str) -> None:
    assert ids.is_eic(text)


def test_D_EIC_1_a_wrong_check_character_is_refused() -> None:
    assert not ids.is_eic("10YDE-VE-------3")


@given(some.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-", min_size=15, max_size=15))
def test_D_EIC_1_a_body_is_usable_unless_its_check_character_is_a_dash(body: str) -> None:
    check = ids.eic_check_character(body)
    assert ids.is_eic(body + check) == (check != "-")


@pytest.mark.parametrize("text", ["707057500012345671", "735999100012345673", "857643212345678922"])
def test_D_GSRN_1_a_nordic_metering_point_is_known(text: str) -> None:
    assert ids.is_gsrn(text)


@pytest.mark.parametrize("text", ["707057500012345672", "857643212345678921", "707057500012345675"])
def test_D_GSRN_1_what_is_no_metering_point_is_refused(text: str) -> None:
    assert not ids.is_gsrn(text)


@given(DIGITS)
def test_D_GSRN_1_every_made_number_is_valid(body: str) -> None:
    assert ids.is_gsrn(f"{body}{ids.gsrn_check_digit(body)}")


def test_D_GLN_1_a_nordic_party_is_known_by_its_check_digit() -> None:
    assert ids.is_gln("4012345000009")
    assert not ids.is_gln("4012345000001")


def test_D_PLZ_1_a_postcode_belongs_to_its_country() -> None:
    assert (ids.postcode("00101", "DE"), ids.postcode("0150", "NO"), ids.postcode("1010", "AT")) == (
        "00101", "0150", "1010",
    )  # fmt: skip
    assert ids.postcode("123 45", "SE") == "12345"
    assert ids.postcode("1234", "DE") is None
    assert ids.postcode("١٢٣٤٥", "DE") is None


def test_D_PLZ_1_a_municipality_has_the_length_of_its_country() -> None:
    assert ids.is_municipality("0301", "NO")
    assert ids.is_municipality("09162000", "DE")
    assert not ids.is_municipality("0301", "DE")


def test_D_TEL_1_a_mobile_number_is_stored_in_one_form() -> None:
    assert ids.phone("0151 12345678", "DE") == ids.Phone("+4915112345678", mobile=True, region="DE")
    assert ids.phone("41234567", "NO") == ids.Phone("+4741234567", mobile=True, region="NO")
    assert ids.phone("070-123 45 67", "SE") == ids.Phone("+46701234567", mobile=True, region="SE")


@pytest.mark.parametrize("text", ["+49 30 1234567", "+4722334455", "0800 1234567", "+4915112345678;ext=5"])
def test_D_TEL_1_what_is_not_mobile_gets_no_sms(text: str) -> None:
    found = ids.phone(text, "DE")
    assert found is not None
    assert not found.mobile


@pytest.mark.parametrize("text", ["0049 letters", "110", "+49900123456", "12345", "+4759000000", ""])
def test_D_TEL_1_what_is_no_number_is_refused(text: str) -> None:
    assert ids.phone(text, "DE") is None


def test_D_TEL_1_the_collected_numbers_are_read_as_expected() -> None:
    rows = list(csv.DictReader(PHONES.read_text("utf-8").splitlines()))
    for row in rows:
        found = ids.phone(row["input"], "DE")
        mobile = found.number if found and found.mobile else None
        wanted = re.search(r"\+\d+", row["expect"])
        assert mobile == (wanted.group() if wanted else None), row
    assert len(rows) > 10


def test_D_EMAIL_1_an_address_has_one_at_and_a_dot_after_it() -> None:
    assert ids.is_email("kim.muster@example.org")
    for text in ("kim", "kim@host", "a@b@c.org", "a@b.org\n", "kim @example.org", "k" * 243 + "@example.org"):
        assert not ids.is_email(text)


def test_D_DEV_1_a_device_id_has_fourteen_characters() -> None:
    assert ids.is_device_id("1EMH0012345678")
    assert ids.is_device_id("1LGZ0061578888")
    assert not ids.is_device_id("1EM10012345678")
    assert not ids.is_device_id("1EMH001234567")


def test_D_DEV_1_of_others_any_serial_is_accepted() -> None:
    assert ids.is_legacy_device_id("12-345/A.6")
    assert not ids.is_legacy_device_id("")
    assert not ids.is_legacy_device_id("1" * 36)
    assert not ids.is_legacy_device_id("12 345")


def test_D_DEV_3_serials_are_compared_without_blanks_dashes_and_dots() -> None:
    assert ids.comparable_serial("1emh-00.12 345678") == ids.Comparable("1EMH0012345678", homoglyph=False)
    assert ids.comparable_serial("１EMH0012345678") == ids.Comparable("1EMH0012345678", homoglyph=False)


def test_D_DEV_3_a_look_alike_is_mapped_and_noticed() -> None:
    assert ids.comparable_serial("1ЕМН0012345678") == ids.Comparable("1EMH0012345678", homoglyph=True)


def test_D_DEV_3_other_letters_go_to_quarantine() -> None:
    assert ids.comparable_serial("1ЖMH0012345678") is None
    assert ids.comparable_serial(" - ") is None


def test_D_DEV_3_zero_and_o_are_never_exchanged() -> None:
    assert ids.comparable_serial("O0I1") == ids.Comparable("O0I1", homoglyph=False)


@pytest.mark.parametrize(
    ("text", "stored"),
    [("1-0:1.8.0", "1-0:1.8.0"), ("1-0:1.8.0*255", "1-0:1.8.0"), ("1-1:1.29.0", "1-1:1.29.0"), ("1.8.0", "1-0:1.8.0")],
)
def test_D_OBIS_1_a_register_has_one_stored_form(text: str, stored: str) -> None:
    assert ids.obis(text) == stored


@pytest.mark.parametrize("text", ["1-0:1,8,0", "1-0.1.8.0", "1-0:1.8", "1-0:256.8.0", "1-0:1.8.0*1", "7-0:1.8.0", ""])
def test_D_OBIS_1_what_is_no_register_of_power_is_refused(text: str) -> None:
    assert ids.obis(text) is None


def test_an_order_is_known_by_its_partner_and_number() -> None:
    assert ids.order_key("erp", "4500012345/A-1") == "erp:4500012345/A-1"
    assert ids.order_key("erp", "45 ü~%") == "erp:45%20%C3%BC%7E%25"


def test_two_order_numbers_never_share_a_key() -> None:
    assert ids.order_key("erp", "45%20") != ids.order_key("erp", "45 ")


@pytest.mark.parametrize("number", ["", "4" * 77, "ü" * 20, "-1"])
def test_an_order_number_that_makes_no_key_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="order number"):
        ids.order_key("erp", number)
