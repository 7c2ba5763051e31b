"""What the edge tells of terminals' wires: no idle polling, no card but its last four, until accepted."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tapwatt.edge import traces as module
from tapwatt.edge.traces import MOST_WAITING, TerminalTraces
from tapwatt.rpc.messages import NoAnswer
from tapwatt.terminals.zvt.messages import Command, Message, compose, negative, positive
from tapwatt.uplink.messages import Accepted, FromEdge, Traced


class Ear:
    """A platform that listens, or fails as often as it is told to."""

    connected = True

    def __init__(self) -> None:
        self.heard: list[Traced] = []
        self.deaf = 0

    async def wait_connected(self, timeout_s: float = 10.0) -> None:
        """Always there."""

    async def call(self, message: FromEdge, *, timeout_s: float = 30.0) -> Accepted:
        assert isinstance(message, Traced)
        self.heard.append(message)
        if self.deaf:
            self.deaf -= 1
            raise NoAnswer("nothing came back")
        return Accepted()

    def names(self) -> list[str]:
        return [each.name for told in self.heard for each in told.messages]


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Ear:
    monkeypatch.setattr(module, "TELL_S", 0.01)
    monkeypatch.setattr(module, "AGAIN_S", 0.01)
    return Ear()


def traces(ear: Ear, key: str = "") -> TerminalTraces:
    return TerminalTraces(ear, run="7", running=lambda _: key, now_ms=lambda: 5, timeout_s=1.0)


async def until_told(ear: Ear, number: int) -> None:
    async with asyncio.timeout(5):
        while len(ear.names()) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


READ = compose(Command.READ_CARD, timeout_s=60)
TIMED_OUT = compose(Command.ABORTED, result_code=0x6C)
CARD = compose(Command.STATUS_INFORMATION, result_code=0, masked_pan="411111EEEEEE1111", expiry="3112")
HOLD = compose(Command.PREAUTHORISATION, payment_type=0x40, currency="EUR", amount_minor=2500)


def pass_by(seen: TerminalTraces, *passed: tuple[str, Message]) -> None:
    for direction, message in passed:
        seen.saw("T1", direction, message)


async def test_reading_cards_is_told_of_only_when_a_card_came(ear: Ear) -> None:
    seen = traces(ear)
    for _ in range(5):
        pass_by(seen, ("sent", READ), ("received", positive()), ("received", TIMED_OUT), ("sent", positive()))
    pass_by(seen, ("sent", READ), ("received", positive()), ("received", CARD), ("sent", positive()))
    await until_told(ear, 4)
    await seen.stop()
    assert ear.names() == [
        "06 C0 read card",
        "80 00 understood",
        "04 0F status information",
        "80 00 understood",
    ]


async def test_of_a_card_no_more_than_its_last_four_is_told(ear: Ear) -> None:
    seen = traces(ear)
    pass_by(seen, ("received", CARD))
    await until_told(ear, 1)
    await seen.stop()
    told = ear.heard[0].messages[0]
    assert json.loads(told.fields) == {"result_code": 0, "masked_pan": "…1111"}


async def test_a_password_is_not_told(ear: Ear) -> None:
    seen = traces(ear)
    pass_by(seen, ("sent", compose(Command.REGISTRATION, password="123456", configuration=0)))
    await until_told(ear, 1)
    await seen.stop()
    assert "123456" not in ear.heard[0].messages[0].fields


@pytest.mark.parametrize(
    ("message", "name", "mark"),
    [
        (HOLD, "06 22 preauthorisation", ""),
        (negative(0x9C), "84 00 negative", "refused"),
        (TIMED_OUT, "06 1E aborted", "refused"),
        (compose(Command.STATUS_INFORMATION, result_code=0x33), "04 0F status information", "refused"),
        (compose(Command.PARTIAL_REVERSAL, receipt="FFFF"), "06 23 open holds?", ""),
    ],
)
async def test_a_message_is_named_marked_and_keyed(ear: Ear, message: Message, name: str, mark: str) -> None:
    seen = traces(ear, key="S1.p1")
    pass_by(seen, ("sent", message))
    await until_told(ear, 1)
    await seen.stop()
    told: Any = ear.heard[0].messages[0]
    assert (told.name, told.mark, told.key, told.terminal_id) == (name, mark, "S1.p1", "T1")


async def test_what_was_not_heard_is_told_again_under_the_same_number(ear: Ear) -> None:
    ear.deaf = 2
    seen = traces(ear)
    pass_by(seen, ("sent", HOLD), ("received", positive()))
    async with asyncio.timeout(5):
        while len(ear.heard) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    pass_by(seen, ("sent", HOLD))
    async with asyncio.timeout(5):
        while len(ear.heard) < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await seen.stop()
    assert [(told.number, len(told.messages)) for told in ear.heard] == [(0, 2), (0, 2), (0, 2), (2, 1)]


async def test_more_than_fits_drops_the_oldest(ear: Ear) -> None:
    seen = traces(ear)
    for _ in range(MOST_WAITING + 3):
        seen.saw("T1", "sent", HOLD)
    assert seen.dropped == 3
    await until_told(ear, 1)
    await seen.stop()
    assert ear.heard[0].number == 3
