"""What the payment terminal keeps: payments by receipt, and the advices it owes its gateway.

Each function is one commit's worth of rows: intent before a message is sent, outcome before the edge is told
(reference/rails.md section 2.5, "order of writes"). Messages are stored without card number and chip data;
both are put back, or not needed, when an advice is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Executable, bindparam, func, insert, or_, select, update

from tapwatt.rails.emv.tap import TapTerms
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.messages import (
    Acceptor,
    ReversalReason,
    authorisation,
    completion,
    reversal,
)
from tapwatt.rails.sandbox import SandboxCard
from tapwatt.sim import card as cards
from tapwatt.sim.rest import at_rest, from_rest
from tapwatt.sim.tables import ADVICE, PAYMENT, count
from tapwatt.store import Row, Transaction

MOST_STANS: Final = 999_999
MOST_RECEIPTS: Final = 9_999
MOST_OPEN: Final = 50
MOST_SHOWN: Final = 500


class PaymentState(StrEnum):
    """Where a payment stands at the terminal."""

    SENT = "SENT"  # asked, nothing known
    OPEN = "OPEN"  # a reservation: to be captured or released
    DECLINED = "DECLINED"
    NOT_SENT = "NOT_SENT"  # the request never left
    REVERSING = "REVERSING"  # unknown outcome: taken back, not yet confirmed
    REVERSED = "REVERSED"
    CAPTURED = "CAPTURED"
    RELEASED = "RELEASED"


class AdviceState(StrEnum):
    """Where a message in store-and-forward stands."""

    WAITING = "WAITING"
    ANSWERED = "ANSWERED"
    PARKED = "PARKED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A payment whose intent is stored: the request to send, complete, in memory only."""

    payment_id: int
    receipt: str
    stan: str
    request: Message


def _in_one_of(*states: PaymentState) -> ColumnElement[bool]:
    """As comparisons: the store does not take an IN list beside other parameters."""
    return or_(*(PAYMENT.c.state == state for state in states))


_ADD_PAYMENT: Executable = insert(PAYMENT).returning(PAYMENT.c.id)
_ADD_ADVICE: Executable = insert(ADVICE)
_BY_ID: Executable = select(PAYMENT).where(PAYMENT.c.id == bindparam("payment_id"))
_BY_RECEIPT: Executable = (
    select(PAYMENT)
    .where(
        PAYMENT.c.receipt == bindparam("receipt_no"),
        _in_one_of(PaymentState.OPEN, PaymentState.CAPTURED, PaymentState.RELEASED),
    )
    .order_by(PAYMENT.c.id.desc())
    .limit(1)
)
_IN_STATE: Executable = (
    select(PAYMENT).where(PAYMENT.c.state == bindparam("wanted")).order_by(PAYMENT.c.id).limit(MOST_OPEN)
)
_SETTLE: Executable = (
    update(PAYMENT)
    .where(PAYMENT.c.id == bindparam("payment_id"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in (
                "state",
                "authorised_minor",
                "captured_minor",
                "released_minor",
                "response_code",
                "approval_code",
                "updated_ms",
            )
        }
    )
)
_NEWEST: Executable = select(PAYMENT).order_by(PAYMENT.c.id.desc()).limit(MOST_SHOWN)
_OF_REFERENCE: Executable = (
    select(PAYMENT)
    .where(PAYMENT.c.reference == bindparam("wanted"))
    .order_by(PAYMENT.c.id.desc())
    .limit(MOST_SHOWN)
)
_BETWEEN: Executable = (
    select(PAYMENT)
    .where(PAYMENT.c.created_ms >= bindparam("from_ms"), PAYMENT.c.created_ms <= bindparam("to_ms"))
    .order_by(PAYMENT.c.id)
    .limit(MOST_SHOWN)
)
_COUNT_OPEN: Executable = (
    select(func.count().label("number"))
    .select_from(PAYMENT)
    .where(_in_one_of(PaymentState.SENT, PaymentState.OPEN, PaymentState.REVERSING))
)
_COUNT_ADVICES: Executable = select(ADVICE.c.state, func.count().label("number")).group_by(ADVICE.c.state)


