"""The listening side of OCPP-J: knows its peers by the path they dial.

What stations do in the field decides the rules: the newest authenticated socket of an identity wins and the
old one's end disturbs nobody; we ping by ourselves; who is turned away is remembered with the reason.
Spec: OCPP-J 1.6 section 3 (connection), RFC 6455, RFC 7692 (compression without context: context costs
40 KB a connection).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tapwatt.rpc.link.callbacks import (
    Admit,
    Closed,
    Opened,
    admit_all,
    ignore_closed,
    ignore_opened,
    log,
    logged,
    silent,
)
from tapwatt.rpc.link.connection import Connection, Handler, Witness, see_nothing
from tapwatt.rpc.messages import Candidate, NotConnected, Refusal, RefusedDial
from tapwatt.rpc.protocol import Rules

IDENTITY_LENGTH: Final = 48
REFUSALS_KEPT: Final = 200
_REPLACED, _BAD_SUBPROTOCOL, _GOING_AWAY = 4000, 1002, 1001


class RpcServer:
    """Listens for peers at `prefix` + identity; hands their CALLs to `handler`, reaches them with `call`."""

    def __init__(
        self,
        *,
        prefix: str,
        subprotocols: Sequence[str],
        handler: Handler,
        rules: Rules | None = None,
        admit: Admit = admit_all,
        on_opened: Opened = ignore_opened,
        on_closed: Closed = ignore_closed,
        connections_max: int = 10_000,
        ping_s: float | None = 20.0,
        answer_within_s: float = 30.0,
        compression: bool = False,
        witness: Witness = see_nothing,
    ) -> None:
        """`on_opened` may call the peer. `on_closed` comes only for the connection that is current: a
        replaced one just vanishes and `on_opened` comes again. `admit` is asked before the upgrade."""
        self.refused: deque[RefusedDial] = deque(maxlen=REFUSALS_KEPT)
        self._prefix = prefix
        self._subprotocols = tuple(subprotocols)
        self._handler = handler
        self._rules = rules or Rules()
        self._admit = admit
        self._on_opened = on_opened
        self._on_closed = on_closed
        self._connections_max = connections_max
        self._ping_s = ping_s
        self._answer_within_s = answer_within_s
        self._compression = compression
        self._witness = witness
        self._connections: dict[str, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: Server | None = None

    async def start(
        self, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> int:
        """Listen; returns the port, which matters when 0 asked for a free one."""
        extensions = [
            ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)
        ]
        self._server = await serve(
            self._serve,
            host,
            port,
            ssl=tls,
            process_request=self._decide,
            select_subprotocol=self._choose,
            extensions=extensions if self._compression else None,
            compression=None,
            max_size=self._rules.frame_bytes,
            ping_interval=self._ping_s,
            ping_timeout=self._ping_s,
            close_timeout=2,
            server_header=None,
            logger=silent,
            create_connection=self._watched(),
        )
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def stop(self) -> None:
        """Close every connection ("going away") and the listener."""
        if self._server is None:
            return
        for connection in list(self._connections.values()):
            self._spawn(connection.close(_GOING_AWAY, "server stops"))
        self._server.close()
        await self._server.wait_closed()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._server = None

    @property
    def connected(self) -> tuple[str, ...]:
        """Who is connected now."""
        return tuple(each for each, connection in self._connections.items() if not connection.closed)

    def connection(self, identity: str) -> Connection | None:
        """The current connection of an identity."""
        return self._connections.get(identity)

    async def call(self, identity: str, action: str, payload: bytes, *, timeout_s: float = 30.0) -> bytes:
        """Ask a peer. Raises CallFailed, NoAnswer (outcome unknown) or NotConnected (never sent)."""
        connection = self._connections.get(identity)
        if connection is None:
            raise NotConnected(f"{identity} is not connected")
        return await connection.call(action, payload, timeout_s=timeout_s)

    # --- handshake

    async def _decide(self, socket: ServerConnection, request: Request) -> Response | None:
        identity = _identity(self._prefix, request.path)
        refusal = await self._judge(socket, request, identity)
        if refusal is None:
            return None
        self._remember(socket, request.path, identity, refusal.reason)
        response = socket.respond(refusal.status, refusal.reason + "\n")
        if refusal.status == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="tapwatt", charset="UTF-8"'
        return response

    async def _judge(
        self, socket: ServerConnection, request: Request, identity: str | None
    ) -> Refusal | None:
        if identity is None:
            return Refusal(status=404, reason=f"dial {self._prefix}<identity>, not {request.path[:100]}")
        if len(self._connections) >= self._connections_max and identity not in self._connections:
            return Refusal(status=503, reason=f"{self._connections_max} connections are open already")
        offered = ",".join(request.headers.get_all("Sec-WebSocket-Protocol")).split(",")
        username, password = _credentials(request, identity)
        return await self._admit(
            Candidate(
                identity=identity,
                remote=_remote(socket),
                offered=tuple(each.strip() for each in offered if each.strip()),
                username=username,
                password=password,
            )
        )

    def _choose(self, socket: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        """Our first choice among theirs. None lets the upgrade pass without one, as section 3.1.2 asks."""
        return next((Subprotocol(each) for each in self._subprotocols if each in offered), None)

    def _remember(self, socket: ServerConnection, path: str, identity: str | None, reason: str) -> None:
        dial = RefusedDial(
            at_ms=time.time_ns() // 1_000_000,
            remote=_remote(socket),
            path=path[:200],
            identity=identity,
            reason=reason,
        )
        self.refused.append(dial)
        log.warning("dial refused", remote=dial.remote, path=dial.path, reason=reason)

    def _watched(self) -> type[ServerConnection]:
        """A connection whose broken handshakes (no HTTP, no upgrade) are remembered too."""
        remember = self._remember

        class Watched(ServerConnection):
            async def handshake(self, *arguments: Any, **options: Any) -> None:
                await super().handshake(*arguments, **options)
                problem = self.protocol.handshake_exc
                if problem is not None:
                    path = "" if self.request is None else self.request.path
                    remember(self, path, None, f"no WebSocket handshake: {problem}")

        return Watched

    # --- a connection's life

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        identity = _identity(self._prefix, socket.request.path)
        assert identity is not None
        if self._subprotocols and socket.subprotocol is None:
            reason = f"subprotocol must be one of {', '.join(self._subprotocols)}"
            self._remember(socket, socket.request.path, identity, reason)
            await socket.close(_BAD_SUBPROTOCOL, reason)
            return
        connection = Connection(
            socket,
            identity=identity,
            handler=self._handler,
            rules=self._rules,
            answer_within_s=self._answer_within_s,
            witness=self._witness,
        )
        self._replace(identity, connection)
        self._spawn(self._on_opened(connection))
        try:
            await connection.run()
        finally:
            await self._forget(connection)

    def _replace(self, identity: str, connection: Connection) -> None:
        old = self._connections.get(identity)
        self._connections[identity] = connection
        if old is not None:
            log.info("connection replaced", identity=identity, old=old.remote, new=connection.remote)
            self._spawn(old.close(_REPLACED, "replaced by a newer connection"))

    async def _forget(self, connection: Connection) -> None:
        """Only the current connection's end is news; an old one must not take the new one down."""
        if self._connections.get(connection.identity) is connection:
            del self._connections[connection.identity]
            await self._on_closed(connection, connection.closed_because)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _identity(prefix: str, path: str) -> str | None:
    """The identity in a path, percent-decoded; a query is tolerated, further slashes are not."""
    plain = urlsplit(path).path
    if not plain.startswith(prefix):
        return None
    identity = unquote(plain[len(prefix) :])
    fits = 1 <= len(identity) <= IDENTITY_LENGTH and identity.isprintable() and "/" not in identity
    return identity if fits else None


def _credentials(request: Request, identity: str) -> tuple[str | None, bytes | None]:
    """User name and password of HTTP Basic; the password may be any bytes (OCPP 1.6 security, profile 1)."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        plain = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None, None
    own = identity.encode() + b":"
    if plain.startswith(own):  # an identity may itself contain a colon
        return identity, plain[len(own) :]
    username, _, password = plain.partition(b":")
    return username.decode(errors="replace"), password


def _remote(socket: ServerConnection) -> str:
    address = socket.remote_address
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)
