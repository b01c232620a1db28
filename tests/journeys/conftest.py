"""The journeys are played once in order and once shuffled; every test looks at both."""

import pytest

from tests.journeys.playing import Played, play


@pytest.fixture(scope="session", params=[False, True], ids=["in_order", "shuffled"])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("rollout"), shuffled=request.param)
