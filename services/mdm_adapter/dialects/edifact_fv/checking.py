"""The whole check of an interchange, in the order in which a receiver must: syntax, market, versions, then content."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO

from services.mdm_adapter.dialects.edifact_fv import fields
from services.mdm_adapter.dialects.edifact_fv.acknowledgements import (
    Acknowledgement,
    aperak_warnings,
    read_acknowledgement,
)
from services.mdm_adapter.dialects.edifact_fv.content import (
    Context,
    head_faults,
    id_warnings,
    list_warnings,
    vorgang_faults,
)
from services.mdm_adapter.dialects.edifact_fv.envelope import Head, Message, Reading
from services.mdm_adapter.dialects.edifact_fv.faults import Fault
from services.mdm_adapter.dialects.edifact_fv.key_fields import key_fields
from services.mdm_adapter.dialects.edifact_fv.syntax import Place, Segment, SyntaxFault
from services.mdm_adapter.dialects.edifact_fv.templates import Template, kinds, template
from services.mdm_adapter.dialects.edifact_fv.versions import is_valid, version_at
from services.mdm_adapter.dialects.edifact_fv.vorgang import Vorgang, vorgaenge
from services.mdm_adapter.dialects.edifact_fv.writing import text_of
from services.mdm_adapter.dialects.findings import Finding
from services.mdm_adapter.partners.profile import Profile, StrictIds

NAME = "edifact_fv"
ACKNOWLEDGEMENTS = frozenset({"APERAK", "CONTRL"})
CHARSET = "UNOC:3"
APPLICATIONS = frozenset({"VL", "TL", "EM"})
QUALIFIERS = frozenset({"500", "502", "14"})


class Content(StrEnum):
    """What becomes of the content."""

    ACCEPTED = "aperak_312"
    REFUSED = "aperak_313"
    SYNTAX = "contrl_4"
    READ_POSITIVE = "read_positive"
    READ_NEGATIVE = "read_negative"
    OPERATOR = "operator"
    """An acknowledgement that cannot be used: a person looks, nothing is answered."""
    QUARANTINE = "quarantine"
    """Nobody may be answered."""
    NOT_ASKED = "n/a"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found of one Vorgang, or of the head of a message; an APERAK of ours will say it."""

    message: Message
    findings: tuple[Finding, ...]
    vorgang: Vorgang | None = None
    """None: the message is refused by its head, without RFF+TN."""
    template: Template | None = None
    document: str = ""
    """DE1004 of the message."""

    @property
    def is_processed(self) -> bool:
        """Whether the hub does something with this PID; else the answer is Z31, whatever the findings are."""
        return self.template is None or self.template.is_processed


