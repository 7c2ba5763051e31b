"""Every invariant can fail: the books of one good world, each with one thing wrong in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tapwatt.core.payment import PaymentState
from tapwatt.core.session import SessionState
from tapwatt.rails.relay_states import RelayStatus
from tapwatt.sim.world.evidence import Evidence, gather
from tapwatt.sim.world.faults import CALM
from tapwatt.sim.world.invariants import INVARIANTS, breaches
from tapwatt.sim.world.world import World


@pytest.fixture(scope="module")
def good() -> Evidence:
    return gather(World(1, visits=3, rough=CALM).run().disks)


def first(changed: Callable[[Any], Any]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    return lambda many: (changed(many[0]), *many[1:])


def session_without_end(books: Evidence) -> Evidence:
    wrong = first(lambda each: replace(each, state=SessionState.CHARGING))
    return replace(books, sessions=wrong(books.sessions))


def hold_left(books: Evidence) -> Evidence:
    wrong = first(lambda each: replace(each, open=True))
    return replace(books, issuer=wrong(books.issuer))


def taken_twice(books: Evidence) -> Evidence:
    wrong = first(lambda each: replace(each, posted=(*each.posted, 1)))
    return replace(books, issuer=wrong(books.issuer))


def gateway_says_less(books: Evidence) -> Evidence:
    wrong = first(lambda each: replace(each, captured_minor=each.captured_minor - 1))
    return replace(books, relays={**books.relays, "gateway": wrong(books.relays["gateway"])})


def gateway_held_more(books: Evidence) -> Evidence:
    wrong = first(lambda each: replace(each, authorised_minor=each.authorised_minor + 1))
    return replace(books, relays={**books.relays, "gateway": wrong(books.relays["gateway"])})


def repeat_under_another_number(books: Evidence) -> Evidence:
    key = next(iter(books.advised))
    return replace(books, advised={**books.advised, key: frozenset({"000001", "000002"})})


def receipt_of_another_amount(books: Evidence) -> Evidence:
    name, (receipt, *_) = next(iter(books.receipts.items()))
    bought = receipt.purchase
    wrong = replace(receipt, purchase=replace(bought, captured_minor=bought.captured_minor + 1))
    return replace(books, receipts={**books.receipts, name: (wrong,)})


def more_than_held(books: Evidence) -> Evidence:
    wrong = first(lambda each: replace(each, held_minor=1))
    return replace(books, issuer=wrong(books.issuer))


def energy_without_session(books: Evidence) -> Evidence:
    return replace(books, transactions={})


def posting_out_of_balance(books: Evidence) -> Evidence:
    wrong = first(lambda each: replace(each, amount_minor=each.amount_minor + 1))
    return replace(books, entries=wrong(books.entries))


def account_with_less(books: Evidence) -> Evidence:
    account, balance = next(iter(books.issuer_balances.items()))
    return replace(books, issuer_balances={**books.issuer_balances, account: balance - 1})


def event_refused(books: Evidence) -> Evidence:
    return replace(books, refused={"edge": ("Approved: no row",)})


WRONG: dict[str, Callable[[Evidence], Evidence]] = {
    "every_visit_ends": session_without_end,
    "no_hold_stays_open": hold_left,
    "each_hold_ends_once": taken_twice,
    "all_parties_agree": gateway_says_less,
    "all_parties_saw_one_hold": gateway_held_more,
    "a_repeat_is_the_same_message": repeat_under_another_number,
    "bill_and_receipt_say_what_was_taken": receipt_of_another_amount,
    "nothing_above_the_hold": more_than_held,
    "energy_is_billed_lost_or_reviewed": energy_without_session,
    "postings_sum_to_zero": posting_out_of_balance,
    "each_database_is_consistent": account_with_less,
    "no_event_is_refused": event_refused,
}


def test_a_good_world_breaks_nothing(good: Evidence) -> None:
    assert breaches(good) == []
    assert any(each.payment.state is PaymentState.CAPTURED for each in good.sessions if each.payment)
    assert any(each.status is RelayStatus.COMPLETED for each in good.relays["gateway"])


def test_every_invariant_has_a_case_here() -> None:
    assert {rule.__name__ for rule in INVARIANTS} == set(WRONG)


@pytest.mark.parametrize("name", WRONG)
def test_an_invariant_can_fail(name: str, good: Evidence) -> None:
    found = breaches(WRONG[name](good))
    assert any(breach.startswith(f"{name}: ") for breach in found), found
