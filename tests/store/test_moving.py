"""Copies, backups and restores, of every program's tables and on both engines (issue 3, "Both engines")."""

import gzip
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, delete, insert
from tests.conftest import ENGINES

from tapwatt.cli.store import _ROOMS, books, recognise
from tapwatt.platform.tables import STATION_MESSAGE
from tapwatt.sim.tables import STATION_MESSAGE as QUEUE
from tapwatt.store import SyncDatabase, UnableToOpen, UnableToStore, locks, moving
from tapwatt.store.rows import PAGE, Sum, sum_of

NewUrl = Callable[..., str]
PAIRS = list(itertools.product(ENGINES, ENGINES))


def opened(url: str, program: str) -> SyncDatabase:
    found = books(program)
    return SyncDatabase.open(url, metadata=found.metadata, migrations=found.migrations)


def fill(url: str, program: str, *, rows: int = 3) -> None:
    """Put rows into every table of a program; the last is odd in every way a row may be."""
    database = opened(url, program)
    for table in books(program).metadata.sorted_tables:

        def work(tx: Any, table: Table = table) -> None:
            for number in range(1, rows + 1):
                tx.run(insert(table), **{column.name: _value(column, number) for column in table.columns})

        database.write(work)
    database.close()


def _value(column: Column[Any], number: int) -> Any:
    if column.type.python_type is int:
        big = isinstance(column.type, BigInteger) and not column.primary_key
        return number * 1_000_000_007_000 if big else number
    if column.nullable and number % 2:
        return None
    return f"{column.name} é€漢 '\"\\%s {number:04}"


def sums(url: str, program: str) -> dict[str, Sum]:
    database = opened(url, program)
    try:
        tables = books(program).metadata.sorted_tables
        return database.read(lambda tx: {table.name: sum_of(tx, table) for table in tables})
    finally:
        database.close()


@pytest.mark.parametrize("program", _ROOMS)
def test_every_programs_rows_are_copied_from_sqlite_to_postgresql(program: str, new_url: NewUrl) -> None:
    source, target = new_url("sqlite"), new_url("postgresql")
    fill(source, program)
    copied = moving.copy(source, target, recognise)
    assert set(copied.values()) == {3}
    assert sums(target, program) == sums(source, program)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_pages_of_rows_arrive_whole(first: str, second: str, new_url: NewUrl) -> None:
    source, target = new_url(first, "a"), new_url(second, "b")
    fill(source, "scheme", rows=2 * PAGE + 7)
    assert set(moving.copy(source, target, recognise).values()) == {2 * PAGE + 7}
    assert sums(target, "scheme") == sums(source, "scheme")


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_numbers_go_on_where_they_were(first: str, second: str, new_url: NewUrl) -> None:
    source, target = new_url(first, "a"), new_url(second, "b")
    values = {"charge_id": 1, "kind": "k", "body": "{}", "at_ms": 1}
    add = insert(QUEUE).returning(QUEUE.c.id)
    database = opened(source, "site")
    given = [database.write(lambda tx: tx.run(add, **values)[0].id) for _ in range(5)]
    database.write(lambda tx: tx.run(delete(QUEUE).where(QUEUE.c.id > 2)))
    database.close()
    assert given == [1, 2, 3, 4, 5]
    moving.copy(source, target, recognise)
    database = opened(target, "site")
    assert database.write(lambda tx: tx.run(add, **values)[0].id) == 6
    database.close()


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_backup_of_a_running_program_is_restored_in_either_engine(
    first: str, second: str, new_url: NewUrl, tmp_path: Path
) -> None:
    source, target, file = new_url(first, "a"), new_url(second, "b"), tmp_path / "kept"
    fill(source, "platform")
    before = sums(source, "platform")
    running = opened(source, "platform")
    with program_running(source):
        counts = moving.back_up(source, file, recognise)
        running.write(lambda tx: tx.run(delete(STATION_MESSAGE)))
    running.close()
    assert counts["session"] == 3
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.glob("kept*")) == ["kept"]
    assert moving.restore(file, target, recognise, books) == counts
    assert sums(target, "platform") == before


def program_running(url: str) -> Any:
    """What a running program holds; on PostgreSQL its connection does."""
    import contextlib

    path = moving.sqlite_path(url)
    return contextlib.nullcontext() if path is None else locks.holding(path)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_not_empty_is_not_written_to(engine: str, new_url: NewUrl, tmp_path: Path) -> None:
    source, target, file = new_url("sqlite", "a"), new_url(engine, "b"), tmp_path / "kept"
    fill(source, "scheme")
    fill(target, "scheme", rows=1)
    before = sums(target, "scheme")
    moving.back_up(source, file, recognise)
    with pytest.raises(UnableToOpen, match=r"is not empty: .* has 1 rows"):
        moving.copy(source, target, recognise)
    with pytest.raises(UnableToOpen, match=r"is not empty: .* has 1 rows"):
        moving.restore(file, target, recognise, books)
    with pytest.raises(UnableToOpen, match="is there already"):
        moving.back_up(source, file, recognise)
    assert sums(target, "scheme") == before


