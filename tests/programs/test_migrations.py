"""Every program's database: its revisions lead to the tables it declares, and it is opened with them (ADR
0011)."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import get_args

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Integer, MetaData, Table, Text, text
from tests.programs.schema import difference, schema

from tapwatt.programs import acquirer, edge, gateway, issuer, platform, scheme
from tapwatt.programs.runtime import Runtime, Start, UnableToStart
from tapwatt.settings import Program, Settings
from tapwatt.sim.site import Asked, start_site
from tapwatt.store import Database, SyncDatabase
from tapwatt.store.migrations import migrations_folder, revisions, run_alembic
from tapwatt.store.sqlite import alembic_engine, check_foreign_keys

STARTS: dict[Program, Start] = {
    "platform": platform.start,
    "edge": edge.start,
    "gateway": gateway.start,
    "acquirer": acquirer.start,
    "scheme": scheme.start,
    "issuer": issuer.start,
    "site": lambda runtime: start_site(runtime, Asked(run_id="run", visits=0, seed=1)),
}
VERSION = text("SELECT version_num FROM alembic_version")


@dataclass
class Opening(Exception):
    """What a program opens its database with, raised in place of opening it."""

    metadata: MetaData
    migrations: str


class AskingRuntime(Runtime):
    """Starts a program as far as its database."""

    async def database(self, metadata: MetaData, *, migrations: str | None = None) -> Database:
        assert migrations is not None, f"{self.name} opens its database without revisions"
        raise Opening(metadata, migrations)


@dataclass(frozen=True)
class Opened:
    """One program and what it opens, in a data directory of its own."""

    name: Program
    metadata: MetaData
    migrations: str
    settings: Settings

    @property
    def url(self) -> str:
        return self.settings.database_url(self.name)

    @property
    def path(self) -> Path:
        return self.settings.data / f"{self.name}.sqlite"

    @property
    def known(self) -> list[str]:
        return revisions(migrations_folder(self.migrations))

    def make(self) -> None:
        """Make the database, or open it, as the program does."""
        SyncDatabase.open(self.url, metadata=self.metadata, migrations=self.migrations).close()

    def stored(self) -> str:
        """The stored revision."""
        database = SyncDatabase.open(self.url, metadata=self.metadata)
        try:
            return str(database.read(lambda tx: tx.run(VERSION))[0].version_num)
        finally:
            database.close()

    async def start(self) -> None:
        """Start the program itself."""
        await STARTS[self.name](Runtime(self.name, self.settings))


@pytest.fixture(params=STARTS)
async def program(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    settings = Settings.read(data=tmp_path)
    with pytest.raises(Opening) as asked:
        await STARTS[request.param](AskingRuntime(request.param, settings))
    return Opened(request.param, asked.value.metadata, asked.value.migrations, settings)


def test_every_program_is_here() -> None:
    # Cables carry bytes and keep nothing.
    assert set(STARTS) == set(get_args(Program)) - {"cables"}


def test_revisions_stand_beside_the_tables(program: Opened) -> None:
    room = program.migrations.removesuffix(".migrations")
    assert import_module(f"{room}.tables").METADATA is program.metadata


def test_revisions_lead_to_the_declared_tables(program: Opened, tmp_path: Path) -> None:
    migrated = tmp_path / "migrated.sqlite"
    folder = migrations_folder(program.migrations)
    run_alembic(alembic_engine(migrated), folder, check=check_foreign_keys)
    program.make()
    assert not (said := difference(migrated, program.path, program.metadata)), f"{folder}\n{said}"
    SyncDatabase.open(
        f"sqlite:///{migrated}", metadata=program.metadata, migrations=program.migrations
    ).close()


def test_file_names_are_the_history(program: Opened) -> None:
    folder = migrations_folder(program.migrations)
    scripts = ScriptDirectory(str(folder), version_locations=[str(folder)])
    history = list(scripts.walk_revisions())[::-1]
    assert [script.revision for script in history] == program.known
    assert [Path(script.path).name[:4] for script in history] == program.known
    assert program.known == [f"{number:04d}" for number in range(1, len(history) + 1)]
    assert scripts.get_heads() == [program.known[-1]]


def test_fresh_database_is_stamped_with_the_head(program: Opened) -> None:
    for _ in range(2):
        program.make()
        assert program.stored() == program.known[-1]


def test_no_start_but_an_upgrade_imports_alembic(tmp_path: Path) -> None:
    code = f"""
        import sys
        from importlib import import_module
        from tapwatt.store import SyncDatabase
        for room in sys.argv[1:]:
            metadata = import_module(room + ".tables").METADATA
            for _ in range(2):
                url = "sqlite:///{tmp_path}/" + room
                SyncDatabase.open(url, metadata=metadata, migrations=room + ".migrations").close()
                assert "alembic" not in sys.modules, room
    """
    rooms = (
        "platform",
        "edge",
        "sim",
        *(f"hosts.{host}" for host in ("gateway", "acquirer", "scheme", "issuer")),
    )
    command = [sys.executable, "-c", dedent(code), *(f"tapwatt.{room}" for room in rooms)]
    subprocess.run(command, check=True, timeout=60)
    assert len(list(tmp_path.iterdir())) == len(STARTS)


async def test_newer_database_stops_the_start_with_a_sentence(program: Opened) -> None:
    program.make()
    newer = SyncDatabase.open(program.url, metadata=program.metadata)
    newer.write(lambda tx: tx.run(text("UPDATE alembic_version SET version_num = '9999'")))
    newer.close()
    sentence = f"has schema revision 9999, this program knows 0001 to {program.known[-1]}"
    with pytest.raises(UnableToStart, match=sentence):
        await program.start()


async def test_unstamped_database_stops_the_start_with_a_sentence(program: Opened) -> None:
    SyncDatabase.open(program.url, metadata=program.metadata).close()
    before = schema(program.path)
    with pytest.raises(UnableToStart, match="has schema revision none, this program knows 0001"):
        await program.start()
    assert schema(program.path) == before


TOY = "CREATE TABLE toy (id INTEGER NOT NULL, name TEXT DEFAULT 'a, b', PRIMARY KEY (id))"
INDEX = "CREATE UNIQUE INDEX ix ON toy (name, id) WHERE id > 1"


def made(path: Path, *statements: str) -> Path:
    """A file with the schema of these statements."""
    engine = alembic_engine(path)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    return path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name TEXT", "title TEXT"),
        ("name TEXT", "name BIGINT"),
        ("name TEXT", "name TEXT NOT NULL"),
        ("'a, b'", "'a,b'"),
        ("DEFAULT 'a, b'", ""),
        ("PRIMARY KEY (id)", "PRIMARY KEY (id, name)"),
        ("PRIMARY KEY (id)", "UNIQUE (id)"),
        ("PRIMARY KEY (id)", "PRIMARY KEY (id), UNIQUE (name)"),
        ("PRIMARY KEY (id)", "PRIMARY KEY (id), CHECK (id > 0)"),
        ("NOT NULL, name TEXT DEFAULT 'a, b', PRIMARY KEY (id)", "PRIMARY KEY AUTOINCREMENT, name TEXT"),
        ("PRIMARY KEY (id))", "PRIMARY KEY (id)) WITHOUT ROWID"),
        ("UNIQUE INDEX", "INDEX"),
        ("INDEX ix", "INDEX iy"),
        ("(name, id)", "(id, name)"),
        ("id > 1", "id > 2"),
        (" WHERE id > 1", ""),
    ],
)
def test_a_planted_difference_is_seen(tmp_path: Path, old: str, new: str) -> None:
    changed = [statement.replace(old, new) for statement in (TOY, INDEX)]
    assert changed != [TOY, INDEX]
    changed = [
        statement.replace("(name, id)", "(id)") if "title" in new else statement for statement in changed
    ]
    assert schema(made(tmp_path / "a", TOY, INDEX)) != schema(made(tmp_path / "b", *changed))


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE toy (name TEXT DEFAULT 'a, b', id INTEGER NOT NULL, PRIMARY KEY (id))"],
        ['CREATE TABLE "toy" (\n\t"id" INTEGER NOT NULL,"name" TEXT DEFAULT \'a, b\', PRIMARY KEY ("id")\n)'],
        [
            "CREATE TABLE toy (id INTEGER NOT NULL, PRIMARY KEY (id))",
            "ALTER TABLE toy ADD COLUMN name TEXT DEFAULT 'a, b'",
        ],
    ],
)
def test_order_and_quotes_are_no_difference(tmp_path: Path, statements: list[str]) -> None:
    assert schema(made(tmp_path / "toy", *statements)) == [
        "toy: CREATE TABLE toy",
        "toy: PRIMARY KEY ( id )",
        "toy: id INTEGER NOT NULL",
        "toy: name TEXT DEFAULT 'a, b'",
    ]


def test_a_missing_revision_is_told_with_its_operations(tmp_path: Path) -> None:
    metadata = MetaData()
    Table("toy", metadata, Column("id", Integer, primary_key=True), Column("pages", Text, nullable=False))
    old = made(tmp_path / "old", "CREATE TABLE toy (id INTEGER NOT NULL, PRIMARY KEY (id))")
    SyncDatabase.open(f"sqlite:///{tmp_path}/new", metadata=metadata).close()
    said = difference(old, tmp_path / "new", metadata)
    assert "+toy: pages TEXT NOT NULL" in said
    assert "batch_op.add_column(sa.Column('pages', sa.Text(), nullable=False))" in said
    assert difference(old, old, metadata) == ""
