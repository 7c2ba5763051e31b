"""One seed for all chance, and the loop's clock for all clocks, while a world runs.

Programs take chance and time from the standard library's own functions in their composition roots; those are
replaced for the time of the run, so that nothing that runs can tell the difference and everything replays.
"""

from __future__ import annotations

import os
import random
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from tapwatt.sim.world.loop import LIFE, WorldLoop


@contextmanager
def seeded(loop: WorldLoop, seed: str) -> Iterator[None]:
    """Clocks of the loop and chance of the seed until the block ends."""
    chance = Random(f"{seed}/chance")

    def time_ns() -> int:
        life = LIFE.get()
        return (loop.now_ms() + (0 if life is None else life.skew_ms)) * 1_000_000

    replaced: list[tuple[Any, str, Any]] = [
        (time, "time_ns", time_ns),
        (time, "time", lambda: time_ns() / 1e9),
        (time, "monotonic", loop.time),
        (time, "monotonic_ns", lambda: round(loop.time() * 1e9)),
        (os, "urandom", chance.randbytes),
        (secrets, "token_bytes", chance.randbytes),
        (secrets, "randbelow", chance.randrange),
    ]
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in replaced]
    state = random.getstate()
    random.seed(f"{seed}/jitter")
    try:
        for owner, name, value in replaced:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in kept:
            setattr(owner, name, value)
        random.setstate(state)
