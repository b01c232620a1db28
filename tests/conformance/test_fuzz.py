"""A short look at mutated messages of every dialect; `make fuzz` looks for longer."""

import pytest

from tests.fuzz.dialects import DIALECTS
from tests.fuzz.running import run


@pytest.mark.parametrize("dialect", DIALECTS)
def test_E05_every_mutated_message_ends_in_a_verdict_and_opens_nothing(dialect: str) -> None:
    done = run(dialect, inputs=20_000, seconds=5)
    assert (done.opened, sum(done.contents.values())) == ([], done.inputs)
    assert done.inputs > 100
