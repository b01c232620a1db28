"""Code lists of visits and their review."""

from enum import StrEnum


class Outcome(StrEnum):
    """How a visit ended; fixed by its result."""

    OK = "OK"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"


class Result(StrEnum):
    """What a technician reports; exactly one of five (lifecycle §1.3)."""

    OK = "OK"
    DOCS_INCOMPLETE = "DOCS_INCOMPLETE"
    COMMS_PENDING = "COMMS_PENDING"
    NOT_AT_HOME = "NOT_AT_HOME"
    MATERIAL_MISSING = "MATERIAL_MISSING"

    @property
    def outcome(self) -> Outcome:
        """The outcome that this result fixes."""
        match self:
            case Result.OK:
                return Outcome.OK
            case Result.DOCS_INCOMPLETE | Result.COMMS_PENDING:
                return Outcome.PARTIAL
            case Result.NOT_AT_HOME | Result.MATERIAL_MISSING:
                return Outcome.FAILED


class SubReason(StrEnum):
    """Default sub-reasons of a failed visit; open, per operator. `other` needs a text."""

    CUSTOMER_NOT_HOME = "customer_not_home"
    NO_SPACE_IN_CABINET = "no_space_in_cabinet"
    DANGEROUS_INSTALLATION = "dangerous_installation"
    NO_ACCESS = "no_access"
    CUSTOMER_REFUSES = "customer_refuses"
    MISSING_KEY = "missing_key"
    WRONG_INFORMATION = "wrong_information"
    MISSING_INFRASTRUCTURE = "missing_infrastructure"
    OTHER = "other"
    MISSING_EQUIPMENT = "missing_equipment"
    MATERIAL_PROBLEM = "material_problem"


class Comms(StrEnum):
    """Whether an installed device communicates."""

    OK = "ok"
    PENDING = "pending"
    FAILED = "failed"
    NONE = "none"


class CommsCause(StrEnum):
    """Why a device does not communicate (yet)."""

    NO_COVERAGE = "no_coverage"
    HEAD_END = "head_end"
    PROVISIONING = "provisioning"
    OTHER = "other"


class Destination(StrEnum):
    """Where a removed device went."""

    VAN = "van"
    SITE = "site"
    OTHER = "other"


class ReadingSource(StrEnum):
    """How a meter reading was taken."""

    TYPED = "typed"
    OCR = "ocr"
    READOUT = "readout"


class CommissionedBy(StrEnum):
    """What proved that a device communicates."""

    VISIT = "visit"
    HEAD_END = "head_end"
    STAFF = "staff"


class ReviewMode(StrEnum):
    """Who approves: always a person, nobody unless something is found, or a drawn share."""

    GATE = "gate"
    AUTO = "auto"
    SAMPLE = "sample"


class ReworkKind(StrEnum):
    """Whether rework needs another visit."""

    DESK = "desk"
    FIELD = "field"


class ReworkReason(StrEnum):
    """What has to be done again."""

    PHOTOS = "photos"
    PROTOCOL = "protocol"
    SERIAL = "serial"
    COMMS = "comms"
    READING = "reading"
    OTHER = "other"


class Severity(StrEnum):
    """How bad a finding is; an error keeps a review from being approved."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
