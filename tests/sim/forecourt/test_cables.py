"""A cable carries bytes both ways, is really gone when it is cut, and comes back."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from tapwatt.sim.forecourt.cables import Cable, Laid

HOST = "127.0.0.1"


def free_port() -> int:
    with socket.create_server((HOST, 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@asynccontextmanager
async def partner() -> AsyncIterator[int]:
    """Says everything back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1000):
            writer.write(piece)
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@asynccontextmanager
async def cable(target: int) -> AsyncIterator[Cable]:
    laid = Cable(HOST, Laid(name="x", port=free_port(), target=target))
    await laid.start()
    yield laid
    await laid.stop()


@dataclass
class Caller:
    """One connection through a cable."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def hears(self) -> bytes:
        async with asyncio.timeout(5):
            return await self.reader.read(1000)


@asynccontextmanager
async def call(line: Cable, words: bytes) -> AsyncIterator[Caller]:
    reader, writer = await asyncio.open_connection(HOST, line.laid.port)
    writer.write(words)
    yield Caller(reader, writer)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def carries(line: Cable) -> bool:
    async with call(line, b"hello") as caller:
        return await caller.hears() == b"hello"


async def test_a_cut_line_is_gone_and_a_mended_one_is_back() -> None:
    async with partner() as target, cable(target) as line:
        async with call(line, b"hello") as caller:
            assert await caller.hears() == b"hello"
            await line.set_cut(60)
            assert await caller.hears() == b"", "who was in the middle of it is hung up"
        with pytest.raises(OSError):
            await carries(line)
        await line.set_cut(0)
        assert await carries(line)
        await line.set_cut(0)
        assert not line.cut


async def test_a_cut_line_mends_itself_and_the_last_order_holds() -> None:
    async with partner() as target, cable(target) as line:
        await line.set_cut(60)
        await line.set_cut(0.05)
        async with asyncio.timeout(5):
            while line.cut:  # noqa: ASYNC110 - looked at from outside
                await asyncio.sleep(0.01)
        assert await carries(line)


async def test_a_line_to_nobody_is_hung_up() -> None:
    async with cable(free_port()) as line, call(line, b"anybody?") as caller:
        assert await caller.hears() == b""
