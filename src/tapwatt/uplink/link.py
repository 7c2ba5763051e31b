"""The sockets between edges and platform: edges dial `/edge/{edgeId}`, each message is one CALL."""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Awaitable, Callable

from tapwatt.rpc.link import Connection, RpcClient, RpcServer, Witness, see_nothing
from tapwatt.rpc.link.callbacks import Admit, admit_all
from tapwatt.rpc.messages import CallRefused, Fault, NoAnswer, RefusedDial
from tapwatt.uplink.codec import (
    EDGE_RULES,
    PLATFORM_RULES,
    UnableToReadMessage,
    decode_answer,
    decode_from_edge,
    decode_from_platform,
    encode_answer,
    encode_call,
)
from tapwatt.uplink.messages import PATH, SUBPROTOCOL, Accepted, FromEdge, FromPlatform

PlatformHandler = Callable[[str, FromEdge], Awaitable[Accepted]]
EdgeHandler = Callable[[FromPlatform], Awaitable[Accepted]]
EdgeNews = Callable[[str], Awaitable[None]]
Opened = Callable[[], Awaitable[None]]


async def _ignore_edge(edge_id: str) -> None:
    return None


async def _ignore_opened() -> None:
    return None


class EdgeServer:
    """The platform's side. `handler(edge_id, message)` answers after its COMMIT."""

    def __init__(
        self,
        *,
        handler: PlatformHandler,
        admit: Admit = admit_all,
        on_opened: EdgeNews = _ignore_edge,
        on_closed: EdgeNews = _ignore_edge,
        ping_s: float | None = 20.0,
        witness: Witness = see_nothing,
    ) -> None:
        """`on_opened` comes at each connect, before Hello; `on_closed` when an edge is no longer there."""
        self._handler = handler

        async def opened(connection: Connection) -> None:
            await on_opened(connection.identity)

        async def closed(connection: Connection, reason: str) -> None:
            await on_closed(connection.identity)

        self._server = RpcServer(
            prefix=PATH,
            subprotocols=[SUBPROTOCOL],
            handler=self._handle,
            rules=PLATFORM_RULES,
            admit=admit,
            on_opened=opened,
            on_closed=closed,
            ping_s=ping_s,
            witness=witness,
        )

    async def start(
        self, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> int:
        """Listen; returns the port."""
        return await self._server.start(host=host, port=port, tls=tls)

    async def stop(self) -> None:
        """Close everything."""
        await self._server.stop()

    @property
    def connected(self) -> tuple[str, ...]:
        """The edges that are there now."""
        return self._server.connected

    @property
    def refused(self) -> deque[RefusedDial]:
        """Who was turned away lately, and why."""
        return self._server.refused

    async def call(self, edge_id: str, message: FromPlatform, *, timeout_s: float = 30.0) -> Accepted:
        """Tell an edge. Raises CallFailed, NoAnswer (it may have it) or NotConnected (it does not)."""
        action, payload = encode_call(message)
        return _accepted(await self._server.call(edge_id, action, payload, timeout_s=timeout_s))

    async def _handle(self, connection: Connection, action: str, payload: bytes) -> bytes:
        try:
            message = decode_from_edge(action, payload)
        except UnableToReadMessage as problem:
            raise CallRefused(Fault.FORMATION_VIOLATION, str(problem)) from problem
        return encode_answer(await self._handler(connection.identity, message))


class EdgeClient:
    """The edge's side: dials for ever. `on_opened` runs at each connect: send Hello there."""

    def __init__(
        self,
        *,
        url: str,
        edge_id: str,
        handler: EdgeHandler,
        on_opened: Opened = _ignore_opened,
        on_closed: Opened = _ignore_opened,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        backoff_s: float = 0.5,
        backoff_max_s: float = 30.0,
        ping_s: float | None = 20.0,
    ) -> None:
        """`url` names the platform's listener only (`ws://127.0.0.1:9100`); the path is ours."""
        self._handler = handler

        async def opened(connection: Connection) -> None:
            await on_opened()

        async def closed(connection: Connection, reason: str) -> None:
            await on_closed()

        self._client = RpcClient(
            url=url.rstrip("/") + PATH + edge_id,
            identity=edge_id,
            subprotocols=[SUBPROTOCOL],
            handler=self._handle,
            rules=EDGE_RULES,
            password=password,
            tls=tls,
            on_opened=opened,
            on_closed=closed,
            backoff_s=backoff_s,
            backoff_max_s=backoff_max_s,
            ping_s=ping_s,
        )

    async def start(self) -> None:
        """Begin to dial; returns at once."""
        await self._client.start()

    async def stop(self) -> None:
        """Close and stop dialling."""
        await self._client.stop()

    async def wait_connected(self, timeout_s: float = 10.0) -> None:
        """Wait for a connection; raises TimeoutError."""
        await self._client.wait_connected(timeout_s)

    @property
    def connected(self) -> bool:
        """Whether the platform is there now."""
        connection = self._client.connection
        return connection is not None and not connection.closed

    @property
    def last_problem(self) -> str:
        """Why the last dial or connection ended."""
        return self._client.last_problem

    async def call(self, message: FromEdge, *, timeout_s: float = 30.0) -> Accepted:
        """Tell the platform. Raises CallFailed, NoAnswer (it may have it) or NotConnected (it does not)."""
        action, payload = encode_call(message)
        return _accepted(await self._client.call(action, payload, timeout_s=timeout_s))

    async def _handle(self, connection: Connection, action: str, payload: bytes) -> bytes:
        try:
            message = decode_from_platform(action, payload)
        except UnableToReadMessage as problem:
            raise CallRefused(Fault.FORMATION_VIOLATION, str(problem)) from problem
        return encode_answer(await self._handler(message))


def _accepted(payload: bytes) -> Accepted:
    """An answer we cannot read leaves open what the other side did."""
    try:
        return decode_answer(payload)
    except UnableToReadMessage as problem:
        raise NoAnswer(f"unreadable answer: {problem}") from problem
