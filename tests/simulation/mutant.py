"""What a mutant is, and how it is put into the shipped code and taken out again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from tapwatt.sim.world.faults import Weather

Patch = tuple[Any, Any, Any]
"""Owner, name or key, and what stands there instead."""

GIVEN_UP = Weather(every_s=1.0, kinds=("hung up",))
"""Lines that are given up while they still deliver: what was said later arrives first."""
CUT = Weather(every_s=1.0, kinds=("hung up", "connection reset"))
LATE = Weather(every_s=3.0, kinds=("slow", "silent issuer", "hung up"))
SLOW = Weather(every_s=2.0, kinds=("slow", "silent issuer"))
DEVICE = Weather(every_s=3.0, kinds=("device",))
UNPLUGGED = Weather(every_s=8.0, kinds=("unplugged",))
SITE = Weather(crash_at_commit=0.05, programs=("site",))
"""Only station and terminal lose their power, and only at their own commits."""
HOSTS = Weather(crash_at_send=0.15, programs=("gateway", "acquirer", "scheme"))
FULL = Weather(disk_full=0.03)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A money bug: its name, where it is put, the world that shows it and the invariant that sees it."""

    name: str
    patches: tuple[Patch, ...]
    seed: int
    visits: int
    rough: Weather | None = None
    """The weather of its world, where it is not the seed's own."""
    seen_by: str


@contextmanager
def bred(mutant: Mutant) -> Iterator[None]:
    """The bug stands in the shipped code until the block ends."""
    with ExitStack() as undo:
        for owner, name, instead in mutant.patches:
            if isinstance(owner, dict):
                undo.callback(owner.__setitem__, name, owner[name])
                owner[name] = instead
            else:
                undo.callback(setattr, owner, name, getattr(owner, name))
                setattr(owner, name, instead)
        yield


def without_effects(row: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A row of a host that moves on and does nothing."""
    return lambda state, event: replace(row(state, event), effects=())
