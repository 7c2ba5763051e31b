"""The schema at start: created, left alone, upgraded, or refused in words."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, select, text

from tapwatt.store import Database, SyncDatabase, UnableToMigrate, UnableToOpen, UnableToStore

OLD = MetaData()
OLD_BOOK = Table("book", OLD, Column("id", Integer, primary_key=True), Column("title", Text, nullable=False))
NEW = MetaData()
NEW_BOOK = Table(
    "book",
    NEW,
    Column("id", Integer, primary_key=True),
    Column("title", Text, nullable=False),
    Column("pages", Integer, nullable=False, index=True),
)
VERSION = text("SELECT version_num FROM alembic_version")
FIRST = """
    import sqlalchemy as sa
    from alembic import op
    revision, down_revision = "0001", None
    def upgrade():
        op.create_table("book", sa.Column("id", sa.Integer, primary_key=True), sa.Column("title", sa.Text))
"""
SECOND = """
    import sqlalchemy as sa
    from alembic import op
    revision, down_revision = "0002", "0001"
    def upgrade():
        op.execute("CREATE TABLE passing (id INTEGER)")
        op.execute("DROP TABLE passing")
        with op.batch_alter_table("book") as book:
            book.add_column(sa.Column("pages", sa.Integer, nullable=False, server_default="7"))
        op.create_index("ix_book_pages", "book", ["pages"])
"""
BROKEN = SECOND + "        raise RuntimeError('half way')\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty migrations package named toy_migrations."""
    folder = tmp_path / "toy_migrations"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    sys.modules.pop("toy_migrations", None)


def revision(package: Path, name: str, code: str) -> None:
    (package / name).write_text(dedent(code))


def open_old(database_url: str, package: Path) -> None:
    """Make a database at revision 0001 with one book."""
    revision(package, "0001_book.py", FIRST)
    old = SyncDatabase.open(database_url, metadata=OLD, migrations="toy_migrations")
    old.write(lambda tx: tx.run(insert(OLD_BOOK), id=1, title="Tap"))
    old.close()


def test_fresh_database_gets_todays_tables_and_the_head(database_url: str, package: Path) -> None:
    revision(package, "0001_book.py", FIRST)
    revision(package, "0002_pages.py", SECOND)
    for _ in range(2):
        database = SyncDatabase.open(database_url, metadata=NEW, migrations="toy_migrations")
        assert database.read(lambda tx: tx.run(VERSION)) == [("0002",)]
        assert database.read(lambda tx: tx.run(select(NEW_BOOK))) == []
        database.close()


def test_alembic_stays_out_unless_the_revision_is_old(database_url: str, package: Path) -> None:
    revision(package, "0001_book.py", FIRST)
    code = dedent(f"""
        import sys
        sys.path.insert(0, {str(package.parent)!r})
        from sqlalchemy import Column, Integer, MetaData, Table, Text
        from tapwatt.store import SyncDatabase
        import tapwatt.engine
        metadata = MetaData()
        Table("book", metadata, Column("id", Integer, primary_key=True), Column("title", Text))
        for _ in range(2):
            SyncDatabase.open({database_url!r}, metadata=metadata, migrations="toy_migrations").close()
        assert "alembic" not in sys.modules
        assert "sqlalchemy.orm" not in sys.modules
    """)
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


async def test_old_database_is_migrated_with_its_rows(database_url: str, package: Path) -> None:
    open_old(database_url, package)
    revision(package, "0002_pages.py", SECOND)
    database = await Database.open(database_url, metadata=NEW, migrations="toy_migrations")
    assert await database.read(lambda tx: tx.run(select(NEW_BOOK))) == [(1, "Tap", 7)]
    assert await database.read(lambda tx: tx.run(VERSION)) == [("0002",)]
    await database.write(lambda tx: tx.run(insert(NEW_BOOK), id=2, title="Watt", pages=9))
    await database.close()


def test_failing_migration_changes_nothing(database_url: str, package: Path) -> None:
    open_old(database_url, package)
    revision(package, "0002_pages.py", BROKEN)
    with pytest.raises(UnableToMigrate, match="half way"):
        SyncDatabase.open(database_url, metadata=NEW, migrations="toy_migrations")
    (package / "0002_pages.py").unlink()
    database = SyncDatabase.open(database_url, metadata=OLD, migrations="toy_migrations")
    assert database.read(lambda tx: tx.run(select(OLD_BOOK))) == [(1, "Tap")]
    database.close()


