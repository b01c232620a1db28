"""Phone numbers: the page's vectors and the corpus of bad input."""

import csv
from pathlib import Path

import pytest

from services.notification_service.domain import numbers
from services.notification_service.domain.numbers import Number, NumberCause

CORPUS = Path(__file__).parent / "data" / "phones.csv"
ROWS = [(row[0], ", ".join(row[1:])) for row in list(csv.reader(CORPUS.read_text("utf-8").splitlines()))[1:]]

# fmt: off
VECTORS = [
    ("DE", "0151 12345678",        "+4915112345678", None),
    ("NO", "41234567",             "+4741234567",    None),
    ("SE", "070-123 45 67",        "+46701234567",   None),
    ("DE", "+49 30 1234567",       "+49301234567",   NumberCause.NOT_MOBILE),
    ("DE", "+4722334455",          "+4722334455",    NumberCause.NOT_MOBILE),
    ("DE", "0800 1234567",         "+498001234567",  NumberCause.SPECIAL_NUMBER),
    ("DE", "+49 137 8123456",      "+491378123456",  NumberCause.SPECIAL_NUMBER),
    ("DE", "+49900123456",         None,             NumberCause.INVALID_NUMBER),
    ("DE", "12345",                None,             NumberCause.INVALID_NUMBER),
    ("DE", "+4759000000",          None,             NumberCause.INVALID_NUMBER),
    ("DE", "+4915112345678;ext=5", None,             NumberCause.EXTENSION),
    ("DE", "+881612345678",        "+881612345678",  NumberCause.REGION_NOT_ALLOWED),
    ("DE", "",                     None,             NumberCause.NO_NUMBER),
    ("DE", None,                   None,             NumberCause.NO_NUMBER),
    ("DE", "0151 1234567a",        None,             NumberCause.INVALID_NUMBER),
    ("DE", "1" * 60,               None,             NumberCause.INVALID_NUMBER),
]
# fmt: on


@pytest.mark.parametrize(("country", "text", "e164", "cause"), VECTORS)
def test_a_number_is_read_in_its_country(
    country: str, text: str | None, e164: str | None, cause: NumberCause | None
) -> None:
    assert numbers.read(text, country) == Number(e164, cause)


@pytest.mark.parametrize(("text", "expect"), ROWS)
def test_the_corpus_of_phones_gets_its_verdicts(text: str, expect: str) -> None:
    found = numbers.read(text, "DE")
    if expect.startswith(("+49", "normalise")):
        assert found == Number("+4915112345678", None)
    elif expect.startswith("landline"):
        assert found.cause is NumberCause.NOT_MOBILE
    else:
        assert expect.startswith("reject")
        assert found.cause is not None


def test_the_corpus_of_phones_was_read() -> None:
    assert len(ROWS) == 14


SENDERS = {
    "+4915112345678": "+4915112345678",
    "4915112345678": "+4915112345678",
    "015112345678": "+4915112345678",
    "METER": None,
    "70700": None,
}


@pytest.mark.parametrize(("sender", "number"), SENDERS.items())
def test_a_sender_that_is_no_number_is_none(sender: str, number: str | None) -> None:
    assert numbers.sender(sender, "DE") == number


def test_SEC_PII_04_a_number_is_shown_masked() -> None:
    assert numbers.masked("+4915112345642") == "+49 ••• ••• •42"
