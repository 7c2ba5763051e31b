"""Stopping, dying and starting again: what is not known to be done is performed again; timers wake."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.engine.conftest import Start
from tests.engine.toy import (
    JAR,
    Made,
    Performer,
    Sent,
    WakeAt,
    rows,
    until,
    until_contents,
    wall_ms,
)

from tapwatt.engine import Engine, TryAgain
from tapwatt.store import Database, UnableToStore


@pytest.mark.parametrize("clock_ms", [0, 365 * 86_400_000])
async def test_a_restart_keeps_waiting_but_no_longer_than_a_minute(
    start: Start, monkeypatch: pytest.MonkeyPatch, clock_ms: int
) -> None:
    first_performer = Performer()
    first_performer.failures["a"] = [TryAgain("later", after_s=0.5)]
    first = await start(first_performer)
    await first.handle("j", Made(owner="op"))
    await first.handle("j", Sent(things=("a",)))
    await until(lambda: first_performer.calls)
    await first.stop()

    monkeypatch.setattr("tapwatt.engine.outbox.LONGEST_WAIT_AT_START_MS", 600)
    performer = Performer()
    second = await start(performer, now_ms=lambda: wall_ms() - clock_ms)
    await asyncio.sleep(0.1)
    assert performer.calls == []
    await until_contents(second, "j", "a")
    assert performer.calls == [("j", "a", True)]


async def test_start_performs_again_what_is_not_known_to_be_done(database: Database, start: Start) -> None:
    killed = Performer()
    for thing in ("a1", "b1"):
        killed.hold(thing)
    first = await start(killed)
    await first.handle("j", Made(owner="op"))
    await first.handle("j", Sent(things=("a1", "b1", "a2", "c1")))
    await until_contents(first, "j", "c1")
    await first.stop(grace_s=0)
    assert [call[1] for call in killed.calls] == ["a1", "b1", "c1"]

    performer = Performer()
    second = await start(performer)
    await until(lambda: len(performer.fetched) == 3)
    assert sorted(performer.calls) == [("j", "a1", True), ("j", "a2", True), ("j", "b1", True)]
    assert performer.fetched.index("a1") < performer.fetched.index("a2")
    await second.stop(grace_s=5)
    state = await second.load("j")
    assert state is not None
    assert state.contents[0] == "c1"
    assert sorted(state.contents) == ["a1", "a2", "b1", "c1"]


async def test_a_crash_between_performing_and_noting_performs_again(
    database: Database, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_performer = Performer()
    gate = first_performer.hold("a")
    first = await start(first_performer)
    await first.handle("j", Made(owner="op"))
    await first.handle("j", Sent(things=("a",)))
    write = database.write

    async def never(work: Any) -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr(database, "write", never)
    gate.set()
    await until(lambda: first_performer.fetched == ["a"])
    await first.stop(grace_s=0)
    monkeypatch.setattr(database, "write", write)
    assert await rows(database, "effect", "done_ms") == [(None,)]

    second_performer = Performer()
    second = await start(second_performer)
    await until_contents(second, "j", "a")
    assert second_performer.calls == [("j", "a", True)]


async def test_a_commit_that_fails_after_performing_performs_again(
    database: Database, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    performer = Performer()
    gate = performer.hold("a")
    engine = await start(performer)
    await engine.handle("j", Made(owner="op"))
    await engine.handle("j", Sent(things=("a",)))
    write = database.write
    failures = [UnableToStore("disk full")] * 2  # of the answer's commit and of the note about it

    async def failing(work: Any) -> Any:
        if failures:
            raise failures.pop()
        return await write(work)

    monkeypatch.setattr(database, "write", failing)
    with capture_logs() as logs:
        gate.set()
        await until_contents(engine, "j", "a")
    assert [call[2] for call in performer.calls] == [False, True]
    assert "postponed effect not noted" in [entry["event"] for entry in logs]


async def test_what_was_handled_before_start_is_performed_once(database: Database, start: Start) -> None:
    performer = Performer()
    early: Engine[Any, Any, Any] = Engine(database, JAR, perform=performer, now_ms=wall_ms)
    await early.handle("j", Made(owner="op"))
    await early.handle("j", Sent(things=("a1",)))
    await asyncio.sleep(0.02)
    assert performer.calls == []
    beginning = asyncio.create_task(early.start())
    await asyncio.gather(beginning, *(early.handle("j", Sent(things=(f"a{n}",))) for n in range(2, 9)))
    await until_contents(early, "j", *(f"a{n}" for n in range(1, 9)))
    await asyncio.sleep(0.02)
    await early.stop()
    assert performer.fetched == [f"a{n}" for n in range(1, 9)]


async def test_what_is_recorded_while_the_outbox_is_read_is_performed_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    performer = Performer()
    engine: Engine[Any, Any, Any] = Engine(database, JAR, perform=performer, now_ms=wall_ms)
    await engine.handle("j", Made(owner="op"))
    read = database.read

    async def late(query: Any) -> Any:
        monkeypatch.setattr(database, "read", read)
        await engine.handle("j", Sent(things=("a1",)))
        found = await read(query)
        await engine.handle("j", Sent(things=("a2",)))
        return found

    monkeypatch.setattr(database, "read", late)
    await engine.start()
    await until_contents(engine, "j", "a1", "a2")
    await asyncio.sleep(0.02)
    await engine.stop()
    assert performer.fetched == ["a1", "a2"]


async def test_timers_wake_their_machines(start: Start) -> None:
    engine = await start(Performer())
    for jar in ("i", "j"):
        await engine.handle(jar, Made(owner="op"))
        await engine.handle(jar, WakeAt(at_ms=wall_ms() + 40))
    await until_contents(engine, "j")
    await until_contents(engine, "i", "tick")
    await until_contents(engine, "j", "tick")


async def test_timers_that_fell_due_while_stopped_wake_at_start(start: Start) -> None:
    first = await start(Performer())
    await first.handle("j", Made(owner="op"))
    await first.stop()
    await first.handle("j", WakeAt(at_ms=wall_ms() - 1_000_000))
    second = await start(Performer())
    await until_contents(second, "j", "tick")


async def test_while_it_settles_only_what_is_new_is_woken(start: Start) -> None:
    first = await start(Performer())
    await first.handle("old", Made(owner="op"))
    await first.stop()
    await first.handle("old", WakeAt(at_ms=wall_ms() - 1_000_000))
    await asyncio.sleep(0.002)  # made in another millisecond
    second = await start(Performer(), settle_s=0.4)
    await second.handle("new", Made(owner="op"))
    await second.handle("new", WakeAt(at_ms=wall_ms() + 20))
    await until_contents(second, "new", "tick")
    await until_contents(second, "old")
    await until_contents(second, "old", "tick")


async def test_a_timer_outlives_a_failing_database(
    database: Database, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await start(Performer())
    await engine.handle("j", Made(owner="op"))
    read, failures = database.read, [UnableToStore("gone")]

    async def failing(query: Any) -> Any:
        if failures:
            raise failures.pop()
        return await read(query)

    monkeypatch.setattr(database, "read", failing)
    with capture_logs() as logs:
        await engine.handle("j", WakeAt(at_ms=wall_ms()))
        await until(lambda: not failures)
        await until_contents(engine, "j", "tick")
    assert "timers failed" in [entry["event"] for entry in logs]


async def test_stopping_gives_running_effects_a_grace(start: Start) -> None:
    performer = Performer()
    gate = performer.hold("a1")
    engine = await start(performer)
    await engine.handle("j", Made(owner="op"))
    await engine.handle("j", Sent(things=("a1", "a2")))
    await until(lambda: performer.calls)
    asyncio.get_running_loop().call_later(0.03, gate.set)
    await engine.stop(grace_s=5)
    assert performer.fetched == ["a1"]
    await until_contents(engine, "j", "a1")
    await engine.stop()


async def test_a_stop_that_comes_with_a_wake_ends(start: Start) -> None:
    engine = await start(Performer())
    await asyncio.sleep(0.1)  # its timer sleeps
    engine._wake.set()
    async with asyncio.timeout(20):
        await engine.stop()
    assert engine._timer is not None
    assert engine._timer.cancelled()
