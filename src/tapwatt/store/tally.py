"""A histogram as plain numbers: how often a figure was at most this much, and the sum of all.

Nothing here knows who will read it; programs show tallies as Prometheus histograms. Added to from one thread.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


class Tally:
    """Counts by upper bounds; what is above the last bound is counted too."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[int]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0

    def add(self, figure: int) -> None:
        """Count one figure."""
        self.counts[bisect_left(self.bounds, figure)] += 1
        self.total += figure

    @property
    def number(self) -> int:
        """How many figures were counted."""
        return sum(self.counts)
