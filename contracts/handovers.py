"""What partners, ERP, MDM and market were told and what they answered; told by mdm_adapter."""

from contracts.codes import Authority, FailureCause, HubReason, Level
from contracts.event import Event
from contracts.groups import OfHandover
from contracts.ids import CaseId, Code, QuarantineId, Ref, RowId
from contracts.parts import Days, HandoverReason, Time


class OfRow(OfHandover):
    """About one document to one recipient."""

    row_id: RowId
    recipient: Code
    """Partner id."""


class HandoverSent(OfRow, Event, topic="rollout.handovers", owner="mdm", version=1, key="case_id"):
    """The transport took a document."""

    document: Code
    required: bool
    """The handover is accepted only when this document is."""
    message_ref: Ref


class HandoverAcknowledged(OfRow, Event, topic="rollout.handovers", owner="mdm", version=1, key="case_id"):
    """The recipient says that a document arrived, and can be processed on this level. No answer to its content yet."""

    document: Code
    level: Level


class HandoverAccepted(OfHandover, Event, topic="rollout.handovers", owner="mdm", version=1, key="case_id"):
    """Every required document is accepted. An older attempt is late, and so is an acceptance after a rejection."""

    by_silence: bool
    """Nobody objected in time, and the rule says that this is enough."""
    by_exception: bool
    """An approved exception stands in for an answer."""


class HandoverRejected(OfRow, Event, topic="rollout.handovers", owner="mdm", version=1, key="case_id"):
    """The receiver refused the content: the work is not finished.

    Told once per attempt and document; an older attempt is late.
    """

    authority: Authority
    level: Level
    reasons: tuple[HandoverReason, ...]
    """Free text of the receiver stays in mdm_adapter and is read through its API."""
    window: Days | None = None
    """Another time that the receiver proposes."""
    message_ref: Ref


class HandoverFailed(OfRow, Event, topic="rollout.handovers", owner="mdm", version=1, key="case_id"):
    """A document could not be delivered or understood. The work itself is not in question."""

    level: Level
    cause: FailureCause
    hub_reason: HubReason | None = None
    final: bool
    """No more tries by itself: a person must act."""
    next_try_at: Time | None = None


class MessageQuarantined(Event, topic="rollout.handovers", owner="mdm", version=1, key="case_id"):
    """A message of a partner could not be processed and lies in quarantine. Told once per entry."""

    case_id: CaseId | None = None
    quarantine_id: QuarantineId
    partner: Code | None = None
    cause: Code

    def key(self) -> str:
        """The case, or the quarantine's own id if no case is known."""
        return str(self.case_id or self.quarantine_id)