@dataclass(frozen=True, slots=True)
class Checked:
    """Everything that was found. At most one of `core`, `refused` and `outcomes` decides."""

    head: Head | None = None
    core: Finding | None = None
    """Syntax or envelope: code of DE0085, or the cause of quarantine."""
    refused: Finding | None = None
    """What the market refuses of an interchange that can be read: code of DE0085."""
    place: Place | None = None
    """Where `core` or `refused` is, for CONTRL."""
    is_quarantined: bool = False
    """Nobody may be answered."""
    outcomes: tuple[Outcome, ...] = ()
    acknowledgements: tuple[tuple[Message, Acknowledgement], ...] = ()
    useless: tuple[Finding, ...] = ()
    """Why acknowledgements cannot be used."""
    warnings: tuple[str, ...] = ()
    first: Message | None = None
    messages: int = 0
    segments: int = 0
    pid: str = ""
    key_fields: dict[str, str | int] = field(default_factory=dict)

    @property
    def content(self) -> Content:
        """The verdict on the content."""
        if self.core:
            return Content.NOT_ASKED
        if self.refused:
            return Content.QUARANTINE if self.is_quarantined else Content.SYNTAX
        if self.useless:
            return Content.OPERATOR
        if any(outcome.findings for outcome in self.outcomes):
            return Content.REFUSED
        if self.outcomes or not self.acknowledgements:
            return Content.ACCEPTED
        return Content.READ_POSITIVE if all(a.accepted for _, a in self.acknowledgements) else Content.READ_NEGATIVE

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings on the content, sorted by code, then in the order of the file; what is missing comes last."""
        if self.refused:
            return (self.refused,)
        found = [*self.useless, *(each for outcome in self.outcomes for each in outcome.findings)]
        if not found:
            return tuple(Finding(r.code, "", r.text) for _, a in self.acknowledgements for r in a.refusals)
        return tuple(sorted(found, key=_rank))


def check(
    source: bytes | BinaryIO,
    as_of: datetime,
    profile: Profile | None = None,
    own: Collection[str] | None = None,
    *,
    to_supplier: bool = False,
) -> Checked:
    """Judge an interchange as if it came from this partner at that moment. Pure, in the memory of one message.

    Without a profile every sender is known, without `own` every receiver is us. The first fault of syntax, market,
    version or PID refuses the whole interchange; content is judged per Vorgang, and completely.
    """
    try:
        reading = Reading(source)
    except SyntaxFault as fault:
        return Checked(core=_of_syntax(fault), place=fault.place, is_quarantined=True)  # no head: whom to answer?
    judge = _Judge(reading, as_of, profile, own, to_supplier)
    try:
        for message in reading:
            judge.take(message)
    except SyntaxFault as fault:
        warnings = tuple(sorted(set(reading.warnings)))
        core, quarantined = _of_syntax(fault), fault.quarantined or judge.of_parties() is not None
        return Checked(reading.head, core, place=fault.place, is_quarantined=quarantined, warnings=warnings)
    return judge.verdict()


class _Judge:
    """What is known of an interchange so far; nothing of a message is kept but what was found."""

    def __init__(
        self,
        reading: Reading,
        as_of: datetime,
        profile: Profile | None,
        own: Collection[str] | None,
        to_supplier: bool,
    ) -> None:
        strict = profile.strict.ids if profile else StrictIds()
        self.reading, self.profile, self.own = reading, profile, own
        self.context = Context(as_of, reading.head.sent_at.date(), strict, to_supplier)
        self.warnings = set[str](head_warnings(reading.head))
        self.refused: SyntaxFault | None = None
        self.quarantined = False
        self.outcomes: list[Outcome] = []
        self.acknowledgements: list[tuple[Message, Acknowledgement]] = []
        self.useless: list[Finding] = []
        self.first: Message | None = None

    def take(self, message: Message) -> None:
        """Judge one message; after a refusal only syntax is of interest."""
        if self.first is None:
            self.first = message
            self.refused = self._of_market()
        if self.refused:
            return
        head = self.reading.head
        if message.type in ACKNOWLEDGEMENTS:
            self._acknowledged(message)
        elif not is_valid(message.segments[0], head.sent_at):
            self.refused = SyntaxFault("14", message.place(1, 3), "not the version of the interchange's day")
        else:
            self._document(message)

    def of_parties(self) -> SyntaxFault | None:
        """Whom nobody may answer: an unknown sender, and one who means somebody else."""
        head = self.reading.head
        at = Place(tag="UNB", offset=head.offset)
        if not self._knows(head.sender, head.segment.at(3, 2)):
            return SyntaxFault("23", at._replace(element=3), "the sender is not known")
        is_ours = self.own is None or head.receiver in self.own
        if not (is_ours and _is_party(head.receiver, head.segment.at(4, 2))):
            return SyntaxFault("7", at._replace(element=4), "the receiver is not us")
        return None

    def _of_market(self) -> SyntaxFault | None:
        """What the market, or the partner's profile, refuses of the head of an interchange."""
        head = self.reading.head
        at = Place(tag="UNB", offset=head.offset)
        if fault := self.of_parties():
            self.quarantined = True
            return fault
        if head.charset != CHARSET:
            return SyntaxFault("2", at._replace(element=2), f"the character set is {CHARSET}")
        if head.is_test and (self.profile is None or self.profile.live):
            return SyntaxFault("25", at._replace(element=12), "a test, on a live partner")
        if head.application and head.application not in APPLICATIONS:
            return SyntaxFault("12", at._replace(element=8), "no application reference of the market")
        return None

    def _knows(self, sender: str, qualifier: str) -> bool:
        if not _is_party(sender, qualifier):
            return False
        return self.profile is None or self.profile.is_named(sender, self.reading.head.sent_at.date())

    def _acknowledged(self, message: Message) -> None:
        if not is_valid(message.segments[0], self.reading.head.sent_at):
            place = message.place(1, 3)
            self.useless.append(
                Finding("VERSION_UNKNOWN", str(place), "not the version of its day", offset=place.offset)
            )
            return
        said = read_acknowledgement(message)
        self.acknowledgements.append((message, said))
        if said.unusable:
            self.useless.append(Finding(said.unusable[0], said.unusable[1], "cannot be used"))
        if message.type == "APERAK":
            self.warnings.update(aperak_warnings(message))
            self.warnings.update(_nad_warnings(message, self.reading.head))

    def _document(self, message: Message) -> None:
        head, found = vorgaenge(message)
        templates = []
        for vorgang in found:
            wanted = template(message.type, vorgang.pid, self.context.on)
            if wanted is None:
                self.refused = _pid_fault(vorgang)
                return
            templates.append(wanted)
        for number, segment in enumerate(message.segments, 1):
            if wrong := fields.too_long(segment, self.context.on):
                place = message.place(number, wrong.element, wrong.component)
                self.refused = SyntaxFault(wrong.code, place, wrong.detail)
                return
        self._warn(message, found, templates)
        if faults := tuple(head_faults(head, self.context)):
            grouped = kinds()[message.type].starts is not None
            if grouped or not found:
                self.outcomes.append(Outcome(message, _findings(message, faults), document=head.value("BGM", 3)))
                return
        for vorgang, wanted in zip(found, templates, strict=True):
            # what the head lacks, a template that names it more exactly lacks as well
            inside = tuple(vorgang_faults(vorgang, wanted, self.context))
            lacking = [fault.hint for fault in inside if fault.segment is None]
            outside = [each for each in faults if each.segment or not any(h.startswith(each.hint) for h in lacking)]
            found_here = _findings(message, (*outside, *inside))
            self.outcomes.append(Outcome(message, found_here, vorgang, wanted, vorgang.document))

    def _warn(self, message: Message, found: Iterable[Vorgang], templates: Iterable[Template]) -> None:
        head = self.reading.head
        if message.type == "MSCONS" and not head.application:
            self.warnings.add("UNB_0026_MISSING")
        self.warnings.update(_nad_warnings(message, head))
        for vorgang, wanted in zip(found, templates, strict=True):
            self.warnings.update(list_warnings(vorgang, wanted))
            self.warnings.update(id_warnings(vorgang.segments, self.context.strict))

    def verdict(self) -> Checked:
        """Everything together, once the trailer has been read."""
        reading, first = self.reading, self.first
        assert first is not None  # noqa: S101 -- an interchange without message is a fault
        fields_ = key_fields(reading.head, first, reading.messages, reading.segments)
        return Checked(
            reading.head,
            refused=_of_syntax(self.refused) if self.refused else None,
            place=self.refused.place if self.refused else None,
            is_quarantined=self.quarantined,
            outcomes=() if self.refused else tuple(self.outcomes),
            acknowledgements=tuple(self.acknowledgements),
            useless=tuple(self.useless),
            warnings=tuple(sorted({*self.warnings, *reading.warnings})),
            first=first,
            messages=reading.messages,
            segments=reading.segments,
            pid=str(fields_.get("pid", "")),
            key_fields=fields_,
        )


