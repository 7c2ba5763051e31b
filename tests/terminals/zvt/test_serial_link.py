"""Both links over a real pseudo terminal, and against a peer that speaks bytes and damages them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable

import pytest
from tests.terminals.zvt.site import Site, eventually
from tests.terminals.zvt.wire import APPROVED, HOLD

from tapwatt.terminals.address import SerialAddress, TcpAddress, UnableToReadAddress, read_address
from tapwatt.terminals.messages import (
    Aborted,
    Approved,
    BookTotal,
    CloseCardSession,
    CloseDay,
    DayClosed,
    Diagnose,
    Display,
    Done,
    NotSent,
    OpenAuthorisations,
    OpenList,
    Register,
    Status,
    TerminalState,
    Unknown,
)
from tapwatt.terminals.zvt.answers import open_list_message, state_message
from tapwatt.terminals.zvt.events import Timings
from tapwatt.terminals.zvt.link import Dialogue, EcrLink, SerialPort, open_pty
from tapwatt.terminals.zvt.serial import SerialTimings, block

PATIENT = SerialTimings(character_ms=1_000, acknowledgement_ms=2_000)
BRIEF = SerialTimings(character_ms=300, acknowledgement_ms=300)
QUICK = Timings(acknowledgement_ms=800, answer_ms=1_500, frame_ms=800)
POSITIVE = bytes.fromhex("800000")
READY = bytes.fromhex("060f0100")


@pytest.fixture
async def pty() -> AsyncIterator[SerialPort]:
    port = open_pty()
    yield port
    port.close()


@pytest.fixture
async def site(pty: SerialPort) -> AsyncIterator[Site]:
    site = Site()
    site.terminal.attach(pty, timings=PATIENT)
    yield site
    await site.terminal.close()


def dial(port: SerialPort, timings: SerialTimings = PATIENT) -> EcrLink:
    return EcrLink(
        address=read_address(f"serial:{port.path}?baud=9600"), timings=QUICK, serial_timings=timings
    )


@pytest.fixture
async def link(pty: SerialPort, site: Site) -> AsyncIterator[EcrLink]:
    link = dial(pty)
    yield link
    await link.close()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp://10.0.0.7:20007", TcpAddress(host="10.0.0.7", port=20007)),
        ("serial:/dev/ttyUSB0", SerialAddress(path="/dev/ttyUSB0")),
        ("serial:/dev/ttyS1?baud=115200&stop=1", SerialAddress(path="/dev/ttyS1", baud=115200, stop_bits=1)),
    ],
)
def test_addresses(text: str, address: TcpAddress | SerialAddress) -> None:
    assert read_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tcp://host",
        "tcp://h:99999",
        "udp://h:1",
        "serial:ttyUSB0",
        "serial:/dev/x?baud=7",
        "serial:/dev/x?baud=fast",
        "serial:/dev/x?baud",
        "serial:/dev/x?stop=3",
        "serial:/dev/x?speed=9600",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UnableToReadAddress):
        read_address(text)


async def test_a_hold_over_the_wire(link: EcrLink, site: Site) -> None:
    kept: list[object] = []

    async def keep(outcome: object, final: bool) -> None:
        kept.append((type(outcome).__name__, final))

    outcome = await link.run(HOLD, on_status=keep)
    assert outcome == APPROVED
    assert kept == [("Approved", False), ("Approved", True)]
    assert site.seen[0] == "received preauthorisation"


async def test_many_operations_one_after_the_other(link: EcrLink, site: Site) -> None:
    async def serve(dialogue: Dialogue) -> None:
        match dialogue.message.name:
            case "display_text" | "close_card_session":
                await dialogue.accept()
            case "end_of_day":
                await dialogue.accept()
                await dialogue.status(DayClosed(amount_minor=123_400, currency="EUR", trace="000977"))
                await dialogue.complete()
            case "status_enquiry":
                await dialogue.accept()
                await dialogue.say(state_message(tid="52523535"))
            case "partial_reversal":
                await dialogue.accept()
                await dialogue.say(open_list_message(("0231", "0232")))
            case _:
                await dialogue.accept()
                await dialogue.complete()

    site.serve = serve
    assert await link.run(Display(lines=("\x10" * 3, "x" * 60))) == Done()
    assert await link.run(OpenAuthorisations()) == OpenList(receipts=("0231", "0232"))
    closed = await link.run(CloseDay())
    assert closed == DayClosed(amount_minor=123_400, currency="EUR", trace="000977")
    assert await link.run(Diagnose()) == Done()
    assert await link.run(CloseCardSession()) == Done()
    booked = await link.run(BookTotal(receipt="0231", amount_minor=2500, currency="EUR"))
    assert isinstance(booked, Approved)
    state = await link.run(Status())
    assert isinstance(state, TerminalState)
    assert state.tid == "52523535"
    assert isinstance(await link.run(Register()), TerminalState)


async def test_abort_over_the_wire(link: EcrLink, site: Site) -> None:
    async def serve(dialogue: Dialogue) -> None:
        await dialogue.accept()
        await dialogue.intermediate(0x0A)
        await dialogue.abort_requested.wait()
        await dialogue.abort(by_ecr=True)

    site.serve = serve
    running = asyncio.create_task(link.run(HOLD))
    await eventually(lambda: "sent intermediate_status" in site.seen)
    await link.abort()
    assert isinstance(await running, Aborted)


async def test_dialled_again_after_we_let_go(pty: SerialPort, site: Site) -> None:
    for _ in range(2):
        link = dial(pty)
        assert isinstance(await link.run(HOLD), Approved)
        await link.close()
    assert site.failures == []


async def test_the_terminal_restarts_its_side(link: EcrLink, site: Site) -> None:
    assert isinstance(await link.run(HOLD), Approved)
    await site.terminal.disconnect()
    await eventually(lambda: site.terminal.connected)
    assert isinstance(await link.run(HOLD), Approved)


async def test_no_such_device() -> None:
    link = EcrLink(address=SerialAddress(path="/dev/no-such-line"), timings=QUICK)
    assert isinstance(await link.run(HOLD), NotSent)
    await link.close()


# --- a peer that speaks bytes -------------------------------------------------------------------------------


class Peer:
    """The other end of the line, by hand."""

    def __init__(self, port: SerialPort) -> None:
        self.descriptor = port.descriptor
        self.heard = bytearray()
        asyncio.get_running_loop().add_reader(self.descriptor, self._readable)

    def _readable(self) -> None:
        self.heard += os.read(self.descriptor, 4096)

    def say(self, data: bytes) -> None:
        os.write(self.descriptor, data)

    async def hears(self, data: bytes, *, times: int = 1) -> None:
        await eventually(lambda: self.heard.count(data) >= times)

    def leave(self) -> None:
        asyncio.get_running_loop().remove_reader(self.descriptor)


@pytest.fixture
async def peer(pty: SerialPort) -> AsyncIterator[Peer]:
    peer = Peer(pty)
    yield peer
    peer.leave()


async def with_peer(
    pty: SerialPort, peer: Peer, talk: Callable[[Peer], object], timings: SerialTimings = PATIENT
) -> object:
    link = dial(pty, timings)
    try:
        running = asyncio.create_task(link.run(Status()))
        await peer.hears(b"\x10\x03")
        talked = talk(peer)
        if asyncio.iscoroutine(talked):
            await talked
        async with asyncio.timeout(15):
            return await running
    finally:
        await link.close()


async def test_garbage_drips_and_bad_checksums(pty: SerialPort, peer: Peer) -> None:
    async def talk(peer: Peer) -> None:
        for byte in b"\x00\xff\x10\x03" + b"\x06" + block(POSITIVE):
            peer.say(bytes([byte]))
            await asyncio.sleep(0.002)
        await peer.hears(b"\x06")
        peer.say(block(READY)[:-1] + b"\x00")
        await peer.hears(b"\x15")
        peer.say(block(READY))
        await peer.hears(block(POSITIVE))
        peer.say(b"\x06")

    assert isinstance(await with_peer(pty, peer, talk), TerminalState)


async def test_refused_three_times_and_then_taken(pty: SerialPort, peer: Peer) -> None:
    async def talk(peer: Peer) -> None:
        for times in (2, 3, 4):
            peer.say(b"\x15")
            await peer.hears(b"\x10\x03", times=times)
        peer.say(b"\x06" + block(POSITIVE) + block(READY))

    assert isinstance(await with_peer(pty, peer, talk), TerminalState)


async def test_an_acknowledgement_that_never_comes_is_no_obstacle(pty: SerialPort, peer: Peer) -> None:
    assert isinstance(
        await with_peer(pty, peer, lambda peer: peer.say(block(POSITIVE) + block(READY))), TerminalState
    )


async def test_silence_is_unknown_after_three_repeats(pty: SerialPort, peer: Peer) -> None:
    outcome = await with_peer(pty, peer, lambda _: None, BRIEF)
    assert isinstance(outcome, Unknown)
    assert peer.heard.count(b"\x10\x03") == 4


async def test_a_hold_goes_out_once_into_silence(pty: SerialPort, peer: Peer) -> None:
    link = dial(pty, BRIEF)
    assert isinstance(await link.run(HOLD), Unknown)
    assert peer.heard.count(b"\x10\x03") == 1
    await link.close()
