"""A notice: one text to one person for one reason, and the states that it only moves forward through."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from contracts.codes import Channel, Permanence
from contracts.event import Event
from contracts.ids import AppointmentId, CaseId, NoticeId, WorkOrderId
from contracts.notices import NoticeDelivered, NoticeFailed, NoticeSent
from services.notification_service.domain.rules import BY_ID, Audience, Rule


class NoticeState(StrEnum):
    """How far a notice has come; the last five are final, and the first of them that is reached wins."""

    PLANNED = "PLANNED"
    HELD = "HELD"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    UNDELIVERED = "UNDELIVERED"
    FAILED = "FAILED"
    SUPPRESSED = "SUPPRESSED"
    PULLED = "PULLED"


RANK: Mapping[NoticeState, int] = MappingProxyType(
    {state: min(rank, 5) for rank, state in enumerate(NoticeState)}  # the finals share the highest rank
)
FINAL = frozenset(state for state, rank in RANK.items() if rank == RANK[NoticeState.DELIVERED])
WAITING = frozenset({NoticeState.PLANNED, NoticeState.HELD})
REPEATABLE = frozenset({NoticeState.FAILED, NoticeState.UNDELIVERED, NoticeState.UNKNOWN})
"""From here a person may have it sent again, as a new notice."""

LOST = frozenset({NoticeState.FAILED, NoticeState.SUPPRESSED, NoticeState.PULLED})
"""Nobody got it."""
SEEN = frozenset({NoticeState.UNKNOWN, NoticeState.SENT, NoticeState.DELIVERED})

PURGED = "[purged]"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a notice is about: a work order, an appointment in one revision with one offer; and whom of the staff."""

    work_order_id: UUID | None = None
    appointment_id: UUID | None = None
    revision: int | None = None
    attempt: int | None = None
    recipient_id: UUID | None = None
    part: int = 1
    parts: int = 1


