"""Real sockets on loopback: answers, silence, lateness, loss and abuse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.rails.samples import PAN, hold

from tapwatt.rails import messages
from tapwatt.rails.codec import encode_frame
from tapwatt.rails.iso8583 import Message, UnableToEncode
from tapwatt.rails.link import HostClient, HostServer, NoAnswer, NotConnected
from tapwatt.rails.messages import HOUSE
from tapwatt.rails.mux import UnableToSend, Unmatched, UnmatchedReason
from tapwatt.rails.partner import Partner
from tapwatt.rails.protocol import ConnectionLimits


class Host:
    """A host that approves, with delays by trace number and silence for some."""

    def __init__(self) -> None:
        self.received: list[Message] = []
        self.partners: list[Partner] = []
        self.delays_s: dict[str, float] = {}
        self.silent: set[str] = set()
        self.broken: set[str] = set()
        self.in_work = self.most_in_work = 0

    async def handle(self, message: Message, partner: Partner) -> Message | None:
        self.received.append(message)
        self.partners.append(partner)
        self.in_work += 1
        self.most_in_work = max(self.most_in_work, self.in_work)
        try:
            await asyncio.sleep(self.delays_s.get(message.text(11), 0))
        finally:
            self.in_work -= 1
        if message.text(11) in self.broken:
            raise RuntimeError(f"broken at {message.text(2)}")
        return (
            None
            if message.text(11) in self.silent
            else messages.response(message, "00", approval_code="A1B2C3")
        )


class Diary:
    """What an observer heard."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, dict[str, object]]] = []

    def __call__(self, happened: str, /, **details: object) -> None:
        self.entries.append((happened, details))

    def reasons(self, happened: str) -> list[object]:
        return [details.get("reason") for name, details in self.entries if name == happened]


@asynccontextmanager
async def line(
    host: Host,
    *,
    on_late: Callable[[Unmatched], Awaitable[None]] | None = None,
    diary: Diary | None = None,
    limits: ConnectionLimits | None = None,
    concurrency: int = 64,
) -> AsyncIterator[tuple[HostServer, HostClient]]:
    observe = Diary() if diary is None else diary
    server = HostServer(host.handle, observe=observe, limits=limits, concurrency=concurrency)
    await server.start()
    client = HostClient(
        "127.0.0.1", server.port, forwarder_id="900001", on_late=on_late, backoff_s=(0.02, 0.1), limits=limits
    )
    await client.start()
    try:
        await client.wait_connected(2)
        yield server, client
    finally:
        await client.stop()
        await server.stop()