@pytest.mark.parametrize("engine", ENGINES)
def test_a_running_programs_database_is_neither_copied_nor_replaced(
    engine: str, new_url: NewUrl, tmp_path: Path
) -> None:
    stopped, used, file = new_url("sqlite", "a"), new_url(engine, "b"), tmp_path / "kept"
    fill(stopped, "scheme")
    moving.back_up(stopped, file, recognise)
    running = opened(used, "scheme")
    with program_running(used):
        with pytest.raises(UnableToOpen, match="a program runs on"):
            moving.copy(used, new_url("sqlite", "c"), recognise)
        with pytest.raises(UnableToOpen, match="a program runs on"):
            moving.copy(stopped, used, recognise)
        with pytest.raises(UnableToOpen, match="a program runs on"):
            moving.restore(file, used, recognise, books)
    running.close()
    assert moving.copy(stopped, used, recognise)


def test_a_program_is_kept_out_while_its_rows_are_replaced(new_url: NewUrl) -> None:
    from tapwatt.store.postgres import standing_alone

    url = new_url("postgresql")
    opened(url, "scheme").close()
    with standing_alone(url), pytest.raises(UnableToOpen, match="its rows are being replaced"):
        opened(url, "scheme")
    opened(url, "scheme").close()


@pytest.fixture
def kept(new_url: NewUrl, tmp_path: Path) -> Path:
    """A backup from PostgreSQL."""
    url = new_url("postgresql")
    fill(url, "scheme")
    moving.back_up(url, tmp_path / "kept", recognise)
    return tmp_path / "kept"


@pytest.mark.parametrize("damage", ["cut", "line lost", "digit changed", "not ours", "nothing"])
def test_a_damaged_backup_restores_nothing(kept: Path, damage: str, new_url: NewUrl) -> None:
    lines = gzip.decompress(kept.read_bytes()).splitlines(keepends=True)
    written = {
        "cut": kept.read_bytes()[:-20],
        "line lost": gzip.compress(b"".join(lines[:2] + lines[3:])),
        "digit changed": gzip.compress(lines[0] + b"".join(lines[1:]).replace(b"0002", b"0003", 1)),
        "not ours": gzip.compress(b"{}\n"),
        "nothing": b"",
    }[damage]
    kept.write_bytes(written)
    target = new_url("sqlite")
    with pytest.raises((UnableToStore, UnableToOpen), match=r"damaged or not whole|no backup of Tapwatt"):
        moving.restore(kept, target, recognise, books)
    if damage in ("cut", "line lost", "digit changed"):
        assert {total.rows for total in sums(target, "scheme").values()} == {0}


def test_a_damaged_sqlite_file_is_no_backup(new_url: NewUrl, tmp_path: Path) -> None:
    url = new_url("sqlite")
    fill(url, "scheme", rows=300)
    path = moving.sqlite_path(url)
    assert path is not None
    whole = bytearray(path.read_bytes())
    whole[4096 * 3 : 4096 * 3 + 200] = bytes(200)
    path.write_bytes(whole)
    with pytest.raises((UnableToStore, UnableToOpen)):
        moving.back_up(url, tmp_path / "kept", recognise)
    assert not list(tmp_path.glob("kept*"))


def test_a_row_that_is_lost_on_the_way_is_noticed(new_url: NewUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = new_url("sqlite"), new_url("postgresql")
    fill(source, "scheme")
    monkeypatch.setattr("tapwatt.store.rows.Filler.end", lambda filler: filler._waiting.clear())
    with pytest.raises(UnableToStore, match="came with 3 rows and holds 0"):
        moving.copy(source, target, recognise)
    assert {total.rows for total in sums(target, "scheme").values()} == {0}


@pytest.mark.parametrize(
    ("source", "target", "says"),
    [
        ("sqlite:////nowhere/a.sqlite", "sqlite:////nowhere/b.sqlite", "unable to use the folder /nowhere"),
        ("mysql://a/b", "sqlite:///x", "write sqlite:///"),
        ("sqlite://", "sqlite:///x", "write sqlite:///"),
        ("nonsense", "sqlite:///x", "cannot be read"),
    ],
)
def test_urls_that_make_no_sense_are_refused_in_a_sentence(source: str, target: str, says: str) -> None:
    with pytest.raises(UnableToOpen, match=says):
        moving.copy(source, target, recognise)


def test_a_strangers_database_is_refused(new_url: NewUrl) -> None:
    url = new_url("sqlite")
    SyncDatabase.open(url, metadata=MetaData()).close()
    with pytest.raises(UnableToOpen, match="not the tables of any program"):
        moving.copy(url, new_url("sqlite", "b"), recognise)
    metadata = MetaData()
    Table("strange", metadata, Column("a", Text, primary_key=True))
    other = new_url("sqlite", "c")
    SyncDatabase.open(other, metadata=metadata).close()
    with pytest.raises(UnableToOpen, match="not the tables of any program"):
        moving.copy(other, new_url("sqlite", "d"), recognise)


def test_an_older_revision_is_refused(new_url: NewUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    url = new_url("sqlite")
    fill(url, "scheme")
    monkeypatch.setattr("tapwatt.store.migrations.revisions", lambda folder: ["0001", "0002", "0003"])
    with pytest.raises(UnableToOpen, match=r"has schema revision .*, this version works on 0003"):
        moving.copy(url, new_url("sqlite", "b"), recognise)
