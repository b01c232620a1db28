"""How an event reads in the timeline: codes, dates and ids of it, never a name or somebody's words."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from contracts import assets, bookings, cases, contacts, handovers, messages, notices, quality, visits
from contracts.event import Event

APPOINTMENT = ("appointment_id", "revision", "attempt")
DEVICE = ("device_type", "serial")
MOVEMENT = (*DEVICE, "kind")
ROW = ("fact", "attempt", "recipient")

SHOWN: Mapping[type[Event], tuple[str, ...]] = MappingProxyType(
    {
        cases.CaseOpened: ("case_type", "origin", "legal_basis", "metering_point_id"),
        cases.CaseAmended: ("changed",),
        cases.CasePhaseChanged: ("from_phase", "to_phase"),
        cases.WorkOrderOpened: ("sequence", "kind", "state"),
        cases.WorkOrderMoved: ("sequence", "move", "from_state", "to_state", "result", "sub_reason", "close_reason"),
        cases.MaterialRequested: ("sequence", "needed_on"),
        cases.MaterialReleased: ("sequence", "reason"),
        cases.BookingRequested: ("sequence", "channel", "attempt"),
        cases.HandoverRequested: ("fact", "attempt", "decision"),
        cases.OrderAnswered: ("order_key", "decision", "code"),
        cases.CaseCompleted: ("completion",),
        cases.CaseCancelled: ("reason",),
        cases.CaseAbandoned: ("reason",),
        cases.CaseReopened: ("reason", "attempt"),
        cases.CasePurged: ("scope", "reason"),
        cases.ExceptionRaised: ("type", "owner_", "due_on"),
        cases.ExceptionApproved: ("type", "approver"),
        cases.ExceptionResolved: ("type", "result", "decision"),
        cases.SlaAtRisk: ("target_version",),
        cases.SlaBreached: ("target_version",),
        bookings.BookableFromSet: ("bookable_from", "rule_id"),
        bookings.AppointmentProposed: ("sequence", "block_start", *APPOINTMENT[1:]),
        bookings.AppointmentMoved: ("sequence", "block_start", *APPOINTMENT[1:]),
        bookings.AppointmentOffered: ("sequence", "channel", *APPOINTMENT[1:]),
        bookings.AppointmentConfirmed: ("sequence", "by", *APPOINTMENT[1:]),
        bookings.AppointmentQuestioned: ("sequence", "cause", "suggestion", "code"),
        bookings.AnswerOverdue: ("sequence", "channel", "attempt"),
        bookings.AppointmentReleased: ("sequence", "reason"),
        bookings.AppointmentKept: ("sequence", "outcome"),
        bookings.AppointmentMissed: ("sequence", "outcome", "sub_reason"),
        bookings.WorkOrderAwarded: ("sequence", "company_id"),
        bookings.AwardAnswered: ("sequence", "answer", "reason"),
        visits.VisitReported: ("sequence", "visit_version", "outcome", "result", "sub_reason"),
        visits.EvidenceAdded: ("sequence", "evidence_version"),
        contacts.ContactRecorded: ("version",),
        quality.ReviewOpened: ("sequence", "round", "mode"),
        quality.ReviewApproved: ("sequence", "round", "mode"),
        quality.ReworkRequested: ("sequence", "round", "kind", "reasons"),
        assets.DeviceReceived: MOVEMENT,
        assets.DeviceMoved: MOVEMENT,
        assets.DeviceRejected: MOVEMENT,
        assets.DevicePicked: MOVEMENT,
        assets.DeviceReturned: MOVEMENT,
        assets.DeviceScrapped: MOVEMENT,
        assets.MaterialReserved: ("sequence",),
        assets.MaterialMissing: ("sequence", "needed_on"),
        assets.DeviceInstalled: ("role", *DEVICE),
        assets.DeviceRemoved: ("role", *DEVICE),
        assets.DeviceCommissioned: ("role", *DEVICE),
        assets.CommissioningPending: ("role", *DEVICE, "cause"),
        assets.DeviceMismatch: ("rule", "severity", "expected_serial", "found_serial"),
        assets.ReadingAnomalyFound: ("rule", "severity", "register_"),
        notices.NoticeSent: ("rule_id", "channel", "attempt"),
        notices.NoticeFailed: ("rule_id", "channel", "permanence", "cause"),
        notices.NoticeDelivered: ("notice_id",),
        notices.LetterPrepared: ("letter_id",),
        notices.LetterPrinted: ("letter_id", "printed_on"),
        notices.CustomerOptedOut: ("channel", "source"),
        notices.ReplyReceived: ("channel", "reading", "match"),
        messages.MessageRecorded: ("direction", "channel", "visibility"),
        handovers.HandoverSent: (*ROW, "document"),
        handovers.HandoverAcknowledged: (*ROW, "level"),
        handovers.HandoverAccepted: ("fact", "attempt"),
        handovers.HandoverRejected: (*ROW, "level", "reasons"),
        handovers.HandoverFailed: (*ROW, "cause"),
        handovers.MessageQuarantined: ("partner", "cause"),
    }
)
"""Every event that can belong to a case, with the fields that its line shows."""


COUNTED = {"sequence": "WO", "revision": "r", "attempt": "a", "visit_version": "v", "version": "v", "round": "round "}
"""What a bare number counts."""


def text_of(event: Event) -> str:
    """The line of an event."""
    said = [COUNTED.get(name, "") + _said(getattr(event, name)) for name in SHOWN[type(event)]]
    return " · ".join(part for part in said if part)


def _said(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(_said(getattr(each, "code", each)) for each in value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, UUID):
        return str(value)[-12:]
    return str(value)
