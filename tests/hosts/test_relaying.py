"""A relaying host against a scripted next party: what it sends, repeats, parks and never sends twice."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from tests.hosts.chain import eventually, now_ms

from tapwatt.hosts.gateway import tables
from tapwatt.hosts.gateway.decide import machine_id
from tapwatt.hosts.relaying import RelayHost
from tapwatt.hosts.stans import BLOCK, TraceNumbers
from tapwatt.hosts.traffic import RelayTraffic
from tapwatt.programs.switching import OwnRules
from tapwatt.rails import messages
from tapwatt.rails.forward import RetryRules
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.keys import PanCipher
from tapwatt.rails.messages import response
from tapwatt.rails.partner import NoAnswer, NotConnected, Partner
from tapwatt.rails.sandbox import network
from tapwatt.store import Database

SOMEBODY = Partner("test", "")
QUICK = RetryRules(first_ms=10, most_ms=20, attempts=5, jitter_percent=0)
Answer = Callable[[Message], Message | BaseException]


def says(code: str) -> Answer:
    return lambda message: response(message, code)


def fails(error: BaseException) -> Answer:
    return lambda _message: error


@dataclass
class Scripted:
    """The next party: answers as its script says, the last line of it for ever."""

    script: list[Answer]
    heard: list[Message] = field(default_factory=list)
    connected: bool = True

    async def request(self, message: Message, *, timeout_s: float) -> Message:
        self.heard.append(message)
        line = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        answer = line(message)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def said(self) -> list[str]:
        return [message.mti for message in self.heard]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url, metadata=tables.METADATA)
    await opened.write(tables.seed)
    yield opened
    await opened.close()


async def host_on(database: Database, upstream: Scripted) -> RelayHost:
    host = RelayHost(
        database,
        OwnRules(machine_id=machine_id, check=tables.consider),
        forwarder_id="900001",
        cipher=PanCipher(bytes(32), bytes(31) + b"1", random=os.urandom),
        upstreams={"acquirer": upstream},
        timeout_s=0.3,
        now_ms=now_ms,
        retries=QUICK,
        jitter=lambda: 0.0,
    )
    await host.start()
    return host


def request(amount_minor: int = 5000) -> Message:
    return messages.authorisation(
        card=messages.CardData(pan="4111111111111111", expiry="3112"),
        acceptor=network().acceptor("52523535"),
        amount_minor=amount_minor,
        currency="978",
        stan="000001",
        rrn="632612000001",
        now_ms=now_ms(),
        life_cycle="52523535-632612000001",
        payment_reference="REF",
    )


def completion(amount_minor: int = 1200) -> Message:
    return messages.completion(request(), amount_minor=amount_minor, stan="000002", now_ms=now_ms())


def reversal() -> Message:
    return messages.reversal(request(), stan="000003", now_ms=now_ms())


async def state_of(database: Database) -> tuple[str, str]:
    rows = await database.read(
        lambda tx: RelayTraffic(tables.PAYMENT).transactions(tx, reference="REF", limit=9)
    )
    return rows[0]["state"], rows[0]["alarm"]


async def summary_of(database: Database) -> dict[str, int]:
    return await database.read(lambda tx: RelayTraffic(tables.PAYMENT).summary(tx, unmatched=0))


async def code_of(host: RelayHost, message: Message) -> str:
    answer = await host.handle(message, SOMEBODY)
    assert answer is not None
    return answer.text(39)


async def until(database: Database, state: str) -> None:
    async def stands() -> bool:
        return (await state_of(database))[0] == state and not (await summary_of(database))["waiting"]

    await eventually(stands)


async def test_a_silent_party_is_reversed_and_the_reversal_repeated_as_0421(database: Database) -> None:
    upstream = Scripted(
        [fails(NoAnswer("late")), fails(NoAnswer("late")), says("91"), fails(NoAnswer("late")), says("00")]
    )
    host = await host_on(database, upstream)
    assert await code_of(host, request()) == "91"
    await until(database, "REVERSED")
    assert upstream.said() == ["0100", "0420", "0421", "0421", "0421"]
    assert len({message.text(11) for message in upstream.heard[1:]}) == 1
    assert upstream.heard[1].text(90)[:10] == "0100" + upstream.heard[0].text(11)
    assert upstream.heard[1].text(2) == "4111111111111111"
    await host.stop()


async def test_where_there_is_no_line_nothing_is_reversed(database: Database) -> None:
    upstream = Scripted([fails(NotConnected("no line"))])
    host = await host_on(database, upstream)
    assert await code_of(host, request()) == "91"
    await asyncio.sleep(0.1)
    assert upstream.said() == ["0100"]
    assert await state_of(database) == ("DECLINED", "")
    await host.stop()


async def test_a_refused_advice_is_parked_with_an_alarm(database: Database) -> None:
    upstream = Scripted([says("00"), says("61")])
    host = await host_on(database, upstream)
    assert await code_of(host, request()) == "00"
    assert await code_of(host, completion()) == "00"

    async def parked() -> bool:
        return (await summary_of(database))["parked"] == 1

    await eventually(parked)
    assert await state_of(database) == ("COMPLETED", "completion: refused with response code 61")
    assert await summary_of(database) == {"open_holds": 0, "waiting": 0, "parked": 1, "unmatched": 0}
    await host.stop()


async def test_an_advice_that_is_never_answered_is_parked(database: Database) -> None:
    upstream = Scripted([says("00"), fails(NoAnswer("late"))])
    host = await host_on(database, upstream)
    await host.handle(request(), SOMEBODY)
    await host.handle(reversal(), SOMEBODY)

    async def parked() -> bool:
        return (await summary_of(database))["parked"] == 1

    await eventually(parked)
    assert upstream.said() == ["0100", "0420", "0421", "0421", "0421", "0421"]
    assert (await summary_of(database))["open_holds"] == 1
    await host.stop()


async def test_a_yes_to_more_than_was_asked_is_taken_back(database: Database) -> None:
    upstream = Scripted([lambda message: response(message, "00", amount_minor=5001), says("00")])
    host = await host_on(database, upstream)
    assert await code_of(host, request()) == "91"
    await until(database, "REVERSED")
    await host.stop()


async def test_after_a_restart_the_question_is_not_asked_again(database: Database) -> None:
    never = asyncio.Event()

    class Hanging(Scripted):
        async def request(self, message: Message, *, timeout_s: float) -> Message:
            self.heard.append(message)
            await never.wait()
            raise AssertionError

    first = Hanging([])
    host = await host_on(database, first)
    asked = asyncio.create_task(host.handle(request(), SOMEBODY))
    await eventually(lambda: asyncio.sleep(0, bool(first.heard)))
    await host.engine.stop(grace_s=0)
    asked.cancel()
    second = Scripted([says("00")])
    again = await host_on(database, second)
    await until(database, "REVERSED")
    assert second.said() == ["0420"]
    assert await code_of(again, request()) == "91"
    await again.stop()


async def test_an_unsent_advice_waits_for_the_line(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tapwatt.hosts.forwarding.NO_LINE_AGAIN_S", 0.02)
    upstream = Scripted([says("00"), *[fails(NotConnected("no line"))] * 9, says("00")])
    host = await host_on(database, upstream)
    await host.handle(request(), SOMEBODY)
    assert await code_of(host, completion()) == "00"
    assert (await summary_of(database))["waiting"] == 1
    await until(database, "COMPLETED")
    # No line is no attempt: it is not parked, and its first sending keeps its own type.
    assert set(upstream.said()[1:]) == {"0220"}
    await host.stop()


async def test_trace_numbers_are_not_used_again_after_a_restart(database: Database) -> None:
    numbers = TraceNumbers(database)
    used = [await numbers.take() for _ in range(BLOCK + 2)]
    used += [await TraceNumbers(database).take() for _ in range(3)]
    assert len(set(used)) == len(used)
    assert used[0] == "000001"
    last = TraceNumbers(database)
    last._next, last._end = 999_998, 1_000_000
    assert [await last.take(), await last.take()] == ["999999", "000001"]


async def test_an_attempt_that_broke_off_is_not_asked_again(database: Database) -> None:
    upstream = Scripted([fails(RuntimeError("whatever")), says("00")])
    host = await host_on(database, upstream)
    assert await code_of(host, request()) == "91"
    await until(database, "REVERSED")
    assert upstream.said() == ["0100", "0420"]
    await host.stop()
