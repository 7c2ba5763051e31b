"""Tariffs: the model, and everything that is reckoned with it.

`model` is what a tariff says, `usage` what a driver used; `price` makes the itemised bill. `running` is the
cost so far and when it reaches a limit, `quotes` what a charge would cost.
"""

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
    kwh_tariff,
)
from tapwatt.core.tariff.pricing import price
from tapwatt.core.tariff.usage import Period, Usage, energy_only

__all__ = [
    "Component",
    "Dimension",
    "Element",
    "Limits",
    "Period",
    "Reservation",
    "Restrictions",
    "Tariff",
    "Tax",
    "TaxIncluded",
    "Usage",
    "energy_only",
    "kwh_tariff",
    "price",
]
