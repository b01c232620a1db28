"""The journeys are played once in order and once shuffled; every test looks at both."""

from pathlib import Path

import pytest

from simulators.journeys import JOURNEYS, LONG_JOURNEYS
from tests.journeys.playing import Played, play

ROLLOUTS = ("played", "played_long", "in_edifact")


@pytest.hookimpl(tryfirst=True)  # before the workers are told who takes what
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests that look at one rollout go to one worker: with one each, every worker would play them all."""
    for item in items:
        given = getattr(item, "callspec", None)
        if given and Path(__file__).parent in item.path.parents:
            shown = [f"{name}/{given.params[name]}" for name in ROLLOUTS if name in given.params]
            if shown:
                item.add_marker(pytest.mark.xdist_group("+".join(shown)))


@pytest.fixture(scope="session", params=[False, True], ids=["in_order", "shuffled"])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("rollout"), JOURNEYS, shuffled=request.param)


@pytest.fixture(scope="session", params=[False, True], ids=["in_order", "shuffled"])
def played_long(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """What takes months has a rollout of its own."""
    return play(tmp_path_factory.mktemp("months"), LONG_JOURNEYS, shuffled=request.param)
