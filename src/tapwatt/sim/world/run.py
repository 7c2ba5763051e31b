"""Many visits in one command: worlds of twenty visits, one seed each, and what they came to.

World number i of `--seed N` has seed N + i, so a failing world is replayed alone by its own seed. Worlds know
nothing of each other: several processes may run them, and what they came to is the same.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from typing import Final

from tapwatt.sim.world.evidence import gather
from tapwatt.sim.world.invariants import breaches
from tapwatt.sim.world.settled import unsettled
from tapwatt.sim.world.telling import tell
from tapwatt.sim.world.world import Ending, World

VISITS_A_WORLD: Final = 20
WORLDS_A_PROCESS: Final = 200
"""A process makes way for a fresh one after so many: a long run needs no more memory than a short one."""
MOST_BROKEN: Final = 100
"""Broken worlds told with their violations; the others are only counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One world: its faults, what it broke, and, if it broke anything, the story."""

    seed: int
    visits: int
    faults: Counter[str]
    violations: tuple[str, ...]
    story: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Total:
    """What all worlds came to."""

    visits: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    violations: int = 0
    broken: list[Verdict] = field(default_factory=list)
    """The first ones, without their stories."""
    seconds: float = 0.0

    def add(self, verdict: Verdict) -> None:
        """Count one world."""
        self.visits += verdict.visits
        self.faults += verdict.faults
        self.violations += len(verdict.violations)
        if verdict.violations and len(self.broken) < MOST_BROKEN:
            self.broken.append(replace(verdict, story=()))

    def as_json(self) -> dict[str, object]:
        """interfaces.md, `tapwatt sim world`; with the kinds of faults and every violation spelt out."""
        return {
            "visits": self.visits,
            "faults": self.faults.total(),
            "violations": self.violations,
            "visits_per_second": round(self.visits / self.seconds, 2) if self.seconds else 0.0,
            "fault_kinds": dict(sorted(self.faults.items())),
            "broken": [
                {"seed": each.seed, "visits": each.visits, "violations": list(each.violations)}
                for each in self.broken
            ],
        }


def run(
    *, seed: int, visits: int, jobs: int = 1, each: Callable[[Verdict], None] = lambda _verdict: None
) -> Total:
    """Run so many visits in so many processes; `each` hears of every world in order, when it is over."""
    total = Total()
    began_s = time.perf_counter()
    with _verdicts(list(worlds(seed=seed, visits=visits)), jobs) as verdicts:
        for verdict in verdicts:
            total.add(verdict)
            total.seconds = time.perf_counter() - began_s
            each(verdict)
    return total


@contextmanager
def _verdicts(asked: list[tuple[int, int]], jobs: int) -> Iterator[Iterator[Verdict]]:
    if min(jobs, len(asked)) < 2:
        usual = gc.get_threshold()
        _collect_seldom()
        try:
            yield map(_judged, asked)
        finally:
            gc.set_threshold(*usual)
        return
    with get_context("spawn").Pool(
        min(jobs, len(asked)), initializer=_collect_seldom, maxtasksperchild=WORLDS_A_PROCESS
    ) as pool:
        yield pool.imap(_judged, asked)


def _collect_seldom() -> None:
    """A world makes much garbage and few cycles: looking for them less often saves a sixth of its time."""
    gc.set_threshold(200_000, 20, 100)


def _judged(asked: tuple[int, int]) -> Verdict:
    seed, visits = asked
    return judge(World(seed, visits=visits).run())


def worlds(*, seed: int, visits: int) -> Iterator[tuple[int, int]]:
    """Seed and number of visits of each world."""
    for number in range(-(-visits // VISITS_A_WORLD)):
        yield seed + number, min(VISITS_A_WORLD, visits - number * VISITS_A_WORLD)


def judge(ending: Ending) -> Verdict:
    """Hold the books of a world against the invariants."""
    books = gather(ending.disks, acknowledged=ending.acknowledged)
    violations = breaches(books)
    violations += [f"no_program_falls: {fall}" for fall in ending.fell]
    if not ending.visits_ended:
        violations.append("every_visit_ends: the drivers did not come to an end")
    if not ending.settled and not violations:
        violations += [f"everything_comes_to_rest: {what}" for what in unsettled(ending.disks)]
    story = tell(ending, books, violations) if violations else ()
    ending.disks.close()
    return Verdict(
        seed=ending.seed,
        visits=ending.visits,
        faults=Counter(ending.story.faults),
        violations=tuple(violations),
        story=story,
    )
