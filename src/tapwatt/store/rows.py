"""All rows of a database in pages, and sums that tell whether two databases hold the same ones.

Used by copies and backups: what is read in one engine's order is compared with what another engine returns
in its own, so a sum does not depend on order.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BindParameter, Executable, Table, bindparam, func, insert, select, tuple_

from tapwatt.store.errors import UnableToStore
from tapwatt.store.transaction import Transaction

PAGE = 100
"""Rows read or written by one statement: twelve columns of them stay below every engine's parameter limit."""
_SUM_BITS = 256

Values = Sequence[Any]


class Sum:
    """Count and sum of a table's rows, in whatever order they come."""

    __slots__ = ("rows", "total")

    def __init__(self) -> None:
        self.rows = 0
        self.total = 0

    def add(self, values: Values) -> None:
        """Count one row."""
        text = json.dumps(list(values), ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        self.rows += 1
        self.total = (self.total + int.from_bytes(hashlib.sha256(text).digest(), "big")) % (1 << _SUM_BITS)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sum) and (self.rows, self.total) == (other.rows, other.total)

    __hash__ = None  # type: ignore[assignment]


def read(tx: Transaction, table: Table) -> Iterator[Values]:
    """Read every row of a table, page by page along its primary key."""
    key = list(table.primary_key.columns)
    last: list[BindParameter[Any]] = [bindparam(f"last_{column.name}") for column in key]
    first: Executable = select(table).order_by(*key).limit(PAGE)
    following: Executable = select(table).where(tuple_(*key) > tuple_(*last)).order_by(*key).limit(PAGE)
    places = [list(table.columns).index(column) for column in key]
    page = tx.run(first)
    while page:
        yield from page
        if len(page) < PAGE:
            return
        after = {f"last_{column.name}": page[-1][place] for column, place in zip(key, places, strict=True)}
        page = tx.run(following, **after)


class Filler:
    """Writes rows into one empty table, a page a statement."""

    def __init__(self, tx: Transaction, table: Table) -> None:
        self._tx = tx
        self._names = [column.name for column in table.columns]
        self._one: Executable = insert(table)
        self._page: Executable = insert(table).values(
            [{name: bindparam(f"{name}_{place}") for name in self._names} for place in range(PAGE)]
        )
        self._waiting: list[Values] = []

    def add(self, values: Values) -> None:
        """Write a row, soon."""
        self._waiting.append(values)
        if len(self._waiting) == PAGE:
            parameters = {
                f"{name}_{place}": value
                for place, row in enumerate(self._waiting)
                for name, value in zip(self._names, row, strict=True)
            }
            self._tx.run(self._page, **parameters)
            self._waiting.clear()

    def end(self) -> None:
        """Write what waits."""
        for row in self._waiting:
            self._tx.run(self._one, **dict(zip(self._names, row, strict=True)))
        self._waiting.clear()


def sum_of(tx: Transaction, table: Table) -> Sum:
    """Sum the rows a table holds now."""
    total = Sum()
    for values in read(tx, table):
        total.add(values)
    return total


def count(tx: Transaction, table: Table) -> int:
    """Count a table's rows."""
    row = tx.one(select(func.count().label("rows")).select_from(table))
    if row is None:
        raise UnableToStore(f"{table.name} cannot be counted")
    return int(row.rows)
