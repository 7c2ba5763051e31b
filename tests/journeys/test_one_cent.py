"""One cent in one party's books: the demo's comparison names exactly that party.

Each party's stored row is changed where the party keeps it, and read again at the party's own port.
"""

import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio
from tests.journeys.world import World, world

pytestmark = [pytest.mark.programs, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def paid(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[World, str]]:
    """A site and its one paid session."""
    async with world(tmp_path_factory.mktemp("cent")) as site:
        session = await site.plug(target_wh=150)
        await site.tap("visa-good")
        await site.session("closed")
        assert (await site.all_agree(session["session_id"]))[1] > 0
        yield site, session["session_id"]


def column(statement: str) -> Callable[[sqlite3.Connection, int], int]:
    """How to add cents with one UPDATE; gives the number of rows changed."""

    def change(books: sqlite3.Connection, cents: int) -> int:
        return books.execute(statement, (cents,)).rowcount

    return change


def state(table: str, *path: str) -> Callable[[sqlite3.Connection, int], int]:
    """How to add cents to an amount inside a machine's stored state."""

    def change(books: sqlite3.Connection, cents: int) -> int:
        rows = books.execute(f"SELECT id, state FROM {table}").fetchall()
        for name, text in rows:
            stored = json.loads(text)
            inner = stored
            for step in path[:-1]:
                inner = inner[step]
            inner[path[-1]] += cents
            books.execute(f"UPDATE {table} SET state = ? WHERE id = ?", (json.dumps(stored), name))
        return len(rows)

    return change


BOOKS: dict[str, tuple[str, Callable[[sqlite3.Connection, int], int]]] = {
    "session": ("platform", state("session", "payment", "captured_minor")),
    "terminal": ("site", column("UPDATE payment SET captured_minor = captured_minor + ?")),
    "platform_ledger": (
        "platform",
        column(
            "UPDATE entry SET amount_minor = amount_minor + ? WHERE account = 'hold_contra' "
            "AND posting_key IN (SELECT key FROM posting WHERE kind = 'captured')"
        ),
    ),
    "gateway": ("gateway", state("payment", "captured_minor")),
    "acquirer": ("acquirer", state("payment", "captured_minor")),
    "issuer": ("issuer", column("UPDATE posting SET amount_minor = amount_minor + ?")),
}


def add_cents(data: Path, party: str, cents: int) -> None:
    program, change = BOOKS[party]
    with closing(sqlite3.connect(data / f"{program}.sqlite", timeout=10)) as books, books:
        assert change(books, cents) == 1, f"{party} has not one row for one session"


@pytest.mark.parametrize("cents", [1, -1])
@pytest.mark.parametrize("party", BOOKS)
async def test_one_cent_names_exactly_that_party(paid: tuple[World, str], party: str, cents: int) -> None:
    site, session_id = paid
    assert (await site.books(session_id)).agree
    add_cents(site.settings.data, party, cents)
    try:
        changed = await site.books(session_id)
        assert changed.dissenters() == [party]
        assert not changed.agree
        assert changed.as_json()["agree"] is False
    finally:
        add_cents(site.settings.data, party, -cents)
    assert (await site.books(session_id)).agree
