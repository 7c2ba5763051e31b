"""Four eyes: orders that a second person has to approve, and what each order does.

An order of money above a threshold, and every order that changes what drivers pay, waits as a row until
somebody else with the same permission approves it; it is performed in the commit that says so. What it is
about is remembered as it was (`fingerprint`): has that changed meanwhile, the order is refused and not
guessed at.
"""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from tapwatt.core.ids import receipt_token
from tapwatt.core.session import Session, SessionState
from tapwatt.core.session_ends import most_to_take_minor
from tapwatt.engine import Stepper
from tapwatt.platform import audit, receipts, review, tariffs
from tapwatt.platform.access import Permission, Who
from tapwatt.platform.sessions import Event
from tapwatt.platform.tables import APPROVAL, SESSION
from tapwatt.store import Row, Transaction

Json = dict[str, Any]
Steps = Stepper[Session, Event, Any]
EXPIRES_MS = 24 * 3_600_000
"""An order that nobody has looked at for a day is not what anybody wants any more."""
WAITING_MAX, SHOWN_MAX = 200, 100
WHY_MOST = 500


class Kind(StrEnum):
    """The orders that may need a second person."""

    DECIDE = "decide"
    CREDIT = "credit"
    PUBLISH = "publish"
    RETIRE = "retire"
    ASSIGN = "assign"


NEEDED = {
    Kind.DECIDE: Permission.MONEY,
    Kind.CREDIT: Permission.MONEY,
    Kind.PUBLISH: Permission.TARIFF,
    Kind.RETIRE: Permission.TARIFF,
    Kind.ASSIGN: Permission.TARIFF,
}
"""What whoever gives and whoever approves an order must both be allowed."""

SESSION_VERSION = select(SESSION.machine.c.version).where(
    SESSION.machine.c.owner == bindparam("operator_id"), SESSION.machine.c.id == bindparam("session_id")
)
_A = APPROVAL.c
_OWN = _A.operator_id == bindparam("operator_id")
ADD = insert(APPROVAL)
ONE = select(APPROVAL).where(_OWN, _A.approval_id == bindparam("approval_id"))
NEWEST = select(APPROVAL).where(_OWN).order_by(_A.asked_ms.desc(), _A.approval_id).limit(SHOWN_MAX)
WAITING = (
    select(APPROVAL)
    .where(_OWN, _A.state == "waiting", _A.expires_ms > bindparam("now_ms"))
    .order_by(_A.asked_ms, _A.approval_id)
    .limit(WAITING_MAX)
)
COUNT_WAITING = (
    select(func.count().label("n"))
    .select_from(APPROVAL)
    .where(_OWN, _A.state == "waiting", _A.expires_ms > bindparam("now_ms"))
)
EXPIRE = (
    update(APPROVAL)
    .where(_A.operator_id == bindparam("owner"), _A.state == "waiting", _A.expires_ms <= bindparam("now_ms"))
    .values(state="expired")
)
SETTLE = (
    update(APPROVAL)
    .where(_A.operator_id == bindparam("owner"), _A.approval_id == bindparam("this"), _A.state == "waiting")
    .values(
        state=bindparam("set_state"),
        decided_by=bindparam("set_by"),
        decided_person=bindparam("set_person"),
        decided_ms=bindparam("set_ms"),
        why=bindparam("set_why"),
    )
    .returning(_A.approval_id)
)
"""Of two who decide at once one does."""


class UnableToApprove(Exception):
    """The order cannot be approved or rejected; the sentence says why."""


class NoSuchApproval(UnableToApprove):
    """The operator has no such approval."""


class NotTheirs(UnableToApprove):
    """This person may not decide it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be done to what. `subject` is a session, a receipt's number, a tariff's version (`ID/3`) or
    a station; `body` holds the rest as JSON."""

    kind: Kind
    subject: str
    body: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """With what orders are carried out inside one transaction. `chance` is at least 17 random bytes."""

    tx: Transaction
    stepper: Steps
    operator_id: str
    chance: bytes
    at_ms: int


def perform(means: Means, order: Order, *, by: str) -> Any:
    """Carry an order out: True, or for a credit the credit note; False or None when there is no such thing.
    Raises what the order's own room raises."""
    tx, owner, body, at_ms = means.tx, means.operator_id, order.body, means.at_ms
    if order.kind is Kind.DECIDE:
        return review.decide(
            means.stepper, operator_id=owner, session_id=order.subject, by=by, at_ms=at_ms, **body
        )
    if order.kind is Kind.CREDIT:
        return receipts.credit_receipt(
            tx,
            means.stepper,
            operator_id=owner,
            number=order.subject,
            by=by,
            chance=means.chance,
            at_ms=at_ms,
            **body,
        )
    if order.kind is Kind.ASSIGN:
        tariffs.assign(tx, operator_id=owner, station_id=order.subject, at_ms=at_ms, **body)
        return True
    tariff_id, version = version_of(order)
    one: Json = {"operator_id": owner, "tariff_id": tariff_id, "version": version, "at_ms": at_ms}
    if order.kind is Kind.RETIRE:
        tariffs.retire(tx, by=by, **one, **body)
    else:
        tariffs.publish(tx, found=tariffs.checked(tx, **one), by=by, **one, **body)
    return True


