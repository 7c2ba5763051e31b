"""Receipts from before they had a seller and a link: they keep their number and amounts, on both engines."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.conftest import ENGINES

from tapwatt.core.receipt import Receipt
from tapwatt.core.receipt_text import receipt_text
from tapwatt.platform import receipts
from tapwatt.platform.tables import METADATA
from tapwatt.store import SyncDatabase, Transaction, postgres, sqlite
from tapwatt.store.migrations import migrations_folder, run_alembic

MIGRATIONS = "tapwatt.platform.migrations"
BILL = {
    "currency": "EUR",
    "lines": [
        {
            "dimension": "energy",
            "quantity": "2.000",
            "unit": "kWh",
            "unit_price": "0.49",
            "net": "0.98",
            "tax_rate_percent": "19",
            "tax": "0.1862",
            "why": "tariff DC",
        }
    ],
    "net_minor": 98,
    "tax_minor": 19,
    "gross_minor": 117,
    "rounding": "gross total half up",
}
OLD = {
    "session_id": "S1",
    "station_id": "CS1",
    "evse_id": 2,
    "started_ms": 1_700_000_000_000,
    "ended_ms": 1_700_000_060_000,
    "register_begin_wh": 100,
    "register_end_wh": 2_100,
    "energy_wh": 2_000,
    "bill": BILL,
    "hold_minor": 2500,
    "captured_minor": 117,
    "released_minor": 2383,
    "brand": "visa",
    "last_four": "1111",
    "tid": "52523535",
    "approval_code": None,
}
ADD = text(
    "INSERT INTO receipt (operator_id, session_id, number, body, at_ms) "
    "VALUES ('demo', :session, :number, :body, 7)"
)


def migrate(url: str, folder: Path) -> None:
    """Bring a database to the last revision in a folder."""
    if url.startswith("sqlite"):
        engine = sqlite.alembic_engine(Path(url.removeprefix("sqlite:///")))
        run_alembic(engine, folder, check=sqlite.check_foreign_keys)
    else:
        run_alembic(postgres.alembic_engine(url), folder, check=postgres.check_foreign_keys)


@pytest.mark.parametrize("engine", ENGINES)
def test_old_receipts_keep_number_and_amounts(
    engine: str, new_url: Callable[..., str], tmp_path: Path
) -> None:
    url, before = new_url(engine), tmp_path / "before"
    before.mkdir()
    for file in sorted(migrations_folder(MIGRATIONS).glob("000[1-4]_*.py")):
        shutil.copy(file, before)
    migrate(url, before)
    old = SyncDatabase.open(url, metadata=METADATA.__class__())

    def fill(tx: Transaction) -> None:
        tx.run(text("INSERT INTO operator (operator_id, name) VALUES ('demo', 'Demo')"))
        for number in (1, 2):
            tx.run(
                ADD, session=f"S{number}", number=number, body=json.dumps({**OLD, "session_id": f"S{number}"})
            )

    old.write(fill)
    old.close()
    database = SyncDatabase.open(url, metadata=METADATA, migrations=MIGRATIONS)

    def look(tx: Transaction) -> list[Receipt]:
        found = [receipts.by_number(tx, operator_id="demo", number=number) for number in ("1", "2")]
        tokens = {each["token"] for each in found if each}
        assert len(tokens) == 2
        kept = [receipts.by_token(tx, token) for token in sorted(tokens)]
        return sorted((each for each in kept if each), key=lambda each: each.number)

    first, second = database.read(look)
    assert (first.number, first.seller.legal_name, first.issued_ms) == ("1", "Demo", 7)
    assert (first.bill.gross_minor, first.purchase.captured_minor, first.purchase.card.last_four) == (
        117,
        117,
        "1111",
    )
    assert second.purchase.session_id == "S2"
    text_lines = receipt_text(first).splitlines()
    assert "Energy                              1.1662" in text_lines
    assert "Total                             1.17 EUR" in text_lines
    purchase = first.purchase
    issued = database.write(
        lambda tx: receipts.issue(
            tx, operator_id="demo", key="new", purchase=purchase, chance=bytes(17), at_ms=1_795_000_000_000
        )
    )
    assert issued == "R-2026-000001"
    database.close()
