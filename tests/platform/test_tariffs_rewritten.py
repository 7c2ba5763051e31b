"""Migration 0004: what was stored before tariffs could say more is read as what it was."""

from decimal import Decimal
from importlib import import_module
from typing import Any

import msgspec
from tests.core import samples as s

from tapwatt.core.bill import Bill
from tapwatt.core.session import Session, decide
from tapwatt.core.tariff import Tariff, price

MOVED: Any = import_module("tapwatt.platform.migrations.0004_tariffs")
OLD_TARIFF = {"tariff_id": "T1", "currency": "EUR", "kwh_price": "0.49", "tax_rate_percent": "19"}
OLD_BILL = {
    "currency": "EUR",
    "lines": [
        {
            "dimension": "energy",
            "quantity": "8.345",
            "unit": "kWh",
            "unit_price": "0.49",
            "net": "4.08905",
            "tax_rate_percent": "19",
            "tax": "0.7769195",
            "why": "tariff T1: price per kWh",
        }
    ],
    "net_minor": 409,
    "tax_minor": 78,
    "gross_minor": 487,
    "rounding": "gross total half up, net total half up, tax is the difference",
}


def as_it_was(session: Session) -> dict[str, Any]:
    """A session's row as it was written before: no usage, no site, the old tariff and bill."""
    row = msgspec.json.decode(msgspec.json.encode(session))
    for name in ("usage", "site", "idle_since_ms"):
        row.pop(name)
    row["tariff"] = OLD_TARIFF
    if row["bill"] is not None:
        row["bill"] = OLD_BILL
    return dict(row)


def test_a_tariff_keeps_its_price_and_tax() -> None:
    tariff = msgspec.convert(MOVED._tariff(OLD_TARIFF), Tariff)
    assert tariff == s.TARIFF
    assert MOVED._tariff(msgspec.to_builtins(tariff)) == msgspec.to_builtins(tariff)


def test_a_running_session_is_billed_after_the_move_as_it_would_have_been_before() -> None:
    running = s.play((s.offered(), s.card(), s.approved(), s.started(), s.metered())).session
    moved = msgspec.convert(MOVED._session(as_it_was(running)), Session)
    assert moved.usage is not None
    assert moved.usage.energy_wh == 2000
    over, _ = decide(moved, s.stopped())
    assert over.bill is not None
    assert over.bill.gross_minor == 487


def test_a_session_that_was_only_offered_has_used_nothing() -> None:
    offered = s.play((s.offered(),)).session
    moved = msgspec.convert(MOVED._session(as_it_was(offered)), Session)
    assert (moved.usage, moved.bill, moved.tariff) == (None, None, s.TARIFF)


def test_a_bill_keeps_every_amount() -> None:
    bill = msgspec.convert(MOVED._bill(OLD_BILL), Bill)
    assert (bill.net_minor, bill.tax_minor, bill.gross_minor) == (409, 78, 487)
    assert (bill.exact_net, bill.exact_gross) == (Decimal("4.08905"), Decimal("4.8659695"))
    (line,) = bill.lines
    (tax,) = bill.taxes
    assert (line.gross, tax.rate_percent, tax.base_minor, tax.amount_minor) == (
        bill.exact_gross,
        Decimal(19),
        409,
        78,
    )


def test_the_old_and_the_new_reckoning_come_to_the_same() -> None:
    usage = s.play((s.offered(), s.card(), s.approved(), s.started(), s.stopped())).session.usage
    assert usage is not None
    new, old = price(s.TARIFF, usage), msgspec.convert(MOVED._bill(OLD_BILL), Bill)
    assert (new.net_minor, new.tax_minor, new.gross_minor) == (old.net_minor, old.tax_minor, old.gross_minor)