def version_of(order: Order) -> tuple[str, int]:
    """The tariff and version that an order is about."""
    tariff_id, _, version = order.subject.rpartition("/")
    return tariff_id, int(version)


def stake_minor(means: Means, order: Order) -> int | None:
    """What an order moves at most, in minor units: taken from a driver, given up by the operator, or paid
    back. None for what changes prices, whatever the amount; 0 when there is no such thing."""
    if order.kind is Kind.DECIDE:
        state = means.stepper.load(order.subject)
        if state is None or state.operator_id != means.operator_id or state.state is not SessionState.REVIEW:
            return 0
        amount_minor: int = order.body["amount_minor"]
        return max(amount_minor, most_to_take_minor(state) - amount_minor)
    if order.kind is Kind.CREDIT:
        asked: int | None = order.body["amount_minor"]
        found = means.tx.one(receipts.BY_NUMBER, operator_id=means.operator_id, number=order.subject)
        return asked if asked is not None else int(found.gross_minor) if found else 0
    return None


def ask(means: Means, who: Who, order: Order) -> Json:
    """Let an order wait for a second person; the same order of the same person waits once. Raises
    UnableToApprove when too many wait."""
    tx, owner, seen = means.tx, means.operator_id, fingerprint(means, order)
    tx.run(EXPIRE, owner=owner, now_ms=means.at_ms)
    for row in tx.run(WAITING, operator_id=owner, now_ms=means.at_ms):
        if row.asked_person == who.person_id and _same(row, order):
            return shown(row, now_ms=means.at_ms)
    counted = tx.one(COUNT_WAITING, operator_id=owner, now_ms=means.at_ms)
    if counted is not None and counted.n >= WAITING_MAX:
        raise UnableToApprove(f"{WAITING_MAX} orders wait already, the most allowed")
    approval_id = f"a-{receipt_token(means.chance)[:20]}"
    tx.run(
        ADD,
        operator_id=owner,
        approval_id=approval_id,
        kind=order.kind.value,
        subject=order.subject,
        body=json.dumps(order.body, sort_keys=True),
        fingerprint=seen,
        state="waiting",
        asked_by=who.name,
        asked_person=who.person_id or "",
        asked_ms=means.at_ms,
        expires_ms=means.at_ms + EXPIRES_MS,
        decided_by=None,
        decided_person=None,
        decided_ms=None,
        why=None,
    )
    audit.append(
        tx,
        who,
        f"{order.kind} asked",
        order.subject,
        at_ms=means.at_ms,
        outcome="waits",
        approval=approval_id,
    )
    return one(tx, operator_id=owner, approval_id=approval_id, now_ms=means.at_ms)


def approve(means: Means, who: Who, approval_id: str) -> Json:
    """Approve an order and carry it out, in one commit. Raises UnableToApprove and its kinds, and what the
    order's own room raises: then it waits on."""
    tx, owner = means.tx, means.operator_id
    row = _decidable(means, who, approval_id)
    order = order_of(row)
    _settle(means, who, approval_id, "approved", why=None)
    if fingerprint(means, order) != row.fingerprint:
        raise UnableToApprove(
            f"{order.subject} has changed since {row.asked_by} asked: reject this, and ask again"
        )
    done = perform(means, order, by=f"{row.asked_by}, approved by {who.name}")
    if not done:
        raise UnableToApprove(f"{order.subject} is gone")
    audit.append(
        tx,
        who,
        f"{order.kind} approved",
        order.subject,
        at_ms=means.at_ms,
        approval=approval_id,
        asked_by=row.asked_by,
        **_told(order),
    )
    return one(tx, operator_id=owner, approval_id=approval_id, now_ms=means.at_ms)


def reject(means: Means, who: Who, approval_id: str, *, why: str) -> Json:
    """Reject an order: nothing is done. Whoever asked may take it back. Raises UnableToApprove and its
    kinds."""
    row = _decidable(means, who, approval_id, own_too=True)
    _settle(means, who, approval_id, "rejected", why=why.strip()[:WHY_MOST])
    audit.append(
        means.tx, who, f"{row.kind} rejected", row.subject, at_ms=means.at_ms, approval=approval_id, why=why
    )
    return one(means.tx, operator_id=means.operator_id, approval_id=approval_id, now_ms=means.at_ms)


