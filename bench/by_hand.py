"""The store's peers: a step's three statements as one would write them by hand, one commit a transaction."""

import sqlite3
from pathlib import Path
from typing import Any, Final, Protocol

import psycopg

FILL: Final = "x" * 600  # a session's state is about this long
MACHINE: Final = "hand"


class ByHand(Protocol):
    """Somebody who writes steps."""

    def write(self) -> None:
        """One transaction."""

    def close(self) -> None:
        """Close the connection."""


class SqliteByHand:
    """The sqlite3 driver on a file that has the tables."""

    def __init__(self, path: Path) -> None:
        self._raw = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._raw.execute(f"PRAGMA {pragma}").fetchall()
        self._change, self._insert = statements(":{}")
        first = created(MACHINE)
        self._raw.execute(self._insert["counter"], first)
        self._version = 1

    def write(self) -> None:
        """One transaction."""
        after = self._version + 1
        self._raw.execute("BEGIN IMMEDIATE")
        changed = self._raw.execute(self._change, changed_to(MACHINE, after))
        assert changed.rowcount == 1
        self._raw.execute(self._insert["counter_event"], event(MACHINE, after))
        self._raw.execute(self._insert["counter_effect"], effect(MACHINE, after))
        self._raw.execute("COMMIT")
        self._version = after

    def close(self) -> None:
        """Close the connection."""
        self._raw.close()


class PostgresByHand:
    """The psycopg driver on a database that has the tables; it prepares what it has seen a few times."""

    def __init__(self, url: str) -> None:
        self._raw = psycopg.connect(url, autocommit=True)
        self._change, self._insert = statements("%({})s")
        self._say(self._insert["counter"], created(MACHINE))
        self._version = 1

    def write(self) -> None:
        """One transaction."""
        after = self._version + 1
        with self._raw.transaction():
            assert self._say(self._change, changed_to(MACHINE, after)) == 1
            self._say(self._insert["counter_event"], event(MACHINE, after))
            self._say(self._insert["counter_effect"], effect(MACHINE, after))
        self._version = after

    def close(self) -> None:
        """Close the connection."""
        self._raw.close()

    def _say(self, statement: str, values: dict[str, Any]) -> int:
        return self._raw.execute(statement.encode(), values).rowcount


def statements(place: str) -> tuple[str, dict[str, str]]:
    """The change of a state, and an insert for each table; `place` is how the driver writes a parameter."""
    sets = ", ".join(f"{name} = {place.format(name)}" for name in state(1))
    version = f"id = {place.format('id')} AND version = {place.format('version_before')}"
    inserts = {"counter": created(""), "counter_event": event("", 1), "counter_effect": effect("", 1)}
    return (
        f"UPDATE counter SET {sets} WHERE {version}",
        {table: _insert(table, values, place) for table, values in inserts.items()},
    )


def _insert(table: str, values: dict[str, Any], place: str) -> str:
    names = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(place.format(name) for name in values)
    return f"INSERT INTO {table} ({names}) VALUES ({places})"


def created(machine_id: str) -> dict[str, Any]:
    """A machine's first row."""
    return {**state(1), "id": machine_id, "created_ms": 0}


def changed_to(machine_id: str, version: int) -> dict[str, Any]:
    """What its row is changed to, and what it must have been."""
    return {**state(version), "id": machine_id, "version_before": version - 1}


def state(version: int) -> dict[str, Any]:
    """The columns that every step changes."""
    return {
        "owner": "",
        "status": "counting",
        "version": version,
        "state": f'{{"number":{version},"filling":"{FILL}"}}',
        "due_ms": None,
        "updated_ms": version,
    }


def event(machine_id: str, version: int) -> dict[str, Any]:
    """The row of a step's event."""
    return {
        "machine_id": machine_id,
        "owner": "",
        "version": version,
        "kind": "Happened",
        "key": None,
        "body": '{"at_ms":1}',
        "status_before": "counting",
        "status_after": "counting",
        "effect_id": None,
        "at_ms": version,
    }


def effect(machine_id: str, version: int) -> dict[str, Any]:
    """The row of a step's effect, done already."""
    return {
        "machine_id": machine_id,
        "owner": "",
        "version": version,
        "seq": 0,
        "lane": "anybody",
        "kind": "Tell",
        "body": '{"number":1}',
        "due_ms": 1,
        "attempts": 0,
        "done_ms": version,
    }
