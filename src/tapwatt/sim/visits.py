"""A run's visits: planned, carried out one after another, resumed after a restart of the same run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import Executable, bindparam, insert, select, update

from tapwatt.sim import books, station_books
from tapwatt.sim.driver import Driver, Ended
from tapwatt.sim.plans import Plan, plan
from tapwatt.sim.tables import RUN, VISIT
from tapwatt.store import Database, Row, Transaction

WAITING, RUNNING, DONE = "waiting", "running", "done"
MOST_VISITS: Final = 1_000
SHORT_PAUSE_S: Final = 1.0
LONG_PAUSE_S: Final = 4.0

_ADD_RUN: Executable = insert(RUN)
_RUN: Executable = select(RUN).where(RUN.c.run_id == bindparam("run"))
_ADD_VISIT: Executable = insert(VISIT)
_VISITS: Executable = (
    select(VISIT).where(VISIT.c.run_id == bindparam("run")).order_by(VISIT.c.number.desc()).limit(MOST_VISITS)
)
_SET_VISIT: Executable = (
    update(VISIT)
    .where(VISIT.c.run_id == bindparam("run"), VISIT.c.number == bindparam("visit"))
    .values(
        {name: bindparam(f"new_{name}") for name in ("state", "outcome", "reason", "started_ms", "ended_ms")}
    )
)

log = structlog.get_logger("tapwatt.sim")


@dataclass(slots=True, kw_only=True)
class Underway:
    """The visit that is carried out, or was last."""

    plan: Plan
    since_ms: int
    ended: Ended | None = None


class Visits:
    """One run's visits. `asked` None: one after another until the program stops."""

    def __init__(
        self,
        database: Database,
        driver: Driver,
        *,
        run_id: str,
        asked: int | None,
        seed: int,
        evses: tuple[int, ...],
        now_ms: Callable[[], int],
    ) -> None:
        self.run_id = run_id
        self.newest: Underway | None = None
        self._may_come = asyncio.Event()
        self._may_come.set()
        self._database = database
        self._driver = driver
        self._asked = asked
        self._seed = seed
        self._evses = evses
        self._now_ms = now_ms

    async def prepare(self) -> None:
        """Write the run and its visits down, unless they are there: then this is a restart of it."""
        await self._database.write(self._write_down)

    @property
    def somebody_here(self) -> bool:
        """Whether a visit goes on."""
        return self.newest is not None and self.newest.ended is None

    def hold_back(self) -> None:
        """Let nobody come after the visit that goes on."""
        self._may_come.clear()

    def let_come(self) -> None:
        """Let drivers come again."""
        self._may_come.set()

    async def carry_out(self) -> None:
        """All visits that are not done yet."""
        rows = await self._database.read(lambda tx: list(reversed(tx.run(_VISITS, run=self.run_id))))
        for row in rows:
            if row.state == RUNNING:
                await self._resume(row)
            elif row.state == WAITING:
                await self._carry_out(self._plan(row.number))
                await asyncio.sleep(SHORT_PAUSE_S)
        number = rows[-1].number if rows else 0
        while self._asked is None:
            number += 1
            coming = self._plan(number)
            await self._database.write(lambda tx, coming=coming: self._add(tx, coming))  # type: ignore[misc]
            await self._carry_out(coming)
            await asyncio.sleep(LONG_PAUSE_S)

    async def _resume(self, row: Row) -> None:
        since_ms = row.started_ms or self._now_ms()
        ended = await self._driver.come_back(evse_id=row.evse_id, since_ms=since_ms)
        await self._finish(row.number, since_ms, ended)

    async def _carry_out(self, coming: Plan) -> None:
        await self._may_come.wait()
        since_ms = self._now_ms()
        self.newest = underway = Underway(plan=coming, since_ms=since_ms)
        await self._set(coming.number, state=RUNNING, started_ms=since_ms)
        log.info("visit", number=coming.number, kind=coming.kind, evse=coming.evse_id)
        underway.ended = await self._driver.come(coming, since_ms=since_ms)
        await self._finish(coming.number, since_ms, underway.ended)

    async def _finish(self, number: int, since_ms: int, ended: Ended) -> None:
        log.info("visit over", number=number, outcome=ended.outcome, reason=ended.reason)
        await self._set(
            number,
            state=DONE,
            outcome=ended.outcome,
            reason=ended.reason,
            started_ms=since_ms,
            ended_ms=self._now_ms(),
        )

    async def _set(self, number: int, **changed: Any) -> None:
        values: dict[str, Any] = {"outcome": "", "reason": "", "ended_ms": None, **changed}
        new = {f"new_{name}": value for name, value in values.items()}
        await self._database.write(lambda tx: tx.run(_SET_VISIT, run=self.run_id, visit=number, **new))

    def _plan(self, number: int) -> Plan:
        return plan(seed=self._seed, number=number, evses=self._evses)

    def _write_down(self, tx: Transaction) -> None:
        known = tx.one(_RUN, run=self.run_id)
        if known is not None:
            self._asked, self._seed = known.asked, known.seed
            return
        tx.run(_ADD_RUN, run_id=self.run_id, asked=self._asked, seed=self._seed, began_ms=self._now_ms())
        for number in range(1, (self._asked or 0) + 1):
            self._add(tx, self._plan(number))

    def _add(self, tx: Transaction, coming: Plan) -> None:
        tx.run(
            _ADD_VISIT,
            run_id=self.run_id,
            number=coming.number,
            kind=coming.kind,
            card=coming.card,
            id_token=coming.id_token,
            evse_id=coming.evse_id,
            state=WAITING,
            outcome="",
            reason="",
            started_ms=None,
            ended_ms=None,
        )


def shown(tx: Transaction, *, run_id: str, station_id: str, now_ms: int) -> dict[str, Any] | None:
    """A run's visits with the payments and transactions that belong to each; None for an unknown run."""
    run = tx.one(_RUN, run=run_id)
    if run is None:
        return None
    rows = list(reversed(tx.run(_VISITS, run=run_id)))
    done = run.asked is not None and all(row.state == DONE for row in rows)
    return {
        "run": run_id,
        "asked": run.asked,
        "seed": run.seed,
        "began_ms": run.began_ms,
        "done": done,
        "visits": [_view(tx, row, station_id, now_ms) for row in rows],
    }


def _view(tx: Transaction, row: Row, station_id: str, now_ms: int) -> dict[str, Any]:
    payments: list[Row] = []
    charges: list[Row] = []
    if row.started_ms is not None:
        until_ms = now_ms if row.ended_ms is None else row.ended_ms
        payments = books.between(tx, row.started_ms, until_ms)
        charges = [
            each
            for each in station_books.between(tx, row.started_ms, until_ms)
            if each.evse_id == row.evse_id
        ]
    names = ("kind", "card", "evse_id", "state", "outcome", "reason", "started_ms", "ended_ms")
    return {
        "visit": row.number,
        **{name: getattr(row, name) for name in names},
        "station_id": station_id,
        "id_token": row.id_token or next((each.id_token for each in charges), ""),
        "references": list(dict.fromkeys(each.reference for each in payments)),
        "transaction_ids": [each.transaction_id for each in charges if each.transaction_id],
    }
