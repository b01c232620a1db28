"""Code lists of what is exchanged with partners, ERP, MDM and market."""

from enum import StrEnum


class Fact(StrEnum):
    """Business facts that are handed over to the ERP, the MDM and the market."""

    ROLLOUT_ANNOUNCED = "rollout_announced"
    EXCHANGE_COMPLETED = "exchange_completed"
    WORK_NOT_COMPLETED = "work_not_completed"
    CANCELLED = "cancelled"


class Decision(StrEnum):
    """What was decided about a cancellation; goes with the fact `cancelled`."""

    CONFIRMED = "confirmed"
    TOO_LATE = "too_late"
    STORNO = "storno"


class AnnouncedPlan(StrEnum):
    """What kind of system is announced."""

    IMS = "ims"
    MME = "mme"


class Answer(StrEnum):
    """A decision on an order that expects one."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class PartnerStatus(StrEnum):
    """What a partner says about its own order, without a new version of it."""

    ON_HOLD = "on_hold"
    RELEASED = "released"
    RESCHEDULED = "rescheduled"


class MasterDataOrigin(StrEnum):
    """Where a change of master data comes from."""

    PARTNER = "partner"
    MARKET_FEEDBACK = "market_feedback"
    DEVICE_ANNOUNCED = "device_announced"


class Level(StrEnum):
    """On which level a counterparty answered."""

    TRANSPORT = "transport"
    SYNTAX = "syntax"
    PROCESSABILITY = "processability"
    BUSINESS = "business"


class Authority(StrEnum):
    """Who refused: grid operator, supplier, metering operator (new, old), or a system of record."""

    NB = "nb"
    LF = "lf"
    MSB = "msb"
    WMSB = "wmsb"
    MDM = "mdm"
    ERP = "erp"
    REGISTER = "register"


class HubReason(StrEnum):
    """Why a handover was refused, in our words; partners' codes are mapped to these (lifecycle §7.2)."""

    UNKNOWN_METERING_POINT = "UNKNOWN_METERING_POINT"
    UNKNOWN_DEVICE = "UNKNOWN_DEVICE"
    LINK_CONFLICT = "LINK_CONFLICT"
    READING_IMPLAUSIBLE = "READING_IMPLAUSIBLE"
    BAD_PERIOD = "BAD_PERIOD"
    TOO_LATE = "TOO_LATE"
    FOREIGN_METER = "FOREIGN_METER"
    NOT_RESPONSIBLE = "NOT_RESPONSIBLE"
    NOT_CONNECTED = "NOT_CONNECTED"
    DATA_CLEARING = "DATA_CLEARING"
    ANNOUNCEMENT_OBJECTED = "ANNOUNCEMENT_OBJECTED"
    ORDER_REFUSED = "ORDER_REFUSED"
    CANCELLED_BY_CIS = "CANCELLED_BY_CIS"
    DUPLICATE = "DUPLICATE"
    SCHEMA = "SCHEMA"
    VERSION = "VERSION"
    UNAUTHORISED = "UNAUTHORISED"
    BUSY = "BUSY"
    TIMEOUT = "TIMEOUT"
    ON_HOLD = "ON_HOLD"
    RELEASED = "RELEASED"
    RESCHEDULED = "RESCHEDULED"
    OTHER = "OTHER"

    @property
    def technical(self) -> bool:
        """Nothing is wrong with the work: the message itself, or the way it took, was refused."""
        return self in _TECHNICAL


_TECHNICAL = {HubReason.SCHEMA, HubReason.VERSION, HubReason.UNAUTHORISED, HubReason.BUSY, HubReason.TIMEOUT}


class FailureCause(StrEnum):
    """Why a handover could not be delivered or understood: a technical hub reason, or one of ours."""

    SCHEMA = "SCHEMA"
    VERSION = "VERSION"
    UNAUTHORISED = "UNAUTHORISED"
    BUSY = "BUSY"
    TIMEOUT = "TIMEOUT"
    TRANSPORT = "transport"
    CORRELATION = "correlation"
    NO_RECIPIENT = "no_recipient"
    FACT_MISSING = "fact_missing"
    OWN_OUTPUT_INVALID = "own_output_invalid"
    ACK_MISSING = "ack_missing"
    RETRIES_EXHAUSTED = "retries_exhausted"
