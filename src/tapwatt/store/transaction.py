"""What a piece of work may do inside a transaction, and what a driver must offer for it.

The same `Transaction` is used by the group-commit writer, the readers and the synchronous database, so that
code written on it runs unchanged in production and in simulation (design.md sections 2 and 3, law 4).
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sqlalchemy import Executable

from tapwatt.store.compile import Compiler, Row
from tapwatt.store.errors import UnableToStore


class Connection(Protocol):
    """One connection of one driver. Every method raises `UnableToStore` and no driver's own exception."""

    compiler: Compiler

    def execute(
        self, text: str, values: Sequence[Any] = ()
    ) -> tuple[Sequence[Sequence[Any]] | None, list[Any]]:
        """Run one statement; return its DB-API description (None: it returns no rows) and all its rows."""
        ...

    def begin(self) -> None:
        """Begin a transaction: a writing one takes the write lock at once."""
        ...

    def savepoint(self) -> None:
        """Mark where one caller's work begins."""
        ...

    def release(self) -> None:
        """Keep the work done since the savepoint."""
        ...

    def undo(self) -> None:
        """Undo the work done since the savepoint and forget the savepoint."""
        ...

    def commit(self) -> None:
        """Make the transaction durable; only when this returned may anybody be told so."""
        ...

    def rollback(self) -> None:
        """Undo the whole transaction."""
        ...

    @property
    def in_transaction(self) -> bool:
        """False once the database has ended the transaction by itself (stack.md, trap 2)."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class Transaction:
    """Statements of one caller's work. Usable only while that work runs."""

    __slots__ = ("_callbacks", "_compiler", "_connection", "_readonly", "_spent")

    def __init__(self, connection: Connection, *, readonly: bool = False) -> None:
        self._connection = connection
        self._compiler = connection.compiler
        self._readonly = readonly
        self._spent: str | None = None
        self._callbacks: list[Callable[[], None]] = []

    def run(self, statement: Executable, /, **parameters: Any) -> list[Row]:
        """Run a Core statement and return its rows, or [] where it returns none (INSERT without RETURNING).

        Raises UnableToStoreDuplicate on a second row with a unique key, UnableToStore on any other refusal.
        """
        if self._spent is not None:
            raise UnableToStore(self._spent)
        prepared = self._compiler.prepare(statement, parameters)
        if self._readonly and prepared.writes:
            raise UnableToStore(f"a read may not write: {prepared.text}")
        try:
            description, raw = self._connection.execute(prepared.text, prepared.values(parameters))
        except UnableToStore as error:
            if not self._connection.in_transaction:
                # What would follow on this connection would be durable statement by statement.
                self.spend(f"the database has rolled back the whole transaction: {error}")
            raise
        return [] if description is None else prepared.rows(description, raw)

    def one(self, statement: Executable, /, **parameters: Any) -> Row | None:
        """Run a statement and return its first row, or None."""
        rows = self.run(statement, **parameters)
        return rows[0] if rows else None

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back when COMMIT has returned, in commit order, on the event loop; never when it failed.

        It is called even if the caller was cancelled while waiting: what is committed is committed.
        """
        self._callbacks.append(callback)

    @property
    def callbacks(self) -> list[Callable[[], None]]:
        """What to call after COMMIT (for the owner of the transaction)."""
        return self._callbacks

    @property
    def spent(self) -> str | None:
        """Why nothing can be run here any more, or None."""
        return self._spent

    def spend(self, reason: str) -> None:
        """Refuse every further statement (for the owner of the transaction)."""
        self._spent = reason