def _decidable(means: Means, who: Who, approval_id: str, *, own_too: bool = False) -> Row:
    row = means.tx.one(ONE, operator_id=means.operator_id, approval_id=approval_id)
    if row is None:
        raise NoSuchApproval(f"there is no approval {approval_id}")
    needed = NEEDED[Kind(row.kind)]
    if not who.may(needed):
        raise NotTheirs(f"{who.name} may not decide this: it needs the permission {needed.value}")
    if who.person_id is None or (who.person_id == row.asked_person and not own_too):
        raise NotTheirs("whoever gave an order does not approve it: a second person does")
    state = _state(row, means.at_ms)
    if state != "waiting":
        by = f" by {row.decided_by}" if row.decided_by else ""
        raise UnableToApprove(f"it waits no more: it is {state}{by}")
    return row


def _settle(means: Means, who: Who, approval_id: str, state: str, *, why: str | None) -> None:
    settled = means.tx.one(
        SETTLE,
        owner=means.operator_id,
        this=approval_id,
        set_state=state,
        set_by=who.name,
        set_person=who.person_id,
        set_ms=means.at_ms,
        set_why=why,
    )
    if settled is None:
        raise UnableToApprove("it waits no more: somebody else was first")


def one(tx: Transaction, *, operator_id: str, approval_id: str, now_ms: int) -> Json:
    """One approval. Raises NoSuchApproval."""
    row = tx.one(ONE, operator_id=operator_id, approval_id=approval_id)
    if row is None:
        raise NoSuchApproval(f"there is no approval {approval_id}")
    return shown(row, now_ms=now_ms)


def listing(tx: Transaction, *, operator_id: str, now_ms: int) -> Json:
    """What waits, the oldest first, and what was decided lately, the newest first."""
    waiting = tx.run(WAITING, operator_id=operator_id, now_ms=now_ms)
    newest = [shown(row, now_ms=now_ms) for row in tx.run(NEWEST, operator_id=operator_id)]
    return {
        "waiting": [shown(row, now_ms=now_ms) for row in waiting],
        "decided": [each for each in newest if each["state"] != "waiting"],
    }


def shown(row: Row, *, now_ms: int) -> Json:
    """An approval as JSON."""
    return {
        "approval_id": row.approval_id,
        "kind": row.kind,
        "subject": row.subject,
        "order": _told(order_of(row)),
        "state": _state(row, now_ms),
        "asked_by": row.asked_by,
        "asked_person": row.asked_person,
        "asked_ms": row.asked_ms,
        "expires_ms": row.expires_ms,
        "decided_by": row.decided_by,
        "decided_ms": row.decided_ms,
        "why": row.why,
        "permission": NEEDED[Kind(row.kind)].value,
    }


def order_of(row: Row) -> Order:
    """The order that waits."""
    return Order(kind=Kind(row.kind), subject=row.subject, body=json.loads(row.body))


def fingerprint(means: Means, order: Order) -> str:
    """What an order is about, as it is now: equal as long as nothing has happened to it."""
    tx, owner = means.tx, means.operator_id
    about: list[Any] = []
    if order.kind is Kind.DECIDE:
        row = tx.one(SESSION_VERSION, operator_id=owner, session_id=order.subject)
        about = [row.version if row else None]
    elif order.kind is Kind.CREDIT:
        credits = tx.run(receipts.CREDITS, operator_id=owner, number=order.subject)
        about = [row.number for row in credits]
    elif order.kind is Kind.ASSIGN:
        station = tx.one(tariffs.FIND_OWN_STATION, operator_id=owner, station_id=order.subject)
        row = tx.one(
            tariffs.IN_FORCE, operator_id=owner, tariff_id=order.body["tariff_id"], at_ms=means.at_ms
        )
        about = [station.tariff_id if station else None, row.version if row else None]
    else:
        tariff_id, version = version_of(order)
        row = tariffs.version_of(tx, operator_id=owner, tariff_id=tariff_id, version=version)
        about = [row.state, row.body, row.valid_to_ms]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()


def _same(row: Row, order: Order) -> bool:
    return (row.kind, row.subject) == (order.kind, order.subject) and _told(order_of(row)) == _told(order)


def _told(order: Order) -> Json:
    """An order's body without its own key, which is no part of what is wanted."""
    return {name: value for name, value in order.body.items() if name != "key"}


def _state(row: Row, now_ms: int) -> str:
    return "expired" if row.state == "waiting" and row.expires_ms <= now_ms else str(row.state)
