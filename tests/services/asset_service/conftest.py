"""The stage of asset_service: an empty database with its seed, and a clock on a Monday morning."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.testing import Stage
from services.asset_service.app import build
from services.asset_service.settings import Settings


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    made = await Stage.open(build, tmp_path, settings=Settings)
    yield made
    await made.close()
