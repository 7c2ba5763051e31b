"""Read models: what the console and the API show. Every query names the operator; nothing is cached."""

import json
from typing import Any

import msgspec
from sqlalchemy import Select, Text, bindparam, cast, func, literal, select

from tapwatt.core.hold import hold_sentence
from tapwatt.core.money import show
from tapwatt.core.session import Session, SessionState
from tapwatt.core.tariff.running import cost_so_far
from tapwatt.core.tariff.shown import price_sentence
from tapwatt.platform import receipts
from tapwatt.platform.sessions import AT_CONNECTOR, SESSIONS
from tapwatt.platform.tables import (
    ACCOUNT,
    ALARM,
    ALARM_SEEN,
    CONNECTOR,
    ENTRY,
    OPERATOR,
    POSTING,
    SESSION,
    STATION,
    STATION_MESSAGE,
    TERMINAL,
)
from tapwatt.store import Row, Transaction

Json = dict[str, Any]
PAGE_MAX = 200
ORPHAN = "message-"
STEPS_MAX, READINGS_MAX = 300, 100
OPEN_PAYMENT = ("authorising", "unknown", "authorised", "increasing", "capturing", "reversing")
READING, SCREEN = "Metered", "ShowOnTerminal"
"""The two that a long session is full of: they must not push the rest out of a bounded page."""

_M, _E, _F = SESSION.machine, SESSION.event, SESSION.effect
ONE_SESSION = select(_M).where(_M.c.owner == bindparam("operator_id"), _M.c.id == bindparam("session_id"))
LAST_SESSIONS = (
    select(_M)
    .where(_M.c.owner == bindparam("operator_id"))
    .order_by(_M.c.created_ms.desc(), _M.c.id.desc())
    .limit(bindparam("most"))
)
RUNNING = select(_M).where(
    _M.c.owner == bindparam("operator_id"),
    _M.c.status.in_([*AT_CONNECTOR, SessionState.CLOSING]),
)
IN_REVIEW = select(_M).where(_M.c.owner == bindparam("operator_id"), _M.c.status == SessionState.REVIEW)
_EVENTS = select(_E).where(_E.c.owner == bindparam("operator_id"), _E.c.machine_id == bindparam("session_id"))
_EFFECTS = select(_F).where(
    _F.c.owner == bindparam("operator_id"), _F.c.machine_id == bindparam("session_id")
)
EVENTS = _EVENTS.where(_E.c.kind != READING).order_by(_E.c.id.desc()).limit(STEPS_MAX)
READINGS = _EVENTS.where(_E.c.kind == READING).order_by(_E.c.id.desc()).limit(READINGS_MAX)
EFFECTS = _EFFECTS.where(_F.c.kind != SCREEN).order_by(_F.c.id.desc()).limit(STEPS_MAX)
SCREENS = _EFFECTS.where(_F.c.kind == SCREEN).order_by(_F.c.id.desc()).limit(READINGS_MAX)
EVENT_COUNT = select(func.count().label("total")).where(
    _E.c.owner == bindparam("operator_id"), _E.c.machine_id == bindparam("session_id")
)
NAME = select(OPERATOR.c.name).where(OPERATOR.c.operator_id == bindparam("operator_id"))
STATION_NAME = select(STATION.c.name).where(
    STATION.c.operator_id == bindparam("operator_id"), STATION.c.station_id == bindparam("station_id")
)
LEDGER = (
    select(
        POSTING.c.key,
        POSTING.c.kind,
        POSTING.c.at_ms,
        POSTING.c.currency,
        ENTRY.c.account,
        ENTRY.c.amount_minor,
    )
    .join(ENTRY, (ENTRY.c.operator_id == POSTING.c.operator_id) & (ENTRY.c.posting_key == POSTING.c.key))
    .where(POSTING.c.operator_id == bindparam("operator_id"), POSTING.c.session_id == bindparam("session_id"))
    .order_by(POSTING.c.at_ms, POSTING.c.key, ENTRY.c.place)
)
_SEEN = select(ALARM_SEEN.c.key).where(ALARM_SEEN.c.operator_id == bindparam("operator_id"))
ALARMS = (
    select(ALARM)
    .where(ALARM.c.operator_id == bindparam("operator_id"), ALARM.c.key.not_in(_SEEN))
    .order_by(ALARM.c.at_ms.desc())
    .limit(100)
)
STATIONS = (
    select(STATION).where(STATION.c.operator_id == bindparam("operator_id")).order_by(STATION.c.station_id)
)
CONNECTORS = (
    select(CONNECTOR)
    .where(CONNECTOR.c.operator_id == bindparam("operator_id"))
    .order_by(CONNECTOR.c.station_id, CONNECTOR.c.evse_id)
)
TERMINALS = (
    select(TERMINAL)
    .where(TERMINAL.c.operator_id == bindparam("operator_id"))
    .order_by(TERMINAL.c.terminal_id)
)
ACCOUNTS = (
    select(ACCOUNT).where(ACCOUNT.c.operator_id == bindparam("operator_id")).order_by(ACCOUNT.c.account_id)
)
MESSAGES = (
    select(STATION_MESSAGE)
    .where(
        STATION_MESSAGE.c.operator_id == bindparam("operator_id"),
        STATION_MESSAGE.c.session_id == bindparam("session_id"),
    )
    .order_by(STATION_MESSAGE.c.id.desc())
    .limit(PAGE_MAX)
)
ORPHANS = (
    select(STATION_MESSAGE)
    .where(
        STATION_MESSAGE.c.operator_id == bindparam("operator_id"),
        STATION_MESSAGE.c.verdict.like("orphan%"),
        (literal(ORPHAN) + cast(STATION_MESSAGE.c.id, Text)).not_in(_SEEN),
    )
    .order_by(STATION_MESSAGE.c.id.desc())
    .limit(100)
)
BALANCE = select(func.coalesce(func.sum(ENTRY.c.amount_minor), 0).label("total")).where(
    ENTRY.c.operator_id == bindparam("operator_id")
)


