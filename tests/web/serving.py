"""The web side over a real database, with or without a socket."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from tests.web.scenes import NOON_MS, Scene

from tapwatt.platform import seed
from tapwatt.platform.station_commands import Send
from tapwatt.platform.tables import METADATA
from tapwatt.store import Database
from tapwatt.web.app import WebSide, build_app
from tapwatt.web.chart.hosts import HostTraces


@asynccontextmanager
async def site_at(folder: Path, kind: type[Scene] = Scene, *, database_url: str = "") -> AsyncIterator[Scene]:
    """The sandbox's site on a new database."""
    url = database_url or f"sqlite:///{folder}/platform.sqlite"
    database = await Database.open(url, metadata=METADATA)
    await database.write(lambda tx: seed.sow(tx, seed.sandbox(), now_ms=NOON_MS))
    scene = kind(database)
    await scene.engine.start()
    try:
        yield scene
    finally:
        await scene.engine.stop()
        await database.close()


def web_side(scene: Scene, *, hosts: HostTraces | None = None, **more: Any) -> WebSide:
    """The application under test."""
    more.setdefault("public_url", lambda: "http://127.0.0.1:8080")
    return build_app(
        database=scene.database,
        engine=scene.engine,
        operator_id="demo",
        now_ms=scene.now_ms,
        terms=scene.stations.terms,
        chance=scene.random,
        health=lambda: {"program": "platform", "up_ms": 1, "stations": [], "edges": []},
        hosts=hosts,
        **more,
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the test runner's."""
        yield


@asynccontextmanager
async def serving(
    scene: Scene, *, port: int = 0, hosts: HostTraces | None = None, send: Send | None = None
) -> AsyncIterator[str]:
    """The application on a socket, on a free port unless one is given; yields its address."""
    web = web_side(scene, hosts=hosts, send=send)
    async with on_socket(web, web.close, port=port) as url:
        yield url


@asynccontextmanager
async def on_socket(web: Any, close: Callable[[], None], *, port: int = 0) -> AsyncIterator[str]:
    """Any application on a socket; `close` ends its streams."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    config = uvicorn.Config(
        web, lifespan="off", ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=2
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[bound]))
    await server.up.wait()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        close()
        server.should_exit = True
        await task
        bound.close()
