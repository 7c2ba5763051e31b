"""Each named money bug is seen by an invariant, and the same worlds pass without it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from tapwatt.sim.world.run import judge
from tapwatt.sim.world.world import World

SETTLE_S = 900.0


def _mutants() -> Any:
    spec = importlib.util.spec_from_file_location("mutants", Path(__file__).with_name("mutants.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutants"] = module
    spec.loader.exec_module(module)
    return module


mutants = _mutants()
SEEN = [mutant for mutant in mutants.ALL if mutant.seed]


@pytest.mark.parametrize("mutant", SEEN, ids=lambda mutant: mutant.name)
def test_a_mutant_is_seen(mutant: Any) -> None:
    with mutants.bred(mutant):
        verdict = judge(World(mutant.seed, visits=mutant.visits, settle_s=SETTLE_S).run())
    assert verdict.violations


@pytest.mark.parametrize("world", sorted({(mutant.seed, mutant.visits) for mutant in SEEN}))
def test_the_same_worlds_pass_without_them(world: tuple[int, int]) -> None:
    seed, visits = world
    assert judge(World(seed, visits=visits, settle_s=SETTLE_S).run()).violations == ()


def test_no_mutant_is_known_to_the_product() -> None:
    text = "\n".join(path.read_text("utf-8") for path in Path("src").rglob("*.py"))
    assert not [mutant.name for mutant in mutants.ALL if mutant.name in text]
