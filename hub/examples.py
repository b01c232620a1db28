"""Examples of bodies, made from their schemas: what a field's own examples, its name and its type say."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

BY_FORMAT = {
    "uuid": "0197f000-0000-7000-8000-000000000001",
    "date-time": "2026-03-02T08:00:00Z",
    "date": "2026-03-02",
}
BY_NAME = {
    "metering_point_id": "DE000123001010000000000000001234A",
    "order_key": "erp-a:4711",
    "partner": "erp-a",
    "operator": "nord",
    "postcode": "00101",
    "municipality": "05111000",
    "stage": "2026-1",
    "phone": "+4915112345678",
    "number": "1",
    "street": "Am Markt",
    "city": "Musterstadt",
    "country": "DE",
    "language": "de",
    "name": "A. Kunde",
    "email": "kunde@example.net",
    "actor": "person:local:anna",
    "owner": "person:local:anna",
    "raised_by": "person:local:anna",
    "approver": "person:local:quirin",
    "reported_by": "person:local:tom",
    "serial": "1ITR0012345678",
    "serials": "1ITR0012345678",
    "device_type": "mme-3",
    "plan": "MME",
    "kind": "meter_exchange",
    "move": "start_planning",
    "digest": "9f86d081884c7d65",
    "reason": "The customer called.",
    "text": "The customer called.",
    "lat": "52.5163",
    "lon": "13.3777",
    "day": "2026-03-02",
    "alternatives": "mme-3b",
    "manufacturer": "ITR",
    "skills": "electrician_1",
    "permits": "road_closure",
    "flag_text": "Dog in the yard, ring twice.",
    "access_note": "Ring twice.",
    "next": "WyItcHJpb3JpdHksZHVlIiwgNTBd",
}
"""Words of the field: what a text of this name may say."""
DEEPEST = 8


def example_of(schema: Schema, document: Schema, *, whole: bool, name: str = "", depth: int = 0) -> Any:
    """An example that fits a schema; `whole` with every member, else with those that are needed or have an example."""
    schema = _resolved(schema, document)
    if schema.get("examples"):
        return schema["examples"][0]
    for word in ("example", "const"):
        if word in schema:
            return schema[word]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return _object(schema, document, whole=whole, depth=depth)
    if kind == "array":
        return _array(schema, document, whole=whole, name=name, depth=depth)
    if kind == "string":
        return BY_FORMAT.get(schema.get("format", "")) or BY_NAME.get(name) or name or "text"
    if kind == "boolean":
        return True
    return max(schema.get("minimum", 1), 1) if kind in {"integer", "number"} else None


def _resolved(schema: Schema, document: Schema) -> Schema:
    """The schema behind a reference, or the choice that says something."""
    while True:
        if "$ref" in schema:
            found: Any = document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            schema = {**found, **{name: value for name, value in schema.items() if name != "$ref"}}
            continue
        choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if not choices or "examples" in schema:
            return schema
        schema = next((each for each in choices if each.get("type") != "null"), {})


def _object(schema: Schema, document: Schema, *, whole: bool, depth: int) -> dict[str, Any]:
    if depth > DEEPEST:
        return {}
    needed = schema.get("required", ())
    return {
        name: example_of(part, document, whole=whole, name=name, depth=depth + 1)
        for name, part in schema.get("properties", {}).items()
        if whole or name in needed or "examples" in part
    }


def _array(schema: Schema, document: Schema, *, whole: bool, name: str, depth: int) -> list[Any]:
    parts = schema.get("prefixItems") or [schema["items"]] if schema.get("items") or "prefixItems" in schema else []
    return [example_of(part, document, whole=whole, name=name, depth=depth + 1) for part in parts if depth < DEEPEST]
