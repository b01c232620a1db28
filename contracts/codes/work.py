"""Code lists of cases and work orders: states, moves, kinds, plans."""

from enum import StrEnum


class Phase(StrEnum):
    """Where a case stands; derived from its work orders, never set by hand (lifecycle §3)."""

    CANCELLED = "CANCELLED"
    NOT_FEASIBLE = "NOT_FEASIBLE"
    COMPLETED = "COMPLETED"
    EXCEPTION = "EXCEPTION"
    HANDOVER = "HANDOVER"
    IN_QA = "IN_QA"
    REVISIT_REVIEW = "REVISIT_REVIEW"
    IN_FIELD = "IN_FIELD"
    BOOKED = "BOOKED"
    PLANNING = "PLANNING"
    NOTICE = "NOTICE"
    BACKLOG = "BACKLOG"


class State(StrEnum):
    """The twelve states of a work order (lifecycle §1.1)."""

    OPEN = "OPEN"
    PLANNING = "PLANNING"
    READY_TO_PRINT = "READY_TO_PRINT"
    AWAITING_REPLY = "AWAITING_REPLY"
    MANUAL_FOLLOW_UP = "MANUAL_FOLLOW_UP"
    READY = "READY"
    IN_PROGRESS = "IN_PROGRESS"
    RESOLVED = "RESOLVED"
    REOPENED = "REOPENED"
    CLOSED = "CLOSED"
    REJECTED_BY_MDM = "REJECTED_BY_MDM"
    ON_HOLD = "ON_HOLD"


class CloseReason(StrEnum):
    """Why a work order is closed; the first two were handed over."""

    DONE = "DONE"
    DONE_PARTIAL = "DONE_PARTIAL"
    FAILED = "FAILED"
    SUPERSEDED = "SUPERSEDED"
    CANCELLED = "CANCELLED"
    NOT_NEEDED = "NOT_NEEDED"


class Blocker(StrEnum):
    """What keeps a READY work order off the technician's list; it never changes the state."""

    MATERIAL_MISSING = "MATERIAL_MISSING"
    PERMIT_OPEN = "PERMIT_OPEN"
    ACCESS_UNCLEAR = "ACCESS_UNCLEAR"
    MASTER_DATA_CHANGED = "MASTER_DATA_CHANGED"
    OTHER = "OTHER"


class Flag(StrEnum):
    """Marks on a case that people set or see."""

    IMPORTANT = "IMPORTANT"
    DIFFICULT = "DIFFICULT"
    ANTENNA_OR_LAN = "ANTENNA_OR_LAN"
    OTHER_PARTY_ATTENDS = "OTHER_PARTY_ATTENDS"


class Move(StrEnum):
    """Rows of the lifecycle's transition table known today; open for readers."""

    T01 = "T01"
    T02 = "T02"
    T03 = "T03"
    T04 = "T04"
    T05 = "T05"
    T06 = "T06"
    T07 = "T07"
    T08 = "T08"
    T09 = "T09"
    T10 = "T10"
    T11 = "T11"
    T12 = "T12"
    T13 = "T13"
    T14 = "T14"
    T15 = "T15"
    T16 = "T16"
    T17 = "T17"
    T18 = "T18"
    T19 = "T19"
    T20 = "T20"
    T21 = "T21"
    T22 = "T22"
    T23 = "T23"
    T24 = "T24"
    T25 = "T25"
    T26 = "T26"
    T27 = "T27"
    T28 = "T28"
    T29 = "T29"
    T30 = "T30"
    T31 = "T31"
    T32 = "T32"
    T33 = "T33"
    T34 = "T34"


class MoveReason(StrEnum):
    """Why a work order moved; open. A person's own words stay in case_service."""

    PHONE_CALL = "phone_call"
    OK_VARIANT = "ok_variant"
    LATE_REPLY = "late_reply"
    IMPLIED = "implied"
    NO_ANSWER = "no_answer"
    REPLY_NOT_DECIDED = "reply_not_decided"
    NOTICE_FAILED = "notice_failed"
    OPTED_OUT = "opted_out"
    QUESTION = "question"
    SLOT_MOVED = "slot_moved"
    SLOT_RELEASED = "slot_released"
    COMMUNICATING = "communicating"
    CANCELLED_BY_PARTNER = "cancelled_by_partner"
    CANCELLATION_WITHDRAWN = "cancellation_withdrawn"
    AMENDED = "amended"
    REWORK = "rework"
    MDM_ERROR = "mdm_error"
    REVERSE = "reverse"
    COMPLETE_ANYWAY = "complete_anyway"
    NO_MORE_ATTEMPTS = "no_more_attempts"
    NOT_NEEDED = "not_needed"
    DOCUMENTS_COMPLETE = "documents_complete"
    ORDER_REFUSED = "order_refused"
    ANNOUNCEMENT_OBJECTED = "announcement_objected"
    SUPERSEDED = "superseded"
    OTHER = "other"


class Cancellation(StrEnum):
    """What became of a partner's wish to cancel a work order."""

    NONE = "none"
    UNDECIDED = "undecided"
    CONFIRMED = "confirmed"
    COMPLETE_ANYWAY = "complete_anyway"
    REVERSE = "reverse"


