"""The simulated world: visits a second on one core, all seven programs included, with and without faults."""

import time
from typing import Final

from bench.figures import Section, interleaved, spread

from tapwatt.sim.world.faults import CALM, Weather
from tapwatt.sim.world.run import VISITS_A_WORLD, Verdict, judge
from tapwatt.sim.world.world import World

ABOUT: Final = (
    "Worlds of {} visits by seed, each from its first start to the verdict of the invariants, in turn with "
    "and without faults. Visits a second of processor time on one core, median (p10–p90) over the worlds. "
    'The whole command is `make sim ARGS="--seed 1 --visits 1000"`: it takes one process a core.'
)
ROUNDS: Final = 25


def measure() -> Section:
    """Visits a second of processor time."""
    seen: dict[str, list[Verdict]] = {"faults": [], "calm": []}

    def one(kind: str, rough: Weather | None) -> None:
        seed = len(seen[kind]) + 1
        seen[kind].append(judge(World(seed, visits=VISITS_A_WORLD, rough=rough).run()))

    World(1, visits=1, rough=CALM).run()  # compiles statements and reads data files
    pair = {"faults": lambda: one("faults", None), "calm": lambda: one("calm", CALM)}
    taken = interleaved(pair, rounds=ROUNDS, times=1, clock=time.process_time)
    broken = [verdict for verdicts in seen.values() for verdict in verdicts if verdict.violations]
    assert not broken, "the world of a bench has a violation: see tapwatt sim world"
    rows = []
    for kind, title in (("faults", "as the seeds have it"), ("calm", "without faults")):
        rate = spread([VISITS_A_WORLD / seconds for seconds in taken[kind]])
        faults = sum(verdict.faults.total() for verdict in seen[kind])
        rows.append((title, rate.text(), f"{faults / (ROUNDS * VISITS_A_WORLD):.1f}"))
    return Section(
        title="simulated visits",
        about=ABOUT.format(VISITS_A_WORLD),
        head=("worlds", "visits a second", "faults a visit"),
        rows=tuple(rows),
    )
