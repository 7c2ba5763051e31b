"""What a charge would cost: so much energy in so much time, beginning then, perhaps with the car left
standing afterwards."""

from decimal import Decimal

from tapwatt.core.bill import Bill
from tapwatt.core.money import show
from tapwatt.core.site import SOMEWHERE, Site
from tapwatt.core.tariff.clock import local, zone_of
from tapwatt.core.tariff.model import Tariff
from tapwatt.core.tariff.pricing import price
from tapwatt.core.tariff.usage import Period, Usage

MS_PER_MINUTE = 60_000


def quote(
    tariff: Tariff, *, at_ms: int, energy_wh: int, charging_ms: int, idle_ms: int = 0, site: Site = SOMEWHERE
) -> Bill:
    """The bill of a charge that flows evenly from `at_ms` on; the car then stands for `idle_ms`."""
    until_ms = at_ms + charging_ms
    charge = Period(
        started_ms=at_ms, ended_ms=until_ms, energy_wh=Decimal(energy_wh), charging_ms=charging_ms
    )
    rest = (Period(started_ms=until_ms, ended_ms=until_ms + idle_ms, idle_ms=idle_ms),) if idle_ms else ()
    usage = Usage(
        started_ms=at_ms, periods=(charge, *rest), time_zone=site.time_zone, evse_kind=site.evse_kind
    )
    return price(tariff, usage, site.rounding)


def quote_sentence(
    tariff: Tariff, *, at_ms: int, energy_wh: int, charging_ms: int, idle_ms: int = 0, site: Site = SOMEWHERE
) -> str:
    """A quote as a driver reads it: `20 kWh in 25 minutes at 18:00 costs 11.80 EUR`."""
    bill = quote(
        tariff, at_ms=at_ms, energy_wh=energy_wh, charging_ms=charging_ms, idle_ms=idle_ms, site=site
    )
    kwh = f"{(Decimal(energy_wh) / 1000).normalize():f}"
    when = local(at_ms, zone_of(site.time_zone)).strftime("%H:%M")
    stands = f" and {idle_ms // MS_PER_MINUTE} minutes parked" if idle_ms else ""
    cost = show(bill.gross_minor, currency=tariff.currency)
    return f"{kwh} kWh in {charging_ms // MS_PER_MINUTE} minutes at {when}{stands} costs {cost}"
