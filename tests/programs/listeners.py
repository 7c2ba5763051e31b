"""Every listener of a running site: where it is, and plain hands to speak to it with."""

import asyncio
import json
import time
from contextlib import suppress
from typing import Any

from tests.journeys.world import World
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tapwatt.rails.codec import encode_frame
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.messages import HOUSE, network_request
from tapwatt.rails.sandbox import network

NOON_MS = 1_767_225_600_000
INSTITUTIONS = network().institutions
# Each ISO 8583 listener and who may sign on there (the gateway lets every terminal in).
ISO = {
    "gateway": "52523536",
    "acquirer": INSTITUTIONS.gateway,
    "scheme": INSTITUTIONS.acquirer,
    "issuer": INSTITUTIONS.scheme,
}
HTTP = {
    "platform": "http_port",
    "site": "forecourt_port",
    **{name: f"{name}_http_port" for name in ISO},
}
WEBSOCKETS = {
    "ocpp": ("ocpp_port", "/ocpp/ABUSE", "ocpp1.6"),
    "edge": ("edge_port", "/edge/ABUSE", "tapwatt.edge.1"),
}


class Line:
    """A plain TCP connection to a listener."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def dial(cls, port: int) -> "Line":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        with suppress(ConnectionError):
            await self._writer.drain()

    async def heard(self, *, quiet_s: float = 0.5, within_s: float = 5.0) -> tuple[bytes, bool]:
        """What comes until it is quiet or closed; whether it is closed."""
        data = b""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    try:
                        async with asyncio.timeout(quiet_s):
                            piece = await self._reader.read(65536)
                    except TimeoutError:
                        return data, False
                    except ConnectionError:
                        return data, True
                    if not piece:
                        return data, True
                    data += piece
        return data, False

    async def closed_after(self, within_s: float) -> float | None:
        """How long the other side took to hang up; None when it did not."""
        began_s = time.monotonic()
        _, closed = await self.heard(quiet_s=within_s, within_s=within_s)
        return time.monotonic() - began_s if closed else None

    def drop(self) -> None:
        self._writer.close()


async def say(port: int, *pieces: bytes) -> tuple[bytes, bool]:
    """Dial, send, listen, drop."""
    line = await Line.dial(port)
    try:
        for piece in pieces:
            await line.send(piece)
        return await line.heard()
    finally:
        line.drop()


async def come_and_go(port: int, greeting: bytes, times: int = 50) -> None:
    """Connections that open, say a little, and vanish."""
    lines = await asyncio.gather(*(Line.dial(port) for _ in range(times)))
    for number, line in enumerate(lines):
        await line.send(greeting[: number % (len(greeting) + 1)])
        line.drop()
    await asyncio.sleep(0.1)


def iso(message: Message) -> bytes:
    return encode_frame(HOUSE.encode(message))


def sign_on(party: str) -> bytes:
    return iso(network_request("001", stan="000001", now_ms=NOON_MS, forwarder_id=ISO[party]))


def iso_messages(data: bytes) -> list[Message]:
    """The answers in a stream; whatever a host says is whole and readable."""
    found = []
    while data:
        length = int.from_bytes(data[:2], "big")
        assert len(data) >= 2 + length, "an answer is cut off"
        if length:
            found.append(HOUSE.decode(data[2 : 2 + length]))
        data = data[2 + length :]
    return found


async def dial(site: World, name: str, *, path: str = "", subprotocol: str | None = None) -> ClientConnection:
    port, own_path, own_subprotocol = WEBSOCKETS[name]
    return await connect(
        f"ws://127.0.0.1:{getattr(site.settings, port)}{path or own_path}",
        subprotocols=[Subprotocol(subprotocol or own_subprotocol)],
        max_size=None,
        proxy=None,
        compression=None,
    )


async def answer_of(socket: ClientConnection, within_s: float = 3.0) -> Any:
    """The next answer; what the other side asks meanwhile is not answered."""
    async with asyncio.timeout(within_s):
        while (frame := json.loads(await socket.recv()))[0] == 2:
            continue
        return frame


async def close_code_of(socket: ClientConnection, within_s: float = 5.0) -> int | None:
    with suppress(ConnectionClosed):
        async with asyncio.timeout(within_s):
            while True:
                await socket.recv()
    return socket.close_code
