"""One plausible example of every event, always the same; the golden examples are made of these."""

import hashlib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin
from uuid import UUID

from pydantic import AwareDatetime

from contracts.event import Event, Part

E = TypeVar("E", bound=Event)

_VALUES: Mapping[str, Any] = MappingProxyType(
    {
        "access_note": "Key at the neighbour's",
        "actor": "person:local:anna",
        "added_by": "person:local:tom",
        "addition": "2nd floor",
        "allowed": "A01",
        "answer_by": "2026-03-09T15:00:00Z",
        "answers": {"comms_ok": True, "remark": None, "seal_no": "A-17"},
        "approver": "person:local:mia",
        "attempt": 1,
        "author": "person:local:anna",
        "block_minutes": 45,
        "block_start": "2026-03-16T08:00:00Z",
        "bookable_from": "2026-03-10",
        "by": "person:local:anna",
        "cancelled_by": "customer",
        "changed": {"postcode": {"new": "00102", "old": "00101"}},
        "city": "Auental",
        "clock_offset_s": -4,
        "code": "A01",
        "confidence": "0.97",
        "country": "DE",
        "decimals": 1,
        "device_type": "mme_3ph",
        "digest": "eae81c0f0a729aacab6e7a81ee69b53d5879414ef01fba737d86ab6b3c182190",
        "digits": 6,
        "document": "21029",
        "due_at": "2026-03-18T16:00:00Z",
        "due_on": "2026-06-30",
        "duration_min": 45,
        "effective_on": "2026-03-05",
        "elapsed_seconds": 172800,
        "email": "kim.muster@example.org",
        "evidence_digest": "eae81c0f0a729aacab6e7a81ee69b53d5879414ef01fba737d86ab6b3c182190",
        "expected_serial": "1XYA0000000017",
        "expected_type": "mme_3ph",
        "field": "device_role",
        "first_possible": "2026-03-12",
        "forecast_kwh": "3500",
        "form_key": "meter_exchange",
        "form_version": 3,
        "found_serial": "1XYB0000000018",
        "found_type": "mme_1ph",
        "from": "2026-03-16T07:00:00Z",
        "gateway_serial": "EXYG0000000021",
        "hint": "alternative_2",
        "kind": "meter_exchange",
        "language": "de",
        "last_billed": "23100.5",
        "last_billed_on": "2025-12-31",
        "lat": "48.137154",
        "list": "E_0233",
        "lon": "11.576124",
        "lot_id": "lot-2018-1XYA",
        "manufacturer": "XYA",
        "max": 2,
        "message_ref": "MSG0000000001",
        "metering_point_id": "DE000123001010000000000000001234A",
        "movement_id": 4711,
        "multiplier": "1",
        "municipality": "09162000",
        "name": "Kim Muster",
        "new": "00102",
        "next_try_at": "2026-03-02T08:05:00Z",
        "notice_on": "2026-03-02",
        "number": "12a",
        "obis": "1-0:1.8.0",
        "old": "00101",
        "op": "eq",
        "operator": "auental",
        "order_key": "erp:4500012345",
        "order_no": "4500012345",
        "owner": "queue:mdm",
        "p_max_kw": "9.8",
        "partner": "erp",
        "phone": "+4915112345678",
        "plan": "MME",
        "points_at_address": 3,
        "postcode": "00101",
        "priority": 70,
        "raised_by": "system:case_service",
        "reading": "23456.7",
        "reason": "other",
        "recipient": "grid-nord",
        "register": "1-0:1.8.0",
        "reported_by": "person:local:tom",
        "reviewer": "person:local:mia",
        "revision": 0,
        "rule": "A02",
        "rule_id": "statutory_37",
        "schema": {"type": "object", "required": ["seal_no"], "properties": {"seal_no": {"type": "string"}}},
        "seal_no": "A-17",
        "serial": "1XYA0000000017",
        "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "stage": "stage_2",
        "street": "Musterweg",
        "sub_reason": "customer_not_home",
        "sub_reason_text": "Nobody opened",
        "target": "photo_new_meter",
        "target_seconds": 2592000,
        "template": "booking_offer",
        "text": "Your appointment: 16 March, 8 to 10.",
        "to": "2026-03-16T09:00:00Z",
        "unit": "kWh",
        "valid_from": "2026-01-01",
        "work_kind": "meter_exchange",
    }
)
"""Values by the name of a field on the wire."""

