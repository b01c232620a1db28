"""Every topic has one owner that tells it and a reader that may read it, and nobody reads what is not theirs."""

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contracts import catalogue
from contracts.event import EVENTS
from contracts.topics import DEAD_LETTERS, OPERATIONS, TOPICS
from hub.house import SERVICES, build

assert catalogue  # imported for what it does: EVENTS is complete


def faults(services: Iterable[Any]) -> list[str]:
    """What is wrong with what these services tell and hear."""
    services = list(services)
    found = []
    for topic in TOPICS.values():
        if topic.name == DEAD_LETTERS:
            continue
        tellers = [service.name for service in services if topic.name in service.tells]
        if tellers != [topic.owner]:
            found.append(f"{topic.name} belongs to {topic.owner} and is told by {tellers}")
        readers = {service.name for service in services if topic.name in service.handlers.topics}
        if not readers:
            found.append(f"nobody reads {topic.name}")
        found += [f"{reader} may not read {topic.name}" for reader in sorted(readers - topic.readers)]
    return found


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder: Path = tmp_path_factory.mktemp("data")
    return [build(name, {"data_dir": folder}) for name in SERVICES]


def test_every_topic_has_its_owner_and_a_reader_that_may_read_it(services: list[Any]) -> None:
    assert faults(services) == []


def test_dead_letters_are_for_operations_alone() -> None:
    assert (TOPICS[DEAD_LETTERS].owner, TOPICS[DEAD_LETTERS].readers) == (None, {OPERATIONS})


def test_every_event_is_of_a_topic_of_its_owner() -> None:
    short = {name: name.removesuffix("_service").removesuffix("_adapter") for name in SERVICES}
    wrong = [kind for kind, event in EVENTS.items() if event.owner != short[str(TOPICS[event.topic].owner)]]
    assert (wrong, len(EVENTS) > 50) == ([], True)


def test_a_second_owner_an_unread_topic_and_a_foreign_reader_are_found(services: list[Any]) -> None:
    thief = SimpleNamespace(
        name="qa_service", tells=("rollout.cases",), handlers=SimpleNamespace(topics=("rollout.contacts",))
    )
    others = [service for service in services if service.name not in ("qa_service", "cockpit_service")]
    found = faults([*others, thief])
    assert "rollout.cases belongs to case_service and is told by ['case_service', 'qa_service']" in found
    assert "nobody reads rollout.messages" in found
    assert "qa_service may not read rollout.contacts" in found
