"""The running loop: record then act, in order, at least once, and what happens when things go wrong."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.engine.conftest import Start
from tests.engine.toy import (
    TABLES,
    Came,
    Fetch,
    Jar,
    Made,
    NoRow,
    Performer,
    Sent,
    Shut,
    rows,
    until,
    until_contents,
)

from tapwatt.engine import Step, Stepper, TryAgain
from tapwatt.store import Database, Transaction


async def test_effects_are_performed_after_their_commit(database: Database, start: Start) -> None:
    stored: list[Any] = []

    class Looking(Performer):
        async def __call__(self, machine_id: str, effect: Fetch, repeated: bool) -> Any:
            stored.append(await rows(database, "effect", "body", "done_ms"))
            return await super().__call__(machine_id, effect, repeated)

    performer = Looking()
    engine = await start(performer)
    await engine.handle("j", Made(owner="op"))
    await engine.handle("j", Sent(things=("a",)))
    await until_contents(engine, "j", "a")
    assert stored == [[('{"thing":"a"}', None)]]
    assert performer.calls == [("j", "a", False)]
    assert (await rows(database, "effect", "done_ms"))[0][0] is not None


async def test_a_repeated_key_performs_nothing(start: Start) -> None:
    performer = Performer()
    engine = await start(performer)
    await engine.handle("j", Made(owner="op"))
    first = await engine.handle("j", Sent(things=("a",)), key="k")
    await until_contents(engine, "j", "a")
    again = await engine.handle("j", Sent(things=("a",)), key="k")
    assert (first.repeated, again.repeated) == (False, True)
    assert again.state == Jar(owner="op", contents=("a",))
    await asyncio.sleep(0.02)
    assert performer.fetched == ["a"]


async def test_repeats_that_arrive_together_happen_once(start: Start) -> None:
    performer = Performer()
    engine = await start(performer)
    await engine.handle("j", Made(owner="op"))
    taken = await asyncio.gather(*(engine.handle("j", Sent(things=("a",)), key="k") for _ in range(20)))
    assert sum(not step.repeated for step in taken) == 1
    await until_contents(engine, "j", "a")
    assert performer.fetched == ["a"]


async def test_a_lane_keeps_its_order_and_holds_up_no_other(start: Start) -> None:
    performer = Performer()
    gate = performer.hold("a1")
    engine = await start(performer)
    await engine.handle("j", Made(owner="op"))
    await engine.handle("i", Made(owner="op"))
    await engine.handle("j", Sent(things=("a1", "b1", "a2")))
    await engine.handle("j", Sent(things=("a3", "b2")))
    await engine.handle("i", Sent(things=("a4",)))
    await until_contents(engine, "j", "b1", "b2")
    await until_contents(engine, "i", "a4")
    gate.set()
    await until_contents(engine, "j", "b1", "b2", "a1", "a2", "a3")


async def test_no_more_than_the_limit_are_performed_at_once(start: Start) -> None:
    performer = Performer()
    gates = [performer.hold(f"{letter}1") for letter in "abcdef"]
    engine = await start(performer, most_performing=4)
    await engine.handle("j", Made(owner="op"))
    await engine.handle("j", Sent(things=tuple(f"{letter}1" for letter in "abcdef")))
    await until(lambda: len(performer.calls) == 4)
    await asyncio.sleep(0.02)
    assert len(performer.calls) == 4
    for gate in gates:
        gate.set()
    await until(lambda: len(performer.fetched) == 6)


async def test_try_again_performs_it_again_as_a_repeat(database: Database, start: Start) -> None:
    performer = Performer()
    performer.failures["a1"] = [TryAgain("the line is busy", after_s=0.01)] * 2
    gate = performer.hold("a2")
    engine = await start(performer)
    await engine.handle("j", Made(owner="op"))
    await engine.handle("j", Sent(things=("a1", "a2")))
    await until_contents(engine, "j", "a1")
    await until(lambda: len(performer.calls) == 4)
    assert performer.calls == [("j", "a1", False), ("j", "a1", True), ("j", "a1", True), ("j", "a2", False)]
    assert await rows(database, "effect", "attempts", "last_error") == [(2, "the line is busy"), (0, None)]
    gate.set()


async def test_try_again_waits_as_long_as_it_was_asked(start: Start) -> None:
    performer = Performer()
    performer.failures["a"] = [TryAgain("later", after_s=60)]
    engine = await start(performer)
    await engine.handle("j", Made(owner="op"))
    await engine.handle("j", Sent(things=("a", "b")))
    await until_contents(engine, "j", "b")
    await asyncio.sleep(0.05)
    assert [call[1] for call in performer.calls] == ["a", "b"]


async def test_an_exception_is_logged_and_the_effect_tried_again(database: Database, start: Start) -> None:
    performer = Performer()
    performer.failures["a"] = [ZeroDivisionError("oh"), ConnectionResetError("no")]
    with capture_logs() as logs:
        engine = await start(performer)
        await engine.handle("j", Made(owner="op"))
        await engine.handle("j", Sent(things=("a",)))
        await until_contents(engine, "j", "a")
    assert [call[2] for call in performer.calls] == [False, True, True]
    assert await rows(database, "effect", "attempts", "last_error") == [(2, "ConnectionResetError: no")]
    failed = [entry for entry in logs if entry["event"] == "effect failed"]
    assert [(entry["id"], entry["kind"], entry["again_s"]) for entry in failed] == [
        ("j", "Fetch", 0.01),
        ("j", "Fetch", 0.02),
    ]


async def test_an_answer_without_a_row_is_evidence_and_the_effect_is_done(
    database: Database, start: Start
) -> None:
    performer = Performer()
    gate = performer.hold("a")
    engine = await start(performer)
    await engine.handle("j", Made(owner="op"))
    await engine.handle("j", Sent(things=("a",)))
    await engine.handle("j", Shut())
    with capture_logs() as logs:
        gate.set()
        await until(lambda: [entry for entry in logs if entry["event"] == "event refused"])
    assert (await rows(database, "event", "kind", "version", "refused"))[-1] == (
        "Came",
        None,
        "NoRow: shut for Came",
    )
    assert (await rows(database, "effect", "done_ms"))[0][0] is not None
    assert logs[-1]["log_level"] == "error"


async def test_what_decide_refuses_is_raised_to_the_caller(database: Database, start: Start) -> None:
    engine = await start(Performer())
    with pytest.raises(NoRow, match="no jar for Came"):
        await engine.handle("j", Came(thing="a"))
    assert await rows(database, "event", "id") == []


async def test_a_caller_that_gave_up_waiting_loses_no_effect(start: Start) -> None:
    performer = Performer()
    engine = await start(performer)
    await engine.handle("j", Made(owner="op"))
    task = asyncio.create_task(engine.handle("j", Sent(things=("a",))))
    await asyncio.sleep(0)
    task.cancel()
    await until_contents(engine, "j", "a")


async def test_inline_effects_are_not_performed_again(database: Database, start: Start) -> None:
    def inline(tx: Transaction, step: Step[Any, Any, Any]) -> frozenset[int]:
        return frozenset(n for n, effect in enumerate(step.effects) if effect.thing.startswith("i"))

    performer = Performer()
    engine = await start(performer, inline=inline)
    await engine.handle("j", Made(owner="op"))
    await engine.handle("j", Sent(things=("i1", "a", "i2")))
    await until_contents(engine, "j", "a")
    assert performer.fetched == ["a"]
    assert all(done for (done,) in await rows(database, "effect", "done_ms"))


async def test_listeners_hear_each_step_once_in_order(start: Start) -> None:
    engine = await start(Performer())
    heard: list[tuple[int, str]] = []

    def failing(step: Step[Any, Any, Any]) -> None:
        raise ZeroDivisionError

    engine.subscribe(failing)
    unsubscribe = engine.subscribe(lambda step: heard.append((step.version, type(step.event).__name__)))
    with capture_logs() as logs:
        await engine.handle("j", Made(owner="op"), key="k")
        await engine.handle("j", Made(owner="op"), key="k")
        await engine.handle("j", Sent(things=("a",)))
        await until(lambda: len(heard) == 3)
    assert heard == [(1, "Made"), (2, "Sent"), (3, "Came")]
    assert [entry["event"] for entry in logs] == ["listener failed"] * 3
    unsubscribe()
    unsubscribe()
    with capture_logs():
        await engine.handle("j", Came(thing="b"))
    assert len(heard) == 3


async def test_several_steps_in_one_commit(database: Database, start: Start) -> None:
    engine = await start(Performer())

    def work(tx: Transaction, stepper: Stepper[Jar, Any, Fetch]) -> str | None:
        stepper.step("j", Made(owner="op", label="jam"))
        stepper.step("i", Made(owner="op"))
        stepper.step("j", Sent(things=("a",)), "k")
        assert stepper.step("j", Sent(things=("a",)), "k").repeated
        assert stepper.load("i") == Jar(owner="op")
        return stepper.find("label", "jam")

    assert await engine.transact(work) == "j"
    await until_contents(engine, "j", "a")
    assert await engine.find("label", "jam") == "j"
    assert await engine.find("label", "honey") is None


async def test_a_transaction_that_raises_undoes_all_its_steps(database: Database, start: Start) -> None:
    performer = Performer()
    engine = await start(performer)
    heard: list[Any] = []
    engine.subscribe(heard.append)

    def work(tx: Transaction, stepper: Stepper[Jar, Any, Fetch]) -> None:
        stepper.step("j", Made(owner="op"))
        stepper.step("j", Sent(things=("a",)))
        stepper.step("nobody", Shut())

    with pytest.raises(NoRow):
        await engine.transact(work)
    await asyncio.sleep(0.02)
    assert await engine.load("j") is None
    assert (performer.calls, heard) == ([], [])


async def test_another_transaction_may_take_steps(database: Database, start: Start) -> None:
    engine = await start(Performer())
    await database.write(lambda tx: engine.stepper(tx).step("j", Made(owner="op")))
    await database.write(lambda tx: engine.stepper(tx).step("j", Sent(things=("a",))))
    await until_contents(engine, "j", "a")


async def test_many_machines_share_commits(
    database: Database, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await start(Performer(answers=False))
    connection: Any = database._writer._connection
    commit, commits = connection.commit, []

    def counted() -> None:
        commits.append(1)
        commit()

    monkeypatch.setattr(connection, "commit", counted)
    await asyncio.gather(*(engine.handle(f"j{n}", Made(owner="op")) for n in range(200)))
    assert len(commits) < 60


def test_tables_have_the_columns_read_models_rely_on() -> None:
    assert [table.name for table in (TABLES.machine, TABLES.event, TABLES.effect, TABLES.key)] == [
        "jar",
        "jar_event",
        "jar_effect",
        "jar_key",
    ]
    for table in (TABLES.machine, TABLES.event, TABLES.effect, TABLES.key):
        assert "owner" in table.c
