"""The account leader: an RFID tag's or an app's balance pays, and no message leaves the platform.

Every operation is keyed by its payment, so that a repeat finds what the first one did.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from tapwatt.core.effects import Ask, Authorise, Capture, MoneyEffect, Refund, Release
from tapwatt.core.events import (
    Approved,
    Captured,
    CaptureRefused,
    Declined,
    FoundNone,
    FoundOpen,
    OutcomeEvent,
    Refunded,
    RefundRefused,
    Released,
)
from tapwatt.platform.paging import cut, read_cursor, write_cursor
from tapwatt.platform.tables import ACCOUNT, ACCOUNT_HOLD, ACCOUNT_TAG
from tapwatt.store import Row, Transaction

OWNER = ACCOUNT.c.operator_id == bindparam("operator_id")
LIST = "accounts"
HELD, CAPTURED, RELEASED = "held", "captured", "released"

FIND_TAG = select(ACCOUNT).where(
    OWNER,
    ACCOUNT_TAG.c.operator_id == ACCOUNT.c.operator_id,
    ACCOUNT_TAG.c.account_id == ACCOUNT.c.account_id,
    ACCOUNT_TAG.c.id_token == bindparam("id_token"),
)
AFTER = (
    select(ACCOUNT)
    .where(OWNER, ACCOUNT.c.account_id > bindparam("after"))
    .order_by(ACCOUNT.c.account_id)
    .limit(bindparam("most"))
)
FIND_ACCOUNT = select(ACCOUNT).where(OWNER, ACCOUNT.c.account_id == bindparam("account_id"))
FIND_HOLD = select(ACCOUNT_HOLD).where(
    ACCOUNT_HOLD.c.operator_id == bindparam("operator_id"),
    ACCOUNT_HOLD.c.payment_id == bindparam("payment_id"),
)
ADD_HOLD = insert(ACCOUNT_HOLD)
END_HOLD = (
    update(ACCOUNT_HOLD)
    .where(
        ACCOUNT_HOLD.c.operator_id == bindparam("owner"), ACCOUNT_HOLD.c.payment_id == bindparam("payment")
    )
    .values(state=bindparam("state"), captured_minor=bindparam("captured_minor"))
)
ADD_REFUND = (
    update(ACCOUNT_HOLD)
    .where(
        ACCOUNT_HOLD.c.operator_id == bindparam("owner"), ACCOUNT_HOLD.c.payment_id == bindparam("payment")
    )
    .values(
        refunded_minor=ACCOUNT_HOLD.c.refunded_minor + bindparam("more_minor"), refund_key=bindparam("key")
    )
)
CHANGE_BALANCE = (
    update(ACCOUNT)
    .where(ACCOUNT.c.operator_id == bindparam("owner"), ACCOUNT.c.account_id == bindparam("account"))
    .values(balance_minor=ACCOUNT.c.balance_minor + bindparam("change_minor"))
)


def listing(tx: Transaction, *, operator_id: str, cursor: str | None, most: int) -> dict[str, Any]:
    """A page of accounts by id, with their balances. Raises UnableToRead for a cursor of another list."""
    (after,) = read_cursor(LIST, cursor, str) if cursor else ("",)
    found = tx.run(AFTER, operator_id=operator_id, after=after, most=most + 1)
    rows, following = cut(found, most, lambda row: write_cursor(LIST, row.account_id))
    names = ("account_id", "name", "currency", "balance_minor", "status")
    return {"accounts": [{name: getattr(row, name) for name in names} for row in rows], "cursor": following}


def find_by_tag(tx: Transaction, *, operator_id: str, id_token: str) -> Row | None:
    """The account of a tag, or None. A tag is compared without case, as OCPP 1.6 compares an idTag."""
    return tx.one(FIND_TAG, operator_id=operator_id, id_token=id_token.upper())


def perform(tx: Transaction, *, operator_id: str, effect: MoneyEffect, now_ms: int) -> OutcomeEvent:
    """Do one money effect on an account's balance and say what came of it."""
    payment_id = effect.key.split(".")[0]
    hold = tx.one(FIND_HOLD, operator_id=operator_id, payment_id=payment_id)
    step: Callable[[Transaction, str, MoneyEffect, Row | None, int], OutcomeEvent]
    match effect:
        case Authorise():
            step = _authorise
        case Capture():
            step = _capture
        case Release():
            step = _release
        case Refund():
            step = _refund
        case Ask():
            step = _ask
        case _:
            raise ValueError(f"an account cannot {type(effect).__name__}")
    return step(tx, operator_id, effect, hold, now_ms)


