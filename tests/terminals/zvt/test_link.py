"""EcrLink and TerminalLink on real loopback sockets, and what the terminal's owner hears."""

from __future__ import annotations

import asyncio

import pytest
from tests.terminals.zvt.site import QUICK, Site, approve, eventually
from tests.terminals.zvt.wire import APPROVED, HOLD

from tapwatt.terminals.messages import (
    Aborted,
    AbortedBy,
    Approved,
    Capture,
    CardKind,
    CardRead,
    Display,
    Done,
    NotSent,
    OpenAuthorisations,
    OpenList,
    Outcome,
    ReadCard,
    Register,
    ResultKind,
    Status,
    TerminalState,
    Unknown,
)
from tapwatt.terminals.zvt import answers
from tapwatt.terminals.zvt.events import Intermediate
from tapwatt.terminals.zvt.link import Dialogue, EcrLink
from tapwatt.terminals.zvt.link.terminal import EcrFellSilent, EcrGone, EcrRefused
from tapwatt.terminals.zvt.messages import Command

# --- both ends ----------------------------------------------------------------------------------------------


async def test_hold_is_acknowledged_only_after_it_was_kept(site: Site, link: EcrLink) -> None:
    kept: list[tuple[Outcome, bool]] = []
    shown: list[Intermediate] = []

    async def keep(outcome: Outcome, final: bool) -> None:
        await asyncio.sleep(0.15)
        step = "sent completion" if final else "sent status_information"
        assert site.seen[-1] == step, "an acknowledgement was on the wire before the outcome was kept"
        kept.append((outcome, final))

    assert await link.run(HOLD, on_intermediate=shown.append, on_status=keep) == APPROVED
    assert kept == [(APPROVED, False), (APPROVED, True)]
    assert [event.code for event in shown] == [0x0A]
    await eventually(lambda: len(site.seen) == 8)
    assert site.seen == [
        "received preauthorisation",
        "sent positive",
        "sent intermediate_status",
        "received positive",
        "sent status_information",
        "received positive",
        "sent completion",
        "received positive",
    ]


async def test_what_cannot_be_kept_is_not_acknowledged(site: Site, link: EcrLink) -> None:
    async def fail(_: Outcome, __: bool) -> None:
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        await link.run(HOLD, on_status=fail)
    assert not link.connected
    await eventually(lambda: [type(error) for error in site.failures] == [EcrGone])
    assert site.seen[-1] == "sent status_information"
    assert await link.run(HOLD) == APPROVED


async def test_operations_take_turns(site: Site, link: EcrLink) -> None:
    outcomes = await asyncio.gather(*(link.run(HOLD) for _ in range(5)))
    assert outcomes == [APPROVED] * 5
    assert not link.busy


async def test_every_operation_over_one_connection(site: Site, link: EcrLink) -> None:
    met: list[bool] = []

    async def serve(dialogue: Dialogue) -> None:
        await dialogue.accept()
        match dialogue.message.control:
            case Command.REGISTRATION:
                await dialogue.say(answers.registration_message(tid="52523535", currency="EUR"))
            case Command.STATUS_ENQUIRY:
                await dialogue.say(answers.state_message(tid="52523535"))
            case Command.READ_CARD:
                await dialogue.status(CardRead(kind=CardKind.BANK, token="A1", aid="A0000000041010"))
            case Command.PARTIAL_REVERSAL if dialogue.message.text("receipt") == "FFFF":
                await dialogue.say(answers.open_list_message(("0231", "0232")))
            case Command.PARTIAL_REVERSAL:
                await dialogue.status(Approved(receipt="0231", amount_minor=1500))
                await dialogue.complete()

    site.serve = serve
    site.terminal._on_connection = met.append
    assert await link.run(Register()) == TerminalState(code="00", ready=True, text="ready", tid="52523535")
    assert await link.run(Status()) == TerminalState(code="00", ready=True, text="ready", tid="52523535")
    assert await link.run(Display(lines=("hello",))) == Done()
    assert await link.run(ReadCard()) == CardRead(kind=CardKind.BANK, token="A1", aid="A0000000041010")
    assert await link.run(OpenAuthorisations()) == OpenList(receipts=("0231", "0232"))
    capture = Capture(receipt="0231", hold_minor=2500, amount_minor=1000, currency="EUR")
    assert await link.run(capture) == Approved(receipt="0231", amount_minor=1000, currency="EUR")
    assert met == [True]


async def test_abort_while_the_terminal_waits_for_a_card(site: Site, link: EcrLink) -> None:
    async def wait_for_card(dialogue: Dialogue) -> None:
        await dialogue.accept()
        await dialogue.abort_requested.wait()
        await dialogue.abort(text="stopped", by_ecr=True)

    site.serve = wait_for_card
    running = asyncio.create_task(link.run(HOLD))
    await eventually(lambda: "sent positive" in site.seen)
    await asyncio.sleep(0.05)
    await link.abort()
    outcome = await running
    assert isinstance(outcome, Aborted)
    assert outcome.by is AbortedBy.ECR
    site.serve = approve
    assert await link.run(HOLD) == APPROVED


