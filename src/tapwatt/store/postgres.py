"""PostgreSQL connections: explicit transactions, a statement's failure undone alone, errors translated.

The only file that knows the psycopg driver and PostgreSQL's dialect, imported when a URL asks for it. What
differs from SQLite is made equal here, so that rooms write statements once (stack.md, Database): a failed
statement undoes only itself, integers are integers whatever their size, an INSERT returns no rows unless
asked. A pipeline never holds more than one caller's one statement, and COMMIT is believed only by its own
answer (stack.md, trap 1).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, pq
from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper, Loader
from psycopg.types.numeric import Int8Dumper
from sqlalchemy import Connection as SqlalchemyConnection
from sqlalchemy import Engine, create_engine
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect
from sqlalchemy.pool import NullPool

from tapwatt.store.compile import Compiler
from tapwatt.store.errors import (
    UnableToOpen,
    UnableToStore,
    UnableToStoreDuplicate,
    UnableToStoreYet,
)

CONNECT_S = 10
"""How long to wait for a server that does not answer; also the longest a lost connection delays a batch."""
LOCK_MS = 5_000
"""How long a statement waits for a row another node holds: as long as SQLite waits for its file."""
SILENT_MS = 30_000
"""After so long without an acknowledgement a sent packet means that the server is gone."""
STATEMENTS_PREPARED = 1_000

IN_USE = 0x7461_7077_6174_7401
"""Advisory lock every program holds shared on its database; who replaces the rows must hold it alone."""
MIGRATING = 0x7461_7077_6174_7402
"""Advisory lock of the one who makes or changes the schema."""

_AGAIN = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)
_NO_TRANSACTION = (pq.TransactionStatus.IDLE, pq.TransactionStatus.UNKNOWN)


class _Compiler(PGCompiler):
    """Takes the upserts that rooms write with SQLAlchemy's SQLite construct: the text is the same."""

    def visit_on_conflict_do_update(self, on_conflict: Any, **more: Any) -> str:
        if not hasattr(on_conflict, "constraint_target"):
            on_conflict.constraint_target = None
        text: str = super().visit_on_conflict_do_update(on_conflict, **more)  # type: ignore[no-untyped-call]
        return text


class _Dialect(PGDialect):
    """No RETURNING that nobody asked for, and no sequence asked before the INSERT that uses it."""

    supports_statement_cache = True
    statement_compiler = _Compiler
    insert_returning = False
    preexecute_autoincrement_sequences = False


COMPILER = Compiler(_Dialect(paramstyle="format"))  # type: ignore[no-untyped-call]
"""Shared by all PostgreSQL connections of the process."""


class _Integer(Int8Dumper):
    """Every int travels as int8: one prepared statement whatever its size, compared with any column."""


class _Bool(Dumper):
    """True is 1, as in SQLite."""

    oid = Int8Dumper.oid

    def dump(self, obj: Any) -> bytes:
        return b"1" if obj else b"0"


class _Whole(Loader):
    """The sum of bigints is a numeric here: an int again. A fraction is refused: it is not stored either."""

    def load(self, data: Any) -> int:
        return int(bytes(data))


class _Truth(Loader):
    """A condition's value is 0 or 1, as in SQLite."""

    def load(self, data: Any) -> int:
        return int(bytes(data) == b"t")


def _adapt(context: AdaptContext) -> None:
    assert context.adapters is not None
    context.adapters.register_dumper(int, _Integer)
    context.adapters.register_dumper(bool, _Bool)
    context.adapters.register_loader("numeric", _Whole)
    context.adapters.register_loader("bool", _Truth)


