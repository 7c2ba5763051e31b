"""Every program's revisions on PostgreSQL: they lead to the tables it declares, once, whoever starts (ADR
0013)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from tests.programs.test_migrations import STARTS, AskingRuntime, Opened, Opening

from tapwatt.programs.runtime import UnableToStart
from tapwatt.settings import Settings
from tapwatt.store import Database, SyncDatabase, UnableToMigrate
from tapwatt.store.migrations import migrations_folder, run_alembic
from tapwatt.store.postgres import alembic_engine, check_foreign_keys

COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> 'alembic_version'"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, contype::text, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
      AND contype <> 'n'"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"


def schema(url: str) -> list[tuple[object, ...]]:
    """Every column, constraint and index."""
    with psycopg.connect(url) as connection:
        return sorted(
            (tuple(row) for query in (COLUMNS, CONSTRAINTS, INDEXES) for row in connection.execute(query)),
            key=repr,
        )


@pytest.fixture(params=STARTS)
async def program(request: pytest.FixtureRequest, postgres_url: str, tmp_path: Path) -> Opened:
    chosen = {f"{request.param}_database_url": postgres_url}
    settings = Settings.read(data=tmp_path, **chosen)
    with pytest.raises(Opening) as asked:
        await STARTS[request.param](AskingRuntime(request.param, settings))
    return Opened(request.param, asked.value.metadata, asked.value.migrations, settings)


def test_revisions_lead_to_the_declared_tables(program: Opened, new_url: Callable[[str], str]) -> None:
    migrated = new_url("postgresql")
    run_alembic(alembic_engine(migrated), migrations_folder(program.migrations), check=check_foreign_keys)
    program.make()
    assert schema(migrated) == schema(program.url)
    SyncDatabase.open(migrated, metadata=program.metadata, migrations=program.migrations).close()


async def test_nodes_that_start_at_once_prepare_it_once(program: Opened) -> None:
    nodes = await asyncio.gather(
        *(
            Database.open(program.url, metadata=program.metadata, migrations=program.migrations)
            for _ in range(3)
        )
    )
    for node in nodes:
        await node.close()
    assert program.stored() == program.known[-1]


async def test_newer_database_stops_the_start_with_a_sentence(program: Opened) -> None:
    program.make()
    newer = SyncDatabase.open(program.url, metadata=program.metadata)
    newer.write(lambda tx: tx.run(text("UPDATE alembic_version SET version_num = '9999'")))
    newer.close()
    with pytest.raises(
        UnableToStart, match=f"has schema revision 9999, this program knows 0001 to {program.known[-1]}"
    ):
        await program.start()


def test_another_programs_database_is_refused(program: Opened) -> None:
    from tests.store.tables import METADATA

    program.make()
    with pytest.raises(UnableToMigrate, match="has no table coin"):
        SyncDatabase.open(program.url, metadata=METADATA, migrations=program.migrations)