_SPECIAL: Mapping[str, Any] = MappingProxyType(
    {
        "AppointmentConfirmed.agreed_via": "reply",
        "AppointmentConfirmed.by": "reply",
        "AppointmentMissed.outcome": "FAILED",
        "AppointmentMoved.revision": 1,
        "AppointmentOffered.alternatives": [{"from": "2026-03-17T07:00:00Z", "to": "2026-03-17T09:00:00Z"}],
        "AppointmentOffered.entry_right": False,
        "AppointmentMoved.was_window": {"from": "2026-03-16T09:00:00Z", "to": "2026-03-16T11:00:00Z"},
        "AppointmentQuestioned.cause": "offer_refused",
        "AppointmentQuestioned.code": "lead-time",
        "AppointmentReleased.reason": "staff",
        "CalibrationFellDue.class": "electronic",
        "CalibrationFellDue.due_on": "2026-12-31",
        "AwardAnswered.reason": "no_capacity",
        "CaseAbandoned.orders": ["erp:4500012345"],
        "CaseAbandoned.reason": "not_needed",
        "CaseAmended.changed": ["device_plan", "due_on"],
        "CaseAmended.orders": ["erp:4500012345", "erp:4500012399"],
        "CaseCancelled.orders": ["erp:4500012345"],
        "CaseCancelled.reason": "cancelled_by_partner",
        "CaseOpened.orders": ["erp:4500012345"],
        "CasePhaseChanged.from_phase": "BACKLOG",
        "CasePhaseChanged.on_hold": False,
        "CasePhaseChanged.to_phase": "PLANNING",
        "CommissioningPending.cause": "no_coverage",
        "Condition.value": "meter",
        "Days.from": "2026-03-16",
        "Days.to": "2026-03-27",
        "DeviceCommissioned.by": "head_end",
        "Deviation.text": "No room for the planned one",
        "DevicePicked.kind": "pick",
        "DeviceReceived.kind": "receive",
        "DeviceRejected.kind": "reject",
        "DeviceReturned.kind": "return",
        "DeviceScrapped.kind": "scrap",
        "DeviceMismatch.rule": "M2",
        "EvidenceAdded.evidence_version": 2,
        "EvidenceRef.kind": "photo_new_meter",
        "ExceptionRaised.type": "qa_waiver",
        "ExceptionApproved.type": "qa_waiver",
        "ExceptionResolved.type": "qa_waiver",
        "HandoverFailed.cause": "TIMEOUT",
        "HandoverFailed.final": False,
        "HandoverFailed.hub_reason": "TIMEOUT",
        "HandoverReason.code": "Z29",
        "HandoverReason.hub_reason": "UNKNOWN_DEVICE",
        "HandoverRejected.level": "business",
        "HandoverRequested.fact": "exchange_completed",
        "HandoverRequested.plan": "mme",
        "Link.kind": "same_house",
        "MessageQuarantined.cause": "unknown_order",
        "MessageRecorded.direction": "out",
        "Movement.kind": "transfer",
        "NoticeSent.sent_on": "2026-03-02",
        "NoticeFailed.after_send": False,
        "OfVisitedDevice.provisional": False,
        "NoticeFailed.cause": "timeout_before_send",
        "OfHandover.fact": "exchange_completed",
        "OrderAmended.kind": "exchange",
        "OrderAmended.version": 2,
        "OrderReceived.permits": ["road_closure"],
        "OrderAmended.permits": ["road_closure"],
        "OrderReceived.kind": "exchange",
        "PlanItem.alternatives": ["mme_3ph_2t"],
        "MaterialLine.alternatives": ["mme_3ph_2t"],
        "PlannedEvidence.kind": "photo_new_meter",
        "PlannedRemoval.serial": "1ABC0000000003",
        "ReadingAnomalyFound.rule": "R4",
        "RemovedDevice.serial": "1ABC0000000003",
        "ReviewFinding.rule": "Q07",
        "ReviewFinding.severity": "error",
        "Slot.alternatives": [{"from": "2026-03-17T07:00:00Z", "to": "2026-03-17T09:00:00Z"}],
        "VisitReported.arrived_at": "2026-03-16T08:02:00Z",
        "VisitReported.finished_at": "2026-03-16T08:40:00Z",
        "VisitReported.missing": ["photo_old_reading"],
        "VisitReported.started_at": "2026-03-16T08:05:00Z",
        "VisitReported.performed_by": ["person:local:tom"],
        "WorkOrderAwarded.answer_by": "2026-03-09",
        "WorkOrderMoved.came_from": "READY",
        "WorkOrderMoved.close_reason": "DONE",
        "WorkOrderMoved.from_state": "RESOLVED",
        "WorkOrderMoved.move": "T21",
        "WorkOrderMoved.reason": "documents_complete",
        "WorkOrderMoved.to_state": "CLOSED",
        "WorkOrderOpened.skills": ["meter", "low_voltage"],
    }
)
"""Values where the name alone is not enough, by class (or a class it derives from) and name."""


def example(kind: type[E], **changes: Any) -> E:
    """The example of an event, every optional field present; `changes` by the fields' python names."""
    return kind.model_validate({**_fields(kind), **changes})


def bare(kind: Any) -> Any:
    """A type without Annotated, NewType and `| None`: what the values of a field are."""
    if hasattr(kind, "__supertype__"):
        return bare(kind.__supertype__)
    if get_origin(kind) is Annotated:
        return bare(get_args(kind)[0])
    if get_origin(kind) in {Union, UnionType}:
        kinds = [choice for choice in get_args(kind) if choice is not NoneType]
        return bare(kinds[0]) if len(kinds) == 1 else kind
    return kind


def _fields(part: type[Part]) -> dict[str, Any]:
    return {name: _value(part, field.alias or name, field.annotation) for name, field in part.model_fields.items()}


def _value(part: type[Part], name: str, kind: Any) -> Any:
    for ancestor in part.__mro__:
        if (special := _SPECIAL.get(f"{ancestor.__name__}.{name}")) is not None:
            return special
    kind = bare(kind)
    if get_origin(kind) is tuple:
        return [_value(part, name, get_args(kind)[0])]
    if isinstance(kind, type) and issubclass(kind, Part):
        return _fields(kind)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return next(iter(kind))
    return _plain(name, kind)


def _plain(name: str, kind: Any) -> Any:
    """Ids are equal wherever their name is equal, so that the examples tell one story."""
    if kind is UUID:
        digest = hashlib.sha256(name.removesuffix("s").encode()).hexdigest()
        return UUID(f"019cadb8-e800-7{digest[:3]}-8{digest[3:6]}-{digest[6:18]}")  # 2026-03-02T08:00:00Z
    if kind in (bool, int, Decimal):
        return _VALUES.get(name, kind(1))
    if kind is AwareDatetime:
        return _VALUES.get(name, "2026-03-02T08:00:00Z")
    if kind is date:
        return _VALUES.get(name, "2026-03-16")
    return _VALUES.get(name, name)
