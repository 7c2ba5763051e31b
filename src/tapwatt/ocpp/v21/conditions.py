"""Tariff conditions of OCPP 2.1 ↔ restrictions of the one tariff model.

Certain, from the data types: all conditions of a price must hold; clock times, weekdays and dates are local;
minima are inclusive, maxima exclusive; Wh, W, A over all phases, seconds; an end of 00:00 is the end of the
day. A fixed fee's conditions are looked at once, when the transaction starts (TariffConditionsFixedType).

Not certain:
- An end before its start wraps midnight, but whether `dayOfWeek` then means the day on which the window began
  is not said. We read every condition at the moment itself, as the model does, and never write such a window:
  it becomes one price for the evening and one for the morning, about which nobody can disagree.
- An end equal to its start is not explained: it is refused, except for 00:00, the whole day.
- A reservation is over before the transaction; what energy or charging time mean there is not said: refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, get_args

from tapwatt.core.tariff.model import ALWAYS, Restrictions
from tapwatt.ocpp.mend import UnableToWrite
from tapwatt.ocpp.v21 import wire
from tapwatt.ocpp.v21.numbers import exact, refused, sendable
from tapwatt.ocpp.v21.wire import camel

DAY: Final = 24 * 60
AT_START_S: Final = 1
"""The model has no word for "only when the transaction starts": it is the session's first second."""
WEEKDAYS: Final = get_args(wire.Weekday)
AMOUNTS: Final = {
    "min_energy": ("min_kwh", 1000),
    "max_energy": ("max_kwh", 1000),
    "min_current": ("min_current_a", 1),
    "max_current": ("max_current_a", 1),
    "min_power": ("min_power_kw", 1000),
    "max_power": ("max_power_kw", 1000),
}
"""Condition → restriction, and how many units of the wire make one of the model."""
DURATIONS: Final = {
    "min_time": "min_duration_s",
    "max_time": "max_duration_s",
    "min_charging_time": "min_charging_s",
    "max_charging_time": "max_charging_s",
    "min_idle_time": "min_idle_s",
    "max_idle_time": "max_idle_s",
}
COURSE: Final = (*(name for name, _ in AMOUNTS.values()), *DURATIONS.values())
"""Restrictions that ask how the session went so far."""
CLOCK: Final = ("start_minute", "end_minute", "start_date", "end_date", "weekdays")


def read_conditions(given: wire.Conditions | None, path: str) -> Restrictions:
    """When a price of energy or time applies. Raises UnableToRead."""
    if given is None:
        return ALWAYS
    found: dict[str, Any] = {
        name: _amount(getattr(given, field), units, f"{path}.{camel(field)}")
        for field, (name, units) in AMOUNTS.items()
    }
    found |= {name: getattr(given, field) for field, name in DURATIONS.items()}
    return replace(_shared(given, path), **found)


def read_reserved(given: wire.Conditions | None, path: str) -> Restrictions:
    """When a price of reserved time applies. Raises UnableToRead."""
    found = read_conditions(given, path)
    for field in (*AMOUNTS, *DURATIONS):
        if getattr(given, field, None) is not None:
            raise refused(f"{path}.{camel(field)}", "says nothing about a reservation, which has none")
    return found


def read_fixed(given: wire.FixedConditions | None, path: str) -> Restrictions:
    """When a fixed fee applies. Raises UnableToRead."""
    if given is None:
        return ALWAYS
    found = replace(
        _shared(given, path), payment_brand=given.payment_brand, payment_recognition=given.payment_recognition
    )
    return replace(found, max_duration_s=AT_START_S) if clocked(found) else found


def read_reserved_fixed(given: wire.FixedConditions | None, path: str) -> Restrictions:
    """When a reservation fee applies. Raises UnableToRead."""
    found = read_fixed(given, path)
    if clocked(found):
        raise refused(path, "whether the reservation or the transaction must start then is not said")
    return found


def clocked(rules: Restrictions) -> bool:
    """Whether they ask for the time or the day."""
    return any(getattr(rules, name) not in (None, ()) for name in CLOCK)


def depends_on_course(rules: Restrictions) -> bool:
    """Whether they can change within a session."""
    return clocked(rules) or any(getattr(rules, name) is not None for name in COURSE)


def _shared(given: wire.Conditions | wire.FixedConditions, path: str) -> Restrictions:
    start, end = given.start_time_of_day, given.end_time_of_day
    if start is not None and start == end != "00:00":
        raise refused(f"{path}.endTimeOfDay", "the same as startTimeOfDay: an instant or a day?")
    return Restrictions(
        start_minute=_minute(start),
        end_minute=_minute(end),
        start_date=_date(given.valid_from_date, f"{path}.validFromDate"),
        end_date=_date(given.valid_to_date, f"{path}.validToDate"),
        weekdays=tuple(sorted({WEEKDAYS.index(day) for day in given.day_of_week})),
        evse_kind=given.evse_kind,
    )