def board(tx: Transaction, *, operator_id: str, now_ms: int) -> Json:
    """The live board: stations with their connectors, terminals, and what runs on them."""
    running = [session(row) for row in tx.run(RUNNING, operator_id=operator_id)]
    at = {(item["station_id"], item["evse_id"]): item for item in running if item["state"] != "closing"}
    connectors: dict[str, list[Json]] = {}
    for row in tx.run(CONNECTORS, operator_id=operator_id):
        connectors.setdefault(row.station_id, []).append(
            {
                "evse_id": row.evse_id,
                "status": row.status,
                "error": row.error,
                "since_ms": row.since_ms,
                "session": at.get((row.station_id, row.evse_id)),
            }
        )
    name = tx.one(NAME, operator_id=operator_id)
    return {
        "now_ms": now_ms,
        "operator": name.name if name else operator_id,
        "stations": [
            {**_station(row), "connectors": connectors.get(row.station_id, [])}
            for row in tx.run(STATIONS, operator_id=operator_id)
        ],
        "terminals": [_terminal(row) for row in tx.run(TERMINALS, operator_id=operator_id)],
        "running": running,
        "summary": summary(tx, operator_id=operator_id),
    }


def summary(tx: Transaction, *, operator_id: str) -> Json:
    """Counts that an operator looks at first."""
    running = [SESSIONS.state(row.state) for row in tx.run(RUNNING, operator_id=operator_id)]
    review = tx.run(IN_REVIEW, operator_id=operator_id)
    balance = tx.one(BALANCE, operator_id=operator_id)
    waiting = [SESSIONS.state(row.state) for row in review]
    holds = [s for s in (*running, *waiting) if s.payment and s.payment.state in OPEN_PAYMENT]
    return {
        "running": len(running),
        "open_holds": len(holds),
        "power_w": sum(_power(state) for state in running),
        "review": len(review),
        "alarms": len(tx.run(ALARMS, operator_id=operator_id)),
        "orphans": len(tx.run(ORPHANS, operator_id=operator_id)),
        "ledger_balance_minor": balance.total if balance else 0,
    }


