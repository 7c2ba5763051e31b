"""Every effect has one lane: the party that performs it, in order (law 4)."""

from typing import Any

import pytest

from tapwatt.core import effects as f
from tapwatt.core.ledger import hold

MONEY: dict[str, Any] = {
    "key": "S1.p1",
    "leader": f.Leader.TERMINAL,
    "reference": "R1",
    "currency": "EUR",
    "amount_minor": 2500,
}
LANES = [
    (f.Authorise(**MONEY), "money"),
    (f.Increase(**MONEY), "money"),
    (f.Capture(**MONEY), "money"),
    (f.Release(**MONEY), "money"),
    (f.Refund(**MONEY), "money"),
    (f.Void(**MONEY), "money"),
    (f.Ask(**MONEY), "ask"),
    (f.StartCharging(key="k", station_id="CS1", evse_id=1, id_token="TW-1"), "station"),
    (f.StopCharging(key="k", station_id="CS1", transaction_id="1"), "station"),
    (f.AskReading(key="k", station_id="CS1", evse_id=1), "reading"),
    (
        f.SendCost(
            key="k",
            station_id="CS1",
            transaction_id="1",
            currency="EUR",
            amount_minor=1,
            energy_wh=1,
            register_wh=1,
            read_ms=0,
        ),
        "cost",
    ),
    (f.ShowOnTerminal(key="k", terminal_id="T1", lines=("Tap card",)), "screen"),
    (f.Post(key="k", posting=hold(1, currency="EUR")), "record"),
    (f.Notify(key="k", text="look"), "record"),
]


@pytest.mark.parametrize(("effect", "lane"), LANES, ids=lambda value: type(value).__name__)
def test_an_effect_goes_to_the_party_that_performs_it(effect: f.Effect, lane: str) -> None:
    assert f.lane(effect) == lane


def test_every_kind_of_effect_is_listed_once() -> None:
    tried = {type(effect) for effect, _ in LANES} | {f.IssueReceipt}
    assert tried == set(f.EFFECTS)
    assert len(f.EFFECTS) == len(set(f.EFFECTS))
    assert set(f.MONEY) < set(f.EFFECTS)


def test_kinds_of_money_effects_differ_even_with_the_same_contents() -> None:
    capture, release, again = (kind(**MONEY) for kind in (f.Capture, f.Release, f.Capture))
    assert capture != release
    assert capture == again
