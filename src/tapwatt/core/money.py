"""Money as integers in minor units, and the only rounding in the product (law 6).

A currency's minor unit is the power of ten of ISO 4217; an amount without its currency does not exist here.
"""

import re
from decimal import Decimal
from fractions import Fraction

# ISO 4217 list one, 2026: only the exceptions; every other currency has two decimals.
EXCEPTIONS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
TYPED = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]+))?")
DECIMALS = {code: count for count, codes in EXCEPTIONS.items() for code in codes.split()}


def decimals(currency: str) -> int:
    """How many decimals an amount in this currency has."""
    return DECIMALS.get(currency, 2)


def round_to_minor(amount: Decimal | Fraction, *, currency: str) -> int:
    """Round an exact amount in major units half up, away from zero, to whole minor units."""
    top, bottom = amount.as_integer_ratio()
    whole: int = (2 * abs(top) * 10 ** decimals(currency) + bottom) // (2 * bottom)
    return -whole if top < 0 else whole


def to_major(amount_minor: int, *, currency: str) -> Decimal:
    """The exact amount in major units, for a price calculation or for showing."""
    return Decimal(amount_minor).scaleb(-decimals(currency))


def to_minor(text: str, *, currency: str) -> int:
    """What a person typed as an amount, `12.05` or `12,05`, exactly. Raises ValueError with one sentence."""
    most = decimals(currency)
    found = TYPED.fullmatch(text.strip())
    if found is None or len(found[2] or "") > most:
        raise ValueError(f"an amount in {currency} is written with digits and at most {most} decimals")
    return int(found[1] + (found[2] or "").ljust(most, "0"))


def show(amount_minor: int, *, currency: str) -> str:
    """An amount as people read it on a terminal or a log line: `12.05 EUR`."""
    return f"{to_major(amount_minor, currency=currency):.{decimals(currency)}f} {currency}"