class MoveDecision(StrEnum):
    """What a person decided with a move (T27, T33)."""

    REWORK = "rework"
    MDM_ERROR = "mdm_error"
    COMPLETE_ANYWAY = "complete_anyway"
    REVERSE = "reverse"


class OrderKind(StrEnum):
    """What a partner orders; each kind opens one type of case."""

    EXCHANGE = "exchange"
    INSTALL = "install"
    REMOVE = "remove"
    REPAIR = "repair"
    TECH_CHANGE = "tech_change"

    @property
    def case_type(self) -> "CaseType":
        """The type of case that an order of this kind opens."""
        return _CASE_TYPE_OF[self]


class CaseType(StrEnum):
    """What a case is about; measurement is opened by hand only."""

    EXCHANGE = "exchange"
    NEW_CONNECTION = "new_connection"
    REMOVAL = "removal"
    FAULT = "fault"
    MAINTENANCE = "maintenance"
    MEASUREMENT = "measurement"


_CASE_TYPE_OF = {
    OrderKind.EXCHANGE: CaseType.EXCHANGE,
    OrderKind.INSTALL: CaseType.NEW_CONNECTION,
    OrderKind.REMOVE: CaseType.REMOVAL,
    OrderKind.REPAIR: CaseType.FAULT,
    OrderKind.TECH_CHANGE: CaseType.MAINTENANCE,
}


class WorkOrderKind(StrEnum):
    """What is to be done on site; open. Forms and skills hang on it."""

    METER_EXCHANGE = "meter_exchange"
    METER_INSTALL = "meter_install"
    IMSYS_INSTALL = "imsys_install"
    REMOVAL = "removal"
    REPAIR = "repair"
    MEASUREMENT = "measurement"
    COMMS_REPAIR = "comms_repair"
    REWORK = "rework"
    REVERSAL = "reversal"


class Origin(StrEnum):
    """Who or what caused a case."""

    STATUTORY = "statutory"
    CUSTOMER = "customer"
    QUOTE = "quote"
    INSTALLER = "installer"
    FAULT = "fault"
    INTERNAL = "internal"


class LegalBasis(StrEnum):
    """On what ground the work may be done."""

    MANDATORY = "mandatory"
    OPTIONAL = "optional"
    CUSTOMER_REQUEST = "customer_request"
    CONTRACT = "contract"


class DeviceRole(StrEnum):
    """What a device does at a metering point."""

    METER = "meter"
    SMGW = "smgw"
    ANTENNA = "antenna"
    LAN = "lan"
    CONTROL_BOX = "control_box"
    CURRENT_TRANSFORMER = "current_transformer"
    OTHER = "other"


class DevicePlanCode(StrEnum):
    """Standard device plans (D-IMS-1); an operator may add plans of its own."""

    MME = "MME"
    IMSYS = "IMSYS"
    IMSYS_CONTROL = "IMSYS_CONTROL"
    IMSYS_MULTI = "IMSYS_MULTI"
    TRANSFORMER = "TRANSFORMER"
    REMOVAL = "REMOVAL"


class Scheme(StrEnum):
    """By which scheme a metering point is named."""

    MELO = "melo"
    MALO = "malo"
    GSRN = "gsrn"
    NELO = "nelo"
    SR = "sr"
    TR = "tr"


class DodItem(StrEnum):
    """Items of the definition of done: devices, communication, review, handover, gate evidence."""

    DOD1 = "dod1"
    DOD2 = "dod2"
    DOD3 = "dod3"
    DOD4 = "dod4"
    DOD5 = "dod5"


PRIORITY_OF_PARTNER = {1: 90, 2: 70, 3: 50, 4: 30, 5: 10}
"""Partners' priorities 1 (highest) to 5 on our scale of 0 to 100, higher first."""


class PurgeScope(StrEnum):
    """What has to be deleted: contact copies and texts, or all personal data of the case."""

    CONTACT = "contact"
    ALL = "all"


class PurgeReason(StrEnum):
    """Why something has to be deleted."""

    RETENTION = "retention"
    ERASURE = "erasure"


class ExceptionType(StrEnum):
    """What stands in for a missing item of the definition of done, or asks a person (lifecycle §5)."""

    HANDOVER_REJECTED = "handover_rejected"
    HANDOVER_FAILED = "handover_failed"
    HANDOVER_SILENT = "handover_silent"
    FOREIGN_METER = "foreign_meter"
    CANCELLED_IN_WORK = "cancelled_in_work"
    CANCELLED_AFTER_DONE = "cancelled_after_done"
    REFUSAL = "refusal"
    THREE_FAILED_ATTEMPTS = "three_failed_attempts"
    DEVICE_PLAN_DEVIATION = "device_plan_deviation"
    COMMS_NOT_POSSIBLE = "comms_not_possible"
    QA_WAIVER = "qa_waiver"
    NOTICE_OVERRIDE = "notice_override"
    ANNOUNCEMENT_OBJECTED = "announcement_objected"
    INTEGRATION = "integration"
    MASTER_DATA_CONFLICT = "master_data_conflict"


class ExceptionResult(StrEnum):
    """How an exception ended."""

    RESOLVED = "resolved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ExceptionDecision(StrEnum):
    """What a person decided when an exception ended."""

    CARRY_ON = "carry_on"
    WAIT = "wait"
    ABANDON = "abandon"