async def eventually(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(3):
        while not fact():  # noqa: ASYNC110 - the fact is on the other side of a socket
            await asyncio.sleep(0.01)


async def test_a_request_is_answered() -> None:
    host = Host()
    async with line(host) as (_, client):
        request = hold()
        answer = await client.request(request, timeout_s=2)
        assert answer == messages.response(request, "00", approval_code="A1B2C3")
    assert host.received == [request]
    assert host.partners[0].forwarder_id == "900001"


async def test_many_requests_overtake_each_other() -> None:
    host = Host()
    requests = [hold() for _ in range(30)]
    host.delays_s = {request.text(11): 0.1 - place * 0.003 for place, request in enumerate(requests)}
    async with line(host) as (_, client):
        answers = await asyncio.gather(*(client.request(request, timeout_s=2) for request in requests))
    assert [answer.text(11) for answer in answers] == [request.text(11) for request in requests]


async def test_silence_is_no_answer_and_the_late_one_is_handed_over() -> None:
    host, late = Host(), list[Unmatched]()

    async def on_late(unmatched: Unmatched) -> None:
        late.append(unmatched)

    request = hold()
    host.delays_s[request.text(11)] = 0.2
    async with line(host, on_late=on_late) as (_, client):
        with pytest.raises(NoAnswer, match="no answer in time"):
            await client.request(request, timeout_s=0.1)
        await eventually(lambda: bool(late))
        assert (late[0].message.text(11), late[0].reason) == (request.text(11), UnmatchedReason.LATE)
        assert client.late_answers == 1
        await client.request(hold(), timeout_s=2)


async def test_an_answer_whose_asker_has_gone_is_a_late_one() -> None:
    host, late = Host(), list[Unmatched]()

    async def on_late(unmatched: Unmatched) -> None:
        late.append(unmatched)
        raise RuntimeError("the line must survive this")

    request = hold()
    host.delays_s[request.text(11)] = 0.1
    async with line(host, on_late=on_late) as (_, client):
        asking = asyncio.create_task(client.request(request, timeout_s=2))
        await eventually(lambda: bool(host.received))
        asking.cancel()
        await eventually(lambda: bool(late))
        assert late[0].message.text(39) == "00"
        await client.request(hold(), timeout_s=2)


async def test_without_a_line_nothing_is_sent() -> None:
    client = HostClient("127.0.0.1", 1, backoff_s=(0.02, 0.1))
    await client.start()
    with pytest.raises(NotConnected):
        await client.request(hold(), timeout_s=1)
    with pytest.raises(NotConnected, match=r"no line to 127.0.0.1:1 after"):
        await client.wait_connected(0.1)
    await client.stop()
    await client.stop()


async def test_what_cannot_be_sent_says_so() -> None:
    host = Host()
    request = hold()
    host.delays_s[request.text(11)] = 0.2
    async with line(host) as (_, client):
        asking = asyncio.create_task(client.request(request, timeout_s=2))
        await eventually(lambda: bool(host.received))
        with pytest.raises(UnableToSend):
            await client.request(request.replace({4: "000000000001"}), timeout_s=1)
        with pytest.raises(UnableToEncode):
            await client.request(hold().replace({4: "1"}), timeout_s=1)
        assert (await asking).text(39) == "00"


async def test_a_lost_line_fails_what_was_in_flight_and_comes_back() -> None:
    host, request = Host(), hold()
    host.delays_s[request.text(11)] = 5
    async with line(host) as (server, client):
        asking = asyncio.create_task(client.request(request, timeout_s=5))
        await eventually(lambda: bool(host.received))
        for served, _ in server._serving.values():
            served._writer.transport.abort()
        with pytest.raises(NoAnswer, match="the line went down"):
            await asking
        await client.wait_connected(2)
        assert (await client.request(hold(), timeout_s=2)).text(39) == "00"


async def test_a_server_that_comes_back_is_found_again() -> None:
    host = Host()
    async with line(host) as (server, client):
        port = server.port
        await server.stop()
        await eventually(lambda: not client.connected)
        again = HostServer(host.handle, port=port)
        await again.start()
        await client.wait_connected(2)
        assert (await client.request(hold(), timeout_s=2)).text(39) == "00"
        await client.stop()
        await again.stop()


async def test_a_client_dials_on_when_its_line_breaks_in_an_unknown_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host, serve = Host(), HostClient._serve
    broken: list[str] = []

    async def breaking(self: HostClient, *socket: Any) -> bool:
        signed_on = await serve(self, *socket)
        if not broken:
            broken.append("once")
            raise RuntimeError("odd")
        return signed_on

    monkeypatch.setattr(HostClient, "_serve", breaking)
    async with line(host) as (server, client):
        for served, _ in server._serving.values():
            served._writer.transport.abort()
        await eventually(lambda: not client.connected)
        await client.wait_connected(2)
        assert broken
        assert (await client.request(hold(), timeout_s=2)).text(39) == "00"


async def test_stopping_finishes_what_is_in_work() -> None:
    host, request = Host(), hold()
    host.delays_s[request.text(11)] = 0.2
    async with line(host) as (server, client):
        asking = asyncio.create_task(client.request(request, timeout_s=2))
        await eventually(lambda: bool(host.received))
        await server.stop()
        assert (await asking).text(39) == "00"


async def test_a_failing_handler_is_silence_and_the_line_lives() -> None:
    host, diary = Host(), Diary()
    request = hold()
    host.broken.add(request.text(11))
    async with line(host, diary=diary) as (_, client):
        with pytest.raises(NoAnswer):
            await client.request(request, timeout_s=0.1)
        assert (await client.request(hold(), timeout_s=2)).text(39) == "00"
    (failure,) = [details["error"] for name, details in diary.entries if name == "handler_failed"]
    assert str(failure).startswith("RuntimeError: broken at 411111******1111 (handle, line ")


async def test_only_so_many_requests_of_a_line_are_in_work() -> None:
    host = Host()
    requests = [hold() for _ in range(12)]
    host.delays_s = {request.text(11): 0.02 for request in requests}
    async with line(host, concurrency=3) as (_, client):
        await asyncio.gather(*(client.request(request, timeout_s=3) for request in requests))
    assert host.most_in_work == 3


async def test_silent_lines_are_kept_alive_by_echoes() -> None:
    limits = ConnectionLimits(echo_after_ms=50, network_timeout_ms=500)
    diary = Diary()
    async with line(Host(), limits=limits, diary=diary) as (_, client):
        await asyncio.sleep(0.5)
        assert client.connected
    assert diary.reasons("down") == ["signed off by the partner"]


SIGN_ON = encode_frame(HOUSE.encode(messages.network_request("001", stan="000001", now_ms=0)))


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "a message of 18245 bytes is over the limit of 4096"),
        (b"\xff\xff", "a message of 65535 bytes is over the limit of 4096"),
        (SIGN_ON + b"\x10\x01", "a message of 4097 bytes is over the limit of 4096"),
        (encode_frame(b"garbage") * 3, "3 unreadable messages in a row, the last one: message at byte 0: "),
        (SIGN_ON[: len(SIGN_ON) // 2], "closed inside a message"),
        (SIGN_ON + SIGN_ON[:1], "closed inside a message"),
        (b"\x00\x00" * 5, "closed by the partner"),
        (b"", "closed by the partner"),
    ],
)
async def test_abuse_ends_one_line_with_a_reason_and_no_other(sent: bytes, reason: str) -> None:
    host, diary = Host(), Diary()
    async with line(host, diary=diary) as (server, client):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(sent)
        writer.write_eof()
        async with asyncio.timeout(2):
            await reader.read()
        writer.close()
        await eventually(lambda: bool(diary.reasons("down")))
        assert str(diary.reasons("down")[0]).startswith(reason)
        assert (await client.request(hold(), timeout_s=2)).text(39) == "00"


