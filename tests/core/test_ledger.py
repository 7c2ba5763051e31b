"""Postings sum to zero; anything else is refused."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwatt.core import ledger
from tapwatt.core.ledger import Entry, Posting

MAKERS: list[Callable[..., Posting]] = [ledger.hold, ledger.release, ledger.loss]


@given(make=st.sampled_from(MAKERS), amount=st.integers(-(10**9), 10**9))
def test_every_pair_sums_to_zero(make: Callable[..., Posting], amount: int) -> None:
    posting = make(amount, currency="EUR")
    assert sum(entry.amount_minor for entry in posting.entries) == 0
    assert posting.entries[0].amount_minor == amount


@given(net=st.integers(-(10**9), 10**9), tax=st.integers(-(10**9), 10**9))
def test_a_capture_sums_to_zero_and_uses_up_its_hold(net: int, tax: int) -> None:
    posting = ledger.capture(net_minor=net, tax_minor=tax, leader="terminal", currency="EUR")
    amounts = {entry.account: entry.amount_minor for entry in posting.entries}
    assert sum(amounts.values()) == 0
    assert amounts == {
        "hold": -(net + tax),
        "hold_contra": net + tax,
        "acquirer_receivable": net + tax,
        "revenue": -net,
        "tax": -tax,
    }


@given(net=st.integers(-(10**9), 10**9), tax=st.integers(-(10**9), 10**9))
def test_a_refund_sums_to_zero_and_gives_its_tax_back(net: int, tax: int) -> None:
    posting = ledger.refund(net_minor=net, tax_minor=tax, leader="account", currency="EUR")
    assert [(entry.account, entry.amount_minor) for entry in posting.entries] == [
        ("revenue", net),
        ("tax", tax),
        ("driver_balance", -(net + tax)),
    ]


@pytest.mark.parametrize(("credit", "over"), [(-7, 3), (-12, -2), (0, 10)])
def test_a_posting_out_of_balance_is_refused_with_its_difference(credit: int, over: int) -> None:
    with pytest.raises(ValueError, match=f"captured is out of balance by {over} minor units"):
        Posting(
            kind="captured",
            currency="EUR",
            entries=(
                Entry(account="hold", amount_minor=10),
                Entry(account="revenue", amount_minor=credit),
            ),
        )


@pytest.mark.parametrize(
    ("leader", "account"),
    [
        ("terminal", "acquirer_receivable"),
        ("host", "acquirer_receivable"),
        ("account", "driver_balance"),
        ("station", "station_receivable"),
        ("partner", "partner_receivable"),
    ],
)
def test_who_owes_us_depends_on_the_leader(leader: str, account: str) -> None:
    assert ledger.receivable(leader) == account


def test_hold_and_release_cancel_out() -> None:
    entries = [
        *ledger.hold(2500, currency="EUR").entries,
        *ledger.release(2500, currency="EUR").entries,
    ]
    for account in (ledger.HOLD, ledger.HOLD_CONTRA):
        assert sum(entry.amount_minor for entry in entries if entry.account == account) == 0
