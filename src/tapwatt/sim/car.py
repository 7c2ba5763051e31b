"""The car's side of a fast charge: how much power it takes, and when it has enough. Pure.

Short high-power charges on the wall clock: the energy of a visit is delivered in some seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WH_MJ: Final = 3_600_000
"""Millijoules in a watt-hour: W times ms are mJ, so that energy is counted without fractions."""
RAMP_MS: Final = 1_500
_FULL_PERCENT, _LEAST_PERCENT = 85, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """One car. It stops by itself at `target_wh`; `handshake_ms` pass between the start and first power."""

    target_wh: int = 600
    max_power_w: int = 350_000
    handshake_ms: int = 600

    def power_w(self, *, elapsed_ms: int, delivered_wh: int) -> int:
        """What it takes now: a ramp, a plateau, and less towards the end."""
        if delivered_wh >= self.target_wh:
            return 0
        ramp = min(max(elapsed_ms, 0), RAMP_MS) * 100 // RAMP_MS
        share = delivered_wh * 100 // self.target_wh
        taper = 100
        if share > _FULL_PERCENT:
            taper = 100 - (share - _FULL_PERCENT) * (100 - _LEAST_PERCENT) // (100 - _FULL_PERCENT)
        return self.max_power_w * ramp * taper // 10_000


@dataclass(slots=True, kw_only=True)
class Flow:
    """Energy of one charge while it flows: `delivered_wh` so far, and the rest of a Wh in mJ."""

    car: Car
    began_ms: int
    last_ms: int
    delivered_wh: int = 0
    rest_mj: int = 0
    power_w: int = 0

    def advance(self, now_ms: int) -> int:
        """Let time pass; give the Wh that the register counts on by."""
        passed_ms = max(now_ms - self.last_ms, 0)
        self.last_ms = max(now_ms, self.last_ms)
        self.power_w = self.car.power_w(
            elapsed_ms=self.last_ms - self.began_ms, delivered_wh=self.delivered_wh
        )
        self.rest_mj += self.power_w * passed_ms
        gained_wh = min(self.rest_mj // WH_MJ, self.car.target_wh - self.delivered_wh)
        self.rest_mj -= gained_wh * WH_MJ
        self.delivered_wh += gained_wh
        return gained_wh

    @property
    def full(self) -> bool:
        """Whether the car has what it came for."""
        return self.delivered_wh >= self.car.target_wh
