"""A database with the toy machine's tables, and engines on it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from tests.engine.toy import JAR, METADATA, Performer, wall_ms

from tapwatt.engine import Engine
from tapwatt.store import Database

Start = Callable[..., Awaitable[Engine[Any, Any, Any]]]


@pytest.fixture(params=("sqlite", "memory", "postgresql"))
async def database(request: pytest.FixtureRequest, new_url: Callable[[str], str]) -> AsyncIterator[Database]:
    url = "sqlite://" if request.param == "memory" else new_url(request.param)
    opened = await Database.open(url, metadata=METADATA)
    yield opened
    await opened.close()


@pytest.fixture
async def start(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Start engines on the database with quick retries; they are stopped at the end."""
    monkeypatch.setattr("tapwatt.engine.loop.FIRST_WAIT_S", 0.01)
    started: list[Engine[Any, Any, Any]] = []

    async def start_one(
        performer: Performer, *, settle_s: float = 0.0, **settings: Any
    ) -> Engine[Any, Any, Any]:
        settings.setdefault("now_ms", wall_ms)
        engine: Engine[Any, Any, Any] = Engine(database, JAR, perform=performer, **settings)
        started.append(engine)
        await engine.start(settle_s=settle_s)
        return engine

    yield start_one
    for engine in started:
        await engine.stop(grace_s=0)
