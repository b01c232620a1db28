"""The ways mdm_adapter says no."""

from collections.abc import Mapping, Sequence

from kit.errors import Forbidden, Invalid, NotFound, Refused, Unavailable


class BadProfile(Invalid):
    """A partner profile cannot be taken; names the file and each line."""

    def __init__(self, name: str, findings: Sequence[str]) -> None:
        super().__init__(f"{name}: {'; '.join(findings)}")
        self.file, self.errors = name, tuple(findings)


class BadMapping(Invalid):
    """Which column is what cannot be taken so; names every place."""

    code = "bad-mapping"

    def __init__(self, wrong: Sequence[str]) -> None:
        super().__init__("; ".join(wrong))
        self.errors = tuple(wrong)


class ImportBusy(Refused):
    """The import is at work, or has been."""

    def __init__(self, state: str) -> None:
        super().__init__(f"the import is {state}")
        self.state = state


class SecretMissing(Unavailable):
    """A secret that a profile names cannot be read."""

    def __init__(self, reference: str, why: str) -> None:
        super().__init__("a secret of this partner cannot be read")
        self._reference, self._why = reference, why

    @property
    def reason(self) -> str:
        """Which, and why, for our own log."""
        return f"{self._reference}: {self._why}"


class NoSuchThing(NotFound):
    """What the path names is not here, or not the caller's."""


class TooLarge(Invalid):
    """The message is larger than agreed; it was not stored."""

    status = 413

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"a message of this partner has at most {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


class WrongMediaType(Invalid):
    """The body is declared as something that no dialect of ours reads."""

    status = 415

    def __init__(self, given: str) -> None:
        super().__init__("messages are declared as a dialect that is agreed with you: XML, CloudEvents in JSON, or CSV")
        self.given = given[:80]


class ReasonMissing(Invalid):
    """What changes the fate of a message needs a reason of at least 10 characters."""

    code = "reason-missing"

    def __init__(self) -> None:
        super().__init__("say why, in at least 10 characters")


class AlreadyResent(Refused):
    """The same document left less than a minute ago."""

    code = "already-resent"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"it was resent {seconds} s ago; look for its answer first")


class NotResendable(Refused):
    """The document is where a resend helps nobody."""

    code = "refused"

    def __init__(self, state: str) -> None:
        super().__init__(f"a document that is {state} is not resent; ERROR_TECH, or SENT with unknown delivery, are")
        self.state = state


class NotRepeatable(Refused):
    """The same bytes are sent once more only where they failed to arrive, or may have."""

    code = "refused"

    def __init__(self, words: str) -> None:
        super().__init__(words)


class EditRefused(Invalid):
    """The corrected message is wrong too; nothing was stored, nothing was sent. Names what is wrong, and where."""

    code = "edit-refused"

    def __init__(self, findings: Sequence[Mapping[str, str]]) -> None:
        first = findings[0] if findings else {}
        words = ": ".join(filter(None, (first.get("position"), first.get("detail"))))
        super().__init__(f"it is wrong as it stands now: {words}"[:300])
        self.errors = tuple(findings)


class NoSuchPlace(Invalid):
    """An edit names a place that the message does not have, or says nothing new."""

    code = "no-such-place"

    def __init__(self, place: str, detail: str) -> None:
        super().__init__(f"{place[:200]}: {detail}")
        self.place = place[:200]


class EntryClosed(Refused):
    """The quarantine entry was dealt with before."""

    code = "refused"

    def __init__(self, state: str) -> None:
        super().__init__(f"this entry is {state}; only an OPEN one can be retried, fixed or discarded")
        self.state = state


class SamePerson(Forbidden):
    """Discarding takes a second person."""

    code = "four-eyes"

    def __init__(self) -> None:
        super().__init__("somebody else must confirm that this is discarded")


class AnswerIncomplete(Invalid):
    """A text or a fact is missing for an answer to an order; it waits."""

    code = "answer-incomplete"

    def __init__(self, missing: str) -> None:
        super().__init__(f"the answer cannot leave yet: {missing}")


class AnswerGiven(Refused):
    """No answer to this order waits for a text or a fact."""

    code = "answer-given"

    def __init__(self) -> None:
        super().__init__("no answer to this order waits for a text; it was given, or is not decided yet")
