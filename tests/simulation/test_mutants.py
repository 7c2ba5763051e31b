"""Each named money bug is seen by the invariant it names, and the same worlds pass without it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulation import mutants
from tests.simulation.mutant import Mutant, bred

from tapwatt.sim.world.faults import Weather
from tapwatt.sim.world.run import judge
from tapwatt.sim.world.world import World

AT_LEAST = 25
SETTLE_S = 900.0
WORLDS = sorted({(each.seed, each.visits, each.rough) for each in mutants.ALL}, key=repr)


def violations(seed: int, visits: int, rough: Weather | None) -> tuple[str, ...]:
    return judge(World(seed, visits=visits, rough=rough, settle_s=SETTLE_S).run()).violations


@pytest.mark.parametrize("mutant", mutants.ALL, ids=lambda mutant: mutant.name)
def test_a_mutant_is_seen(mutant: Mutant) -> None:
    with bred(mutant):
        found = violations(mutant.seed, mutant.visits, mutant.rough)
    assert any(each.startswith(f"{mutant.seen_by}: ") for each in found), found


@pytest.mark.parametrize(("seed", "visits", "rough"), WORLDS)
def test_the_same_worlds_pass_without_them(seed: int, visits: int, rough: Weather | None) -> None:
    assert violations(seed, visits, rough) == ()


def test_there_are_many_and_each_has_a_name() -> None:
    assert len({mutant.name for mutant in mutants.ALL}) == len(mutants.ALL) >= AT_LEAST


def test_no_mutant_is_known_to_the_product() -> None:
    text = "\n".join(path.read_text("utf-8") for path in Path("src").rglob("*.py"))
    assert not [mutant.name for mutant in mutants.ALL if mutant.name in text]
