"""Writes what other teams read: JSON Schemas, the AsyncAPI document and the golden examples.

`python -m contracts.generate` writes them, `--check` only compares. An example that exists is never written again:
the examples are the frozen corpus of what was once told.
"""

import json
import sys
from pathlib import Path
from typing import Any

from contracts.asyncapi import document
from contracts.catalogue import EVENTS, Event
from contracts.samples import example

ROOM = Path(__file__).parent
SCHEMAS = ROOM / "schemas"
EXAMPLES = ROOM / "examples"


def schema_of(event: type[Event]) -> dict[str, Any]:
    """JSON Schema 2020-12 of an event's value, as a subscriber may rely on it."""
    schema = _published(event.model_json_schema(by_alias=True, mode="serialization"))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:rollout-hub:{event.ce_type}",
        "title": event.__name__,
        **schema,
    }


def _published(node: Any) -> Any:
    """What is absent is never null, and a reader must bear members that come later."""
    if isinstance(node, list):
        return [_published(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _published(value) for key, value in node.items() if not _is_noise(key, value)}
    if {"type": "null"} in node.get("anyOf", ()):
        choices = [choice for choice in node.pop("anyOf") if choice != {"type": "null"}]
        node.pop("default", None)
        node = {**(choices[0] if len(choices) == 1 else {"anyOf": choices}), **node}
    return node


def _is_noise(key: str, value: Any) -> bool:
    """Titles that only repeat a name; the closedness of our own models."""
    return (key == "title" and isinstance(value, str)) or (key, value) == ("additionalProperties", False)


def files() -> dict[Path, str]:
    """Every generated file with its text."""
    texts = {SCHEMAS / f"{name}.json": _text(schema_of(event)) for name, event in EVENTS.items()}
    return {**texts, SCHEMAS / "asyncapi.json": _text(document())}


def example_text(event: type[Event]) -> str:
    """The golden example of an event."""
    return _text(json.loads(example(event).to_json()))


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _stale() -> list[Path]:
    written = set(SCHEMAS.glob("*.json"))
    wanted = files()
    changed = [path for path, text in wanted.items() if path not in written or path.read_text("utf-8") != text]
    missing = [EXAMPLES / f"{name}.json" for name in EVENTS if not (EXAMPLES / f"{name}.json").exists()]
    return [*changed, *(written - wanted.keys()), *missing]


def _write() -> None:
    SCHEMAS.mkdir(exist_ok=True)
    EXAMPLES.mkdir(exist_ok=True)
    wanted = files()
    for path in set(SCHEMAS.glob("*.json")) - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text, "utf-8")
    for name, event in EVENTS.items():
        if not (path := EXAMPLES / f"{name}.json").exists():
            path.write_text(example_text(event), "utf-8")


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` name those that are not up to date; 0 if all is well."""
    if "--check" not in arguments:
        _write()
        return 0
    stale = _stale()
    for path in stale:
        sys.stderr.write(f"not up to date: {path.relative_to(ROOM.parent)}\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
