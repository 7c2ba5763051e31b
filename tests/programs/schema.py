"""Schemas of SQLite files as lines, so that two ways to a schema can be compared (ADR 0011), and the
operations that would make them equal.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from difflib import unified_diff
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData

from tapwatt.store.sqlite import alembic_engine

_OUTER = {("(", 1), (",", 1), (")", 0)}
_TOKEN = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|\w+|[^\w\s]""")
# Alembic gives the key of its own table a name, the store does not; SQLite counts in sqlite_sequence.
_READ = (
    "SELECT tbl_name, type, sql FROM sqlite_master "
    "WHERE sql IS NOT NULL AND tbl_name NOT IN ('alembic_version', 'sqlite_sequence')"
)


def schema(path: Path) -> list[str]:
    """One line for every column, constraint and index; their order and how names are quoted do not count."""
    with closing(sqlite3.connect(path)) as raw:
        rows = raw.execute(_READ).fetchall()
    return sorted(
        f"{table}: {part}" for table, kind, sql in rows for part in _parts(sql, whole=kind != "table")
    )


def _parts(sql: str, *, whole: bool) -> Iterator[str]:
    """Take a CREATE apart: its head, what stands between the outer commas, and what follows."""
    tokens = [token.strip('"') if token[0] == '"' else token for token in _TOKEN.findall(sql)]
    if whole:
        yield " ".join(tokens)
        return
    depth, part = 0, list[str]()
    for token in tokens:
        depth += (token == "(") - (token == ")")
        if (token, depth) in _OUTER:
            yield " ".join(part)
            part = []
        else:
            part.append(token)
    if part:
        yield " ".join(part)


def difference(migrated: Path, declared: Path, metadata: MetaData) -> str:
    """What the revisions (-) and the declared tables (+) disagree on, and the operations to write; "" if
    nothing."""
    lines = unified_diff(schema(migrated), schema(declared), "revisions", "tables", lineterm="", n=0)
    said = "\n".join(lines)
    return (
        said and f"{said}\nA new revision is missing; alembic would write:\n{_operations(migrated, metadata)}"
    )


def _operations(path: Path, metadata: MetaData) -> str:
    options = {"target_metadata": metadata, "compare_server_default": True}
    with alembic_engine(path).connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        operations = produce_migrations(context, metadata).upgrade_ops
        assert operations is not None
        return render_python_code(operations, render_as_batch=True)
