"""The names of things: our ids as types, the identifiers of the field with their check digits.

Check functions take the text as it is stored (trimmed) and know ASCII letters and digits only: `٣` is no digit.
They never repair an identifier.
"""

import re
import unicodedata
from typing import Annotated, NamedTuple, NewType
from urllib.parse import quote
from uuid import UUID

import orjson
from pydantic import StringConstraints

CaseId = NewType("CaseId", UUID)
WorkOrderId = NewType("WorkOrderId", UUID)
AppointmentId = NewType("AppointmentId", UUID)
AwardId = NewType("AwardId", UUID)
BundleId = NewType("BundleId", UUID)
CompanyId = NewType("CompanyId", UUID)
DeviceId = NewType("DeviceId", UUID)
EvidenceId = NewType("EvidenceId", UUID)
ExceptionId = NewType("ExceptionId", UUID)
FindingId = NewType("FindingId", UUID)
LetterId = NewType("LetterId", UUID)
LocationId = NewType("LocationId", UUID)
MessageId = NewType("MessageId", UUID)
NoticeId = NewType("NoticeId", UUID)
QuarantineId = NewType("QuarantineId", UUID)
ReplyId = NewType("ReplyId", UUID)
RequestId = NewType("RequestId", UUID)
ReviewId = NewType("ReviewId", UUID)
RowId = NewType("RowId", UUID)
TeamId = NewType("TeamId", UUID)
TechnicianId = NewType("TechnicianId", UUID)
VisitId = NewType("VisitId", UUID)


def text_of(id_: UUID) -> str:
    """An id of ours as text: what `str` says, in a third of its time; a driver's own kind of UUID takes all of it."""
    return orjson.dumps(id_)[1:-1].decode() if type(id_) is UUID else str(id_)


Ref = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/+%-]{0,79}$")]
"""A foreign id or a hash."""

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,39}$")]
"""A code of a list that may grow; readers treat a code that they do not know as *other*."""

Principal = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:|/+=-]{0,159}$")]
"""Who acts, as an id (security §2): `person:local:anna`, `key:7f3a`, `customer:<appointment id>`, `system:<service>`.

Never a name or an e-mail address.
"""

OrderKey = Ref
"""`<partner>:<order number>`, made by `order_key`."""


_AS_IT_IS = re.compile(r"[A-Za-z0-9_.:/+-]+")


def order_ref(order_no: str) -> Ref:
    """A partner's order number as it stands in events: other characters percent-encoded as UTF-8."""
    if _AS_IT_IS.fullmatch(order_no):
        return order_no
    # `%` itself is encoded as well, so that two order numbers never become one; `quote` would leave `~` as it is
    return quote(order_no, safe="_.:/+-").replace("~", "%7E")


def order_key(partner: str, order_no: str) -> OrderKey:
    """The key of a partner's order: `<partner>:<order number>`, the number as in `order_ref`.

    Raises ValueError for an order number that is empty, begins with another sign than a letter or digit, or gives a
    key of more than 80 characters: a bad id (domain-facts, introduction).
    """
    ref = order_ref(order_no)
    key = f"{partner}:{ref}"
    if not re.match(r"[A-Za-z0-9]", ref) or len(key) > 80:
        raise ValueError("an order number begins with a letter or digit and has at most 80 characters with its partner")
    return key


def _weighted(digits: str, odd: int, even: int) -> int:
    """Check digit that fills a weighted sum to the next ten; positions count from the left, from 1."""
    return -sum(int(digit) * (even if place % 2 else odd) for place, digit in enumerate(digits)) % 10


def malo_check_digit(body: str) -> int:
    """D-MALO-1: the check digit of ten digits. Not Luhn: doubled digits are not summed up digit by digit."""
    return _weighted(body, odd=1, even=2)


