"""Stations and terminals with their health and their last words: what an operator looks at before it drives
out."""

import json
from typing import Any

from sqlalchemy import bindparam, select

from tapwatt.platform import upkeep
from tapwatt.platform.tables import CONNECTOR, STATION, STATION_MESSAGE, TERMINAL, TERMINAL_EVSE
from tapwatt.store import Row, Transaction

Json = dict[str, Any]
PAGE, REFUSED_SHOWN = 40, 20
"""So many stations or terminals on a page; so many doubtful messages of a station."""
GOOD, WARN, BAD = "good", "warn", "bad"
OUT_OF_ORDER = ("faulted", "unavailable")

_S, _C, _T, _E, _M = STATION.c, CONNECTOR.c, TERMINAL.c, TERMINAL_EVSE.c, STATION_MESSAGE.c
STATIONS_AFTER = (
    select(STATION)
    .where(_S.operator_id == bindparam("operator_id"), _S.station_id > bindparam("after"))
    .order_by(_S.station_id)
    .limit(bindparam("most"))
)
TERMINALS_AFTER = (
    select(TERMINAL)
    .where(_T.operator_id == bindparam("operator_id"), _T.terminal_id > bindparam("after"))
    .order_by(_T.terminal_id)
    .limit(bindparam("most"))
)
ONE_TERMINAL = select(TERMINAL).where(
    _T.operator_id == bindparam("operator_id"), _T.terminal_id == bindparam("terminal_id")
)
CONNECTORS_OF = (
    select(CONNECTOR)
    .where(_C.operator_id == bindparam("operator_id"), _C.station_id == bindparam("station_id"))
    .order_by(_C.evse_id)
)
TERMINALS_OF = (
    select(TERMINAL)
    .distinct()
    .join(TERMINAL_EVSE, (_E.operator_id == _T.operator_id) & (_E.terminal_id == _T.terminal_id))
    .where(_T.operator_id == bindparam("operator_id"), _E.station_id == bindparam("station_id"))
    .order_by(_T.terminal_id)
)
SERVES = (
    select(_E.station_id, _E.evse_id)
    .where(_E.operator_id == bindparam("operator_id"), _E.terminal_id == bindparam("terminal_id"))
    .order_by(_E.station_id, _E.evse_id)
)
DOUBTED = (
    select(_M.action, _M.verdict, _M.session_id, _M.at_ms)
    .where(
        _M.operator_id == bindparam("operator_id"),
        _M.station_id == bindparam("station_id"),
        _M.verdict != "",
    )
    .order_by(_M.id.desc())
    .limit(REFUSED_SHOWN)
)
LAST_WORD = (
    select(_M.action, _M.at_ms)
    .where(_M.operator_id == bindparam("operator_id"), _M.station_id == bindparam("station_id"))
    .order_by(_M.id.desc())
    .limit(1)
)


def stations(tx: Transaction, *, operator_id: str, after: str, most: int = PAGE) -> Json:
    """A page of stations whose ids come after `after`, each with connectors, terminals and health."""
    rows = tx.run(STATIONS_AFTER, operator_id=operator_id, after=after, most=most + 1)
    shown = [station(tx, row) for row in rows[:most]]
    return {"stations": shown, "after": rows[most - 1].station_id if len(rows) > most else None}


def terminals(tx: Transaction, *, operator_id: str, after: str, most: int = PAGE) -> Json:
    """A page of terminals whose ids come after `after`, each with its health and what it serves."""
    rows = tx.run(TERMINALS_AFTER, operator_id=operator_id, after=after, most=most + 1)
    shown = [terminal(tx, row) for row in rows[:most]]
    return {"terminals": shown, "after": rows[most - 1].terminal_id if len(rows) > most else None}


def station(tx: Transaction, row: Row) -> Json:
    """One station as it stands."""
    owned = {"operator_id": row.operator_id, "station_id": row.station_id}
    connectors = [_plain(each) for each in tx.run(CONNECTORS_OF, **owned) if each.evse_id]
    served = [_terminal(each) for each in tx.run(TERMINALS_OF, **owned)]
    word = tx.one(LAST_WORD, **owned)
    health, reasons = station_health(bool(row.connected), row.seen_ms, connectors, served)
    return {
        **_plain(row),
        "connected": bool(row.connected),
        "connectors": connectors,
        "terminals": served,
        "last_message": {"action": word.action, "at_ms": word.at_ms} if word else None,
        "health": health,
        "reasons": reasons,
    }


def one_station(tx: Transaction, *, operator_id: str, station_id: str) -> Json | None:
    """A station with its configuration, transfers and last doubtful messages; None when the operator has none
    of that name."""
    owned = {"operator_id": operator_id, "station_id": station_id}
    row, kept = tx.one(upkeep.ONE_STATION, **owned), upkeep.page(tx, **owned)
    if row is None or kept is None:
        return None
    return {**station(tx, row), **kept, "doubted": doubted(tx, **owned)}


def doubted(tx: Transaction, *, operator_id: str, station_id: str) -> list[Json]:
    """The last messages of a station that something was said of: refused, repeated, broken or orphans."""
    return [_plain(row) for row in tx.run(DOUBTED, operator_id=operator_id, station_id=station_id)]


def one_terminal(tx: Transaction, *, operator_id: str, terminal_id: str) -> Json | None:
    """A terminal with its health and what it serves; None when the operator has none of that name."""
    row = tx.one(ONE_TERMINAL, operator_id=operator_id, terminal_id=terminal_id)
    return None if row is None else terminal(tx, row)


def terminal(tx: Transaction, row: Row) -> Json:
    """One terminal as it stands."""
    serves = tx.run(SERVES, operator_id=row.operator_id, terminal_id=row.terminal_id)
    return {**_terminal(row), "serves": [{"station_id": s.station_id, "evse_id": s.evse_id} for s in serves]}


def station_health(
    connected: bool, seen_ms: int | None, connectors: list[Json], served: list[Json]
) -> tuple[str, list[str]]:
    """How a station is, and why: words of the lists below, so that they can be put in any language."""
    if not connected:
        return BAD, ["not connected" if seen_ms else "never connected"]
    broken = [each for each in connectors if each["status"] in OUT_OF_ORDER]
    ready = any(each["health"] != BAD for each in served)
    reasons = [
        *(["a connector is out of order"] if broken else []),
        *(["no terminal takes cards here"] if not ready else []),
        *(["no connector has reported yet"] if not connectors else []),
    ]
    out = bool(connectors) and len(broken) == len(connectors)
    return (BAD if out else WARN if reasons else GOOD), reasons


def terminal_health(state: str) -> str:
    """How a terminal is, by the last that its edge said."""
    if state in ("ready", "busy"):
        return GOOD
    return WARN if state == "unknown" else BAD


def _terminal(row: Row) -> Json:
    return {**_plain(row), "screen": json.loads(row.screen), "health": terminal_health(row.state)}


def _plain(row: Row) -> Json:
    return {name: value for name, value in row._asdict().items() if name != "operator_id"}
