"""Bring a database's schema to the program's revision before anything else touches it.

A fresh database gets today's tables at once; alembic, slow to import, is loaded only for an old one
(stack.md, trap 4). Revisions are files `NNNN_name.py` in the program's migrations package, with revision ids
"0001", "0002", …
"""

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Engine, MetaData, String, Table, insert, select
from sqlalchemy import Connection as SqlalchemyConnection
from sqlalchemy.schema import CreateIndex, CreateTable

from tapwatt.store.errors import UnableToMigrate, UnableToStore
from tapwatt.store.transaction import Connection, Transaction

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""Alembic's own table, so that its command line works on our databases."""

_READ_VERSION = select(VERSION.c.version_num)
_STAMP = insert(VERSION)
_FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.py")


def prepare(
    connection: Connection,
    *,
    where: str,
    tables: set[str],
    metadata: MetaData,
    migrations: str | None,
    upgrade: Callable[[Path], None],
) -> None:
    """Create, leave alone, or upgrade the schema. Raises UnableToMigrate naming both revisions when they do
    not fit.

    `tables` are the names now in the database, `where` its name for error texts; `upgrade` runs alembic on
    the folder.
    """
    folder = migrations_folder(migrations) if migrations is not None else None
    known = revisions(folder) if folder is not None else []
    if not tables:
        _create(connection, metadata, known[-1] if known else None)
        return
    if folder is None:
        _create_missing(connection, metadata, tables)
        return
    stored = _stored_revision(connection, tables)
    if stored == known[-1]:
        if missing := sorted({table.name for table in metadata.tables.values()} - tables):
            raise UnableToMigrate(
                f"the database {where} has no table {missing[0]}: it is another program's, or damaged"
            )
        return
    if stored not in known:
        raise UnableToMigrate(
            f"the database {where} has schema revision {stored or 'none'}, this program knows "
            f"{known[0]} to {known[-1]}: start the program that wrote it, or restore "
            "a backup made with this one"
        )
    upgrade(folder)
    if (reached := _stored_revision(connection, tables)) != known[-1]:
        raise UnableToMigrate(f"the database {where} is at revision {reached} after migrating to {known[-1]}")


def refuse_other_revision(connection: Connection, *, where: str, tables: set[str], migrations: str) -> str:
    """Make sure that a database is at this program's revision, and return it. Raises UnableToMigrate."""
    known = revisions(migrations_folder(migrations))[-1]
    stored = _stored_revision(connection, tables)
    if stored != known:
        raise UnableToMigrate(
            f"the database {where} has schema revision {stored or 'none'}, this version works on {known}: "
            "start its program once with this version"
        )
    return known


def migrations_folder(package: str) -> Path:
    """Find the folder of a dotted migrations package. Raises UnableToMigrate."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise UnableToMigrate(f"there is no migrations package {package}")
    return Path(spec.submodule_search_locations[0])


def revisions(folder: Path) -> list[str]:
    """List the revision ids in a folder, oldest first, by file names alone. Raises UnableToMigrate."""
    found = sorted(match[1] for path in folder.iterdir() if (match := _FILE.fullmatch(path.name)))
    if not found:
        raise UnableToMigrate(f"there is no NNNN_name.py in {folder}")
    if len(set(found)) != len(found):
        raise UnableToMigrate(f"two files in {folder} have the same revision number")
    return found


def run_alembic(engine: Engine, folder: Path, *, check: Callable[[SqlalchemyConnection], None]) -> None:
    """Upgrade to the head in one transaction, and check before it commits. Raises UnableToMigrate."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(folder), version_locations=[str(folder)])

    def steps(revision: Any, context: "MigrationContext") -> Any:
        return scripts._upgrade_revs("head", revision)

    try:
        with engine.begin() as connection:
            context = MigrationContext.configure(connection, opts={"fn": steps, "transactional_ddl": True})
            with Operations.context(context):
                context.run_migrations()
            check(connection)
    except Exception as error:
        raise UnableToMigrate(
            f"migrating with the revisions in {folder} failed, nothing was changed: {error}"
        ) from error
    finally:
        engine.dispose()


def _create(connection: Connection, metadata: MetaData, revision: str | None) -> None:
    def create(transaction: Transaction) -> None:
        _create_tables(transaction, metadata, set())
        if revision is not None:
            transaction.run(CreateTable(VERSION))
            transaction.run(_STAMP, version_num=revision)

    _in_transaction(connection, create)


def _create_missing(connection: Connection, metadata: MetaData, tables: set[str]) -> None:
    _in_transaction(connection, lambda transaction: _create_tables(transaction, metadata, tables))


def _create_tables(transaction: Transaction, metadata: MetaData, present: set[str]) -> None:
    for table in metadata.sorted_tables:
        if table.name in present:
            continue
        transaction.run(CreateTable(table))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            transaction.run(CreateIndex(index))


def _stored_revision(connection: Connection, tables: set[str]) -> str | None:
    if VERSION.name not in tables:
        return None
    row = _in_transaction(connection, lambda transaction: transaction.one(_READ_VERSION))
    return None if row is None else str(row.version_num)


def _in_transaction(connection: Connection, work: Callable[[Transaction], Any]) -> Any:
    connection.begin()
    try:
        result = work(Transaction(connection))
        connection.commit()
    except UnableToStore as error:
        if connection.in_transaction:
            connection.rollback()
        raise UnableToMigrate(f"the schema cannot be prepared: {error}") from error
    return result
