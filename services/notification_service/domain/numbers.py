"""Phone numbers: what is a mobile that may get an SMS (D-TEL-1, SEC-LIM-11), and how it is shown masked."""

import unicodedata
from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberType

LONGEST = 32
DEFAULT_REGIONS = ("DE", "AT", "CH", "NO", "SE", "DK", "FI")

_SPECIAL = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.PAGER,
    }
)
_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


class NumberCause(StrEnum):
    """Why a number gets no SMS."""

    NO_NUMBER = "no_number"
    INVALID_NUMBER = "invalid_number"
    NOT_MOBILE = "not_mobile"
    SPECIAL_NUMBER = "special_number"
    REGION_NOT_ALLOWED = "region_not_allowed"
    EXTENSION = "extension"


class Number(NamedTuple):
    """A number as read: in E.164 if it is one at all, and why it gets no SMS, if so."""

    e164: str | None
    cause: NumberCause | None


def read(text: str | None, country: str, regions: Collection[str] = DEFAULT_REGIONS) -> Number:
    """Read a number as people of a country write it. `country` and `regions` are ISO 3166-1 codes."""
    plain = unicodedata.normalize("NFKC", text or "").strip()
    if not plain:
        return Number(None, NumberCause.NO_NUMBER)
    if len(plain) > LONGEST + len("tel:") or "phone-context" in plain.lower():
        return Number(None, NumberCause.INVALID_NUMBER)
    try:
        number = phonenumbers.parse(plain, country)
    except phonenumbers.NumberParseException:
        return Number(None, NumberCause.INVALID_NUMBER)
    if number.extension:
        return Number(None, NumberCause.EXTENSION)
    written_as_digits = not any(symbol.isalpha() for symbol in plain.removeprefix("tel:"))
    if not (written_as_digits and phonenumbers.is_valid_number(number)):
        return Number(None, NumberCause.INVALID_NUMBER)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Number(e164, _objection(number, regions))


def sender(text: str, country: str) -> str | None:
    """The number that a text came from, in E.164; None for a name in its place, which nobody can answer."""
    international = text.isdigit() and not text.startswith("0")  # as vendors write numbers
    return read(f"+{text}" if international else text, country).e164


def masked(e164: str) -> str:
    """A number that can be recognised but not called, `+49 ••• ••• •42` (SEC-PII-04)."""
    code = phonenumbers.parse(e164).country_code
    return f"+{code} ••• ••• •{e164[-2:]}"


def _objection(number: phonenumbers.PhoneNumber, regions: Collection[str]) -> NumberCause | None:
    kind = phonenumbers.number_type(number)
    if kind in _SPECIAL:
        return NumberCause.SPECIAL_NUMBER
    if kind not in _MOBILE:
        return NumberCause.NOT_MOBILE
    if phonenumbers.region_code_for_number(number) not in regions:
        return NumberCause.REGION_NOT_ALLOWED
    return None
