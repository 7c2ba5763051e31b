"""The table of a program's traces and the statements on it.

Its `id` grows, so that the oldest rows are the smallest numbers: cutting the table to its bounds reads no
more than it deletes.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Executable,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
)

from tapwatt.store import Row, Transaction
from tapwatt.traces.messages import Trace

NAME: Final = "trace"
MOST_CUT: Final = 2_000
"""Rows deleted in one transaction: all writers wait for it."""
MOST_FIELDS_CHARACTERS: Final = 4_000


class TraceTable:
    """A program's table of traces."""

    def __init__(self, table: Table) -> None:
        c = table.c
        self._add: Executable = insert(table)
        self._newest: Executable = select(table).order_by(c.id.desc()).limit(bindparam("most"))
        cycles = select(c.life_cycle).where(c.reference == bindparam("wanted"), c.life_cycle != "")
        self._of_reference: Executable = (
            select(table)
            .where(
                or_(
                    c.reference == bindparam("wanted"),
                    c.life_cycle == bindparam("wanted"),
                    c.life_cycle.in_(cycles),
                )
            )
            .order_by(c.id.desc())
            .limit(bindparam("most"))
        )
        self._between: Executable = (
            select(table)
            .where(
                c.owner == bindparam("owner"),
                c.at_ms >= bindparam("from_ms"),
                c.at_ms <= bindparam("until_ms"),
                c.peer.in_([bindparam("peer"), bindparam("second_peer"), bindparam("third_peer")]),
            )
            .order_by(c.id.desc())
            .limit(bindparam("most"))
        )
        self._span: Executable = select(
            func.min(c.id).label("first"), func.max(c.id).label("last"), func.count().label("total")
        )
        oldest = select(c.id).order_by(c.id).limit(bindparam("most"))
        self._cut: Executable = delete(table).where(c.id.in_(oldest))
        expired = select(c.id).where(c.at_ms < bindparam("before_ms")).order_by(c.at_ms).limit(MOST_CUT)
        self._cut_expired: Executable = delete(table).where(c.id.in_(expired))
        self._by_origin: Executable = select(c.id).where(c.origin == bindparam("wanted")).limit(1)

    def add(self, tx: Transaction, trace: Trace, *, owner: str = "", origin: str | None = None) -> None:
        """Keep a trace. `origin` names one that somebody else noted, so that it is known when told again."""
        fields = msgspec.json.encode(trace.fields, enc_hook=str).decode()
        if len(fields) > MOST_FIELDS_CHARACTERS:
            fields = msgspec.json.encode({"too long to keep": f"{len(fields)} characters"}).decode()
        tx.run(
            self._add,
            owner=owner,
            origin=origin,
            at_ms=trace.at_ms,
            direction=str(trace.direction),
            wire=str(trace.wire),
            peer=trace.peer,
            name=trace.name,
            amount_minor=trace.amount_minor,
            currency=trace.currency,
            mark=str(trace.mark),
            reference=trace.reference,
            life_cycle=trace.life_cycle,
            key=trace.key,
            link=trace.link,
            fields=fields,
        )

    def knows(self, tx: Transaction, origin: str) -> bool:
        """Whether a trace of this origin is kept already."""
        return tx.one(self._by_origin, wanted=origin) is not None

    def cut(self, tx: Transaction, *, most_rows: int, before_ms: int) -> None:
        """Bring the table nearer to its bounds; what is too much for one time waits for the next."""
        tx.run(self._cut_expired, before_ms=before_ms)
        span = tx.one(self._span)
        over = 0 if span is None else int(span.total) - most_rows
        if over > 0:
            tx.run(self._cut, most=min(over, MOST_CUT))

    def of_reference(self, tx: Transaction, *, reference: str, most: int) -> list[dict[str, Any]]:
        """The traces of a payment, by its reference or by one life cycle, oldest first; "" for the newest."""
        if not reference:
            return _shown(tx.run(self._newest, most=most))
        return _shown(tx.run(self._of_reference, wanted=reference, most=most))

    def between(
        self,
        tx: Transaction,
        *,
        owner: str,
        peers: tuple[str, str, str],
        from_ms: int,
        until_ms: int,
        most: int,
    ) -> list[dict[str, Any]]:
        """The traces of one owner's wires to these peers in a stretch of time, oldest first."""
        rows = tx.run(
            self._between,
            owner=owner,
            peer=peers[0],
            second_peer=peers[1],
            third_peer=peers[2],
            from_ms=from_ms,
            until_ms=until_ms,
            most=most,
        )
        return _shown(rows)


def trace_table(metadata: MetaData) -> TraceTable:
    """Declare the table of traces in a program's metadata."""
    return TraceTable(
        Table(
            NAME,
            metadata,
            Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
            Column("owner", Text, nullable=False),
            Column("origin", Text, unique=True),
            Column("at_ms", BigInteger, nullable=False, index=True),
            Column("direction", Text, nullable=False),
            Column("wire", Text, nullable=False),
            Column("peer", Text, nullable=False),
            Column("name", Text, nullable=False),
            Column("amount_minor", BigInteger),
            Column("currency", Text, nullable=False),
            Column("mark", Text, nullable=False),
            Column("reference", Text, nullable=False, index=True),
            Column("life_cycle", Text, nullable=False, index=True),
            Column("key", Text, nullable=False),
            Column("link", Text, nullable=False),
            Column("fields", Text, nullable=False),
        )
    )


def _shown(rows: list[Row]) -> list[dict[str, Any]]:
    hidden = ("owner", "origin")
    return [
        {
            **{name: value for name, value in row._asdict().items() if name not in hidden},
            "fields": msgspec.json.decode(row.fields),
        }
        for row in reversed(rows)
    ]
