"""A device, a platform and an edge between them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.edge.device import Device
from tests.edge.site import QUICK, Edge, PlatformSide, Site


@pytest.fixture
async def device() -> AsyncIterator[Device]:
    device = Device()
    await device.start()
    yield device
    await device.stop()


@pytest.fixture
async def platform() -> AsyncIterator[PlatformSide]:
    platform = PlatformSide()
    await platform.start()
    yield platform
    await platform.stop()


@pytest.fixture
async def site(device: Device, platform: PlatformSide, tmp_path: Path) -> AsyncIterator[Site]:
    path = tmp_path / "edge.sqlite"
    edge = Edge(path, terminal_port=device.port, platform_port=platform.port, patience=QUICK)
    await edge.start()
    yield Site(device, platform, edge, path)
    await edge.stop()
