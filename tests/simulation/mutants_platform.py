"""Money bugs of the platform's sessions, payments, bills and books."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, select
from tests.simulation.mutant import LATE, UNPLUGGED, Mutant

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
from tapwatt.core.effects import Capture, Post, Release
from tapwatt.core.money import round_to_minor
from tapwatt.core.payment import PaymentState as P
from tapwatt.platform import sessions, tariffs
from tapwatt.platform.tables import TARIFF_VERSION
from tapwatt.programs import platform
from tapwatt.sim.world.faults import CALM


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


_ANY_TARIFF = (
    select(TARIFF_VERSION.c.version, TARIFF_VERSION.c.body, TARIFF_VERSION.c.valid_to_ms)
    .where(
        TARIFF_VERSION.c.tariff_id == bindparam("tariff_id"),
        TARIFF_VERSION.c.operator_id != bindparam("operator_id"),
        TARIFF_VERSION.c.valid_from_ms <= bindparam("at_ms"),
    )
    .limit(1)
)


ALL = (
    Mutant(
        name="the hold captured instead of the bill",
        patches=((payment.TABLE, (P.AUTHORISED, core_events.CaptureWanted), _capture_hold),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="bill_and_receipt_say_what_was_taken",
    ),
    Mutant(
        name="a partial approval taken for the whole",
        patches=((payment.TABLE, (P.AUTHORISING, core_events.Approved), _use_asked_amount),),
        seed=3,
        visits=5,
        rough=CALM,
        seen_by="all_parties_saw_one_hold",
    ),
    Mutant(
        name="release after capture",
        patches=((payment.TABLE, (P.CAPTURING, core_events.Captured), _release_after_capture),),
        seed=10,
        visits=4,
        seen_by="each_hold_ends_once",
    ),
    Mutant(
        name="an approval used when nobody waits",
        patches=(
            (payment.TABLE, (P.AUTHORISING, core_events.GivenUp), payment_steps.same),
            (payment.TABLE, (P.UNKNOWN, core_events.GivenUp), payment_steps.same),
        ),
        seed=32,
        visits=6,
        rough=UNPLUGGED,
        seen_by="no_hold_stays_open",
    ),
    Mutant(
        name="a timeout read as a decline at the platform",
        patches=(
            (payment.TABLE, (P.AUTHORISING, core_events.Silent), _declined_by_silence),
            (payment.TABLE, (P.DECLINED, core_events.Approved), payment_steps.same),
            (payment.TABLE, (P.DECLINED, core_events.FoundOpen), payment_steps.same),
        ),
        seed=23,
        visits=4,
        rough=LATE,
        seen_by="no_hold_stays_open",
    ),
    Mutant(
        name="a release that is not booked",
        patches=((payment.TABLE, (P.REVERSING, core_events.Released), _given_back_unbooked),),
        seed=6,
        visits=4,
        seen_by="each_hold_ends_once",
    ),
    Mutant(
        name="tax and net rounded apart",
        patches=((session_moves, "billed", _rounded_twice),),
        seed=4,
        visits=4,
        rough=CALM,
        seen_by="energy_is_billed_lost_or_reviewed",
    ),
    Mutant(
        name="a bill without its tax",
        patches=((session_moves, "billed", _priced_without_tax),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="energy_is_billed_lost_or_reviewed",
    ),
    Mutant(
        name="a receipt that shows the hold",
        patches=((session_ends, "driver_receipt", _receipt_of_hold),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="bill_and_receipt_say_what_was_taken",
    ),
    Mutant(
        name="the last reading left out of the bill",
        patches=((session_moves, "take_reading", _no_last_reading),),
        seed=2,
        visits=3,
        rough=CALM,
        seen_by="energy_is_billed_lost_or_reviewed",
    ),
    Mutant(
        name="a register that begins early",
        patches=((session_moves, "begin", _begins_early),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="energy_is_billed_lost_or_reviewed",
    ),
    Mutant(
        name="the rest of the hold not posted back",
        patches=((session, "book", _booked_without_rest),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="postings_sum_to_zero",
    ),
    Mutant(
        name="a loss that is not posted",
        patches=((session, "book", _booked_without_loss),),
        seed=59,
        visits=8,
        seen_by="each_database_is_consistent",
    ),
    Mutant(
        name="a capture posted twice",
        patches=((platform, "record", _posted_twice),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="all_parties_agree",
    ),
    Mutant(
        name="a posting without its tax",
        patches=((sessions, "_post", _posted_in_half),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="postings_sum_to_zero",
    ),
    Mutant(
        name="one operator booking with another",
        patches=((sessions, "_post", _posted_to_neighbour),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="each_operator_sees_its_own",
    ),
    Mutant(
        name="one operator seeing another's prices",
        patches=((tariffs, "IN_FORCE", _ANY_TARIFF),),
        seed=1,
        visits=3,
        rough=CALM,
        seen_by="each_operator_sees_its_own",
    ),
    Mutant(
        name="the energy of a late stop forgotten",
        patches=tuple(
            (session.TABLE, (state, core_events.Stopped), session_steps.same) for state in session.ENDING
        ),
        seed=59,
        visits=8,
        seen_by="energy_is_billed_lost_or_reviewed",
    ),
    Mutant(
        name="a late start ignored",
        patches=tuple(
            (session.TABLE, (state, core_events.Started), session_steps.same) for state in session.ENDING
        ),
        seed=59,
        visits=8,
        seen_by="energy_is_billed_lost_or_reviewed",
    ),
)
