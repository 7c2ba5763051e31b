"""The issuer's JSON views: life cycles with holds and postings, cards with accounts, all masked."""

from __future__ import annotations

from typing import Any

import msgspec

from tapwatt.hosts.issuer import tables
from tapwatt.hosts.issuer.decide import Authorisation
from tapwatt.hosts.traffic import MOST_SHOWN, TrafficStatements, currency_name
from tapwatt.store import Row, Transaction

_TRAFFIC = TrafficStatements(tables.AUTHORISATION)


def transactions(tx: Transaction, *, reference: str, limit: int) -> list[dict[str, Any]]:
    """Life cycles of a merchant's reference ("" for all), newest first; money from hold and postings."""
    return [_shown(tx, row) for row in _TRAFFIC.rows(tx, reference=reference, limit=limit)]


def summary(tx: Transaction) -> dict[str, int]:
    """As the other hosts say it; an issuer forwards nothing and asks nobody."""
    return {"open_holds": tables.open_holds(tx), "waiting": 0, "parked": 0, "unmatched": 0}


def cards(tx: Transaction) -> list[dict[str, Any]]:
    """Cards with what their accounts have."""
    return [
        {
            "card": row.masked,
            "status": row.status,
            "currency": currency_name(row.currency),
            "balance_minor": row.balance_minor,
            "held_minor": (held_minor := tables.open_holds_minor(tx, row.account_id)),
            "available_minor": row.balance_minor - held_minor,
            "last_counter": row.last_counter,
        }
        for row in tables.card_rows(tx, most=MOST_SHOWN)
    ]


def _shown(tx: Transaction, row: Row) -> dict[str, Any]:
    state = msgspec.json.decode(row.state, type=Authorisation)
    said, hold = state.identity, tables.hold_of(tx, row.id)
    held_minor = 0 if hold is None else int(hold.amount_minor)
    posted_minor = tables.posted_minor(tx, row.id)
    closed = hold is not None and not hold.open
    return {
        "life_cycle": said.life_cycle,
        "reference": said.reference,
        "rrn": said.rrn,
        "stan": said.stan,
        "tid": said.tid,
        "mid": said.mid,
        "card": said.card,
        "state": str(state.status),
        "requested_minor": said.amount_minor,
        "authorised_minor": held_minor,
        "captured_minor": posted_minor,
        "released_minor": held_minor - posted_minor if closed else 0,
        "currency": currency_name(said.currency),
        "response_code": state.response_code,
        "reason": state.reason,
        "approval_code": state.approval_code,
        "scheme_transaction": state.scheme_transaction,
        "alarm": "",
        "events": _TRAFFIC.story(tx, row.id),
    }
