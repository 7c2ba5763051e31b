"""OCPP 2.1 tariffs ↔ the one tariff model, exactly or not at all; with it OCPI tariffs become OCPP ones.

Spec: OCPP 2.1 Part 2, I07–I12 and the data types TariffType, TaxRateType, PriceType.

Certain: prices are before tax; of a list the first price whose conditions hold applies, without any that part
is free; a tax of a higher `stack` is taken on top of the lower ones; a fixed fee is looked at when the
transaction starts; tariffs of different content have different ids (I08.FR.08: the caller's business); a
driver's tariff has no `validFrom` (I08.FR.09).

Not certain: which side of `minCost` and `maxCost` decides where the taxes of a session are mixed (here each
by itself, as in OCPI); how the other side follows where one is missing (in proportion; with a minimum only
where all taxes are the same); whether MaxElements counts each list, as the variable says, or all together,
as I07.FR.02 may be read (each list).

A step of one Wh or second is taken for the resolution of the meter: where a price ends within one, up to one
of it may be priced otherwise. The model's `preauthorise` stays with us: a hold is no price.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import msgspec

from tapwatt.core.tariff.model import (
    Component,
    Dimension,
    Element,
    Limits,
    Reservation,
    Restrictions,
    Tariff,
    Tax,
    TaxIncluded,
)
from tapwatt.core.tariff.pricing import tax_factor
from tapwatt.ocpp.mend import UnableToRead, UnableToWrite
from tapwatt.ocpp.timestamps import UnableToWriteTime, read_time, write_time
from tapwatt.ocpp.v21 import wire
from tapwatt.ocpp.v21.numbers import encoded, exact, refused, sendable
from tapwatt.ocpp.v21.parts import MINUTES, PARTS, Part
from tapwatt.ocpp.v21.wire import camel
from tapwatt.rpc.messages import Fault

DOCUMENT_BYTES_MAX: Final = 1_000_000
TAXES_MAX: Final = 5
TAX_MAX: Final = 1000
_decoder = msgspec.json.Decoder(wire.Tariff)


def read(document: bytes | str) -> Tariff:
    """A TariffType as JSON text. Raises UnableToRead, which names the JSON path and the reason."""
    if len(document) > DOCUMENT_BYTES_MAX:
        raise refused("$", f"more than {DOCUMENT_BYTES_MAX} bytes")
    try:
        given = _decoder.decode(document)
    except msgspec.ValidationError as wrong:
        raise UnableToRead(Fault.PROPERTY_CONSTRAINT_VIOLATION, f"{wrong}") from None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise UnableToRead(Fault.FORMATION_VIOLATION, "$: not JSON") from None
    return of_wire(given)


def write(tariff: Tariff, *, driver: bool = False, description: tuple[wire.Message, ...] = ()) -> bytes:
    """A TariffType as JSON text; without `validFrom` for a driver's own. Raises UnableToWrite, which names
    what OCPP 2.1 cannot say and why."""
    given = to_wire(tariff, driver=driver, description=description)
    document = encoded(given)
    try:
        _decoder.decode(document)
    except msgspec.ValidationError as wrong:
        raise UnableToWrite(f"tariff {tariff.tariff_id}: {wrong}") from None
    return document


def unsupported(tariff: Tariff, max_elements: int | None, conditions_supported: bool) -> str | None:
    """Why a station would not take this tariff, by its TariffCostCtrlr.MaxElements[Tariff] (None where it
    told none) and ConditionsSupported[Tariff]; None when it would. Raises UnableToWrite."""
    given = to_wire(tariff)
    for part in PARTS:
        prices = _prices(given, part)
        if max_elements is not None and len(prices) > max_elements:
            return f"$.{part.name}.prices: {len(prices)} prices, the station takes {max_elements}"
        for place, price in enumerate(prices):
            if price.conditions is not None and not conditions_supported:
                return f"$.{part.name}.prices[{place}].conditions: the station takes none"
    return None


def _prices(given: wire.Tariff, part: Part) -> tuple[Any, ...]:
    found = getattr(given, part.field)
    return () if found is None else tuple(found.prices)


# --- wire → model


def of_wire(given: wire.Tariff, path: str = "$") -> Tariff:
    """What a tariff means. Raises UnableToRead."""
    elements = tuple(element for part in PARTS for element in _elements(given, part, path))
    if not elements:
        raise refused(path, "no price: what is free says 0")
    return Tariff(
        tariff_id=given.tariff_id,
        currency=given.currency,
        elements=elements,
        limits=_read_limits(given, path),
        valid_from_ms=_read_moment(given.valid_from, f"{path}.validFrom"),
    )


def _elements(given: wire.Tariff, part: Part, path: str) -> Iterator[Element]:
    found = getattr(given, part.field)
    if found is None:
        return
    where = f"{path}.{part.name}"
    taxes = tuple(_read_tax(tax, f"{where}.taxRates[{place}]") for place, tax in enumerate(found.tax_rates))
    for place, price in enumerate(found.prices):
        at = f"{where}.prices[{place}]"
        amount = exact(getattr(price, part.price), f"{at}.{camel(part.price)}") * part.units
        rules = part.read_rules(price.conditions, f"{at}.conditions")
        yield Element(
            components=(Component(dimension=part.dimension, price=amount, taxes=taxes),),
            restrictions=replace(rules, reservation=Reservation.RESERVATION) if part.reserved else rules,
        )


def _read_tax(given: wire.TaxRate, path: str) -> Tax:
    if not 0 <= exact(given.tax, f"{path}.tax") < TAX_MAX:
        raise refused(f"{path}.tax", f"not a percentage from 0 to {TAX_MAX}")
    return Tax(name=given.type, rate_percent=given.tax, stack=given.stack)


def _read_limits(given: wire.Tariff, path: str) -> Limits:
    min_net, min_gross = _read_limit(given.min_cost, f"{path}.minCost")
    max_net, max_gross = _read_limit(given.max_cost, f"{path}.maxCost")
    return Limits(min_net=min_net, min_gross=min_gross, max_net=max_net, max_gross=max_gross)


def _read_limit(given: wire.Price | None, path: str) -> tuple[Decimal | None, Decimal | None]:
    if given is None:
        return None, None
    net, gross = given.excl_tax, given.incl_tax
    if net is None and gross is None:
        raise refused(path, "neither exclTax nor inclTax")
    if given.tax_rates and (net is None or gross is None):
        raise refused(f"{path}.taxRates", "both exclTax and inclTax are needed with taxes of its own")
    for name, side in (("exclTax", net), ("inclTax", gross)):
        if side is not None and exact(side, f"{path}.{name}") < 0:
            raise refused(f"{path}.{name}", "negative")
    return net, gross


def _read_moment(text: str | None, path: str) -> int | None:
    at_ms = read_time(text)
    if text is not None and at_ms is None:
        raise refused(path, "not a time")
    return at_ms


# --- model → wire


@dataclass(frozen=True, slots=True)
class Placed:
    """A component with its place in the model's tariff."""

    path: str
    rules_path: str
    component: Component
    rules: Restrictions


