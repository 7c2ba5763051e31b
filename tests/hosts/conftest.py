"""The chain of four hosts with one terminal on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.hosts.chain import Chain, SimTerminal


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[Chain]:
    made = Chain(tmp_path)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def terminal(chain: Chain) -> AsyncIterator[SimTerminal]:
    made = SimTerminal(chain.settings)
    await made.start()
    yield made
    await made.stop()
