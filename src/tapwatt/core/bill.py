"""The itemised result of pricing: lines with quantity, unit price and tax, and totals rounded once by a
stored policy."""

from dataclasses import dataclass
from decimal import Decimal

ROUND_TOTAL_HALF_UP = "gross total half up, net total half up, tax is the difference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One priced component. Amounts are exact, in major units; rounding happens only in the totals."""

    dimension: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    net: Decimal
    tax_rate_percent: Decimal
    tax: Decimal
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a session costs. `gross_minor = net_minor + tax_minor`, always."""

    currency: str
    lines: tuple[Line, ...]
    net_minor: int
    tax_minor: int
    gross_minor: int
    rounding: str = ROUND_TOTAL_HALF_UP
