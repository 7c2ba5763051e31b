"""What can be wrong with a tariff by itself: prices that never apply, hours without a price, limits that
cannot be, and what looks like a slip of the hand."""

from collections.abc import Iterator
from decimal import Decimal

from tapwatt.core.bill import decimal_of
from tapwatt.core.money import decimals, show, to_major
from tapwatt.core.tariff.model import Component, Dimension, Tariff, TaxIncluded
from tapwatt.core.tariff.pricing import tax_factor
from tapwatt.core.tariff.quotes import quote
from tapwatt.core.tariff.words import restricted
from tapwatt.markets.findings import Finding, Where, at_component, at_rules
from tapwatt.markets.jurisdictions import Country, Severity, country_on, rates_known_from, surprising
from tapwatt.markets.reach import CHARGING, DATES, DURATION, IDLE, Map, Priced, in_words

NAMES = {
    Dimension.ENERGY: "price per kWh",
    Dimension.TIME: "price for charging time",
    Dimension.PARKING_TIME: "price for parked time",
    Dimension.FLAT: "fee per session",
}
ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


def out_of_reach(tariff: Tariff, seen: Map, where: Where) -> Iterator[Finding]:
    """Prices that never apply: their restrictions cannot be met, or earlier elements always come first."""
    for one in seen.priced:
        if one.rest:
            continue
        element, _ = one.place
        rules, severity = restricted(one.restrictions), WARNING
        name = NAMES[one.component.dimension]
        if not one.component.price:
            name = (
                f"free time ({name} 0)" if one.component.dimension is not Dimension.ENERGY else "free energy"
            )
        if not one.own:
            text, place = f"the {name} never applies: {rules} cannot be", at_rules(element)
        elif not one.here:
            text, place = f"the {name} never applies here and from now on: {rules}", at_rules(element)
            severity = WARNING if all(box[DATES][1] <= where.day.toordinal() for box in one.own) else NOTE
        else:
            before = ", ".join(str(number + 1) for number in _before(seen, one))
            text = f"the {name} never applies: element {before} always comes first"
            place = at_component(*one.place)
        rule = "free-never-applies" if not one.component.price else "never-applies"
        yield Finding(severity=severity, rule=rule, text=text, place=place)


def _before(seen: Map, one: Priced) -> list[int]:
    """The earlier elements that a component competes with."""
    kind = (one.component.dimension, one.restrictions.reservation)
    return sorted(
        {
            other.place[0]
            for other in seen.priced
            if other.place < one.place and (other.component.dimension, other.restrictions.reservation) == kind
        }
    )


def gaps(tariff: Tariff, seen: Map, where: Where) -> Iterator[Finding]:
    """When energy (or, where none is priced, time) costs nothing although at other times it does."""
    dimension = Dimension.ENERGY if seen.of(Dimension.ENERGY) else Dimension.TIME
    free = seen.free[dimension]
    if seen.of(dimension) and free:
        when = in_words(free, seen.everything)
        text = f"no {NAMES[dimension]} is in force: {when}; charging is free of it then"
        yield Finding(severity=WARNING, rule="gap", text=text, place="elements")


def limits(tariff: Tariff, seen: Map, where: Where) -> Iterator[Finding]:
    """Least and highest prices that contradict each other or cannot be paid."""
    least = tariff.limits
    for side, low, high in (
        ("before tax", least.min_net, least.max_net),
        ("with tax", least.min_gross, least.max_gross),
    ):
        if low is not None and high is not None and low > high:
            yield _error(
                "min-above-max", f"the least price {side} is above the highest: {low} > {high}", "min_price"
            )
    for name, net, gross in (
        ("min_price", least.min_net, least.min_gross),
        ("max_price", least.max_net, least.max_gross),
    ):
        if net is not None and gross is not None and gross < net:
            yield _error("gross-below-net", f"with tax it is less than before tax: {gross} < {net}", name)
    most = decimals(tariff.currency)
    for place, value in (
        ("min_price", least.min_net),
        ("min_price", least.min_gross),
        ("max_price", least.max_net),
        ("max_price", least.max_gross),
        ("preauthorize_amount", tariff.preauthorise),
    ):
        if value is not None and value != round(value, most):
            text = f"{value} {tariff.currency} cannot be paid: the currency has {most} decimals"
            yield _error("currency-decimals", text, place)


def _error(rule: str, text: str, place: str) -> Finding:
    return Finding(severity=ERROR, rule=rule, text=text, place=place)


def validity(tariff: Tariff, seen: Map, where: Where) -> Iterator[Finding]:
    """When it begins and ends."""
    begins, ends = tariff.valid_from_ms, tariff.valid_to_ms
    if begins is not None and ends is not None and ends <= begins:
        yield _error("ends-before-it-begins", "the tariff ends before it begins", "end_date_time")
    elif ends is not None and ends <= where.now_ms:
        yield _error("over", "the tariff has already ended", "end_date_time")
    if begins is not None and begins < where.now_ms:
        text = "the tariff begins in the past; it will be in force from its publication on, not before"
        yield Finding(severity=WARNING, rule="begins-in-the-past", text=text, place="start_date_time")


