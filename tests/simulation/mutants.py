"""Money bugs with names, each put in the place of a shipped row or function while a world runs.

A mutant says what it breaks and in which world (seed, visits) an invariant sees it. The same worlds pass
without it (test_mutants). Nothing in src/ knows these names. One file a party has them.
"""

from __future__ import annotations

from tests.simulation import mutants_accounts, mutants_edge, mutants_hosts, mutants_platform, mutants_terminal
from tests.simulation.mutant import Mutant, bred

__all__ = ["ALL", "Mutant", "bred"]

ALL: tuple[Mutant, ...] = (
    *mutants_hosts.ALL,
    *mutants_terminal.ALL,
    *mutants_edge.ALL,
    *mutants_platform.ALL,
    *mutants_accounts.ALL,
)
