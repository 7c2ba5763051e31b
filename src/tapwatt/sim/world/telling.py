"""The story of a failing visit: what was done to the world and what each machine made of it, in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import Executable, select

from tapwatt.edge.tables import OPERATION
from tapwatt.engine import MachineTables
from tapwatt.hosts.issuer.tables import AUTHORISATION
from tapwatt.platform.tables import SESSION
from tapwatt.sim.world.evidence import RELAYS, Evidence
from tapwatt.sim.world.loop import EPOCH_MS
from tapwatt.sim.world.world import Ending
from tapwatt.store import Row, Transaction

BEFORE_MS: Final = 3_000
AFTER_MS: Final = 30_000
MOST_LINES: Final = 400
_MACHINES: Final[dict[str, MachineTables]] = {
    "platform": SESSION,
    "edge": OPERATION,
    **RELAYS,
    "issuer": AUTHORISATION,
}


def tell(ending: Ending, books: Evidence, violations: Sequence[str]) -> tuple[str, ...]:
    """The lines of the visits that the violations name; of the whole world when they name none."""
    from_ms, to_ms = _window(books, violations)
    lines = [(at_ms, line) for at_ms, line in _steps(ending) if from_ms <= at_ms <= to_ms]
    for line in ending.story.lines:
        at_ms = EPOCH_MS + round(float(line.split(maxsplit=1)[0]) * 1000)
        if from_ms <= at_ms <= to_ms:
            lines.append((at_ms, line))
    lines.sort(key=lambda pair: pair[0])
    return tuple(line for _, line in lines[:MOST_LINES])


def _window(books: Evidence, violations: Sequence[str]) -> tuple[int, int]:
    """From when to when: the first to the last moment of what the violations name."""
    text = "\n".join(violations)
    spans: list[tuple[int, int]] = []
    for session in books.sessions:
        if session.session_id in text or session.reference in text:
            spans.append((session.opened_ms, session.closed_ms or session.opened_ms))
    for slip in books.slips:
        if slip.reference in text:
            spans.append((slip.created_ms, slip.updated_ms))
    if not spans:
        return 0, EPOCH_MS * 2
    return min(first for first, _ in spans) - BEFORE_MS, max(last for _, last in spans) + AFTER_MS


def _all(query: Executable, tx: Transaction) -> list[Row]:
    return tx.run(query)


def _steps(ending: Ending) -> Iterable[tuple[int, str]]:
    for name, tables in _MACHINES.items():
        event = tables.event
        query = select(event).order_by(event.c.id)
        rows: list[Any] = ending.disks.read(name, partial(_all, query))
        for row in rows:
            moved = f"{row.status_before or 'new'} -> {row.status_after}"
            if row.status_before == row.status_after and row.kind in ("Metered", "Ticked"):
                continue
            refused = f" REFUSED: {row.refused}" if row.refused else ""
            at_s = (row.at_ms - EPOCH_MS) / 1000
            yield row.at_ms, f"{at_s:10.3f}  {name:<9} {row.machine_id}: {row.kind}, {moved}{refused}"
