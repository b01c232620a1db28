"""Labels as people scan and type them, with their verdicts (D-DEV-1 to D-DEV-3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.asset_service.domain.labels import Label, read_label, variants
from services.asset_service.errors import BadSerial

GS = "\x1d"
OFFICIAL = ("1EMH0012345678", "EMH", "12345678", ())

# fmt: off
SCANS: list[tuple[str, tuple[str | None, str | None, str, tuple[str, ...]]]] = [
    ("1EMH0012345678",                        OFFICIAL),
    ("1emh 0012 345678",                      OFFICIAL),
    ("1EMH-0012-345678",                      OFFICIAL),
    ("1EMH.0012.345678",                      OFFICIAL),
    ("\t1EMH0012345678 ",                     OFFICIAL),
    ("1EMH–0012–345678",                      OFFICIAL),
    ("１ＥＭＨ００１２３４５６７８",                        OFFICIAL),
    ("]C11EMH0012345678",                     OFFICIAL),
    ("]d2211EMH0012345678",                   OFFICIAL),
    ("]C10104012345678901211EMH0012345678",   OFFICIAL),
    (f"]d20104012345678901211EMH0012345678{GS}240ABC", OFFICIAL),
    (f"240ABC{GS}211EMH0012345678",           OFFICIAL),
    ("(01)04012345678901(21)1EMH0012345678",  OFFICIAL),
    ("(250)1EMH0012345678",                   OFFICIAL),
    ("1ЕMH0012345678",                        ("1EMH0012345678", "EMH", "12345678", ("homoglyph",))),
    ("1ЕМН0012345678",                        ("1EMH0012345678", "EMH", "12345678", ("homoglyph",))),
    ("1ΕΜΗ0012345678",                        ("1EMH0012345678", "EMH", "12345678", ("homoglyph",))),
    ("1LGZ0061578888",                        ("1LGZ0061578888", "LGZ", "61578888", ())),
    ("EXYG0000000001",                        ("EXYG0000000001", "XYG", "00000001", ())),
    ("1EMH00123456",                          (None, None, "1EMH00123456", ("legacy_id",))),
    ("1EMH001234567",                         (None, None, "1EMH001234567", ("legacy_id",))),
    ("1EM10012345678",                        (None, None, "1EM10012345678", ("legacy_id",))),
    ("1EMHOO12345678",                        ("1EMHOO12345678", "EMH", "12345678", ())),
    ("1EMH001234567I",                        (None, None, "1EMH001234567I", ("legacy_id",))),
    ("1EMH001234567O",                        (None, None, "1EMH001234567O", ("legacy_id",))),
    ("30001",                                 (None, None, "30001", ("legacy_id",))),
    ("0030001",                               (None, None, "0030001", ("legacy_id",))),
    ("sn-000.1",                              (None, None, "SN0001", ("legacy_id",))),
    ("A/7-11",                                (None, None, "A/711", ("legacy_id",))),
    ("]C1210815",                             (None, None, "0815", ("legacy_id",))),
    ("ΑΒΕ77",                                 (None, None, "ABE77", ("homoglyph", "legacy_id"))),
]
BAD = ["", "   ", "-.-", "x" * 36, "x" * 400, "1ЖMH0012345678", "7ö7", "a;b", "١٢٣", "1EMH\x000012345678", "=1+1"]
# fmt: on


@pytest.mark.parametrize(("scan", "verdict"), SCANS)
def test_a_scan_is_read_in_its_normal_form(
    scan: str, verdict: tuple[str | None, str | None, str, tuple[str, ...]]
) -> None:
    label = read_label(scan)
    assert (label.official_id, label.manufacturer, label.serial, label.findings) == verdict


@pytest.mark.parametrize("scan", BAD)
def test_what_is_no_label_is_refused(scan: str) -> None:
    with pytest.raises(BadSerial):
        read_label(scan)


def test_the_official_id_knows_its_manufacturer_better_than_the_person() -> None:
    assert read_label("1EMH0012345678", "xyz").key == "EMH/1EMH0012345678"


def test_a_plain_serial_takes_the_manufacturer_that_was_given() -> None:
    assert (read_label("30001", " lgz ").key, read_label("30001").key) == ("LGZ/30001", "30001")


def test_an_official_id_and_its_last_digits_name_one_device_two_official_ids_do_not() -> None:
    official = read_label("1EMH0012345678")
    assert official.names(read_label("12345678", "EMH"))
    assert official.names(read_label("12345678"))
    assert not official.names(read_label("1EMHOO12345678"))
    assert not official.names(read_label("12345678", "LGZ"))


def test_O_and_0_are_never_exchanged_silently_only_proposed() -> None:
    assert read_label("1EMHO") != read_label("1EMH0")
    assert set(variants("EO1")) == {"E01", "EOI", "E0I"}


def test_a_serial_of_many_mistakable_signs_gets_no_proposals() -> None:
    assert variants("O" * 9) == ()
    assert len(variants("O" * 8)) == 255


@given(some.text(max_size=60))
def test_any_text_is_a_label_or_our_own_error(text: str) -> None:
    try:
        length = len(read_label(text).serial)
    except BadSerial:
        length = 1
    assert 1 <= length <= 35


@given(some.from_regex(r"[0-9A-Z]{1,35}", fullmatch=True))
def test_reading_twice_changes_nothing(serial: str) -> None:
    once: Label = read_label(serial)
    assert read_label(once.official_id or once.serial, once.manufacturer).key == once.key
