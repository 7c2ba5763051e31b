"""Runs of visits: written down once, resumed after a power cut, shown with what belongs to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from tapwatt.programs.runtime import now_ms
from tapwatt.sim import visits
from tapwatt.sim.driver import Driver, Ended, Outcome
from tapwatt.sim.plans import Plan
from tapwatt.sim.tables import METADATA
from tapwatt.sim.visits import Visits
from tapwatt.store import Database


class PowerCut(Exception):
    """The program dies here."""


class Stand:
    """A driver who does as told: charges, or is cut off in the visit of a given number."""

    def __init__(self, cut_at: int = 0) -> None:
        self.cut_at = cut_at
        self.came: list[int] = []
        self.came_back: list[int] = []

    async def come(self, plan: Plan, *, since_ms: int) -> Ended:
        self.came.append(plan.number)
        if plan.number == self.cut_at:
            raise PowerCut
        return Ended(outcome=Outcome.CHARGED)

    async def come_back(self, *, evse_id: int, since_ms: int) -> Ended:
        self.came_back.append(evse_id)
        return Ended(outcome=Outcome.RELEASED, reason="power")


def run_of(database: Database, stand: Stand, *, asked: int | None = 3, seed: int = 1) -> Visits:
    return Visits(
        database,
        cast(Driver, stand),
        run_id="r1",
        asked=asked,
        seed=seed,
        evses=(1, 2),
        now_ms=now_ms,
    )


async def shown(database: Database) -> dict[str, Any]:
    found = await database.read(lambda tx: visits.shown(tx, run_id="r1", station_id="CS1", now_ms=now_ms()))
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "SHORT_PAUSE_S", 0.0)
    monkeypatch.setattr(visits, "LONG_PAUSE_S", 0.0)


async def test_a_run_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/site.sqlite", metadata=METADATA)
    first = Stand(cut_at=2)
    run = run_of(database, first)
    await run.prepare()
    with pytest.raises(PowerCut):
        await run.carry_out()
    told = await shown(database)
    assert (told["done"], [each["state"] for each in told["visits"]]) == (
        False,
        ["done", "running", "waiting"],
    )
    second = Stand()
    again = run_of(database, second, asked=9, seed=5)  # what was asked first counts
    await again.prepare()
    await again.carry_out()
    assert (first.came, second.came_back, second.came) == ([1, 2], [2], [3])
    told = await shown(database)
    assert (told["done"], told["asked"], told["seed"]) == (True, 3, 1)
    assert [each["outcome"] for each in told["visits"]] == ["charged", "released", "charged"]
    assert [each["reason"] for each in told["visits"]] == ["", "power", ""]
    await database.close()


async def test_by_hand_there_are_no_visits(tmp_path: Path) -> None:
    database = await Database.open("sqlite://", metadata=METADATA)
    stand = Stand()
    run = run_of(database, stand, asked=0)
    await run.prepare()
    await run.carry_out()
    assert stand.came == []
    assert (await shown(database))["done"]
    assert (
        await database.read(lambda tx: visits.shown(tx, run_id="other", station_id="CS1", now_ms=now_ms()))
        is None
    )
    await database.close()


async def test_without_a_number_drivers_come_until_the_power_goes(tmp_path: Path) -> None:
    database = await Database.open("sqlite://", metadata=METADATA)
    stand = Stand(cut_at=6)
    run = run_of(database, stand, asked=None)
    await run.prepare()
    with pytest.raises(PowerCut):
        await run.carry_out()
    assert stand.came == [1, 2, 3, 4, 5, 6]
    told = await shown(database)
    assert (told["done"], len(told["visits"])) == (False, 6)
    await database.close()