def is_malo(text: str) -> bool:
    """D-MALO-1: a market location, 11 digits with the first one not 0.

    D-MALO-2: the formula cannot see a change by five in an even position.
    """
    return re.fullmatch(r"[1-9][0-9]{10}", text) is not None and malo_check_digit(text[:10]) == int(text[10])


def is_melo(text: str) -> bool:
    """D-MELO-1: a metering location, 33 characters, without check digit; AT and CH use the shape of DE."""
    return re.fullmatch(r"(?:DE|AT|CH)[0-9]{6}[0-9A-Z]{25}", text) is not None


def resource_check_digit(body: str) -> int:
    """D-RES-1: the check digit of ten characters; a letter counts with its ASCII value."""
    return (
        -sum((int(char) if char.isdigit() else ord(char)) * (2 if place % 2 else 1) for place, char in enumerate(body))
        % 10
    )


def is_resource(text: str, prefixes: str = "ECDBF") -> bool:
    """D-RES-1: NeLo (E), controllable resource (C), technical resource (D), control group (B) or other (F)."""
    return (
        re.fullmatch(r"[A-Z][0-9A-Z]{9}[0-9]", text) is not None
        and text[0] in prefixes
        and resource_check_digit(text[:10]) == int(text[10])
    )


_GSRN, _GLN = re.compile(r"[0-9]{18}"), re.compile(r"[0-9]{13}")


def gs1_check_digit(body: str) -> int:
    """Modulo 10 of GS1: weights 3, 1, 3 and so on, from the right."""
    backwards = [int(digit) for digit in reversed(body)]
    return -(3 * sum(backwards[::2]) + sum(backwards[1::2])) % 10


def gsrn_check_digit(body: str) -> int:
    """D-GSRN-1: the check digit of 17 digits."""
    return gs1_check_digit(body)


def is_gsrn(text: str) -> bool:
    """D-GSRN-1: a metering point of Norway, Sweden or Denmark, 18 digits; it belongs to the site, not to the meter."""
    return _GSRN.fullmatch(text) is not None and gs1_check_digit(text[:17]) == int(text[17])


def is_gln(text: str) -> bool:
    """D-GLN-1: a Nordic party, 13 digits."""
    return _GLN.fullmatch(text) is not None and gs1_check_digit(text[:12]) == int(text[12])


def is_market_partner(text: str) -> bool:
    """D-MP-1: a market partner, 13 digits that fit the rule of BDEW and DVGW or that of GS1.

    The prefix alone does not decide. Inbound codes that fit neither are warned of, our own are refused.
    """
    if re.fullmatch(r"[0-9]{13}", text) is None:
        return False
    return is_gln(text) or malo_check_digit(text[:12]) == int(text[12])


_AGENCIES = {"500": "293", "502": "332", "14": "9"}


def agencies_agree(unb_qualifier: str, nad_agency: str) -> bool:
    """D-MP-2: the code agency of the interchange (UNB) and that of the party (NAD) are the same one."""
    return _AGENCIES.get(unb_qualifier) == nad_agency


_EIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"


def eic_check_character(body: str) -> str:
    """D-EIC-1: the check character of 15 characters; `-` means that the body may not be used."""
    total = sum(_EIC.index(char) * weight for char, weight in zip(body, range(16, 1, -1), strict=True))
    return _EIC[36 - (total - 1) % 37]


def is_eic(text: str) -> bool:
    """D-EIC-1: an energy identification code, 16 characters; `-` is no check character."""
    return re.fullmatch(r"[0-9A-Z-]{15}[0-9A-Z]", text) is not None and eic_check_character(text[:15]) == text[15]


def is_device_id(text: str) -> bool:
    """D-DEV-1: the id of a device by DIN 43863-5, 14 characters: sector, manufacturer, block, number."""
    return re.fullmatch(r"[0-9A-Z][A-Z]{3}[0-9A-Z]{2}[0-9]{8}", text) is not None


