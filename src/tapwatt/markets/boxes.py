"""Regions of everything a restriction can ask about, as boxes: one range on each axis.

A tariff element is active in a few boxes; what earlier elements leave of them is found by cutting, so that an
element is called unreachable only when it truly is. Ranges include their start and exclude their end.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

NO_END = 10**15
PIECES_MAX = 2_000
CUTS_MAX = 200_000

Range = tuple[int | Decimal, int | Decimal]
Box = tuple[Range, ...]


class TooManyPieces(Exception):
    """The restrictions cut each other into more pieces than are looked at."""


class Cutter:
    """Cuts boxes out of boxes, and counts its work."""

    def __init__(self, *, most_cuts: int = CUTS_MAX) -> None:
        self._left = most_cuts

    def without(self, boxes: Iterable[Box], others: Sequence[Box]) -> list[Box]:
        """What is left of boxes outside all others. Raises TooManyPieces."""
        rest = list(boxes)
        for other in others:
            self._left -= len(rest)
            if self._left < 0 or len(rest) > PIECES_MAX:
                raise TooManyPieces
            rest = [piece for box in rest for piece in minus(box, other)]
        return rest


def minus(box: Box, other: Box) -> list[Box]:
    """What is left of a box outside another."""
    if not overlap(box, other):
        return [box]
    pieces, rest = [], list(box)
    for axis, (low, high) in enumerate(other):
        start, end = rest[axis]
        if start < low:
            pieces.append((*rest[:axis], (start, low), *rest[axis + 1 :]))
            start = low
        if end > high:
            pieces.append((*rest[:axis], (high, end), *rest[axis + 1 :]))
            end = high
        rest[axis] = (start, end)
    return pieces


def overlap(box: Box, other: Box) -> bool:
    """Whether two boxes have anything in common."""
    return all(max(a[0], b[0]) < min(a[1], b[1]) for a, b in zip(box, other, strict=True))


def within(box: Box, other: Box) -> Box | None:
    """What two boxes have in common."""
    if not overlap(box, other):
        return None
    return tuple((max(a[0], b[0]), min(a[1], b[1])) for a, b in zip(box, other, strict=True))
