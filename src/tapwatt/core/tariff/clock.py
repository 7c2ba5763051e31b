"""Local time for tariffs: what the clock at the station shows, and when it shows a given time.

Both clock changes are in here: a time of day that is skipped is reached at the change, one that comes twice
is reached twice.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS = timedelta(milliseconds=1)
DAY = timedelta(days=1)
DAYS_MAX = 800
"""Clock boundaries are looked for in so many days; a session and its reservation are shorter."""


class UnknownTimeZone(ValueError):
    """No such IANA time zone."""


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of this IANA name. Raises UnknownTimeZone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise UnknownTimeZone(f"no time zone {name!r}") from unknown


def local(at_ms: int, zone: ZoneInfo) -> datetime:
    """What the clock at the station shows at this moment."""
    return (EPOCH + at_ms * MS).astimezone(zone)


def epoch_ms(moment: datetime) -> int:
    """Epoch milliseconds of an aware moment."""
    return (moment - EPOCH) // MS


def boundaries(started_ms: int, ended_ms: int, minutes: Iterable[int], zone: ZoneInfo) -> Iterator[int]:
    """Every moment inside a period at which the local clock reaches one of these minutes of the day, or is
    changed."""
    wanted = tuple(minutes)
    day = local(started_ms, zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    seen_ms = started_ms
    for _ in range(DAYS_MAX):
        for minute in wanted:
            for fold in (0, 1):
                wall = (day + timedelta(minutes=minute)).replace(tzinfo=zone, fold=fold)
                yield epoch_ms(wall.astimezone(UTC))
        day += DAY
        until_ms = min(epoch_ms(day.replace(tzinfo=zone).astimezone(UTC)), ended_ms)
        if local(seen_ms, zone).utcoffset() != local(until_ms, zone).utcoffset():
            yield _changed_ms(seen_ms, until_ms, zone)
        if until_ms == ended_ms:
            return
        seen_ms = until_ms


def _changed_ms(before_ms: int, after_ms: int, zone: ZoneInfo) -> int:
    """The first moment of the new offset between two moments of unlike offsets."""
    old = local(before_ms, zone).utcoffset()
    while after_ms - before_ms > 1:
        middle_ms = (before_ms + after_ms) // 2
        if local(middle_ms, zone).utcoffset() == old:
            before_ms = middle_ms
        else:
            after_ms = middle_ms
    return after_ms
