"""Read-only connections in a small pool of threads, beside the writer.

WAL readers see the last commit and never block the writer; each read is one transaction, hence one snapshot.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tapwatt.store.errors import UnableToQueue
from tapwatt.store.transaction import Connection, Transaction

T = TypeVar("T")

READERS = 4
MOST_WAITING = 1_000


class Readers:
    """A pool of reading threads, each with its own connection, opened when first needed."""

    def __init__(
        self, connect: Callable[[], Connection], *, readers: int = READERS, most_waiting: int = MOST_WAITING
    ) -> None:
        self._connect = connect
        self._most_waiting = most_waiting
        self._waiting = 0
        self._closed = False
        self._threads = ThreadPoolExecutor(max_workers=readers, thread_name_prefix="tapwatt-reader")
        self._own = threading.local()
        self._opened: list[Connection] = []

    async def read(self, query: Callable[[Transaction], T]) -> T:
        """Run a query in a reading thread. Raises UnableToQueue when too many wait or the pool is closed."""
        if self._closed:
            raise UnableToQueue("the database is closed")
        if self._waiting >= self._most_waiting:
            raise UnableToQueue(f"the database has {self._waiting} readers waiting, the most allowed")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, query)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Wait for running reads and close the connections."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        while self._opened:
            self._opened.pop().close()

    def _run(self, query: Callable[[Transaction], T]) -> T:
        connection = self._connection()
        transaction = Transaction(connection, readonly=True)
        connection.begin()
        try:
            return query(transaction)
        finally:
            transaction.spend("this transaction is over: its query has returned")
            if connection.in_transaction:
                connection.rollback()

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._connect()
            self._opened.append(connection)
        return connection