def begin(
    tx: Transaction,
    *,
    test_card: SandboxCard,
    acceptor: Acceptor,
    amount_minor: int,
    currency: tuple[str, str],
    reference: str,
    additional: str,
    unpredictable: bytes,
    now_ms: int,
) -> Begun:
    """Store the intent of a hold; the card is tapped in the same commit. `currency`: letters and digits."""
    stan = f"{count(tx, 'stan', most=MOST_STANS):06d}"
    receipt = _free_receipt(tx)
    local = datetime.fromtimestamp(now_ms // 1000, tz=UTC)
    rrn = f"{local.year % 10}{local.timetuple().tm_yday:03d}{local.hour:02d}{stan}"
    terms = _terms(acceptor, amount_minor, currency[1], stan, unpredictable, local)
    request = authorisation(
        card=cards.tap(tx, test_card, terms),
        acceptor=acceptor,
        amount_minor=amount_minor,
        currency=currency[1],
        stan=stan,
        rrn=rrn,
        now_ms=now_ms,
        life_cycle=f"{acceptor.terminal_id}-{rrn}",
        payment_reference=reference,
        additional=additional,
    )
    row = tx.one(
        _ADD_PAYMENT,
        reference=reference,
        receipt=receipt,
        stan=stan,
        rrn=rrn,
        tid=acceptor.terminal_id,
        card=test_card.name,
        masked_pan=cards.masked(test_card),
        currency=currency[0],
        asked_minor=amount_minor,
        state=PaymentState.SENT,
        authorised_minor=0,
        captured_minor=0,
        released_minor=0,
        response_code="",
        approval_code="",
        request=at_rest(request),
        created_ms=now_ms,
        updated_ms=now_ms,
    )
    if row is None:
        raise LookupError("a payment got no number")
    return Begun(payment_id=int(row.id), receipt=receipt, stan=stan, request=request)


def approved(
    tx: Transaction, payment_id: int, *, amount_minor: int, code: str, approval_code: str, now_ms: int
) -> None:
    """The bank said yes, to this amount: a reservation is open."""
    _settle(
        tx,
        _payment(tx, payment_id),
        PaymentState.OPEN,
        now_ms,
        authorised_minor=amount_minor,
        response_code=code,
        approval_code=approval_code,
    )


def ended(tx: Transaction, payment_id: int, state: PaymentState, *, code: str, now_ms: int) -> None:
    """Nothing is held: declined, or never sent."""
    _settle(tx, _payment(tx, payment_id), state, now_ms, response_code=code)


def silent(tx: Transaction, payment_id: int, *, now_ms: int) -> None:
    """Nobody said yes or no: the hold, if there is one, is taken back until the gateway answers."""
    payment = _payment(tx, payment_id)
    if payment.state != PaymentState.SENT:
        return
    message = reversal(
        from_rest(payment.request), stan=_next_stan(tx), now_ms=now_ms, reason=ReversalReason.TIMEOUT
    )
    _settle(tx, payment, PaymentState.REVERSING, now_ms)
    _owe(tx, payment, message, now_ms)


def recover(tx: Transaction, *, now_ms: int) -> int:
    """After a power cut: whatever was asked and has no outcome is taken back. How many there were."""
    lost = tx.run(_IN_STATE, wanted=PaymentState.SENT)
    for payment in lost:
        silent(tx, payment.id, now_ms=now_ms)
    return len(lost)


def by_receipt(tx: Transaction, receipt: str) -> Row | None:
    """The newest reservation with this number that was ever open."""
    return tx.one(_BY_RECEIPT, receipt_no=receipt)


def open_receipts(tx: Transaction) -> tuple[str, ...]:
    """The receipt numbers of the open reservations, oldest first."""
    return tuple(row.receipt for row in tx.run(_IN_STATE, wanted=PaymentState.OPEN))


def capture(tx: Transaction, payment: Row, *, amount_minor: int, now_ms: int) -> str:
    """Take this amount of an open reservation, release the rest; the trace number of it."""
    stan = _next_stan(tx)
    message = completion(
        from_rest(payment.request),
        amount_minor=amount_minor,
        stan=stan,
        now_ms=now_ms,
        approval_code=payment.approval_code or None,
    )
    _settle(
        tx,
        payment,
        PaymentState.CAPTURED,
        now_ms,
        captured_minor=amount_minor,
        released_minor=payment.authorised_minor - amount_minor,
    )
    _owe(tx, payment, message, now_ms)
    return stan


def release(tx: Transaction, payment: Row, *, now_ms: int) -> str:
    """Give a whole open reservation back; the trace number of it."""
    stan = _next_stan(tx)
    message = reversal(
        from_rest(payment.request), stan=stan, now_ms=now_ms, approval_code=payment.approval_code or None
    )
    _settle(tx, payment, PaymentState.RELEASED, now_ms, released_minor=payment.authorised_minor)
    _owe(tx, payment, message, now_ms)
    return stan


def reversed_for_good(tx: Transaction, payment_id: int, *, now_ms: int) -> None:
    """The gateway has confirmed the reversal of a payment of unknown outcome."""
    payment = _payment(tx, payment_id)
    if payment.state == PaymentState.REVERSING:
        _settle(tx, payment, PaymentState.REVERSED, now_ms)


# --- views


def shown(tx: Transaction, *, reference: str = "") -> list[dict[str, Any]]:
    """The terminal's payments as the hosts show theirs, newest first."""
    rows = tx.run(_OF_REFERENCE, wanted=reference) if reference else tx.run(_NEWEST)
    return [_view(row) for row in rows]


def between(tx: Transaction, from_ms: int, to_ms: int) -> list[Row]:
    """The payments begun in a time, oldest first."""
    return tx.run(_BETWEEN, from_ms=from_ms, to_ms=to_ms)


def summary(tx: Transaction) -> dict[str, int]:
    """Open holds, and advices that wait or need a person."""
    opened_row = tx.one(_COUNT_OPEN)
    advices = {row.state: int(row.number) for row in tx.run(_COUNT_ADVICES)}
    return {
        "open_holds": 0 if opened_row is None else int(opened_row.number),
        "waiting": advices.get(AdviceState.WAITING, 0),
        "parked": advices.get(AdviceState.PARKED, 0),
    }


def _view(row: Row) -> dict[str, Any]:
    columns = (
        "reference",
        "rrn",
        "stan",
        "tid",
        "receipt",
        "state",
        "authorised_minor",
        "captured_minor",
        "released_minor",
        "currency",
        "response_code",
        "approval_code",
        "created_ms",
        "updated_ms",
    )
    return {**{name: getattr(row, name) for name in columns}, "card": row.masked_pan}


# --- inside


def _terms(
    acceptor: Acceptor,
    amount_minor: int,
    currency: str,
    stan: str,
    unpredictable: bytes,
    local: datetime,
) -> TapTerms:
    """What the card is asked to sign."""
    return TapTerms(
        amount_minor=amount_minor,
        currency=currency,
        country=acceptor.country_numeric,
        date=local.strftime("%y%m%d"),
        unpredictable=unpredictable,
        stan=stan,
        terminal_serial=acceptor.terminal_serial,
    )


def _payment(tx: Transaction, payment_id: int) -> Row:
    row = tx.one(_BY_ID, payment_id=payment_id)
    if row is None:
        raise LookupError(f"there is no payment {payment_id}")
    return row


def _settle(tx: Transaction, payment: Row, state: PaymentState, now_ms: int, **changed: Any) -> None:
    kept = (
        "authorised_minor",
        "captured_minor",
        "released_minor",
        "response_code",
        "approval_code",
    )
    values = {f"new_{name}": changed.get(name, getattr(payment, name)) for name in kept}
    tx.run(_SETTLE, payment_id=payment.id, new_state=state, new_updated_ms=now_ms, **values)


def _owe(tx: Transaction, payment: Row, message: Message, now_ms: int) -> None:
    tx.run(
        _ADD_ADVICE,
        payment_id=payment.id,
        card=payment.card,
        message=at_rest(message),
        state=AdviceState.WAITING,
        attempts=0,
        answer="",
        reason="",
        due_ms=now_ms,
        created_ms=now_ms,
    )


def _next_stan(tx: Transaction) -> str:
    return f"{count(tx, 'stan', most=MOST_STANS):06d}"


def _free_receipt(tx: Transaction) -> str:
    """The next number that no open reservation has: after 9999 comes 0001."""
    taken = set(open_receipts(tx))
    while True:
        receipt = f"{count(tx, 'receipt', most=MOST_RECEIPTS):04d}"
        if receipt not in taken:
            return receipt