def to_wire(
    tariff: Tariff, *, driver: bool = False, description: tuple[wire.Message, ...] = ()
) -> wire.Tariff:
    """The same tariff in OCPP 2.1. Raises UnableToWrite with the reason where it could price otherwise."""
    placed = tuple(_placed(tariff))
    _check(tariff, placed)
    limits = tariff.limits
    try:
        valid_from = None if driver or tariff.valid_from_ms is None else write_time(tariff.valid_from_ms)
    except UnableToWriteTime as wrong:
        raise UnableToWrite(f"valid_from_ms: {wrong}") from wrong
    return wire.Tariff(
        tariff_id=tariff.tariff_id,
        currency=tariff.currency,
        description=description,
        valid_from=valid_from,
        min_cost=_write_limit(limits.min_net, limits.min_gross, "limits.min"),
        max_cost=_write_limit(limits.max_net, limits.max_gross, "limits.max"),
        **{part.field: _list(tariff, part, placed) for part in PARTS},
    )


def _placed(tariff: Tariff) -> Iterator[Placed]:
    for number, element in enumerate(tariff.elements):
        for place, component in enumerate(element.components):
            at = f"elements[{number}]"
            yield Placed(f"{at}.components[{place}]", f"{at}.restrictions", component, element.restrictions)


