"""The database of one program: one writer with group commit, many readers (stack.md, Database; design.md law
4).
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import MetaData

from tapwatt.store import readers as reading
from tapwatt.store import writer as writing
from tapwatt.store.errors import UnableToStore
from tapwatt.store.opening import Opened, open_url
from tapwatt.store.readers import Readers
from tapwatt.store.transaction import Transaction
from tapwatt.store.writer import Writer, Writing

T = TypeVar("T")


class Database:
    """A database for a program on an event loop."""

    def __init__(
        self,
        opened: Opened,
        *,
        most_writing: int = writing.MOST_WAITING,
        most_reading: int = reading.MOST_WAITING,
    ) -> None:
        self._writer = Writer(opened.writer, most_waiting=most_writing)
        self._readers = None if opened.reader is None else Readers(opened.reader, most_waiting=most_reading)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        metadata: MetaData,
        migrations: str | None = None,
        most_writing: int = writing.MOST_WAITING,
        most_reading: int = reading.MOST_WAITING,
    ) -> "Database":
        """Open `sqlite:///path` or `sqlite://` (memory), and create or migrate its schema.

        `migrations` is the dotted package of the program's revisions. Raises UnableToOpen, UnableToMigrate.
        """
        opened = await asyncio.to_thread(open_url, url, metadata=metadata, migrations=migrations)
        return cls(opened, most_writing=most_writing, most_reading=most_reading)

    @property
    def writing(self) -> Writing:
        """How the writer fares."""
        return self._writer.writing

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run the work in the writer thread and return its result after COMMIT has returned.

        The work is synchronous and must be quick: all writers wait for it. Its exception undoes its own rows
        only. Raises that exception, UnableToStore (nothing may be believed stored), or UnableToQueue (nothing
        begun).
        """
        return await self._writer.write(work)

    async def read(self, query: Callable[[Transaction], T]) -> T:
        """Run a query on one snapshot of what is committed, in a reading thread. Raises as `write`."""
        if self._readers is None:
            return await self._writer.write(query, readonly=True)
        return await self._readers.read(query)

    async def close(self) -> None:
        """Finish what is queued, refuse the rest, close every connection."""
        if self._readers is not None:
            await self._readers.close()
        await self._writer.close()


class SyncDatabase:
    """The same database without thread or loop, for the simulation and for short commands."""

    def __init__(self, opened: Opened) -> None:
        self._connection = opened.writer

    @classmethod
    def open(
        cls, url: str = "sqlite://", *, metadata: MetaData, migrations: str | None = None
    ) -> "SyncDatabase":
        """Open as `Database.open` does."""
        return cls(open_url(url, metadata=metadata, migrations=migrations))

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run the work, commit, call back, return its result. Raises as `Database.write`."""
        transaction = Transaction(self._connection)
        result = self._within(transaction, work, commit=True)
        for callback in transaction.callbacks:
            callback()
        return result

    def read(self, query: Callable[[Transaction], T]) -> T:
        """Run a query; it may not write."""
        return self._within(Transaction(self._connection, readonly=True), query, commit=False)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _within(self, transaction: Transaction, work: Callable[[Transaction], T], *, commit: bool) -> T:
        self._connection.begin()
        try:
            result = work(transaction)
            if not self._connection.in_transaction:
                raise UnableToStore(transaction.spent or "its work ended the transaction")
            if commit:
                self._connection.commit()
            return result
        finally:
            transaction.spend("this transaction is over: its work has returned")
            if self._connection.in_transaction:
                self._connection.rollback()
