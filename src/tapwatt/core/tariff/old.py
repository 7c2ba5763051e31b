"""Tariff + usage → itemised bill. Today: a price per kilowatt-hour and one tax rate."""

from dataclasses import dataclass, replace
from decimal import Decimal

from tapwatt.core.bill import Bill, Line
from tapwatt.core.money import round_to_minor, show, to_major

WH_PER_KWH = Decimal(1000)
PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The price rules that were shown to the driver; fixed when the session is offered."""

    tariff_id: str
    currency: str
    kwh_price: Decimal
    """Major units per kWh, before tax."""
    tax_rate_percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is to be priced: energy in watt-hours and the time it took, as epoch milliseconds."""

    energy_wh: int
    started_ms: int
    ended_ms: int


def price(tariff: Tariff, session: Usage) -> Bill:
    """Price a session. Exact until the totals; the gross total is what the driver pays."""
    kwh = Decimal(session.energy_wh) / WH_PER_KWH
    net = kwh * tariff.kwh_price
    tax = net * tariff.tax_rate_percent / PERCENT
    line = Line(
        dimension="energy",
        quantity=kwh,
        unit="kWh",
        unit_price=tariff.kwh_price,
        net=net,
        tax_rate_percent=tariff.tax_rate_percent,
        tax=tax,
        why=f"tariff {tariff.tariff_id}: price per kWh",
    )
    gross_minor = round_to_minor(net + tax, currency=tariff.currency)
    net_minor = round_to_minor(net, currency=tariff.currency)
    return Bill(
        currency=tariff.currency,
        lines=(line,),
        net_minor=net_minor,
        tax_minor=gross_minor - net_minor,
        gross_minor=gross_minor,
    )


def gross_kwh_price(tariff: Tariff) -> Decimal:
    """Price per kWh with tax, in major units: what a driver compares."""
    return tariff.kwh_price * (PERCENT + tariff.tax_rate_percent) / PERCENT


def energy_for(tariff: Tariff, amount_minor: int) -> int | None:
    """The most energy, in Wh, whose exact price with tax stays within an amount; None when energy is free."""
    unit = gross_kwh_price(tariff)
    if unit <= 0:
        return None
    return int(to_major(amount_minor, currency=tariff.currency) / unit * WH_PER_KWH)


def price_sentence(tariff: Tariff) -> str:
    """The price as it is shown before the tap."""
    minor = round_to_minor(gross_kwh_price(tariff), currency=tariff.currency)
    return f"{show(minor, currency=tariff.currency)}/kWh"


def limited(tariff: Tariff, bill: Bill, amount_minor: int) -> Bill:
    """The same bill cut to an amount: nothing above the confirmed hold is charged, so one line takes the rest
    off."""
    if bill.gross_minor == amount_minor:
        return bill
    gross = to_major(amount_minor, currency=tariff.currency)
    exact_net = sum((line.net for line in bill.lines), Decimal(0))
    exact_tax = sum((line.tax for line in bill.lines), Decimal(0))
    net = gross * PERCENT / (PERCENT + tariff.tax_rate_percent)
    cut = Line(
        dimension="limit",
        quantity=Decimal(1),
        unit="session",
        unit_price=net - exact_net,
        net=net - exact_net,
        tax_rate_percent=tariff.tax_rate_percent,
        tax=gross - net - exact_tax,
        why="limited to the confirmed hold",
    )
    net_minor = round_to_minor(net, currency=tariff.currency)
    return replace(
        bill,
        lines=(*bill.lines, cut),
        net_minor=net_minor,
        tax_minor=amount_minor - net_minor,
        gross_minor=amount_minor,
    )
