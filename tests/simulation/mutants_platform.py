"""Money bugs of the platform's sessions, payments, bills and books."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, select
from tests.simulation.mutant import Mutant

from tapwatt.core import energy as core_energy
from tapwatt.core import events as core_events
from tapwatt.core import (
    payment,
    payment_steps,
    session,
    session_books,
    session_ends,
    session_moves,
    session_steps,
)
from tapwatt.core.bill import limited
from tapwatt.core.effects import Capture, Post, Release
from tapwatt.core.money import round_to_minor
from tapwatt.core.payment import PaymentState as P
from tapwatt.platform import sessions, tariffs, transactions
from tapwatt.platform.tables import TARIFF_VERSION, TRANSACTION
from tapwatt.programs import platform


def _capture_hold(paid: Any, event: Any) -> Any:
    amount = paid.authorised_minor
    return payment_steps.ask_for(Capture, replace(paid, capture_minor=amount), P.CAPTURING, amount)


def _use_asked_amount(paid: Any, event: Any) -> Any:
    after, effects = payment_steps.approved(paid, event)
    return replace(after, authorised_minor=paid.asked_minor), effects


def _release_after_capture(paid: Any, event: Any) -> Any:
    after, _ = payment_steps.captured(paid, event)
    return payment_steps.ask_for(Release, after, P.REVERSING, after.authorised_minor)


def _declined_by_silence(paid: Any, event: Any) -> Any:
    return replace(paid, state=P.DECLINED, reason="no answer"), ()


def _given_back_unbooked(paid: Any, event: Any) -> Any:
    return replace(paid, state=P.REVERSED), ()


def _found_is_used(paid: Any, event: Any) -> Any:
    known = replace(event, amount_minor=paid.asked_minor)
    return payment_steps.found_open(replace(paid, awaited=True), known)


def _rounded_twice(charged: Any) -> Any:
    bill = _BILLED(charged)
    tax = Decimal(bill.net_minor) * bill.taxes[0].rate_percent / 10_000
    tax_minor = round_to_minor(tax, currency=bill.currency)
    return replace(bill, tax_minor=tax_minor, gross_minor=bill.net_minor + tax_minor)


def _priced_without_tax(charged: Any) -> Any:
    bill = _BILLED(charged)
    return replace(bill, tax_minor=0, gross_minor=bill.net_minor)


_BILLED = session_moves.billed


def _receipt_of_hold(charged: Any) -> Any:
    receipt = _RECEIPT(charged)
    return None if receipt is None else replace(receipt, captured_minor=receipt.hold_minor)


_RECEIPT = session_books.driver_receipt


def _no_last_reading(charged: Any, event: Any) -> Any:
    return charged if isinstance(event, core_events.Stopped) else _READING(charged, event)


_READING = session_moves.take_reading


def _booked_without_rest(before: Any, after: Any) -> Any:
    kept = replace(after.payment, released_minor=0) if after.payment else None
    booked, effects = _BOOK(before, replace(after, payment=kept))
    return replace(booked, payment=after.payment), effects


def _booked_without_loss(before: Any, after: Any) -> Any:
    booked, effects = _BOOK(before, replace(after, lost_minor=before.lost_minor if before else 0))
    return replace(booked, lost_minor=after.lost_minor), effects


_BOOK = session_books.book


def _posted_twice(tx: Any, step: Any, *, chance: Any) -> Any:
    written = _RECORD(tx, step, chance=chance)
    for effect in step.effects:
        if isinstance(effect, Post) and effect.posting.kind == "captured":
            sessions._post(tx, step, replace(effect, key=f"{effect.key}b"))
    return written


def _posted_in_half(tx: Any, step: Any, effect: Post) -> None:
    cut = tuple(each for each in effect.posting.entries if each.account != "tax")
    posting = replace(effect.posting, entries=())
    object.__setattr__(posting, "entries", cut)
    _POST(tx, step, replace(effect, posting=posting))


def _posted_to_neighbour(tx: Any, step: Any, effect: Post) -> None:
    _POST(tx, replace(step, state=replace(step.state, operator_id="another")), effect)


_RECORD, _POST = sessions.record, sessions._post


def _begins_early(register_wh: int, *, at_ms: int, doubt: str = "") -> Any:
    return core_energy.begin(max(register_wh - 100, 0), at_ms=at_ms, doubt=doubt)


def _takes_all_of_it(charged: Any, at_ms: int) -> Any:
    bill = charged.bill
    held = session_moves.payment_of(charged).authorised_minor
    cut = limited(bill, min(bill.gross_minor, held))
    return _TAKE(replace(charged, bill=cut), at_ms)


_TAKE = session_moves.take

_ANY_TARIFF = (
    select(TARIFF_VERSION.c.version, TARIFF_VERSION.c.body, TARIFF_VERSION.c.valid_to_ms)
    .where(
        TARIFF_VERSION.c.tariff_id == bindparam("tariff_id"),
        TARIFF_VERSION.c.operator_id != bindparam("operator_id"),
        TARIFF_VERSION.c.valid_from_ms <= bindparam("at_ms"),
    )
    .limit(1)
)
_NO_START = transactions.FIND_START.where(TRANSACTION.c.transaction_id < 0)


def _same_number(tx: Any, station: Any, transaction_id: str) -> Any:
    newest = select(TRANSACTION).order_by(TRANSACTION.c.transaction_id.desc()).limit(1)
    return tx.one(newest) if _FIND(tx, station, transaction_id) else None


_FIND = transactions.find


ALL = (
    Mutant(
        name="the hold captured instead of the bill",
        patches=((payment.TABLE, (P.AUTHORISED, core_events.CaptureWanted), _capture_hold),),
    ),
    Mutant(
        name="a partial approval taken for the whole",
        patches=((payment.TABLE, (P.AUTHORISING, core_events.Approved), _use_asked_amount),),
    ),
    Mutant(
        name="release after capture",
        patches=((payment.TABLE, (P.CAPTURING, core_events.Captured), _release_after_capture),),
    ),
    Mutant(
        name="an approval used when nobody waits",
        patches=(
            (payment.TABLE, (P.AUTHORISING, core_events.GivenUp), payment_steps.same),
            (payment.TABLE, (P.UNKNOWN, core_events.GivenUp), payment_steps.same),
        ),
    ),
    Mutant(
        name="a timeout read as a decline at the platform",
        patches=(
            (payment.TABLE, (P.AUTHORISING, core_events.Silent), _declined_by_silence),
            (payment.TABLE, (P.DECLINED, core_events.Approved), payment_steps.same),
            (payment.TABLE, (P.DECLINED, core_events.FoundOpen), payment_steps.same),
        ),
    ),
    Mutant(
        name="a found hold used at the amount that was asked",
        patches=(
            (payment.TABLE, (P.AUTHORISING, core_events.FoundOpen), _found_is_used),
            (payment.TABLE, (P.UNKNOWN, core_events.FoundOpen), _found_is_used),
        ),
    ),
    Mutant(
        name="a release that is not booked",
        patches=((payment.TABLE, (P.REVERSING, core_events.Released), _given_back_unbooked),),
    ),
    Mutant(
        name="tax and net rounded apart",
        patches=((session_moves, "billed", _rounded_twice),),
    ),
    Mutant(
        name="a bill without its tax",
        patches=((session_moves, "billed", _priced_without_tax),),
    ),
    Mutant(
        name="a receipt that shows the hold",
        patches=((session_ends, "driver_receipt", _receipt_of_hold),),
    ),
    Mutant(
        name="the last reading left out of the bill",
        patches=((session_moves, "take_reading", _no_last_reading),),
    ),
    Mutant(
        name="a register that begins early",
        patches=((session_moves, "begin", _begins_early),),
    ),
    Mutant(
        name="a loss above the hold forgotten",
        patches=((session_moves, "take", _takes_all_of_it),),
    ),
    Mutant(
        name="the rest of the hold not posted back",
        patches=((session, "book", _booked_without_rest),),
    ),
    Mutant(
        name="a loss that is not posted",
        patches=((session, "book", _booked_without_loss),),
    ),
    Mutant(
        name="a capture posted twice",
        patches=((platform, "record", _posted_twice),),
    ),
    Mutant(
        name="a posting without its tax",
        patches=((sessions, "_post", _posted_in_half),),
    ),
    Mutant(
        name="one operator booking with another",
        patches=((sessions, "_post", _posted_to_neighbour),),
    ),
    Mutant(
        name="one operator seeing another's prices",
        patches=((tariffs, "IN_FORCE", _ANY_TARIFF),),
    ),
    Mutant(
        name="a repeated start taken for a new one",
        patches=((transactions, "FIND_START", _NO_START),),
    ),
    Mutant(
        name="a stop that counts for the newest transaction",
        patches=((transactions, "find", _same_number),),
    ),
    Mutant(
        name="the energy of a late stop forgotten",
        patches=tuple(
            (session.TABLE, (state, core_events.Stopped), session_steps.same) for state in session.ENDING
        ),
    ),
    Mutant(
        name="a late start ignored",
        patches=tuple(
            (session.TABLE, (state, core_events.Started), session_steps.same) for state in session.ENDING
        ),
    ),
)
