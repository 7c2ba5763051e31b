"""How the platform fares, for those who watch it: its figures, its parts, and a log line for each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from tapwatt.core.effects import Effect
from tapwatt.core.session import Session
from tapwatt.engine import Step
from tapwatt.platform.figures import SessionTally, books
from tapwatt.platform.sessions import Event
from tapwatt.programs.health import Part
from tapwatt.programs.metrics import (
    Family,
    Histogram,
    Labels,
    age_s,
    counter,
    gauge,
    gauges,
    own_figures,
)
from tapwatt.programs.runtime import Runtime
from tapwatt.store import Database
from tapwatt.traces import Recorder

READING: Final = "Metered"
log = structlog.get_logger("tapwatt.session")


def say_step(step: Step[Session, Event, Effect]) -> None:
    """One line a step, with the session and the reference that its payment has on every wire."""
    before, after = step.before, step.state
    kind = type(step.event).__name__
    write = log.debug if kind == READING else log.info
    write(
        "session step",
        session=step.machine_id,
        reference=after.reference,
        happened=kind,
        state=str(after.state),
        was=None if before is None or before.state == after.state else str(before.state),
        asks=" ".join(type(effect).__name__ for effect in step.effects) or None,
    )


class Watch:
    """The platform's figures and parts. `connected` gives how many stations and which edges are there."""

    def __init__(
        self,
        runtime: Runtime,
        database: Database,
        traces: Recorder,
        *,
        connected: Callable[[], tuple[int, tuple[str, ...]]],
        known_edges: Callable[[], frozenset[str]],
    ) -> None:
        self.tally = SessionTally()
        self._runtime, self._database, self._traces = runtime, database, traces
        self._connected, self._known_edges = connected, known_edges

    def parts(self) -> list[Part]:
        """Edges that should be there and are not: their terminals take no card now."""
        _, there = self._connected()
        away = sorted(self._known_edges() - set(there))
        words = f"{', '.join(away[:5])} {'is' if len(away) == 1 else 'are'} not connected" if away else ""
        return [Part(name="edges", reason=words)]

    async def figures(self) -> list[Family | Histogram]:
        """Everything that is scraped."""
        found = await self._database.read(books)
        stations, there = self._connected()
        outcomes: dict[Labels, int] = {
            (("outcome", outcome), ("reason", reason)): number
            for (outcome, reason), number in self.tally.outcomes.items()
        }
        return [
            *own_figures(self._runtime, self._traces),
            gauges("sessions", "Sessions by state.", "state", found.sessions),
            counter("payments", "Outcomes of payments since the start, with the reason given.", outcomes),
            Histogram(
                name="tapwatt_authorisation_seconds",
                help="From asking for a hold to the terminal's answer.",
                tally=self.tally.authorised_ms,
                per=1000,
            ),
            gauge("open_holds", "Holds that are neither captured nor given back.", found.open_holds),
            gauge("oldest_open_hold_seconds", "Age of the oldest of them.", age_s(found.oldest_open_ms)),
            gauges("outbox_waiting", "Effects to be performed, by who performs them.", "lane", found.outbox),
            gauges(
                "connections",
                "Who is connected now.",
                "kind",
                {"station": stations, "edge": len(there)},
            ),
            gauges("terminals", "Terminals by state.", "state", found.terminals),
        ]
