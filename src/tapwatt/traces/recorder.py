"""Keeps traces without delaying anybody: notes them in memory, and writes them in a commit of their own.

What is noted waits up to half a second. The rows then join whatever commit the writer makes next; nobody
awaits it, so no answer waits for a trace. Under load the oldest notes are dropped and counted: a trace is for
people, and people do not read two thousand messages a second.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from tapwatt.store import Database, Transaction, UnableToQueue, UnableToStore
from tapwatt.traces.messages import Trace
from tapwatt.traces.tables import TraceTable

FLUSH_S: Final = 0.5
MOST_WAITING: Final = 400
"""Notes in memory; so at most twice as many rows a second."""
AT_A_STROKE: Final = 25
"""Messages decoded before the loop has its turn again."""
CUT_EVERY_ROWS: Final = 500
_DAY_MS: Final = 86_400_000

Draw = Callable[[], Trace | None]
"""Decodes and masks a message; None when it is not worth a row."""

log = structlog.get_logger("tapwatt.traces")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is kept: rows (0 keeps nothing) and days."""

    rows: int
    days: int


class Recorder:
    """A program's traces. `owner(tx, trace)` says whose a trace is, where there are several operators."""

    def __init__(
        self,
        database: Database,
        table: TraceTable,
        *,
        bounds: Bounds,
        now_ms: Callable[[], int],
        owner: Callable[[Transaction, Trace], str] = lambda _tx, _trace: "",
    ) -> None:
        self.dropped = 0
        self.kept = 0
        self._database, self._table, self._owner = database, table, owner
        self._bounds, self._now_ms = bounds, now_ms
        self._waiting: deque[Draw] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._cut_at = 0
        self._ill = False

    def note(self, draw: Draw) -> None:
        """Remember a message; it is decoded later. Never fails and never waits."""
        if not self._bounds.rows:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(draw)
        if self._timer is None and self._flushing is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self._begin)

    async def stop(self) -> None:
        """Write what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._flushing is not None:
            await asyncio.gather(self._flushing, return_exceptions=True)
        await self._flush()

    def _begin(self) -> None:
        self._timer = None
        self._flushing = asyncio.get_running_loop().create_task(self._flush_and_go_on(), name="traces")

    async def _flush_and_go_on(self) -> None:
        try:
            await self._flush()
        finally:
            self._flushing = None
        if self._waiting and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self._begin)

    async def _flush(self) -> None:
        drawn: list[Trace] = []
        for number in range(len(self._waiting)):
            if number % AT_A_STROKE == AT_A_STROKE - 1:
                await asyncio.sleep(0)
            if self._waiting and (trace := self._drawn(self._waiting.popleft())) is not None:
                drawn.append(trace)
        if not drawn:
            return
        try:
            await self._database.write(lambda tx: self._keep(tx, drawn))
        except (UnableToStore, UnableToQueue) as error:
            self.dropped += len(drawn)
            if not self._ill:
                log.warning("traces lost", rows=len(drawn), reason=str(error))
            self._ill = True
        else:
            self.kept += len(drawn)
            self._ill = False

    def _drawn(self, draw: Draw) -> Trace | None:
        try:
            return draw()
        except Exception as error:  # a message that nobody can decode must not take the others along
            self.dropped += 1
            log.warning("a message was not traced", error=type(error).__name__)
            return None

    def _keep(self, tx: Transaction, drawn: list[Trace]) -> None:
        for trace in drawn:
            self._table.add(tx, trace, owner=self._owner(tx, trace))
        if self.kept >= self._cut_at:
            self._cut_at = self.kept + CUT_EVERY_ROWS
            before_ms = self._now_ms() - self._bounds.days * _DAY_MS
            self._table.cut(tx, most_rows=self._bounds.rows, before_ms=before_ms)
