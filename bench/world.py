"""The simulated world: visits a second of one core, faults and invariants included.

`tapwatt sim world` runs as its users run it, a process for each round and a seed for each process; what it
says of itself is taken from its JSON, its processor time from the kernel.
"""

import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from bench.figures import Section, spread

ABOUT: Final = (
    "All programs in one process in virtual time, every kind of fault drawn from the seed, the books of all "
    "parties held against the invariants. One thread: a second of processor time is a second of one core. "
    "The start of the command is counted too."
)
ROUNDS: Final = 5
VISITS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one seed came to."""

    cpu_s: float
    faults: int
    violations: int


def measure() -> Section:
    """Visits a second of processor time, seed by seed."""
    rounds = [measured(seed) for seed in range(1, ROUNDS + 1)]
    rate = spread([VISITS / each.cpu_s for each in rounds])
    faults = spread([each.faults / VISITS for each in rounds])
    return Section(
        title="simulated visits on one core",
        about=ABOUT,
        head=("", "median (p10–p90)"),
        rows=(
            ("visits a second of processor time", rate.text()),
            ("faults a visit", faults.text()),
            ("violations of an invariant, all rounds", str(sum(each.violations for each in rounds))),
        ),
        notes=(f"{ROUNDS} seeds of {VISITS} visits each.",),
    )


def measured(seed: int, *, visits: int = VISITS) -> Round:
    """Run one seed as a program. It must end with a result, whatever that says."""
    before_s = _children_cpu_s()
    command = [sys.executable, "-m", "tapwatt", "sim", "world", "--seed", str(seed), "--visits", str(visits)]
    run = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stderr
    result = json.loads(run.stdout)
    assert result["visits"] == visits
    return Round(cpu_s=_children_cpu_s() - before_s, faults=result["faults"], violations=result["violations"])


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
