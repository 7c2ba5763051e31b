"""A whole tariff in sentences, so that a merchant can read what was typed: every price, when it holds,
what is added to it and what bounds it."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from tapwatt.core.bill import decimal_of
from tapwatt.core.tariff.clock import local, zone_of
from tapwatt.core.tariff.model import ALWAYS, Component, Dimension, Restrictions, Tariff, TaxIncluded
from tapwatt.core.tariff.pricing import tax_factor
from tapwatt.core.tariff.selection import exact
from tapwatt.core.tariff.words import DAYS, at_clock, restricted

MINUTES_PER_HOUR = 60
DIGITS_SHOWN = 6
WHAT = {
    Dimension.ENERGY: "Energy costs {} per kWh",
    Dimension.TIME: "Charging time costs {} per minute",
    Dimension.PARKING_TIME: "Standing without charging costs {} per minute",
    Dimension.FLAT: "Each session costs {} once",
}
FREE = {
    Dimension.ENERGY: "Energy is free",
    Dimension.TIME: "Charging time is free",
    Dimension.PARKING_TIME: "Standing without charging is free",
    Dimension.FLAT: "There is no fee per session",
}


def described(tariff: Tariff) -> tuple[str, ...]:
    """The tariff as full sentences, in its own order; prices with tax, and the tax that is in them."""
    return tuple(_sentences(tariff))


def _sentences(tariff: Tariff) -> Iterator[str]:
    told: dict[tuple[Dimension, object], bool] = {}
    for element in tariff.elements:
        for component in element.components:
            kind = (component.dimension, element.restrictions.reservation)
            yield _component(tariff, component, element.restrictions, otherwise=kind in told)
            told[kind] = True
    missing = [name for name in Dimension if (name, None) not in told]
    if missing:
        yield f"Nothing is charged for {_listed([_noun(name) for name in missing])}."
    yield from _limits(tariff)
    yield from _tax(tariff)
    if tariff.preauthorise is not None:
        yield f"{_money(tariff, tariff.preauthorise)} are held on the card before the charge."
    yield from _validity(tariff)


def _noun(dimension: Dimension) -> str:
    return {
        Dimension.ENERGY: "energy",
        Dimension.TIME: "charging time",
        Dimension.PARKING_TIME: "standing without charging",
        Dimension.FLAT: "the session itself",
    }[dimension]


def _component(tariff: Tariff, component: Component, rules: Restrictions, *, otherwise: bool) -> str:
    dimension = component.dimension
    by_time = dimension in (Dimension.TIME, Dimension.PARKING_TIME)
    price = gross(tariff, component, per=MINUTES_PER_HOUR if by_time else 1)
    said = WHAT[dimension].format(_money(tariff, price)) if price else FREE[dimension]
    if rules.reservation is not None:
        said = f"{said[0].lower()}{said[1:]}"
        said = f"For {restricted(Restrictions(reservation=rules.reservation))}: {said}"
    if when := _when(rules):
        said += f" {when}"
    elif otherwise:
        said += " at all other times"
    step = component.step_size
    if step > 1 and dimension is not Dimension.FLAT:
        said += f", filled up to whole steps of {_seconds(step) if by_time else f'{step} Wh'}"
    return said + "."


def gross(tariff: Tariff, component: Component, *, per: int = 1) -> Decimal:
    """A component's price with its taxes, divided; to a few digits where it does not terminate."""
    price = Fraction(exact(component.price)) / per
    if tariff.tax_included is not TaxIncluded.YES:
        price *= tax_factor(tariff, component)
    return decimal_of(price)


def digits(amount: Decimal) -> str:
    """An amount with as many decimals as it needs, at least two where it has any."""
    plain = round(amount, DIGITS_SHOWN).normalize()
    exponent = plain.as_tuple().exponent
    places = max(2, -exponent) if isinstance(exponent, int) and exponent < 0 else 0
    return f"{plain:.{places}f}"


def _money(tariff: Tariff, amount: Decimal) -> str:
    return f"{digits(amount)} {tariff.currency}"


