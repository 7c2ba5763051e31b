"""Steps of machines inside a transaction: load, decide, record; and the outbox's own bookkeeping.

Everything here is synchronous and works on a `Transaction`, so that the running engine and a simulation
without threads share it (design.md law 4: transition, event and effects commit together).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic

from tapwatt.engine.machine import E, F, Machine, Outgoing, Refusal, S, Step, to_text
from tapwatt.engine.tables import MachineTables
from tapwatt.store import Row, Transaction, UnableToStoreDuplicate, UnableToStoreYet

Inline = Callable[[Transaction, Step[Any, Any, Any]], frozenset[int]]
"""Performs effects inside the commit; returns the positions in `step.effects` of those it performed."""

TICK_AT_MOST_EVERY_MS = 100
"""A timer that asks for a moment already past is woken this often, not as fast as commits go."""
TICK_REFUSED_AGAIN_MS = 60_000
"""A timer the machine has no row for is tried again after this long."""
MOST_ERROR_TEXT = 500


@dataclass(frozen=True, slots=True)
class _Judged(Generic[S, F]):
    """What decide said, before anything is written."""

    row: Row | None
    before: S | None
    state: S
    effects: tuple[F, ...]


def step(
    tx: Transaction,
    tables: MachineTables,
    machine: Machine[S, E, F],
    machine_id: str,
    event: E,
    key: str | None,
    now_ms: int,
    *,
    inline: Inline | None = None,
) -> Step[S, E, F]:
    """Take one step and record it. A known (machine_id, key) returns `repeated=True` and changes nothing.

    Raises what decide raises, having written nothing; UnableToRecord for unlisted types;
    UnableToStoreDuplicate when an index value belongs to another machine.
    """
    row = tx.one(tables.statements.claim, machine_id=machine_id)
    if row is not None and key is not None:
        known = tx.one(tables.statements.event_by_key, machine_id=machine_id, key=key)
        if known is not None:
            return _repeat(machine, row, event)
    judged = _judge(machine, row, event)
    return _record(tx, tables, machine, machine_id, event, key, None, now_ms, judged, inline)


def load(
    tx: Transaction, tables: MachineTables, machine: Machine[S, E, F], machine_id: str, *, claim: bool = False
) -> S | None:
    """Read a machine's state, or None; `claim` lets no other node change it before this commit."""
    statement = tables.statements.claim if claim else tables.statements.load
    row = tx.one(statement, machine_id=machine_id)
    return None if row is None else machine.state(row.state)


def find(tx: Transaction, tables: MachineTables, name: str, value: str) -> str | None:
    """Find a machine's id by an index value, or None."""
    row = tx.one(tables.statements.find, key_name=name, key_value=value)
    return None if row is None else str(row.machine_id)


def finish(
    tx: Transaction,
    tables: MachineTables,
    machine: Machine[S, E, F],
    outgoing: Outgoing,
    answer: E | None,
    now_ms: int,
    *,
    inline: Inline | None = None,
) -> Step[S, E, F] | Refusal | None:
    """Mark an effect done and take its answer's step, in one commit.

    An answer the machine has no row for is kept as refused evidence: the effect was performed all the same.
    """
    done = tx.one(tables.statements.finish, effect_id=outgoing.id, done_ms=now_ms)
    if done is None or answer is None:
        return None
    row = tx.one(tables.statements.claim, machine_id=outgoing.machine_id)
    try:
        judged = _judge(machine, row, answer)
    except Exception as error:
        return _keep_refused(tx, tables, outgoing.machine_id, row, answer, outgoing.id, now_ms, error)
    return _record(
        tx, tables, machine, outgoing.machine_id, answer, None, outgoing.id, now_ms, judged, inline
    )


def staying(outgoing: Outgoing, *, due_ms: int) -> Outgoing:
    """Say how an effect stays in the outbox after an attempt."""
    return replace(outgoing, attempts=outgoing.attempts + 1, due_ms=due_ms, repeated=True)


