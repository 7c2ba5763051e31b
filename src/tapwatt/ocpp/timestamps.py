"""ISO 8601 times on the wire ↔ epoch milliseconds.

Stations leave out the zone, the seconds' fraction or the seconds; the standard wants UTC with a zone.
Spec: OCPP 1.6 section 3.14 (RFC 3339 profile); a missing zone is read as UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_moment = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?"
    r"\s*(?:([Zz])|([+-])(\d\d):?(\d\d)?)?",
    re.ASCII,
)


class UnableToWriteTime(ValueError):
    """A time outside the years 1 to 9999."""


def read_time(text: str | None) -> int | None:
    """Epoch milliseconds, fractions cut off; None where no time can be read."""
    found = _moment.fullmatch(text.strip()) if text else None
    if found is None:
        return None
    year, month, day, hour, minute = (int(each) for each in found.groups()[:5])
    second = min(int(found[6] or 0), 59)  # a leap second is the last of its minute
    milliseconds = int((found[7] or "0").ljust(3, "0")[:3])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    offset = timedelta(hours=int(found[10] or 0), minutes=int(found[11] or 0))
    since = moment - _EPOCH - (-offset if found[9] == "-" else offset)
    return since // _MILLISECOND + milliseconds


def write_time(at_ms: int) -> str:
    """UTC with milliseconds. Raises UnableToWriteTime."""
    try:
        moment = _EPOCH + timedelta(milliseconds=at_ms)
    except OverflowError as problem:
        raise UnableToWriteTime(f"no such time: {at_ms} ms") from problem
    return moment.strftime("%Y").rjust(4, "0") + moment.strftime("-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"