def _minute(text: str | None) -> int | None:
    return None if text is None else int(text[:2]) * 60 + int(text[3:])


def _date(text: str | None, path: str) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise refused(path, "no such day") from None


def _amount(value: Decimal | None, units: int, path: str) -> Decimal | None:
    if value is None:
        return None
    if exact(value, path) < 0:
        raise refused(path, "negative: energy given back to the grid is not priced here")
    return value / units


# --- the other way


def write_conditions(rules: Restrictions, path: str) -> Iterator[wire.Conditions | None]:
    """The conditions of a price, as one or as two prices that follow each other. Raises UnableToWrite."""
    if rules.payment_brand is not None or rules.payment_recognition is not None:
        raise UnableToWrite(f"{path}: OCPP 2.1 lets only a fixed fee depend on the card")
    given: dict[str, Any] = {}
    for field, (name, units) in AMOUNTS.items():
        value = getattr(rules, name)
        if value is not None:
            if value < 0:
                raise UnableToWrite(f"{path}.{name}: negative")
            given[field] = sendable(Fraction(value) * units, f"{path}.{name}")
    given |= {field: getattr(rules, name) for field, name in DURATIONS.items()}
    for shared in _write_shared(rules, path):
        made = wire.Conditions(**shared, **given)
        yield None if made == wire.Conditions() else made


def write_reserved(rules: Restrictions, path: str) -> Iterator[wire.Conditions | None]:
    """The conditions of a price of reserved time. Raises UnableToWrite."""
    _without_course(rules, path)
    yield from write_conditions(rules, path)


def write_fixed(rules: Restrictions, path: str) -> Iterator[wire.FixedConditions | None]:
    """The conditions of a fixed fee. Raises UnableToWrite."""
    at_start = rules.max_duration_s == AT_START_S
    if clocked(rules) != at_start:
        raise UnableToWrite(
            f"{path}: OCPP 2.1 looks at a fixed fee's conditions only when the transaction starts, "
            "here it may come due later"
        )
    yield from _write_fixed(replace(rules, max_duration_s=None) if at_start else rules, path)


def write_reserved_fixed(rules: Restrictions, path: str) -> Iterator[wire.FixedConditions | None]:
    """The conditions of a reservation fee. Raises UnableToWrite."""
    if clocked(rules):
        raise UnableToWrite(f"{path}: OCPP 2.1 does not say whose start the clock of a reservation fee means")
    yield from _write_fixed(rules, path)


def _write_fixed(rules: Restrictions, path: str) -> Iterator[wire.FixedConditions | None]:
    _without_course(rules, path)
    brand, recognition = rules.payment_brand, rules.payment_recognition
    for name, text in (("payment_brand", brand), ("payment_recognition", recognition)):
        if text is not None and len(text) > 20:
            raise UnableToWrite(f"{path}.{name}: longer than 20 characters")
    for shared in _write_shared(rules, path):
        made = wire.FixedConditions(**shared, payment_brand=brand, payment_recognition=recognition)
        yield None if made == wire.FixedConditions() else made


def _without_course(rules: Restrictions, path: str) -> None:
    for name in COURSE:
        if getattr(rules, name) is not None:
            raise UnableToWrite(f"{path}.{name}: OCPP 2.1 has no such condition for this price")


def _write_shared(rules: Restrictions, path: str) -> Iterator[dict[str, Any]]:
    """What both kinds of conditions have; twice where a window over midnight meets days."""
    if rules.evse_kind not in (None, "AC", "DC"):
        raise UnableToWrite(f"{path}.evse_kind: OCPP 2.1 knows AC and DC")
    if not 0 <= (rules.start_minute or 0) < DAY or not 0 <= (rules.end_minute or 0) <= DAY:
        raise UnableToWrite(f"{path}: not a time of day")
    days = {
        "day_of_week": tuple(WEEKDAYS[day] for day in sorted(set(rules.weekdays))),
        "valid_from_date": rules.start_date and rules.start_date.isoformat(),
        "valid_to_date": rules.end_date and rules.end_date.isoformat(),
    }
    for start, end in _windows(rules, split=any(days.values())):
        clock = {"start_time_of_day": start, "end_time_of_day": end}
        yield {**days, **clock, "evse_kind": rules.evse_kind}


def _windows(rules: Restrictions, *, split: bool) -> Iterator[tuple[str | None, str | None]]:
    start, end = (rules.start_minute or 0) % DAY, (rules.end_minute or 0) % DAY
    if start == end:
        yield None, None
    elif end == 0 or start < end or not split:
        yield _clock(start), _clock(end)
    else:
        yield _clock(start), _clock(0)
        yield _clock(0), _clock(end)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
