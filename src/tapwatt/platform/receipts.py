"""Receipts and credit notes as they are issued: numbered without gaps, stored whole, found by number or link.

A number is taken from the seller's series in the commit that stores the receipt: either both are there or
neither, whatever dies when, and two nodes take turns at the series' row. What asks for a receipt twice gets
the one that it got.
"""

import json
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, insert, or_, select, update

from tapwatt.core.events import RefundWanted
from tapwatt.core.ids import receipt_token
from tapwatt.core.money import show
from tapwatt.core.receipt import Credited, Place, Purchase, Receipt, Seller, Series, UnableToCredit, credit
from tapwatt.core.receipt_text import receipt_text
from tapwatt.core.screen import RECEIPTS
from tapwatt.core.session import Session
from tapwatt.core.tariff.clock import local, zone_of
from tapwatt.engine import Stepper
from tapwatt.platform import webhook_events
from tapwatt.platform.paging import LAST_MS, cut, read_cursor, write_cursor
from tapwatt.platform.tables import OPERATOR, RECEIPT, RECEIPT_SERIES, STATION
from tapwatt.store import Row, Transaction, UnableToStoreDuplicate, UnableToStoreYet

Json = dict[str, Any]
TOKEN_BYTES = 17
LIST = "receipts"

_OWN = RECEIPT.c.operator_id == bindparam("operator_id")
FIND_OPERATOR = select(OPERATOR).where(OPERATOR.c.operator_id == bindparam("operator_id"))
FIND_PLACE = select(STATION).where(
    STATION.c.operator_id == bindparam("operator_id"), STATION.c.station_id == bindparam("station_id")
)
BY_KEY = select(RECEIPT).where(_OWN, RECEIPT.c.key == bindparam("key"))
BY_NUMBER = select(RECEIPT).where(_OWN, RECEIPT.c.number == bindparam("number"))
BY_TOKEN = select(RECEIPT).where(RECEIPT.c.token == bindparam("token"))
"""The one look-up without an operator: whoever holds the link need not know whose station it was."""
OF_SESSION = (
    select(RECEIPT)
    .where(_OWN, RECEIPT.c.session_id == bindparam("session_id"))
    .order_by(RECEIPT.c.at_ms, RECEIPT.c.place)
)
CREDITS = (
    select(RECEIPT)
    .where(_OWN, RECEIPT.c.credit_of == bindparam("number"))
    .order_by(RECEIPT.c.at_ms, RECEIPT.c.place)
)
BEFORE = (
    select(RECEIPT)
    .where(
        _OWN,
        or_(
            RECEIPT.c.at_ms < bindparam("before_ms"),
            and_(RECEIPT.c.at_ms == bindparam("before_ms"), RECEIPT.c.number < bindparam("before")),
        ),
    )
    .order_by(RECEIPT.c.at_ms.desc(), RECEIPT.c.number.desc())
    .limit(bindparam("most"))
)
ADD = insert(RECEIPT)
ADD_SERIES = insert(RECEIPT_SERIES)
NEXT = (
    update(RECEIPT_SERIES)
    .where(RECEIPT_SERIES.c.operator_id == bindparam("owner"), RECEIPT_SERIES.c.series == bindparam("name"))
    .values(last=RECEIPT_SERIES.c.last + 1)
    .returning(RECEIPT_SERIES.c.last)
)


def issue(
    tx: Transaction, *, operator_id: str, key: str, purchase: Purchase, chance: bytes, at_ms: int
) -> str:
    """Number and store the receipt that an effect asks for; its number, the same one on a repeat. `chance` is
    at least 17 random bytes."""
    known = tx.one(BY_KEY, operator_id=operator_id, key=key)
    if known is not None:
        return str(known.number)
    owner = tx.one(FIND_OPERATOR, operator_id=operator_id)
    if owner is None:
        raise LookupError(f"operator {operator_id} is gone")
    draft = Receipt(
        number="",
        issued_ms=at_ms,
        language=owner.receipt_language,
        seller=_seller(owner),
        place=_place(tx, operator_id, purchase),
        purchase=purchase,
    )
    return _store(tx, owner, draft, key=key, chance=chance)


