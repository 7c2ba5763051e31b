"""Databases that survive their program: the shipped synchronous store on in-memory SQLite.

A program holds a `WorldDatabase`, which has the verbs of `store.Database`. Each commit is a boundary at which
the world may crash the program, before it or after it, or find the disk full.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import MetaData

from tapwatt.sim.world.loop import Life, WorldLoop
from tapwatt.store import Database, SyncDatabase, Transaction, UnableToQueue, UnableToStore

T = TypeVar("T")


class Fate(StrEnum):
    """What happens at a commit."""

    GOOD = "good"
    CRASH_BEFORE = "crash before the commit"
    CRASH_AFTER = "crash after the commit"
    FULL = "the disk is full"


class _Died(BaseException):
    """The program died between its commit and the next thing it would have done."""


class WorldDatabase(Database):
    """One program's database as one life of it sees it."""

    def __init__(
        self,
        disk: SyncDatabase,
        *,
        loop: WorldLoop,
        life: Life,
        delay_s: Callable[[], float],
        fate: Callable[[Life], Fate],
        die: Callable[[Life], None],
    ) -> None:
        """`fate` is asked at each commit; `die` ends the life."""
        self._disk = disk
        self._loop = loop
        self._life = life
        self._delay_s = delay_s
        self._fate = fate
        self._die = die
        self._last_s = 0.0
        self._open = True

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """As `Database.write`: answers after COMMIT, in order."""
        if not self._open:
            raise UnableToQueue("the database is closed")
        return await self._queued(self._commit, work)

    async def read(self, query: Callable[[Transaction], T]) -> T:
        """As `Database.read`: what is committed when its turn comes."""
        return await self._queued(self._look, query)

    async def close(self) -> None:
        """The disk stays."""
        self._open = False

    async def _queued(self, job: Callable[..., None], work: Callable[[Transaction], T]) -> T:
        future: asyncio.Future[T] = self._loop.create_future()
        self._last_s = max(self._loop.time() + self._delay_s(), self._last_s + 1e-6)
        self._loop.call_at(self._last_s, job, work, future)
        return await future

    def _commit(self, work: Callable[[Transaction], Any], future: asyncio.Future[Any]) -> None:
        fate = self._fate(self._life)
        if fate is Fate.CRASH_BEFORE:
            self._die(self._life)
            return

        def within(tx: Transaction) -> Any:
            if fate is Fate.CRASH_AFTER:
                tx.after_commit(_die_here)
            result = work(tx)
            if fate is Fate.FULL:
                raise UnableToStore("database or disk is full (SQLITE_FULL)")
            return result

        try:
            result = self._disk.write(within)
        except _Died:
            self._die(self._life)
        except Exception as error:
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(result)

    def _look(self, query: Callable[[Transaction], Any], future: asyncio.Future[Any]) -> None:
        if future.done():
            return
        try:
            future.set_result(self._disk.read(query))
        except Exception as error:
            future.set_exception(error)


def _die_here() -> None:
    raise _Died


class Disks:
    """Every program's disk, opened when first asked for."""

    def __init__(self) -> None:
        self._disks: dict[str, SyncDatabase] = {}

    def of(self, name: str, metadata: MetaData) -> SyncDatabase:
        """The disk of a program; its schema is made from the shipped tables."""
        if name not in self._disks:
            self._disks[name] = SyncDatabase.open(metadata=metadata)
        return self._disks[name]

    def read(self, name: str, query: Callable[[Transaction], T]) -> T:
        """What is on a disk now."""
        return self._disks[name].read(query)

    def close(self) -> None:
        """Throw the disks away."""
        for disk in self._disks.values():
            disk.close()