class PostgresConnection:
    """One connection with explicit transactions. Used by one thread at a time; a lost one is made anew by
    `begin`.
    """

    compiler = COMPILER

    def __init__(self, connect: Callable[[], "psycopg.Connection[Any]"], *, begin: str) -> None:
        self._connect = connect
        self._begin = begin.encode()
        self._reads = "READ ONLY" in begin
        self._guarded = False
        """The caller's savepoint stands right before the next statement: its failure may undo all since."""
        self._kept = False
        """The last caller's savepoint is still to be released."""
        self.raw = connect()

    def execute(
        self, text: str, values: Sequence[Any] = ()
    ) -> tuple[Sequence[Sequence[Any]] | None, list[Any]]:
        """Run one statement; see `transaction.Connection`. Its failure undoes it alone, as in SQLite."""
        with self._translating():
            if self._guarded or self._reads or not self.in_transaction:
                cursor = self._alone(text, values)
            else:
                cursor = self._with_savepoint(text, values)
            if cursor.description is None:
                self._guarded = False
                return None, []
            if not (cursor.statusmessage or "").startswith("SELECT"):
                self._guarded = False
            return [(column.name,) for column in cursor.description], cursor.fetchall()

    def begin(self) -> None:
        """Begin on a connection that is alive; rows another node holds are waited for, then read anew."""
        with self._translating():
            if self.raw.closed or self.raw.info.status != pq.ConnStatus.OK:
                self.raw.close()
                self.raw = self._connect()
            self._guarded = self._kept = False
            try:
                self._tell(self._begin)
            except psycopg.OperationalError:
                # The server has closed it since the last use; nothing has been said on it yet.
                self.raw.close()
                self.raw = self._connect()
                self._tell(self._begin)

    def savepoint(self) -> None:
        """Mark where one caller's work begins."""
        with self._translating():
            self._tell(b"RELEASE caller; SAVEPOINT caller" if self._kept else b"SAVEPOINT caller")
        self._guarded, self._kept = True, False

    def release(self) -> None:
        """Keep the work done since the savepoint: said with the next savepoint, or by COMMIT itself.

        A round trip less for every caller. A transaction that broke unnoticed refuses both.
        """
        self._guarded, self._kept = False, True

    def undo(self) -> None:
        """Undo the work done since the savepoint and forget the savepoint."""
        with self._translating():
            self._tell(b"ROLLBACK TO caller")
            self._tell(b"RELEASE caller")
        self._guarded = False

    def commit(self) -> None:
        """Make the transaction durable. Its answer must be COMMIT: a broken transaction answers ROLLBACK."""
        with self._translating():
            answer = self._tell(b"COMMIT")
        if answer != b"COMMIT":
            raise UnableToStore(f"COMMIT was answered by {answer.decode() or 'nothing'}: nothing is stored")

    def rollback(self) -> None:
        """Undo the whole transaction."""
        with self._translating():
            self._tell(b"ROLLBACK")

    @property
    def in_transaction(self) -> bool:
        """Whether PostgreSQL still holds the transaction open; never after the connection is lost."""
        return not self.raw.closed and self.raw.info.transaction_status not in _NO_TRANSACTION

    def counter(self, table: str, column: str) -> int:
        """Say the highest number a table's sequence has given; see `copying.Counting`."""
        _, ((sequence,),) = self.execute("SELECT pg_get_serial_sequence(%s, %s)", (f'"{table}"', column))
        if sequence is None:
            return 0
        _, ((given,),) = self.execute(f"SELECT last_value * is_called::int FROM {sequence}")
        return int(given)

    def count_on(self, table: str, column: str, number: int) -> None:
        """Let a table's sequence give only higher numbers."""
        self.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", (f'"{table}"', column, number))

    def close(self) -> None:
        """Close the connection."""
        self.raw.close()

    def _alone(self, text: str, values: Sequence[Any]) -> "psycopg.Cursor[Any]":
        """Run the first statement that can change anything: the caller's own savepoint undoes its failure."""
        try:
            return self.raw.execute(text, values)
        except psycopg.Error:
            if self._guarded and self.in_transaction:
                self._tell(b"ROLLBACK TO caller")
            raise

    def _with_savepoint(self, text: str, values: Sequence[Any]) -> "psycopg.Cursor[Any]":
        """Run one statement between a savepoint and its release, in one round trip."""
        try:
            with self.raw.pipeline():
                self.raw.execute("SAVEPOINT statement", prepare=True)
                cursor = self.raw.execute(text, values)
                self.raw.execute("RELEASE statement", prepare=True)
            return cursor
        except psycopg.Error:
            if self.in_transaction:
                self._tell(b"ROLLBACK TO statement")
                self._tell(b"RELEASE statement")
            raise

    def _tell(self, command: bytes) -> bytes:
        """Run a transaction command and return what it was answered by, such as b"COMMIT"."""
        result = self.raw.pgconn.exec_(command)
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise _failure(result)
        return result.command_status or b""

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.Error, OverflowError, UnicodeError, ValueError) as error:
            raise _translated(error) from error


def _failure(result: Any) -> psycopg.Error:
    state = result.error_field(pq.DiagnosticField.SQLSTATE)
    if state is None:
        return psycopg.OperationalError("the connection to the server is lost")
    return errors.lookup(state.decode())(result.error_message.decode("utf-8", "replace"))


