"""What `tapwatt store` does: copy a database to another engine, back one up, restore one.

A copy and a restore need the database for themselves: rows a running program writes meanwhile would be lost.
A backup does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sqlalchemy import MetaData
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from tapwatt.store import backup, copying, locks, sqlite
from tapwatt.store import migrations as schema
from tapwatt.store.copying import Counting
from tapwatt.store.errors import UnableToOpen
from tapwatt.store.opening import open_url

_SQLITE = b"SQLite format 3\0"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The tables of one program, by which its databases are recognised."""

    program: str
    metadata: MetaData
    migrations: str


Recognise = Callable[[set[str]], Books]
"""From the tables of a database to the program it belongs to; raises UnableToOpen."""


def copy(source_url: str, target_url: str, recognise: Recognise) -> dict[str, int]:
    """Copy a database to an empty one of any engine; returns the rows of each table.

    Raises UnableToOpen, UnableToMigrate, UnableToStore: then the target has no rows.
    """
    with _resting(source_url), _reading(source_url, recognise) as (source, books):
        return _into(target_url, books, lambda target: copying.copy(source, target, books.metadata))


def back_up(url: str, file: Path, recognise: Recognise) -> dict[str, int]:
    """Write one consistent state of a database, in use or not, to a new file; returns each table's rows."""
    with _reading(url, recognise) as (source, books):
        if (path := sqlite_path(url)) is not None:
            with backup.new_file(file) as partial:
                sqlite.back_up(path, partial)
            with _reading(f"sqlite:///{file}", recognise) as (copied, _):
                return _counts(copied, books.metadata)
        revision = schema.revisions(schema.migrations_folder(books.migrations))[-1]
        return backup.write_rows(source, books.metadata, file, program=books.program, revision=revision)


def restore(file: Path, url: str, recognise: Recognise, named: Callable[[str], Books]) -> dict[str, int]:
    """Fill an empty database of any engine from a backup; returns the rows of each table."""
    try:
        with file.open("rb") as opened:
            head = opened.read(16)
    except OSError as error:
        raise UnableToOpen(f"unable to read {file}: {error.strerror}") from error
    if head == _SQLITE:
        with _reading(f"sqlite:///{file}", recognise) as (source, books):
            return _into(url, books, lambda target: copying.copy(source, target, books.metadata))
    if not head.startswith(_GZIP):
        raise UnableToOpen(f"{file} is no backup of Tapwatt")
    kept = backup.Backup(file)
    books = named(kept.program)
    known = schema.revisions(schema.migrations_folder(books.migrations))[-1]
    if kept.revision != known:
        raise UnableToOpen(
            f"{file} was made at schema revision {kept.revision}, this version works on {known}: restore it "
            "with the version that made it, then start its program with this one"
        )
    rows = kept.rows(books.metadata)
    return _into(url, books, lambda target: copying.fill(target, books.metadata, rows, kept.counters))


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL, or None for PostgreSQL. Raises UnableToOpen."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UnableToOpen(
            "the database URL cannot be read; write sqlite:///path/to/file.db or postgresql://user@host/name"
        ) from error
    if parsed.drivername == "postgresql":
        return None
    if parsed.drivername != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise UnableToOpen("write sqlite:///path/to/file.db or postgresql://user@host/name")
    return Path(str(parsed.database))


def _into(url: str, books: Books, work: Callable[[Counting], dict[str, int]]) -> dict[str, int]:
    """Open an empty database for nobody but this work."""
    with _opened_alone(url, books) as (target, where):
        copying.refuse_rows(target, books.metadata, where=where)
        return work(target)


@contextmanager
def _opened_alone(url: str, books: Books) -> Iterator[tuple[Counting, str]]:
    path = sqlite_path(url)
    if path is not None:
        _make_folder(path.parent)
        with locks.holding(path), _closing(_open(url, books)) as target:
            yield target, str(path)
        return
    from tapwatt.store import postgres

    with _closing(_open(url, books)) as target:
        assert isinstance(target, postgres.PostgresConnection)
        postgres.stand_alone(target, where=_place(url))
        yield target, _place(url)


def _make_folder(folder: Path) -> None:
    """A database often goes to a place that is new with it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnableToOpen(f"unable to make the folder {folder}: {error.strerror}") from error


def _open(url: str, books: Books) -> Counting:
    opened = open_url(url, metadata=books.metadata, migrations=books.migrations)
    return cast(Counting, opened.writer)  # each engine's connection can count


@contextmanager
def _reading(url: str, recognise: Recognise) -> Iterator[tuple[Counting, Books]]:
    """A read-only connection to a database at today's revision, and whose database it is."""
    path = sqlite_path(url)
    if path is None:
        from tapwatt.store import postgres

        remote = postgres.open_reader(url)
        with _closing(remote) as connection:
            yield connection, _recognised(connection, _place(url), postgres.table_names(remote), recognise)
        return
    if not path.is_file():
        raise UnableToOpen(f"there is no database {path}")
    local = sqlite.open_reader(path)
    with _closing(local) as connection:
        yield connection, _recognised(connection, str(path), sqlite.table_names(local), recognise)


@contextmanager
def _closing(connection: Counting) -> Iterator[Counting]:
    try:
        yield connection
    finally:
        connection.close()


def _recognised(connection: Counting, where: str, tables: set[str], recognise: Recognise) -> Books:
    try:
        books = recognise(tables - {schema.VERSION.name})
    except UnableToOpen as error:
        raise UnableToOpen(f"{where}: {error}") from None
    schema.refuse_other_revision(connection, where=where, tables=tables, migrations=books.migrations)
    return books


@contextmanager
def _resting(url: str) -> Iterator[None]:
    """Keep every program off a database that is read. Raises UnableToOpen while one runs."""
    path = sqlite_path(url)
    if path is not None:
        with locks.holding(path):
            yield
        return
    from tapwatt.store import postgres

    with postgres.standing_alone(url):
        yield


def _counts(connection: Counting, metadata: MetaData) -> dict[str, int]:
    from tapwatt.store import rows

    with copying.snapshot(connection) as tx:
        return {table.name: rows.count(tx, table) for table in metadata.sorted_tables}


def _place(url: str) -> str:
    from tapwatt.store import postgres

    return postgres.place(url)
