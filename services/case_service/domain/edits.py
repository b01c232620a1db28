"""What people may change of a case by hand: its flags, and how its customer is reached (domain-facts §9)."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from contracts.codes import Flag
from contracts.ids import phone
from contracts.parts import Contact, Position
from kit.jsons import MISSING, VALUE, Finding, Misfit
from services.case_service.domain.act import Act
from services.case_service.domain.case import Case
from services.case_service.domain.orders import record_contact, tell_amended
from services.case_service.domain.ownership import Asked, refuse_foreign
from services.case_service.domain.requests import Text
from services.case_service.errors import CaseEnded, MasterOwned, ReasonMissing, StaleVersion

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
OF_THE_MASTER = frozenset({Flag.OTHER_PARTY_ATTENDS})
"""Flags that follow from the order."""
HIDDEN_IN_THE_FIELD = frozenset({Flag.DIFFICULT})
"""Flags that a technician never learns of (S3-18)."""


class CaseEdit(Asked):
    """`PATCH /v1/cases/{id}`: the fields of a case that are the hub's."""

    expected_version: int | None = Field(None, examples=[3])
    """`edition` of the case on which the person decided; may be given as `If-Match` instead."""
    flags: tuple[Flag, ...] | None = Field(None, examples=[["IMPORTANT"]])
    """All flags that shall be set; absent: as they are."""
    flag_text: Text | None = Field(None, examples=["Dog in the yard, ring twice."])
    """What is important; the mobile client shows it before the order is opened."""


class ContactEdit(Asked):
    """`PATCH /v1/cases/{id}/contact`: what is present changes, null deletes."""

    expected_version: int | None = Field(None, examples=[1])
    """`version` of the contact on which the person decided; may be given as `If-Match` instead."""
    phone: Annotated[str | None, Field(max_length=40)] = Field(None, examples=["+4915112345678"])
    email: Annotated[str | None, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] = None
    language: Language | None = None
    sms_allowed: bool | None = Field(None, examples=[True])
    access_note: Text | None = None
    position: Position | None = None


class PortalEdit(Asked):
    """`PATCH /v1/portal/contact`: what a customer says of himself."""

    phone: Annotated[str | None, Field(max_length=40)] = Field(None, examples=["+4915112345678"])
    sms_allowed: bool | None = Field(None, examples=[False])


def edit_case(case: Case, act: Act, edit: CaseEdit) -> None:
    """Do: change flags and their text.

    Raises MasterOwned, CaseEnded, StaleVersion, ReasonMissing.
    """
    refuse_foreign(edit)
    _open(case)
    _decided_on(case.edition, edit, case)
    text = edit.flag_text if "flag_text" in edit.model_fields_set else case.flag_text
    set_flags(case, act, frozenset(case.flags if edit.flags is None else edit.flags), text)


def set_flags(case: Case, act: Act, flags: frozenset[Flag], text: str | None) -> None:
    """Set these flags; those that the person does not see stay as they are. Tells it where something changed.

    What is important is said in words (S3-17). Raises MasterOwned, ReasonMissing.
    """
    before = frozenset(case.flags)
    if act.technician is not None:
        flags = (flags - HIDDEN_IN_THE_FIELD) | (before & HIDDEN_IN_THE_FIELD)
    if (flags ^ before) & OF_THE_MASTER:
        raise MasterOwned("Only the system of record changes other_party_attends.", fields=["other_party_attends"])
    words = (text or "").strip() or None if Flag.IMPORTANT in flags else None
    if Flag.IMPORTANT in flags and words is None:
        raise ReasonMissing("An important flag needs words.", fields=["flag_text"])
    ordered = tuple(sorted(flags))
    if (ordered, words) != (case.flags, case.flag_text):
        case.flags, case.flag_text = ordered, words
        tell_amended(case, ("flags",))


def edit_contact(case: Case, act: Act, edit: ContactEdit | PortalEdit) -> None:
    """Do: change how the customer is reached, and tell it. Who takes back the consent is not asked again by a master.

    Raises MasterOwned, CaseEnded, StaleVersion, Misfit.
    """
    refuse_foreign(edit)
    _open(case)
    contact = case.contact or Contact(name="", language="de", sms_allowed=False)
    given = {name: getattr(edit, name) for name in edit.model_fields_set - {"expected_version"}}
    if isinstance(edit, ContactEdit):
        _decided_on(case.contact_version, edit, contact, case)
    if given.get("phone"):
        given["phone"] = _number(given["phone"], case.address.country)
    for name in ("language", "sms_allowed"):
        if name in given and given[name] is None:
            raise Misfit([Finding(VALUE, f"/{name}", rule="a value; it cannot be deleted")])
    if "sms_allowed" in given:
        case.opted_out = not given["sms_allowed"]
    apart = {name: given.pop(name) for name in ("access_note", "position") if name in given}
    changed = contact.model_copy(update=given)
    if changed != contact or any(getattr(case, name) != value for name, value in apart.items()):
        case.contact = changed
        for name, value in apart.items():
            setattr(case, name, value)
        case.remark(act, None, "contact_edited", fields=sorted([*given, *apart]))
        record_contact(case)


def _open(case: Case) -> None:
    if case.terminal:
        raise CaseEnded(f"The case is {case.phase}.", phase=case.phase)


def _decided_on(version: int, edit: CaseEdit | ContactEdit, *now: Any) -> None:
    """The version check: who decided on an older one sees what stands there now beside what was wanted."""
    if edit.expected_version is None:
        raise Misfit([Finding(MISSING, "/expected_version", rule="the version, here or as If-Match")])
    if edit.expected_version == version:
        return
    wanted = edit.model_dump(mode="json", include=edit.model_fields_set - {"expected_version"})
    found = {name: next(getattr(each, name) for each in now if hasattr(each, name)) for name in wanted}
    diff = {name: {"yours": value, "now": found[name]} for name, value in wanted.items() if found[name] != value}
    raise StaleVersion(
        f"Version {edit.expected_version} is not the present one: {version}.", current_version=version, diff=diff
    )


def _number(text: str, country: str) -> str:
    found = phone(text, country)
    if found is None:
        raise Misfit([Finding(VALUE, "/phone", rule="a telephone number that exists (D-TEL-1)")])
    return found.number
