"""What must be true of every tariff and every session, and the slow way beside the fast one."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.tariff import slow
from tests.core.tariff.generated import BY_ENERGY, BY_TIME, limits, numbers, tariffs, usages

from tapwatt.core.bill import PER_LINE, PER_TOTAL, Basis, Bill, Rounding
from tapwatt.core.money import decimals, round_to_minor, to_major
from tapwatt.core.tariff import Tariff, TaxIncluded, Usage, price
from tapwatt.core.tariff.model import Dimension
from tapwatt.core.tariff.pricing import tax_factor, used
from tapwatt.core.tariff.steps import stepped
from tapwatt.core.tariff.usage import Period

CLOSE = Fraction(1, 10**20)
ROUNDINGS = st.sampled_from([PER_TOTAL, PER_LINE, replace(PER_TOTAL, cash_step_minor=5)])
MORE = settings(max_examples=60)
ANY_PRICE = numbers("-2", "5", 4)


def quantities(tariff: Tariff, usage: Usage) -> dict[tuple[int, Dimension], Fraction]:
    """What the product bills, by element and dimension."""
    account = used(tariff, usage)
    stepped(list(account.priced.values()), account.last)
    return {key: Fraction(one.quantity + one.added) for key, one in account.priced.items()}


@MORE
@given(tariff=tariffs(prices=ANY_PRICE), usage=usages())
def test_fast_and_slow_agree(tariff: Tariff, usage: Usage) -> None:
    bill, cost = price(tariff, usage), slow.price(tariff, usage)
    assert quantities(tariff, usage) == {key: value for key, value in cost.quantity.items() if value}
    assert abs(Fraction(bill.exact_net) - cost.net) < CLOSE
    assert abs(Fraction(bill.exact_gross) - cost.gross) < CLOSE


@MORE
@given(tariff=tariffs(prices=ANY_PRICE), usage=usages(), rounding=ROUNDINGS)
def test_the_total_is_the_sum_of_the_lines(tariff: Tariff, usage: Usage, rounding: Rounding) -> None:
    bill = price(tariff, usage, rounding)
    assert abs(sum(Fraction(line.net) for line in bill.lines) - Fraction(bill.exact_net)) < CLOSE
    assert abs(sum(Fraction(line.gross) for line in bill.lines) - Fraction(bill.exact_gross)) < CLOSE
    for line in bill.lines:
        assert abs(line.net + line.tax - line.gross) < Decimal("1e-20")
        if line.taxes:
            assert abs(sum(share.amount for share in line.taxes) - line.tax) < Decimal("1e-20")
        else:
            assert line.tax == 0
    assert bill.net_minor + bill.tax_minor == bill.gross_minor
    assert sum(tax.amount_minor for tax in bill.taxes) == bill.tax_minor
    in_minor_units(bill, rounding)


def in_minor_units(bill: Bill, rounding: Rounding) -> None:
    """The rounded gross is what the policy says, from the lines or from their sum."""
    if rounding.basis is Basis.LINE:
        gross_minor = sum(round_to_minor(line.gross, currency=bill.currency) for line in bill.lines)
    else:
        gross_minor = round_to_minor(bill.exact_gross, currency=bill.currency)
    assert abs(bill.gross_minor - gross_minor) <= rounding.cash_step_minor // 2
    assert bill.gross_minor % rounding.cash_step_minor == 0
    if rounding == PER_TOTAL:
        half = Decimal("0.5").scaleb(-decimals(bill.currency))
        assert abs(to_major(bill.gross_minor, currency=bill.currency) - bill.exact_gross) <= half


@MORE
@given(tariff=tariffs(prices=ANY_PRICE), usage=usages(), place=st.integers(0, 9))
def test_splitting_a_period_changes_nothing(tariff: Tariff, usage: Usage, place: int) -> None:
    place %= len(usage.periods)
    halves = in_halves(usage.periods[place])
    split = replace(usage, periods=(*usage.periods[:place], *halves, *usage.periods[place + 1 :]))
    assert quantities(tariff, split) == quantities(tariff, usage)
    assert replace(price(tariff, split), lines=()) == replace(price(tariff, usage), lines=())


def in_halves(period: Period) -> tuple[Period, Period]:
    """A period cut in the middle, what flowed cut evenly."""
    middle_ms = (period.started_ms + period.ended_ms) // 2
    half = replace(
        period,
        ended_ms=middle_ms,
        energy_wh=period.energy_wh / 2,
        charging_ms=period.charging_ms // 2,
        idle_ms=period.idle_ms // 2,
        reserved_ms=period.reserved_ms // 2,
    )
    return half, replace(half, started_ms=middle_ms, ended_ms=period.ended_ms)


@MORE
@given(
    tariff=st.sampled_from([BY_TIME, BY_ENERGY]).flatmap(
        lambda able: tariffs(able=able, within=limits(whole=True), steps=False)
    ),
    usage=usages(),
    place=st.integers(0, 9),
    more_wh=numbers("0.1", "5000", 1),
)
def test_more_energy_never_costs_less(tariff: Tariff, usage: Usage, place: int, more_wh: Decimal) -> None:
    """Exactly when: no price is below nought; there is no highest price; a least price is told before and
    after tax, as else its tax is that of a mixture which changes; energy is not filled up to steps, as that
    adds less the nearer a step is; power and current decide nothing, as more energy in the same time is more
    power; energy used decides at most the price of energy, and then nothing else does, as else more of it
    early moves later energy to a cheaper tier; and somebody charged before, as else a reservation had
    expired."""
    charged = [number for number, period in enumerate(usage.periods) if period.energy_wh]
    if not charged:
        return
    place = charged[place % len(charged)]
    period = replace(usage.periods[place], energy_wh=usage.periods[place].energy_wh + more_wh)
    more = replace(usage, periods=(*usage.periods[:place], period, *usage.periods[place + 1 :]))
    before, after = price(tariff, usage), price(tariff, more)
    assert after.exact_net >= before.exact_net
    assert after.exact_gross >= before.exact_gross
    assert after.gross_minor >= before.gross_minor


@MORE
@given(tariff=tariffs(included=st.just(TaxIncluded.NO), prices=ANY_PRICE), usage=usages())
def test_prices_with_tax_and_without_cost_the_same(tariff: Tariff, usage: Usage) -> None:
    inside = replace(
        tariff,
        tax_included=TaxIncluded.YES,
        elements=tuple(
            replace(
                element,
                components=tuple(
                    replace(one, price=one.price * decimal(tax_factor(tariff, one)))
                    for one in element.components
                ),
            )
            for element in tariff.elements
        ),
    )
    one, other = price(tariff, usage), price(inside, usage)
    assert abs(one.exact_net - other.exact_net) < Decimal("1e-20")
    assert abs(one.exact_gross - other.exact_gross) < Decimal("1e-20")


def decimal(value: Fraction) -> Decimal:
    """A fraction that ends, as these do."""
    found = Decimal(value.numerator) / Decimal(value.denominator)
    assert Fraction(found) == value
    return found