def _translated(error: Exception) -> UnableToStore:
    said = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, errors.UniqueViolation):
        return UnableToStoreDuplicate(said)
    if isinstance(error, _AGAIN):
        return UnableToStoreYet(said)
    return UnableToStore(said)


def place(url: str) -> str:
    """Name the database of a URL for error texts: without its password."""
    try:
        parts = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error as error:
        raise UnableToOpen(f"the database URL cannot be read: {' '.join(str(error).split())}") from error
    return f"{parts.get('dbname') or 'default'} at {parts.get('host') or 'localhost'}"


def open_writer(url: str) -> PostgresConnection:
    """Open a writing connection; it holds IN_USE shared for its life. Raises UnableToOpen."""
    where = place(url)

    def connect() -> "psycopg.Connection[Any]":
        raw = _connect(url)
        # Somebody's server may answer COMMIT before it is durable; our answer may not.
        raw.execute(
            "SELECT set_config('synchronous_commit', 'on', false) "
            "WHERE current_setting('synchronous_commit') IN ('off', 'local')"
        )
        raw.execute(f"SET lock_timeout = {LOCK_MS}")
        if not _one(raw, f"SELECT pg_try_advisory_lock_shared({IN_USE})"):
            raw.close()
            raise psycopg.OperationalError("its rows are being replaced: wait until that is done")
        return raw

    try:
        writer = PostgresConnection(connect, begin="BEGIN ISOLATION LEVEL READ COMMITTED")
        encoding = writer.raw.info.parameter_status("server_encoding")
    except psycopg.Error as error:
        said = " ".join(str(error).split())
        raise UnableToOpen(f"unable to open the database {where}: {said}") from error
    if encoding != "UTF8":
        writer.close()
        raise UnableToOpen(f"the database {where} has the encoding {encoding}: make it with UTF8")
    return writer


def open_reader(url: str) -> PostgresConnection:
    """Open a read-only connection, each of whose transactions is one snapshot. Raises UnableToStore."""
    try:
        return PostgresConnection(
            lambda: _connect(url), begin="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        )
    except psycopg.Error as error:
        raise _translated(error) from error


def _connect(url: str) -> "psycopg.Connection[Any]":
    raw = psycopg.connect(
        url,
        autocommit=True,  # transactions are begun and ended by us alone
        connect_timeout=CONNECT_S,
        client_encoding="UTF8",
        application_name="tapwatt",
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=SILENT_MS,
    )
    _adapt(raw)
    raw.prepared_max = STATEMENTS_PREPARED
    return raw


def _one(raw: "psycopg.Connection[Any]", query: str) -> Any:
    row = raw.execute(query).fetchone()
    return None if row is None else row[0]


def table_names(connection: PostgresConnection) -> set[str]:
    """Name the tables in the schema the connection works in."""
    _, rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    return {name for (name,) in rows}


def stand_alone(connection: PostgresConnection, *, where: str) -> None:
    """Keep every program off a database while this connection lives. Raises UnableToOpen while one runs."""
    _, ((alone,),) = connection.execute(f"SELECT pg_try_advisory_lock({IN_USE})")
    if not alone:
        raise UnableToOpen(f"a program runs on the database {where}: stop it first")


@contextmanager
def standing_alone(url: str) -> Iterator[None]:
    """Keep every program off a database. Raises UnableToOpen while one runs on it."""
    connection = open_reader(url)
    try:
        stand_alone(connection, where=place(url))
        yield
    finally:
        connection.close()


@contextmanager
def migrating(connection: PostgresConnection) -> Iterator[None]:
    """Look at and change the schema while no other node does. Raises UnableToOpen."""
    try:
        connection.raw.execute("SET lock_timeout = 0")
        connection.raw.execute(f"SELECT pg_advisory_lock({MIGRATING})")
        try:
            yield
        finally:
            if not connection.raw.closed:
                connection.raw.execute(f"SELECT pg_advisory_unlock({MIGRATING})")
                connection.raw.execute(f"SET lock_timeout = {LOCK_MS}")
    except psycopg.Error as error:
        raise UnableToOpen(f"the schema cannot be looked at: {' '.join(str(error).split())}") from error


def alembic_engine(url: str) -> Engine:
    """Make a SQLAlchemy engine for a migration; schema changes are part of transactions here."""
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)


def check_foreign_keys(connection: SqlalchemyConnection) -> None:
    """Let every deferred constraint speak before the migration commits; it raises what they say."""
    connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
