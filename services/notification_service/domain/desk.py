"""The desk: what must hold before a text leaves the house, what it says, and which code it carries."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from contracts.codes import Channel
from contracts.parts import Address
from services.notification_service.domain import codes, templates
from services.notification_service.domain.correspondence import Appointment, Contact, Correspondence
from services.notification_service.domain.dialogues import Dialogue, subject
from services.notification_service.domain.inbound import StaffContact
from services.notification_service.domain.letters import Paper
from services.notification_service.domain.lines import Line
from services.notification_service.domain.notices import Notice
from services.notification_service.domain.numbers import Number, NumberCause, read
from services.notification_service.domain.operators import Operator, Operators
from services.notification_service.domain.rules import CLOSING, FREE, Quiet, When
from services.notification_service.domain.templates import Templates

CONFIRMED_TOO_LATE = timedelta(hours=20)
"""Who confirmed less than this before the block needs no reminder (N05)."""

SPARE_CODES = 3
"""Codes that are looked up for a new offer, should the first one's hash be taken."""

OFFER_BY_LETTER = "N02"

WINDOW_PROFILES = {"NO": "no"}
"""Where the address stands on a letter, by country; elsewhere as in DIN 5008, form B."""

HIDDEN_CODE, HIDDEN_LINK = "•••-•••-•••", "•••"
"""In what is kept and told of a text: a code opens the portal, so it is never stored."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Contact or operator are not heard of yet: it is looked at again when they are."""


@dataclass(frozen=True, slots=True)
class Later:
    """It is not due before this time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """A gate holds it until this time."""

    gate: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Suppress:
    """It is not sent, and nobody is told."""

    cause: str


@dataclass(frozen=True, slots=True)
class Fail:
    """It cannot be sent, and that is told."""

    cause: str


@dataclass(frozen=True, slots=True)
class Send:
    """It goes to this number; a letter goes to the address."""

    to: str = ""


Verdict = Wait | Later | Hold | Suppress | Fail | Send


@dataclass(frozen=True, slots=True)
class Text:
    """A rendered text: as it is sent, and as it is kept, without code and link token."""

    sent: str
    kept: str
    template: templates.Template


@dataclass(frozen=True)
class Desk:
    """What all notices of the service share: operators, texts, and the keys of codes and hashes."""

    operators: Operators
    templates: Templates
    letters: Templates
    code_keys: Mapping[str, bytes]
    """Key id to key; the first one makes new codes, the others rebuild old ones."""
    pepper: bytes

    def hash(self, text: str) -> str:
        """How a code, a link token or a number is stored."""
        return codes.keyed_hash(self.pepper, text)

    def number(self, phone: str | None, operator: str | None) -> Number:
        """A number as the operator's country writes it."""
        its = self.operators.get(operator)
        return read(phone, its.country, its.sms_regions)

    def code_candidates(self, appointment_id: object, revision: int, attempt: int) -> Iterator[tuple[int, str]]:
        """Salts and codes for a new offer; more than one only for the case that a hash is taken."""
        key = next(iter(self.code_keys.values()))
        return islice(codes.candidates(key, f"{appointment_id}/{revision}/{attempt}"), SPARE_CODES)

    @property
    def key_id(self) -> str:
        return next(iter(self.code_keys))

    def code(self, dialogue: Dialogue) -> str:
        """The code of an offer, made again."""
        about = subject(dialogue.appointment_id, dialogue.revision, dialogue.attempt)
        return codes.made(self.code_keys[dialogue.key_id], f"{about}|{dialogue.salt}")

    def link_token(self, dialogue: Dialogue) -> str:
        """128 bits of a keyed hash, as 22 characters; made again like the code."""
        about = subject(dialogue.appointment_id, dialogue.revision, dialogue.attempt)
        return codes.link_token(self.code_keys[dialogue.key_id], f"link|{about}|{dialogue.salt}")

    def verdict(
        self, notice: Notice, case: Correspondence, line: Line | None, staff: StaffContact | None, now: datetime
    ) -> Verdict:
        """Every gate in its order; asked when a notice is planned or due, and again by whoever sends it."""
        if case.operator is None:
            return Wait()
        operator = self.operators.get(case.operator)
        due_at = self._due_at(notice, case, operator)
        if due_at > now:
            return Later(due_at)
        if not case.still_true(notice, now):
            return Suppress("no_longer_true")
        found = self._recipient(notice, case, line, staff, operator)
        if isinstance(found, Fail) and notice.rule.optional:
            return Suppress(found.cause)
        if not isinstance(found, Send) or notice.rule.quiet is Quiet.IGNORE or notice.channel is Channel.LETTER:
            return found
        if (until := operator.quiet.ends(now, operator.calendar)) is not None:
            return Hold("quiet_hours", until)
        return found

    def over_budget(self, notice: Notice, line: Line | None, now: datetime) -> Hold | None:
        """Too many texts to this number lately; texts to staff and letters are not counted."""
        counted = notice.is_for_customer and notice.channel is Channel.SMS
        if not counted or line is None or (until := line.free_at(now)) is None:
            return None
        return Hold("budget", until)

    def render(self, notice: Notice, case: Correspondence, staff: StaffContact | None) -> Text:
        """The text in the reader's language; raises MissingVariable where something is not known."""
        operator = self.operators.get(case.operator)
        if notice.rule is FREE:
            said, language = notice.text or "", case.contact.language if case.contact else operator.language
            return Text(said, said, templates.Template(notice.template, language, 1, ""))
        reader = case.contact if notice.is_for_customer else staff
        language = reader.language if reader else operator.language
        texts = self.letters if notice.channel is Channel.LETTER else self.templates
        template = texts.get(_template_of(notice, case, operator), language, operator.language)
        values = {"operator_name": operator.name, "service_phone": operator.service_phone}
        values["reply_number"] = operator.sender
        if notice.appointment_id is not None:
            values |= _visit(case.appointment(notice.appointment_id), operator, template.language)
        secret, hidden = self._secrets(case.dialogue_about(notice), operator)
        return Text(template.render(values | secret), template.render(values | hidden), template)

    def paper(self, notice: Notice, case: Correspondence, contact: Contact) -> tuple[Paper, Text]:
        """A letter as it will be printed, and its text as it is kept."""
        operator, text = self.operators.get(case.operator), self.render(notice, case, None)
        title, *paragraphs = text.sent.split("\n\n")
        dialogue = case.dialogue_about(notice) if notice.rule_id == OFFER_BY_LETTER else None
        code = self.code(dialogue) if dialogue else None
        paper = Paper(
            sender=operator.name,
            address=_lines(contact, operator),
            title=title,
            paragraphs=tuple(paragraphs),
            language=text.template.language,
            window_profile=WINDOW_PROFILES.get(operator.country, "din5008b"),
            code=codes.written(code) if code else None,
            link=operator.portal_url + code if operator.portal_url and code else None,
        )
        return paper, text

    def _secrets(self, dialogue: Dialogue | None, operator: Operator) -> tuple[dict[str, str], dict[str, str]]:
        """Code and link, for sending and for keeping."""
        if dialogue is None:
            return {}, {}
        secret, hidden = {"code": codes.written(self.code(dialogue))}, {"code": HIDDEN_CODE}
        if operator.portal_url is not None:
            secret["portal_url"] = operator.portal_url + self.link_token(dialogue)
            hidden["portal_url"] = operator.portal_url + HIDDEN_LINK
        return secret, hidden

    def _due_at(self, notice: Notice, case: Correspondence, operator: Operator) -> datetime:
        if notice.rule.when is When.NOW or notice.appointment_id is None:
            return notice.planned_at
        return reminder_at(case.appointment(notice.appointment_id).block_start, operator)

    def _recipient(
        self,
        notice: Notice,
        case: Correspondence,
        line: Line | None,
        staff: StaffContact | None,
        operator: Operator,
    ) -> Verdict:
        """Whether the person may be texted, and where."""
        if not notice.is_for_customer:
            return _by_number(read(staff.number if staff else None, operator.country, operator.sms_regions))
        if case.purged:
            return Suppress("purged")
        if case.contact is None:
            return Wait()
        if notice.channel is Channel.LETTER:
            return Send() if _is_complete(case.contact.address) else Fail("no_address")
        if notice.rule is not CLOSING and (refusal := _refusal(case.contact, line, operator)):
            return refusal
        return _by_number(self.number(case.contact.phone, case.operator))


