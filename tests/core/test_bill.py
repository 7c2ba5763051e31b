"""The bill: exact lines, totals rounded by a policy, and what brings a bill to another amount."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.tariff.generated import tariffs, usages

from tapwatt.core.bill import (
    PER_LINE,
    PER_TOTAL,
    Bill,
    Line,
    Rounding,
    TaxShare,
    TaxTotal,
    adjustment,
    credit_note,
    decimal_of,
    discounted,
    limited,
    split,
    total,
)
from tapwatt.core.tariff import Tariff, Usage, energy_only, kwh_tariff, price

CLOSE = Decimal("1e-18")


def bill(kwh_price: str, energy_wh: int, tax: str = "19", currency: str = "EUR") -> Bill:
    """The bill of an amount of energy at one price."""
    one = kwh_tariff("T1", currency=currency, kwh_price=Decimal(kwh_price), tax_rate_percent=Decimal(tax))
    return price(one, energy_only(energy_wh, ended_ms=60_000))


def made(*lines: tuple[str, str], rounding: Rounding = PER_TOTAL, currency: str = "EUR") -> Bill:
    """A bill of lines of net amount and tax rate."""
    written = []
    for net, rate in lines:
        tax = Decimal(net) * Decimal(rate) / 100
        share = TaxShare(name="VAT", rate_percent=Decimal(rate), base=Decimal(net), amount=tax)
        written.append(
            Line(
                dimension="energy",
                quantity=Decimal(1),
                unit="kWh",
                unit_price=Decimal(net),
                net=Decimal(net),
                tax=tax,
                gross=Decimal(net) + tax,
                taxes=(share,),
            )
        )
    net_sum = sum((Fraction(line.net) for line in written), Fraction(0))
    gross_sum = sum((Fraction(line.gross) for line in written), Fraction(0))
    return total(tuple(written), currency=currency, net=net_sum, gross=gross_sum, rounding=rounding)


def adds_up(of: Bill) -> None:
    """Totals, taxes and lines of a bill agree."""
    assert of.net_minor + of.tax_minor == of.gross_minor
    assert sum(tax.amount_minor for tax in of.taxes) == of.tax_minor
    assert abs(sum((line.net for line in of.lines), Decimal(0)) - of.exact_net) < CLOSE
    assert abs(sum((line.gross for line in of.lines), Decimal(0)) - of.exact_gross) < CLOSE
    for line in of.lines:
        assert abs(sum((share.amount for share in line.taxes), Decimal(0)) - line.tax) < CLOSE


def test_a_bill_names_its_line_and_is_exact_until_the_totals() -> None:
    of = bill("0.49", 8345)
    (line,) = of.lines
    assert (line.dimension, line.quantity, line.unit) == ("energy", Decimal("8.345"), "kWh")
    assert (line.unit_price, line.net, line.tax) == (
        Decimal("0.49"),
        Decimal("4.08905"),
        Decimal("0.7769195"),
    )
    assert line.taxes == (TaxShare(name="VAT", rate_percent=Decimal(19), base=line.net, amount=line.tax),)
    assert line.why == "tariff T1, element 1"
    assert (of.net_minor, of.tax_minor, of.gross_minor) == (409, 78, 487)
    assert of.taxes == (TaxTotal(name="VAT", rate_percent=Decimal(19), base_minor=409, amount_minor=78),)
    assert of.rounding == PER_TOTAL


@pytest.mark.parametrize(
    ("of", "net", "tax", "gross"),
    [
        (bill("0.49", 0), 0, 0, 0),
        (bill("0.49", 1_000, "0"), 49, 0, 49),
        (bill("0.50", 1_010, "0"), 51, 0, 51),  # 0.505: the half goes up
        (bill("0.50", 1_009, "0"), 50, 0, 50),
        (bill("0.49", 12_345, "7.7"), 605, 46, 651),
        (bill("55", 12_345, "10", "JPY"), 679, 68, 747),
        (bill("0.125", 12_345, "5", "KWD"), 1543, 77, 1620),
        (bill("0", 50_000), 0, 0, 0),
        (bill("0.49", 1), 0, 0, 0),
    ],
)
def test_totals_by_hand(of: Bill, net: int, tax: int, gross: int) -> None:
    assert (of.net_minor, of.tax_minor, of.gross_minor) == (net, tax, gross)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(5), "5"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(1, 3), "0.3333333333333333333333333333"),
        (Fraction(200, 3), "66.66666666666666666666666667"),
        (Fraction(1, 2**40), str(Decimal(1) / 2**40)),
        (Fraction(10**30 + 1, 10**20), "10000000000.00000000000000000001"),
        (Fraction(1, 5**30), f"{Decimal(2**30).scaleb(-30)}"),
    ],
)
def test_decimals_are_exact_where_they_end(value: Fraction, text: str) -> None:
    assert decimal_of(value) == Decimal(text)


@given(digits=st.integers(-(10**60), 10**60), places=st.integers(0, 70))
def test_every_fraction_that_ends_is_exact(digits: int, places: int) -> None:
    value = Fraction(digits, 10**places)
    assert Fraction(decimal_of(value)) == value


@pytest.mark.parametrize(
    ("exact", "coins"),
    [
        ("1.02", 100),
        ("1.0249", 100),
        ("1.025", 105),
        ("1.07", 105),
        ("1.08", 110),
        ("-1.03", -105),
        ("0.02", 0),
    ],
)
def test_coins_of_five(exact: str, coins: int) -> None:
    of = made((exact, "0"), rounding=replace(PER_TOTAL, cash_step_minor=5))
    assert (of.gross_minor, of.tax_minor) == (coins, 0)


def test_the_coin_leaves_the_tax_as_it_was() -> None:
    of = made(("1.00", "8"), rounding=replace(PER_TOTAL, cash_step_minor=5))
    assert (of.net_minor, of.tax_minor, of.gross_minor) == (102, 8, 110)
    assert of.taxes[0] == TaxTotal(name="VAT", rate_percent=Decimal(8), base_minor=100, amount_minor=8)


def test_lines_are_rounded_one_by_one_or_together() -> None:
    lines = [("0.333", "0")] * 3
    assert made(*lines, rounding=PER_LINE).gross_minor == 99
    assert made(*lines).gross_minor == 100


def test_the_taxes_of_a_mixture_sum_to_its_tax() -> None:
    # 0.105 of tax at 7 % and 0.285 at 19 %: 0.39 in all, of which neither cent may be lost
    of = made(("1.50", "7"), ("1.50", "19"))
    assert [(tax.base_minor, tax.amount_minor) for tax in of.taxes] == [(150, 11), (150, 28)]
    assert (of.net_minor, of.tax_minor, of.gross_minor) == (300, 39, 339)


def test_a_bill_within_the_hold_is_left_as_it_is() -> None:
    of = bill("0.49", 8345)
    assert limited(of, of.gross_minor) is of


def test_a_bill_above_the_hold_is_cut_by_a_line_of_its_own() -> None:
    cut = limited(bill("0.49", 60_000), 2500)
    assert (cut.net_minor, cut.tax_minor, cut.gross_minor) == (2101, 399, 2500)
    assert [line.dimension for line in cut.lines] == ["energy", "limit"]
    assert cut.lines[1].why == "limited to the confirmed hold"
    assert cut.lines[1].net < 0
    adds_up(cut)


def test_a_discount_takes_its_share_of_every_tax() -> None:
    less = discounted(made(("10", "7"), ("10", "19")), 1130, why="a neighbour")
    # half of 22.60: half of 0.70 and of 1.90
    assert (less.net_minor, less.tax_minor, less.gross_minor) == (1000, 130, 1130)
    assert [(tax.base_minor, tax.amount_minor) for tax in less.taxes] == [(500, 35), (500, 95)]
    assert less.lines[-1].why == "a neighbour"
    adds_up(less)


def test_a_discount_never_pays_the_driver() -> None:
    assert discounted(made(("10", "19")), 99_999, why="all of it").gross_minor == 0


def test_a_credit_note_takes_back_the_whole_bill() -> None:
    of = made(("10", "7"), ("10", "19"))
    note = credit_note(of, number="R-7", why="charged twice")
    assert (note.net_minor, note.tax_minor, note.gross_minor) == (-2000, -260, -2260)
    assert [(tax.base_minor, tax.amount_minor) for tax in note.taxes] == [(-1000, -70), (-1000, -190)]
    assert note.credit_of == "R-7"
    adds_up(note)


def test_a_credit_note_takes_back_a_part() -> None:
    of = made(("10", "7"), ("10", "19"))
    note = credit_note(of, number="R-7", amount_minor=226, why="a tenth")
    assert (note.net_minor, note.tax_minor, note.gross_minor) == (-200, -26, -226)
    assert note.lines[-1].dimension == "credit"
    adds_up(note)


@pytest.mark.parametrize("amount_minor", [0, -1, 2261])
def test_no_more_is_credited_than_was_billed(amount_minor: int) -> None:
    with pytest.raises(ValueError, match="is not within a bill of 2260"):
        credit_note(made(("10", "7"), ("10", "19")), number="R-7", amount_minor=amount_minor, why="no")


@pytest.mark.parametrize(
    ("amount_minor", "weights", "parts"),
    [
        (39, ["0.105", "0.285"], [11, 28]),
        (100, ["1", "1", "1"], [34, 33, 33]),
        (-100, ["1", "1", "1"], [-33, -33, -34]),
        (5, ["0", "0"], [3, 2]),
        (7, ["3"], [7]),
        (7, [], []),
    ],
)
def test_a_split_loses_nothing(amount_minor: int, weights: list[str], parts: list[int]) -> None:
    found = split(amount_minor, [Decimal(weight) for weight in weights])
    assert sorted(found) == sorted(parts)


@given(
    amount_minor=st.integers(-10_000, 10_000),
    weights=st.lists(st.decimals(0, 100, places=3), min_size=1, max_size=6),
)
def test_every_split_is_whole_and_near(amount_minor: int, weights: list[Decimal]) -> None:
    parts, whole = split(amount_minor, weights), sum(weights, Decimal(0))
    assert sum(parts) == amount_minor
    if whole:
        for part, weight in zip(parts, weights, strict=True):
            assert abs(Fraction(part) - Fraction(weight) * amount_minor / Fraction(whole)) < 1


def test_an_adjustment_without_a_tax_to_go_by_names_its_own() -> None:
    line = adjustment((), net=Fraction(1, 2), gross=Fraction(11, 20), dimension="minimum", why="least")
    assert line.taxes == (
        TaxShare(name="tax", rate_percent=Decimal(10), base=Decimal("0.5"), amount=Decimal("0.05")),
    )


@settings(max_examples=60)
@given(tariff=tariffs(), usage=usages(), amount_minor=st.integers(0, 5_000))
def test_any_bill_brought_to_any_amount_adds_up(tariff: Tariff, usage: Usage, amount_minor: int) -> None:
    of = price(tariff, usage)
    for changed in (limited(of, amount_minor), discounted(of, amount_minor, why="kind")):
        adds_up(changed)
    assert limited(of, amount_minor).gross_minor == amount_minor
    assert discounted(of, amount_minor, why="kind").gross_minor == max(0, of.gross_minor - amount_minor)
    if 0 < amount_minor <= of.gross_minor:
        note = credit_note(of, number="R", amount_minor=amount_minor, why="back")
        assert note.gross_minor == -amount_minor
        adds_up(note)
