"""Copy a program's rows from one database to another, and say "done" only when both hold the same.

Works between engines, because only integers and text are stored (design.md law 6). Everything is one
transaction on each side: a snapshot is read, and a copy that fails leaves the target as empty as it was.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from sqlalchemy import MetaData, Table

from tapwatt.store import rows
from tapwatt.store.errors import UnableToOpen, UnableToStore
from tapwatt.store.transaction import Connection, Transaction

Rows = Iterable[tuple[Table, rows.Values]]
Counters = dict[str, int]
"""The highest number a table has ever given, by table: never given again, even if its row is gone."""


class Counting(Connection, Protocol):
    """A connection that also knows how its engine counts."""

    def counter(self, table: str, column: str) -> int:
        """Say the highest number the table has ever given in this column; 0: none."""
        ...

    def count_on(self, table: str, column: str, number: int) -> None:
        """Let the table give only numbers above this one."""
        ...


@contextmanager
def snapshot(connection: Connection) -> Iterator[Transaction]:
    """Read one state of a database, whoever writes meanwhile."""
    tx = Transaction(connection, readonly=True)
    connection.begin()
    try:
        yield tx
    finally:
        tx.spend("this snapshot is over")
        if connection.in_transaction:
            connection.rollback()


def counters(connection: Counting, metadata: MetaData) -> Counters:
    """Read how far every counted table has counted, inside a snapshot."""
    found = {
        table.name: connection.counter(table.name, column.name)
        for table in metadata.sorted_tables
        if (column := table.autoincrement_column) is not None
    }
    return {name: number for name, number in found.items() if number}


def refuse_rows(connection: Connection, metadata: MetaData, *, where: str) -> None:
    """Make sure that nothing is overwritten. Raises UnableToOpen naming a table that has rows."""
    with snapshot(connection) as tx:
        for table in metadata.sorted_tables:
            if found := rows.count(tx, table):
                raise UnableToOpen(f"the database {where} is not empty: {table.name} has {found} rows")


def copy(source: Counting, target: Counting, metadata: MetaData) -> dict[str, int]:
    """Copy every row and counter; return the rows of each table. Raises UnableToStore: nothing was copied."""
    with snapshot(source) as tx:
        every = ((table, row) for table in metadata.sorted_tables for row in rows.read(tx, table))
        return fill(target, metadata, every, lambda: counters(source, metadata))


def fill(
    target: Counting, metadata: MetaData, every: Rows, counted: Callable[[], Counters]
) -> dict[str, int]:
    """Write rows into empty tables, compare what is then there with what came, and commit.

    `counted` is asked after the last row.
    """
    tx = Transaction(target)
    target.begin()
    try:
        sums = {table.name: rows.Sum() for table in metadata.sorted_tables}
        fillers = {table.name: rows.Filler(tx, table) for table in metadata.sorted_tables}
        for table, row in every:
            sums[table.name].add(row)
            fillers[table.name].add(row)
        for filler in fillers.values():
            filler.end()
        for name, number in counted().items():
            column = metadata.tables[name].autoincrement_column
            if column is not None:
                target.count_on(name, column.name, number)
        _compare(tx, metadata, sums)
        target.commit()
    finally:
        tx.spend("this copy is over")
        if target.in_transaction:
            target.rollback()
    return {name: total.rows for name, total in sums.items()}


def _compare(tx: Transaction, metadata: MetaData, sums: dict[str, rows.Sum]) -> None:
    for table in metadata.sorted_tables:
        there = rows.sum_of(tx, table)
        if there != sums[table.name]:
            raise UnableToStore(
                f"{table.name} came with {sums[table.name].rows} rows and holds {there.rows} others: "
                "nothing was copied"
            )
