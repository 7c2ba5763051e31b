"""What an OBIS code counts, as far as billing energy must know it.

`A-B:C.D.E*F`, groups in hex, F often left out. A = 1 is electricity, D = 8 a running total. C says of what:
01 and 02 are active energy drawn and fed back; B0 to B3 and C0 to C3 are the totals that OCMF reserves
(OCMF 1.4, table 25): of the meter or of the transaction, before or after the cable's losses; 98 and 9E are
meter makers' own, which the transparency software takes. Certainty: B and C seen in two independent readers
of the format, 98 and 9E in one.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_code = re.compile(
    r"([0-9a-f]{1,2})-([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-9a-f]{1,2})\.([0-9a-f]{1,2})(?:[*.]([0-9a-f]{1,3}))?",
    re.IGNORECASE | re.ASCII,
)
_ELECTRICITY: Final = 1
_RUNNING_TOTAL: Final = 8
_ALL_RATES: Final = 0
_DRAWN: Final = frozenset({0x01, 0x98, 0x9E, 0xB0, 0xB1, 0xB2, 0xB3})
_FED_BACK: Final = frozenset({0x02, 0xC0, 0xC1, 0xC2, 0xC3})
_AFTER_LOSSES: Final = frozenset({0x98, 0xB1, 0xB3, 0xC1, 0xC3})
_OF_TRANSACTION: Final = frozenset({0xB2, 0xB3, 0xC2, 0xC3})
_THIS_PERIOD: Final = frozenset({"", "ff", "255"})


class Flow(enum.StrEnum):
    """Which way the energy went that a register counts."""

    DRAWN = "drawn"
    FED_BACK = "fed back"
    OTHER = "no energy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A register by its OBIS code, equal however the code was spelt."""

    groups: tuple[int, int, int, int, int]
    period: str
    """Group F; "" is the present period, as are FF and 255."""

    @property
    def flow(self) -> Flow:
        """Which way."""
        medium, _, quantity, kind, _ = self.groups
        if medium != _ELECTRICITY or kind != _RUNNING_TOTAL:
            return Flow.OTHER
        if quantity in _DRAWN:
            return Flow.DRAWN
        return Flow.FED_BACK if quantity in _FED_BACK else Flow.OTHER

    @property
    def rank(self) -> tuple[bool, bool, bool]:
        """The higher, the closer to what the car got: after losses, of this transaction, of all rates."""
        quantity, rate = self.groups[2], self.groups[4]
        return quantity in _AFTER_LOSSES, quantity in _OF_TRANSACTION, rate == _ALL_RATES


@lru_cache(maxsize=256)
def read_register(text: str) -> Register | None:
    """The register that an OBIS code names; None where it is no OBIS code."""
    found = _code.fullmatch(text.strip())
    if found is None:
        return None
    first, channel, quantity, kind, rate = (int(group, 16) for group in found.groups()[:5])
    period = (found[6] or "").lower()
    return Register(
        groups=(first, channel, quantity, kind, rate), period="" if period in _THIS_PERIOD else period
    )
