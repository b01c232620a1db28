"""The journeys are played once in order and once shuffled; every test looks at both."""

import pytest

from simulators.journeys import JOURNEYS, LONG_JOURNEYS
from tests.journeys.playing import Played, play


@pytest.fixture(scope="session", params=[False, True], ids=["in_order", "shuffled"])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("rollout"), JOURNEYS, shuffled=request.param)


@pytest.fixture(scope="session", params=[False, True], ids=["in_order", "shuffled"])
def played_long(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """What takes months has a rollout of its own."""
    return play(tmp_path_factory.mktemp("months"), LONG_JOURNEYS, shuffled=request.param)
