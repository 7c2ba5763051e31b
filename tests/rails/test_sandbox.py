"""The sandbox's data makes sense."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.rails.samples import hold

from tapwatt.rails import sandbox
from tapwatt.rails.emv.cryptogram import CryptogramCheck, verify_arqc
from tapwatt.rails.emv.tap import TapTerms, tap_chip_data
from tapwatt.rails.iso8583.masking import luhn_holds
from tapwatt.rails.keys.tdes import check_value
from tapwatt.rails.messages import HOUSE
from tapwatt.rails.responses import response_table
from tapwatt.rails.sandbox import AmountOutcome
from tapwatt.rails.sandbox.network import BinRoute

TERMS = TapTerms(amount_minor=5000, currency="978", country="276", date="251122", unpredictable=b"1234")
NAMES = [card.name for card in sandbox.cards()]


@pytest.mark.parametrize("name", NAMES)
def test_every_card_is_whole(name: str) -> None:
    card = sandbox.card(name)
    assert luhn_holds(card.pan)
    assert len(card.par) == 29
    route = sandbox.network().route(card.pan)
    assert route is not None
    assert route.brand == card.brand
    assert card.expected in response_table()
    assert card.shows
    assert card.pan not in repr(card)


@pytest.mark.parametrize("name", NAMES)
def test_every_chip_agrees_with_its_issuer_but_the_forged_one(name: str) -> None:
    card = sandbox.card(name)
    data = tap_chip_data(sandbox.chip_card(card), TERMS, counter=1)
    key = sandbox.issuer_master_key(card.brand)
    check = verify_arqc(data, issuer_master_key=key, pan=card.pan, sequence=card.sequence).check
    assert check is (CryptogramCheck.WRONG if name == "visa-forged" else CryptogramCheck.RIGHT)


def test_names_numbers_and_references_are_unique() -> None:
    cards = sandbox.cards()
    for values in ([c.name for c in cards], [c.pan for c in cards], [c.par for c in cards]):
        assert len(set(values)) == len(values)
    assert {card.expected for card in cards} >= {"00", "05", "10", "14", "51", "62"}


@pytest.mark.parametrize(
    ("amount_minor", "outcome", "code"),
    [
        (5000, None, ""),
        (5013, AmountOutcome.SILENT, ""),
        (13, AmountOutcome.SILENT, ""),
        (5014, AmountOutcome.LATE, ""),
        (5005, AmountOutcome.ANSWER, "05"),
        (5051, AmountOutcome.ANSWER, "51"),
        (5091, AmountOutcome.ANSWER, "91"),
    ],
)
def test_outcomes_by_amount(amount_minor: int, outcome: AmountOutcome | None, code: str) -> None:
    rule = sandbox.amount_outcome(amount_minor)
    assert (rule and rule.outcome, rule.code if rule else "") == (outcome, code)


def test_the_network_hangs_together() -> None:
    network = sandbox.network()
    members = {member.id: member for member in network.members}
    assert {route.issuer for route in network.routes} <= set(members)
    assert all(members[merchant.acquirer].role == "acquirer" for merchant in network.merchants)
    assert all(len(merchant.id) == 15 and merchant.category == "5552" for merchant in network.merchants)
    assert all(network.merchant(terminal.merchant_id) for terminal in network.terminals)
    assert all(len(terminal.terminal_id) == 8 for terminal in network.terminals)
    assert network.terminal("52523535").active
    assert not network.terminal("52523537").active
    assert network.route("9999999999999995") is None
    acceptor = network.acceptor("52523535")
    assert HOUSE.encode(hold().replace({41: acceptor.terminal_id, 42: acceptor.merchant_id}))


def test_the_longest_prefix_wins() -> None:
    short = BinRoute(prefix="41", brand="visa", issuer="1")
    longer = BinRoute(prefix="4111", brand="visa", issuer="2")
    for routes in ((short, longer), (longer, short)):
        assert replace(sandbox.network(), routes=routes).route("4111111111111111") == longer


def test_keys_of_programs_and_brands() -> None:
    programs = ("gateway", "acquirer", "scheme", "issuer", "terminal")
    keys = [sandbox.pan_keys(program) for program in programs]
    assert len({key for pair in keys for key in (pair.aes, pair.hash)}) == 2 * len(programs)
    assert all(len(pair.aes) == 32 for pair in keys)
    assert keys[0].aes.hex() not in repr(keys[0])
    assert check_value(sandbox.issuer_master_key("visa")) == "08D7B4"
    for unknown in (lambda: sandbox.pan_keys("bank"), lambda: sandbox.card("none")):
        with pytest.raises(KeyError):
            unknown()
