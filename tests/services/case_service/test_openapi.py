"""The document of the HTTP side is complete: words, examples that fit, and what each route refuses with."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hub.describing import JSON, described, operations
from kit.errors import HubError
from kit.jsons import read_as
from kit.problems import MEDIA_TYPE
from services.case_service import errors
from services.case_service.api.examples import ACTIONS, action_body, move_body
from services.case_service.api.examples import MOVES as EXAMPLES
from services.case_service.domain.matrices import MOVES
from services.case_service.domain.requests import ActionRequest, CaseAction, MoveRequest

DOCUMENT = described("case_service")
OURS = [each for each in operations(DOCUMENT) if each[1].startswith("/v1/")]
NAMES = [f"{method.upper()} {path}" for method, path, _ in OURS]


def shown(content: dict[str, Any]) -> list[Any]:
    """The examples of a body."""
    several = [each["value"] for each in content.get("examples", {}).values()]
    return several or ([content["example"]] if "example" in content else [])


@pytest.mark.parametrize("operation", [each[2] for each in OURS], ids=NAMES)
def test_every_route_says_what_it_does_takes_and_answers(operation: dict[str, Any]) -> None:
    bodies = [operation["requestBody"]["content"]] if "requestBody" in operation else []
    answers = [answer["content"] for status, answer in operation["responses"].items() if status.startswith("2")]
    assert (bool(operation["summary"]), operation["description"].strip().endswith("."), bool(answers)) == (True,) * 3
    for content in (*bodies, *answers):
        examples = shown(content[JSON])
        fits = Draft202012Validator({**content[JSON]["schema"], "components": DOCUMENT["components"]})
        assert examples
        assert [error.message for example in examples for error in fits.iter_errors(example)] == []


@pytest.mark.parametrize(("path", "operation"), [each[1:] for each in OURS], ids=NAMES)
def test_every_route_says_what_it_refuses_with(path: str, operation: dict[str, Any]) -> None:
    codes = refused_with(operation)
    needed = {"invalid-token", "role-missing", "unavailable"}
    needed |= {"not-found"} if "{" in path else set()
    needed |= {"invalid-body", "idempotency-conflict", "in-progress"} if "requestBody" in operation else set()
    assert needed <= codes
    assert all(problem["status"] == int(status) for status, problem in problems(operation))


def problems(operation: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every example of a refusal with its status."""
    found = operation["responses"].items()
    return [
        (status, each)
        for status, answer in found
        if not status.startswith("2")
        for each in shown(answer["content"][MEDIA_TYPE])
    ]


def refused_with(operation: dict[str, Any]) -> set[str]:
    return {problem["code"] for _, problem in problems(operation)}


def test_every_refusal_of_the_service_stands_at_a_route() -> None:
    ours = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, HubError)}
    ours -= {"defect", "invalid-body", "refused"}  # families
    assert ours - {code for each in OURS for code in refused_with(each[2])} == set()


def test_every_move_and_every_action_has_an_example_that_is_understood() -> None:
    assert (set(EXAMPLES), set(ACTIONS)) == (set(MOVES), set(CaseAction))
    for move in EXAMPLES:
        assert read_as(json.dumps(move_body(move)).encode(), MoveRequest).move == move
    for action in ACTIONS:
        assert read_as(json.dumps(action_body(action)).encode(), ActionRequest).action is action


def test_the_master_s_fields_are_not_offered() -> None:
    offered = DOCUMENT["components"]["schemas"]
    assert {"metering_point_id", "priority", "address"} & offered["CaseEdit"]["properties"].keys() == set()
    assert {"window", "device_plan"} <= offered["ActionRequest"]["properties"].keys()
