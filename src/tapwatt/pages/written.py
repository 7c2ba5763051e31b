"""How numbers, amounts and times are written on a page: as their reader writes them, by his clock.

Amounts keep the code of their currency: `12,05 EUR` is read everywhere, and `$` is many dollars.
"""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

from babel.dates import format_skeleton
from babel.numbers import format_decimal

from tapwatt.core.money import decimals, to_major
from tapwatt.core.tariff.clock import local, zone_of
from tapwatt.pages.reader import READER


def number(value: Decimal | int, places: int = 0, *, grouped: bool = False) -> str:
    """A number with so many decimals."""
    pattern = ("#,##0" if grouped else "0") + ("." + "0" * places if places else "")
    return format_decimal(value, format=pattern, locale=READER.get().locale)


def money(amount_minor: int, currency: str) -> str:
    """An amount with its currency's code."""
    return f"{plain_amount(amount_minor, currency)} {currency}"


def plain_amount(amount_minor: int, currency: str) -> str:
    """An amount as it is typed into a form."""
    return number(to_major(amount_minor, currency=currency), decimals(currency))


def kwh(energy_wh: int) -> str:
    """Energy in kilowatt-hours, to the watt-hour."""
    return number(Decimal(energy_wh).scaleb(-3), 3)


def power(power_w: int) -> str:
    """Power in kilowatts, to a tenth."""
    return f"{number(Decimal(power_w // 100).scaleb(-1), 1)} kW"


def exact(text: str) -> str:
    """An exact decimal as people read it: at most six decimals, none that say nothing."""
    shown = f"{Decimal(text).quantize(Decimal('0.000001'), rounding=ROUND_HALF_UP):f}"
    kept = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return number(Decimal(kept), len(kept.partition(".")[2]))


def figure(text: str) -> str:
    """An exact decimal with just the decimals that it is written with."""
    return number(Decimal(text), len(text.partition(".")[2]))


def percent(permille: int) -> str:
    """Tenths of a per cent."""
    return f"{number(Decimal(permille).scaleb(-1), 1)} %"


def clock(at_ms: int) -> str:
    """A time of day, to the second."""
    return _local(at_ms).strftime("%H:%M:%S")


def when(at_ms: int, now_ms: int) -> str:
    """A time as short as it can be: without the date if it is today's."""
    at = _local(at_ms)
    if at.date() == _local(now_ms).date():
        return clock(at_ms)
    gap = " " if READER.get().language == "zh" else ", "
    return f"{day(at.date())}{gap}{at:%H:%M}"


def day(of: date) -> str:
    """A date."""
    return format_skeleton(
        "yMMMd", datetime(of.year, of.month, of.day, tzinfo=UTC), locale=READER.get().locale
    )


def moment(at_ms: int) -> str:
    """A date and time in UTC, as machines read it."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(passed_ms: int) -> str:
    """A stretch of time, short: seconds, minutes, hours and minutes, or days and hours."""
    seconds = max(0, passed_ms) // 1000
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 2 * 86_400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3600} h"


def _local(at_ms: int) -> datetime:
    return local(at_ms, zone_of(READER.get().time_zone))