def _authorise(
    tx: Transaction, operator_id: str, effect: MoneyEffect, hold: Row | None, now_ms: int
) -> OutcomeEvent:
    if hold is not None:
        return Approved(at_ms=now_ms, key=effect.key, amount_minor=hold.held_minor)
    account = tx.one(FIND_ACCOUNT, operator_id=operator_id, account_id=effect.account_id)
    if account is None or account.status != "active":
        return Declined(at_ms=now_ms, key=effect.key, code="blocked", text="the account is not active")
    # An account's balance may be less than the usual hold; the charge is then limited to it.
    amount_minor = min(effect.amount_minor, account.balance_minor)
    if amount_minor <= 0:
        return Declined(at_ms=now_ms, key=effect.key, code="no credit", text="the balance is used up")
    tx.run(
        ADD_HOLD,
        operator_id=operator_id,
        payment_id=effect.key.split(".")[0],
        account_id=effect.account_id,
        held_minor=amount_minor,
        captured_minor=0,
        state=HELD,
    )
    tx.run(CHANGE_BALANCE, owner=operator_id, account=effect.account_id, change_minor=-amount_minor)
    return Approved(at_ms=now_ms, key=effect.key, amount_minor=amount_minor)


def _capture(
    tx: Transaction, operator_id: str, effect: MoneyEffect, hold: Row | None, now_ms: int
) -> OutcomeEvent:
    if hold is None or hold.state == RELEASED or effect.amount_minor > hold.held_minor:
        return CaptureRefused(at_ms=now_ms, key=effect.key, text="no open hold of that amount")
    if hold.state == HELD:
        _end(tx, operator_id, hold, CAPTURED, effect.amount_minor)
        return Captured(at_ms=now_ms, key=effect.key, amount_minor=effect.amount_minor)
    return Captured(at_ms=now_ms, key=effect.key, amount_minor=hold.captured_minor)


def _release(
    tx: Transaction, operator_id: str, effect: MoneyEffect, hold: Row | None, now_ms: int
) -> OutcomeEvent:
    if hold is not None and hold.state == HELD:
        _end(tx, operator_id, hold, RELEASED, 0)
    return Released(at_ms=now_ms, key=effect.key)


def _refund(
    tx: Transaction, operator_id: str, effect: MoneyEffect, hold: Row | None, now_ms: int
) -> OutcomeEvent:
    if hold is not None and hold.refund_key == effect.key:
        return Refunded(at_ms=now_ms, key=effect.key, amount_minor=effect.amount_minor)
    if hold is None or effect.amount_minor > hold.captured_minor - hold.refunded_minor:
        return RefundRefused(at_ms=now_ms, key=effect.key, text="not so much was taken")
    more = {"more_minor": effect.amount_minor, "key": effect.key}
    tx.run(ADD_REFUND, owner=operator_id, payment=hold.payment_id, **more)
    tx.run(CHANGE_BALANCE, owner=operator_id, account=hold.account_id, change_minor=effect.amount_minor)
    return Refunded(at_ms=now_ms, key=effect.key, amount_minor=effect.amount_minor)


def _ask(
    tx: Transaction, operator_id: str, effect: MoneyEffect, hold: Row | None, now_ms: int
) -> OutcomeEvent:
    if hold is None or hold.state == RELEASED:
        return FoundNone(at_ms=now_ms, key=effect.key)
    if hold.refund_key == effect.key:
        return Refunded(at_ms=now_ms, key=effect.key, amount_minor=effect.amount_minor)
    if hold.state == CAPTURED:
        return Captured(at_ms=now_ms, key=effect.key, amount_minor=hold.captured_minor)
    return FoundOpen(at_ms=now_ms, key=effect.key, amount_minor=hold.held_minor)


def _end(tx: Transaction, operator_id: str, hold: Row, state: str, captured_minor: int) -> None:
    tx.run(END_HOLD, owner=operator_id, payment=hold.payment_id, state=state, captured_minor=captured_minor)
    tx.run(
        CHANGE_BALANCE,
        owner=operator_id,
        account=hold.account_id,
        change_minor=hold.held_minor - captured_minor,
    )
