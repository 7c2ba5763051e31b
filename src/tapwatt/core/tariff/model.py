"""The price rules that were shown to a driver: one model that holds OCPI 2.2.1 and 2.3.0 tariffs and OCPP 2.1
tariffs.

A tariff is a list of elements, each a group of price components that share restrictions. For each dimension
the first element in the list that has a component for it and whose restrictions match at that moment sets the
price; where none does, that dimension is free (OCPI 2.2.1 and 2.3.0, mod_tariffs). OCPP 2.1 lists prices by
dimension; its lists become elements of one component each, in their order.

Prices are exact decimals in major units: per kWh, per hour, or per session.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Dimension(StrEnum):
    """What a component prices. The words are OCPI's; OCPP says charging and idle time for the last two."""

    ENERGY = "ENERGY"
    FLAT = "FLAT"
    PARKING_TIME = "PARKING_TIME"
    TIME = "TIME"


class Reservation(StrEnum):
    """What kind of reservation an element prices: every one, or one that expired without a charge."""

    RESERVATION = "RESERVATION"
    EXPIRES = "RESERVATION_EXPIRES"


class TaxIncluded(StrEnum):
    """Whether prices contain the taxes of their components (OCPI 2.3.0, TaxIncluded)."""

    YES = "YES"
    NO = "NO"
    NOT_APPLICABLE = "N/A"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """One tax on a component. A tax of a higher `stack` is taken on the price with all lower ones (OCPP 2.1,
    TaxRateType; OCPI has one tax of level 0)."""

    name: str
    rate_percent: Decimal
    stack: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One price. `step_size` is in watt-hours or seconds, by dimension; 0 bills what was used."""

    dimension: Dimension
    price: Decimal
    taxes: tuple[Tax, ...] = ()
    step_size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Restrictions:
    """When an element is active; all that are given must hold. Minima are inclusive, maxima exclusive.

    Clock times are minutes of the local day at the station; an end at or before its start wraps midnight, an
    end of 0 is the end of the day. `end_date` is exclusive. Weekdays are 0 (Monday) to 6. Durations are in
    seconds since the session began; `charging` and `idle` durations count only that kind of time. What a
    station does not tell (current, the kind of EVSE, the card's brand) matches no restriction on it.
    """

    start_minute: int | None = None
    end_minute: int | None = None
    start_date: date | None = None
    end_date: date | None = None
    weekdays: tuple[int, ...] = ()
    min_kwh: Decimal | None = None
    max_kwh: Decimal | None = None
    min_current_a: Decimal | None = None
    max_current_a: Decimal | None = None
    min_power_kw: Decimal | None = None
    max_power_kw: Decimal | None = None
    min_duration_s: int | None = None
    max_duration_s: int | None = None
    min_charging_s: int | None = None
    max_charging_s: int | None = None
    min_idle_s: int | None = None
    max_idle_s: int | None = None
    evse_kind: str | None = None
    payment_brand: str | None = None
    payment_recognition: str | None = None
    reservation: Reservation | None = None


ALWAYS = Restrictions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """Price components that share restrictions."""

    components: tuple[Component, ...]
    restrictions: Restrictions = ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The least and the most that a session costs, before and after tax; each applies by itself. Where only
    one side is given, the other moves with it."""

    min_net: Decimal | None = None
    min_gross: Decimal | None = None
    max_net: Decimal | None = None
    max_gross: Decimal | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The price rules that were shown to the driver; fixed when the session is offered.

    `valid_from_ms` and `valid_to_ms` (exclusive) say when sessions may begin with it. `preauthorise` is the
    hold that the tariff's author asks for, in major units (OCPI payments module, preauthorize_amount).
    """

    tariff_id: str
    currency: str
    elements: tuple[Element, ...]
    tax_included: TaxIncluded = TaxIncluded.NO
    limits: Limits = NO_LIMITS
    preauthorise: Decimal | None = None
    valid_from_ms: int | None = None
    valid_to_ms: int | None = None


def kwh_tariff(tariff_id: str, *, currency: str, kwh_price: Decimal, tax_rate_percent: Decimal) -> Tariff:
    """The simplest tariff: one price per kWh before tax, and one tax."""
    tax = Tax(name="VAT", rate_percent=tax_rate_percent)
    energy = Component(dimension=Dimension.ENERGY, price=kwh_price, taxes=(tax,))
    return Tariff(tariff_id=tariff_id, currency=currency, elements=(Element(components=(energy,)),))