def link_of(tx: Transaction, *, operator_id: str, session_id: str, public_url: str) -> str | None:
    """The address of a session's receipt, for its driver; None before there is one."""
    rows = tx.run(OF_SESSION, operator_id=operator_id, session_id=session_id)
    return next((f"{public_url}{RECEIPTS}{row.token}" for row in rows if not row.credit_of), None)


def credit_receipt(
    tx: Transaction,
    stepper: Stepper[Session, Any, Any],
    *,
    operator_id: str,
    number: str,
    amount_minor: int | None,
    by: str,
    why: str,
    key: str,
    chance: bytes,
    at_ms: int,
) -> Json | None:
    """Take a receipt back, in whole (None) or part, with tax in minor units: the credit note, and in the same
    commit the wish that its payment be refunded. None when the operator has no such receipt.

    The same key gives the credit note that was issued under it. Raises UnableToCredit above what is left or
    when the key was used for another amount; UnableToDecide when the payment cannot be refunded now.
    """
    found = tx.one(BY_NUMBER, operator_id=operator_id, number=number)
    owner = tx.one(FIND_OPERATOR, operator_id=operator_id)
    if found is None or owner is None:
        return None
    stepper.load(found.session_id)  # holds the session until the commit: two credits take turns
    known = tx.one(BY_KEY, operator_id=operator_id, key=f"{number}.{key}")
    if known is not None:
        return _again(tx, known, amount_minor)
    receipt, earlier = stored(found), tuple(stored(row) for row in _credits(tx, found))
    bill = credit(receipt, amount_minor=amount_minor, why=why, earlier=earlier)
    stepper.step(found.session_id, RefundWanted(at_ms=at_ms, amount_minor=-bill.gross_minor, by=by, why=why))
    note = replace(
        receipt,
        issued_ms=at_ms,
        credit_of=number,
        why=why,
        purchase=replace(receipt.purchase, bill=bill),
        fiscal=None,
    )
    issued = _store(tx, owner, note, key=f"{number}.{key}", chance=chance)
    row = tx.one(BY_NUMBER, operator_id=operator_id, number=issued)
    return None if row is None else document(tx, row)


def _again(tx: Transaction, known: Row, amount_minor: int | None) -> Json:
    if amount_minor is not None and amount_minor != -known.gross_minor:
        credited = show(-known.gross_minor, currency=stored(known).bill.currency)
        raise UnableToCredit(f"this key was used for {known.number}, which credits {credited}")
    return document(tx, known)


def _store(tx: Transaction, owner: Row, draft: Receipt, *, key: str, chance: bytes) -> str:
    """Take the next number of the seller's series and write the row."""
    year = local(draft.issued_ms, zone_of(owner.time_zone)).year
    series = Series(prefix=owner.receipt_prefix, yearly=bool(owner.receipt_yearly))
    place = _next(tx, owner.operator_id, series.name(year))
    number = series.number(year, place)
    row = {
        "operator_id": owner.operator_id,
        "number": number,
        "series": series.name(year),
        "place": place,
        "key": key,
        "session_id": draft.purchase.session_id,
        "token": receipt_token(chance),
        "credit_of": draft.credit_of or None,
        "gross_minor": draft.bill.gross_minor,
        "body": msgspec.json.encode(replace(draft, number=number)).decode(),
        "at_ms": draft.issued_ms,
    }
    try:
        tx.run(ADD, **row)
    except UnableToStoreDuplicate as error:
        # Done again, the look for its key finds what the other node issued.
        raise UnableToStoreYet(f"{key} was issued by somebody else meanwhile") from error
    told = {
        "number": number,
        "session_id": draft.purchase.session_id,
        "credit_of": draft.credit_of or None,
        "gross_minor": draft.bill.gross_minor,
        "currency": draft.bill.currency,
    }
    webhook_events.happened(
        tx,
        "receipt.issued",
        operator_id=owner.operator_id,
        subject=number,
        data=told,
        at_ms=draft.issued_ms,
    )
    return number


