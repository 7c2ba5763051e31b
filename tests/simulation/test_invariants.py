"""Every invariant can fail: the books of one good world, each with one thing wrong in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tapwatt.core.payment import PaymentState
from tapwatt.core.session import SessionState
from tapwatt.edge.operation import Hold
from tapwatt.hosts.issuer.decide import Status
from tapwatt.rails.relay_states import RelayStatus
from tapwatt.sim.world.evidence import Evidence, gather
from tapwatt.sim.world.faults import CALM
from tapwatt.sim.world.invariants import INVARIANTS, breaches
from tapwatt.sim.world.world import World


@pytest.fixture(scope="module")
def good() -> Evidence:
    ending = World(1, visits=3, rough=CALM).run()
    return gather(ending.disks, acknowledged=ending.acknowledged)


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


def row_of_another_operator(books: Evidence) -> Evidence:
    what, session_id, _ = next(each for each in books.owners if each[0] == "receipt")
    return replace(books, owners=(*books.owners, (what, session_id, "another")))


def price_of_another_operator(books: Evidence) -> Evidence:
    def priced(session: Any) -> Any:
        (element,) = session.tariff.elements
        (component,) = element.components
        dearer = replace(element, components=(replace(component, price=component.price + 1),))
        return replace(session, tariff=replace(session.tariff, elements=(dearer,)))

    return replace(books, sessions=first(priced)(books.sessions))


def acknowledged_and_not_kept(books: Evidence) -> Evidence:
    return replace(books, acknowledged=books.acknowledged | {"9999"})


def edge_forgets_a_hold(books: Evidence) -> Evidence:
    def opened(operation: Any) -> Any:
        held = operation.keys is not None and not operation.finishes
        return replace(operation, hold=Hold.OPEN) if held else operation

    return replace(books, operations=tuple(map(opened, books.operations)))


def register_runs_on(books: Evidence) -> Evidence:
    return replace(books, registers={evse: at_wh + 1 for evse, at_wh in books.registers.items()})


def neighbour_pays(books: Evidence) -> Evidence:
    account = next(each for each in books.account_balances if each[0] == "another")
    balance = books.account_balances[account] - 1
    return replace(books, account_balances={**books.account_balances, account: balance})


def approved_without_hold(books: Evidence) -> Evidence:
    def freed(hold: Any) -> Any:
        approved = replace(hold.authorisation, status=Status.APPROVED)
        return replace(hold, authorisation=approved, open=False, posted=())

    return replace(books, issuer=first(freed)(books.issuer))


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
    "what_was_acknowledged_is_kept": acknowledged_and_not_kept,
    "each_operator_sees_its_own": row_of_another_operator,
    "no_event_is_refused": event_refused,
}
MORE: tuple[tuple[str, Callable[[Evidence], Evidence]], ...] = (
    ("each_operator_sees_its_own", price_of_another_operator),
    ("each_database_is_consistent", edge_forgets_a_hold),
    ("each_database_is_consistent", register_runs_on),
    ("each_database_is_consistent", neighbour_pays),
    ("each_hold_ends_once", approved_without_hold),
)


def test_a_good_world_breaks_nothing(good: Evidence) -> None:
    assert breaches(good) == []
    assert good.acknowledged
    assert any(each.payment.state is PaymentState.CAPTURED for each in good.sessions if each.payment)
    assert any(each.status is RelayStatus.COMPLETED for each in good.relays["gateway"])


def test_every_invariant_has_a_case_here() -> None:
    assert {rule.__name__ for rule in INVARIANTS} == set(WRONG)


@pytest.mark.parametrize(("name", "wrong"), [*WRONG.items(), *MORE])
def test_an_invariant_can_fail(name: str, wrong: Callable[[Evidence], Evidence], good: Evidence) -> None:
    found = breaches(wrong(good))
    assert any(breach.startswith(f"{name}: ") for breach in found), found


def test_energy_for_a_refused_token_is_told_to_the_watt_hour(good: Evidence) -> None:
    """Worlds 1003028 and 1003585: a tag was refused, and some power flowed before the station heard of it."""
    books = replace(good, stops_told={"8": frozenset({"orphan: 17 Wh delivered to a refused token"})})
    assert books.is_told(8, 17)
    assert not books.is_told(8, 18)
    assert not books.is_told(9, 17)
