"""What other teams read: schemas, AsyncAPI document and examples are up to date and true."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts import generate
from contracts.asyncapi import document
from contracts.catalogue import EVENTS, Event
from contracts.samples import example
from contracts.topics import TOPICS

SCHEMAS = {name: generate.schema_of(event) for name, event in EVENTS.items()}
EVERY_EVENT = pytest.mark.parametrize("name", EVENTS)


def golden(name: str) -> bytes:
    return (generate.EXAMPLES / f"{name}.json").read_bytes()


def test_schemas_regenerate_byte_equal() -> None:
    assert {path: path.read_text("utf-8") for path in generate.SCHEMAS.glob("*.json")} == generate.files()


def test_the_check_of_the_command_agrees() -> None:
    assert generate.main(["--check"]) == 0


def test_every_event_has_one_golden_example() -> None:
    assert {path.stem for path in generate.EXAMPLES.glob("*.json")} == set(EVENTS)


@EVERY_EVENT
def test_a_golden_example_loads_and_is_told_the_same_way(name: str) -> None:
    assert json.loads(EVENTS[name].from_json(golden(name)).to_json()) == json.loads(golden(name))


@EVERY_EVENT
def test_a_golden_example_fits_its_schema(name: str) -> None:
    schema = json.loads((generate.SCHEMAS / f"{name}.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    assert [error.message for error in Draft202012Validator(schema).iter_errors(json.loads(golden(name)))] == []


@EVERY_EVENT
def test_a_schema_finds_a_missing_member(name: str) -> None:
    required = SCHEMAS[name]["required"][0]
    value = {key: member for key, member in json.loads(golden(name)).items() if key != required}
    assert [error.validator for error in Draft202012Validator(SCHEMAS[name]).iter_errors(value)] == ["required"]


@EVERY_EVENT
def test_an_example_shows_every_field(name: str) -> None:
    event: type[Event] = EVENTS[name]
    wire = {field.alias or python for python, field in event.model_fields.items()}
    assert json.loads(example(event).to_json()).keys() == wire


@EVERY_EVENT
def test_an_event_is_documented_for_its_subscribers(name: str) -> None:
    assert re.fullmatch(r"[A-Z].{20,}\.", SCHEMAS[name]["description"], flags=re.DOTALL)


def nodes(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [node for item in value for node in nodes(item)]
    if isinstance(value, dict):
        return [value, *(node for item in value.values() for node in nodes(item))]
    return []


@EVERY_EVENT
def test_a_schema_never_promises_null_nor_closes_its_objects(name: str) -> None:
    closed = [node for node in nodes(SCHEMAS[name]) if node.get("additionalProperties") is False]
    assert closed == []
    # a value of free JSON may be null; nothing that we name ever is
    assert {"type": "null"} not in nodes(SCHEMAS[name]["properties"])


def resolve(root: dict[str, Any], reference: str) -> Any:
    node: Any = root
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    root = document()
    references = [node["$ref"] for node in nodes(root) if "$ref" in node]
    for reference in references:
        if reference.startswith("#/"):
            assert resolve(root, reference)
        else:
            assert (generate.SCHEMAS / reference).exists()
    assert len(references) > len(EVENTS)


def test_the_asyncapi_document_tells_who_may_read_what() -> None:
    channels = document()["channels"]
    assert channels.keys() == TOPICS.keys()
    assert channels["rollout.messages"]["x-readers"] == ["cockpit_service"]
    assert channels["rollout.contacts"]["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"] == ["compact"]


def test_every_event_is_a_message_of_its_topic_alone() -> None:
    channels = document()["channels"].values()
    told = [name for channel in channels for name in channel["messages"]]
    assert sorted(told) == sorted([*EVENTS, "RecordDeadLettered"])
