"""One fact per row of the event table, as others would tell it about a work order."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from contracts import assets, bookings, handovers, notices, quality
from contracts.event import Event
from contracts.parts import ReservedLine, Span
from services.case_service.domain.case import Case
from services.case_service.domain.work_order import WorkOrder
from tests.unit.case_service.builders import APPOINTMENT, COMPANY, NOW, TECHNICIAN

SPAN = Span(from_=NOW + timedelta(days=7), to=NOW + timedelta(days=7, hours=2))


def about(case: Case, order: WorkOrder) -> dict[str, Any]:
    """Field group W."""
    return {"case_id": case.case_id, "work_order_id": order.work_order_id, "sequence": order.sequence}


def of_appointment(case: Case, order: WorkOrder, **given: Any) -> dict[str, Any]:
    """Field group A, as the order knows it."""
    known = {
        "appointment_id": order.appointment_id or APPOINTMENT,
        "revision": order.revision or 0,
        "attempt": order.offer,
    }
    return about(case, order) | known | given


def of_handover(case: Case, order: WorkOrder, **given: Any) -> dict[str, Any]:
    """Field group H, of the newest exchange of the order."""
    known = {"fact": "exchange_completed", "attempt": order.handover or 1, "work_order_id": order.work_order_id}
    return {"case_id": case.case_id} | known | given


def of_device(role: str = "meter", serial: str = "NEW1") -> dict[str, Any]:
    """A device, and what it does."""
    return {
        "device_id": UUID(int=hash(serial) & 0xFFFF),
        "serial": serial,
        "manufacturer": "EMH",
        "device_type": "smgw-1" if role == "smgw" else "mme-3",
        "role": role,
    }


def slot(case: Case, order: WorkOrder, **given: Any) -> dict[str, Any]:
    """A slot of booking_service."""
    made = {
        "block_start": NOW + timedelta(days=7),
        "block_minutes": 45,
        "window": SPAN,
        "technicians": (TECHNICIAN,),
        "company_id": COMPANY,
        "alternatives": (),
        "by": "person:local:anna",
    }
    return of_appointment(case, order) | made | given


def sending(case: Case, order: WorkOrder, **given: Any) -> dict[str, Any]:
    """A notice that carries the open offer."""
    made = {
        "notice_id": UUID(int=0x40),
        "rule_id": "N01",
        "template": "booking_offer",
        "channel": "letter" if order.state == "READY_TO_PRINT" else "sms",
        "part": 1,
        "parts": 1,
    }
    known = {
        "appointment_id": order.appointment_id,
        "revision": order.revision,
        "attempt": order.offer,
        "work_order_id": order.work_order_id,
    }
    return {"case_id": case.case_id} | {k: v for k, v in known.items() if v is not None} | made | given


def letter(case: Case, order: WorkOrder) -> dict[str, Any]:
    """A letter that carries the open offer."""
    made = sending(case, order)
    for name in ("rule_id", "template", "channel", "part", "parts"):
        del made[name]
    return made | {"letter_id": UUID(int=0x41)}


def visited(case: Case, order: WorkOrder, **given: Any) -> dict[str, Any]:
    """A device and the visit that changed it."""
    visit = {"at": NOW, "visit_id": order.visit_id or UUID(int=0x55), "provisional": False}
    return about(case, order) | of_device() | visit | {"visit_version": order.visit_version or 1} | given


def review(case: Case, order: WorkOrder, **given: Any) -> dict[str, Any]:
    """A round of a review."""
    made = {"review_id": UUID(int=0x66), "round": 1}
    return about(case, order) | made | given


def row(case: Case, order: WorkOrder, **given: Any) -> dict[str, Any]:
    """One document of a handover."""
    made = {"row_id": UUID(int=0x77), "recipient": "erp-a"}
    return of_handover(case, order) | made | given


def rejected(case: Case, order: WorkOrder, reason: str = "UNKNOWN_DEVICE", **given: Any) -> handovers.HandoverRejected:
    """The receiver says no."""
    made = {"authority": "erp", "level": "business", "reasons": ({"hub_reason": reason},), "message_ref": "m1"}
    return handovers.HandoverRejected(**(row(case, order) | made | given))


def accepted(case: Case, order: WorkOrder, **given: Any) -> handovers.HandoverAccepted:
    """Everything required was accepted."""
    return handovers.HandoverAccepted(**of_handover(case, order, by_silence=False, by_exception=False, **given))


def failed(case: Case, order: WorkOrder, **given: Any) -> handovers.HandoverFailed:
    """It could not be delivered."""
    return handovers.HandoverFailed(
        **(row(case, order) | {"level": "transport", "cause": "transport", "final": True} | given)
    )


def approved(case: Case, order: WorkOrder, **given: Any) -> quality.ReviewApproved:
    """A reviewer approved."""
    made = {
        "evidence_version": order.evidence_version,
        "reviewer": "person:local:quirin",
        "mode": "gate",
        "digest": "d1",
        "accepted": 0,
    }
    return quality.ReviewApproved(**(review(case, order) | made | given))


def rework(case: Case, order: WorkOrder, kind: str, **given: Any) -> quality.ReworkRequested:
    """A reviewer found something."""
    made = {"kind": kind, "reasons": ("photos",), "findings": (), "company_id": COMPANY, "due_at": NOW}
    return quality.ReworkRequested(**(review(case, order) | made | given))


def confirmed(case: Case, order: WorkOrder, by: str = "reply", **given: Any) -> bookings.AppointmentConfirmed:
    """The appointment stands."""
    return bookings.AppointmentConfirmed(**(of_appointment(case, order) | {"by": by, "notice": False} | given))


def questioned(case: Case, order: WorkOrder, cause: str = "unclear", **given: Any) -> bookings.AppointmentQuestioned:
    """An answer that does not confirm."""
    return bookings.AppointmentQuestioned(**(of_appointment(case, order) | {"cause": cause} | given))


def moved(case: Case, order: WorkOrder, *, agreed: bool, **given: Any) -> bookings.AppointmentMoved:
    """Another time or technician."""
    made = {"was_window": SPAN, "window_changed": True, "agreed": agreed, "revision": (order.revision or 0) + 1}
    return bookings.AppointmentMoved(**(slot(case, order) | made | given))


def notice_failed(case: Case, order: WorkOrder, permanence: str, **given: Any) -> notices.NoticeFailed:
    """A try failed."""
    made = {"permanence": permanence, "cause": "not_mobile", "after_send": False, "try_no": 1}
    return notices.NoticeFailed(**(sending(case, order) | made | given))


def commissioned(case: Case, order: WorkOrder, serial: str = "GW1") -> assets.DeviceCommissioned:
    """The gateway communicates."""
    return assets.DeviceCommissioned(**(about(case, order) | of_device("smgw", serial) | {"at": NOW, "by": "head_end"}))


def pending(case: Case, order: WorkOrder, serial: str = "GW1") -> assets.CommissioningPending:
    """The gateway is silent."""
    return assets.CommissioningPending(**(about(case, order) | of_device("smgw", serial) | {"cause": "head_end"}))


def replied(case: Case, order: WorkOrder, reading: str = "exact_ok") -> notices.ReplyReceived:
    """The customer wrote."""
    made = {"reply_id": UUID(int=0x88), "channel": "sms", "reading": reading, "confidence": "1", "match": "code"}
    return notices.ReplyReceived(**(of_appointment(case, order) | made))


def facts(case: Case, order: WorkOrder) -> Mapping[str, list[Event]]:
    """For every row of the table at least one fact, as it would be told about this order now."""
    line = ReservedLine(line=1, role="meter", device_type="mme-3", quantity=1, device_ids=())
    material = about(case, order) | {"lines": (line,), "store": UUID(int=0x99)}
    of_case = {"case_id": case.case_id}
    award = about(case, order) | {"award_id": UUID(int=0xAA), "company_id": COMPANY}
    finding = {"finding_id": UUID(int=0xBB), "severity": "error", "visit_version": 1}
    announced = {"fact": "rollout_announced", "attempt": 1}
    failing = {"fact": "work_not_completed", "attempt": 1}
    noted = of_appointment(case, order) | {"outcome": "OK", "at": NOW}
    return {
        "BookableFromSet": [
            bookings.BookableFromSet(**of_case, notice_required=False, bookable_from=NOW.date(), rule_id="N37"),
            bookings.BookableFromSet(**of_case, notice_required=True, rule_id="N37"),
        ],
        "AppointmentProposed": [bookings.AppointmentProposed(**slot(case, order))],
        "AppointmentMoved": [moved(case, order, agreed=True), moved(case, order, agreed=False)],
        "AppointmentOffered": [
            bookings.AppointmentOffered(
                **of_appointment(case, order), channel="sms", window=SPAN, alternatives=(), entry_right=False
            )
        ],
        "AppointmentConfirmed": [
            confirmed(case, order, "reply"),
            confirmed(case, order, "staff"),
            confirmed(case, order, "staff", notice=True),
        ],
        "AppointmentQuestioned": [
            questioned(case, order, cause) for cause in ("offer_refused", "unclear", "decline", "stop", "likely_ok")
        ],
        "WorkOrderAwarded, AwardAnswered": [
            bookings.WorkOrderAwarded(**award),
            bookings.AwardAnswered(**award, answer="accepted"),
            bookings.AwardAnswered(**award, answer="expired"),
        ],
        "AnswerOverdue": [bookings.AnswerOverdue(**of_appointment(case, order), channel="sms", answer_by=NOW)],
        "AppointmentReleased": [
            bookings.AppointmentReleased(**of_appointment(case, order), reason=reason, was_offered=True)
            for reason in ("staff", "on_hold", "unanswered", "closed")
        ],
        "AppointmentKept, AppointmentMissed": [
            bookings.AppointmentKept(**noted),
            bookings.AppointmentMissed(**noted),
        ],
        "NoticeSent": [
            notices.NoticeSent(**sending(case, order), sent_at=NOW, sent_on=NOW.date()),
            notices.NoticeSent(**sending(case, order, template="statutory_37"), sent_at=NOW, sent_on=NOW.date()),
            notices.NoticeSent(
                **sending(case, order, template="booking_confirmation"), sent_at=NOW, sent_on=NOW.date()
            ),
        ],
        "NoticeFailed permanent": [notice_failed(case, order, "permanent")],
        "NoticeFailed transient": [notice_failed(case, order, "transient")],
        "NoticeDelivered": [notices.NoticeDelivered(**of_case, notice_id=UUID(int=0x40), at=NOW)],
        "LetterPrepared": [notices.LetterPrepared(**letter(case, order), sheets=1, sha256="ab12")],
        "LetterPrinted": [notices.LetterPrinted(**letter(case, order), printed_on=NOW.date(), pulled_late=True)],
        "CustomerOptedOut": [notices.CustomerOptedOut(**of_case, channel="sms", since=NOW, source="reply")],
        "ReplyReceived (any reading)": [replied(case, order), replied(case, order, "unclear")],
        "MaterialReserved": [assets.MaterialReserved(**material)],
        "MaterialMissing": [assets.MaterialMissing(**material)],
        "DeviceInstalled, DeviceRemoved": [
            assets.DeviceInstalled(**visited(case, order)),
            assets.DeviceRemoved(**visited(case, order, **of_device("meter", "OLD1"))),
        ],
        "DeviceCommissioned": [commissioned(case, order)],
        "CommissioningPending": [pending(case, order)],
        "DeviceMismatch, ReadingAnomalyFound": [
            assets.DeviceMismatch(**about(case, order), **of_device(), **finding, rule="M4"),
            assets.ReadingAnomalyFound(
                **about(case, order),
                **{name: value for name, value in of_device().items() if name != "role"},
                **finding,
                rule="R2",
                register_="1-0:1.8.0",
            ),
        ],
        "ReviewOpened": [
            quality.ReviewOpened(
                **review(case, order),
                mode="gate",
                visit_id=UUID(int=0x55),
                visit_version=1,
                evidence_version=1,
                due_at=NOW,
            )
        ],
        "ReviewApproved": [approved(case, order)],
        "ReworkRequested desk": [rework(case, order, "desk")],
        "ReworkRequested field": [rework(case, order, "field")],
        "HandoverSent, HandoverAcknowledged (exchange)": [
            handovers.HandoverSent(**row(case, order), document="reply", required=True, message_ref="m1"),
            handovers.HandoverAcknowledged(**row(case, order), document="reply", level="syntax"),
        ],
        "HandoverAccepted (exchange)": [accepted(case, order)],
        "HandoverRejected (exchange)": [
            rejected(case, order, reason)
            for reason in ("UNKNOWN_DEVICE", "ON_HOLD", "SCHEMA", "CANCELLED_BY_CIS", "DUPLICATE")
        ],
        "HandoverFailed (exchange)": [failed(case, order), failed(case, order, final=False)],
        "Handover… (announced)": [
            accepted(case, order, **announced),
            rejected(case, order, "ANNOUNCEMENT_OBJECTED", **announced),
            failed(case, order, **announced),
        ],
        "Handover… (not completed, cancelled)": [
            accepted(case, order, **failing),
            rejected(case, order, "OTHER", **failing),
            failed(case, order, **failing),
        ],
    }