def _when(rules: Restrictions) -> str:
    """The restrictions as the end of a sentence; empty where there are none."""
    if Restrictions(reservation=rules.reservation) == rules or rules == ALWAYS:
        return ""
    return " and ".join(_conditions(rules))


def _conditions(rules: Restrictions) -> Iterator[str]:
    if rules.start_minute is not None or rules.end_minute is not None:
        yield f"from {at_clock(rules.start_minute or 0)} to {at_clock(rules.end_minute or 24 * 60)}"
    if rules.weekdays:
        yield f"on {_listed([DAYS[day] for day in sorted(rules.weekdays)])}"
    if rules.start_date is not None:
        yield f"from {rules.start_date.isoformat()} on"
    if rules.end_date is not None:
        yield f"until the day before {rules.end_date.isoformat()}"
    yield from _between(rules.min_kwh, rules.max_kwh, "the first {} kWh", "beyond {} kWh", "for kWh {} to {}")
    yield from _between(
        rules.min_power_kw, rules.max_power_kw, "below {} kW", "at {} kW and more", "from {} to below {} kW"
    )
    yield from _between(
        rules.min_current_a, rules.max_current_a, "below {} A", "at {} A and more", "from {} to below {} A"
    )
    for low, high, what in (
        (rules.min_duration_s, rules.max_duration_s, "the session"),
        (rules.min_charging_s, rules.max_charging_s, "charging"),
        (rules.min_idle_s, rules.max_idle_s, "standing"),
    ):
        yield from _lasting(low, high, what)
    if rules.evse_kind is not None:
        yield f"at {rules.evse_kind}"
    if rules.payment_brand is not None:
        yield f"with {rules.payment_brand} cards"
    if rules.payment_recognition is not None:
        yield f"with {rules.payment_recognition} cards"


def _between(low: Decimal | None, high: Decimal | None, below: str, above: str, both: str) -> Iterator[str]:
    if low is not None and high is not None:
        yield both.format(low, high)
    elif low is not None:
        yield above.format(low)
    elif high is not None:
        text = below.format(high)
        yield f"for {text}" if text.startswith("the") else text


def _lasting(low: int | None, high: int | None, what: str) -> Iterator[str]:
    if low is not None and high is not None:
        yield f"from {_seconds(low)} to {_seconds(high)} of {what}"
    elif low is not None:
        yield f"after {_seconds(low)} of {what}"
    elif high is not None:
        yield f"for the first {_seconds(high)} of {what}"


def _seconds(seconds: int) -> str:
    for unit, name in ((3600, "hour"), (60, "minute")):
        if seconds and seconds % unit == 0:
            count = seconds // unit
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{seconds} seconds"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _limits(tariff: Tariff) -> Iterator[str]:
    limits = tariff.limits
    for word, net, gross_limit in (
        ("at least", limits.min_net, limits.min_gross),
        ("at most", limits.max_net, limits.max_gross),
    ):
        said = []
        if net is not None:
            said.append(f"{_money(tariff, net)} before tax")
        if gross_limit is not None:
            said.append(f"{_money(tariff, gross_limit)} with tax")
        if said:
            yield f"A session costs {word} {' and '.join(said)}."


def _tax(tariff: Tariff) -> Iterator[str]:
    if tariff.tax_included is TaxIncluded.NOT_APPLICABLE:
        yield "No tax applies."
        return
    taxes = dict.fromkeys(
        f"{tax.rate_percent} % {tax.name}"
        for element in tariff.elements
        for component in element.components
        for tax in component.taxes
    )
    if taxes:
        yield f"Prices contain {_listed(list(taxes))}."
    else:
        yield "No tax is stated."


def _validity(tariff: Tariff) -> Iterator[str]:
    begins, ends = (
        None if at_ms is None else local(at_ms, zone_of("UTC")).strftime("%Y-%m-%d %H:%M UTC")
        for at_ms in (tariff.valid_from_ms, tariff.valid_to_ms)
    )
    if begins and ends:
        yield f"Sessions may begin with it from {begins} until {ends}."
    elif begins:
        yield f"Sessions may begin with it from {begins} on."
    elif ends:
        yield f"Sessions may begin with it until {ends}."
