"""Databases of every kind for the contract; another engine is one more kind in `open_kind`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol, TypeVar

import pytest
from tests.store.tables import METADATA

from tapwatt.store import Database, SyncDatabase, Transaction

T = TypeVar("T")
KINDS = ("file", "memory", "sync", "postgresql", "postgresql sync")
NewUrl = Callable[[str], str]


class AnyDatabase(Protocol):
    async def write(self, work: Callable[[Transaction], T]) -> T: ...
    async def read(self, query: Callable[[Transaction], T]) -> T: ...
    async def close(self) -> None: ...


class Awaited:
    """The synchronous database behind the asynchronous one's verbs."""

    def __init__(self, database: SyncDatabase) -> None:
        self._database = database

    async def write(self, work: Callable[[Transaction], T]) -> T:
        return self._database.write(work)

    async def read(self, query: Callable[[Transaction], T]) -> T:
        return self._database.read(query)

    async def close(self) -> None:
        self._database.close()


async def open_kind(kind: str, new_url: NewUrl) -> AnyDatabase:
    if kind == "file":
        return await Database.open(new_url("sqlite"), metadata=METADATA)
    if kind == "postgresql":
        return await Database.open(new_url("postgresql"), metadata=METADATA)
    if kind == "postgresql sync":
        return Awaited(SyncDatabase.open(new_url("postgresql"), metadata=METADATA))
    if kind == "memory":
        return await Database.open("sqlite://", metadata=METADATA)
    return Awaited(SyncDatabase.open("sqlite://", metadata=METADATA))


@pytest.fixture(params=KINDS)
async def database(request: pytest.FixtureRequest, new_url: NewUrl) -> AsyncIterator[AnyDatabase]:
    """Each kind of database in turn, with the toy tables."""
    opened = await open_kind(request.param, new_url)
    yield opened
    await opened.close()


@pytest.fixture(params=("file", "memory", "postgresql"))
async def batching(request: pytest.FixtureRequest, new_url: NewUrl) -> AsyncIterator[Database]:
    """The kinds that commit for many callers at once."""
    opened = await open_kind(request.param, new_url)
    assert isinstance(opened, Database)
    yield opened
    await opened.close()


@pytest.fixture
def small(database_url: str) -> Callable[..., Awaitable[Database]]:
    """Open a database with limits of the test's own."""

    async def open_small(**limits: Any) -> Database:
        return await Database.open(database_url, metadata=METADATA, **limits)

    return open_small
