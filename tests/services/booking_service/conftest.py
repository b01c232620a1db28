"""Booking's stage: an empty database, a Monday morning, a dispatcher with two technicians and one case."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.testing import Stage
from services.booking_service.app import Settings, build
from tests.services.booking_service.story import Office


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    opened = await Stage.open(build, tmp_path, settings=Settings)
    yield opened
    await opened.close()


@pytest.fixture
async def office(stage: Stage) -> Office:
    made = Office(stage)
    await made.opens()
    return made
