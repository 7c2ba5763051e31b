"""A draft tried on what has happened: closed sessions of the last month, priced again with it.

Both sides are reckoned from the stored usage, before a hold limited anything, so that like is compared with
like. The newest sessions are looked at, up to a bound, in slices, so that no reader is kept for long.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import bindparam, select

from tapwatt.core.session import Session, SessionState
from tapwatt.core.session_moves import usage
from tapwatt.core.tariff import price
from tapwatt.core.tariff.model import Tariff
from tapwatt.platform.sessions import SESSIONS
from tapwatt.platform.tables import SESSION
from tapwatt.store import Transaction

Json = dict[str, Any]
MONTH_MS = 31 * 86_400_000
SESSIONS_MAX = 10_000
SLICE = 200
SHOWN = 5
BUCKETS = (-50, -20, -10, -5, 0, 5, 10, 20, 50)
"""Changes in percent at which the distribution is cut."""

_M = SESSION.machine
NEWEST_CLOSED = (
    select(_M.c.id)
    .where(
        _M.c.owner == bindparam("operator_id"),
        _M.c.status == SessionState.CLOSED,
        _M.c.created_ms >= bindparam("since_ms"),
    )
    .order_by(_M.c.created_ms.desc(), _M.c.id.desc())
    .limit(bindparam("most"))
)
STATE = select(_M.c.state).where(_M.c.owner == bindparam("operator_id"), _M.c.id == bindparam("session_id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """One session with both prices, tax included, in minor units."""

    session_id: str
    opened_ms: int
    energy_wh: int
    before_minor: int
    after_minor: int

    @property
    def change_minor(self) -> int:
        """What the draft would add."""
        return self.after_minor - self.before_minor


def newest(tx: Transaction, *, operator_id: str, now_ms: int, most: int = SESSIONS_MAX) -> list[str]:
    """The sessions to look at, newest first."""
    since_ms = now_ms - MONTH_MS
    rows = tx.run(NEWEST_CLOSED, operator_id=operator_id, since_ms=since_ms, most=min(most, SESSIONS_MAX))
    return [str(row.id) for row in rows]


def repriced(
    tx: Transaction, session_ids: Iterable[str], *, operator_id: str, draft: Tariff
) -> list[Repriced]:
    """Those of the sessions that had this tariff in this currency and took energy, with both prices."""
    found = []
    for session_id in session_ids:
        row = tx.one(STATE, operator_id=operator_id, session_id=session_id)
        state = None if row is None else SESSIONS.state(row.state)
        if state is not None and _comparable(state, draft):
            found.append(_repriced(state, draft))
    return found


def _comparable(state: Session, draft: Tariff) -> bool:
    same = (state.tariff.tariff_id, state.tariff.currency) == (draft.tariff_id, draft.currency)
    return same and state.bill is not None and state.usage is not None


def _repriced(state: Session, draft: Tariff) -> Repriced:
    used, rounding = usage(state), state.site.rounding
    return Repriced(
        session_id=state.session_id,
        opened_ms=state.opened_ms,
        energy_wh=int(used.energy_wh),
        before_minor=price(state.tariff, used, rounding).gross_minor,
        after_minor=price(draft, used, rounding).gross_minor,
    )


def compared(found: Sequence[Repriced], *, looked_at: int, currency: str) -> Json:
    """What the draft would have changed: revenue, who pays more or less, and by how much."""
    by_change = sorted(found, key=lambda one: (one.change_minor, one.session_id))
    before, after = (sum(getattr(one, name) for one in found) for name in ("before_minor", "after_minor"))
    return {
        "currency": currency,
        "looked_at": looked_at,
        "sessions": len(found),
        "before_minor": before,
        "after_minor": after,
        "change_minor": after - before,
        "cheaper": sum(one.change_minor < 0 for one in found),
        "same": sum(one.change_minor == 0 for one in found),
        "dearer": sum(one.change_minor > 0 for one in found),
        "most_saved": [_shown(one) for one in by_change[:SHOWN] if one.change_minor < 0],
        "most_added": [_shown(one) for one in by_change[::-1][:SHOWN] if one.change_minor > 0],
        "distribution": _distribution(found),
    }


def _shown(one: Repriced) -> Json:
    return {
        "session_id": one.session_id,
        "opened_ms": one.opened_ms,
        "energy_wh": one.energy_wh,
        "before_minor": one.before_minor,
        "after_minor": one.after_minor,
        "change_minor": one.change_minor,
    }


def _distribution(found: Sequence[Repriced]) -> list[Json]:
    """How many sessions changed by how many percent; what was free and is not any more is counted apart."""
    names = [f"{BUCKETS[0]} % or less"]
    names += [f"{low} to {high} %" for low, high in pairwise(BUCKETS)]
    counts = dict.fromkeys([*names, f"more than {BUCKETS[-1]} %", "unchanged", "was free"], 0)
    for one in found:
        counts[_bucket(one, names)] += 1
    return [{"change": name, "sessions": count} for name, count in counts.items() if count]


def _bucket(one: Repriced, names: list[str]) -> str:
    if not one.change_minor:
        return "unchanged"
    if not one.before_minor:
        return "was free"
    hundredths = 100 * one.change_minor
    for name, high in zip(names, BUCKETS, strict=True):
        if hundredths <= high * one.before_minor:
            return name
    return f"more than {BUCKETS[-1]} %"
