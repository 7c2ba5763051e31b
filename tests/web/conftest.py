"""The web side over a real database, in the test's own process."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.web.scenes import Scene
from tests.web.serving import site_at, web_side


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with site_at(tmp_path) as scene:
        yield scene


@pytest.fixture
async def web(scene: Scene) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(web_side(scene), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        yield client
