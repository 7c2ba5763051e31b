"""An event stream's end: the reader leaves, stalls, asked for the head only, or the drawing breaks."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from tapwatt.pages.stream import EventStream


class Reader:
    """The other side of an ASGI answer."""

    def __init__(self, *, reads: bool = True) -> None:
        self.sent: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        self.reads = reads

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(dict(message))
        if message.get("body") and not self.reads:
            await asyncio.sleep(3600)

    @property
    def text(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


class Events:
    """Events without end, and whether somebody closed them."""

    def __init__(self, most: int = 10**9) -> None:
        self.most = most
        self.closed = False

    async def __call__(self) -> AsyncIterator[str]:
        try:
            for number in range(self.most):
                yield f"data: {number}\n\n"
                await asyncio.sleep(0.005)
        finally:
            self.closed = True


async def run(stream: EventStream, reader: Reader, **scope: Any) -> None:
    async with asyncio.timeout(2):
        await stream({"type": "http", **scope}, reader.receive, reader.send)


async def test_a_reader_who_leaves_frees_his_place() -> None:
    events, reader = Events(), Reader()
    asyncio.get_running_loop().call_later(0.03, reader.left.set)
    await run(EventStream(events()), reader)
    assert reader.text.startswith(b"data: 0\n\ndata: 1\n\n")
    assert events.closed


async def test_a_reader_who_stalls_is_dropped() -> None:
    events, reader = Events(), Reader(reads=False)
    await run(EventStream(events(), stalled_s=0.02), reader)
    assert events.closed


async def test_a_stream_that_ends_is_ended_properly() -> None:
    reader = Reader()
    await run(EventStream(Events(most=2)()), reader)
    assert reader.sent[0]["headers"] == [(b"content-type", b"text/event-stream; charset=utf-8")]
    assert not reader.sent[-1].get("more_body", False)


async def test_a_head_gets_headers_and_does_not_hang() -> None:
    reader = Reader()
    await run(EventStream(Events()()), reader, **{"tapwatt.head": True})
    assert reader.text == b""
    assert len(reader.sent) == 2


async def test_a_drawing_that_breaks_ends_the_stream_without_an_exception() -> None:
    async def broken() -> AsyncIterator[str]:
        yield "data: 1\n\n"
        raise RuntimeError("the store takes nothing")

    reader = Reader()
    await run(EventStream(broken()), reader)
    assert reader.text == b"data: 1\n\n"
    assert not reader.sent[-1].get("more_body", False)
