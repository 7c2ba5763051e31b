"""What a session is looked for by: one row beside its state, written in the commit of each of its steps.

The state itself is one text that only its own code reads. Here stand the few columns that lists, search and
key figures need, so that they are indexed and alike on both engines.
"""

from collections.abc import Mapping

from sqlalchemy import bindparam, func, insert, select, update

from tapwatt.core import events
from tapwatt.core.effects import Effect
from tapwatt.core.session import Session
from tapwatt.engine import Step
from tapwatt.platform.tables import SESSION_FACT
from tapwatt.store import Transaction

REASON_MAX = 120
TIMED = ("tapped_ms", "approved_ms")
"""Moments that no state keeps: set once, by the step in which they come."""

_F = SESSION_FACT.c
TOLD = (
    "state", "reason", "leader", "brand", "last_four", "payment_state", "payment_reason", "authorised_minor",
    "captured_minor", "energy_wh", "capture_before_ms", "started_ms", "closed_ms",
)  # fmt: skip
"""What a step may change."""
ADD = insert(SESSION_FACT)
CHANGE = (
    update(SESSION_FACT)
    .where(_F.operator_id == bindparam("owner"), _F.session_id == bindparam("session"))
    .values(
        {name: bindparam(name) for name in TOLD}
        | {name: func.coalesce(_F[name], bindparam(name)) for name in TIMED}
    )
)
NEWEST = (
    select(_F.currency)
    .where(_F.operator_id == bindparam("operator_id"))
    .order_by(_F.opened_ms.desc(), _F.session_id.desc())
    .limit(1)
)

Fact = dict[str, str | int | None]


def remember(tx: Transaction, step: Step[Session, events.Happened, Effect]) -> None:
    """Write what a step changed of a session's facts. A reading alone changes none: the energy counts when
    the next thing happens, at the latest at the end."""
    told = told_of(step.state)
    moments = _moments(step)
    if step.before is None:
        tx.run(ADD, **fixed_of(step.state), **told, **moments)
    elif any(moments.values()) or _but_energy(told) != _but_energy(told_of(step.before)):
        tx.run(CHANGE, owner=step.state.operator_id, session=step.machine_id, **told, **moments)


def fixed_of(state: Session) -> Fact:
    """What a session is from its offer on."""
    return {
        "operator_id": state.operator_id,
        "session_id": state.session_id,
        "station_id": state.station_id,
        "evse_id": state.evse_id,
        "currency": state.tariff.currency,
        "opened_ms": state.opened_ms,
    }


def told_of(state: Session) -> Fact:
    """What a session's state says now."""
    paid = state.payment
    return {
        "state": state.state.value,
        "reason": state.reason.value,
        "leader": paid.leader.value if paid else None,
        "brand": paid.brand if paid else None,
        "last_four": paid.last_four if paid else None,
        "payment_state": paid.state.value if paid else None,
        "payment_reason": paid.reason[:REASON_MAX] if paid else "",
        "authorised_minor": paid.authorised_minor if paid else 0,
        "captured_minor": paid.captured_minor if paid else 0,
        "energy_wh": state.meter.delivered_wh if state.meter else 0,
        "capture_before_ms": (paid.capture_before_ms or None) if paid else None,
        "started_ms": state.started_ms,
        "closed_ms": state.closed_ms,
    }


def _moments(step: Step[Session, events.Happened, Effect]) -> Fact:
    before = step.before.payment if step.before else None
    after = step.state.payment
    tapped = after is not None and before is None
    approved = bool(after and after.authorised_minor) and not (before and before.authorised_minor)
    return {
        "tapped_ms": step.event.at_ms if tapped else None,
        "approved_ms": step.event.at_ms if approved else None,
    }


def _but_energy(told: Mapping[str, str | int | None]) -> Fact:
    return {name: value for name, value in told.items() if name != "energy_wh"}
