"""What producer, consumers and administration share: how brokers are addressed, and how little the client may log."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from kit.errors import Unavailable
from kit.settings import Settings

REQUEST_MS = 15_000
BACKOFF_MS = 1_000
QUIET_SECONDS = 10.0


def client(settings: Settings) -> dict[str, Any]:
    """The options that every client of aiokafka takes."""
    return {
        "bootstrap_servers": settings.kafka.servers.split(","),
        "request_timeout_ms": REQUEST_MS,
        "retry_backoff_ms": BACKOFF_MS,
    }


@asynccontextmanager
async def administration(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A connection for questions about topics. Raises Unavailable while no broker answers."""
    admin = AIOKafkaAdminClient(**client(settings))
    try:
        await admin.start()
        yield admin
    except (KafkaError, TimeoutError) as error:
        raise Unavailable(f"Kafka does not answer: {why(error)}") from error
    finally:
        await admin.close()


def why(error: Exception) -> str:
    """A reason that carries nothing of what was sent."""
    return type(error).__name__


class Seldom(logging.Filter):
    """Lets a message of a logger through once in ten seconds: while a broker is away, the client writes hundreds."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        which, now = (record.name, str(record.msg)), time.monotonic()
        if now - self._last.get(which, -QUIET_SECONDS) < QUIET_SECONDS:
            return False
        self._last[which] = now
        return True


_seldom = Seldom()


def limit_logs() -> None:
    """Put the filter on every logger of aiokafka: a filter of a parent does not see what its children write."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "aiokafka":
            logging.getLogger(name).addFilter(_seldom)
