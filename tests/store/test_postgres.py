"""What PostgreSQL does differently from SQLite, and must not be felt (stack.md, traps 1 and 2)."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, bindparam, exists, func, insert, select, text
from tests.postgres import Server
from tests.store.tables import ADD, ALL, CHANGE, COIN, METADATA, PURSE, add, in_one_batch, names

from tapwatt.store import (
    Database,
    SyncDatabase,
    Transaction,
    UnableToOpen,
    UnableToStore,
    UnableToStoreYet,
)


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(postgres_url, metadata=METADATA)
    yield opened
    await opened.close()


def connection_of(database: Database) -> Any:
    return database._writer._connection


def cut(tx: Transaction) -> None:
    """End the session from another one, as a failing server or network does."""
    raw: Any = tx._connection
    end_session(raw.raw.info.dsn, raw.raw.info.backend_pid)


def end_session(dsn: str, pid: int) -> None:
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


async def test_a_restarted_server_loses_nothing_acknowledged(postgres: Server, postgres_url: str) -> None:
    database = await Database.open(postgres_url, metadata=METADATA)
    acknowledged: set[str] = set()
    failed = 0
    going = True

    async def caller(number: int) -> None:
        nonlocal failed
        turn = 0
        while going:
            turn += 1
            try:
                acknowledged.add(await database.write(add(f"{number}-{turn}")))
            except UnableToStore:
                failed += 1
                await asyncio.sleep(0.01)

    callers = [asyncio.create_task(caller(number)) for number in range(8)]
    for _ in range(2):
        before = len(acknowledged)
        while len(acknowledged) < before + 50:  # noqa: ASYNC110 - looked at from outside
            await asyncio.sleep(0.01)
        await asyncio.to_thread(postgres.stop)
        await asyncio.to_thread(postgres.start)
    before = len(acknowledged)
    while len(acknowledged) < before + 50:  # noqa: ASYNC110 - looked at from outside
        await asyncio.sleep(0.01)
    going = False
    await asyncio.gather(*callers)
    assert failed
    assert acknowledged <= await database.read(names)
    await database.close()


async def test_a_lost_connection_fails_the_batch_and_the_next_one_has_another(database: Database) -> None:
    results = await in_one_batch(database, [add("a"), cut, add("b")])
    assert all(isinstance(result, UnableToStore) for result in results)
    assert await database.read(names) == set()
    await database.write(add("c"))
    assert await database.read(names) == {"c"}


async def test_a_connection_lost_between_batches_costs_nobody_anything(database: Database) -> None:
    raw = connection_of(database).raw
    await asyncio.to_thread(end_session, raw.info.dsn, raw.info.backend_pid)
    assert await database.write(add("a")) == "a"


async def test_a_connection_lost_at_commit_is_never_called_done(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connection_of(database)
    commit = connection.commit

    def lost() -> None:
        end_session(connection.raw.info.dsn, connection.raw.info.backend_pid)
        commit()

    monkeypatch.setattr(connection, "commit", lost)
    writes = (database.write(add("a")), database.write(add("b")))
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert all(isinstance(result, UnableToStore) for result in results)
    monkeypatch.undo()
    assert await database.read(names) == set()
    await database.write(add("c"))


def test_commit_answered_by_rollback_is_a_failure(postgres_url: str) -> None:
    database = SyncDatabase.open(postgres_url, metadata=METADATA)

    def break_it(tx: Transaction) -> None:
        tx.run(ADD, name="a", amount_minor=1)
        raw: Any = tx._connection
        raw.raw.pgconn.exec_(b"SELECT 1 / 0")  # an error nobody hears of

    with pytest.raises(UnableToStore, match="answered by ROLLBACK"):
        database.write(break_it)
    assert database.read(names) == set()
    database.close()


async def test_a_failed_statement_undoes_itself_alone_wherever_it_stands(database: Database) -> None:
    missing = text("SELECT * FROM nowhere")

    def first(tx: Transaction) -> None:
        with pytest.raises(UnableToStore, match="nowhere"):
            tx.run(missing)
        tx.run(ADD, name="a", amount_minor=1)
        with pytest.raises(UnableToStore, match="nowhere"):
            tx.run(missing)
        tx.run(CHANGE, coin="a", amount_minor=2)
        with pytest.raises(UnableToStore, match="null value"):
            tx.run(ADD, name="b", amount_minor=None)

    await database.write(first)
    assert await database.read(lambda tx: tx.run(ALL)) == [("a", 2, None)]


async def test_numbers_are_integers_as_in_sqlite(new_url: Callable[[str, str], str]) -> None:
    said = []
    for engine in ("sqlite", "postgresql"):
        database = await Database.open(new_url(engine, "numbers"), metadata=METADATA)
        for name, amount in (("a", 2**62), ("b", 2**61), ("c", True)):
            await database.write(add(name, amount))
        total = select(func.sum(COIN.c.amount_minor).label("total"), exists(select(COIN)).label("any"))
        none = select(PURSE.c.id).where(PURSE.c.id == bindparam("number"))
        row = await database.read(lambda tx, total=total: tx.one(total))  # type: ignore[misc]
        found = await database.read(lambda tx, none=none: tx.run(none, number=10**17))  # type: ignore[misc]
        said.append((row, type(row[0]), type(row[1]), found))
        await database.close()
    assert said[0] == said[1] == ((2**62 + 2**61 + 1, 1), int, int, [])


async def test_what_postgresql_cannot_store_is_refused_for_its_caller_alone(database: Database) -> None:
    def nul(tx: Transaction) -> None:
        tx.run(ADD, name="nul", amount_minor=1, note="\0")

    def huge(tx: Transaction) -> None:
        tx.run(ADD, name="huge", amount_minor=2**63)

    def fraction(tx: Transaction) -> None:
        tx.run(text("SELECT 1.5 AS half"))

    results = await in_one_batch(database, [add("a"), nul, huge, fraction, add("b")])
    assert [isinstance(result, UnableToStore) for result in results] == [False, True, True, True, False]
    assert await database.read(names) == {"a", "b"}


async def test_counted_keys_are_given_by_the_database_and_returned_when_asked(postgres_url: str) -> None:
    metadata = MetaData()
    line = Table("line", metadata, Column("id", Integer, primary_key=True), Column("said", Text))
    database = await Database.open(postgres_url, metadata=metadata)
    assert await database.write(lambda tx: tx.run(insert(line), said="a")) == []
    row = await database.write(lambda tx: tx.one(insert(line).returning(line.c.id), said="100 %s"))
    assert row is not None
    assert await database.read(lambda tx: tx.run(select(line).where(line.c.id == row.id))) == [(2, "100 %s")]
    assert await database.read(lambda tx: tx.run(select(line.c.id).where(line.c.said.like("100 %")))) == [
        (2,)
    ]
    await database.close()


async def test_readers_are_refused_by_the_server_too(database: Database) -> None:
    with pytest.raises(UnableToStore, match="read-only transaction"):
        await database.read(lambda tx: tx.run(text("SELECT pg_catalog.lo_create(0)")))


async def test_a_row_held_by_another_node_is_waited_for_and_then_refused_for_now(
    database: Database, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database.write(add("a"))
    monkeypatch.setattr("tapwatt.store.postgres.LOCK_MS", 50)
    other = await Database.open(postgres_url, metadata=METADATA)
    started, free = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        tx.run(CHANGE, coin="a", amount_minor=2)
        started.set()
        assert free.wait(10)

    holder = asyncio.create_task(database.write(hold))
    await asyncio.to_thread(started.wait, 10)
    with pytest.raises(UnableToStoreYet, match="lock timeout"):
        await other.write(lambda tx: tx.run(CHANGE, coin="a", amount_minor=3))
    assert await other.write(add("b")) == "b"
    free.set()
    await holder
    assert await other.write(lambda tx: tx.run(CHANGE, coin="a", amount_minor=3)) == [("a", 3)]
    await other.close()


async def test_nodes_that_start_at_once_make_the_tables_once(postgres_url: str) -> None:
    opened = await asyncio.gather(*(Database.open(postgres_url, metadata=METADATA) for _ in range(4)))
    await asyncio.gather(*(node.write(add(str(number))) for number, node in enumerate(opened)))
    assert await opened[0].read(names) == {"0", "1", "2", "3"}
    await asyncio.gather(*(node.close() for node in opened))


def test_a_password_is_in_no_sentence() -> None:
    with pytest.raises(UnableToOpen) as caught:
        SyncDatabase.open("postgresql://app:hush@127.0.0.1:1/books", metadata=METADATA)
    assert "books at 127.0.0.1" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_sqlite_alone_never_loads_the_driver() -> None:
    code = (
        "import sys; from sqlalchemy import MetaData; from tapwatt.store import SyncDatabase; "
        "SyncDatabase.open(metadata=MetaData()).close(); "
        "assert not {'psycopg', 'sqlalchemy.dialects.postgresql'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