def sessions(tx: Transaction, *, operator_id: str, most: int = 50) -> list[Json]:
    """The newest sessions, newest first."""
    rows = tx.run(LAST_SESSIONS, operator_id=operator_id, most=max(1, min(most, PAGE_MAX)))
    return [session(row) for row in rows]


def session_page(tx: Transaction, *, operator_id: str, session_id: str) -> Json | None:
    """One session with its timeline, ledger, receipt, credit notes and the station's own words; None when
    there is none."""
    row = tx.one(ONE_SESSION, operator_id=operator_id, session_id=session_id)
    if row is None:
        return None
    names = {"operator_id": operator_id, "session_id": session_id}
    papers = receipts.of_session(tx, **names)
    total = tx.one(EVENT_COUNT, **names)
    shown = session(row)
    station = tx.one(STATION_NAME, operator_id=operator_id, station_id=shown["station_id"])
    return {
        **shown,
        "station_name": station.name if station else shown["station_id"],
        "events": [_event(event) for event in _in_order(tx, names, EVENTS, READINGS)],
        "events_total": total.total if total else 0,
        "effects": [_effect(effect) for effect in _in_order(tx, names, EFFECTS, SCREENS)],
        "ledger": ledger(tx, operator_id=operator_id, session_id=session_id),
        "receipt": papers[0] if papers else None,
        "credit_notes": papers[1:],
        "messages": [
            {"action": m.action, "verdict": m.verdict, "at_ms": m.at_ms, "body": _evidence(m.body)}
            for m in _in_order(tx, names, MESSAGES)
        ],
    }


def ledger(tx: Transaction, *, operator_id: str, session_id: str) -> Json:
    """The postings of a session and, from them alone, what was authorised, captured and released."""
    postings: dict[str, Json] = {}
    totals = {"authorised_minor": 0, "captured_minor": 0, "released_minor": 0, "lost_minor": 0}
    for row in tx.run(LEDGER, operator_id=operator_id, session_id=session_id):
        posting = postings.setdefault(
            row.key,
            {"key": row.key, "kind": row.kind, "at_ms": row.at_ms, "currency": row.currency, "entries": []},
        )
        posting["entries"].append({"account": row.account, "amount_minor": row.amount_minor})
        counted = {
            ("authorised", "hold"): "authorised_minor",
            ("released", "hold_contra"): "released_minor",
            ("captured", "hold_contra"): "captured_minor",
            ("lost", "loss_operator"): "lost_minor",
        }.get((row.kind, row.account))
        if counted:
            totals[counted] += row.amount_minor
    return {**totals, "postings": list(postings.values())}


