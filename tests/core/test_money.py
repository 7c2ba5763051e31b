"""Money: minor units by currency, one rounding, no float (law 6)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwatt.core.money import decimals, round_to_minor, show, to_major, to_minor

CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "KWD"])


@pytest.mark.parametrize(("currency", "places"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("TND", 3), ("ISK", 0)])
def test_a_currency_has_the_decimals_of_iso_4217(currency: str, places: int) -> None:
    assert decimals(currency) == places


@pytest.mark.parametrize(
    ("currency", "places"),
    [("UGX", 0), ("PYG", 0), ("XAF", 0), ("XOF", 0), ("XPF", 0), ("RWF", 0), ("KMF", 0), ("DJF", 0),
     ("GNF", 0), ("BIF", 0), ("VUV", 0), ("UYI", 0), ("IQD", 3), ("LYD", 3), ("CLF", 4), ("UYW", 4)],
)  # fmt: skip
def test_every_exception_of_iso_4217_is_known(currency: str, places: int) -> None:
    assert decimals(currency) == places


@pytest.mark.parametrize(
    ("exact", "currency", "minor"),
    [
        ("4.865", "EUR", 487),
        ("4.8649999999999", "EUR", 486),
        ("0.005", "EUR", 1),
        ("0.0049", "EUR", 0),
        ("-0.005", "EUR", -1),
        ("-0.0049", "EUR", 0),
        ("2.5", "JPY", 3),
        ("3.5", "JPY", 4),
        ("1.0005", "KWD", 1001),
        ("1.00049", "KWD", 1000),
    ],
)
def test_halves_round_up_away_from_zero(exact: str, currency: str, minor: int) -> None:
    assert round_to_minor(Decimal(exact), currency=currency) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1205, "EUR", "12.05 EUR"),
        (5, "EUR", "0.05 EUR"),
        (0, "EUR", "0.00 EUR"),
        (-1205, "EUR", "-12.05 EUR"),
        (1205, "JPY", "1205 JPY"),
        (1205, "KWD", "1.205 KWD"),
    ],
)
def test_an_amount_is_shown_with_its_decimals_and_currency(minor: int, currency: str, text: str) -> None:
    assert show(minor, currency=currency) == text


@given(minor=st.integers(-(10**15), 10**15), currency=CURRENCIES)
def test_minor_to_major_and_back_is_the_same_amount(minor: int, currency: str) -> None:
    assert round_to_minor(to_major(minor, currency=currency), currency=currency) == minor


@given(exact=st.decimals(-(10**9), 10**9, places=6), currency=CURRENCIES)
def test_rounding_moves_an_amount_by_half_a_minor_unit_at_most(exact: Decimal, currency: str) -> None:
    rounded = to_major(round_to_minor(exact, currency=currency), currency=currency)
    assert abs(rounded - exact) <= Decimal("0.5").scaleb(-decimals(currency))


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.05", "EUR", 1205),
        (" 12,5 ", "EUR", 1250),
        ("7", "EUR", 700),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1234),
    ],
)
def test_a_typed_amount_is_read_exactly(text: str, currency: str, minor: int) -> None:
    assert to_minor(text, currency=currency) == minor


@pytest.mark.parametrize(
    "text", ["", "-1", "1e3", "1.234", "1,000.00", "١٢", "12 EUR", "1" * 10, ".5", "NaN"]
)
def test_what_is_no_amount_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="written with digits and at most 2 decimals"):
        to_minor(text, currency="EUR")
