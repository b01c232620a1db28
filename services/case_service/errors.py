"""What case_service refuses, one class per code; a refusal names every objection, the first one decides."""

from typing import Any

from kit.errors import Conflict, Forbidden, HubError, Invalid, Refused


class Objection(HubError):
    """Why something is not possible; keyword arguments become members of the problem."""

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        vars(self).update(members)


class MoveNotAllowed(Objection, Refused):
    """The matrix has no row for this move in this state (G1); names the moves that are possible."""

    code = "move-not-allowed"


class StaleVersion(Objection, Conflict):
    """The caller decided on an older version of the work order (G4); the present one is a member."""

    code = "stale-version"


class CancellationOpen(Objection, Refused):
    """The partner withdrew the order, and nobody has decided yet what follows (G5)."""

    code = "cancellation-open"


class AttemptUsed(Objection, Refused):
    """This attempt was resolved; another one is another work order (G6)."""

    code = "attempt-used"


class NotPlanned(Objection, Refused):
    """Technician, start or estimate are missing (G7)."""

    code = "not-planned"


class TooEarly(Objection, Refused):
    """The rules of notice do not allow this day yet (G8, D-NOT-1)."""

    code = "too-early"


class NoMobile(Objection, Refused):
    """There is no mobile number to send a text to (G10, D-TEL-1)."""

    code = "no-mobile"


class SmsNotAllowed(Objection, Refused):
    """The customer does not want text messages (G10)."""

    code = "sms-not-allowed"


class NoAddress(Objection, Refused):
    """The postal address is not complete (G11)."""

    code = "no-address"


class CaseEnded(Objection, Refused):
    """The case is in a terminal phase (G12)."""

    code = "case-ended"


class Blocked(Objection, Refused):
    """A blocker keeps the order from being worked on (G13)."""

    code = "blocked"


class NotResponsible(Objection, Forbidden):
    """Only the responsible technician may do this (G14)."""

    code = "not-responsible"


class ResultInvalid(Objection, Invalid):
    """A visit has exactly one result, a failed one a sub-reason that fits (G15)."""

    code = "result-invalid"


class FormIncomplete(Objection, Invalid):
    """Mandatory answers are missing or wrong (G16); names the fields."""

    code = "form-incomplete"


class SerialTwice(Objection, Invalid):
    """One serial is reported more than once (G17)."""

    code = "serial-twice"


class RoleMissingInReport(Objection, Invalid):
    """A planned role has no device in the report (G17)."""

    code = "role-missing-in-report"


class WrongDeviceType(Objection, Invalid):
    """The device is neither of the planned type nor of an alternative (G17)."""

    code = "wrong-device-type"


class ReasonMissing(Objection, Invalid):
    """This move needs words that say why (G18)."""

    code = "reason-missing"


class ReturnDateInvalid(Objection, Invalid):
    """A hold needs a return date after today, within 24 months (G19)."""

    code = "return-date-invalid"


class DecisionMissing(Objection, Invalid):
    """The decision on the cancellation is not stated (G20)."""

    code = "decision-missing"


class CustomerNotInformed(Objection, Invalid):
    """The customer knows of the appointment and was not told (G20)."""

    code = "customer-not-informed"


class TechnicianNotInformed(Objection, Invalid):
    """The technician has the order in the list and was not told (G20)."""

    code = "technician-not-informed"


class DeviceOnSite(Objection, Refused):
    """A device of this case is installed: complete it or reverse it (G21)."""

    code = "device-on-site"


class ReviewMissing(Objection, Refused):
    """No approved review names the current evidence (G22)."""

    code = "review-missing"


class NothingToCorrect(Objection, Refused):
    """Nothing was refused, used or built in that could be corrected (G23)."""

    code = "nothing-to-correct"


class RejectionOpen(Objection, Refused):
    """A refused handover waits for its correction (G24)."""

    code = "rejection-open"


class AttemptsExhausted(Objection, Refused):
    """Three attempts failed; a second person must agree to another (G25)."""

    code = "attempts-exhausted"


class BookingOpen(Objection, Refused):
    """An offer of this order is under way (G26)."""

    code = "booking-open"


class AnnouncementObjected(Objection, Refused):
    """Somebody objected to the announcement (G27)."""

    code = "announcement-objected"


class StillNeeded(Objection, Refused):
    """No other order of this case did the work (G28)."""

    code = "still-needed"


class OutcomeChanges(Objection, Invalid):
    """A correction may not change how the visit ended."""

    code = "outcome-changes"


class ExceptionIncomplete(Objection, Invalid):
    """An exception needs type, reason, owner and a due date within 90 days."""

    code = "exception-incomplete"


class FourEyes(Objection, Forbidden):
    """The second person must be another than the first and the executor."""

    code = "four-eyes"


class MasterOwned(Objection, Forbidden):
    """Only the system of record changes this field; the member `fields` names it (S0-01)."""

    code = "master-owned"


class CancelByMdmOnly(Objection, Forbidden):
    """Only the partner that ordered the work can withdraw it."""

    code = "cancel-by-mdm-only"


class GateClosed(Objection, Refused):
    """The definition of done does not hold; names every failing item."""

    code = "gate-closed"


class QuoteExpired(Objection, Refused):
    """The quote can no longer be signed: its last day is over."""

    code = "quote-expired"


class AnswerGiven(Objection, Refused):
    """The order was answered already; an order is answered once per version."""

    code = "answer-given"


class CodeNotAllowed(Objection, Invalid):
    """The partner does not accept this answer code for the order."""

    code = "code-not-allowed"


class NotInBulk(Objection, Refused):
    """This move is made one by one: nobody may do it to many work orders at once."""

    code = "move-not-allowed"


class SelectionInvalid(Objection, Invalid):
    """A batch selects its work orders by ids or by a filter, and at least one."""

    code = "invalid-body"


class BatchBusy(Objection, Refused):
    """A job is at work on this batch; it ends, or is cancelled."""

    code = "in-progress"


class NothingToDo(Objection, Refused):
    """No item of the batch is in a state that this would change."""

    code = "move-not-allowed"


class NoUndo(Objection, Refused):
    """Only a batch of assignments wrote down what it changed."""

    code = "move-not-allowed"


class IllegalStep(RuntimeError):
    """Code tried a step that the transition table does not have: a bug, never a person's fault."""

    def __init__(self, move: str, before: str, after: str) -> None:
        super().__init__(f"{move} does not lead from {before} to {after}")
