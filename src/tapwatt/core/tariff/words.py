"""A tariff in words: what a merchant typed, as people read it."""

from collections.abc import Iterator

from tapwatt.core.tariff.model import Restrictions

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def restricted(rules: Restrictions) -> str:
    """When an element is active; empty when it always is."""
    return ", ".join(_parts(rules))


def _parts(rules: Restrictions) -> Iterator[str]:
    if rules.start_minute is not None or rules.end_minute is not None:
        yield f"{at_clock(rules.start_minute or 0)}–{at_clock(rules.end_minute or 24 * 60)}"
    if rules.weekdays:
        yield " ".join(DAYS[day] for day in sorted(rules.weekdays))
    if rules.start_date is not None:
        yield f"from {rules.start_date.isoformat()}"
    if rules.end_date is not None:
        yield f"until {rules.end_date.isoformat()} (not on it)"
    yield from _range(rules.min_kwh, rules.max_kwh, "kWh")
    yield from _range(rules.min_current_a, rules.max_current_a, "A")
    yield from _range(rules.min_power_kw, rules.max_power_kw, "kW")
    yield from _range(rules.min_duration_s, rules.max_duration_s, "s of the session")
    yield from _range(rules.min_charging_s, rules.max_charging_s, "s of charging")
    yield from _range(rules.min_idle_s, rules.max_idle_s, "s of idling")
    for value in (rules.evse_kind, rules.payment_brand, rules.payment_recognition):
        if value is not None:
            yield value
    if rules.reservation is not None:
        yield "a reservation" if rules.reservation.value == "RESERVATION" else "an expired reservation"


def at_clock(minute: int) -> str:
    """A minute of the day as the clock shows it; 1440 is the end of the day."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _range(least: object | None, most: object | None, unit: str) -> Iterator[str]:
    if least is not None:
        yield f"from {least} {unit}"
    if most is not None:
        yield f"below {most} {unit}"
