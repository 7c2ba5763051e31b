"""Tariffs: bills a second and what one costs, against the slow and obvious pricing that judges it in tests.

Both must first come to the same exact totals. The slow one works with fractions throughout, walks each period
minute by minute and asks every element anew; it makes only sums, no itemised bill.
"""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Final

from bench.figures import Section, interleaved, spread
from tests.core.tariff import slow

from tapwatt.core.tariff import (
    Component,
    Dimension,
    Element,
    Restrictions,
    Tariff,
    Tax,
    Usage,
    energy_only,
    kwh_tariff,
    price,
)
from tapwatt.core.tariff.usage import Sample, from_samples

ABOUT: Final = (
    "From tariff and usage to the itemised, rounded bill; between bills only the factor of a set of tax "
    "rates is kept. Processor time of one bill, median (p10–p90) over the rounds. The peer is the second "
    "implementation of the tests, plain fractions, which makes the two sums and no itemised bill; both come "
    "to the same sums first."
)
ROUNDS: Final = 21
HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000
WEDNESDAY_MS: Final = 1_782_892_800_000  # 2026-07-01 08:00 UTC
VAT: Final = Tax(name="VAT", rate_percent=Decimal(19))


def simple() -> tuple[Tariff, Usage]:
    """One element, one period: what most sessions are."""
    tariff = kwh_tariff("one", currency="EUR", kwh_price=Decimal("0.49"), tax_rate_percent=Decimal(19))
    return tariff, energy_only(18_345, started_ms=WEDNESDAY_MS, ended_ms=WEDNESDAY_MS + HOUR_MS)


def elaborate() -> tuple[Tariff, Usage]:
    """Twenty elements: prices by hour, day, energy and power, time and parking; a reading each minute."""
    by_hour = tuple(
        element(Dimension.ENERGY, f"0.{30 + hour}", start_minute=hour * 60, end_minute=hour * 60 + 60)
        for hour in range(6, 18)
    )
    others = (
        element(Dimension.TIME, "0.60", max_kwh=Decimal(10)),
        element(Dimension.TIME, "1.20", min_kwh=Decimal(10), weekdays=(0, 1, 2, 3, 4)),
        element(Dimension.TIME, "0.90"),
        element(Dimension.PARKING_TIME, "3.00", min_duration_s=7_200),
        element(Dimension.PARKING_TIME, "1.50"),
        element(Dimension.FLAT, "0.35"),
        element(Dimension.ENERGY, "0.39", max_power_kw=Decimal(11)),
        element(Dimension.ENERGY, "0.49"),
    )
    samples = [
        Sample(
            at_ms=WEDNESDAY_MS + number * MINUTE_MS, register_wh=number * 180 + number % 7, idle=number > 160
        )
        for number in range(201)
    ]
    tariff = Tariff(tariff_id="many", currency="EUR", elements=by_hour + others)
    return tariff, from_samples(samples, time_zone="Europe/Berlin")


def element(dimension: Dimension, amount: str, **rules: object) -> Element:
    """One price under restrictions."""
    component = Component(dimension=dimension, price=Decimal(amount), taxes=(VAT,), step_size=1)
    return Element(components=(component,), restrictions=Restrictions(**rules))  # type: ignore[arg-type]


CASES: Final = {
    "one element, one period": (simple, 400),
    "20 elements, 200 meter values": (elaborate, 3),
}


def contenders(case: Callable[[], tuple[Tariff, Usage]]) -> dict[str, Callable[[], object]]:
    """Both ways to price a case, proved to come to the same."""
    tariff, usage = case()
    bill, cost = price(tariff, usage), slow.price(tariff, usage)
    for exact, decimal in ((cost.net, bill.exact_net), (cost.gross, bill.exact_gross)):
        assert abs(exact - Fraction(decimal)) < Fraction(1, 10**20), "the two do not agree"
    return {"tapwatt": partial(price, tariff, usage), "slow": partial(slow.price, tariff, usage)}


def measure() -> Section:
    """Microseconds of processor time a bill, both ways in turn."""
    rows = []
    for title, (case, times) in CASES.items():
        taken = interleaved(contenders(case), rounds=ROUNDS, times=times)
        ours = spread([value * 1e6 for value in taken["tapwatt"]])
        theirs = spread([value * 1e6 for value in taken["slow"]])
        factor = spread(
            [slow_s / own_s for own_s, slow_s in zip(taken["tapwatt"], taken["slow"], strict=True)]
        )
        a_second = f"{1e6 / ours.median:,.0f}"
        rows.append((title, a_second, ours.text(), theirs.text(), f"{factor.text()} ×"))
    return Section(
        title="bills",
        about=ABOUT,
        head=("", "bills a second", "µs a bill", "µs the slow way", "faster by"),
        rows=tuple(rows),
    )
