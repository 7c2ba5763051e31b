"""Open holds: whose money is still held, for how long already, and which hold ends by itself first."""

from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select

from tapwatt.platform.paging import LAST_MS, cut, read_cursor, write_cursor
from tapwatt.platform.tables import SESSION_FACT
from tapwatt.store import Transaction

Json = dict[str, Any]
HOLDS_MAX = 200
LIST = "holds"
OPEN_PAYMENT = (
    "authorising", "unknown", "authorised", "increasing", "capturing", "reversing",
)  # fmt: skip

_F = SESSION_FACT.c
_OPEN = (
    _F.operator_id == bindparam("operator_id"),
    or_(_F.payment_state.in_(OPEN_PAYMENT), and_(_F.payment_state == "review", _F.state == "review")),
)
_ENDS = func.coalesce(_F.capture_before_ms, LAST_MS)
OPEN = (
    select(SESSION_FACT)
    .where(
        *_OPEN,
        or_(
            bindparam("ends_ms") < _ENDS,
            and_(bindparam("ends_ms") == _ENDS, _F.opened_ms > bindparam("opened_ms")),
            and_(
                bindparam("ends_ms") == _ENDS,
                _F.opened_ms == bindparam("opened_ms"),
                _F.session_id > bindparam("session_id"),
            ),
        ),
    )
    .order_by(_ENDS, _F.opened_ms, _F.session_id)
    .limit(bindparam("most"))
)
COUNT = select(func.count().label("total")).where(*_OPEN)
SHOWN = (
    "session_id", "station_id", "evse_id", "state", "reason", "leader", "brand", "last_four", "currency",
    "payment_state", "authorised_minor", "capture_before_ms", "approved_ms", "opened_ms",
)  # fmt: skip


def open_holds(
    tx: Transaction, *, operator_id: str, now_ms: int, cursor: str | None = None, most: int = HOLDS_MAX
) -> Json:
    """A page of open holds, what ends first first, with their age from the approval (or, before it, the
    offer). Raises UnableToRead for a cursor of another list."""
    begin = read_cursor(LIST, cursor, int, int, str) if cursor else (-1, -1, "")
    after = dict(zip(("ends_ms", "opened_ms", "session_id"), begin, strict=True))
    found = tx.run(OPEN, operator_id=operator_id, most=most + 1, **after)
    rows, following = cut(
        found,
        most,
        lambda row: write_cursor(LIST, row.capture_before_ms or LAST_MS, row.opened_ms, row.session_id),
    )
    count = tx.one(COUNT, operator_id=operator_id)
    total = int(count.total) if count else 0
    return {
        "now_ms": now_ms,
        "holds": [
            {
                **{name: getattr(row, name) for name in SHOWN},
                "age_ms": max(0, now_ms - (row.approved_ms or row.opened_ms)),
            }
            for row in rows
        ],
        "total": total,
        "left_out": total - len(rows),
        "cursor": following,
    }
