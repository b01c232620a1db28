"""What cockpit_service refuses."""

from collections.abc import Mapping

from kit.auth import InvalidToken
from kit.errors import Forbidden, HubError


class SignInNeeded(InvalidToken):
    """Whoever opens a page without a session is sent to the sign-in page."""

    status = 303

    @property
    def headers(self) -> Mapping[str, str]:
        """Where to go instead."""
        return {"Location": "/sign-in"}


class CodeSpent(HubError):
    """The sign-in code is unknown, was used or is too old; which of these is not told (SEC-SES-01)."""

    code, status = "invalid-code", 401


class ForeignRequest(Forbidden):
    """An unsafe request with a cookie that our own page did not make (SEC-WEB-01)."""

    code = "foreign-request"
