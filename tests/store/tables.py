"""Toy tables and statements for the store's tests."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)

from tapwatt.store import Database, Transaction

METADATA = MetaData()
COIN = Table(
    "coin",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("note", Text),
)
PURSE = Table(
    "purse",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("coin", Text, ForeignKey("coin.name", deferrable=True, initially="DEFERRED"), nullable=False),
)
ADD = insert(COIN)
ADD_TO_PURSE = insert(PURSE)
CHANGE = (
    update(COIN)
    .where(COIN.c.name == bindparam("coin"))
    .values(amount_minor=bindparam("amount_minor"))
    .returning(COIN.c.name, COIN.c.amount_minor)
)
ALL = select(COIN).order_by(COIN.c.name)
GONE = "all is gone|terminating connection|server closed the connection"
"""What the engines say when they end a whole transaction."""
_ENDS_SESSION = (
    "CREATE FUNCTION all_is_gone() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'"
)
COUNT = select(func.count().label("coins")).select_from(COIN)


def add(name: str, amount_minor: int = 1) -> Callable[[Transaction], str]:
    """Make work that adds a coin and returns its name."""

    def work(tx: Transaction) -> str:
        tx.run(ADD, name=name, amount_minor=amount_minor)
        return name

    return work


def names(tx: Transaction) -> set[str]:
    """Name the stored coins."""
    return {row.name for row in tx.run(ALL)}


def engine_of(tx: Transaction) -> str:
    """Say which engine a transaction is on."""
    return tx._compiler.dialect.name


def ending_transaction_at(name: str) -> Callable[[Transaction], None]:
    """Make work that lets the database roll back everything when a coin of this name comes."""

    def work(tx: Transaction) -> None:
        if engine_of(tx) == "postgresql":
            tx.run(text(_ENDS_SESSION))
            tx.run(
                text(
                    "CREATE TRIGGER gone BEFORE INSERT ON coin FOR EACH ROW "
                    f"WHEN (NEW.name = '{name}') EXECUTE FUNCTION all_is_gone()"
                )
            )
            return
        tx.run(
            text(
                f"CREATE TRIGGER gone BEFORE INSERT ON coin WHEN NEW.name = '{name}' "
                "BEGIN SELECT RAISE(ROLLBACK, 'all is gone'); END"
            )
        )

    return work


async def in_one_batch(database: Database, works: list[Callable[[Transaction], Any]]) -> list[Any]:
    """Queue works while the writer is held, so that one commit takes them all; return results and errors."""
    started, free = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        started.set()
        assert free.wait(10)

    holder = asyncio.create_task(database.write(hold))
    await asyncio.to_thread(started.wait, 10)
    tasks = [asyncio.create_task(database.write(work)) for work in works]
    await asyncio.sleep(0.01)
    free.set()
    await holder
    return await asyncio.gather(*tasks, return_exceptions=True)
