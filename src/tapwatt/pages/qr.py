"""An address as a QR code (ISO/IEC 18004), as numbers for a template that draws it as SVG elements.

Inline elements with presentation attributes need no permission of the page's content security policy, which
knows neither inline styles nor `data:` images. Black on white in light and dark alike, with the quiet zone
of four modules that the standard asks for: phones read it off a dark page too.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Final

QUIET: Final = 4
KEPT_MAX: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A drawn code: its side in modules with the quiet zone, and its dark runs as (x, y, length)."""

    side: int
    runs: tuple[tuple[int, int, int], ...]

    @property
    def path(self) -> str:
        """The dark runs as the path of an SVG."""
        return "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in self.runs)


@lru_cache(maxsize=KEPT_MAX)
def qr(address: str) -> Code:
    """The code of an address, at error correction level M. Raises ValueError above 2,331 bytes."""
    import segno  # the console starts without it

    rows = segno.make(address, error="m", boost_error=False, micro=False).matrix
    runs: list[tuple[int, int, int]] = []
    for y, row in enumerate(rows):
        x = 0
        for dark, modules in groupby(row):
            length = len(list(modules))
            if dark:
                runs.append((x + QUIET, y + QUIET, length))
            x += length
    return Code(side=len(rows) + 2 * QUIET, runs=tuple(runs))
