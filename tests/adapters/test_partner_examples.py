"""The examples that partners are given are messages as they are: valid, complete, and read by our own reader."""

import json
import re
from pathlib import Path

import pytest

from services.mdm_adapter.dialects.json_ce import messages
from services.mdm_adapter.dialects.json_ce.wire import BY_TYPE

PAGE = Path(__file__).parents[2] / "services/mdm_adapter/README.md"
EXAMPLES = {
    json.loads(text)["type"]: text for text in re.findall(r"```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
}


def test_there_is_an_example_of_every_message() -> None:
    assert EXAMPLES.keys() == BY_TYPE.keys()


@pytest.mark.parametrize("type_", sorted(BY_TYPE))
def test_an_example_passes_schema_and_reader(type_: str) -> None:
    content = EXAMPLES[type_].encode()
    assert messages.own_faults(content) == []
    if type_.split(".")[2] in messages.REPORTS:
        assert messages.decode_report(content).order_no == "A-000001"
    else:
        decoded = messages.decode(content, None, None)
        assert ([*decoded.findings, *(each for item in decoded.items for each in item.findings)], decoded.noun) == (
            [],
            type_.split(".")[2],
        )
