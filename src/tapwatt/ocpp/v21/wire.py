"""OCPP 2.1 tariffs and costDetails as the wire has them; field names turn camelCase, numbers stay decimals.

Written by hand from the data types of OCPP 2.1 (Part 2, block I and chapter 3): the official schemas are not
ours to redistribute and judge from outside. A tariff with a field nobody knows is refused, because a
condition that is not understood would misprice; a station's costDetails are read with patience.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Text20 = Annotated[str, Meta(max_length=20)]
Identifier = Annotated[str, Meta(min_length=1, max_length=60)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
ClockTime = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Day = Annotated[str, Meta(pattern="^[12][0-9]{3}-[01][0-9]-[0-3][0-9]$")]
Seconds = Annotated[int, Meta(ge=0, le=10**9)]
Weekday = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
EvseKind = Literal["AC", "DC"]
PRICES_MAX = 200
"""Prices in one list: the standard gives no limit, no tariff that people understand needs more."""


def camel(name: str) -> str:
    """A field of ours as the wire spells it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


class Wire(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """What every part of a tariff has in common. `customData` is read and not understood."""

    custom_data: Any = None


class TaxRate(Wire, frozen=True):
    """TaxRateType: one tax in percent. A higher `stack` is taken on top of the lower ones."""

    type: Text20
    tax: Decimal
    stack: Annotated[int, Meta(ge=0, le=9)] = 0


TaxRates = Annotated[tuple[TaxRate, ...], Meta(max_length=5)]


class FixedConditions(Wire, frozen=True):
    """TariffConditionsFixedType: looked at when the transaction starts."""

    start_time_of_day: ClockTime | None = None
    end_time_of_day: ClockTime | None = None
    day_of_week: Annotated[tuple[Weekday, ...], Meta(max_length=7)] = ()
    valid_from_date: Day | None = None
    valid_to_date: Day | None = None
    evse_kind: EvseKind | None = None
    payment_brand: Text20 | None = None
    payment_recognition: Text20 | None = None


class Conditions(Wire, frozen=True):
    """TariffConditionsType: energy in Wh, power in W, current in A over all phases, times in seconds."""

    start_time_of_day: ClockTime | None = None
    end_time_of_day: ClockTime | None = None
    day_of_week: Annotated[tuple[Weekday, ...], Meta(max_length=7)] = ()
    valid_from_date: Day | None = None
    valid_to_date: Day | None = None
    evse_kind: EvseKind | None = None
    min_energy: Decimal | None = None
    max_energy: Decimal | None = None
    min_current: Decimal | None = None
    max_current: Decimal | None = None
    min_power: Decimal | None = None
    max_power: Decimal | None = None
    min_time: Seconds | None = None
    max_time: Seconds | None = None
    min_charging_time: Seconds | None = None
    max_charging_time: Seconds | None = None
    min_idle_time: Seconds | None = None
    max_idle_time: Seconds | None = None


class EnergyPrice(Wire, frozen=True):
    """TariffEnergyPriceType: before tax."""

    price_kwh: Decimal
    conditions: Conditions | None = None


class TimePrice(Wire, frozen=True):
    """TariffTimePriceType: before tax."""

    price_minute: Decimal
    conditions: Conditions | None = None


class FixedPrice(Wire, frozen=True):
    """TariffFixedPriceType: before tax."""

    price_fixed: Decimal
    conditions: FixedConditions | None = None


class Energy(Wire, frozen=True):
    """TariffEnergyType."""

    prices: Annotated[tuple[EnergyPrice, ...], Meta(min_length=1, max_length=PRICES_MAX)]
    tax_rates: TaxRates = ()


class Time(Wire, frozen=True):
    """TariffTimeType."""

    prices: Annotated[tuple[TimePrice, ...], Meta(min_length=1, max_length=PRICES_MAX)]
    tax_rates: TaxRates = ()


class Fixed(Wire, frozen=True):
    """TariffFixedType."""

    prices: Annotated[tuple[FixedPrice, ...], Meta(min_length=1, max_length=PRICES_MAX)]
    tax_rates: TaxRates = ()


class Price(Wire, frozen=True):
    """PriceType: at least one of the two is there."""

    excl_tax: Decimal | None = None
    incl_tax: Decimal | None = None
    tax_rates: TaxRates = ()


class Message(Wire, frozen=True):
    """MessageContentType: the tariff in words, in one language."""

    format: Literal["ASCII", "HTML", "URI", "UTF8", "QRCODE"]
    content: Annotated[str, Meta(max_length=1024)]
    language: Annotated[str, Meta(max_length=8)] | None = None


class Tariff(Wire, frozen=True):
    """TariffType."""

    tariff_id: Identifier
    currency: Currency
    description: Annotated[tuple[Message, ...], Meta(max_length=10)] = ()
    valid_from: str | None = None
    energy: Energy | None = None
    charging_time: Time | None = None
    idle_time: Time | None = None
    fixed_fee: Fixed | None = None
    reservation_time: Time | None = None
    reservation_fixed: Fixed | None = None
    min_cost: Price | None = None
    max_cost: Price | None = None


# --- what a session cost, as the station worked it out


class Reported(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What every part of costDetails has in common: more than we know may stand there."""


class Amount(Reported, frozen=True):
    """PriceType and TotalPriceType as a result."""

    excl_tax: Decimal | None = None
    incl_tax: Decimal | None = None


class TotalCost(Reported, frozen=True):
    """TotalCostType."""

    currency: Currency
    type_of_cost: Literal["NormalCost", "MinCost", "MaxCost"]
    total: Amount
    fixed: Amount | None = None
    energy: Amount | None = None
    charging_time: Amount | None = None
    idle_time: Amount | None = None
    reservation_time: Amount | None = None
    reservation_fixed: Amount | None = None


class TotalUsage(Reported, frozen=True):
    """TotalUsageType. Integers on the wire; read as decimals, because stations send `900.0`."""

    energy: Decimal
    charging_time: Decimal
    idle_time: Decimal
    reservation_time: Decimal | None = None


class CostDimension(Reported, frozen=True):
    """CostDimensionType. The standard really spells one word `IdleTIme`."""

    type: str
    volume: Decimal


class ChargingPeriod(Reported, frozen=True):
    """ChargingPeriodType: ends where the next one starts, the last one with the session."""

    start_period: str
    tariff_id: str | None = None
    dimensions: Annotated[tuple[CostDimension, ...], Meta(max_length=100)] | None = None


class CostDetails(Reported, frozen=True):
    """CostDetailsType."""

    total_cost: TotalCost
    total_usage: TotalUsage
    charging_periods: Annotated[tuple[ChargingPeriod, ...], Meta(max_length=10_000)] | None = None
    failure_to_calculate: bool | None = None
    failure_reason: str | None = None