def _check(tariff: Tariff, placed: tuple[Placed, ...]) -> None:
    """What no list can say."""
    if not placed:
        raise UnableToWrite("elements: no price")
    if tariff.valid_to_ms is not None:
        raise UnableToWrite("valid_to_ms: OCPP 2.1 has no end of a tariff, its successor must be sent")
    for one in placed:
        component, reservation = one.component, one.rules.reservation
        if component.step_size > 1:
            raise UnableToWrite(
                f"{one.path}.step_size: OCPP 2.1 has no steps, this one is {component.step_size}"
            )
        if reservation is Reservation.EXPIRES:
            raise UnableToWrite(
                f"{one.rules_path}.reservation: OCPP 2.1 has no price of an expired reservation"
            )
        if reservation is not None and component.dimension not in (Dimension.TIME, Dimension.FLAT):
            raise UnableToWrite(f"{one.path}: a reservation has no {component.dimension.value}")
        if tariff.tax_included is TaxIncluded.YES and tax_factor(tariff, component) != 1:
            raise UnableToWrite(f"{one.path}.price: contains tax, OCPP 2.1 prices do not")
    _check_limits(tariff, placed)


def _check_limits(tariff: Tariff, placed: tuple[Placed, ...]) -> None:
    limits = tariff.limits
    factors = {tax_factor(tariff, one.component) for one in placed}
    if (limits.min_net is None) != (limits.min_gross is None) and len(factors) > 1:
        raise UnableToWrite("limits: a minimum before or after tax alone, and the prices' taxes are unlike")


def _list(tariff: Tariff, part: Part, placed: tuple[Placed, ...]) -> Any:
    mine = [
        one
        for one in placed
        if one.component.dimension is part.dimension and (one.rules.reservation is not None) == part.reserved
    ]
    if not mine:
        return None
    prices = []
    for one in mine:
        at = f"{one.path}.price per minute" if part.units == MINUTES else f"{one.path}.price"
        amount = sendable(Fraction(one.component.price) / part.units, at)
        for condition in part.write_rules(replace(one.rules, reservation=None), one.rules_path):
            prices.append(part.price_type(**{part.price: amount}, conditions=condition))
    return part.list_type(prices=tuple(prices), tax_rates=_write_taxes(tariff, part, mine))


def _write_taxes(tariff: Tariff, part: Part, mine: list[Placed]) -> tuple[wire.TaxRate, ...]:
    """The taxes that all prices of a list share; what is free may have any."""
    if tariff.tax_included is TaxIncluded.NOT_APPLICABLE:
        return ()
    first, *others = [one for one in mine if one.component.price] or mine[:1]
    for other in others:
        if sorted(other.component.taxes, key=_order) != sorted(first.component.taxes, key=_order):
            raise UnableToWrite(
                f"{other.path}.taxes: unlike those of {first.path}, and {part.name} has one set of taxes"
            )
    taxes = first.component.taxes
    if len(taxes) > TAXES_MAX:
        raise UnableToWrite(f"{first.path}.taxes: more than {TAXES_MAX}")
    return tuple(
        wire.TaxRate(
            type=tax.name, tax=sendable(tax.rate_percent, f"{first.path}.taxes[{place}]"), stack=tax.stack
        )
        for place, tax in enumerate(taxes)
    )


def _order(tax: Tax) -> tuple[int, str, Decimal]:
    return tax.stack, tax.name, tax.rate_percent


def _write_limit(net: Decimal | None, gross: Decimal | None, path: str) -> wire.Price | None:
    if net is None and gross is None:
        return None
    return wire.Price(
        excl_tax=None if net is None else sendable(net, f"{path}_net"),
        incl_tax=None if gross is None else sendable(gross, f"{path}_gross"),
    )
