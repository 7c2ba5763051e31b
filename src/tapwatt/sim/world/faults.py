"""Which faults a world has, and when: everything from one seed.

Boundary faults happen at a commit or at a send; the others at any moment. A seed also chooses how rough its
world is, so that some seeds are quiet enough for long stories and others crash at every turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

PROGRAMS: Final = ("issuer", "scheme", "acquirer", "gateway", "platform", "edge", "site")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How rough a world is. Rates are per commit, per send, and per virtual second."""

    crash_at_commit: float = 0.0
    crash_at_send: float = 0.0
    disk_full: float = 0.0
    programs: tuple[str, ...] = PROGRAMS
    """At whose commits and sends."""
    every_s: float | None = None
    """A fault of the moment comes about this often; None: never."""
    kinds: tuple[str, ...] = ()
    """Which faults of the moment, by the names of the story; none named: all."""


CALM: Final = Weather()


def weather(chance: Random) -> Weather:
    """The weather of a seed."""
    rough = chance.choice((0.3, 1.0, 1.0, 2.0))
    return Weather(
        crash_at_commit=chance.choice((0.0, 0.004, 0.012)) * rough,
        crash_at_send=chance.choice((0.0, 0.002, 0.006)) * rough,
        disk_full=chance.choice((0.0, 0.002, 0.01)) * rough,
        every_s=chance.choice((None, 30.0, 12.0, 5.0, 3.0)),
    )


def restart_after_s(chance: Random) -> float:
    """Mostly at once, sometimes when somebody has looked at it."""
    return chance.uniform(0.3, 3.0) if chance.random() < 0.85 else chance.uniform(10.0, 90.0)
