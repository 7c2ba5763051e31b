"""Joins a program's wires to its traces: recorder, witnesses of its lines, and the view that hosts serve."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tapwatt.hosts.traffic import currency_name
from tapwatt.programs.http import BadQuery, View
from tapwatt.programs.metrics import AnswerFigures
from tapwatt.programs.runtime import Runtime, now_ms
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.messages import RESPONSE_CODE, text_or_empty
from tapwatt.rails.partner import HostObserver, HostWitness
from tapwatt.rails.trace import link_of, trace_of, unreadable
from tapwatt.store import Database, Transaction
from tapwatt.traces import Bounds, Direction, Mark, Recorder, Trace, TraceTable

MOST_SHOWN = 1_000


def recorder(
    runtime: Runtime,
    database: Database,
    table: TraceTable,
    *,
    owner: Callable[[Transaction, Trace], str] = lambda _tx, _trace: "",
) -> Recorder:
    """A program's recorder, which writes what waits before the database is closed."""
    settings = runtime.settings
    made = Recorder(
        database,
        table,
        bounds=Bounds(rows=settings.trace_rows, days=settings.trace_days),
        now_ms=now_ms,
        owner=owner,
    )
    runtime.closing.push_async_callback(made.stop)
    return made


def witness(recorder: Recorder, peer: str, figures: AnswerFigures | None = None) -> HostWitness:
    """The witness of a line of the rails to this party; `figures` counts what is answered there."""

    def saw(direction: Direction, message: Message, mark: Mark = Mark.NONE, /) -> None:
        at_ms = now_ms()
        if figures is not None:
            _count(figures, direction, message, at_ms)
        recorder.note(lambda: trace_of(message, direction=direction, peer=peer, at_ms=at_ms, mark=mark))

    return saw


def _count(figures: AnswerFigures, direction: Direction, message: Message, at_ms: int) -> None:
    link = link_of(message)
    if direction is Direction.RECEIVED:
        figures.asked(link, at_ms)
    else:
        figures.answered(link, message.mti, text_or_empty(message, RESPONSE_CODE), at_ms)


def observer(recorder: Recorder, peer: str, also: HostObserver) -> HostObserver:
    """Notes what could not be read, beside what else hears of lines."""

    def heard(happened: str, /, **details: object) -> None:
        also(happened, **details)
        if happened == "rejected":
            at_ms, reason = now_ms(), str(details.get("reason", ""))
            recorder.note(lambda: unreadable(peer=peer, at_ms=at_ms, reason=reason))

    return heard


def traces_view(database: Database, table: TraceTable) -> View:
    """`GET /api/v1/traces?reference=&limit=`: a payment's messages in order, by reference or life cycle."""

    async def view(query: Mapping[str, str]) -> object:
        reference, text = query.get("reference", ""), query.get("limit", "200")
        if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= MOST_SHOWN):
            raise BadQuery(f"limit is a number from 1 to {MOST_SHOWN}")
        found = await database.read(lambda tx: table.of_reference(tx, reference=reference, most=int(text)))
        return [_shown(row) for row in found]

    return view


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "currency": currency_name(row["currency"])}
