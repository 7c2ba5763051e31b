"""A program killed while it writes: every row it said was stored is there afterwards."""

import subprocess
import sys
from pathlib import Path

from tests.store.tables import METADATA, names

from tapwatt.store import SyncDatabase

CHILD = """
import asyncio, sys
from tapwatt.store import Database
from tests.store.tables import METADATA, add

async def caller(database, number):
    for turn in range(1_000_000):
        print(await database.write(add(f"{number}-{turn}")), flush=True)

async def main():
    database = await Database.open(sys.argv[1], metadata=METADATA)
    await asyncio.gather(*(caller(database, number) for number in range(16)))

asyncio.run(main())
"""


def test_kill_minus_nine_loses_nothing_acknowledged(database_url: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, database_url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as child:
        assert child.stdout is not None
        acknowledged = {child.stdout.readline().strip() for _ in range(500)}
        child.kill()
        rest = child.stdout.read().split("\n")
    acknowledged |= set(rest[:-1])  # the last line may be cut short
    stored = SyncDatabase.open(database_url, metadata=METADATA)
    found = stored.read(names)
    stored.close()
    assert len(acknowledged) >= 500
    assert acknowledged <= found
