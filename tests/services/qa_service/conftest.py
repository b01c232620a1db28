"""The gate's stage: an empty database and folder, a Monday morning, one work order that Tilo is sent to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.testing import Stage
from services.qa_service.app import Settings, build
from tests.services.qa_service.story import Gate


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    opened = await Stage.open(build, tmp_path, settings=Settings)
    yield opened
    await opened.close()


@pytest.fixture
async def gate(stage: Stage) -> Gate:
    made = Gate(stage)
    await made.opens()
    return made
