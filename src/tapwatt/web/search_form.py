"""The search form above the sessions: what was typed, and what it asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from tapwatt.core.effects import Leader
from tapwatt.core.money import to_minor
from tapwatt.core.session import Reason, SessionState
from tapwatt.core.tariff.clock import epoch_ms
from tapwatt.platform.finding import Wanted

FIELDS = ("last_four", "from", "to", "station_id", "amount", "state", "leader", "reason")
FIELD_MAX = 64
STATES = tuple(state.value for state in SessionState)
LEADERS = tuple(leader.value for leader in Leader)
REASONS = tuple(reason.value for reason in Reason if reason)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search as it was typed, as it is meant, and what could not be read of it."""

    typed: dict[str, str]
    wanted: Wanted
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The query of the same search."""
        return urlencode({name: value for name, value in self.typed.items() if value})


def read_search(query: Mapping[str, str], *, zone: ZoneInfo, currency: str) -> Search:
    """What a query asks for. A field that cannot be read filters nothing and is said to be wrong."""
    typed = {name: query.get(name, "").strip()[:FIELD_MAX] for name in FIELDS}
    wrong: dict[str, str] = {}

    def read_time(name: str, *, end: bool) -> int | None:
        if not typed[name]:
            return None
        try:
            return time_of(typed[name], zone, end=end)
        except ValueError:
            wrong[name] = "write a date, or a date and a time: 2027-01-15 or 2027-01-15T18:30"
            return None

    def read_amount() -> int | None:
        try:
            return to_minor(typed["amount"], currency=currency) if typed["amount"] else None
        except ValueError:
            wrong["amount"] = "write an amount such as 12.05"
            return None

    def read_last_four() -> str | None:
        digits = typed["last_four"]
        if digits and not (digits.isascii() and digits.isdigit() and len(digits) == 4):
            wrong["last_four"] = "write the last four digits"
            return None
        return digits or None

    wanted = Wanted(
        last_four=read_last_four(),
        from_ms=read_time("from", end=False),
        to_ms=read_time("to", end=True),
        station_id=typed["station_id"] or None,
        amount_minor=read_amount(),
        state=typed["state"] or None,
        leader=typed["leader"] or None,
        reason=typed["reason"] or None,
    )
    return Search(typed=typed, wanted=wanted, wrong=wrong)


def time_of(text: str, zone: ZoneInfo, *, end: bool) -> int:
    """A date or a date and time on a clock, in epoch milliseconds; as an end the whole day or minute is
    inside. Raises ValueError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is not None or not 1970 < at.year < 9000:
        raise ValueError(f"{text} is no time on the operator's clock")
    whole_day = "T" not in text and " " not in text
    if end:
        at += DAY if whole_day else MINUTE
    return epoch_ms(at.replace(tzinfo=zone))
