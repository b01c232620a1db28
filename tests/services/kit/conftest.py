"""The service of notes for the tests of the kit's web side."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.kit.probe import Probe, probing


@pytest.fixture
async def probe(tmp_path: Path) -> AsyncIterator[Probe]:
    async with probing(tmp_path) as found:
        yield found
