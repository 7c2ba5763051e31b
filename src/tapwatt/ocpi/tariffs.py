"""OCPI tariffs, 2.2.1 and 2.3.0, to and from our model (mod_tariffs and types of both versions).

The versions are told apart by their fields: 2.3.0 has `tax_included` and limits with `before_taxes` and
`after_taxes`, 2.2.1 limits with `excl_vat` and `incl_vat`. OCPI's one `vat` of a component is our tax named
VAT. What a tariff carries that no price depends on is kept beside the model, in a `Document`; the parts that
only say whose it is may be missing, so that a tariff can be priced before it is published.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

from tapwatt.core.tariff.model import (
    ALWAYS,
    NO_LIMITS,
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
from tapwatt.ocpi.codes import CURRENCIES
from tapwatt.ocpi.document import Node, UnableToRead, UnableToWrite, as_moment

VERSIONS = ("2.2.1", "2.3.0")
ELEMENTS_MAX, COMPONENTS_MAX, TEXTS_MAX = 500, 20, 100
STEP_MAX = 1_000_000_000
DURATION_MAX_S = 366 * 24 * 3600
HIGHEST_RATE = Decimal("999.9999")
NONE = Decimal(0)
BETWEEN_WORDS = str.maketrans("", "", "\n\r\t")
COUNTRY, PARTY = re.compile(r"[A-Za-z]{2}"), re.compile(r"[A-Za-z0-9]{3}")
TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)
DATE = re.compile(r"[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])", re.ASCII)
LANGUAGE = re.compile(r"[A-Za-z]{2}")


class Day(Enum):
    """Days of the week in OCPI's words; their order is ours, Monday first."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class Kind(Enum):
    """For whom a tariff is."""

    AD_HOC_PAYMENT = "AD_HOC_PAYMENT"
    PROFILE_CHEAP = "PROFILE_CHEAP"
    PROFILE_FAST = "PROFILE_FAST"
    PROFILE_GREEN = "PROFILE_GREEN"
    REGULAR = "REGULAR"


DAYS = tuple(Day)


class UnableToReadTariff(UnableToRead):
    """The tariff is not as OCPI says: its text is `$.elements[0].price_components[1].price: reason`."""


