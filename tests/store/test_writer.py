"""The group commit: who shares a commit, who fails with whom, how much may wait."""

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.store.tables import (
    ADD,
    ADD_TO_PURSE,
    GONE,
    METADATA,
    add,
    ending_transaction_at,
    in_one_batch,
    names,
)

from tapwatt.store import Database, Transaction, UnableToQueue, UnableToStore


async def test_a_batch_with_a_lost_transaction_fails_every_caller(batching: Database) -> None:
    await batching.write(ending_transaction_at("doom"))
    results = await in_one_batch(batching, [add(name) for name in ("a", "b", "doom", "c")])
    assert all(isinstance(result, UnableToStore) for result in results)
    assert all(re.search(GONE, str(result)) for result in results)
    assert len({id(result) for result in results}) == 4
    assert await batching.read(names) == set()


async def test_a_failed_commit_fails_every_caller(batching: Database) -> None:
    def dangling(tx: Transaction) -> None:
        tx.run(ADD_TO_PURSE, id=1, coin="not there")

    results = await in_one_batch(batching, [add("a"), dangling, add("b")])
    assert all(isinstance(result, UnableToStore) for result in results)
    assert await batching.read(names) == set()


async def test_a_callers_own_error_outlives_a_failed_commit(batching: Database) -> None:
    def failing(tx: Transaction) -> None:
        raise ZeroDivisionError

    def dangling(tx: Transaction) -> None:
        tx.run(ADD_TO_PURSE, id=1, coin="not there")

    results = await in_one_batch(batching, [failing, dangling])
    assert isinstance(results[0], ZeroDivisionError)
    assert isinstance(results[1], UnableToStore)


async def test_a_later_caller_sees_an_earlier_ones_rows(batching: Database) -> None:
    assert await in_one_batch(batching, [add("a"), names]) == ["a", {"a"}]


async def test_one_commit_serves_many_callers(batching: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[int] = []
    connection: Any = batching._writer._connection
    commit = connection.commit

    def counted() -> None:
        commits.append(1)
        commit()

    monkeypatch.setattr(connection, "commit", counted)
    await in_one_batch(batching, [add(f"coin-{number}") for number in range(100)])
    assert len(commits) == 2  # the held one and ours
    assert len(await batching.read(names)) == 100


async def test_nobody_is_told_before_commit_returns(
    batching: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection: Any = batching._writer._connection
    commit = connection.commit
    reached, free = threading.Event(), threading.Event()

    def slow() -> None:
        reached.set()
        assert free.wait(10)
        commit()

    monkeypatch.setattr(connection, "commit", slow)
    task = asyncio.create_task(batching.write(add("a")))
    await asyncio.to_thread(reached.wait, 10)
    await asyncio.sleep(0.05)
    assert not task.done()
    free.set()
    assert await task == "a"


async def test_too_many_callers_are_refused_with_a_reason(
    small: Callable[..., Awaitable[Database]],
) -> None:
    database = await small(most_writing=3)
    results = await in_one_batch(database, [add(name) for name in "abcd"])
    refused = [result for result in results if isinstance(result, UnableToQueue)]
    assert len(refused) == 2  # the holder of the writer is the third
    assert "most allowed" in str(refused[0])
    assert await database.read(names) == {"a", "b"}
    await database.write(add("e"))
    await database.close()


async def test_too_many_readers_are_refused_with_a_reason(
    small: Callable[..., Awaitable[Database]],
) -> None:
    database = await small(most_reading=2)
    free = threading.Event()
    reads = [asyncio.create_task(database.read(lambda tx: free.wait(10))) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(UnableToQueue, match="most allowed"):
        await database.read(names)
    free.set()
    assert await asyncio.gather(*reads) == [True, True]
    assert await database.read(names) == set()
    await database.close()


async def test_closing_finishes_the_queue_and_refuses_the_rest(database_url: str) -> None:
    database = await Database.open(database_url, metadata=METADATA)
    tasks = [asyncio.create_task(database.write(add(f"coin-{number}"))) for number in range(20)]
    await asyncio.sleep(0)
    await database.close()
    assert len(await asyncio.gather(*tasks)) == 20
    for refused in (database.write(add("late")), database.read(names)):
        with pytest.raises(UnableToQueue, match="closed"):
            await refused
    again = await Database.open(database_url, metadata=METADATA)
    assert len(await again.read(names)) == 20
    await again.close()
    await again.close()


async def test_a_cancelled_callers_commit_still_calls_back(batching: Database) -> None:
    called: list[str] = []
    started, free = threading.Event(), threading.Event()

    def work(tx: Transaction) -> None:
        started.set()
        assert free.wait(10)
        tx.after_commit(lambda: called.append("yes"))
        tx.run(ADD, name="a", amount_minor=1)

    task = asyncio.create_task(batching.write(work))
    await asyncio.to_thread(started.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    free.set()
    assert await batching.read(names) in ({"a"}, set())
    await batching.write(add("b"))
    assert called == ["yes"]
    assert await batching.read(names) == {"a", "b"}


async def test_a_failing_callback_disturbs_nobody(batching: Database) -> None:
    heard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: heard.append(context))

    def failing() -> None:
        raise ZeroDivisionError

    await batching.write(lambda tx: tx.after_commit(failing))
    assert await batching.write(add("a")) == "a"
    assert isinstance(heard[0]["exception"], ZeroDivisionError)


async def test_a_busy_database_fails_the_batch_and_then_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tapwatt.store.sqlite.BUSY_MS", 20)
    url = f"sqlite:///{tmp_path}/toy.db"
    database = await Database.open(url, metadata=METADATA)
    other = await Database.open(url, metadata=METADATA)

    started, free = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        started.set()
        assert free.wait(10)

    holder = asyncio.create_task(other.write(hold))
    await asyncio.to_thread(started.wait, 10)
    with pytest.raises(UnableToStore, match="locked"):
        await database.write(add("a"))
    free.set()
    await holder
    await database.write(add("b"))
    assert await database.read(names) == {"b"}
    await database.close()
    await other.close()
