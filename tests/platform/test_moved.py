"""A session with an open hold goes on where its database was restored, on either engine (issue 3)."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import ENGINES
from tests.platform.conftest import Site, sown
from tests.platform.test_sessions_at_work import charging, stop, until

from tapwatt.cli.store import books, recognise
from tapwatt.platform.tables import METADATA
from tapwatt.store import Database, moving

MIGRATIONS = "tapwatt.platform.migrations"


@pytest.mark.parametrize(("first", "second"), itertools.product(ENGINES, ENGINES))
async def test_a_charge_goes_on_after_backup_and_restore(
    first: str, second: str, new_url: Callable[..., str], tmp_path: Path
) -> None:
    before, after, file = new_url(first, "before"), new_url(second, "after"), tmp_path / "kept"
    database = await Database.open(before, metadata=METADATA, migrations=MIGRATIONS)
    site = await sown(database)
    await site.engine.start()
    session, transaction_id = await charging(site)
    moving.back_up(before, file, recognise)  # its program runs
    await site.engine.stop()
    await database.close()

    assert moving.restore(file, after, recognise, books)["session"] == 1
    database = await Database.open(after, metadata=METADATA, migrations=MIGRATIONS)
    site = Site(database)
    await site.engine.start()
    await site.says(stop(transaction_id, 102_000))
    await until(site, "closing")
    async with asyncio.timeout(5):
        while not site.wires.operated:  # noqa: ASYNC110 - looked at from outside
            await asyncio.sleep(0.01)
    capture = site.wires.operated[-1]
    assert (capture.amount_minor, capture.hold_minor, capture.receipt) == (117, 2500, "0231")
    await site.outcome(capture.key, "capture", "done", amount_minor=117)
    closed = await until(site, "closed")
    assert closed["session_id"] == session["session_id"]
    assert (closed["captured_minor"], closed["released_minor"]) == (117, 2383)
    await site.engine.stop()
    await database.close()
