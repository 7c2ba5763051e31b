"""The six price lists of an OCPP 2.1 tariff and what each is in the one tariff model (TariffType)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from tapwatt.core.tariff.model import Dimension, Restrictions
from tapwatt.ocpp.v21 import conditions, wire
from tapwatt.ocpp.v21.wire import camel

MINUTES: Final = 60
"""In an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the six price lists of an OCPP tariff and what it is in the model."""

    field: str
    price: str
    dimension: Dimension
    reserved: bool
    list_type: Any
    price_type: Any
    read_rules: Callable[[Any, str], Restrictions]
    write_rules: Callable[[Restrictions, str], Iterator[Any]]
    units: int = 1
    """Price of the model ÷ price of the wire."""

    @property
    def name(self) -> str:
        """As the wire spells it."""
        return camel(self.field)


def _time(field: str, dimension: Dimension, *, reserved: bool = False) -> Part:
    return Part(
        field=field,
        price="price_minute",
        dimension=dimension,
        reserved=reserved,
        list_type=wire.Time,
        price_type=wire.TimePrice,
        read_rules=conditions.read_reserved if reserved else conditions.read_conditions,
        write_rules=conditions.write_reserved if reserved else conditions.write_conditions,
        units=MINUTES,
    )


def _fixed(field: str, *, reserved: bool = False) -> Part:
    return Part(
        field=field,
        price="price_fixed",
        dimension=Dimension.FLAT,
        reserved=reserved,
        list_type=wire.Fixed,
        price_type=wire.FixedPrice,
        read_rules=conditions.read_reserved_fixed if reserved else conditions.read_fixed,
        write_rules=conditions.write_reserved_fixed if reserved else conditions.write_fixed,
    )


PARTS: Final = (
    Part(
        field="energy",
        price="price_kwh",
        dimension=Dimension.ENERGY,
        reserved=False,
        list_type=wire.Energy,
        price_type=wire.EnergyPrice,
        read_rules=conditions.read_conditions,
        write_rules=conditions.write_conditions,
    ),
    _time("charging_time", Dimension.TIME),
    _time("idle_time", Dimension.PARKING_TIME),
    _fixed("fixed_fee"),
    _time("reservation_time", Dimension.TIME, reserved=True),
    _fixed("reservation_fixed", reserved=True),
)
