"""What waits for a person and what somebody took note of, a page at a time: alarms, and stations' messages
that belong to no session."""

from typing import Any

from sqlalchemy import Text, and_, bindparam, cast, literal, or_, select

from tapwatt.platform.paging import LAST_MS, cut, read_cursor, write_cursor
from tapwatt.platform.tables import ALARM, ALARM_SEEN, STATION_MESSAGE
from tapwatt.platform.views import ORPHAN
from tapwatt.store import Row, Transaction

Json = dict[str, Any]
WAITING, NOTED = "alarms", "noted"

_A, _S, _M = ALARM.c, ALARM_SEEN.c, STATION_MESSAGE.c
_SEEN = select(_S.key).where(_S.operator_id == bindparam("operator_id"))
_MESSAGE_KEY = literal(ORPHAN) + cast(_M.id, Text)


def _before(at_ms: Any, key: Any) -> Any:
    return or_(
        at_ms < bindparam("before_ms"), and_(at_ms == bindparam("before_ms"), key < bindparam("before"))
    )


ALARMS = (
    select(_A.key, _A.session_id, _A.text, _A.at_ms)
    .where(_A.operator_id == bindparam("operator_id"), _A.key.not_in(_SEEN), _before(_A.at_ms, _A.key))
    .order_by(_A.at_ms.desc(), _A.key.desc())
    .limit(bindparam("most"))
)
ORPHANS = (
    select(_MESSAGE_KEY.label("key"), _M.station_id, _M.action, _M.verdict, _M.at_ms)
    .where(
        _M.operator_id == bindparam("operator_id"),
        _M.verdict.like("orphan%"),
        _MESSAGE_KEY.not_in(_SEEN),
        _before(_M.at_ms, _MESSAGE_KEY),
    )
    .order_by(_M.at_ms.desc(), _MESSAGE_KEY.desc())
    .limit(bindparam("most"))
)
SEEN = (
    select(_S.key, _S.seen_by, _S.at_ms.label("seen_ms"), _A.text, _A.session_id, _A.at_ms)
    .join(ALARM, (_A.operator_id == _S.operator_id) & (_A.key == _S.key), isouter=True)
    .where(_S.operator_id == bindparam("operator_id"), _before(_S.at_ms, _S.key))
    .order_by(_S.at_ms.desc(), _S.key.desc())
    .limit(bindparam("most"))
)


def waiting(tx: Transaction, *, operator_id: str, cursor: str | None, most: int) -> Json:
    """A page of what waits, newest first. Raises UnableToRead for a cursor of another list."""
    asked = _asked(WAITING, operator_id, cursor, most)
    found = [row._asdict() for row in tx.run(ALARMS, **asked)]
    found += [_orphan(row) for row in tx.run(ORPHANS, **asked)]
    found.sort(key=lambda alarm: (alarm["at_ms"], alarm["key"]), reverse=True)
    rows, following = cut(found, most, lambda alarm: write_cursor(WAITING, alarm["at_ms"], alarm["key"]))
    return {"alarms": rows, "cursor": following}


def noted(tx: Transaction, *, operator_id: str, cursor: str | None, most: int) -> Json:
    """A page of what somebody took note of, the last first. Raises UnableToRead for a cursor of another
    list."""
    found = tx.run(SEEN, **_asked(NOTED, operator_id, cursor, most))
    rows, following = cut(found, most, lambda row: write_cursor(NOTED, row.seen_ms, row.key))
    return {"noted": [row._asdict() for row in rows], "cursor": following}


def _asked(listed: str, operator_id: str, cursor: str | None, most: int) -> Json:
    before_ms, before = read_cursor(listed, cursor, int, str) if cursor else (LAST_MS, "")
    return {"operator_id": operator_id, "before_ms": before_ms, "before": before, "most": most + 1}


def _orphan(row: Row) -> Json:
    text = f"{row.station_id}: {row.action}, {row.verdict}"
    return {"key": row.key, "session_id": None, "text": text, "at_ms": row.at_ms}
