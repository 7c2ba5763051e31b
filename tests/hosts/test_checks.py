"""What gateway, acquirer and scheme refuse by themselves, each as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tapwatt.hosts.acquirer import decide as acquirer
from tapwatt.hosts.gateway import decide as gateway
from tapwatt.hosts.scheme import decide as scheme
from tapwatt.rails import messages
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.relay_messages import Hop, Pass, Refuse
from tapwatt.rails.sandbox import network

HOP = Hop(stan="000042", now_ms=1_795_348_800_000)


def request(**_: object) -> Message:
    return messages.authorisation(
        card=messages.CardData(pan="4111111111111111", expiry="3112"),
        acceptor=network().acceptor("52523535"),
        amount_minor=5000,
        currency="978",
        stan="000001",
        rrn="632612000001",
        now_ms=HOP.now_ms,
        life_cycle="52523535-632612000001",
    )


TERMINAL = gateway.Terminal(tid="52523535", serial="TW4000-000001", mid="TWDE00000000017", active=True)
SHOP = gateway.Merchant(mid="TWDE00000000017", currency="978")


@pytest.mark.parametrize(
    ("terminal", "merchant", "changes", "code"),
    [
        (TERMINAL, SHOP, {}, None),
        (TERMINAL, SHOP, {62: None}, None),
        (TERMINAL, None, {}, "03"),
        (None, SHOP, {}, "58"),
        (replace(TERMINAL, mid="OTHER"), SHOP, {}, "58"),
        (replace(TERMINAL, active=False), SHOP, {}, "58"),
        (TERMINAL, SHOP, {60: "TW4000-000002"}, "58"),
        (TERMINAL, SHOP, {60: None}, "58"),
        (TERMINAL, SHOP, {49: "840"}, "12"),
        (TERMINAL, SHOP, {4: "000000000000"}, "13"),
        (TERMINAL, SHOP, {62: "52523536-632612000001"}, "30"),
    ],
)
def test_the_gateway(
    terminal: gateway.Terminal | None,
    merchant: gateway.Merchant | None,
    changes: dict[int, Any],
    code: str | None,
) -> None:
    facts = gateway.Facts(terminal=terminal, merchant=merchant)
    verdict = gateway.check(request().replace(changes), facts)
    assert (verdict.code if isinstance(verdict, Refuse) else None) == code
    if isinstance(verdict, Pass):
        assert (verdict.upstream, dict(verdict.stamps)) == ("acquirer", {60: None})


def test_an_advice_outlives_its_terminal() -> None:
    facts = gateway.Facts(terminal=replace(TERMINAL, active=False), merchant=SHOP)
    advice = messages.completion(request(), amount_minor=5, stan="000002", now_ms=HOP.now_ms)
    assert isinstance(gateway.check(advice.replace({60: None}), facts), Pass)


MERCHANT = acquirer.Merchant(
    mid="TWDE00000000017",
    name="Sunfield Charging",
    city="Berlin",
    country="DE",
    category="5552",
    active=True,
    most_minor=5000,
)


@pytest.mark.parametrize(
    ("merchant", "changes", "code"),
    [
        (MERCHANT, {}, None),
        (None, {}, "03"),
        (replace(MERCHANT, active=False), {}, "03"),
        (replace(MERCHANT, category="5542"), {}, "58"),
        (MERCHANT, {4: "000000005001"}, "61"),
    ],
)
def test_the_acquirer(merchant: acquirer.Merchant | None, changes: dict[int, Any], code: str | None) -> None:
    facts = acquirer.Facts(merchant=merchant, acquirer_id="100001")
    verdict = acquirer.check(request().replace(changes), facts)
    assert (verdict.code if isinstance(verdict, Refuse) else None) == code


def test_the_acquirer_says_who_the_merchant_is() -> None:
    facts = acquirer.Facts(merchant=MERCHANT, acquirer_id="100001")
    verdict = acquirer.check(request().replace({18: "5411", 43: "X" * 40, 32: "9"}), facts)
    assert isinstance(verdict, Pass)
    place = f"{'Sunfield Charging':<25}{'Berlin':<13}DE"
    assert dict(verdict.stamps) == {18: "5552", 32: "100001", 43: place}


BANK = scheme.Member(id="100001", active=True)
ISSUER = scheme.Member(id="500001", active=True)


@pytest.mark.parametrize(
    ("acquiring", "issuing", "code"),
    [
        (BANK, ISSUER, None),
        (None, ISSUER, "58"),
        (replace(BANK, active=False), ISSUER, "58"),
        (BANK, None, "15"),
        (BANK, replace(ISSUER, active=False), "92"),
    ],
)
def test_the_scheme(acquiring: scheme.Member | None, issuing: scheme.Member | None, code: str | None) -> None:
    verdict = scheme.check(request(), scheme.Facts(acquirer=acquiring, issuer=issuing), HOP)
    assert (verdict.code if isinstance(verdict, Refuse) else None) == code
    if isinstance(verdict, Pass):
        assert (verdict.upstream, dict(verdict.stamps)) == ("500001", {63: "N1795348800T000042"})


def test_life_cycles_are_scoped_by_who_sends_them() -> None:
    sent = request().replace({32: "100001", 33: "900001"})
    assert gateway.machine_id(sent) == "52523535-632612000001"
    assert acquirer.machine_id(sent) == "900001/52523535-632612000001"
    assert scheme.machine_id(sent) == "100001/52523535-632612000001"
