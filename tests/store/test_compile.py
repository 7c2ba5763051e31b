"""Statements compiled once, and never without bound."""

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, bindparam, insert, select
from sqlalchemy.dialects.sqlite import dialect
from tests.store.tables import ADD, COIN

from tapwatt.store import UnableToCompile
from tapwatt.store.compile import MOST_COMPILED, Compiler


@pytest.fixture
def compiler() -> Compiler:
    return Compiler(dialect(paramstyle="qmark"))


def test_a_statement_is_compiled_once(compiler: Compiler) -> None:
    statement = select(COIN).where(COIN.c.name == bindparam("wanted"))
    assert compiler.prepare(statement, {"wanted": "a"}) is compiler.prepare(statement, {"wanted": "b"})


def test_an_insert_takes_its_columns_from_the_parameters(compiler: Compiler) -> None:
    short = compiler.prepare(ADD, {"name": "a"})
    assert short.text == "INSERT INTO coin (name) VALUES (?)"
    assert compiler.prepare(ADD, {"name": "a", "note": "b"}).values({"note": "b", "name": "a"}) == ("a", "b")
    assert compiler.prepare(ADD, {"name": "z"}) is short


def test_parameters_go_where_the_text_wants_them(compiler: Compiler) -> None:
    statement = (
        COIN.update()
        .where(COIN.c.name == bindparam("wanted"), COIN.c.amount_minor > 5)
        .values(note=bindparam("note"), amount_minor=bindparam("amount_minor"))
    )
    prepared = compiler.prepare(statement, {})
    assert prepared.text.count("?") == 4
    assert prepared.values({"wanted": "w", "note": "n", "amount_minor": 1}) == (1, "n", "w", 5)


def test_queries_built_anew_each_time_do_not_eat_memory(compiler: Compiler) -> None:
    kept = [select(COIN) for _ in range(MOST_COMPILED + 10)]
    for statement in kept:
        compiler.prepare(statement, {})
    assert len(compiler._known) == MOST_COMPILED


def test_defaults_computed_in_python_are_refused(compiler: Compiler) -> None:
    table = Table("x", MetaData(), Column("id", Integer), Column("n", Integer, default=lambda: 3))
    with pytest.raises(UnableToCompile, match="default computed in Python"):
        compiler.prepare(insert(table), {"id": 1})


def test_a_list_beside_a_parameter_still_wants_the_parameter(compiler: Compiler) -> None:
    statement = select(COIN.c.note).where(COIN.c.note.in_(["a", "b"]), COIN.c.name == bindparam("name"))
    prepared = compiler.prepare(statement, {"name": "x"})
    assert sorted(prepared.values({"name": "x"})) == ["a", "b", "x"]
    with pytest.raises(UnableToCompile, match="parameter name is missing"):
        prepared.values({})
