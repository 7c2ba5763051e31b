"""SQLite connections: WAL, synchronous=FULL, foreign keys on, errors translated.

The only file that knows the sqlite3 driver; another database becomes another file like this one. Measured in
stack-figures section 4: with group commit FULL costs little, and NORMAL would lose acknowledged work on power
loss.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection as SqlalchemyConnection
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.pool import NullPool

from tapwatt.store.compile import Compiler
from tapwatt.store.errors import UnableToMigrate, UnableToOpen, UnableToStore, UnableToStoreDuplicate

BUSY_MS = 5_000
"""How long to wait for another process (a backup, a person's shell) that holds the lock."""

COMPILER = Compiler(sqlite_dialect(paramstyle="qmark"))
"""Shared by all SQLite connections of the process."""

_SEQUENCES = "sqlite_sequence"
"""SQLite's own table of what AUTOINCREMENT has given; there once such a table was made."""

_DUPLICATE = {
    "SQLITE_CONSTRAINT_UNIQUE",
    "SQLITE_CONSTRAINT_PRIMARYKEY",
    "SQLITE_CONSTRAINT_ROWID",
}


class SqliteConnection:
    """One sqlite3 connection with explicit transactions. Used by one thread at a time."""

    compiler = COMPILER

    def __init__(self, raw: sqlite3.Connection, *, begin: str) -> None:
        self.raw = raw
        self._begin = begin

    def execute(
        self, text: str, values: Sequence[Any] = ()
    ) -> tuple[Sequence[Sequence[Any]] | None, list[Any]]:
        """Run one statement; see `transaction.Connection`."""
        try:
            cursor = self.raw.execute(text, values)
            if cursor.description is None:
                return None, []
            return cursor.description, cursor.fetchall()
        except (sqlite3.Error, OverflowError) as error:
            raise _translated(error) from error

    def begin(self) -> None:
        """Begin: IMMEDIATE for the writer, so that the lock is taken before any work is done."""
        self.execute(self._begin)

    def savepoint(self) -> None:
        """Mark where one caller's work begins."""
        self.execute("SAVEPOINT caller")

    def release(self) -> None:
        """Keep the work done since the savepoint."""
        self.execute("RELEASE caller")

    def undo(self) -> None:
        """Undo the work done since the savepoint and forget the savepoint."""
        self.execute("ROLLBACK TO caller")
        self.execute("RELEASE caller")

    def commit(self) -> None:
        """Make the transaction durable."""
        self.execute("COMMIT")

    def rollback(self) -> None:
        """Undo the whole transaction."""
        self.execute("ROLLBACK")

    @property
    def in_transaction(self) -> bool:
        """Whether SQLite still holds the transaction open."""
        return self.raw.in_transaction

    def counter(self, table: str, column: str) -> int:
        """Say the highest number a table has given; see `copying.Counting`."""
        _, counts = self.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (_SEQUENCES,))
        if counts:
            _, found = self.execute(f"SELECT seq FROM {_SEQUENCES} WHERE name = ?", (table,))
            if found:
                return int(found[0][0])
        _, highest = self.execute(f'SELECT coalesce(max("{column}"), 0) FROM "{table}"')
        return int(highest[0][0])

    def count_on(self, table: str, column: str, number: int) -> None:
        """Let a table made with AUTOINCREMENT count on from a number; others count from their rows."""
        _, made = self.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,))
        if not made or "AUTOINCREMENT" not in made[0][0].upper():
            return
        self.execute(f"DELETE FROM {_SEQUENCES} WHERE name = ?", (table,))
        self.execute(f"INSERT INTO {_SEQUENCES} (name, seq) VALUES (?, ?)", (table, number))

    def close(self) -> None:
        """Close the connection."""
        self.raw.close()


def _translated(error: Exception) -> UnableToStore:
    name = getattr(error, "sqlite_errorname", "")
    kind = UnableToStoreDuplicate if name in _DUPLICATE else UnableToStore
    return kind(f"{error} ({name})" if name else str(error))


def open_writer(path: Path | None) -> SqliteConnection:
    """Open the one writing connection; `None` is a private database in memory. Raises UnableToOpen."""
    try:
        if path is None:
            raw = _connect(":memory:", uri=False)
        else:
            _create_private(path)
            raw = _connect(path.absolute().as_uri(), uri=True)
            _pragma(raw, "journal_mode", "WAL")
            _pragma(raw, "synchronous", "FULL")
        _pragma(raw, "foreign_keys", "ON")
    except (OSError, sqlite3.Error) as error:
        raise UnableToOpen(f"unable to open the database {path or 'in memory'}: {error}") from error
    return SqliteConnection(raw, begin="BEGIN IMMEDIATE")


def open_reader(path: Path) -> SqliteConnection:
    """Open a read-only connection beside the writer; it never blocks the writer. Raises UnableToStore."""
    try:
        raw = _connect(path.absolute().as_uri() + "?mode=ro", uri=True)
        _pragma(raw, "query_only", "ON")
    except sqlite3.Error as error:
        raise _translated(error) from error
    return SqliteConnection(raw, begin="BEGIN DEFERRED")


def _connect(database: str, *, uri: bool) -> sqlite3.Connection:
    raw = sqlite3.connect(
        database,
        uri=uri,
        isolation_level=None,  # transactions are begun and ended by us alone
        check_same_thread=False,  # opened in one thread, used by another, never by two at once
        cached_statements=512,
    )
    _pragma(raw, "busy_timeout", str(BUSY_MS))
    return raw


def _pragma(raw: sqlite3.Connection, name: str, value: str) -> None:
    raw.execute(f"PRAGMA {name} = {value}").fetchall()


def _create_private(path: Path) -> None:
    """Create the file readable by its owner only; SQLite gives its -wal and -shm files the same mode."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def table_names(connection: SqliteConnection) -> set[str]:
    """Name the tables in the database."""
    _, rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    )
    return {name for (name,) in rows}


def back_up(source: Path, target: Path) -> None:
    """Copy a database, whoever writes to it meanwhile, to a file that is there and empty; check the copy.

    Raises UnableToStore.
    """
    try:
        with (
            closing(_connect(source.absolute().as_uri() + "?mode=ro", uri=True)) as read,
            closing(_connect(target.absolute().as_uri(), uri=True)) as written,
        ):
            read.backup(written)
            # One file, not three: what is kept elsewhere must not depend on a -wal beside it.
            _pragma(written, "journal_mode", "DELETE")
            damage = written.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if damage != "ok" or written.execute("PRAGMA foreign_key_check").fetchone():
                raise UnableToStore(f"{source} is damaged: {damage}")
    except sqlite3.Error as error:
        raise UnableToStore(f"unable to copy {source}: {error}") from error


def alembic_engine(path: Path) -> Engine:
    """Make a SQLAlchemy engine for a migration, whose transactions include schema changes.

    Its connection has foreign keys off, because SQLite changes a table by making it anew.
    """
    engine = create_engine(
        "sqlite://", creator=lambda: _connect(path.absolute().as_uri(), uri=True), poolclass=NullPool
    )

    @event.listens_for(engine, "begin")
    def begin(borrowed: SqlalchemyConnection) -> None:
        # The driver would begin only before the first INSERT, leaving CREATE and ALTER outside.
        borrowed.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def check_foreign_keys(connection: SqlalchemyConnection) -> None:
    """Look, at the end of a migration, for rows that point to nothing. Raises UnableToMigrate."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise UnableToMigrate(f"{len(broken)} rows point to rows that are not there")
