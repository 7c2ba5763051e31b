"""What the platform counts for those who watch it: of all operators together, no name and no card."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select

from tapwatt.core.effects import Authorise, Effect
from tapwatt.core.session import Session
from tapwatt.engine import Step
from tapwatt.platform.sessions import SESSIONS, Event
from tapwatt.platform.tables import SESSION, TERMINAL
from tapwatt.platform.views import OPEN_PAYMENT
from tapwatt.store import Transaction
from tapwatt.store.tally import Tally

LATENCY_MS: Final = (250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 30_000, 60_000, 90_000)
MOST_REASONS: Final = 100
MOST_OPEN_READ: Final = 20_000
_ANSWERS: Final = ("Approved", "Declined", "Aborted", "NotSent", "FoundOpen", "FoundNone")
_OUTCOMES: Final = frozenset(
    {
        *_ANSWERS, "Silent", "Captured", "AlreadyCaptured", "CaptureRefused", "Released", "ReleaseRefused",
        "Voided", "VoidRefused", "Refunded", "RefundRefused",
    }
)  # fmt: skip
_M, _F = SESSION.machine, SESSION.effect
_ENDED: Final = ("closed", "failed")
_BY_STATE = select(_M.c.status, func.count().label("number")).group_by(_M.c.status)
_UNENDED = select(_M.c.state).where(_M.c.status.not_in(_ENDED)).limit(MOST_OPEN_READ)
_OUTBOX = select(_F.c.lane, func.count().label("number")).where(_F.c.done_ms.is_(None)).group_by(_F.c.lane)
_TERMINALS = select(TERMINAL.c.state, func.count().label("number")).group_by(TERMINAL.c.state)
_EDGES = select(TERMINAL.c.edge_id).distinct()


class SessionTally:
    """Counts sessions' steps as they are taken, since the program started."""

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.authorised_ms = Tally(LATENCY_MS)
        self._asked_ms: OrderedDict[str, int] = OrderedDict()

    def followed(self, step: Step[Session, Event, Effect]) -> None:
        """A step was committed."""
        kind, event = type(step.event).__name__, step.event
        if kind in _OUTCOMES:
            outcome = kind, str(getattr(event, "code", "") or "")
            if outcome not in self.outcomes and len(self.outcomes) >= MOST_REASONS:
                outcome = kind, "other"
            self.outcomes[outcome] += 1
        asked_ms = self._asked_ms.pop(step.machine_id, None) if kind in _ANSWERS else None
        if asked_ms is not None:
            self.authorised_ms.add(event.at_ms - asked_ms)
        if any(isinstance(effect, Authorise) for effect in step.effects):
            self._asked_ms[step.machine_id] = event.at_ms
            if len(self._asked_ms) > MOST_OPEN_READ:
                self._asked_ms.popitem(last=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookFigures:
    """What is in the platform's books now."""

    sessions: dict[str, int]
    outbox: dict[str, int]
    terminals: dict[str, int]
    open_holds: int
    oldest_open_ms: int | None


def books(tx: Transaction) -> BookFigures:
    """Read them in one snapshot."""
    held = [
        state.opened_ms
        for state in (SESSIONS.state(row.state) for row in tx.run(_UNENDED))
        if state.payment is not None and state.payment.state in OPEN_PAYMENT
    ]
    return BookFigures(
        sessions=_counted(tx, _BY_STATE, "status"),
        outbox=_counted(tx, _OUTBOX, "lane"),
        terminals=_counted(tx, _TERMINALS, "state"),
        open_holds=len(held),
        oldest_open_ms=min(held, default=None),
    )


def edges(tx: Transaction) -> frozenset[str]:
    """The edges that terminals are registered at."""
    return frozenset(str(row.edge_id) for row in tx.run(_EDGES))


def _counted(tx: Transaction, query: Any, name: str) -> dict[str, int]:
    return {str(getattr(row, name)): int(row.number) for row in tx.run(query)}
