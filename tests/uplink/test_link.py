"""An edge and a platform on a real loopback socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tapwatt.rpc.messages import CallFailed, NoAnswer, NotConnected
from tapwatt.uplink.link import EdgeClient, EdgeServer
from tapwatt.uplink.messages import (
    SUBPROTOCOL,
    Accepted,
    Ask,
    FromEdge,
    FromPlatform,
    Hello,
    Show,
    TerminalReported,
    TerminalState,
)


class Site:
    """A platform that remembers and one edge that says hello at each connect."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, FromEdge]] = []
        self.asked: list[FromPlatform] = []
        self.gone: list[str] = []
        self.greeted = asyncio.Event()
        self.platform = EdgeServer(handler=self.on_edge, on_closed=self.on_gone)

    async def on_edge(self, edge_id: str, message: FromEdge) -> Accepted:
        self.seen.append((edge_id, message))
        if isinstance(message, TerminalReported):
            # The platform asks back while it handles: must not block the line.
            return await self.platform.call(edge_id, Ask(key="inner"))
        return Accepted()

    async def on_gone(self, edge_id: str) -> None:
        self.gone.append(edge_id)

    async def on_platform(self, message: FromPlatform) -> Accepted:
        self.asked.append(message)
        if isinstance(message, Show):
            raise RuntimeError("no display")
        return Accepted(accepted=False, reason="never heard of it")

    async def hello(self) -> None:
        await self.edge.call(Hello(edge_id="e1", software="0.1.0"))
        self.greeted.set()

    async def start(self) -> None:
        self.port = await self.platform.start()
        self.url = f"ws://127.0.0.1:{self.port}"
        self.edge = EdgeClient(
            url=self.url, edge_id="e1", handler=self.on_platform, on_opened=self.hello, backoff_s=0.01
        )
        await self.edge.start()
        await asyncio.wait_for(self.greeted.wait(), 5)

    async def stop(self) -> None:
        await self.edge.stop()
        await self.platform.stop()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    await site.start()
    yield site
    await site.stop()


async def test_hello_and_questions_both_ways(site: Site) -> None:
    assert site.seen == [("e1", Hello(edge_id="e1", software="0.1.0"))]
    assert site.platform.connected == ("e1",)
    assert site.edge.connected
    answer = await site.platform.call("e1", Ask(key="k"))
    assert answer == Accepted(accepted=False, reason="never heard of it")
    assert site.asked == [Ask(key="k")]


async def test_the_platform_may_ask_while_it_answers(site: Site) -> None:
    report = TerminalReported(terminal_id="t1", state=TerminalState.READY, at_ms=1)
    assert (await site.edge.call(report, timeout_s=2)).reason == "never heard of it"


async def test_a_failing_handler_and_an_absent_edge(site: Site) -> None:
    with pytest.raises(CallFailed, match="InternalError"):
        await site.platform.call("e1", Show(terminal_id="t1", lines=(), seconds=1))
    with pytest.raises(NotConnected):
        await site.platform.call("e2", Ask(key="k"))


async def test_the_edge_comes_back_and_says_hello_again(site: Site) -> None:
    await site.platform.stop()
    site.greeted.clear()
    assert await site.platform.start(port=site.port) == site.port
    await asyncio.wait_for(site.greeted.wait(), 5)
    assert len(site.seen) == 2
    assert site.gone == ["e1"]


async def test_what_is_no_message_gets_the_protocols_error(site: Site) -> None:
    address = f"{site.url}/edge/e9"
    async with connect(address, subprotocols=[Subprotocol(SUBPROTOCOL)], proxy=None) as socket:
        for text, code in (
            ('[2,"1","Hello",{"edge_id":7}]', "FormatViolation"),
            ('[2,"2","Dance",{}]', "NotImplemented"),
            ('[2,"3","Ask",{"key":"k"}]', "NotSupported"),
            ("nonsense", "RpcFrameworkError"),
        ):
            await socket.send(text)
            assert code in str(await socket.recv())
        asking = asyncio.create_task(site.platform.call("e9", Ask(key="k")))
        question = str(await socket.recv())
        await socket.send(f'[3,{question.split(",")[1]},{{"accepted":"perhaps"}}]')
        with pytest.raises(NoAnswer, match="unreadable answer"):
            await asking
    async with connect(address, subprotocols=[Subprotocol("wrong")], proxy=None) as socket:
        await socket.wait_closed()
    assert site.platform.refused[-1].identity == "e9"
