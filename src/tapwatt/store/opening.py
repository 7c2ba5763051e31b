"""From a database URL to prepared connections. Another engine is let in here, by its own file beside
`sqlite`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import MetaData
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from tapwatt.store import migrations as schema
from tapwatt.store import sqlite
from tapwatt.store.errors import UnableToOpen
from tapwatt.store.transaction import Connection

_WRITE = "write sqlite:///path/to/file.db or postgresql://user@host/name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A database that is open and has today's schema."""

    writer: Connection
    reader: Callable[[], Connection] | None
    """Opens a read-only connection; None where only the writer's connection sees the data (memory)."""


def open_url(url: str, *, metadata: MetaData, migrations: str | None) -> Opened:
    """Open a database by URL and prepare its schema. Raises UnableToOpen or UnableToMigrate."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UnableToOpen(f"the database URL cannot be read; {_WRITE}") from error
    if parsed.drivername == "postgresql":
        return _open_postgres(url, metadata=metadata, migrations=migrations)
    if parsed.drivername != "sqlite":
        raise UnableToOpen(f"databases of kind {parsed.drivername} are not supported; {_WRITE}")
    path = None if parsed.database in (None, "", ":memory:") else Path(str(parsed.database))
    return _open_sqlite(path, metadata=metadata, migrations=migrations)


def _open_sqlite(path: Path | None, *, metadata: MetaData, migrations: str | None) -> Opened:
    writer = sqlite.open_writer(path)
    try:
        schema.prepare(
            writer,
            where=str(path or "in memory"),
            tables=sqlite.table_names(writer),
            metadata=metadata,
            migrations=migrations,
            upgrade=lambda folder: _upgrade_sqlite(path, folder),
        )
    except BaseException:
        writer.close()
        raise
    return Opened(writer=writer, reader=None if path is None else lambda: sqlite.open_reader(path))


def _upgrade_sqlite(path: Path | None, folder: Path) -> None:
    if path is None:
        raise UnableToOpen("a database in memory cannot be old")
    schema.run_alembic(sqlite.alembic_engine(path), folder, check=sqlite.check_foreign_keys)


def _open_postgres(url: str, *, metadata: MetaData, migrations: str | None) -> Opened:
    # Its driver and dialect are loaded only by who asks for them: SQLite is what most programs start with.
    from tapwatt.store import postgres

    writer = postgres.open_writer(url)
    try:
        with postgres.migrating(writer):
            schema.prepare(
                writer,
                where=postgres.place(url),
                tables=postgres.table_names(writer),
                metadata=metadata,
                migrations=migrations,
                upgrade=lambda folder: schema.run_alembic(
                    postgres.alembic_engine(url), folder, check=postgres.check_foreign_keys
                ),
            )
    except BaseException:
        writer.close()
        raise
    return Opened(writer=writer, reader=lambda: postgres.open_reader(url))
