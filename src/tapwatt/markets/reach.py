"""When each price of a tariff is in force, and when none is.

Every restriction is an axis: the minutes of a week, the days, energy, current, power, the session's times,
and what a station or card is. What is not told matches no restriction on it (core.tariff.selection), so
such an axis has a value of its own for "not told". Power is taken as one value at a time, as our own meter
values give it. Weekdays and dates are looked at apart, so that a rare day may be called reachable that is
not; the other way round never happens.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from tapwatt.core.tariff.model import Component, Dimension, Reservation, Restrictions, Tariff
from tapwatt.core.tariff.words import at_clock, restricted
from tapwatt.markets.boxes import NO_END, Box, Cutter, Range, within

DAY_MINUTES = 1440
WEEK_MINUTES = 7 * DAY_MINUTES
NOT_TOLD = 0
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEK, DATES, KWH, CURRENT, POWER, DURATION, CHARGING, IDLE, KIND, BRAND, RECOGNITION = range(11)
CHANGES_IN_SESSION = (WEEK, DATES, KWH, CURRENT, POWER, DURATION, CHARGING, IDLE)
KINDS = {"AC": 1, "DC": 2}
Place = tuple[int, int]
"""An element and a component in it."""


@dataclass(frozen=True, slots=True)
class Priced:
    """A component, when its restrictions let it be, and what earlier elements leave of that. `here` is
    what is possible at the place that is looked at."""

    place: Place
    component: Component
    restrictions: Restrictions
    own: tuple[Box, ...]
    here: tuple[Box, ...]
    rest: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Map:
    """All components of a tariff at one place, and where nothing of a dimension is in force."""

    priced: tuple[Priced, ...]
    free: Mapping[Dimension, tuple[Box, ...]]
    everything: Box

    def of(self, dimension: Dimension) -> list[Priced]:
        """The components of a dimension of a charge (not of a reservation)."""
        return [
            one
            for one in self.priced
            if one.component.dimension is dimension and one.restrictions.reservation is None
        ]


def survey(tariff: Tariff, *, day: date, power_w: int | None = None, evse_kind: str | None = None) -> Map:
    """Look at a tariff from a day on, at an EVSE of this power and kind. Raises boxes.TooManyPieces."""
    names = _Names(tariff)
    everything = _everything(day, power_w, evse_kind, names)
    cutter, before = Cutter(), dict[tuple[Dimension, Reservation | None], list[Box]]()
    priced = []
    for place, element in enumerate(tariff.elements):
        own = tuple(_possible(_boxes(element.restrictions, names)))
        here = tuple(piece for box in own if (piece := within(box, everything)) is not None)
        for number, component in enumerate(element.components):
            taken = before.setdefault((component.dimension, element.restrictions.reservation), [])
            rest = tuple(_possible(cutter.without(here, taken)))
            priced.append(Priced((place, number), component, element.restrictions, own, here, rest))
            taken.extend(here)
    free = {
        dimension: tuple(_possible(cutter.without([everything], before.get((dimension, None), []))))
        for dimension in Dimension
    }
    return Map(tuple(priced), free, everything)


class _Names:
    """The brands and recognitions that a tariff names, as numbers; 0 is not told, the last any other."""

    def __init__(self, tariff: Tariff) -> None:
        rules = [element.restrictions for element in tariff.elements]
        self.brands = {name: n for n, name in enumerate(_told(r.payment_brand for r in rules), 1)}
        self.recognitions = {name: n for n, name in enumerate(_told(r.payment_recognition for r in rules), 1)}


def _told(names: Iterator[str | None]) -> list[str]:
    return sorted({name for name in names if name is not None})


def _everything(day: date, power_w: int | None, evse_kind: str | None, names: _Names) -> Box:
    most_kw: int | Decimal = NO_END if power_w is None else Decimal(power_w) / 1000 + Decimal("0.001")
    kind: Range = (
        (NOT_TOLD, 3) if evse_kind is None else (KINDS.get(evse_kind, 0), KINDS.get(evse_kind, 0) + 1)
    )
    return (
        (0, WEEK_MINUTES),
        (day.toordinal(), NO_END),
        (0, NO_END),
        (-1, NO_END),
        (0, most_kw),
        (0, NO_END),
        (0, NO_END),
        (0, NO_END),
        kind,
        (0, len(names.brands) + 2),
        (0, len(names.recognitions) + 2),
    )


def _boxes(rules: Restrictions, names: _Names) -> Iterator[Box]:
    kind = (
        (0, 3)
        if rules.evse_kind is None
        else (KINDS.get(rules.evse_kind, 3), KINDS.get(rules.evse_kind, 3) + 1)
    )
    brand = names.brands.get(rules.payment_brand or "")
    recognition = names.recognitions.get(rules.payment_recognition or "")
    current = (rules.min_current_a, rules.max_current_a)
    rest: tuple[Range, ...] = (
        (
            rules.start_date.toordinal() if rules.start_date else 0,
            rules.end_date.toordinal() if rules.end_date else NO_END,
        ),
        _range(rules.min_kwh, rules.max_kwh),
        (-1, NO_END) if current == (None, None) else _range(*current),
        _range(rules.min_power_kw, rules.max_power_kw),
        _range(rules.min_duration_s, rules.max_duration_s),
        _range(rules.min_charging_s, rules.max_charging_s),
        _range(rules.min_idle_s, rules.max_idle_s),
        kind,
        (0, len(names.brands) + 2) if brand is None else (brand, brand + 1),
        (0, len(names.recognitions) + 2) if recognition is None else (recognition, recognition + 1),
    )
    if any(low >= high for low, high in rest) or not _has_a_weekday(rules):
        return
    for week in week_ranges(rules):
        yield (week, *rest)


def _range(low: int | Decimal | None, high: int | Decimal | None) -> Range:
    return (0 if low is None else low, NO_END if high is None else high)


def _has_a_weekday(rules: Restrictions) -> bool:
    """Whether any of the weekdays lies within the dates, where these are less than a week."""
    if not rules.weekdays or rules.start_date is None or rules.end_date is None:
        return True
    days = min(7, (rules.end_date - rules.start_date).days)
    return any((rules.start_date + timedelta(days=n)).weekday() in rules.weekdays for n in range(days))


def _possible(boxes: Iterator[Box] | list[Box]) -> Iterator[Box]:
    """Without those that need more charging and idling than the whole session lasts."""
    return (box for box in boxes if box[CHARGING][0] + box[IDLE][0] < box[DURATION][1])


def week_ranges(rules: Restrictions) -> list[tuple[int, int]]:
    """The minutes of a week, from Monday, at which the clock lets an element be active."""
    since, until = rules.start_minute or 0, rules.end_minute or DAY_MINUTES
    hours = [(since, until)] if since < until else [(0, until), (since, DAY_MINUTES)]
    found: list[tuple[int, int]] = []
    for day in sorted(rules.weekdays or range(7)):
        for start, end in hours:
            begin, finish = day * DAY_MINUTES + start, day * DAY_MINUTES + end
            if found and found[-1][1] == begin:
                found[-1] = (found[-1][0], finish)
            elif begin < finish:
                found.append((begin, finish))
    return found


def in_words(boxes: tuple[Box, ...], everything: Box, *, most: int = 3) -> str:
    """When it is, for people; pieces that differ only in the clock are told together."""
    together: dict[Box, list[Range]] = {}
    for box in boxes:
        together.setdefault(box[1:], []).append(box[WEEK])
    told = [_said(week, rest, everything) for rest, week in together.items()]
    more = f"; and {len(told) - most} more" if len(told) > most else ""
    return "; or ".join(told[:most]) + more


def _said(week: list[Range], rest: Box, everything: Box) -> str:
    box: Box = (everything[WEEK], *rest)

    def low(axis: int) -> Decimal | None:
        return None if box[axis][0] <= everything[axis][0] else Decimal(box[axis][0])

    def high(axis: int) -> Decimal | None:
        return None if box[axis][1] >= everything[axis][1] else Decimal(box[axis][1])

    def seconds(value: Decimal | None) -> int | None:
        return None if value is None else int(value)

    def day(value: Decimal | None) -> date | None:
        return None if value is None else date.fromordinal(int(value))

    unknown_current = box[CURRENT][1] == 0
    rules = Restrictions(
        start_date=day(low(DATES)),
        end_date=day(high(DATES)),
        min_kwh=low(KWH),
        max_kwh=high(KWH),
        min_current_a=None if unknown_current else low(CURRENT),
        max_current_a=None if unknown_current else high(CURRENT),
        min_power_kw=low(POWER),
        max_power_kw=high(POWER),
        min_duration_s=seconds(low(DURATION)),
        max_duration_s=seconds(high(DURATION)),
        min_charging_s=seconds(low(CHARGING)),
        max_charging_s=seconds(high(CHARGING)),
        min_idle_s=seconds(low(IDLE)),
        max_idle_s=seconds(high(IDLE)),
    )
    parts = [week_in_words(week), restricted(rules)]
    if unknown_current:
        parts.append("where the station does not tell the current")
    for axis, what in ((KIND, "kinds of EVSE"), (BRAND, "card brands"), (RECOGNITION, "kinds of card")):
        if box[axis] != everything[axis]:
            parts.append(f"for other {what}")
    return ", ".join(filter(None, parts)) or "always"


def week_in_words(ranges: list[Range]) -> str:
    """Minutes of a week as days and times: `Mon Tue 08:00–20:00`; empty for the whole week."""
    by_day: dict[int, list[Range]] = {}
    for start, end in _joined(ranges):
        for day in range(int(start) // DAY_MINUTES, (int(end) - 1) // DAY_MINUTES + 1):
            morning = day * DAY_MINUTES
            by_day.setdefault(day, []).append(
                (max(int(start) - morning, 0), min(int(end) - morning, DAY_MINUTES))
            )
    alike: dict[tuple[Range, ...], list[int]] = {}
    for day, hours in sorted(by_day.items()):
        alike.setdefault(tuple(hours), []).append(day)
    whole = ((0, DAY_MINUTES),)
    if set(alike) == {whole} and len(alike[whole]) == 7:
        return ""
    return ", ".join(
        " ".join(
            filter(
                None,
                (
                    " ".join(DAYS[day] for day in days) if len(days) < 7 else "",
                    " and ".join(f"{at_clock(int(a))}–{at_clock(int(b))}" for a, b in hours)
                    if hours != whole
                    else "all day",
                ),
            )
        )
        for hours, days in alike.items()
    )


def _joined(ranges: list[Range]) -> list[Range]:
    found: list[Range] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
