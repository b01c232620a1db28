"""Writes the JSON Schemas of all messages: `python -m services.mdm_adapter.dialects.json_ce.publishing`."""

import json
from collections.abc import Iterator

from services.mdm_adapter.dialects.json_ce import wire
from services.mdm_adapter.dialects.json_ce.messages import SCHEMAS


def schemas() -> Iterator[tuple[str, str]]:
    """File name and text of every schema."""
    for type_, model in wire.BY_TYPE.items():
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:{type_}",
            **model.model_json_schema(by_alias=True, mode="validation"),
        }
        name = type_.removeprefix("rollout.document.").removesuffix(".v1")
        yield f"{name}.json", json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    SCHEMAS.mkdir(exist_ok=True)
    for name, text in schemas():
        (SCHEMAS / name).write_text(text, "utf-8")
