"""Tariffs of before there were versions become version 1, published, on both engines."""

import importlib
import json
from pathlib import Path

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text
from tests.conftest import ENGINES

from tapwatt.platform import tariffs
from tapwatt.store import Row, postgres, sqlite
from tapwatt.store.compile import row_type

BODY = json.dumps(
    {
        "tariff_id": "T",
        "currency": "EUR",
        "elements": [{"components": [{"dimension": "ENERGY", "price": "0.4900"}]}],
    }
)


def engine_of(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if name == "sqlite":
        return sqlite.alembic_engine(tmp_path / "old.sqlite")
    return postgres.alembic_engine(request.getfixturevalue("postgres_url"))


@pytest.mark.parametrize("name", ENGINES)
def test_a_tariff_becomes_version_one(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    revision = importlib.import_module("tapwatt.platform.migrations.0006_tariff_versions")
    engine = engine_of(name, request, tmp_path)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE tariff (operator_id TEXT, tariff_id TEXT, body TEXT)"))
        connection.execute(text("INSERT INTO tariff VALUES ('demo', 'T', :body)"), {"body": BODY})
        with Operations.context(MigrationContext.configure(connection)):
            revision.upgrade()
        found = connection.execute(text("SELECT * FROM tariff_version")).all()
        columns = tuple(found[0]._fields)
    engine.dispose()
    assert len(found) == 1
    row: Row = row_type(columns)(found[0])
    assert (row.operator_id, row.tariff_id, row.version, row.state) == ("demo", "T", 1, tariffs.PUBLISHED)
    assert (row.valid_from_ms, row.valid_to_ms) == (0, None)
    assert str(tariffs.tariff_of(row).elements[0].components[0].price) == "0.4900"