async def test_abort_that_comes_too_late_leaves_the_approval(site: Site, link: EcrLink) -> None:
    async def keep(_: Outcome, __: bool) -> None:
        await link.abort()

    assert await link.run(HOLD, on_status=keep) == APPROVED
    await link.abort()
    assert await link.run(HOLD) == APPROVED


async def test_refused_is_not_sent(site: Site, link: EcrLink) -> None:
    site.serve = lambda dialogue: dialogue.refuse(0x9C)
    outcome = await link.run(HOLD)
    assert isinstance(outcome, NotSent)
    assert outcome.kind is ResultKind.BUSY


async def test_senseless_operation_is_not_sent(site: Site, link: EcrLink) -> None:
    outcome = await link.run(Capture(receipt="0231", hold_minor=1, amount_minor=2, currency="EUR"))
    assert isinstance(outcome, NotSent)
    assert site.seen == []


async def test_a_terminal_that_forgets_to_finish_finishes(site: Site, link: EcrLink) -> None:
    async def forget(dialogue: Dialogue) -> None:
        await dialogue.accept()

    site.serve = forget
    outcome = await link.run(HOLD)
    assert getattr(outcome, "code", "") == "FF"


async def test_newest_connection_wins(site: Site, link: EcrLink) -> None:
    assert await link.run(HOLD) == APPROVED
    other = EcrLink(host="127.0.0.1", port=site.port, timings=QUICK)
    assert await other.run(HOLD) == APPROVED
    await eventually(lambda: not link.connected)
    assert await link.run(HOLD) == APPROVED
    await other.close()


async def test_terminal_restarts_in_the_middle(site: Site, link: EcrLink) -> None:
    async def restart(dialogue: Dialogue) -> None:
        await dialogue.accept()
        await site.terminal.disconnect()

    site.serve = restart
    assert isinstance(await link.run(HOLD), Unknown)
    site.serve = approve
    assert await link.run(HOLD) == APPROVED


async def test_a_terminal_still_at_work_is_busy_for_a_new_connection(site: Site, link: EcrLink) -> None:
    released = asyncio.Event()

    async def slow(dialogue: Dialogue) -> None:
        await dialogue.accept()
        await released.wait()

    site.serve = slow
    cut = asyncio.create_task(link.run(HOLD))
    await eventually(lambda: "sent positive" in site.seen)
    await link.close()
    assert isinstance(await cut, Unknown)
    patient = EcrLink(host="127.0.0.1", port=site.port)
    outcome = await patient.run(HOLD)
    assert isinstance(outcome, NotSent)
    assert outcome.kind is ResultKind.BUSY
    released.set()
    await patient.close()


# --- what the terminal's owner hears ------------------------------------------------------------------------


async def raw_ecr(site: Site, *talk: str) -> list[bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    heard = []
    for line in talk:
        writer.write(bytes.fromhex(line))
        heard.append(await reader.read(500))
    writer.close()
    return heard


async def test_ecr_refuses_the_result(site: Site) -> None:
    async def state(dialogue: Dialogue) -> None:
        await dialogue.accept()
        await dialogue.status(APPROVED)

    site.serve = state
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(bytes.fromhex("06220a04000000002500490978"))
    assert await reader.readexactly(5) == bytes.fromhex("800000040f")
    writer.write(bytes.fromhex("849c00"))
    await eventually(lambda: [type(error) for error in site.failures] == [EcrRefused])
    writer.close()


async def test_ecr_never_acknowledges_the_result(site: Site) -> None:
    async def state(dialogue: Dialogue) -> None:
        await dialogue.accept()
        await dialogue.status(APPROVED)

    site.serve = state
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(bytes.fromhex("06220a04000000002500490978"))
    await eventually(lambda: [type(error) for error in site.failures] == [EcrFellSilent])
    assert await reader.read(3) == bytes.fromhex("800000")
    writer.close()


@pytest.mark.parametrize("data", ["474554202f", "0622ffffff"])
async def test_garbage_closes_the_terminals_connection_only(site: Site, link: EcrLink, data: str) -> None:
    assert await raw_ecr(site, data) == [b""]
    assert await link.run(HOLD) == APPROVED


async def test_second_command_gets_busy(site: Site) -> None:
    async def wait(dialogue: Dialogue) -> None:
        await dialogue.accept()
        await dialogue.gone.wait()

    site.serve = wait
    heard = await raw_ecr(site, "06220a04000000002500490978", "050100")
    assert heard == [bytes.fromhex("800000"), bytes.fromhex("849c00")]