def postpone(tx: Transaction, tables: MachineTables, stays: Outgoing, reason: str) -> None:
    """Note why an effect stays, how often it was attempted and when it is next."""
    tx.run(
        tables.statements.postpone,
        effect_id=stays.id,
        due_ms=stays.due_ms,
        attempts=stays.attempts,
        last_error=reason[:MOST_ERROR_TEXT],
    )


def undone(tx: Transaction, tables: MachineTables) -> list[Outgoing]:
    """Read the outbox in order. After a start nobody knows which were performed: all are `repeated`."""
    return [
        Outgoing(
            id=row.id,
            machine_id=row.machine_id,
            lane=row.lane,
            kind=row.kind,
            body=row.body,
            due_ms=row.due_ms,
            attempts=row.attempts,
            repeated=True,
        )
        for row in tx.run(tables.statements.undone)
    ]


def due(
    tx: Transaction, tables: MachineTables, now_ms: int, *, most: int, made_ms: int = 0
) -> tuple[list[str], int | None]:
    """List machines made at `made_ms` or later whose time has come, and the earliest time of all such."""
    ids = [row.id for row in tx.run(tables.statements.due, now_ms=now_ms, made_ms=made_ms, most=most)]
    earliest = tx.one(tables.statements.next_due, made_ms=made_ms)
    return ids, None if earliest is None else earliest.due_ms


def wake(
    tx: Transaction,
    tables: MachineTables,
    machine: Machine[S, E, F],
    machine_id: str,
    now_ms: int,
    *,
    inline: Inline | None = None,
) -> Step[S, E, F] | Refusal | None:
    """Take the timer's step of a machine, if its time has still come.

    A refused tick is kept as evidence, once for each time it changes, and tried again later.
    """
    row = tx.one(tables.statements.claim, machine_id=machine_id)
    if row is None or row.due_ms is None or row.due_ms > now_ms:
        return None
    event = machine.tick(now_ms)
    try:
        judged = _judge(machine, row, event)
    except Exception as error:
        tx.run(tables.statements.set_due, machine_id=machine_id, due_ms=now_ms + TICK_REFUSED_AGAIN_MS)
        return _keep_refused(tx, tables, machine_id, row, event, None, now_ms, error)
    taken = _record(tx, tables, machine, machine_id, event, None, None, now_ms, judged, inline)
    next_ms = machine.due_ms(taken.state)
    if next_ms is not None and next_ms <= now_ms:
        tx.run(tables.statements.set_due, machine_id=machine_id, due_ms=now_ms + TICK_AT_MOST_EVERY_MS)
    return taken


def _judge(machine: Machine[S, E, F], row: Row | None, event: E) -> _Judged[S, F]:
    before = None if row is None else machine.state(row.state)
    state, effects = machine.decide(before, event)
    machine.check(event, effects)
    return _Judged(row, before, state, effects)


def _repeat(machine: Machine[S, E, F], row: Row, event: E) -> Step[S, E, F]:
    state = machine.state(row.state)
    return Step(
        machine_id=row.id,
        before=state,
        state=state,
        event=event,
        effects=(),
        repeated=True,
        version=row.version,
    )


def _record(
    tx: Transaction,
    tables: MachineTables,
    machine: Machine[S, E, F],
    machine_id: str,
    event: E,
    key: str | None,
    effect_id: int | None,
    now_ms: int,
    judged: _Judged[S, F],
    inline: Inline | None,
) -> Step[S, E, F]:
    version = 1 if judged.row is None else judged.row.version + 1
    owner = machine.owner(judged.state)
    status = _write_state(tx, tables, machine, machine_id, version, owner, now_ms, judged)
    tx.run(
        tables.statements.add_event,
        machine_id=machine_id,
        owner=owner,
        version=version,
        kind=type(event).__name__,
        key=key,
        body=to_text(event),
        status_before=None if judged.row is None else judged.row.status,
        status_after=status,
        effect_id=effect_id,
        at_ms=now_ms,
    )
    _write_keys(tx, tables, machine, machine_id, owner, judged)
    taken = Step(
        machine_id=machine_id,
        before=judged.before,
        state=judged.state,
        event=event,
        effects=judged.effects,
        repeated=False,
        version=version,
    )
    performed = frozenset[int]() if inline is None else inline(tx, taken)
    waiting = _write_effects(tx, tables, machine, taken, owner, now_ms, performed)
    return replace(taken, waiting=waiting)


