"""`tapwatt sim cables`: a relay in every line between real programs, so that a line can be cut and mended.

A program that dials finds the relay's port instead of its partner's. A cut line is really gone: both
connections are dropped and the port is closed, until it is mended or the time is over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from tapwatt.programs.http import BadQuery, json_app, serve_http
from tapwatt.programs.runtime import Runtime, unable_to_listen

PIECE_BYTES: Final = 64 * 1024
LONGEST_CUT_S: Final = 600.0
DIAL_WITHIN_S: Final = 5.0
OPEN_AGAIN_S: Final = 0.5
MOST_CONNECTIONS: Final = 64

log = structlog.get_logger("tapwatt.sim")


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """Where a cable begins and where it leads: two ports of this machine."""

    name: str
    port: int
    target: int


@dataclass(slots=True)
class Cable:
    """One line's relay."""

    host: str
    laid: Laid
    cut: bool = False
    _server: asyncio.Server | None = None
    _connections: set[asyncio.Task[None]] = field(default_factory=set)
    _mending: asyncio.TimerHandle | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> None:
        """Let dialling programs through. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._dialled, self.host, self.laid.port)

    async def set_cut(self, seconds: float) -> None:
        """Cut the line for so long; 0 mends it. Of several orders the last holds."""
        async with self._turn:
            self._forget_mending()
            if seconds > 0:
                self.cut = True
                self._mending = asyncio.get_running_loop().call_later(seconds, self._mend_soon)
                await self._drop()
                return
            if self._server is None:
                await self._open_again()
            self.cut = False

    async def stop(self) -> None:
        """Cut it for good."""
        async with self._turn:
            self._forget_mending()
            await self._drop()

    def _mend_soon(self) -> None:
        self._connections.add(task := asyncio.create_task(self.set_cut(0)))
        task.add_done_callback(self._connections.discard)

    def _forget_mending(self) -> None:
        if self._mending is not None:
            self._mending.cancel()
            self._mending = None

    async def _open_again(self) -> None:
        while True:
            try:
                await self.start()
            except OSError as error:  # somebody else has the port for a moment
                log.warning("a cable cannot be mended yet", line=self.laid.name, reason=str(error))
                await asyncio.sleep(OPEN_AGAIN_S)
            else:
                return

    async def _drop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        own = asyncio.current_task()
        for task in (others := [each for each in self._connections if each is not own]):
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _dialled(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.cut or len(self._connections) >= MOST_CONNECTIONS:
            writer.close()
            return
        task = asyncio.create_task(self._carry(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Both directions, until one side hangs up or the line is cut."""
        try:
            async with asyncio.timeout(DIAL_WITHIN_S):
                far_reader, far_writer = await asyncio.open_connection(self.host, self.laid.target)
        except (OSError, TimeoutError):
            writer.close()
            return
        ways = [asyncio.create_task(_pump(*way)) for way in ((reader, far_writer), (far_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, far_writer):
                end.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(PIECE_BYTES):
            writer.write(piece)
            await writer.drain()


async def start(runtime: Runtime, laid: tuple[Laid, ...]) -> None:
    """Lay the cables, then take orders over HTTP."""
    host = runtime.settings.host
    cables = {each.name: Cable(host, each) for each in laid}
    for cable in cables.values():
        try:
            await cable.start()
        except OSError as error:
            purpose = f"the cable {cable.laid.name}"
            raise unable_to_listen(host, cable.laid.port, error, purpose=purpose) from error
        runtime.closing.push_async_callback(cable.stop)

    async def view(_query: Mapping[str, str]) -> object:
        return {name: cable.cut for name, cable in cables.items()}

    async def order(wish: dict[str, Any]) -> object:
        name, seconds = wish.get("cable"), wish.get("seconds")
        if not isinstance(name, str) or name not in cables:
            raise BadQuery(f"cable is one of {', '.join(cables)}")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise BadQuery("seconds is a number, 0 to mend")
        if not 0 <= seconds <= LONGEST_CUT_S:
            raise BadQuery(f"seconds is from 0 to {LONGEST_CUT_S:g}")
        await cables[name].set_cut(float(seconds))
        return {"cable": name, "cut": cables[name].cut}

    app = json_app(runtime, views={"/api/v1/cables": view}, actions={"/api/v1/cables": order})
    await serve_http(runtime, app, runtime.settings.cables_port)
