"""A gateway and a CSMS on loopback for every test that asks for one."""

from collections.abc import AsyncIterator

import pytest
from tests.sim.world import Csms, Gateway


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """Approves until told otherwise."""
    host = Gateway()
    await host.server.start()
    yield host
    await host.server.stop()


@pytest.fixture
async def csms() -> AsyncIterator[tuple[Csms, int]]:
    """A CSMS and its port."""
    office = Csms()
    port = await office.server.start()
    yield office, port
    await office.server.stop()
