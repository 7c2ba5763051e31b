"""The key figures of a day: sessions, energy, revenue, approvals by reason, holds, and a driver's wait.

A session belongs to the day on which it was offered, by the operator's clock; a day has 23 to 25 hours. The
figures are computed from rows alone, so that rows written by hand can judge them.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select

from tapwatt.core.tariff.clock import local
from tapwatt.platform.tables import SESSION_FACT
from tapwatt.store import Row, Transaction

Json = dict[str, Any]
ROWS_MAX = 20_000
"""What one day is counted from at most; a busier one is counted from its first so many, and says so."""
REASONS_SHOWN = 12
NO_ANSWER, APPROVED, OPEN = "no answer", "approved", "open"

_F = SESSION_FACT.c
OF_DAY = (
    select(
        _F.opened_ms, _F.tapped_ms, _F.approved_ms, _F.started_ms, _F.closed_ms, _F.energy_wh, _F.currency,
        _F.authorised_minor, _F.captured_minor, _F.payment_state, _F.payment_reason,
    )
    .where(
        _F.operator_id == bindparam("operator_id"),
        _F.opened_ms >= bindparam("from_ms"),
        _F.opened_ms < bindparam("to_ms"),
    )
    .order_by(_F.opened_ms, _F.session_id)
    .limit(ROWS_MAX + 1)
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What the figures want to know of a session."""

    opened_ms: int
    currency: str
    tapped_ms: int | None = None
    approved_ms: int | None = None
    started_ms: int | None = None
    closed_ms: int | None = None
    energy_wh: int = 0
    authorised_minor: int = 0
    captured_minor: int = 0
    payment_state: str | None = None
    payment_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """One hour of the day, as its clock showed it."""

    begins_ms: int
    label: str
    sessions: int
    energy_wh: int
    revenue_minor: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A day's figures. Amounts are by currency, times in milliseconds, None where nothing can be divided."""

    sessions: int
    charges: int
    energy_wh: int
    revenue_minor: dict[str, int]
    asked: int
    approved: int
    outcomes: tuple[tuple[str, int], ...]
    """What became of the payments that were asked for: `approved` first, then the reasons against them."""
    mean_hold_minor: dict[str, int]
    mean_tap_to_power_ms: int | None
    longest_tap_to_power_ms: int | None
    hours: tuple[Hour, ...]

    @property
    def approval_permille(self) -> int | None:
        """Approved of those that were answered, in tenths of a per cent."""
        answered = self.asked - dict(self.outcomes).get(OPEN, 0)
        return None if not answered else _mean(1000 * self.approved, answered)


def day_of(at_ms: int, zone: ZoneInfo) -> date:
    """The day that it is on a clock."""
    return local(at_ms, zone).date()


def bounds(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """When a day begins and ends on a clock, the end not included, in epoch milliseconds."""
    return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)


def figures(visits: Iterable[Visit], *, day: date, zone: ZoneInfo) -> Figures:
    """Count a day. Every visit given counts; whoever asks gives those of the day."""
    all_of_them = tuple(visits)
    asked = [visit for visit in all_of_them if visit.tapped_ms is not None]
    approved = [visit for visit in asked if visit.approved_ms is not None]
    waits = [
        visit.started_ms - visit.tapped_ms
        for visit in asked
        if visit.started_ms is not None and visit.tapped_ms is not None
        if visit.started_ms >= visit.tapped_ms
    ]
    return Figures(
        sessions=len(all_of_them),
        charges=sum(1 for visit in all_of_them if visit.started_ms is not None),
        energy_wh=sum(visit.energy_wh for visit in all_of_them),
        revenue_minor=_by_currency((visit.currency, visit.captured_minor) for visit in all_of_them),
        asked=len(asked),
        approved=len(approved),
        outcomes=_outcomes(asked),
        mean_hold_minor=_mean_holds(approved),
        mean_tap_to_power_ms=_mean(sum(waits), len(waits)) if waits else None,
        longest_tap_to_power_ms=max(waits, default=None),
        hours=tuple(_hours(all_of_them, day, zone)),
    )


def outcome(visit: Visit) -> str:
    """What became of a payment that was asked for, in a word or in the words of whoever refused it."""
    if visit.approved_ms is not None:
        return APPROVED
    if visit.payment_state == "authorising":
        return OPEN
    if visit.payment_state == "declined":
        return visit.payment_reason or "declined"
    return NO_ANSWER


def of_day(tx: Transaction, *, operator_id: str, day: date, zone: ZoneInfo) -> tuple[Figures, int]:
    """A day's figures from the database, and how many sessions they leave out: none but on a day of more than
    ROWS_MAX."""
    from_ms, to_ms = bounds(day, zone)
    rows = tx.run(OF_DAY, operator_id=operator_id, from_ms=from_ms, to_ms=to_ms)
    counted = figures((_visit(row) for row in rows[:ROWS_MAX]), day=day, zone=zone)
    return counted, max(0, len(rows) - ROWS_MAX)


def _visit(row: Row) -> Visit:
    return Visit(**row._asdict())


def _midnight(day: date, zone: ZoneInfo) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1000


def _outcomes(asked: list[Visit]) -> tuple[tuple[str, int], ...]:
    counts = Counter(outcome(visit) for visit in asked)
    first = [(APPROVED, counts.pop(APPROVED))] if APPROVED in counts else []
    rest = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    others = sum(count for _, count in rest[REASONS_SHOWN:])
    return (*first, *rest[:REASONS_SHOWN], *([("other reasons", others)] if others else []))


def _by_currency(amounts: Iterable[tuple[str, int]]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for currency, amount_minor in amounts:
        totals[currency] = totals.get(currency, 0) + amount_minor
    return dict(sorted(totals.items()))


def _mean_holds(approved: list[Visit]) -> dict[str, int]:
    totals = _by_currency((visit.currency, visit.authorised_minor) for visit in approved)
    counts = Counter(visit.currency for visit in approved)
    return {currency: _mean(total, counts[currency]) for currency, total in totals.items()}


def _mean(total: int, count: int) -> int:
    """To the nearest whole, a half up."""
    return (2 * total + count) // (2 * count)


def _hours(visits: tuple[Visit, ...], day: date, zone: ZoneInfo) -> Iterable[Hour]:
    from_ms, to_ms = bounds(day, zone)
    by_hour: dict[int, list[Visit]] = {}
    for visit in visits:
        by_hour.setdefault((visit.opened_ms - from_ms) // 3_600_000, []).append(visit)
    for place, begins_ms in enumerate(range(from_ms, to_ms, 3_600_000)):
        here = by_hour.get(place, [])
        yield Hour(
            begins_ms=begins_ms,
            label=f"{local(begins_ms, zone):%H}",
            sessions=len(here),
            energy_wh=sum(visit.energy_wh for visit in here),
            revenue_minor=_by_currency((visit.currency, visit.captured_minor) for visit in here),
        )
