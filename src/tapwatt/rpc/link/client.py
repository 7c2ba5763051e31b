"""The dialling side of OCPP-J: connects, serves, and dials again for ever with a growing pause."""

from __future__ import annotations

import asyncio
import base64
import random
import ssl
import time
import traceback
from collections.abc import Callable, Sequence

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from tapwatt.rpc.link.callbacks import Closed, Opened, ignore_closed, ignore_opened, log, logged, silent
from tapwatt.rpc.link.connection import Connection, Handler
from tapwatt.rpc.messages import NotConnected
from tapwatt.rpc.protocol import Rules


class RpcClient:
    """Dials `url` + identity and keeps dialling; CALLs of the other side go to `handler`."""

    def __init__(
        self,
        *,
        url: str,
        identity: str,
        subprotocols: Sequence[str],
        handler: Handler,
        rules: Rules | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        on_opened: Opened = ignore_opened,
        on_closed: Closed = ignore_closed,
        backoff_s: float = 0.5,
        backoff_max_s: float = 30.0,
        ping_s: float | None = 20.0,
        answer_within_s: float = 30.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`url` is the full address including the identity; `chance` spreads the dials of many clients."""
        self.identity = identity
        self.last_problem = ""
        self._url = url
        self._subprotocols = tuple(subprotocols)
        self._handler = handler
        self._rules = rules or Rules()
        self._password = password
        self._tls = tls
        self._on_opened = on_opened
        self._on_closed = on_closed
        self._backoff_s = backoff_s
        self._backoff_max_s = backoff_max_s
        self._ping_s = ping_s
        self._answer_within_s = answer_within_s
        self._chance = chance
        self._connection: Connection | None = None
        self._open = asyncio.Event()
        self._dialling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to dial; returns at once."""
        assert self._dialling is None, "started already"
        self._dialling = asyncio.create_task(self._dial_for_ever())

    async def stop(self) -> None:
        """Close the connection and stop dialling."""
        if self._dialling is None:
            return
        if self._connection is not None:
            await self._connection.close(1000, "client stops")
        self._dialling.cancel()
        await asyncio.gather(self._dialling, return_exceptions=True)
        self._dialling = None

    @property
    def connection(self) -> Connection | None:
        """The connection of the moment."""
        return self._connection

    async def wait_connected(self, timeout_s: float = 10.0) -> None:
        """Wait until a connection is open; raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            await self._open.wait()

    async def call(self, action: str, payload: bytes, *, timeout_s: float = 30.0) -> bytes:
        """Ask the server. Raises CallFailed, NoAnswer (outcome unknown) or NotConnected (never sent)."""
        if self._connection is None:
            raise NotConnected(self.last_problem or "not connected yet")
        return await self._connection.call(action, payload, timeout_s=timeout_s)

    async def _dial_for_ever(self) -> None:
        delay_s = self._backoff_s
        while True:
            try:
                lived_s = await self._dial()
            except Exception:
                # Whatever it is: a client that has stopped dialling is gone until somebody restarts it.
                self.last_problem, lived_s = "broken", 0.0
                log.error("dial broke", identity=self.identity, trace=traceback.format_exc())
            if lived_s > self._backoff_max_s:
                delay_s = self._backoff_s
            await asyncio.sleep(delay_s * (0.5 + self._chance() / 2))
            delay_s = min(delay_s * 2, self._backoff_max_s)

    async def _dial(self) -> float:
        """One connection from dial to end; returns how many seconds it lived."""
        began_s = time.monotonic()
        try:
            async with connect(
                self._url,
                subprotocols=[Subprotocol(each) for each in self._subprotocols],
                ssl=self._tls,
                compression=None,
                max_size=self._rules.frame_bytes,
                ping_interval=self._ping_s,
                ping_timeout=self._ping_s,
                close_timeout=2,
                proxy=None,
                user_agent_header=None,
                additional_headers=_authorisation(self.identity, self._password),
                logger=silent,
            ) as socket:
                if socket.subprotocol is None:
                    self.last_problem = "the server speaks none of our subprotocols"
                    return 0.0
                await self._live(
                    Connection(
                        socket,
                        identity=self.identity,
                        handler=self._handler,
                        rules=self._rules,
                        answer_within_s=self._answer_within_s,
                    )
                )
        except (OSError, TimeoutError, ConnectionClosed, InvalidHandshake, InvalidURI, EOFError) as problem:
            # ConnectionClosed: the other side hung up between the TCP handshake and our first byte.
            self.last_problem = str(problem) or type(problem).__name__
            log.info("dial failed", identity=self.identity, problem=self.last_problem)
            return 0.0
        return time.monotonic() - began_s

    async def _live(self, connection: Connection) -> None:
        self._connection = connection
        self._open.set()
        opened = asyncio.create_task(logged(self._on_opened(connection)))
        try:
            self.last_problem = await connection.run()
        finally:
            self._connection = None
            self._open.clear()
            await opened
            await logged(self._on_closed(connection, connection.closed_because))


def _authorisation(identity: str, password: str | None) -> dict[str, str]:
    if password is None:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"{identity}:{password}".encode()).decode()}
