"""What a country says about prices on a day: currency, usual taxes, rounding, and rules for tariffs.

All of it is data (`jurisdictions.toml`), dated, with source and certainty; packages of country data lag
behind the law (reference: the field's practice, rounding and country registry).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from tapwatt.core.bill import PER_TOTAL, Basis, Rounding

BEGINNING = date(1900, 1, 1)


class Severity(StrEnum):
    """How bad a finding is: unlawful or impossible, suspicious, or good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """A country on a day. `rates` are the usual tax rates in percent; empty where there is no usual one."""

    code: str
    currency: str
    tax: str
    rates: tuple[Decimal, ...]
    rounding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of law for tariffs. `kind` names the check; powers are those of the EVSE, in watts, the most
    being exclusive."""

    rule_id: str
    kind: str
    severity: Severity
    text: str
    source: str
    certainty: str
    countries: frozenset[str]
    begins: date = BEGINNING
    ends: date = date.max
    min_power_w: int = 0
    max_power_w: int | None = None

    def holds(self, country: str, day: date, power_w: int) -> bool:
        """Whether the rule is in force for an EVSE of this power there and then."""
        if country not in self.countries or not self.begins <= day < self.ends:
            return False
        return power_w >= self.min_power_w and (self.max_power_w is None or power_w < self.max_power_w)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surprising:
    """From where on a value looks like a typing mistake; prices in euros."""

    least_kwh_eur: Decimal
    most_kwh_eur: Decimal
    least_hour_eur: Decimal
    most_hour_eur: Decimal
    most_step_wh: int
    most_step_s: int
    hold_wh: int
    one_eur: Mapping[str, Decimal]


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(files("tapwatt.markets").joinpath("jurisdictions.toml").read_text("utf-8"))


def country_on(code: str, day: date) -> Country | None:
    """A country as it is on a day; None when we know nothing of it."""
    found = None
    for row in _data()["country"]:
        if row["code"] == code and row.get("from", BEGINNING) <= day < row.get("until", date.max):
            found = row
    if found is None:
        return None
    return Country(
        code=code,
        currency=found["currency"],
        tax=found["tax"],
        rates=tuple(Decimal(rate) for rate in found["rates"]),
        rounding=found.get("rounding", "total"),
    )


def rounding_for(code: str, day: date, *, cash: bool = False) -> Rounding:
    """How bills are rounded in a country on a day; once on the total where nothing else is known. Only
    what is paid in coins is rounded to the least coin."""
    country = country_on(code, day)
    if country is None:
        return PER_TOTAL
    policy = _data()["rounding"][country.rounding]
    step_minor = policy.get("step_minor", 1)
    return Rounding(
        basis=Basis(policy["basis"]),
        cash_step_minor=max(step_minor, policy.get("cash_step_minor", 1)) if cash else step_minor,
        name=policy["name"],
    )


def rates_known_from() -> tuple[str, str]:
    """Where the usual tax rates come from, and how certain they are."""
    row = _data()["rates"]
    return row["source"], row["certainty"]


@cache
def rules() -> tuple[Rule, ...]:
    """All rules for tariffs."""
    groups = _data()["groups"]
    return tuple(
        Rule(
            rule_id=row["id"],
            kind=row["kind"],
            severity=Severity(row["severity"]),
            text=row["text"],
            source=row["source"],
            certainty=row["certainty"],
            countries=frozenset(code for name in row["of"] for code in groups.get(name, (name,))),
            begins=row.get("from", BEGINNING),
            ends=row.get("until", date.max),
            min_power_w=row.get("min_power_w", 0),
            max_power_w=row.get("max_power_w"),
        )
        for row in _data()["rule"]
    )


@cache
def surprising() -> Surprising:
    """What looks like a typing mistake."""
    row = _data()["surprising"]
    return Surprising(
        least_kwh_eur=Decimal(row["least_kwh_eur"]),
        most_kwh_eur=Decimal(row["most_kwh_eur"]),
        least_hour_eur=Decimal(row["least_hour_eur"]),
        most_hour_eur=Decimal(row["most_hour_eur"]),
        most_step_wh=row["most_step_wh"],
        most_step_s=row["most_step_s"],
        hold_wh=row["hold_wh"],
        one_eur={code: Decimal(value) for code, value in row["one_eur"].items()},
    )