def is_legacy_device_id(text: str) -> bool:
    """D-DEV-1: what is accepted from others and of old devices: 1 to 35 characters."""
    return re.fullmatch(r"[0-9A-Z./-]{1,35}", text) is not None


class Comparable(NamedTuple):
    """A serial number in the form in which serial numbers are compared."""

    form: str
    homoglyph: bool
    """It held Cyrillic or Greek letters that look like Latin ones: a finding."""


_LOOK_ALIKES = str.maketrans(
    "АВЕКМНОРСТУХЅІЈԚԜҮ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",  # capitals of Cyrillic, then of Greek
    "ABEKMHOPCTYXSIJQWY" + "ABEZHIKMNOPTYX",
)


def comparable_serial(text: str) -> Comparable | None:
    """D-DEV-3: NFKC, upper case, without blanks, dashes and dots, look-alikes as Latin; None: quarantine.

    O and 0, I and 1 are never exchanged.
    """
    bare = re.sub(r"[\s.\u2010-\u2015\u2212-]", "", unicodedata.normalize("NFKC", text).upper())
    form = bare.translate(_LOOK_ALIKES)
    return Comparable(form, form != bare) if re.fullmatch(r"[0-9A-Z/]+", form) else None


_OBIS = re.compile(r"(?:1-([0-9]{1,3}):)?([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})(?:\*255)?")


def obis(text: str) -> str | None:
    """D-OBIS-1: a register of power in its stored, reduced form `1-0:1.8.0`; None: no such register."""
    found = _OBIS.fullmatch(text)
    groups = [int(group or 0) for group in found.groups()] if found else [256]
    return "1-{}:{}.{}.{}".format(*groups) if max(groups) < 256 else None


_POSTCODES = {"DE": r"[0-9]{5}", "NO": r"[0-9]{4}", "AT": r"[0-9]{4}", "CH": r"[0-9]{4}", "SE": r"[0-9]{5}"}
_MUNICIPALITIES = {"NO": r"[0-9]{4}", "DE": r"[0-9]{8}"}


def postcode(text: str, country: str) -> str | None:
    """D-PLZ-1: a postcode as it is stored; None: not one of this country. Countries without a rule pass."""
    bare = re.sub(r"^([0-9]{3}) ([0-9]{2})$", r"\1\2", text) if country == "SE" else text
    return bare if re.fullmatch(_POSTCODES.get(country, r"[0-9A-Z]{1,10}"), bare) else None


def is_municipality(text: str, country: str) -> bool:
    """D-PLZ-1: the number of a municipality; Norway 4 digits, Germany 8 (AGS). Countries without a rule pass."""
    return re.fullmatch(_MUNICIPALITIES.get(country, r"[0-9A-Z]{1,10}"), text) is not None


def is_email(text: str) -> bool:
    """D-EMAIL-1: one `@`, a dot after it, at most 254 characters, no control character or blank."""
    return (
        len(text) <= 254
        and re.fullmatch(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s.\x00-\x1f\x7f]+", text) is not None
    )


class Phone(NamedTuple):
    """A telephone number that exists by its country's plan."""

    number: str
    """E.164, as it is stored."""
    mobile: bool
    """It may get an SMS."""
    region: str
    """ISO 3166-1 alpha-2."""


def phone(text: str, country: str) -> Phone | None:
    """D-TEL-1: a number as the operator's country dials it; None: no valid number.

    Mobile means the number types mobile and fixed-or-mobile of a country. A number with an extension is no mobile
    number, one spelt with letters is none at all.
    """
    import phonenumbers  # large: only who reads numbers pays for it

    if any(char.isalpha() for char in re.sub(r";ext=[0-9]+$", "", text)):
        return None  # the library would read letters as the keys of a telephone
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    kinds = {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
    region = phonenumbers.region_code_for_number(number) or country
    mobile = phonenumbers.number_type(number) in kinds and not number.extension and region.isalpha()
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), mobile, region)
