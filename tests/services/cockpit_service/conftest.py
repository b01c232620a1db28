"""The console's stage: an empty read model on a Monday morning."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.testing import Stage
from services.cockpit_service.app import build
from services.cockpit_service.settings import Settings


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    opened = await Stage.open(build, tmp_path, settings=Settings)
    yield opened
    await opened.close()
