"""What a driver reads of a tariff before the tap: prices with tax, as they are at that moment."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from tapwatt.core.bill import decimal_of
from tapwatt.core.money import decimals, show
from tapwatt.core.tariff.clock import local, zone_of
from tapwatt.core.tariff.model import ALWAYS, Component, Dimension, Restrictions, Tariff, TaxIncluded
from tapwatt.core.tariff.pricing import tax_factor
from tapwatt.core.tariff.selection import Candidate, Moment, candidates, exact, first_match
from tapwatt.core.tariff.words import restricted

MINUTES_PER_HOUR = 60


def price_sentence(
    tariff: Tariff, *, at_ms: int = 0, time_zone: str = "UTC", evse_kind: str | None = None
) -> str:
    """The price as it is shown before the tap: per kWh, then per minute, then per session, then the rest."""
    at = Moment(
        local=local(at_ms, zone_of(time_zone)),
        energy_wh=0,
        passed_ms=0,
        charging_ms=0,
        idle_ms=0,
        min_power_w=None,
        max_power_w=None,
        min_current_a=None,
        max_current_a=None,
        evse_kind=evse_kind,
        payment_brand=None,
        payment_recognition=None,
    )
    return " + ".join(_parts(tariff, at)) or "free"


def _parts(tariff: Tariff, at: Moment) -> Iterator[str]:
    for dimension, unit in (
        (Dimension.ENERGY, "/kWh"),
        (Dimension.TIME, "/min"),
        (Dimension.PARKING_TIME, "/min parked"),
        (Dimension.FLAT, "/session"),
    ):
        found = candidates(tariff, dimension)
        now = first_match(found, at) or next(iter(found), None)
        if now is None or not now.component.price:
            continue
        per_minute = dimension in (Dimension.TIME, Dimension.PARKING_TIME)
        amount = unit_price(tariff, now.component, per=MINUTES_PER_HOUR if per_minute else 1)
        yield f"{amount} {tariff.currency}{unit}{_rule(now, at)}"


def _rule(now: Candidate, at: Moment) -> str:
    """What the shown price depends on besides the present moment."""
    rules = now.restrictions
    if rules == ALWAYS or rules == Restrictions(evse_kind=at.evse_kind):
        return ""
    return f" ({restricted(rules)})"


def unit_price(tariff: Tariff, component: Component, *, per: int = 1) -> str:
    """A price per unit with tax: exact where three decimals more than the currency's can say it."""
    price = Fraction(exact(component.price)) / per
    if tariff.tax_included is not TaxIncluded.YES:
        price *= tax_factor(tariff, component)
    least = decimals(tariff.currency)
    shown = decimal_of(price).quantize(Decimal(1).scaleb(-least), rounding=ROUND_HALF_UP)
    return f"{shown:.{least}f}"


def limit_sentence(tariff: Tariff, amount_minor: int) -> str:
    """The most that will be charged, as a driver reads it."""
    return f"at most {show(amount_minor, currency=tariff.currency)}"
