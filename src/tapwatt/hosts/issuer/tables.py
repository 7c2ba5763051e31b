"""The issuer's tables: cards, accounts, holds, postings, and the life cycles that moved them.

A hold and its postings are the money; available is the balance less the open holds, always added up from the
rows.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Executable,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    update,
)

from tapwatt.engine import machine_tables
from tapwatt.hosts.issuer.decide import Card, CountOn, Effect, Hold, Post, Release
from tapwatt.store import Row, Transaction
from tapwatt.traces import trace_table

MACHINE: Final = "authorisation"
METADATA = MetaData()
AUTHORISATION = machine_tables(METADATA, MACHINE)
TRACES = trace_table(METADATA)

ACCOUNT = Table(
    "account",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("currency", Text, nullable=False),
    Column("balance_minor", BigInteger, nullable=False),
)
CARD = Table(
    "card",
    METADATA,
    Column("pan_match", Text, primary_key=True),  # keyed hash, for looking up
    Column("pan_sealed", Text, nullable=False),
    Column("masked", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("expiry", Text, nullable=False),
    Column("sequence", Text, nullable=False),
    Column("master_key", Text, nullable=False),  # the name of the key, by the card's first digits
    Column("status", Text, nullable=False),
    Column("partial", Integer, nullable=False),
    Column("last_counter", Integer, nullable=False),
)
HOLD = Table(
    "hold",
    METADATA,
    Column("authorisation_id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("open", Integer, nullable=False),
    Column("placed_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
)
Index("ix_hold_open", HOLD.c.account_id, sqlite_where=HOLD.c.open == 1, postgresql_where=HOLD.c.open == 1)
POSTING = Table(
    "posting",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("authorisation_id", Text, nullable=False, index=True),
    Column("account_id", Text, nullable=False, index=True),
    Column("amount_minor", BigInteger, nullable=False),  # what the account paid
    Column("at_ms", BigInteger, nullable=False),
)

_CARD: Executable = select(CARD, ACCOUNT.c.currency, ACCOUNT.c.balance_minor).where(
    CARD.c.account_id == ACCOUNT.c.id, CARD.c.pan_match == bindparam("wanted")
)
_HELD: Executable = select(func.sum(HOLD.c.amount_minor).label("amount_minor")).where(
    HOLD.c.account_id == bindparam("wanted"), HOLD.c.open == 1
)
_HOLD: Executable = select(HOLD).where(HOLD.c.authorisation_id == bindparam("wanted"))
_POSTED: Executable = select(func.sum(POSTING.c.amount_minor).label("amount_minor")).where(
    POSTING.c.authorisation_id == bindparam("wanted")
)
_PLACE: Executable = insert(HOLD)
_CLOSE: Executable = (
    update(HOLD)
    .where(HOLD.c.authorisation_id == bindparam("wanted"), HOLD.c.open == 1)
    .values(open=0, closed_ms=bindparam("at_ms"))
    .returning(HOLD.c.account_id)
)
_POST: Executable = insert(POSTING)
_PAY: Executable = (
    update(ACCOUNT)
    .where(ACCOUNT.c.id == bindparam("wanted"))
    .values(balance_minor=ACCOUNT.c.balance_minor - bindparam("amount_minor", type_=BigInteger))
)
_COUNT_ON: Executable = (
    update(CARD).where(CARD.c.pan_match == bindparam("wanted")).values(last_counter=bindparam("counter"))
)
_CARDS: Executable = (
    select(CARD, ACCOUNT.c.currency, ACCOUNT.c.balance_minor)
    .where(CARD.c.account_id == ACCOUNT.c.id)
    .order_by(CARD.c.masked)
    .limit(bindparam("most"))
)
_OPEN: Executable = select(func.count().label("number"), func.min(HOLD.c.placed_ms).label("oldest_ms")).where(
    HOLD.c.open == 1
)
ANY_CARD: Executable = select(CARD.c.pan_match).limit(1)
ADD_CARD: Executable = insert(CARD)
ADD_ACCOUNT: Executable = insert(ACCOUNT)


class UnableToMove(Exception):
    """An effect found no hold to close: the books and the life cycle disagree, so nothing is committed."""


def card_row(tx: Transaction, pan_match: str) -> Row | None:
    """A card with its account, by the keyed hash of its number."""
    return tx.one(_CARD, wanted=pan_match)


def card_of(tx: Transaction, pan_match: str) -> Card | None:
    """A card as the decision needs it, with what its account has left."""
    row = card_row(tx, pan_match)
    if row is None:
        return None
    return Card(
        status=row.status,
        expiry=row.expiry,
        partial=bool(row.partial),
        last_counter=row.last_counter,
        account_id=row.account_id,
        currency=row.currency,
        available_minor=row.balance_minor - open_holds_minor(tx, row.account_id),
    )


def open_holds_minor(tx: Transaction, account_id: str) -> int:
    """What the open holds of an account add up to."""
    row = tx.one(_HELD, wanted=account_id)
    return 0 if row is None else int(row.amount_minor or 0)


def hold_of(tx: Transaction, authorisation_id: str) -> Row | None:
    """The hold of a life cycle, open or closed."""
    return tx.one(_HOLD, wanted=authorisation_id)


def held_minor(tx: Transaction, authorisation_id: str) -> int:
    """The amount that was held for a life cycle, 0 when nothing was."""
    row = hold_of(tx, authorisation_id)
    return 0 if row is None else int(row.amount_minor)


def posted_minor(tx: Transaction, authorisation_id: str) -> int:
    """What was taken for a life cycle."""
    row = tx.one(_POSTED, wanted=authorisation_id)
    return 0 if row is None else int(row.amount_minor or 0)


def open_holds(tx: Transaction) -> int:
    """How many holds are open at this issuer."""
    row = tx.one(_OPEN)
    return 0 if row is None else int(row.number)


def open_holds_since(tx: Transaction) -> tuple[int, int | None]:
    """How many holds are open, and when the oldest of them was placed."""
    row = tx.one(_OPEN)
    return (0, None) if row is None else (int(row.number), row.oldest_ms)


def card_rows(tx: Transaction, *, most: int) -> list[Row]:
    """Cards with their accounts."""
    return tx.run(_CARDS, most=most)


def move(tx: Transaction, authorisation_id: str, effect: Effect) -> None:
    """Perform an effect on the rows, inside the commit of its step. UnableToMove undoes the step."""
    match effect:
        case Hold(account_id=account_id, amount_minor=amount_minor, at_ms=at_ms):
            tx.run(
                _PLACE,
                authorisation_id=authorisation_id,
                account_id=account_id,
                amount_minor=amount_minor,
                open=1,
                placed_ms=at_ms,
                closed_ms=None,
            )
        case Post(amount_minor=amount_minor, at_ms=at_ms):
            account_id = _close(tx, authorisation_id, at_ms)
            tx.run(
                _POST,
                authorisation_id=authorisation_id,
                account_id=account_id,
                amount_minor=amount_minor,
                at_ms=at_ms,
            )
            tx.run(_PAY, wanted=account_id, amount_minor=amount_minor)
        case Release(at_ms=at_ms):
            _close(tx, authorisation_id, at_ms)
        case CountOn(pan_match=pan_match, counter=counter):
            tx.run(_COUNT_ON, wanted=pan_match, counter=counter)


def _close(tx: Transaction, authorisation_id: str, at_ms: int) -> str:
    row = tx.one(_CLOSE, wanted=authorisation_id, at_ms=at_ms)
    if row is None:
        raise UnableToMove(f"there is no open hold for {authorisation_id}")
    return str(row.account_id)
