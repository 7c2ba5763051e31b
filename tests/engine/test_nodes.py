"""Several nodes on one PostgreSQL, and a COMMIT whose answer is lost with the connection (stack.md,
trap 1)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.engine.toy import (
    JAR,
    METADATA,
    Came,
    Made,
    Performer,
    Sent,
    WakeAt,
    rows,
    until_contents,
    wall_ms,
)

from tapwatt.engine import Engine
from tapwatt.store import Database, UnableToStore

Nodes = list[tuple[Database, "Engine[Any, Any, Any]"]]


@pytest.fixture
async def nodes(postgres_url: str) -> AsyncIterator[Nodes]:
    """Three nodes with an engine each, on one database."""
    opened: Nodes = []
    for _ in range(3):
        database = await Database.open(postgres_url, metadata=METADATA)
        engine: Engine[Any, Any, Any] = Engine(database, JAR, perform=Performer(), now_ms=wall_ms)
        opened.append((database, engine))
    yield opened
    for database, engine in opened:
        await engine.stop(grace_s=0)
        await database.close()


async def test_nodes_take_steps_of_one_machine_one_after_the_other(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tapwatt.engine.loop.TRIES_AMONG_NODES", 1)  # they wait, and need no other try
    await nodes[0][1].handle("j", Made(owner="op"))
    steps = [
        engine.handle("j", Came(thing=f"{node}-{number}"))
        for number in range(20)
        for node, (_, engine) in enumerate(nodes)
    ]
    await asyncio.gather(*steps)
    state = await nodes[0][1].load("j")
    assert state is not None
    assert sorted(state.contents) == sorted(f"{node}-{number}" for number in range(20) for node in range(3))
    versions = await rows(nodes[0][0], "event", "id", "version")
    assert [version for _, version in versions] == list(range(1, 62))


async def test_nodes_that_make_one_machine_at_once_make_it_once(nodes: Nodes) -> None:
    for number in range(10):
        made = [engine.handle(f"j{number}", Made(owner="op"), key="made") for _, engine in nodes]
        assert sorted(step.repeated for step in await asyncio.gather(*made)) == [False, True, True]
    assert len(await rows(nodes[0][0], "machine", "id")) == 10


async def test_nodes_that_wait_for_each_other_both_get_through(nodes: Nodes) -> None:
    (_, first), (_, second) = nodes[:2]
    for name in "ab":
        await first.handle(name, Made(owner="op"))

    def both(order: str) -> Any:
        return lambda tx, stepper: [stepper.step(name, Came(thing=order)) for name in order]

    works = [
        engine.transact(both(order)) for _ in range(5) for engine, order in ((first, "ab"), (second, "ba"))
    ]
    await asyncio.gather(*works)
    for name in "ab":
        state = await first.load(name)
        assert state is not None
        assert sorted(state.contents) == ["ab"] * 5 + ["ba"] * 5


async def test_one_timer_wakes_a_machine_once_on_all_nodes(nodes: Nodes) -> None:
    await nodes[0][1].handle("j", Made(owner="op"))
    await nodes[0][1].handle("j", WakeAt(at_ms=wall_ms() - 1))
    await asyncio.gather(*(engine._run_due_timers() for _, engine in nodes))
    state = await nodes[0][1].load("j")
    assert state is not None
    assert state.contents == ("tick",)


async def test_an_effect_whose_commit_was_never_answered_is_performed(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await Database.open(postgres_url, metadata=METADATA)
    performer = Performer()
    engine: Engine[Any, Any, Any] = Engine(database, JAR, perform=performer, now_ms=wall_ms)
    await engine.start()
    await engine.handle("j", Made(owner="op"))
    connection: Any = database._writer._connection
    commit = connection.commit

    def answer_lost() -> None:
        commit()
        monkeypatch.undo()
        raise UnableToStore("the connection to the server is lost")

    monkeypatch.setattr(connection, "commit", answer_lost)
    with pytest.raises(UnableToStore):
        await engine.handle("j", Sent(things=("a1", "a2", "b1")), key="k")
    assert (await engine.handle("j", Sent(things=("a1", "a2", "b1")), key="k")).repeated
    await engine.handle("j", Sent(things=("a3",)))
    async with asyncio.timeout(5):
        while len(performer.fetched) < 4:  # noqa: ASYNC110 - looked at from outside
            await asyncio.sleep(0.01)
    assert [thing for thing in performer.fetched if thing[0] == "a"] == ["a1", "a2", "a3"]
    assert ("j", "a1", True) in performer.calls
    await until_contents(engine, "j", *(await contents(engine)))
    assert sorted(await contents(engine)) == ["a1", "a2", "a3", "b1"]
    await engine.stop()
    await database.close()


async def contents(engine: "Engine[Any, Any, Any]") -> tuple[str, ...]:
    state = await engine.load("j")
    assert state is not None
    found: tuple[str, ...] = state.contents
    return found