def _write_state(
    tx: Transaction,
    tables: MachineTables,
    machine: Machine[S, E, F],
    machine_id: str,
    version: int,
    owner: str,
    now_ms: int,
    judged: _Judged[S, F],
) -> str:
    """Write the machine's row and return its status."""
    status = machine.status(judged.state)
    values = {
        "owner": owner,
        "status": status,
        "version": version,
        "state": to_text(judged.state),
        "due_ms": machine.due_ms(judged.state),
        "updated_ms": now_ms,
    }
    if judged.row is None:
        _create(tx, tables, id=machine_id, created_ms=now_ms, **values)
    elif (
        tx.one(tables.statements.change, machine_id=machine_id, version_before=judged.row.version, **values)
        is None
    ):
        raise UnableToStoreYet(f"{machine.name} {machine_id} was changed by somebody else meanwhile")
    return status


def _create(tx: Transaction, tables: MachineTables, **values: Any) -> None:
    """Write a machine's first row. Nothing can be locked that is not there: another node may be first."""
    try:
        tx.run(tables.statements.create, **values)
    except UnableToStoreDuplicate as error:
        raise UnableToStoreYet(f"{values['id']} was made by somebody else meanwhile") from error


def _write_keys(
    tx: Transaction,
    tables: MachineTables,
    machine: Machine[S, E, F],
    machine_id: str,
    owner: str,
    judged: _Judged[S, F],
) -> None:
    """Write only the index values that changed."""
    old = {} if judged.before is None else machine.index(judged.before)
    new = machine.index(judged.state)
    if old == new:
        return
    for name, value in old.items():
        if new.get(name) != value:
            tx.run(tables.statements.drop_key, key_name=name, key_value=value)
    for name, value in new.items():
        if old.get(name) != value:
            tx.run(tables.statements.add_key, name=name, value=value, machine_id=machine_id, owner=owner)


def _write_effects(
    tx: Transaction,
    tables: MachineTables,
    machine: Machine[S, E, F],
    taken: Step[S, E, F],
    owner: str,
    now_ms: int,
    performed: frozenset[int],
) -> tuple[Outgoing, ...]:
    """Put the effects in the outbox, those performed inside the commit as done; return the others."""
    waiting = []
    for position, effect in enumerate(taken.effects):
        values: dict[str, Any] = {
            "machine_id": taken.machine_id,
            "lane": machine.lane(effect),
            "kind": type(effect).__name__,
            "body": to_text(effect),
            "due_ms": now_ms,
        }
        row = tx.one(
            tables.statements.add_effect,
            owner=owner,
            version=taken.version,
            seq=position,
            attempts=0,
            done_ms=now_ms if position in performed else None,
            **values,
        )
        if row is not None and position not in performed:
            waiting.append(Outgoing(id=row.id, **values))
    return tuple(waiting)


def _keep_refused(
    tx: Transaction,
    tables: MachineTables,
    machine_id: str,
    row: Row | None,
    event: Any,
    effect_id: int | None,
    now_ms: int,
    error: Exception,
) -> Refusal:
    reason = f"{type(error).__name__}: {error}"[:MOST_ERROR_TEXT]
    kind = type(event).__name__
    last = tx.one(tables.statements.last_event, machine_id=machine_id)
    if effect_id is not None or last is None or (last.kind, last.refused) != (kind, reason):
        tx.run(
            tables.statements.add_event,
            machine_id=machine_id,
            owner="" if row is None else row.owner,
            kind=kind,
            body=to_text(event),
            status_before=None if row is None else row.status,
            status_after=None if row is None else row.status,
            effect_id=effect_id,
            refused=reason,
            at_ms=now_ms,
        )
    return Refusal(machine_id=machine_id, kind=kind, reason=reason)