class UnableToWriteTariff(UnableToWrite):
    """This version of OCPI cannot say what the tariff says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A tariff explained in words of one language."""

    language: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A tariff with what it carries besides prices: whose it is, for whom, and how it is explained."""

    tariff: Tariff
    version: str = "2.3.0"
    country_code: str | None = None
    party_id: str | None = None
    kind: Kind | None = None
    texts: tuple[Text, ...] = ()
    url: str | None = None
    energy_mix: Mapping[str, Any] | None = field(default=None, hash=False)
    last_updated_ms: int | None = None


def read(document: object) -> Tariff:
    """The tariff in a parsed JSON document. Raises UnableToReadTariff with JSON path and reason."""
    return read_document(document).tariff


def read_document(document: object) -> Document:
    """The tariff and what it carries besides. Raises UnableToReadTariff with JSON path and reason."""
    top = Node(document, error=UnableToReadTariff)
    version = _version(top)
    texts = top.maybe("tariff_alt_text")
    return Document(
        tariff=_tariff(top, version),
        version=version,
        country_code=top.get("country_code", lambda node: node.matching(COUNTRY, "DE")),
        party_id=top.get("party_id", lambda node: node.matching(PARTY, "TWT")),
        kind=top.get("type", lambda node: node.choice(Kind)),
        texts=tuple(_text(one) for one in texts.items(most=TEXTS_MAX, least=0)) if texts else (),
        url=top.get("tariff_alt_url", lambda node: node.text(most=255)),
        energy_mix=top.get("energy_mix", Node.object),
        last_updated_ms=top.get("last_updated", Node.moment_ms),
    )


def _version(top: Node) -> str:
    """The version whose fields the tariff has; 2.2.1 where nothing says so."""
    newer = top.has("tax_included")
    for name in ("min_price", "max_price"):
        limit = top.maybe(name)
        if limit is None:
            continue
        if limit.has("before_taxes") and not newer:
            top.field("tax_included")
        if limit.has("excl_vat") and newer:
            limit.wrong("has the fields of OCPI 2.2.1 in a tariff of 2.3.0, which says before_taxes")
    return "2.3.0" if newer else "2.2.1"


def _tariff(top: Node, version: str) -> Tariff:
    currency = top.field("currency")
    if currency.text(most=3) not in CURRENCIES:
        currency.wrong("must be a currency of ISO 4217 like EUR")
    return Tariff(
        tariff_id=top.field("id").text(most=36),
        currency=currency.value,
        elements=tuple(_element(one) for one in top.field("elements").items(most=ELEMENTS_MAX)),
        tax_included=TaxIncluded.NO if version == "2.2.1" else top.field("tax_included").choice(TaxIncluded),
        limits=_limits(top, version),
        preauthorise=top.get("preauthorize_amount", lambda node: node.number(least=NONE)),
        valid_from_ms=top.get("start_date_time", Node.moment_ms),
        valid_to_ms=top.get("end_date_time", Node.moment_ms),
    )


def _text(node: Node) -> Text:
    return Text(
        language=node.field("language").matching(LANGUAGE, "de"),
        text=_lines(node.field("text")),
    )


def _lines(node: Node) -> str:
    """A text of up to 512 characters that may have several lines."""
    value = node.value
    if isinstance(value, str) and value.translate(BETWEEN_WORDS).isprintable() and len(value) <= 512:
        return value
    return node.text(most=512)


def _limits(top: Node, version: str) -> Limits:
    net, gross = ("excl_vat", "incl_vat") if version == "2.2.1" else ("before_taxes", "after_taxes")
    found: dict[str, Decimal | None] = {}
    for side in ("min", "max"):
        limit = top.maybe(f"{side}_price")
        if limit is not None:
            found[f"{side}_net"] = limit.field(net).number(least=NONE)
            found[f"{side}_gross"] = limit.get(gross, lambda node: node.number(least=NONE))
    return Limits(**found) if found else NO_LIMITS


def _element(node: Node) -> Element:
    rules = node.get("restrictions", _restrictions) or ALWAYS
    components = node.field("price_components").items(most=COMPONENTS_MAX)
    return Element(components=tuple(_component(one, rules) for one in components), restrictions=rules)


def _component(node: Node, rules: Restrictions) -> Component:
    dimension = node.field("type").choice(Dimension)
    if rules.reservation is not None and dimension not in (Dimension.FLAT, Dimension.TIME):
        node.field("type").wrong("a reservation can only have FLAT and TIME")
    rate = node.get("vat", lambda vat: vat.number(least=NONE, most=HIGHEST_RATE))
    return Component(
        dimension=dimension,
        price=node.field("price").number(),
        taxes=() if rate is None else (Tax(name="VAT", rate_percent=rate),),
        step_size=node.field("step_size").whole(least=0, most=STEP_MAX),
    )


def _restrictions(node: Node) -> Restrictions:
    if node.has("booking"):
        node.field("booking").wrong("bookings are not supported; the element would be active without one")
    days = node.maybe("day_of_week")
    found = tuple(DAYS.index(day.choice(Day)) for day in days.items(most=7, least=0)) if days else ()
    return Restrictions(
        start_minute=node.get("start_time", _minute),
        end_minute=node.get("end_time", _minute),
        start_date=node.get("start_date", _date),
        end_date=node.get("end_date", _date),
        weekdays=tuple(dict.fromkeys(found)),
        min_kwh=node.get("min_kwh", _amount),
        max_kwh=node.get("max_kwh", _amount),
        min_current_a=node.get("min_current", _amount),
        max_current_a=node.get("max_current", _amount),
        min_power_kw=node.get("min_power", _amount),
        max_power_kw=node.get("max_power", _amount),
        min_duration_s=node.get("min_duration", _seconds),
        max_duration_s=node.get("max_duration", _seconds),
        reservation=node.get("reservation", lambda one: one.choice(Reservation)),
    )


def _minute(node: Node) -> int:
    """A minute of the day; 00:00 as an end is the end of the day, which our model says the same way."""
    hours, minutes = node.matching(TIME, "13:30, from 00:00 to 23:59").split(":")
    return int(hours) * 60 + int(minutes)


def _date(node: Node) -> date:
    text = node.matching(DATE, "2026-12-24")
    try:
        return date.fromisoformat(text)
    except ValueError:
        node.wrong("is not in the calendar")


def _amount(node: Node) -> Decimal:
    return node.number(least=NONE)


def _seconds(node: Node) -> int:
    return node.whole(least=0, most=DURATION_MAX_S)


def write(tariff: Tariff, version: str = "2.3.0") -> dict[str, Any]:
    """The tariff as a document of this version, numbers as exact decimals (`document.as_text` writes them).
    Names of taxes are lost: OCPI has only `vat`. Raises UnableToWriteTariff with the reason."""
    return write_document(Document(tariff=tariff), version)


def write_document(document: Document, version: str = "2.3.0") -> dict[str, Any]:
    """The tariff with what it carries besides. Raises UnableToWriteTariff with the reason."""
    tariff = document.tariff
    if version not in VERSIONS:
        raise UnableToWriteTariff(f"there is no OCPI {version} here, only {' and '.join(VERSIONS)}")
    if len(tariff.tariff_id) > 36:
        raise UnableToWriteTariff("the tariff's id is longer than 36 characters")
    written = {
        "country_code": document.country_code,
        "party_id": document.party_id,
        "id": tariff.tariff_id,
        "currency": tariff.currency,
        "type": document.kind.value if document.kind else None,
        "tariff_alt_text": [{"language": one.language, "text": one.text} for one in document.texts] or None,
        "tariff_alt_url": document.url,
        "min_price": _limit("least", tariff.limits.min_net, tariff.limits.min_gross, version),
        "max_price": _limit("highest", tariff.limits.max_net, tariff.limits.max_gross, version),
        "preauthorize_amount": tariff.preauthorise,
        "elements": [_written(tariff, place) for place in range(len(tariff.elements))],
        "tax_included": _tax_included(tariff, version),
        "start_date_time": _moment(tariff.valid_from_ms),
        "end_date_time": _moment(tariff.valid_to_ms),
        "energy_mix": document.energy_mix,
        "last_updated": _moment(document.last_updated_ms),
    }
    return {name: value for name, value in written.items() if value is not None}


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else as_moment(at_ms)


def _tax_included(tariff: Tariff, version: str) -> str | None:
    """What 2.3.0 says; 2.2.1 has prices before tax, and no tax where a component has none."""
    if version == "2.3.0":
        return tariff.tax_included.value
    taxed = any(component.taxes for element in tariff.elements for component in element.components)
    if tariff.tax_included is TaxIncluded.YES or (taxed and tariff.tax_included is not TaxIncluded.NO):
        raise UnableToWriteTariff("OCPI 2.2.1 has only prices before tax")
    return None


def _limit(which: str, net: Decimal | None, gross: Decimal | None, version: str) -> dict[str, Decimal] | None:
    if net is None and gross is None:
        return None
    if net is None:
        raise UnableToWriteTariff(f"the {which} price: OCPI needs the amount before tax")
    names = ("excl_vat", "incl_vat") if version == "2.2.1" else ("before_taxes", "after_taxes")
    return {name: value for name, value in zip(names, (net, gross), strict=True) if value is not None}


def _written(tariff: Tariff, place: int) -> dict[str, Any]:
    element = tariff.elements[place]
    components = [_price(component, place) for component in element.components]
    rules = dict(_rules(element.restrictions, place))
    return {"price_components": components} | ({"restrictions": rules} if rules else {})


def _price(component: Component, place: int) -> dict[str, Any]:
    if len(component.taxes) > 1:
        raise UnableToWriteTariff(f"element {place + 1}: OCPI has one tax on a component, not several")
    vat = {"vat": component.taxes[0].rate_percent} if component.taxes else {}
    step = {"step_size": component.step_size}
    return {"type": component.dimension.value, "price": component.price} | vat | step


def _rules(rules: Restrictions, place: int) -> Iterator[tuple[str, Any]]:
    """The restrictions in OCPI's words. Raises UnableToWriteTariff for those that only OCPP 2.1 has."""
    ours = ("min_charging_s", "max_charging_s", "min_idle_s", "max_idle_s", "evse_kind")
    for name in (*ours, "payment_brand", "payment_recognition"):
        if getattr(rules, name) is not None:
            raise UnableToWriteTariff(f"element {place + 1}: OCPI has no restriction {name}, only OCPP 2.1")
    times = {"start_time": rules.start_minute, "end_time": rules.end_minute}
    yield from ((name, _clock(minute)) for name, minute in times.items() if minute is not None)
    dates = {"start_date": rules.start_date, "end_date": rules.end_date}
    yield from ((name, day.isoformat()) for name, day in dates.items() if day is not None)
    for name, value in (
        ("min_kwh", rules.min_kwh),
        ("max_kwh", rules.max_kwh),
        ("min_current", rules.min_current_a),
        ("max_current", rules.max_current_a),
        ("min_power", rules.min_power_kw),
        ("max_power", rules.max_power_kw),
        ("min_duration", rules.min_duration_s),
        ("max_duration", rules.max_duration_s),
    ):
        if value is not None:
            yield name, value
    if rules.weekdays:
        yield "day_of_week", [DAYS[day].value for day in rules.weekdays]
    if rules.reservation is not None:
        yield "reservation", rules.reservation.value


def _clock(minute: int) -> str:
    """A minute of the day; the end of the day is 00:00."""
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"
