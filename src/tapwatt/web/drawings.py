"""What a tariff's drawings show: the price per kWh over a week, and what a charge costs as it goes on.

Only numbers and words come from here; templates draw them as SVG. Everything that colour says is also said in
words beside it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tapwatt.core.money import decimals, to_major
from tapwatt.core.site import Site
from tapwatt.core.tariff.clock import local, zone_of
from tapwatt.core.tariff.described import digits, gross
from tapwatt.core.tariff.model import Dimension, Tariff
from tapwatt.core.tariff.quotes import quote
from tapwatt.core.tariff.selection import Moment, candidates, first_match
from tapwatt.markets.reach import DAY_MINUTES, DAYS, week_in_words

Json = dict[str, Any]
SHADES = 5
BANDS_SHOWN = 12
PIECES_MAX = 400
LEFT, TOP, ROW, WIDTH = 50, 26, 26, 708
CURVE_LEFT, CURVE_WIDTH, CURVE_HEIGHT, CURVE_TOP = 76, 548, 190, 16
POINTS = 31
TOLD_AT_KWH = (5, 10, 20, 40, 60)
MS_PER_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a week with one price per kWh, as it is shown; minutes from Monday."""

    start: int
    end: int
    price: str


def week(tariff: Tariff, *, now_ms: int, site: Site, power_w: int) -> Json:
    """The price per kWh at the start of a charge, by the clock of this week: pieces to draw, and words."""
    pieces = _pieces(tariff, now_ms=now_ms, site=site, power_w=power_w)
    prices = sorted({piece.price for piece in pieces}, key=Decimal)
    shades = {price: _shade(place, len(prices)) for place, price in enumerate(prices)}
    bands = [
        {
            "price": price,
            "shade": shades[price],
            "when": week_in_words([(one.start, one.end) for one in pieces if one.price == price]) or "always",
        }
        for price in prices
    ]
    return {
        "rows": [_row(day, pieces, shades) for day in range(7)],
        "bands": bands[:BANDS_SHOWN],
        "bands_left_out": max(0, len(bands) - BANDS_SHOWN),
        "hours": [{"x": LEFT + hour * WIDTH // 24, "text": f"{hour:02d}"} for hour in range(0, 25, 3)],
        "height": TOP + 7 * ROW + 4,
        "width": LEFT + WIDTH + 14,
    }


def _shade(place: int, of: int) -> int:
    """The darker the dearer; one price alone is in the middle."""
    return SHADES // 2 if of == 1 else place * (SHADES - 1) // (of - 1)


def _pieces(tariff: Tariff, *, now_ms: int, site: Site, power_w: int) -> list[Piece]:
    today = local(now_ms, zone_of(site.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today.replace(tzinfo=None) - timedelta(days=today.weekday())
    found: list[Piece] = []
    of = candidates(tariff, Dimension.ENERGY)
    cuts = sorted({minute for one in of for minute in _minutes(one.restrictions)} | {0})[: PIECES_MAX // 7]
    for day in range(7):
        for start, end in zip(cuts, [*cuts[1:], DAY_MINUTES], strict=True):
            at = _moment(monday + timedelta(days=day, minutes=start), site, power_w)
            now = first_match(of, at)
            price = "0" if now is None else digits(gross(tariff, now.component))
            begin, finish = day * DAY_MINUTES + start, day * DAY_MINUTES + end
            if found and found[-1].price == price and start:
                found[-1] = Piece(found[-1].start, finish, price)
            else:
                found.append(Piece(begin, finish, price))
    return found


def _minutes(rules: Any) -> list[int]:
    return [minute for minute in (rules.start_minute, rules.end_minute) if minute and minute < DAY_MINUTES]


def _moment(at: datetime, site: Site, power_w: int) -> Moment:
    power = Decimal(power_w) if power_w else None
    return Moment(
        local=at,
        energy_wh=0,
        passed_ms=0,
        charging_ms=0,
        idle_ms=0,
        min_power_w=power,
        max_power_w=power,
        min_current_a=None,
        max_current_a=None,
        evse_kind=site.evse_kind,
        payment_brand=None,
        payment_recognition=None,
    )


def _row(day: int, pieces: list[Piece], shades: dict[str, int]) -> Json:
    morning = day * DAY_MINUTES
    return {
        "day": DAYS[day],
        "y": TOP + day * ROW,
        "cells": [
            {
                "x": LEFT + (one.start - morning) * WIDTH // DAY_MINUTES,
                "width": max(1, (one.end - one.start) * WIDTH // DAY_MINUTES),
                "shade": shades[one.price],
                "price": one.price,
                "wide": one.end - one.start >= 150,
            }
            for one in pieces
            if morning <= one.start < morning + DAY_MINUTES
        ],
    }


def curve(tariff: Tariff, *, at_ms: int, site: Site, power_w: int) -> Json:
    """What a charge at this power costs by the energy it took: a line to draw, and a few points in words."""
    most_kwh = 60 if power_w >= 11_000 else 30

    def cost_minor(energy_wh: int) -> int:
        bill = quote(
            tariff,
            at_ms=at_ms,
            energy_wh=energy_wh,
            charging_ms=energy_wh * MS_PER_HOUR // power_w,
            site=site,
        )
        return bill.gross_minor

    energies = [most_kwh * 1000 * place // (POINTS - 1) for place in range(POINTS)]
    costs = [cost_minor(energy_wh) for energy_wh in energies]
    top = _round_top(max([*costs, 1]))
    points = [
        (
            CURVE_LEFT + CURVE_WIDTH * place // (POINTS - 1),
            CURVE_TOP + CURVE_HEIGHT - CURVE_HEIGHT * cost // top,
        )
        for place, cost in enumerate(costs)
    ]
    return {
        "line": " ".join(f"{x},{y}" for x, y in points),
        "floor": CURVE_TOP + CURVE_HEIGHT,
        "left": CURVE_LEFT,
        "right": CURVE_LEFT + CURVE_WIDTH,
        "columns": [
            {"x": CURVE_LEFT + CURVE_WIDTH * tenth // 6, "text": f"{most_kwh * tenth // 6}"}
            for tenth in range(7)
        ],
        "lines": [
            {
                "y": CURVE_TOP + CURVE_HEIGHT - CURVE_HEIGHT * part // 4,
                "text": _short(top * part // 4, tariff.currency),
            }
            for part in range(5)
        ],
        "told": [
            {"kwh": kwh, "cost_minor": cost_minor(kwh * 1000)} for kwh in TOLD_AT_KWH if kwh <= most_kwh
        ],
    }


def _short(amount_minor: int, currency: str) -> str:
    return f"{to_major(amount_minor, currency=currency):.{decimals(currency)}f}"


def _round_top(most: int) -> int:
    """The next 1, 2 or 4 × a power of ten, so that quarters of it are round."""
    size = 1
    while True:
        for factor in (4, 8, 20):
            if most <= factor * size:
                return factor * size
        size *= 10