def reminder_at(block_start: datetime, operator: Operator) -> datetime:
    """So many working days before the block, at the operator's hour (N05)."""
    calendar = operator.calendar
    day = calendar.working_days_before(calendar.local(block_start).date(), operator.reminder_days)
    return calendar.at(day, operator.reminder_at)


def _template_of(notice: Notice, case: Correspondence, operator: Operator) -> str:
    """An offer reads differently without a portal; a letter reads differently without another date to choose."""
    match notice.template:
        case "booking_offer" if operator.portal_url is None:
            return "booking_offer_by_phone"
        case "booking_letter" if notice.appointment_id and not case.appointment(notice.appointment_id).alternatives:
            return "booking_letter_alone"
    return notice.template


def _is_complete(address: Address) -> bool:
    return all((address.street, address.number, address.postcode, address.city))


def _lines(contact: Contact, operator: Operator) -> tuple[str, ...]:
    """The address, as the post wants it."""
    its = contact.address
    abroad = its.country if its.country != operator.country else None
    lines = (contact.name, f"{its.street} {its.number}", its.addition, f"{its.postcode} {its.city}", abroad)
    return tuple(line for line in lines if line)


def _refusal(contact: Contact, line: Line | None, operator: Operator) -> Fail | None:
    """The customer does not want it, or must not be texted."""
    if line is not None and line.opted_out(operator.code):
        return Fail("opted_out")
    if contact.phone is None:
        return Fail(NumberCause.NO_NUMBER.value)
    return None if contact.sms_allowed else Fail("not_allowed")


def _by_number(number: Number) -> Fail | Send:
    if number.cause is not None or number.e164 is None:
        return Fail((number.cause or NumberCause.INVALID_NUMBER).value)
    return Send(number.e164)


def _visit(appointment: Appointment, operator: Operator, language: str) -> dict[str, str]:
    """What a text says about an appointment."""
    calendar = operator.calendar
    said = {
        "date": templates.day_of(appointment.window.from_, calendar, language),
        "window": templates.window_of(appointment.window, calendar),
    }
    if appointment.answer_by is not None:
        said["answer_by"] = templates.deadline(appointment.answer_by, calendar, language)
    if appointment.alternatives:
        said["alternatives"] = "; ".join(
            f"{templates.day_of(each.from_, calendar, language)}, {templates.window_of(each, calendar)}"
            for each in appointment.alternatives
        )
    return said
