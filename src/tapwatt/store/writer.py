"""The one writer: a thread that commits the work of all waiting callers in one transaction.

Each caller's work has its own savepoint, so that its exception undoes only its own rows. "Done" is said only
after COMMIT has returned, and a failed COMMIT fails everyone in it (stack.md, Database and traps 1 and 2;
figures in stack-figures section 4: a commit for one costs about what a commit for a hundred costs).
"""

import asyncio
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar, cast

from tapwatt.store.errors import UnableToQueue, UnableToStore
from tapwatt.store.tally import Tally
from tapwatt.store.transaction import Connection, Transaction

T = TypeVar("T")

MOST_WAITING = 10_000
"""Callers that may wait at once; at the measured rates they are served within a second."""
MOST_IN_BATCH = 500
"""Callers in one commit; bounds how long the first of a batch waits for the last."""


BATCH_SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500)
COMMITS_US = (500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_000_000)


class Writing:
    """How the writer fares. `failure` is why the last commit failed, "" if it did not."""

    def __init__(self) -> None:
        self.batch_sizes, self.commits_us = Tally(BATCH_SIZES), Tally(COMMITS_US)
        self.failure = ""
        self.failures = 0
        self.waiting = 0

    def committed(self, callers: int, began_ns: int) -> None:
        """A batch is durable."""
        self.batch_sizes.add(callers)
        self.commits_us.add((time.monotonic_ns() - began_ns) // 1000)
        self.failure = ""

    def failed(self, reason: str) -> None:
        """A batch is lost."""
        self.failures += 1
        self.failure = reason


class _Job:
    """One caller's work and what became of it."""

    __slots__ = ("callbacks", "error", "future", "readonly", "result", "work")

    def __init__(
        self, work: Callable[[Transaction], Any], future: asyncio.Future[Any], readonly: bool
    ) -> None:
        self.work = work
        self.future = future
        self.readonly = readonly
        self.result: Any = None
        self.error: BaseException | None = None
        self.callbacks: list[Callable[[], None]] = []


class Writer:
    """Owns the writing connection. Made inside a running event loop, and used from that loop only."""

    def __init__(
        self, connection: Connection, *, most_waiting: int = MOST_WAITING, most_in_batch: int = MOST_IN_BATCH
    ) -> None:
        self.writing = Writing()
        self._connection = connection
        self._most_waiting = most_waiting
        self._most_in_batch = most_in_batch
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._waiting = 0
        self._closed = False
        # A daemon: work that was never answered need not keep a dying program alive.
        self._thread = threading.Thread(target=self._serve, name="tapwatt-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Transaction], T], *, readonly: bool = False) -> T:
        """Run the work in the next commit and return its result once that commit is durable.

        Raises the work's own exception, UnableToStore when the commit failed, UnableToQueue when nothing was
        begun. A caller cancelled while it waits cannot call the work back: it may still be committed.
        """
        if self._closed:
            raise UnableToQueue("the database is closed")
        if self._waiting >= self._most_waiting:
            raise UnableToQueue(f"the database has {self._waiting} callers waiting, the most allowed")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting += 1
        self.writing.waiting = self._waiting
        self._queue.put(_Job(work, future, readonly))
        return cast(T, await future)

    async def close(self) -> None:
        """Take no more work, commit what is queued, and close the connection."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        closing = False
        while not closing:
            batch, closing = self._next_batch()
            if batch:
                self._commit(batch)
                self._answer(batch)
        self._connection.close()

    def _next_batch(self) -> tuple[list[_Job], bool]:
        batch: list[_Job] = []
        job = self._queue.get()
        while job is not None:
            batch.append(job)
            if len(batch) >= self._most_in_batch:
                return batch, False
            try:
                job = self._queue.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _commit(self, batch: list[_Job]) -> None:
        """Run and commit a batch; every job ends with its result or an error, whatever happens."""
        began_ns = time.monotonic_ns()
        try:
            self._connection.begin()
            for job in batch:
                self._run_one(job)
            self._connection.commit()
            self.writing.committed(len(batch), began_ns)
        except BaseException as error:
            self.writing.failed(f"the last commit failed: {error}")
            _fail_all(batch, error)
            self._roll_back()

    def _run_one(self, job: _Job) -> None:
        """Run one job in its savepoint. Raises only when the transaction of the whole batch is lost."""
        transaction = Transaction(self._connection, readonly=job.readonly)
        self._connection.savepoint()
        try:
            job.result = job.work(transaction)
        except BaseException as error:
            job.error = error
        reason = transaction.spent
        transaction.spend("this transaction is over: its work has returned")
        if not self._connection.in_transaction:
            cause = reason or "its work ended the transaction"
            raise UnableToStore(cause) from job.error
        if job.error is None:
            self._connection.release()
            job.callbacks = transaction.callbacks
        else:
            self._connection.undo()

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.rollback()
        except UnableToStore:
            # Every caller has been told it failed; the next BEGIN says so again if the connection is beyond
            # use.
            return

    def _answer(self, batch: list[_Job]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._deliver, batch)
        except RuntimeError:
            return  # the loop is closed: nobody is waiting any more

    def _deliver(self, batch: list[_Job]) -> None:
        """On the loop: call back and answer, in commit order."""
        self._waiting -= len(batch)
        self.writing.waiting = self._waiting
        for job in batch:
            if job.error is None:
                self._call_back(job)
            if job.future.done():  # its caller was cancelled
                continue
            if job.error is None:
                job.future.set_result(job.result)
            else:
                job.future.set_exception(job.error)

    def _call_back(self, job: _Job) -> None:
        for callback in job.callbacks:
            try:
                callback()
            except Exception as error:
                self._loop.call_exception_handler(
                    {"message": "a callback after COMMIT failed", "exception": error}
                )


def _fail_all(batch: list[_Job], cause: BaseException) -> None:
    """Fail every job of a lost batch. A job that had failed by itself keeps its own error."""
    for job in batch:
        if job.error is None:
            job.error = UnableToStore(f"the commit shared with other callers failed: {cause}")
            job.error.__cause__ = cause