def test_migration_that_leaves_dangling_rows_changes_nothing(database_url: str, package: Path) -> None:
    open_old(database_url, package)
    dangling = """
        from alembic import op
        revision, down_revision = "0002", "0001"
        def upgrade():
            op.execute(
                "CREATE TABLE page (book INTEGER REFERENCES book (id) DEFERRABLE INITIALLY DEFERRED)"
            )
            op.execute("INSERT INTO page VALUES (99)")
    """
    revision(package, "0002_pages.py", dangling)
    with pytest.raises(UnableToMigrate, match=r"point to rows that are not there|foreign key"):
        SyncDatabase.open(database_url, metadata=OLD, migrations="toy_migrations")
    (package / "0002_pages.py").unlink()
    SyncDatabase.open(database_url, metadata=OLD, migrations="toy_migrations").close()


def test_newer_database_is_refused_naming_both(database_url: str, package: Path) -> None:
    revision(package, "0001_book.py", FIRST)
    revision(package, "0002_pages.py", SECOND)
    SyncDatabase.open(database_url, metadata=NEW, migrations="toy_migrations").close()
    (package / "0002_pages.py").unlink()
    with pytest.raises(UnableToMigrate, match="has schema revision 0002, this program knows 0001 to 0001"):
        SyncDatabase.open(database_url, metadata=OLD, migrations="toy_migrations")


def test_strange_database_is_refused(database_url: str, package: Path) -> None:
    revision(package, "0001_book.py", FIRST)
    SyncDatabase.open(database_url, metadata=NEW).close()
    with pytest.raises(UnableToMigrate, match="has schema revision none"):
        SyncDatabase.open(database_url, metadata=NEW, migrations="toy_migrations")


@pytest.mark.parametrize(
    ("files", "reason"),
    [((), "no NNNN_name.py"), (("0001_a.py", "0001_b.py"), "same revision number")],
)
def test_bad_migrations_package_is_named(
    database_url: str, package: Path, files: tuple[str, ...], reason: str
) -> None:
    for file in files:
        revision(package, file, FIRST)
    with pytest.raises(UnableToMigrate, match=reason):
        SyncDatabase.open(database_url, metadata=OLD, migrations="toy_migrations")


def test_missing_migrations_package_is_named(database_url: str) -> None:
    with pytest.raises(UnableToMigrate, match="no migrations package toy_nowhere"):
        SyncDatabase.open(database_url, metadata=OLD, migrations="toy_nowhere")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://localhost/x", "kind mysql are not supported"),
        ("postgresql:///x?host=/nowhere", "unable to open the database x at /nowhere"),
        ("not a url", "cannot be read"),
        ("sqlite:////nowhere/at/all.db", "unable to open the database /nowhere/at/all.db"),
    ],
)
def test_what_cannot_be_opened_is_said_in_a_sentence(url: str, reason: str) -> None:
    with pytest.raises(UnableToOpen, match=reason):
        SyncDatabase.open(url, metadata=OLD)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("hello " * 100)
    with pytest.raises(UnableToOpen, match="not a database"):
        SyncDatabase.open(f"sqlite:///{tmp_path}/x.db", metadata=OLD)


def test_database_files_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "odd ?#%name.db"
    opened = SyncDatabase.open("sqlite:///" + str(path).replace("%", "%25").replace("?", "%3F"), metadata=OLD)
    opened.write(lambda tx: tx.run(insert(OLD_BOOK), id=1, title="Tap"))
    files = list(tmp_path.iterdir())
    assert len(files) == 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    opened.close()


def test_files_are_durable_at_every_commit(tmp_path: Path) -> None:
    database = SyncDatabase.open(f"sqlite:///{tmp_path}/toy.db", metadata=OLD)
    pragmas = {}
    for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout"):
        with pytest.raises(UnableToStore):
            database.read(lambda tx, name=name: tx.run(text(f"PRAGMA {name} = 0")))  # type: ignore[misc]
        pragmas[name] = database.write(lambda tx, name=name: tx.run(text(f"PRAGMA {name}"))[0][0])  # type: ignore[misc]
    database.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
