"""The form for a simple tariff: what a person typed → a tariff, or what is wrong, by field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from tapwatt.core.tariff.clock import epoch_ms
from tapwatt.core.tariff.model import (
    Component,
    Dimension,
    Element,
    Limits,
    Restrictions,
    Tariff,
    Tax,
    TaxIncluded,
)
from tapwatt.ocpi.codes import CURRENCIES

NUMBER = re.compile(r"[0-9]{1,7}(?:[.,][0-9]{1,6})?")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,35}")
CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
MOMENT = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}")
DEFAULTS = {
    "tariff_id": "",
    "currency": "EUR",
    "kwh": "",
    "tax": "19",
    "inside": "yes",
    "start_fee": "",
    "idle_fee": "",
    "grace": "15",
    "night": "",
    "night_from": "22:00",
    "night_to": "06:00",
    "least": "",
    "most": "",
    "hold": "",
    "valid_from": "",
    "note": "",
}


@dataclass(slots=True)
class Typed:
    """The fields of a form while they are read, and what is wrong with each."""

    fields: Mapping[str, str]
    wrong: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """What was typed, without spaces around it."""
        return self.fields.get(name, DEFAULTS[name]).strip()

    def number(self, name: str, *, most: int = 1_000_000) -> Decimal | None:
        """An exact number; None where nothing was typed or it is wrong."""
        text = self.text(name)
        if not text:
            return None
        if not NUMBER.fullmatch(text):
            self.wrong[name] = "Write a number like 0.49, with at most six decimals."
            return None
        value = Decimal(text.replace(",", "."))
        if value > most:
            self.wrong[name] = f"At most {most} makes sense here."
        return value

    def minute(self, name: str) -> int | None:
        """A time of day as its minute."""
        found = CLOCK.fullmatch(self.text(name))
        if found is None:
            self.wrong[name] = "Write a time of day like 22:00."
            return None
        return int(found[1]) * 60 + int(found[2])


def tariff_of(fields: Mapping[str, str]) -> tuple[Tariff | None, dict[str, str]]:
    """The tariff that a form says, or None and what is wrong, by field."""
    typed = Typed(fields)
    tariff_id, currency = typed.text("tariff_id"), typed.text("currency").upper()
    if not NAME.fullmatch(tariff_id):
        typed.wrong["tariff_id"] = "Write 1 to 36 letters, digits, points, hyphens or underscores."
    if currency not in CURRENCIES:
        typed.wrong["currency"] = "Write a currency of ISO 4217 like EUR."
    tax = typed.number("tax", most=100)
    taxes = (Tax(name="VAT", rate_percent=tax),) if tax is not None else ()
    elements = _elements(typed, taxes)
    inside = typed.text("inside") != "no"
    limits, hold, begins_ms = _limits(typed, inside), typed.number("hold"), _moment(typed)
    if typed.wrong:
        return None, typed.wrong
    return Tariff(
        tariff_id=tariff_id,
        currency=currency,
        elements=elements,
        tax_included=TaxIncluded.YES if inside else TaxIncluded.NO,
        limits=limits,
        preauthorise=hold,
        valid_from_ms=begins_ms,
    ), {}


def _elements(typed: Typed, taxes: tuple[Tax, ...]) -> tuple[Element, ...]:
    """In the order in which the law shows them: per kWh, per minute, per session."""
    found: list[Element] = []

    def add(dimension: Dimension, price: Decimal, rules: Restrictions | None = None) -> None:
        component = Component(dimension=dimension, price=price, taxes=taxes)
        found.append(Element(components=(component,), restrictions=rules or Restrictions()))

    kwh, night = typed.number("kwh"), typed.number("night")
    if kwh is None and "kwh" not in typed.wrong:
        typed.wrong["kwh"] = "A price per kWh is needed; 0 for free energy."
    if night is not None:
        start, end = typed.minute("night_from"), typed.minute("night_to")
        if start is not None and start == end:
            typed.wrong["night_to"] = "It ends when it begins."
        add(Dimension.ENERGY, night, Restrictions(start_minute=start, end_minute=end))
    add(Dimension.ENERGY, kwh or Decimal(0))
    idle, grace = typed.number("idle_fee"), typed.number("grace", most=1440)
    if idle:
        grace_s = int((grace or Decimal(0)) * 60)
        add(Dimension.PARKING_TIME, idle * 60, Restrictions(min_idle_s=grace_s) if grace_s else None)
    if start_fee := typed.number("start_fee"):
        add(Dimension.FLAT, start_fee)
    return tuple(found)


def _limits(typed: Typed, inside: bool) -> Limits:
    least, most = typed.number("least"), typed.number("most")
    if least is not None and most is not None and least > most:
        typed.wrong["most"] = "The highest price is below the least."
    if inside:
        return Limits(min_gross=least, max_gross=most)
    return Limits(min_net=least, max_net=most)


def _moment(typed: Typed) -> int | None:
    text = typed.text("valid_from")
    if not text:
        return None
    try:
        if not MOMENT.fullmatch(text):
            raise ValueError(text)
        return epoch_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))
    except ValueError:
        typed.wrong["valid_from"] = "Write a day and time like 2027-01-31T06:00, in UTC."
        return None
