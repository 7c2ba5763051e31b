"""Sessions found: by card, time, station, amount, state, leader and reason, a page at a time, newest first.

A page is asked for by a cursor, which names the last session that was seen: a session that begins meanwhile
moves nothing, and no page costs more than the first.
"""

import base64
import binascii
import re
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, or_, select

from tapwatt.platform.tables import SESSION, SESSION_FACT
from tapwatt.store import Row, Transaction

Json = dict[str, Any]
CURSOR = re.compile(r"([0-9]{1,15})\.([\w-]{1,64})", re.ASCII)
CURSOR_MAX = 120

_F, _M = SESSION_FACT.c, SESSION.machine
WANTED = {
    "last_four": _F.last_four == bindparam("last_four"),
    "from_ms": _F.opened_ms >= bindparam("from_ms"),
    "to_ms": _F.opened_ms < bindparam("to_ms"),
    "station_id": _F.station_id == bindparam("station_id"),
    "state": _F.state == bindparam("state"),
    "leader": _F.leader == bindparam("leader"),
    "reason": _F.reason == bindparam("reason"),
    "amount_minor": or_(
        _F.captured_minor == bindparam("amount_minor"), _F.authorised_minor == bindparam("amount_minor")
    ),
    "before": or_(
        _F.opened_ms < bindparam("before_ms"),
        and_(_F.opened_ms == bindparam("before_ms"), _F.session_id < bindparam("before_id")),
    ),
}


class UnableToRead(Exception):
    """The cursor is none that this list gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a session is looked for by; None where anything will do. Times are those of opening, in epoch
    milliseconds, `to_ms` not included; the amount is one that was captured or held."""

    last_four: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    station_id: str | None = None
    amount_minor: int | None = None
    state: str | None = None
    leader: str | None = None
    reason: str | None = None

    def given(self) -> Json:
        """The filters that say something."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


def find(
    tx: Transaction, *, operator_id: str, wanted: Wanted, cursor: str | None, most: int
) -> tuple[list[Row], str | None]:
    """A page of sessions, their engine's rows, and the cursor of the next page, None at the end. Raises
    UnableToRead."""
    given = wanted.given()
    query = _query((*given, "before") if cursor else tuple(given))
    if cursor:
        before_ms, before_id = read_cursor(cursor)
        given = {**given, "before_ms": before_ms, "before_id": before_id}
    rows = tx.run(query, operator_id=operator_id, most=most + 1, **given)
    page = rows[:most]
    return page, write_cursor(page[-1].opened_ms, page[-1].id) if len(rows) > most else None


@lru_cache(maxsize=512)
def _query(names: tuple[str, ...]) -> Select[Any]:
    return (
        select(*_M.c, _F.opened_ms)
        .join(SESSION_FACT, and_(_F.session_id == _M.c.id, _F.operator_id == _M.c.owner))
        .where(_F.operator_id == bindparam("operator_id"), *(WANTED[name] for name in names))
        .order_by(_F.opened_ms.desc(), _F.session_id.desc())
        .limit(bindparam("most"))
    )


def write_cursor(opened_ms: int, session_id: str) -> str:
    """The cursor after a session."""
    return base64.urlsafe_b64encode(f"{opened_ms}.{session_id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[int, str]:
    """What a cursor names. Raises UnableToRead."""
    try:
        padded = cursor[:CURSOR_MAX] + "=" * (-len(cursor[:CURSOR_MAX]) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    found = CURSOR.fullmatch(text)
    if found is None:
        raise UnableToRead("cursor is none that this list gave")
    return int(found[1]), found[2]
