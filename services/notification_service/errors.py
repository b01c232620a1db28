"""What can be wrong with a request to notification_service; each is one problem code."""

from collections.abc import Sequence
from datetime import datetime

from kit.errors import HubError, Invalid, Refused


class UnknownVariable(Invalid):
    """A template names a variable that its kind does not know."""

    code = "unknown-variable"

    def __init__(self, template: str, variables: Sequence[str]) -> None:
        super().__init__(f"{template} may not use {', '.join(variables)}")
        self.template, self.variables = template, tuple(variables)


class MissingVariable(Invalid):
    """A template lacks a variable, or a text lacks its value."""

    code = "missing-variable"

    def __init__(self, template: str, variables: Sequence[str]) -> None:
        super().__init__(f"{template} needs {', '.join(variables)}")
        self.template, self.variables = template, tuple(variables)


class TemplateSyntax(Invalid):
    """A template cannot be read at this position."""

    code = "template-syntax"

    def __init__(self, template: str, language: str, position: int) -> None:
        super().__init__(f"{template} ({language}), position {position}: a brace that belongs to no variable")
        self.template, self.language, self.position = template, language, position


class TooLong(Invalid):
    """The longest sample of a text takes too many segments."""

    code = "too-long"

    def __init__(self, template: str, language: str, segments: int) -> None:
        super().__init__(f"{template} ({language}) takes {segments} segments")
        self.template, self.language, self.segments = template, language, segments


class Unreadable(Invalid):
    """A callback is the vendor's, and cannot be read: it is kept, and a person looks at it."""

    def __init__(self, places: Sequence[str]) -> None:
        super().__init__(f"the callback cannot be read at {', '.join(places)}")
        self.errors = tuple(places)


class NotPossible(Refused):
    """A text cannot be sent as things stand."""

    code = "sms-not-possible"


class OverBudget(HubError):
    """Too many texts to this number lately; what a person writes is not kept for later."""

    code, status = "rate-limited", 429

    def __init__(self, until: datetime) -> None:
        super().__init__(f"this number had its texts; the next one may go at {until.isoformat()}")
        self.until = until.isoformat()


class AlreadyHandled(Refused):
    """A reply is not in the queue: it was told, or somebody decided."""

    code = "move-not-allowed"


class BadNumber(Invalid):
    """A number gets no SMS; names the cause."""

    code = "sms-not-possible"

    def __init__(self, cause: str) -> None:
        super().__init__(f"this number gets no SMS: {cause}")
        self.cause = cause
