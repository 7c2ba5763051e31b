"""Real loopback sockets: who gets in, who wins, what is known after a silence."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from tapwatt.rpc.link import Connection, RpcClient, RpcServer
from tapwatt.rpc.messages import (
    CallFailed,
    CallRefused,
    Candidate,
    Fault,
    NoAnswer,
    NotConnected,
    Refusal,
)
from tapwatt.rpc.protocol import Rules

SUBPROTOCOL = "test.1"


async def echo(connection: Connection, action: str, payload: bytes) -> bytes:
    """The handler of most tests."""
    match action:
        case "Refuse":
            raise CallRefused(Fault.NOT_SUPPORTED, "not today")
        case "Fail" | "Billing":
            raise RuntimeError("our own bug")
        case "Sleep":
            await asyncio.sleep(30)
        case "Back":
            return await connection.call("Question", payload)
    return payload


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[tuple[RpcServer, str]]:
    options = {"handler": echo, "ping_s": None, **options}
    server = RpcServer(prefix="/x/", subprotocols=[SUBPROTOCOL], **options)
    port = await server.start()
    try:
        yield server, f"ws://127.0.0.1:{port}"
    finally:
        await server.stop()


@asynccontextmanager
async def dialling(url: str, identity: str = "A", **options: Any) -> AsyncIterator[RpcClient]:
    options = {"handler": echo, "backoff_s": 0.01, **options}
    client = RpcClient(url=f"{url}/x/{identity}", identity=identity, subprotocols=[SUBPROTOCOL], **options)
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


def raw(url: str, path: str = "/x/A", **options: Any) -> connect:
    """A socket of the plain library: the other side may misbehave."""
    return connect(url + path, subprotocols=[Subprotocol(SUBPROTOCOL)], proxy=None, **options)


async def closed(socket: ClientConnection) -> tuple[int | None, str | None]:
    """Read until the end; the close code and reason."""
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(5):
            async for _ in socket:
                pass
    return socket.close_code, socket.close_reason


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (what is waited for has no event of its own)
            await asyncio.sleep(0.005)


async def test_both_sides_call_each_other() -> None:
    async with serving() as (server, url), dialling(url) as client:
        await client.wait_connected()
        assert await client.call("Echo", b'{"a":1}') == b'{"a":1}'
        assert await server.call("A", "Echo", b'{"b":2}') == b'{"b":2}'
        assert server.connected == ("A",)
        with pytest.raises(CallFailed, match="NotSupported: not today"):
            await client.call("Refuse", b"{}")
        with pytest.raises(CallFailed, match="InternalError"):
            await client.call("Fail", b"{}")


async def test_a_handler_may_call_back_without_a_deadlock() -> None:
    async with serving() as (_, url), dialling(url) as client:
        await client.wait_connected()
        assert await client.call("Back", b'{"deep":1}', timeout_s=2) == b'{"deep":1}'


async def test_calls_of_the_other_side_are_handled_in_order() -> None:
    seen: list[bytes] = []

    async def slow_first(connection: Connection, action: str, payload: bytes) -> bytes:
        await asyncio.sleep(0.05 if not seen else 0)
        seen.append(payload)
        return b"{}"

    async with serving(handler=slow_first) as (_, url), raw(url) as socket:
        for number in range(5):
            await socket.send(f'[2,"{number}","Echo",{number}]')
        for number in range(5):
            assert await socket.recv() == f'[3,"{number}",{{}}]'
    assert seen == [b"0", b"1", b"2", b"3", b"4"]


async def test_the_newest_socket_wins_and_the_old_ones_end_disturbs_nobody() -> None:
    ended: list[str] = []

    async def note(connection: Connection, reason: str) -> None:
        ended.append(reason)

    async with serving(on_closed=note) as (server, url):
        async with raw(url) as old, raw(url) as new:
            assert await closed(old) == (4000, "replaced by a newer connection")
            await asyncio.sleep(0.05)
            assert ended == []
            asking = asyncio.create_task(server.call("A", "Question", b"{}"))
            question = str(await new.recv())
            await new.send(f'[3,{question.split(",")[1]},{{"from":"new"}}]')
            assert await asking == b'{"from":"new"}'
        await until(lambda: ended)
        assert server.connected == ()


async def test_a_half_dead_socket_gives_way_at_once_and_its_open_call_is_unknown() -> None:
    async with serving() as (server, url), raw(url) as dead:
        asking = asyncio.create_task(server.call("A", "Question", b"{}"))
        waiting = asyncio.create_task(server.call("A", "Question", b"{}"))
        await dead.recv()
        dead.transport.pause_reading()  # as a station without power: no close, no answer, no pong
        async with dialling(url) as client:
            await client.wait_connected()
            with pytest.raises(NoAnswer):
                await asking
            with pytest.raises(NotConnected):
                await waiting
            assert await server.call("A", "Echo", b"{}") == b"{}"
        dead.transport.abort()


async def test_our_pings_find_a_silent_peer() -> None:
    async with serving(ping_s=0.1) as (server, url), raw(url, ping_interval=None) as dead:
        await until(lambda: server.connected)
        dead.transport.pause_reading()
        await until(lambda: not server.connected)
        dead.transport.abort()


async def test_an_oversized_frame_closes_with_1009() -> None:
    async with serving(rules=Rules(frame_bytes=1000)) as (_, url), raw(url) as socket:
        await socket.send('[2,"1","Echo","' + "x" * 1000 + '"]')
        assert (await closed(socket))[0] == 1009


async def test_binary_bad_utf8_and_floods_close_with_a_reason() -> None:
    async with serving(answer_within_s=0.5) as (_, url):
        async with raw(url) as socket:
            await socket.send(b"\x00\x01")
            assert await closed(socket) == (1003, "binary frames are not spoken here")
        async with raw(url) as socket:
            await socket.send(b"\xff\xff", text=True)
            assert (await closed(socket))[0] == 1007
        async with raw(url) as socket:
            for number in range(40):
                await socket.send(f'[2,"{number}","Sleep",{{}}]')
            assert await closed(socket) == (1008, "more than 32 calls unanswered")


async def test_garbage_is_answered_and_the_connection_lives_on() -> None:
    async with serving() as (_, url), raw(url) as socket:
        for text in ("", "nonsense", "[]", "{}", '[3,"nobody",{}]', '[4,"nobody","GenericError","",{}]'):
            await socket.send(text)
        await socket.send('[2,"1","Echo"]')
        assert str(await socket.recv()).startswith('[4,"1","FormationViolation"')
        await socket.send('[2,"2","Echo",{}]')
        assert await socket.recv() == '[3,"2",{}]'


async def test_a_repeated_call_is_answered_alike_and_handled_once() -> None:
    count = 0

    async def counting(connection: Connection, action: str, payload: bytes) -> bytes:
        nonlocal count
        count += 1
        return b'{"count":%d}' % count

    async with serving(handler=counting) as (_, url), raw(url) as socket:
        for _ in range(2):
            await socket.send('[2,"1","Echo",{}]')
            assert await socket.recv() == '[3,"1",{"count":1}]'


async def test_a_billing_message_that_cannot_be_kept_gets_no_error_frame() -> None:
    rules = Rules(never_refused=frozenset({"Billing"}))
    async with serving(rules=rules) as (_, url), raw(url) as socket:
        await socket.send('[2,"1","Billing",{}]')
        assert await closed(socket) == (1011, "Billing could not be kept")


async def test_no_answer_in_time_is_unknown_and_nobody_there_is_not_sent() -> None:
    async with serving() as (server, url), raw(url):
        await until(lambda: server.connected)
        with pytest.raises(NoAnswer, match="no answer in time"):
            await server.call("A", "Question", b"{}", timeout_s=0.05)
        with pytest.raises(NotConnected, match="B is not connected"):
            await server.call("B", "Question", b"{}")


async def test_a_handler_that_hangs_is_given_up() -> None:
    async with serving(answer_within_s=0.05) as (_, url), raw(url) as socket:
        await socket.send('[2,"1","Sleep",{}]')
        assert await socket.recv() == '[4,"1","InternalError","not handled",{}]'


@pytest.mark.parametrize("path", ["/", "/y/A", "/x/", "/x/a/b", "/x/%00", "/x/" + "A" * 49])
async def test_an_unknown_path_is_refused_with_a_reason(path: str) -> None:
    async with serving() as (server, url):
        with pytest.raises(InvalidStatus) as caught:
            async with raw(url, path):
                pass
        assert caught.value.response.status_code == 404
        assert server.refused[-1].path == path
        assert server.refused[-1].reason.startswith("dial /x/<identity>")


@pytest.mark.parametrize("offered", [["other"], []])
async def test_a_wrong_subprotocol_is_closed_with_a_reason(offered: list[str]) -> None:
    async with serving() as (server, url):
        subprotocols = [Subprotocol(each) for each in offered] or None
        async with connect(url + "/x/A", subprotocols=subprotocols, proxy=None) as socket:
            assert socket.subprotocol is None
            assert await closed(socket) == (1002, "subprotocol must be one of test.1")
        assert server.refused[-1].identity == "A"
        assert server.connected == ()


async def test_what_is_no_websocket_is_remembered() -> None:
    async with serving() as (server, url):
        port = int(url.rsplit(":", 1)[1])
        for junk in (b"\x06\x00\x00" * 50 + b"\r\n\r\n", b"GET /x/A HTTP/1.1\r\nHost: x\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(junk)
            await asyncio.wait_for(reader.read(), 5)
            writer.close()
        await until(lambda: len(server.refused) == 2)
        assert all(each.reason.startswith("no WebSocket handshake") for each in server.refused)


async def check_password(candidate: Candidate) -> Refusal | None:
    if (candidate.username, candidate.password) == ("A", b"se:cret"):
        return None
    return Refusal(status=401, reason="wrong password")


@pytest.mark.parametrize(
    "header", [None, "Basic !!!", "Bearer x", "Basic " + base64.b64encode(b"A:no").decode()]
)
async def test_the_admission_check_answers_401_before_the_upgrade(header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with serving(admit=check_password) as (server, url):
        with pytest.raises(InvalidStatus) as caught:
            async with raw(url, additional_headers=headers):
                pass
        assert caught.value.response.status_code == 401
        assert "Basic" in caught.value.response.headers["WWW-Authenticate"]
        assert [each.reason for each in server.refused] == ["wrong password"]


async def test_the_right_password_gets_in_and_a_refused_client_says_why() -> None:
    async with serving(admit=check_password) as (_, url):
        async with dialling(url, password="se:cret") as client:
            await client.wait_connected()
        async with dialling(url, password="wrong") as client:
            await until(lambda: client.last_problem)
            assert "401" in client.last_problem
            with pytest.raises(NotConnected):
                await client.call("Echo", b"{}")


async def test_too_many_connections_are_refused() -> None:
    async with serving(connections_max=1) as (server, url), raw(url):
        await until(lambda: server.connected)
        with pytest.raises(InvalidStatus) as caught:
            async with raw(url, "/x/B"):
                pass
        assert caught.value.response.status_code == 503


async def test_the_client_comes_back_after_the_server_was_gone() -> None:
    opened = 0

    async def count(connection: Connection) -> None:
        nonlocal opened
        opened += 1
        assert await connection.call("Echo", b"{}") == b"{}"

    async with serving() as (server, url):
        port = int(url.rsplit(":", 1)[1])
        async with dialling(url, on_opened=count) as client:
            await client.wait_connected()
            await server.stop()
            await until(lambda: client.connection is None)
            await asyncio.sleep(0.05)
            await server.start(port=port)
            await client.wait_connected()
            assert await client.call("Echo", b"{}") == b"{}"
            await until(lambda: opened == 2)


async def test_a_client_dials_on_whatever_its_dial_ends_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hung up on before the first byte (as by a program that was just killed), and what nobody thought of."""
    problems: list[Exception] = [ConnectionClosedError(None, None), RuntimeError("odd"), InvalidMessage("?")]
    tried = []

    class Troubled(connect):
        async def __aenter__(self) -> ClientConnection:
            if problems:
                tried.append(problem := problems.pop(0))
                raise problem
            return await super().__aenter__()

    monkeypatch.setattr("tapwatt.rpc.link.client.connect", Troubled)
    async with serving() as (_, url), dialling(url) as client:
        await client.wait_connected()
        assert len(tried) == 3
        assert await client.call("Echo", b"{}") == b"{}"


async def test_a_client_that_is_hung_up_on_at_once_dials_on() -> None:
    """On real sockets: accepted and reset, again and again, until somebody is there who speaks."""
    dialled = 0

    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal dialled
        dialled += 1
        writer.transport.abort()

    rude = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = rude.sockets[0].getsockname()[1]
    async with dialling(f"ws://127.0.0.1:{port}", backoff_max_s=0.01) as client:
        await until(lambda: dialled >= 50)
        rude.close()
        await rude.wait_closed()
        server = RpcServer(prefix="/x/", subprotocols=[SUBPROTOCOL], handler=echo, ping_s=None)
        await server.start(port=port)
        await client.wait_connected()
        await server.stop()


async def test_compression_is_offered_without_context_when_asked_for() -> None:
    async with serving(compression=True) as (_, url), raw(url) as socket:
        assert "no_context_takeover" in str(socket.protocol.extensions[0])
        await socket.send('[2,"1","Echo",{}]')
        assert await socket.recv() == '[3,"1",{}]'
