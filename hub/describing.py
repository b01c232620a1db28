"""The OpenAPI document of a service, from its routes, with examples and refusals; nothing is opened that stays."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hub.examples import example_of
from hub.house import build
from kit.auth import InvalidToken, RoleMissing
from kit.errors import HubError, NotFound, Unavailable
from kit.http import Served, served, web
from kit.jsons import Malformed, Misfit, Oversize
from kit.problems import IdempotencyConflict, InProgress, Unsupported, refusals

JSON = "application/json"
Operation = dict[str, Any]
Document = dict[str, Any]


def described(service: str) -> Document:
    """Paths, bodies and answers of one service."""
    with TemporaryDirectory() as folder:
        made = build(service, {"data_dir": Path(folder)})
        app = web(made, authenticate=made.authenticate)
        document: Document = app.openapi()
        gates = {(route.method.lower(), route.path.replace(":path}", "}")): route for route in served(app)}
    for method, path, operation in operations(document):
        _tell_refusals(operation, path, gates.get((method, path)))
        _show_examples(operation, document)
    document["components"].get("schemas", {}).pop("HTTPValidationError", None)
    return document


def operations(document: Document) -> Iterator[tuple[str, str, Operation]]:
    """Every operation with its method and path."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def _tell_refusals(operation: Operation, path: str, gate: Served | None) -> None:
    """Every door refuses alike; what the route itself refuses with stands at the route."""
    responses = operation["responses"]
    responses.pop("422", None) if _is_generated(responses.get("422")) else None
    for status, answer in refusals(*_of_door(operation, path, gate)).items():
        own = responses.setdefault(str(status), {"description": "", "content": {}})
        for media, shown in answer["content"].items():
            examples = own["content"].setdefault(media, {"examples": {}}).setdefault("examples", {})
            examples |= {code: value for code, value in shown["examples"].items() if code not in examples}
            own["description"] = ", ".join(examples)


def _is_generated(answer: Mapping[str, Any] | None) -> bool:
    """The framework's own words for a body that does not fit; ours answers otherwise."""
    return answer is not None and "HTTPValidationError" in str(answer)


def _of_door(operation: Operation, path: str, gate: Served | None) -> Iterator[type[HubError]]:
    if gate is None or gate.action is not None:
        yield from (InvalidToken, RoleMissing)
    if "{" in path:
        yield NotFound
    if "requestBody" in operation:
        yield from (Malformed, Oversize, Unsupported, Misfit, IdempotencyConflict, InProgress)
    elif operation.get("parameters"):
        yield Misfit
    yield Unavailable


def _show_examples(operation: Operation, document: Document) -> None:
    """One example at least per body and answer, made from the schema where nobody wrote one."""
    bodies = [(operation.get("requestBody", {}), True)]
    bodies += [(answer, False) for status, answer in operation["responses"].items() if status.startswith("2")]
    for body, is_asked in bodies:
        shown = body.get("content", {}).get(JSON)
        if shown is not None and not {"example", "examples"} & shown.keys():
            shown["example"] = example_of(shown.get("schema", {}), document, whole=not is_asked)
