"""What fault tests share: databases that are made once and copied."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from kit.settings import Settings
from tests.crash import counting
from tests.crash.sea import Gateway, GatewayPort


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the empty databases of the adapter and the counting service."""
    folder = tmp_path_factory.mktemp("template")

    async def make() -> None:
        settings = Settings(data_dir=folder, database_url=f"sqlite:///{folder}/{{service}}.db")
        port = GatewayPort(Gateway(None), None)  # type: ignore[arg-type]
        for service in (counting.build_adapter(settings), counting.build(settings, port)):
            await service.store.db.transact(service.metadata.create_all)
            await service.store.db.close()

    asyncio.run(make())
    return folder


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What is expected to fail does so thousands of times: nobody reads that."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