def _is_party(partner: str, qualifier: str) -> bool:
    return len(partner) == 13 and partner.isascii() and partner.isdigit() and qualifier in QUALIFIERS


def head_warnings(head: Head) -> Iterator[str]:
    """What strikes the eye in UNB."""
    for element in (3, 4):
        yield from fields.party_warnings(head.segment.at(element), qualifier=head.segment.at(element, 2))
    if not all(each.isascii() and (each.isdigit() or each.isupper()) for each in head.reference):
        yield "DE0020_CHARACTERS"


def _nad_warnings(message: Message, head: Head) -> Iterator[str]:
    """Parties whose agency or check digit does not fit, and a sender or receiver that is not the one of UNB."""
    for segment in message.segments:
        if segment.tag != "NAD" or not segment.at(3):
            continue
        yield from fields.party_warnings(segment.at(3), agency=segment.at(3, 3))
        wanted = {"MS": head.sender, "MR": head.receiver}.get(segment.at(2)) if _is_first(message, segment) else None
        if wanted is not None and segment.at(3) != wanted:
            yield "UNB_NAD_MISMATCH"


def _is_first(message: Message, segment: Segment) -> bool:
    """Whether this is the party of the message; further ones of the name may stand deeper in it."""
    return segment is next(each for each in message.segments if each.tag == "NAD" and each.at(2) == segment.at(2))


def _pid_fault(vorgang: Vorgang) -> SyntaxFault:
    """A Vorgang without PID, or with one that its message does not know."""
    found = next(vorgang.all("RFF+Z13"), None)
    if found is None or not vorgang.pid:
        place = Place(
            vorgang.message.number, 0, tag="RFF+Z13", offset=vorgang.message.offset_of(vorgang.segments[0][0])
        )
        return SyntaxFault("13", place, "the PID is missing")
    return SyntaxFault("12", vorgang.message.place(found[0], 2, 2), "not a PID of this message")


def _of_syntax(fault: SyntaxFault) -> Finding:
    return Finding(fault.fault, str(fault.place), fault.detail, rule="DE0085", offset=fault.place.offset)


def _findings(message: Message, faults: Iterable[Fault]) -> tuple[Finding, ...]:
    """Faults as they are told: sorted by code, then in the order of the message, what is missing last."""
    found = []
    begins: list[int] = []
    for fault in faults:
        if fault.segment is None:
            found.append(Finding(fault.code, fault.hint, fault.detail, rule=fault.rule))
            continue
        position = f"m{message.number}.s{fault.number} {fault.hint}"
        value = fault.segment.at(fault.element, fault.component)
        begins = begins or message.offsets()
        found.append(
            Finding(
                fault.code,
                position,
                fault.detail,
                rule=fault.rule,
                segment=text_of(fault.segment),
                value=value,
                offset=begins[fault.number - 1],
            )
        )
    return tuple(sorted(found, key=_rank))


def _rank(found: Finding) -> tuple[str, bool, int, str]:
    return found.code, found.offset is None, found.offset or 0, found.position


def version_of(message: str, sent_at: datetime) -> str | None:
    """The number of the version in which a message is written on a day."""
    version = version_at(message, sent_at)
    return version.number if version else None