def steps(tariff: Tariff, seen: Map, where: Where) -> Iterator[Finding]:
    """Steps so big that drivers pay for much they did not use."""
    bounds = surprising()
    for one in seen.priced:
        step, energy = one.component.step_size, one.component.dimension is Dimension.ENERGY
        if one.component.dimension is Dimension.FLAT or step <= (
            bounds.most_step_wh if energy else bounds.most_step_s
        ):
            continue
        said = f"{step} Wh" if energy else f"{step} s"
        text = f"every charge is filled up to whole steps of {said}"
        yield Finding(
            severity=WARNING, rule="big-step", text=text, place=f"{at_component(*one.place)}.step_size"
        )


def outliers(tariff: Tariff, seen: Map, where: Where) -> Iterator[Finding]:
    """Prices that look ten times too high or low, or as if they were typed for another unit."""
    bounds = surprising()
    one_eur = bounds.one_eur.get(tariff.currency)
    for one in seen.priced:
        place, price = f"{at_component(*one.place)}.price", one.component.price
        if price < 0:
            yield Finding(
                severity=WARNING, rule="negative-price", text=f"the price is negative: {price}", place=place
            )
        if price <= 0 or one_eur is None or one.component.dimension is Dimension.FLAT:
            continue
        gross = gross_price(tariff, one.component)
        energy = one.component.dimension is Dimension.ENERGY
        low, high = (
            (bounds.least_kwh_eur, bounds.most_kwh_eur)
            if energy
            else (bounds.least_hour_eur, bounds.most_hour_eur)
        )
        if not low * one_eur <= gross <= high * one_eur:
            unit = "kWh" if energy else "hour"
            hint = (
                "is it meant per minute?"
                if not energy and gross < low * one_eur
                else "is the point in its place?"
            )
            text = f"{gross.normalize():f} {tariff.currency} with tax per {unit} is unusual; {hint}"
            yield Finding(severity=WARNING, rule="price-outlier", text=text, place=place)


def gross_price(tariff: Tariff, component: Component) -> Decimal:
    """The price of a component with its taxes."""
    if tariff.tax_included is TaxIncluded.YES:
        return component.price
    return decimal_of(tax_factor(tariff, component) * component.price.as_integer_ratio()[0]) / Decimal(
        component.price.as_integer_ratio()[1]
    )


def country(tariff: Tariff, seen: Map, where: Where) -> Iterator[Finding]:
    """Currency and taxes unlike the country's."""
    known = country_on(where.country, where.day)
    if known is None:
        return
    if tariff.currency != known.currency:
        text = f"the currency is {tariff.currency}; in {known.code} it is {known.currency}"
        yield Finding(severity=WARNING, rule="currency", text=text, place="currency")
    yield from _taxes(tariff, seen, known)


def _taxes(tariff: Tariff, seen: Map, known: Country) -> Iterator[Finding]:
    if not known.rates or tariff.tax_included is TaxIncluded.NOT_APPLICABLE:
        return
    source, certainty = rates_known_from()
    usual = " or ".join(f"{rate} %" for rate in known.rates)
    for one in seen.priced:
        rates = {tax.rate_percent for tax in one.component.taxes}
        if rates and rates <= set(known.rates):
            continue
        told = " + ".join(f"{rate} %" for rate in sorted(rates))
        text = f"the tax is {told}" if rates else "there is no tax"
        yield Finding(
            severity=NOTE,
            rule="tax",
            text=f"{text}; usual in {known.code} is {known.tax} of {usual}",
            place=at_component(*one.place),
            source=source,
            certainty=certainty,
        )


def no_grace(tariff: Tariff, seen: Map, where: Where) -> Iterator[Finding]:
    """An idle fee that begins the moment the car is full."""
    for one in seen.of(Dimension.PARKING_TIME):
        if one.component.price <= 0:
            continue
        if any(box[IDLE][0] == 0 and box[DURATION][0] == 0 and box[CHARGING][0] == 0 for box in one.rest):
            text = (
                "the fee for parked time begins the moment the car is full; drivers need minutes to come back"
            )
            yield Finding(severity=WARNING, rule="no-grace", text=text, place=at_component(*one.place))


def small_hold(tariff: Tariff, seen: Map, where: Where) -> Iterator[Finding]:
    """A hold that ends a charge before it is worth anything."""
    if tariff.preauthorise is None:
        return
    energy_wh = surprising().hold_wh
    charging_ms = energy_wh * 2 * 3_600_000 // where.power_w if where.power_w else 0
    bill = quote(tariff, at_ms=where.now_ms, energy_wh=energy_wh, charging_ms=charging_ms, site=where.site)
    if tariff.preauthorise < to_major(bill.gross_minor, currency=tariff.currency):
        cost = show(bill.gross_minor, currency=tariff.currency)
        text = (
            f"the hold of {tariff.preauthorise} {tariff.currency} does not pay for 5 kWh, which cost {cost}"
        )
        yield Finding(severity=WARNING, rule="small-hold", text=text, place="preauthorize_amount")


EVERYWHERE = ("never-applies", "free-never-applies")
"""Rules that only count where they hold at all places: a tariff may be for several kinds of EVSE."""
CHECKS = (out_of_reach, gaps, limits, validity, steps, outliers, country, no_grace, small_hold)
