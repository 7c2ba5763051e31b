"""The four tables of a machine and the engine's statements on them (design.md laws 4 and 9).

{name}         one row a machine: owner, status, version, state as JSON, when to wake it
{name}_event   one row a step, append-only; also, with `refused`, what a machine had no row for
{name}_effect  the outbox; a row without done_ms is still to be performed
{name}_key     what a machine can be found by
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Executable,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    insert,
    select,
    update,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineTables:
    """The tables of one machine, for the engine and for read models."""

    machine: Table
    event: Table
    effect: Table
    key: Table
    statements: "Statements"


def machine_tables(metadata: MetaData, machine_name: str) -> MachineTables:
    """Declare a machine's tables in a program's metadata."""
    machine = _machine_table(metadata, machine_name)
    event = _event_table(metadata, machine_name)
    effect = _effect_table(metadata, machine_name)
    key = Table(
        f"{machine_name}_key",
        metadata,
        Column("name", Text, primary_key=True),
        Column("value", Text, primary_key=True),
        Column("machine_id", Text, nullable=False, index=True),
        Column("owner", Text, nullable=False),
    )
    return MachineTables(
        machine=machine,
        event=event,
        effect=effect,
        key=key,
        statements=Statements(machine, event, effect, key),
    )


@lru_cache(maxsize=100)
def own_tables(machine_name: str) -> MachineTables:
    """Give an engine the tables by name, without anybody's metadata; the statements are the same text."""
    return machine_tables(MetaData(), machine_name)


def _machine_table(metadata: MetaData, name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("id", Text, primary_key=True),
        Column("owner", Text, nullable=False, index=True),
        Column("status", Text, nullable=False, index=True),
        Column("version", Integer, nullable=False),
        Column("state", Text, nullable=False),
        Column("due_ms", BigInteger, index=True),
        Column("created_ms", BigInteger, nullable=False),
        Column("updated_ms", BigInteger, nullable=False),
    )


def _event_table(metadata: MetaData, name: str) -> Table:
    return Table(
        f"{name}_event",
        metadata,
        _counted(),
        Column("machine_id", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("version", Integer),
        Column("kind", Text, nullable=False),
        Column("key", Text),
        Column("body", Text, nullable=False),
        Column("status_before", Text),
        Column("status_after", Text),
        Column("effect_id", BigInteger),
        Column("refused", Text),
        Column("at_ms", BigInteger, nullable=False),
        UniqueConstraint("machine_id", "version"),
        UniqueConstraint("machine_id", "key"),
    )


def _effect_table(metadata: MetaData, name: str) -> Table:
    table = Table(
        f"{name}_effect",
        metadata,
        _counted(),
        Column("machine_id", Text, nullable=False, index=True),
        Column("owner", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("seq", Integer, nullable=False),
        Column("lane", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("body", Text, nullable=False),
        Column("due_ms", BigInteger, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("done_ms", BigInteger),
        Column("last_error", Text),
        UniqueConstraint("machine_id", "version", "seq"),
    )
    # Only what is still to be done: the outbox of years stays quick to read at start.
    undone = table.c.done_ms.is_(None)
    Index(f"ix_{name}_effect_undone", table.c.id, sqlite_where=undone, postgresql_where=undone)
    return table


def _counted() -> Column[int]:
    """Make a counted primary key; SQLite counts only a column of type INTEGER."""
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


class Statements:
    """The engine's statements on one machine's tables, each compiled once."""

    def __init__(self, machine: Table, event: Table, effect: Table, key: Table) -> None:
        self._of_machine(machine)
        self._of_event(event)
        self._of_effect(effect)
        self._of_key(key)

    def _of_machine(self, machine: Table) -> None:
        self.load: Executable = select(machine).where(machine.c.id == bindparam("machine_id"))
        # Nodes that share a PostgreSQL take their steps of one machine one after the other; SQLite has no
        # such lock and needs none: its writer is alone.
        self.claim: Executable = (
            select(machine).where(machine.c.id == bindparam("machine_id")).with_for_update()
        )
        self.create: Executable = insert(machine)
        self.change: Executable = (
            update(machine)
            .where(machine.c.id == bindparam("machine_id"), machine.c.version == bindparam("version_before"))
            .values({name: bindparam(name) for name in _CHANGED})
            .returning(machine.c.version)
        )
        self.set_due: Executable = (
            update(machine).where(machine.c.id == bindparam("machine_id")).values(due_ms=bindparam("due_ms"))
        )
        self.due: Executable = (
            select(machine.c.id)
            .where(machine.c.due_ms <= bindparam("now_ms"), machine.c.created_ms >= bindparam("made_ms"))
            .order_by(machine.c.due_ms)
            .limit(bindparam("most"))
        )
        self.next_due: Executable = (
            select(machine.c.due_ms)
            .where(machine.c.due_ms.is_not(None), machine.c.created_ms >= bindparam("made_ms"))
            .order_by(machine.c.due_ms)
            .limit(1)
        )

    def _of_event(self, event: Table) -> None:
        self.add_event: Executable = insert(event)
        self.event_by_key: Executable = select(event.c.version).where(
            event.c.machine_id == bindparam("machine_id"), event.c.key == bindparam("key")
        )
        self.last_event: Executable = (
            select(event.c.kind, event.c.refused)
            .where(event.c.machine_id == bindparam("machine_id"))
            .order_by(event.c.id.desc())
            .limit(1)
        )

    def _of_effect(self, effect: Table) -> None:
        self.add_effect: Executable = insert(effect).returning(effect.c.id)
        self.undone: Executable = select(effect).where(effect.c.done_ms.is_(None)).order_by(effect.c.id)
        self.finish: Executable = (
            update(effect)
            .where(effect.c.id == bindparam("effect_id"), effect.c.done_ms.is_(None))
            .values(done_ms=bindparam("done_ms"))
            .returning(effect.c.id)
        )
        self.postpone: Executable = (
            update(effect)
            .where(effect.c.id == bindparam("effect_id"))
            .values({name: bindparam(name) for name in ("due_ms", "attempts", "last_error")})
        )

    def _of_key(self, key: Table) -> None:
        by_name: Any = (key.c.name == bindparam("key_name"), key.c.value == bindparam("key_value"))
        self.find: Executable = select(key.c.machine_id).where(*by_name)
        self.add_key: Executable = insert(key)
        self.drop_key: Executable = delete(key).where(*by_name)


_CHANGED = ("owner", "status", "version", "state", "due_ms", "updated_ms")