def session(row: Row) -> Json:
    """A session's row as JSON, with the running price."""
    state = SESSIONS.state(row.state)
    paid, bill = state.payment, state.bill
    running = _running_cost(state)
    return {
        "session_id": state.session_id,
        "state": state.state,
        "reason": state.reason,
        "detail": state.detail,
        "station_id": state.station_id,
        "evse_id": state.evse_id,
        "terminal_id": state.terminal_id,
        "reference": state.reference,
        "transaction_id": state.transaction_id,
        "leader": paid.leader if paid else None,
        "payment_state": paid.state if paid else None,
        "currency": state.tariff.currency,
        "price": price_sentence(
            state.tariff,
            at_ms=state.opened_ms,
            time_zone=state.site.time_zone,
            evse_kind=state.site.evse_kind,
        ),
        "hold_choices_minor": [state.hold.amount_minor, *state.hold.choices_minor],
        "hold": hold_sentence(state.hold, currency=state.tariff.currency),
        "authorised_minor": paid.authorised_minor if paid else 0,
        "captured_minor": paid.captured_minor if paid else 0,
        "released_minor": paid.released_minor if paid else 0,
        "lost_minor": state.lost_minor,
        "capture_before_ms": paid.capture_before_ms or None if paid else None,
        "cost_minor": bill.gross_minor if bill else running,
        "cost": show(bill.gross_minor if bill else running, currency=state.tariff.currency),
        "energy_wh": state.meter.delivered_wh if state.meter else 0,
        "power_w": _power(state),
        "metered_ms": state.meter.last_ms - state.meter.first_ms if state.meter else 0,
        "brand": paid.brand if paid else None,
        "last_four": paid.last_four if paid else None,
        "receipt": paid.receipt if paid else None,
        "terminal_receipt": paid.receipt if paid else None,
        "trace": paid.trace if paid else None,
        "tid": paid.tid if paid else None,
        "approval_code": paid.approval_code if paid else None,
        "bill": json.loads(msgspec.json.encode(bill)) if bill else None,
        "opened_ms": state.opened_ms,
        "started_ms": state.started_ms,
        "stopped_ms": state.stopped_ms,
        "closed_ms": state.closed_ms,
        "version": row.version,
    }


def stations(tx: Transaction, *, operator_id: str) -> list[Json]:
    """All stations."""
    return [_station(row) for row in tx.run(STATIONS, operator_id=operator_id)]


def terminals(tx: Transaction, *, operator_id: str) -> list[Json]:
    """All terminals."""
    return [_terminal(row) for row in tx.run(TERMINALS, operator_id=operator_id)]


def accounts(tx: Transaction, *, operator_id: str) -> list[Json]:
    """All accounts and their balances."""
    return [_plain(row) for row in tx.run(ACCOUNTS, operator_id=operator_id)]


def alarms(tx: Transaction, *, operator_id: str) -> list[Json]:
    """What waits for a person, newest first: alarms, and messages that belong to no session."""
    orphans = [
        {
            "key": f"{ORPHAN}{row.id}",
            "session_id": None,
            "text": f"{row.station_id}: {row.action}, {row.verdict}",
            "at_ms": row.at_ms,
        }
        for row in tx.run(ORPHANS, operator_id=operator_id)
    ]
    own = [_plain(row) for row in tx.run(ALARMS, operator_id=operator_id)]
    return sorted([*own, *orphans], key=lambda alarm: -alarm["at_ms"])


def _evidence(text: str) -> Any:
    """What a station said; evidence may be cut off or be no JSON at all."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _in_order(tx: Transaction, names: dict[str, str], *newest: Select[Any]) -> list[Row]:
    return sorted((row for query in newest for row in tx.run(query, **names)), key=lambda row: int(row.id))


def _power(state: Session) -> int:
    return state.meter.power_w if state.meter and state.state == SessionState.CHARGING else 0


def _running_cost(state: Session) -> int:
    if state.usage is None:
        return 0
    return cost_so_far(state.tariff, state.usage, state.site.rounding).gross_minor


def _plain(row: Row) -> Json:
    return {name: value for name, value in row._asdict().items() if name != "operator_id"}


def _station(row: Row) -> Json:
    return {**_plain(row), "connected": bool(row.connected)}


def _terminal(row: Row) -> Json:
    return {**_plain(row), "screen": json.loads(row.screen)}


def _event(row: Row) -> Json:
    return {
        "version": row.version,
        "kind": row.kind,
        "body": json.loads(row.body),
        "before": row.status_before,
        "after": row.status_after,
        "refused": row.refused,
        "at_ms": row.at_ms,
    }


def _effect(row: Row) -> Json:
    return {
        "kind": row.kind,
        "lane": row.lane,
        "version": row.version,
        "body": json.loads(row.body),
        "attempts": row.attempts,
        "done_ms": row.done_ms,
        "last_error": row.last_error,
    }
