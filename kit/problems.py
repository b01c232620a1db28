"""What a caller is told when something is not done: RFC 9457, with a stable code and without the values it sent."""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response

from kit.errors import HubError, NotFound, Unavailable
from kit.failures import is_transient
from kit.jsons import MISSING, TYPE, UNKNOWN, VALUE, Finding

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
FRAME = ("type", "title", "status", "code", "detail", "instance")
CODES = {
    400: "invalid-body",
    401: "invalid-token",
    403: "role-missing",
    404: "not-found",
    405: "method-not-allowed",
    409: "refused",
    413: "invalid-body",
    415: "invalid-body",
    421: "unknown-host",
    422: "invalid-body",
    429: "rate-limited",
    503: "unavailable",
}
"""Codes of refusals that come from the framework or from the door, where there is no error of ours."""
DETAILS = {
    404: "there is nothing here that you may see",
    405: "this path does not take this method",
    415: "this door takes application/json",
}


class UnknownHost(HubError):
    """The request is meant for somebody else: its Host is none of ours (SEC-SES-04)."""

    code, status = "unknown-host", 421


class BadRequest(HubError):
    """What stands around the body breaks a rule: headers, path, keys in an address."""

    code, status = "invalid-body", 400

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(finding.code for finding in findings))
        self.errors = findings


class TooSlow(HubError):
    """The body did not arrive in time."""

    code, status = "invalid-body", 408


class Unsupported(HubError):
    """The body is of a kind that this door does not take."""

    code, status = "invalid-body", 415


class InProgress(HubError):
    """The first request with this Idempotency-Key is still running."""

    code, status = "in-progress", 409


class IdempotencyConflict(HubError):
    """This Idempotency-Key was used for another request."""

    code, status = "idempotency-conflict", 422


RETRY_AFTER: Mapping[type[HubError], int] = {InProgress: 1, Unavailable: 2}
"""Seconds after which it is worth while to try again."""


def refusals(*kinds: type[HubError]) -> dict[int | str, dict[str, Any]]:
    """What a route may refuse with, as its OpenAPI document shows it: an example per code."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        words = " ".join((kind.__doc__ or kind.code).split("\n\n")[0].split())
        answer = found.setdefault(kind.status, {"description": "", "content": {MEDIA_TYPE: {"examples": {}}}})
        answer["content"][MEDIA_TYPE]["examples"][kind.code] = {"summary": words, "value": frame(kind, words)}
        answer["description"] = ", ".join(answer["content"][MEDIA_TYPE]["examples"])
    return found


def frame(kind: type[HubError], detail: str, request_id: str = "1b9d6bcd") -> dict[str, Any]:
    """The members that every problem has."""
    return {
        "type": f"urn:rollout-hub:problem:{kind.code}",
        "title": kind.code.replace("-", " ").capitalize(),
        "status": kind.status,
        "code": kind.code,
        "detail": detail,
        "instance": request_id,
    }


def problem_of(error: Exception, request_id: str) -> Response:
    """The answer to a request that raised; what is no error of ours is a defect, and tells nothing of itself."""
    if isinstance(error, HubError) and error.status != HubError.status:
        return _of_ours(error, request_id)
    if isinstance(error, RequestValidationError):
        return _of_parameters(error, request_id)
    if isinstance(error, HTTPException):
        code = CODES.get(error.status_code, "invalid-body" if error.status_code < 500 else "defect")
        detail = DETAILS.get(error.status_code, "the request was not accepted")
        return problem(error.status_code, code, detail, request_id, headers=error.headers)
    if is_transient(error):
        log.warning("a dependency is away", error=type(error).__name__, exc_info=error)
        return _of_ours(Unavailable("the service cannot work at the moment"), request_id)
    log.error("defect", error=type(error).__name__, exc_info=error)
    return problem(500, "defect", "the hub failed; this is being looked at", request_id)


def problem(
    status: int,
    code: str,
    detail: str,
    request_id: str,
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document."""
    frame = {
        "type": f"urn:rollout-hub:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
        "instance": request_id,
    }
    body = to_json({**frame, **(members or {})}, exclude_none=True, fallback=str)
    return Response(body, status, dict(headers or {}), MEDIA_TYPE)


def _of_ours(error: HubError, request_id: str) -> Response:
    if error.status >= 500:
        log.warning("the service cannot work", error=type(error).__name__, error_code=error.code)
    hidden = (*FRAME, "headers", "about")
    members = {name: value for name, value in vars(error).items() if not name.startswith("_") and name not in hidden}
    headers = dict(getattr(error, "headers", {}))
    for family, seconds in RETRY_AFTER.items():
        if isinstance(error, family):
            headers["Retry-After"] = str(seconds)
    if isinstance(error, NotFound) and error.code == NotFound.code:  # a foreign object looks like none
        return problem(error.status, error.code, DETAILS[404], request_id, headers=headers)
    return problem(error.status, error.code, str(error), request_id, members, headers)


def _of_parameters(error: RequestValidationError, request_id: str) -> Response:
    """Parameters of path, query and headers; an id that is no id names nothing."""
    found = error.errors()
    if all(each["loc"][0] == "path" for each in found):
        return problem(404, NotFound.code, DETAILS[404], request_id)
    codes = {"missing": MISSING, "extra_forbidden": UNKNOWN}
    errors = [
        Finding(
            codes.get(each["type"]) or (TYPE if each["type"].endswith(("_type", "_parsing")) else VALUE),
            "/".join(("", *map(str, each["loc"]))),
            rule=each["msg"] if each["type"] not in ("value_error", "assertion_error") else None,
        )
        for each in found
    ]
    detail = "; ".join(sorted({each.code for each in errors}))
    return problem(422, "invalid-body", detail, request_id, {"errors": errors})