def _next(tx: Transaction, operator_id: str, series: str) -> int:
    row = tx.one(NEXT, owner=operator_id, name=series)
    if row is not None:
        return int(row.last)
    try:
        tx.run(ADD_SERIES, operator_id=operator_id, series=series, last=1)
    except UnableToStoreDuplicate as error:
        # Nothing can be locked that is not there: another node began the series.
        raise UnableToStoreYet(f"series {series} was begun by somebody else meanwhile") from error
    return 1


def stored(row: Row) -> Receipt:
    """A receipt as it was issued."""
    return msgspec.json.decode(row.body, type=Receipt)


def by_token(tx: Transaction, token: str) -> Receipt | None:
    """The receipt behind a link, with what has been credited since; None when there is none."""
    row = tx.one(BY_TOKEN, token=token)
    return None if row is None else _with_credits(tx, row)


def by_number(tx: Transaction, *, operator_id: str, number: str) -> Json | None:
    """A receipt of this number as JSON, with its link's secret and its text; None when there is none."""
    row = tx.one(BY_NUMBER, operator_id=operator_id, number=number)
    return None if row is None else document(tx, row)


def of_session(tx: Transaction, *, operator_id: str, session_id: str) -> list[Json]:
    """A session's receipt, then its credit notes."""
    return [document(tx, row) for row in tx.run(OF_SESSION, operator_id=operator_id, session_id=session_id)]


def listing(tx: Transaction, *, operator_id: str, cursor: str | None, most: int) -> Json:
    """A page of receipts and credit notes, newest first. Raises UnableToRead for a cursor of another list."""
    before_ms, before = read_cursor(LIST, cursor, int, str) if cursor else (LAST_MS, "")
    found = tx.run(BEFORE, operator_id=operator_id, before_ms=before_ms, before=before, most=most + 1)
    rows, following = cut(found, most, lambda row: write_cursor(LIST, row.at_ms, row.number))
    return {"receipts": [_listed(row) for row in rows], "cursor": following}


def _listed(row: Row) -> Json:
    names = ("number", "session_id", "credit_of", "gross_minor", "at_ms")
    return {**{name: getattr(row, name) for name in names}, "currency": stored(row).bill.currency}


def document(tx: Transaction, row: Row) -> Json:
    """A receipt as JSON."""
    receipt = _with_credits(tx, row)
    body: Json = json.loads(msgspec.json.encode(receipt))
    return {**body, "token": row.token, "text": receipt_text(receipt)}


def _with_credits(tx: Transaction, row: Row) -> Receipt:
    notes = [stored(note) for note in _credits(tx, row)]
    return replace(
        stored(row),
        credits=tuple(
            Credited(
                number=note.number, amount_minor=-note.bill.gross_minor, at_ms=note.issued_ms, why=note.why
            )
            for note in notes
        ),
    )


def _credits(tx: Transaction, row: Row) -> list[Row]:
    return tx.run(CREDITS, operator_id=row.operator_id, number=row.number)


def _seller(owner: Row) -> Seller:
    return Seller(
        legal_name=owner.legal_name or owner.name,
        address=_written(owner.address),
        country=owner.country,
        vat_id=owner.vat_id,
        tax_scheme=owner.tax_scheme,
        helpline=owner.helpline,
        complaints=owner.complaints,
        verification=owner.verification,
    )


def _place(tx: Transaction, operator_id: str, purchase: Purchase) -> Place:
    station = tx.one(FIND_PLACE, operator_id=operator_id, station_id=purchase.station_id)
    if station is None:
        return Place()
    return Place(
        name=station.name,
        address=_written(station.address),
        country=station.country,
        evse_name=f"{station.evse_prefix}{purchase.evse_id}" if station.evse_prefix else "",
        meter_serial=station.meter_serial or "",
    )


def _written(address: str) -> tuple[str, ...]:
    """An address is kept as its lines."""
    return tuple(line for line in address.split("\n") if line)
