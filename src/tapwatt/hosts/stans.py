"""Trace numbers (field 11) of a host for the messages it passes on: never twice within a day, not even after
a kill.

A block of numbers is reserved in the database before the first of it is used (reference/rails.md section
2.5).
"""

from __future__ import annotations

import asyncio

from sqlalchemy import Column, Executable, Integer, MetaData, Table, Text, bindparam, select
from sqlalchemy.dialects.sqlite import insert

from tapwatt.store import Database, Transaction

BLOCK = 500
_NUMBERS = 999_999


def stan_table(metadata: MetaData) -> Table:
    """Declare the table of reserved trace numbers."""
    return Table(
        "trace_number",
        metadata,
        Column("name", Text, primary_key=True),
        Column("reserved", Integer, nullable=False),
    )


_TABLE = stan_table(MetaData())
_READ: Executable = select(_TABLE.c.reserved).where(_TABLE.c.name == bindparam("key"))
_RESERVE: Executable = (
    insert(_TABLE)
    .values(name=bindparam("name"), reserved=bindparam("reserved"))
    .on_conflict_do_update(index_elements=[_TABLE.c.name], set_={"reserved": bindparam("reserved")})
)


class TraceNumbers:
    """Hands out trace numbers 000001 to 999999, wrapping."""

    def __init__(self, database: Database, *, name: str = "upstream") -> None:
        self._database, self._name = database, name
        self._next = self._end = 0
        self._reserving = asyncio.Lock()

    async def take(self) -> str:
        """The next trace number, six digits."""
        async with self._reserving:
            if self._next >= self._end:
                self._next = await self._database.write(self._reserve)
                self._end = self._next + BLOCK
            number = self._next
            self._next += 1
        return f"{number % _NUMBERS + 1:06d}"

    def _reserve(self, tx: Transaction) -> int:
        row = tx.one(_READ, key=self._name)
        first = 0 if row is None else int(row.reserved) % _NUMBERS
        tx.run(_RESERVE, name=self._name, reserved=first + BLOCK)
        return first
