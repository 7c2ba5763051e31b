"""A stopped program's database as the first version left it: what later revisions added is taken away again,
what they wrote in another form is written in the old one."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, MetaData, inspect, text

from tapwatt.store import postgres, sqlite

FIRST = "0001"
STAMP = "alembic_version"
Json = dict[str, Any]


def back_to_first(url: str, program: str, scratch: Path) -> None:
    """Change the database in place; `scratch` is a folder for an empty one of the first revision."""
    first, engine = first_schema(program, scratch), engine_of(url)
    with engine.begin() as connection:
        tariffs = old_tariffs(connection) if program == "platform" else []
        shrink(connection, first)
        if program == "platform":
            connection.execute(text("INSERT INTO tariff VALUES (:operator_id, :tariff_id, :body)"), tariffs)
            rewrite_sessions(connection)
        connection.execute(text(f"UPDATE {STAMP} SET version_num = '{FIRST}'"))
    engine.dispose()


def engine_of(url: str) -> Engine:
    """The migrations' own engine for this database."""
    if url.startswith("postgresql"):
        return postgres.alembic_engine(url)
    return sqlite.alembic_engine(Path(url.removeprefix("sqlite:///")))


def first_schema(program: str, scratch: Path) -> MetaData:
    """The tables of the first revision."""
    engine = sqlite.alembic_engine(scratch / f"{program}-first.sqlite")
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        import_module(f"tapwatt.{program}.migrations.0001_first").upgrade()
    found = MetaData()
    found.reflect(engine)
    engine.dispose()
    return found


def shrink(connection: Connection, first: MetaData) -> None:
    """Drop tables and columns that the first revision has not; make anew what has lost a column or has
    another key since."""
    today = inspect(connection)
    for name in set(today.get_table_names()) - {STAMP}:
        old = first.tables.get(name)
        columns = {column["name"] for column in today.get_columns(name)}
        key = set(today.get_pk_constraint(name)["constrained_columns"])
        if (
            old is None
            or not set(old.columns.keys()) <= columns
            or key != set(old.primary_key.columns.keys())
        ):
            connection.execute(text(f"DROP TABLE {name}"))
            continue
        known = {index.name for index in old.indexes}
        for index in today.get_indexes(name):
            if index["name"] not in known and not index.get("duplicates_constraint"):
                connection.execute(text(f"DROP INDEX IF EXISTS {index['name']}"))
        for column in columns - set(old.columns.keys()):
            connection.execute(text(f"ALTER TABLE {name} DROP COLUMN {column}"))
    first.create_all(connection, checkfirst=True)


def old_tariffs(connection: Connection) -> list[Json]:
    """Published tariffs in the form they had: a price per kWh and a tax."""
    rows = connection.execute(text("SELECT operator_id, tariff_id, body FROM tariff_version")).all()
    return [
        {
            "operator_id": row.operator_id,
            "tariff_id": row.tariff_id,
            "body": json.dumps(old_tariff(json.loads(row.body))),
        }
        for row in rows
    ]


def old_tariff(new: Json) -> Json:
    """The simplest tariff as it was written before."""
    (element,) = new["elements"]
    (component,) = element["components"]
    (tax,) = component["taxes"]
    return {
        "tariff_id": new["tariff_id"],
        "currency": new["currency"],
        "kwh_price": component["price"],
        "tax_rate_percent": tax["rate_percent"],
    }


def rewrite_sessions(connection: Connection) -> None:
    """Sessions without usage and site, with the old tariff; none of them is billed yet."""
    for row in connection.execute(text("SELECT id, state FROM session")).all():
        state = json.loads(row.state)
        if state["bill"] is not None:
            connection.execute(text("DELETE FROM session WHERE id = :id"), {"id": row.id})
            continue
        for name in ("usage", "site", "idle_since_ms", "shown_minor"):
            state.pop(name)
        state["tariff"] = old_tariff(state["tariff"])
        connection.execute(
            text("UPDATE session SET state = :state WHERE id = :id"),
            {"state": json.dumps(state), "id": row.id},
        )
