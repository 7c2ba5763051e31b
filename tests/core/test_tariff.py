"""Tariff and usage → bill: exact lines, totals rounded once, net + tax = gross."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.samples import TARIFF

from tapwatt.core.bill import ROUND_TOTAL_HALF_UP, Bill
from tapwatt.core.money import decimals, to_major
from tapwatt.core.tariff import Tariff, Usage, energy_for, gross_kwh_price, limited, price, price_sentence


def tariff(kwh_price: str, tax: str = "19", currency: str = "EUR") -> Tariff:
    """A tariff in words of a test."""
    return Tariff(
        tariff_id="T", currency=currency, kwh_price=Decimal(kwh_price), tax_rate_percent=Decimal(tax)
    )


def bill(of: Tariff, energy_wh: int) -> Bill:
    """The bill of an amount of energy."""
    return price(of, Usage(energy_wh=energy_wh, started_ms=0, ended_ms=60_000))


TARIFFS = st.builds(
    tariff,
    st.decimals(0, 5, places=4).map(str),
    st.decimals(0, 30, places=2).map(str),
    st.sampled_from(["EUR", "JPY", "KWD"]),
)
ENERGY = st.integers(0, 500_000)


def test_a_bill_names_its_line_and_is_exact_until_the_totals() -> None:
    made = bill(TARIFF, 8345)
    (line,) = made.lines
    assert (line.dimension, line.quantity, line.unit) == ("energy", Decimal("8.345"), "kWh")
    assert (line.unit_price, line.net, line.tax) == (
        Decimal("0.49"),
        Decimal("4.08905"),
        Decimal("0.7769195"),
    )
    assert line.tax_rate_percent == Decimal(19)
    assert "T1" in line.why
    assert (made.net_minor, made.tax_minor, made.gross_minor) == (409, 78, 487)
    assert made.rounding == ROUND_TOTAL_HALF_UP


@pytest.mark.parametrize(
    ("of", "energy_wh", "net", "tax", "gross"),
    [
        (tariff("0.49"), 0, 0, 0, 0),
        (tariff("0.49", "0"), 1000, 49, 0, 49),
        (tariff("0.50", "0"), 1_010, 51, 0, 51),  # 0.505: the half goes up
        (tariff("0.50", "0"), 1_009, 50, 0, 50),
        (tariff("0.49", "7.7"), 12_345, 605, 46, 651),
        (tariff("55", "10", "JPY"), 12_345, 679, 68, 747),
        (tariff("0.125", "5", "KWD"), 12_345, 1543, 77, 1620),
        (tariff("0", "19"), 50_000, 0, 0, 0),
        (tariff("0.49"), 1, 0, 0, 0),
    ],
)
def test_totals_by_hand(of: Tariff, energy_wh: int, net: int, tax: int, gross: int) -> None:
    made = bill(of, energy_wh)
    assert (made.net_minor, made.tax_minor, made.gross_minor) == (net, tax, gross)
    assert made.currency == of.currency


def test_price_sentence_shows_the_price_with_tax() -> None:
    assert price_sentence(TARIFF) == "0.58 EUR/kWh"
    assert price_sentence(tariff("55", "10", "JPY")) == "61 JPY/kWh"
    assert gross_kwh_price(TARIFF) == Decimal("0.5831")


def test_energy_for_an_amount() -> None:
    assert energy_for(TARIFF, 2500) == 42_874
    assert energy_for(TARIFF, 0) == 0
    assert energy_for(tariff("0.50", "0"), 2500) == 50_000
    assert energy_for(tariff("0"), 2500) is None


def test_a_bill_within_the_hold_is_left_as_it_is() -> None:
    made = bill(TARIFF, 8345)
    assert limited(TARIFF, made, made.gross_minor) is made


def test_a_bill_above_the_hold_is_cut_by_a_line_of_its_own() -> None:
    cut = limited(TARIFF, bill(TARIFF, 60_000), 2500)
    assert (cut.net_minor, cut.tax_minor, cut.gross_minor) == (2101, 399, 2500)
    assert [line.dimension for line in cut.lines] == ["energy", "limit"]
    assert cut.lines[1].net < 0
    assert cut.lines[1].tax < 0


@given(of=TARIFFS, energy_wh=ENERGY)
def test_net_and_tax_are_the_gross_total_and_never_negative(of: Tariff, energy_wh: int) -> None:
    made = bill(of, energy_wh)
    assert made.net_minor + made.tax_minor == made.gross_minor
    assert min(made.net_minor, made.gross_minor) >= 0
    assert made.tax_minor >= -1 if of.tax_rate_percent else made.tax_minor == 0
    exact = sum((line.net + line.tax for line in made.lines), Decimal(0))
    half = Decimal("0.5").scaleb(-decimals(of.currency))
    assert abs(to_major(made.gross_minor, currency=of.currency) - exact) <= half


@given(of=TARIFFS, energy_wh=ENERGY, more_wh=st.integers(0, 1000))
def test_more_energy_never_costs_less(of: Tariff, energy_wh: int, more_wh: int) -> None:
    assert bill(of, energy_wh + more_wh).gross_minor >= bill(of, energy_wh).gross_minor


@given(of=TARIFFS, amount_minor=st.integers(0, 100_000))
def test_energy_for_is_the_most_that_fits(of: Tariff, amount_minor: int) -> None:
    energy_wh = energy_for(of, amount_minor)
    if energy_wh is None:
        assert gross_kwh_price(of) == 0
        return
    amount = to_major(amount_minor, currency=of.currency)
    assert gross_kwh_price(of) * energy_wh / 1000 <= amount < gross_kwh_price(of) * (energy_wh + 1) / 1000
    assert bill(of, energy_wh).gross_minor <= amount_minor


@given(of=TARIFFS, energy_wh=ENERGY, amount_minor=st.integers(0, 50_000))
def test_a_limited_bill_adds_up_to_the_limit(of: Tariff, energy_wh: int, amount_minor: int) -> None:
    cut = limited(of, bill(of, energy_wh), amount_minor)
    assert cut.gross_minor == amount_minor == cut.net_minor + cut.tax_minor
    exact = sum((line.net + line.tax for line in cut.lines), Decimal(0))
    half = Decimal("0.5").scaleb(-decimals(of.currency))
    assert abs(exact - to_major(amount_minor, currency=of.currency)) <= half + Decimal("1e-18")
