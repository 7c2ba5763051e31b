"""EcrLink against peers that cut, hush, drip, flood or speak something else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.terminals.zvt.site import Raw, eventually
from tests.terminals.zvt.wire import HOLD

from tapwatt.terminals.address import TcpAddress
from tapwatt.terminals.messages import (
    Approved,
    NotSent,
    Status,
    TerminalState,
    Unknown,
)
from tapwatt.terminals.zvt.events import Unexpected
from tapwatt.terminals.zvt.link import EcrLink

# --- a peer that misbehaves ---------------------------------------------------------------------------------


async def test_nobody_listens() -> None:
    link = EcrLink(host="127.0.0.1", port=1)
    outcome = await link.run(HOLD)
    assert isinstance(outcome, NotSent)
    assert outcome.reason


async def test_cut_before_the_first_byte_is_not_sent(raw: Callable[[Raw], Awaitable[EcrLink]]) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    link = await raw(hang_up)
    await link.connect()
    await eventually(lambda: not link.connected)
    link._address = TcpAddress(host="127.0.0.1", port=1)  # and it cannot be reached again
    assert isinstance(await link.run(HOLD), NotSent)


async def test_a_connection_that_is_over_leaves_no_task_behind(
    raw: Callable[[Raw], Awaitable[EcrLink]],
) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    def clocks() -> list[str]:
        names = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]
        return [name for name in names if name.startswith("Clock.")]

    link = await raw(hang_up)
    await link.connect()
    await eventually(lambda: not link.connected)
    await eventually(lambda: clocks() == [])
    assert clocks() == []


@pytest.mark.parametrize("said", ["", "800000", "80000004ff0117", "800000040f05"])
async def test_cut_after_the_first_byte_is_unknown(
    raw: Callable[[Raw], Awaitable[EcrLink]], said: str
) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.write(bytes.fromhex(said))
        await writer.drain()

    link = await raw(cut)
    outcome = await link.run(HOLD)
    assert isinstance(outcome, Unknown)
    assert outcome.seen is None
    assert not link.connected


async def test_cut_after_the_approval_remembers_it(raw: Callable[[Raw], Awaitable[EcrLink]]) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(bytes.fromhex("800000040f09270087023129525235350a".replace("0f09", "0f0a")[:-2]))
        await reader.readexactly(3)

    link = await raw(cut)
    outcome = await link.run(HOLD)
    assert isinstance(outcome, Unknown)
    assert outcome.seen is not None
    assert (outcome.seen.receipt, outcome.seen.tid) == ("0231", "52523535")


@pytest.mark.parametrize("said", ["80000021", "800000040fff0110", "ffffff"])
async def test_garbage_and_oversized_frames_close_the_connection(
    raw: Callable[[Raw], Awaitable[EcrLink]], said: str
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(bytes.fromhex(said))
        assert await reader.read(100) == b"", "the ECR hangs up"

    link = await raw(talk)
    outcome = await link.run(HOLD)
    assert isinstance(outcome, Unknown)
    assert outcome.reason
    assert not link.connected


@pytest.mark.parametrize("said", ["", "800000", "800000040f0a27"])
async def test_silence_is_unknown(raw: Callable[[Raw], Awaitable[EcrLink]], said: str) -> None:
    async def hush(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(bytes.fromhex(said))
        while await reader.read(100):
            pass

    link = await raw(hush)
    async with asyncio.timeout(10):
        assert isinstance(await link.run(HOLD), Unknown)


async def test_late_result_is_reported_and_the_next_dialogue_is_clean(
    raw: Callable[[Raw], Awaitable[EcrLink]],
) -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(bytes.fromhex("800000"))
        await asyncio.sleep(2.5)
        writer.write(bytes.fromhex("040f052700870231"))
        assert await reader.readexactly(3) == bytes.fromhex("800000")
        await reader.read(100)
        writer.write(bytes.fromhex("800000060f0100"))
        await reader.read(100)

    found: list[Unexpected] = []
    link = await raw(late)
    link._on_unexpected = found.append
    assert isinstance(await link.run(HOLD), Unknown)
    await eventually(lambda: bool(found))
    assert [event.message.text("receipt") for event in found] == ["0231"]
    assert await link.run(Status()) == TerminalState(code="00", ready=True, text="ready")


async def test_byte_by_byte(raw: Callable[[Raw], Awaitable[EcrLink]]) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        for part in ("800000", "04ff0117", "040f0a27008702312952523535", "060f00"):
            for byte in bytes.fromhex(part):
                writer.write(bytes([byte]))
                await asyncio.sleep(0.002)
            if part != "800000":
                assert await reader.readexactly(3) == bytes.fromhex("800000")

    outcome = await (await raw(drip)).run(HOLD)
    assert isinstance(outcome, Approved)
    assert (outcome.receipt, outcome.tid) == ("0231", "52523535")


async def test_all_at_once(raw: Callable[[Raw], Awaitable[EcrLink]]) -> None:
    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(bytes.fromhex("80000004ff0117040f0a27008702312952523535060f00"))
        assert await reader.readexactly(9) == bytes.fromhex("800000800000800000")

    outcome = await (await raw(pour)).run(HOLD)
    assert isinstance(outcome, Approved)


async def test_a_flood_is_cut_off(raw: Callable[[Raw], Awaitable[EcrLink]]) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(bytes.fromhex("800000") + bytes.fromhex("04ff0117") * 5_000)
        while await reader.read(1000):
            pass

    outcome = await (await raw(flood)).run(HOLD)
    assert isinstance(outcome, Unknown)
    assert "follow" in outcome.reason