async def test_bytes_one_at_a_time_are_understood() -> None:
    host = Host()
    async with line(host) as (server, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for byte in SIGN_ON + encode_frame(HOUSE.encode(hold())):
            writer.write(bytes((byte,)))
            await writer.drain()
        async with asyncio.timeout(2):
            length = int.from_bytes(await reader.readexactly(2), "big")
            assert HOUSE.decode(await reader.readexactly(length)).mti == "0810"
            length = int.from_bytes(await reader.readexactly(2), "big")
            assert HOUSE.decode(await reader.readexactly(length)).text(39) == "00"
        writer.close()


async def test_too_many_partners_are_refused() -> None:
    diary = Diary()
    server = HostServer(Host().handle, connections=1, observe=diary)
    await server.start()
    client = HostClient("127.0.0.1", server.port, backoff_s=(0.02, 0.1))
    await client.start()
    await client.wait_connected(2)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    assert await reader.read() == b""
    writer.close()
    assert diary.reasons("refused") == ["1 partners are connected already"]
    await client.stop()
    await server.stop()


async def test_nothing_the_observer_hears_shows_a_card_number() -> None:
    host, diary, request = Host(), Diary(), hold()
    host.delays_s[request.text(11)] = 0.1
    async with line(host, diary=diary) as (server, client):
        with pytest.raises(NoAnswer) as caught:
            await client.request(request, timeout_s=0.05)
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            SIGN_ON + encode_frame(HOUSE.encode(request).replace(b"000000005000", b"00000000500x")) * 3
        )
        await eventually(lambda: len(diary.reasons("rejected")) == 3)
        writer.close()
    assert PAN not in str(caught.value) + repr(diary.entries)
