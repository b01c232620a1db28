"""The ways qa_service says no."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from kit.jsons import Finding as Named


class OwnWork(Forbidden):
    """Nobody approves what they did, reported or brought themselves."""

    code = "own-work"

    def __init__(self) -> None:
        super().__init__("you did, reported or documented this work: somebody else has to review it")


class UnknownWorkOrder(NotFound):
    """No such work order was heard of yet, or it is out of the caller's sight: keep the item, try again."""

    code = "unknown-work-order"
    RETRY_SECONDS = 30

    def __init__(self) -> None:
        super().__init__("this work order is not known here (yet); keep the item and try again")

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(self.RETRY_SECONDS)}


class OtherContent(Refused):
    """The id is taken by other bytes, or for another kind or work order; an id is made once per item."""

    code = "other-content"

    def __init__(self) -> None:
        super().__init__("other content was uploaded under this id")


class Locked(Refused):
    """What was approved cannot change afterwards."""

    code = "locked"

    def __init__(self) -> None:
        super().__init__("this item was approved with a review; new evidence needs an id of its own")


class DecidedMeanwhile(Refused):
    """The review is decided, or it ended; names the decision."""

    code = "decided-meanwhile"

    def __init__(self, decision: str, decided_at: datetime | None) -> None:
        self.decision, self.decided_at = decision, decided_at
        super().__init__(f"this review is {decision} already")


class LeaseLost(Refused):
    """The review is not, or no longer, with the caller."""

    code = "lease-lost"

    def __init__(self, lease_until: datetime | None = None) -> None:
        self.lease_until = lease_until
        super().__init__("somebody else has it" if lease_until else "take the review first; your time for it is over")


class OpenFindings(Refused):
    """Errors stand against an approval; names each of them."""

    code = "open-findings"

    def __init__(self, findings: Iterable[Mapping[str, object]]) -> None:
        self.findings = tuple(findings)
        super().__init__(f"{len(self.findings)} findings are open: have them fixed, or accept each with a reason")


class TooManyRounds(Refused):
    """The desk did not settle it in so many rounds: send somebody, or raise an exception."""

    code = "too-many-rounds"

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        super().__init__(f"after {rounds} rounds only field rework or an exception can help")


class Stale(Conflict):
    """Somebody else changed it first; names the version that stands."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(f"version {version} stands")


class ReasonMissing(Invalid):
    """A decision names its reason."""

    code = "reason-missing"


class UnknownFinding(Invalid):
    """A decision names findings of its own review, each by its number."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self.findings = tuple(sorted(numbers))
        super().__init__(f"this review has no open finding {', '.join(map(str, self.findings))}")


class DueInThePast(Invalid):
    """Nobody can deliver yesterday."""


class HashMismatch(Invalid):
    """The bytes are not those that were announced: send them again."""

    code = "hash-mismatch"

    def __init__(self) -> None:
        super().__init__("the bytes that came in do not have the SHA-256 of X-Content-SHA256")


class Empty(Invalid):
    """There is nothing in it."""

    code = "empty"

    def __init__(self) -> None:
        super().__init__("the body is empty")


class InvalidImage(Invalid):
    """The upload is no image that we keep; `errors` names the rule: image/limit or image/unreadable."""

    code = "invalid-image"

    def __init__(self, finding: str, rule: str) -> None:
        self.errors = (Named(finding, rule=rule),)
        super().__init__(f"{finding}: {rule}")

    @property
    def why(self) -> str:
        """For the metric."""
        return self.errors[0].code


class ImageTooLarge(InvalidImage):
    """More bytes than this door takes."""

    status = 413


class WrongType(InvalidImage):
    """By its first bytes it is nothing that we keep, or something else than was declared."""

    status = 415
