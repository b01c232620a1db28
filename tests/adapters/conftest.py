"""Every combination of bus and database that the hub may run on."""

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from kit.handlers import Handlers
from tests.adapters.world import World, local

COMBINATIONS = [(bus, database) for bus in ("local", "kafka") for database in ("sqlite", "postgres")]
MakeWorld = Callable[..., World]


@pytest.fixture(params=COMBINATIONS, ids=["-".join(each) for each in COMBINATIONS])
async def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> MakeWorld:
    """Worlds on one combination; the servers are started when the first test asks for them."""
    bus, database = request.param
    urls = _databases(request, database, tmp_path)
    options: dict[str, Any] = {}
    make_bus = local
    if bus == "kafka":
        from tests.adapters.on_kafka import fresh, kafka

        bootstrap = request.getfixturevalue("kafka_bootstrap")
        await fresh(bootstrap)
        options = {"bus": "kafka", "kafka": {"servers": bootstrap, "session_timeout_ms": 6000}, "fetch_wait_ms": 20}
        make_bus = kafka

    def make(handlers: Handlers | None = None) -> World:
        return World(tmp_path, urls, make_bus, options, handlers=handlers)

    return make


@pytest.fixture
async def world(make_world: MakeWorld) -> AsyncIterator[World]:
    """Two services, not started."""
    async with make_world() as made:
        yield made


def _databases(request: pytest.FixtureRequest, database: str, folder: Path) -> Mapping[str, str]:
    names = ("mdm_adapter", "case_service")
    if database == "sqlite":
        return {name: f"sqlite:///{folder}/{name}.db" for name in names}
    new_database = request.getfixturevalue("new_database")
    return {name: new_database() for name in names}
