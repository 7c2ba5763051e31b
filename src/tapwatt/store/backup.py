"""Backups: a consistent state of a running program's database in one file, and back again.

A SQLite file is copied by SQLite's own online backup. PostgreSQL's rows are written by us, one JSON line a
row of one snapshot, so that no server tools are needed and the file can be restored into either engine; its
last line holds counts and sums, so that a file cut short is never taken for a whole one.
"""

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sqlalchemy import MetaData, Table

from tapwatt.store import copying, rows
from tapwatt.store.copying import Counting
from tapwatt.store.errors import UnableToOpen, UnableToStore

FORMAT = "tapwatt backup 1"


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Write a file that is there whole or not at all, readable by its owner only. Raises UnableToOpen."""
    partial = path.with_name(path.name + ".partial")
    try:
        if path.exists():
            raise UnableToOpen(f"{path} is there already")
        os.close(os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600))
        try:
            yield partial
            _make_durable(partial)
            os.link(partial, path)  # unlike a rename, never over a file that has come meanwhile
        finally:
            partial.unlink(missing_ok=True)
        _make_durable(path.parent)
    except OSError as error:
        raise UnableToOpen(f"unable to write {path}: {error.strerror or error}") from error


def write_rows(
    source: Counting, metadata: MetaData, path: Path, *, program: str, revision: str
) -> dict[str, int]:
    """Write one snapshot of a database to a new file; return the rows of each table."""
    sums = {table.name: rows.Sum() for table in metadata.sorted_tables}
    with new_file(path) as partial, gzip.open(partial, "wt", encoding="utf-8", newline="\n") as file:
        _line(file, {"format": FORMAT, "program": program, "revision": revision})
        with copying.snapshot(source) as tx:
            for table in metadata.sorted_tables:
                for row in rows.read(tx, table):
                    sums[table.name].add(row)
                    _line(file, [table.name, *row])
            counted = copying.counters(source, metadata)
        _line(file, {"counters": counted, "sums": {name: _told(total) for name, total in sums.items()}})
    return {name: total.rows for name, total in sums.items()}


class Backup:
    """A file that `write_rows` has written, opened to be read once. Raises UnableToOpen, UnableToStore."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = self._read()
        head = next(self._lines, None)
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise UnableToOpen(f"{path} is no backup of Tapwatt")
        self.program = str(head["program"])
        self.revision = str(head["revision"])
        self._end: dict[str, Any] = {}

    def rows(self, metadata: MetaData) -> Iterator[tuple[Table, rows.Values]]:
        """Every row; at the end the file is known to be whole."""
        sums = {table.name: rows.Sum() for table in metadata.sorted_tables}
        for line in self._lines:
            if isinstance(line, dict):
                self._end = line
                break
            name, *values = line
            sums[name].add(values)
            yield metadata.tables[name], values
        if self._end.get("sums") != {name: _told(total) for name, total in sums.items()}:
            raise UnableToStore(f"{self._path} is damaged or not whole: nothing was restored")

    def counters(self) -> copying.Counters:
        """How far each table had counted; known after the last row."""
        return {str(name): int(number) for name, number in self._end["counters"].items()}

    def _read(self) -> Iterator[Any]:
        try:
            with gzip.open(self._path, "rt", encoding="utf-8", newline="\n") as file:
                for line in file:
                    yield json.loads(line)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise UnableToStore(f"{self._path} is damaged or not whole: {error}") from error


def _line(file: IO[str], value: object) -> None:
    file.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def _told(total: rows.Sum) -> list[object]:
    return [total.rows, f"{total.total:064x}"]


def _make_durable(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