@dataclass(kw_only=True)
class Notice:
    """One notice. `key` is unique: a rule that is heard twice makes nothing new."""

    notice_id: UUID
    key: str
    """`rule:subject:revision:attempt:audience`, with `#2` and so on where a person had it sent again."""
    rule_id: str
    case_id: UUID
    work_order_id: UUID | None = None
    appointment_id: UUID | None = None
    revision: int | None = None
    attempt: int | None = None
    recipient_id: UUID | None = None
    """The technician, where it is for one."""
    part: int = 1
    parts: int = 1
    """Which notice of its announcement it is, and how many there are."""
    channel: Channel = Channel.SMS
    template: str
    template_version: int | None = None
    language: str | None = None
    text: str | None = None
    """As sent, without its code; `[purged]` once the contact is deleted."""
    segments: int | None = None
    state: NoticeState = NoticeState.PLANNED
    gate: str | None = None
    """What holds it."""
    cause: str | None = None
    tries: int = 0
    sendings: int = 0
    """How often it was handed to the effects worker: again after it was held meanwhile."""
    provider_id: str | None = None
    planned_at: datetime
    due_at: datetime
    sent_at: datetime | None = None
    final_at: datetime | None = None
    sent_on: date | None = None
    """`sent_at` as the operator's local day."""

    @property
    def rule(self) -> Rule:
        return BY_ID[self.rule_id]

    @classmethod
    def planned(cls, notice_id: UUID, case_id: UUID, key: str, rule: Rule, about: Subject, now: datetime) -> "Notice":
        """A notice that nobody has seen yet."""
        return cls(
            notice_id=notice_id,
            key=key,
            rule_id=rule.rule_id,
            case_id=case_id,
            template=rule.template,
            channel=rule.channels[0],
            planned_at=now,
            due_at=now,
            **vars(about),
        )

    @property
    def about(self) -> Subject:
        return Subject(
            work_order_id=self.work_order_id,
            appointment_id=self.appointment_id,
            revision=self.revision,
            attempt=self.attempt,
            recipient_id=self.recipient_id,
            part=self.part,
            parts=self.parts,
        )

    @property
    def plain_key(self) -> str:
        """The same for all that were sent in the place of one."""
        return self.key.partition("#")[0]

    @property
    def is_for_customer(self) -> bool:
        return self.rule.audience is Audience.CUSTOMER

    @property
    def was_taken(self) -> bool:
        """The vendor took it: what happens from here on happens to the customer's phone."""
        return RANK[self.state] >= RANK[NoticeState.SENT]

    @property
    def was_seen(self) -> bool:
        """The customer has read it, as far as anybody can tell."""
        return self.state in SEEN

    def next_channel(self) -> Channel | None:
        """The channel that follows in the rule's order of preference."""
        left = self.rule.channels[self.rule.channels.index(self.channel) + 1 :]
        return left[0] if left else None

    @property
    def reference(self) -> str:
        """Under which the vendor knows it. A later handing over cannot meet an earlier one: that one never left."""
        return self.key if self.sendings <= 1 else f"{self.key}~{self.sendings}"

    def sent(self, provider_id: str | None, at: datetime, on: date) -> list[Event]:
        """The vendor took it; a copy, or news that come late, change nothing."""
        self.provider_id = self.provider_id or provider_id
        if not self._move(NoticeState.SENT, at):
            return []
        self.sent_at, self.sent_on = at, on
        return [NoticeSent(**self._sending(), sent_at=at, sent_on=on)]

    def delivered(self, provider_id: str, at: datetime, on: date) -> list[Event]:
        """The vendor says that it arrived, which proves that he took it."""
        told = self.sent(provider_id, at, on)
        if not self._move(NoticeState.DELIVERED, at):
            return told
        return [*told, NoticeDelivered(case_id=CaseId(self.case_id), notice_id=NoticeId(self.notice_id), at=at)]

    def undelivered(self, provider_id: str, at: datetime) -> list[Event]:
        """The vendor took it, and could not deliver it."""
        self.provider_id = self.provider_id or provider_id
        after_send = self.sent_at is not None
        if not self._move(NoticeState.UNDELIVERED, at):
            return []
        self.cause = "undelivered"
        return [self._failed(Permanence.PERMANENT, after_send)]

    def failed(self, cause: str, at: datetime) -> list[Event]:
        """It will not be sent: this was the last try, or there never was a way."""
        if self.was_taken or not self._move(NoticeState.FAILED, at):
            return []
        self.cause, self.tries = cause, max(self.tries, 1)
        return [self._failed(Permanence.PERMANENT, after_send=False)]

    def stumbled(self, cause: str) -> list[Event]:
        """A try failed and another one follows."""
        self.cause = cause
        return [self._failed(Permanence.TRANSIENT, after_send=False)]

    def lost(self, cause: str, at: datetime) -> None:
        """Perhaps the vendor took it: he is asked, it is not sent again before."""
        if self._move(NoticeState.UNKNOWN, at):
            self.cause = cause

    def suppress(self, cause: str, at: datetime) -> None:
        """It is no longer true, or no longer wanted: it stays unsent, and nobody is told."""
        if not self.was_taken and self._move(NoticeState.SUPPRESSED, at):
            self.cause = cause

    def pull(self, at: datetime) -> None:
        """The letter is called back; whatever becomes of it, it says nothing any more."""
        self._move(NoticeState.PULLED, at)

    def hold(self, gate: str, until: datetime) -> None:
        """It may not go out now, and is looked at again."""
        if not self.was_taken:
            self.state, self.gate, self.due_at = NoticeState.HELD, gate, until

    def hand_over(self) -> None:
        """From here on the effects worker has it."""
        self.state, self.gate, self.sendings = NoticeState.SENDING, None, self.sendings + 1

    def _move(self, state: NoticeState, at: datetime) -> bool:
        """A state of lower or equal rank changes nothing; so the first final one wins."""
        if RANK[state] <= RANK[self.state]:
            return False
        self.state, self.gate = state, None
        if state in FINAL:
            self.final_at = at
        return True

    def _failed(self, permanence: Permanence, after_send: bool) -> NoticeFailed:
        return NoticeFailed(
            **self._sending(),
            permanence=permanence,
            cause=self.cause or "",
            after_send=after_send,
            try_no=max(self.tries, 1),
        )

    @property
    def of(self) -> dict[str, Any]:
        """Which notice, about which offer: what every fact about it begins with."""
        return {
            "case_id": CaseId(self.case_id),
            "work_order_id": self.work_order_id and WorkOrderId(self.work_order_id),
            "appointment_id": self.appointment_id and AppointmentId(self.appointment_id),
            "revision": self.revision,
            "attempt": self.attempt,
            "notice_id": NoticeId(self.notice_id),
        }

    def _sending(self) -> dict[str, Any]:
        """What both NoticeSent and NoticeFailed say."""
        return {
            **self.of,
            "rule_id": self.rule_id,
            "template": self.template,
            "channel": self.channel,
            "part": self.part,
            "parts": self.parts,
        }
