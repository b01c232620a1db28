"""Real servers for the tests that ask for them: each is started once per run, by the first test that needs it."""

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import pytest
import structlog
from hypothesis import HealthCheck, settings
from sqlalchemy import URL, make_url

from tests.servers.install import Missing, locked
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres
from tests.servers.processes import clear_orphans, throwaway

RUN = "ROLLOUT_TEST_RUN"  # the folder that all workers of one run share
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own inside it
"""Where tests keep their files, if it is there: SQLite waits for the disk at every commit, and a killed process loses
nothing that it wrote to either. With `--basetemp` they lie elsewhere, and stay."""
KAFKA_IMAGE, POSTGRES_IMAGE = "confluentinc/cp-kafka:7.6.0", "postgres:15"

settings.register_profile("suite", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("suite")  # how fast a machine draws examples says nothing about the hub

C = TypeVar("C", Kafka, Postgres)
stack = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """The controlling process owns the run's servers; workers of pytest-xdist share them."""
    if not hasattr(config, "workerinput"):
        os.environ.setdefault("PYTHONHASHSEED", str(os.getpid()))  # one for all workers: they must collect alike
        clear_orphans()
        os.environ[RUN] = str(stack.enter_context(throwaway("run")))
        if config.option.basetemp is None and os.access(MEMORY, os.W_OK):
            clear_orphans(MEMORY)
            config.option.basetemp = stack.enter_context(throwaway("tests", MEMORY)) / "pytest"


def pytest_unconfigure(config: pytest.Config) -> None:
    """The servers end with the run, however it ends."""
    if not hasattr(config, "workerinput"):
        Postgres(Path(os.environ[RUN]) / "postgres").stop()
        stack.close()


@pytest.fixture(autouse=True)
def plain_logs() -> None:
    """Errors in plain lines: a traceback drawn with all its values holds the loop up for seconds, and all who wait."""
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, structlog.stdlib.add_log_level, renderer])


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """`host:port` of a real Kafka: HUB_TEST_KAFKA, else started here, else a container."""
    with ExitStack() as containers:
        yield os.environ.get("HUB_TEST_KAFKA") or _kafka(containers)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server, by one of its databases: HUB_TEST_POSTGRES, else started here, else a container."""
    with ExitStack() as containers:
        yield os.environ.get("HUB_TEST_POSTGRES") or _postgres(containers)


@pytest.fixture(scope="session")
def new_database(postgres_url: str) -> Iterator[Callable[[], str]]:
    """Make an empty database; the answer is its address for SQLAlchemy on asyncpg."""
    server, made = make_url(postgres_url).set(drivername="postgresql+asyncpg"), list[str]()

    def make() -> str:
        made.append(f"test_{uuid4().hex}")
        _execute(server, f"CREATE DATABASE {made[-1]}")
        return server.set(database=made[-1]).render_as_string(hide_password=False)

    yield make
    if os.environ.get("HUB_TEST_POSTGRES"):  # a server of our own is thrown away whole
        for name in made:
            _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _kafka(containers: ExitStack) -> str:
    try:
        # one per worker, for tests delete the hub's topics
        return _started(Kafka(Path(os.environ[RUN]) / f"kafka{os.environ.get('PYTEST_XDIST_WORKER', '')}")).bootstrap
    except Missing as missing:
        from testcontainers.community.kafka import KafkaContainer

        container = _contained(KafkaContainer(KAFKA_IMAGE).with_kraft, containers, missing)
        return str(container.get_bootstrap_server())


def _postgres(containers: ExitStack) -> str:
    try:
        return _started(Postgres(Path(os.environ[RUN]) / "postgres")).url("postgres")
    except Missing as missing:
        from testcontainers.community.postgres import PostgresContainer

        container = _contained(lambda: PostgresContainer(POSTGRES_IMAGE, driver="asyncpg"), containers, missing)
        return str(container.get_connection_url())


def _started(cluster: C) -> C:
    with locked(Path(os.environ[RUN]) / "lock"):  # the first worker starts it, the others find it running
        cluster.start()
    return cluster


def _contained(container: Callable[[], Any], containers: ExitStack, missing: Missing) -> Any:
    """The last way: a container, where a Docker engine answers. Nothing is skipped for want of a server."""
    from docker.errors import DockerException  # type: ignore[import-untyped]

    try:
        return containers.enter_context(container())
    except DockerException:
        pytest.fail(f"{missing} (No Docker engine answers either.)")


def _execute(server: URL, statement: str) -> None:
    """Run one statement outside a transaction; in a thread, because the caller may be inside an event loop."""

    async def execute() -> None:
        plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(plain)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, execute()).result()
