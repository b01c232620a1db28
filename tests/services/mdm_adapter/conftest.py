"""The stage of mdm_adapter, an ERP at the other end of it, and builders of what both say."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.mdm_adapter.app import build
from services.mdm_adapter.settings import Settings
from tests.services.mdm_adapter.erp import Erp
from tests.services.mdm_adapter.market import ADDRESSES, Market
from tests.services.mdm_adapter.scenes import Scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """An empty adapter with the partners of the demo; erp-a listens, and accepts everything."""
    opened = await Scene.open(
        build,
        tmp_path,
        settings=Settings,
        drop_settle_seconds=0,
        partners_dir=tmp_path / "partners",
        partner_urls={"erp-a": "http://erp-a.example/in"},
    )
    opened.erp = Erp()
    opened.service.ports["partner_rest"].client = httpx.AsyncClient(transport=httpx.MockTransport(opened.erp.answer))
    yield opened
    await opened.close()


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[Market]:
    """An empty adapter with ERP A and the partners that speak JSON; everybody accepts unless told otherwise."""
    opened = await Market.open(
        build, tmp_path, settings=Settings, partners_dir=tmp_path / "partners", partner_urls=ADDRESSES
    )
    opened.erp = Erp()
    opened.open_addresses()
    yield opened
    await opened.close()
