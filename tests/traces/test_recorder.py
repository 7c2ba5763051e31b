"""Traces are bounded, never in the way, and lost before an answer is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from tapwatt.store import Database, Transaction, UnableToStore
from tapwatt.traces import Bounds, Direction, Mark, Recorder, Trace, TraceTable, Wire, trace_table
from tapwatt.traces.recorder import CUT_EVERY_ROWS, MOST_WAITING

METADATA = MetaData()
TABLE: TraceTable = trace_table(METADATA)
DAY_MS = 86_400_000


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(f"sqlite:///{tmp_path}/t.sqlite", metadata=METADATA)
    yield opened
    await opened.close()


def trace(
    name: str = "0100",
    *,
    at_ms: int = 1_000,
    reference: str = "R",
    life_cycle: str = "",
    peer: str = "issuer",
) -> Trace:
    return Trace(
        at_ms=at_ms,
        direction=Direction.SENT,
        wire=Wire.ISO8583,
        peer=peer,
        name=name,
        reference=reference,
        mark=Mark.NONE,
        fields={"4": "1"},
        life_cycle=life_cycle,
    )


def recorder(database: Database, *, rows: int = 1_000, days: int = 30, now_ms: int = DAY_MS) -> Recorder:
    return Recorder(database, TABLE, bounds=Bounds(rows=rows, days=days), now_ms=lambda: now_ms)


async def kept(database: Database, reference: str = "") -> list[str]:
    rows = await database.read(lambda tx: TABLE.of_reference(tx, reference=reference, most=10_000))
    return [row["name"] for row in rows]


async def test_what_is_noted_is_written_by_itself_in_order(database: Database) -> None:
    notes = recorder(database)
    for number in range(3):
        notes.note(lambda number=number: trace(str(number)))  # type: ignore[misc]
    assert await kept(database) == []
    async with asyncio.timeout(5):
        while not await kept(database):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await kept(database) == ["0", "1", "2"]


async def test_a_stop_writes_what_waits(database: Database) -> None:
    notes = recorder(database)
    notes.note(trace)
    await notes.stop()
    assert await kept(database) == ["0100"]


async def test_under_load_the_oldest_are_dropped_and_counted(database: Database) -> None:
    notes = recorder(database)
    for number in range(MOST_WAITING + 7):
        notes.note(lambda number=number: trace(str(number)))  # type: ignore[misc]
    await notes.stop()
    assert (notes.dropped, notes.kept) == (7, MOST_WAITING)
    assert (await kept(database))[0] == "7"


async def test_no_more_rows_than_the_bound(database: Database) -> None:
    notes = recorder(database, rows=50)
    for _ in range(CUT_EVERY_ROWS // 100 + 2):
        for number in range(100):
            notes.note(lambda number=number: trace(str(number)))  # type: ignore[misc]
        await notes.stop()
    assert len(await kept(database)) <= 50 + CUT_EVERY_ROWS
    await database.write(lambda tx: TABLE.cut(tx, most_rows=50, before_ms=0))
    assert len(await kept(database)) == 50
    assert (await kept(database))[-1] == "99"


async def test_what_is_too_old_goes(database: Database) -> None:
    now_ms = 100 * DAY_MS
    await database.write(lambda tx: TABLE.add(tx, trace("old", at_ms=now_ms - 31 * DAY_MS)))
    notes = recorder(database, days=30, now_ms=now_ms)
    notes.note(lambda: trace("new", at_ms=now_ms))
    await notes.stop()
    assert await kept(database) == ["new"]


async def test_keeping_nothing_notes_nothing(database: Database) -> None:
    notes = recorder(database, rows=0)
    notes.note(trace)
    await notes.stop()
    assert (await kept(database), notes.kept, notes.dropped) == ([], 0, 0)


async def test_a_message_that_cannot_be_decoded_takes_no_other_along(database: Database) -> None:
    def broken() -> Trace:
        raise KeyError("odd")

    notes = recorder(database)
    notes.note(broken)
    notes.note(trace)
    notes.note(lambda: None)
    await notes.stop()
    assert (await kept(database), notes.dropped) == (["0100"], 1)


async def test_a_store_that_refuses_loses_traces_and_nothing_else(database: Database) -> None:
    def refuse(_tx: Transaction, _trace: Trace) -> str:
        raise UnableToStore("the disk is full")

    notes = Recorder(database, TABLE, bounds=Bounds(rows=9, days=1), now_ms=lambda: DAY_MS, owner=refuse)
    notes.note(trace)
    await notes.stop()
    assert (notes.dropped, notes.kept) == (1, 0)


async def test_a_payment_is_found_by_its_reference_and_by_its_life_cycle(database: Database) -> None:
    def work(tx: Transaction) -> None:
        TABLE.add(tx, trace("asked", reference="R1", life_cycle="T-1"))
        TABLE.add(tx, trace("answered", reference="", life_cycle="T-1"))
        TABLE.add(tx, trace("another", reference="R2", life_cycle="T-2"))
        TABLE.add(tx, trace("nobody's", reference="", life_cycle=""))

    await database.write(work)
    assert await kept(database, "R1") == ["asked", "answered"]
    assert await kept(database, "T-1") == ["asked", "answered"]
    assert await kept(database, "unknown") == []


async def test_one_owner_sees_nothing_of_anothers_wires(database: Database) -> None:
    def work(tx: Transaction) -> None:
        for owner in ("a", "b"):
            TABLE.add(tx, trace(owner, peer="CS1"), owner=owner)
        TABLE.add(tx, trace("elsewhere", peer="CS2"), owner="a")

    await database.write(work)
    seen = await database.read(
        lambda tx: TABLE.between(tx, owner="a", peers=("CS1", "T1", "E1"), from_ms=0, until_ms=9_999, most=10)
    )
    assert [row["name"] for row in seen] == ["a"]


async def test_fields_that_are_too_long_are_named_and_not_kept(database: Database) -> None:
    long = Trace(
        at_ms=1,
        direction=Direction.SENT,
        wire=Wire.OCPP,
        peer="CS1",
        name="DataTransfer",
        fields={"data": "x" * 9_000},
    )
    await database.write(lambda tx: TABLE.add(tx, long))
    rows = await database.read(lambda tx: TABLE.of_reference(tx, reference="", most=1))
    assert rows[0]["fields"] == {"too long to keep": "9011 characters"}
