"""What every kind of database promises: acknowledged is stored, refused is not (design.md law 4)."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam, insert, select, text
from tests.store.conftest import KINDS, AnyDatabase, open_kind
from tests.store.tables import (
    ADD,
    ADD_TO_PURSE,
    ALL,
    CHANGE,
    COIN,
    COUNT,
    GONE,
    METADATA,
    add,
    ending_transaction_at,
    names,
)

from tapwatt.store import (
    Database,
    Transaction,
    UnableToCompile,
    UnableToStore,
    UnableToStoreDuplicate,
)


async def test_committed_rows_are_read_by_column_name(database: AnyDatabase) -> None:
    await database.write(lambda tx: tx.run(ADD, name="penny", amount_minor=2**53 + 1, note="é€漢"))
    row = await database.read(lambda tx: tx.one(ALL))
    assert row is not None
    assert (row.name, row.amount_minor, row.note) == ("penny", 2**53 + 1, "é€漢")
    assert tuple(row) == ("penny", 2**53 + 1, "é€漢")
    assert row._asdict() == {"name": "penny", "amount_minor": 2**53 + 1, "note": "é€漢"}


async def test_write_returns_what_the_work_returns(database: AnyDatabase) -> None:
    assert await database.write(lambda tx: tx.run(ADD, name="a", amount_minor=1)) == []
    (row,) = await database.write(lambda tx: tx.run(CHANGE, coin="a", amount_minor=7))
    assert (row.name, row.amount_minor) == ("a", 7)
    assert await database.write(lambda tx: tx.one(CHANGE, coin="nobody", amount_minor=7)) is None


async def test_an_exception_undoes_its_callers_rows_only(database: AnyDatabase) -> None:
    def failing(tx: Transaction) -> None:
        tx.run(ADD, name="b", amount_minor=1)
        raise ZeroDivisionError("mine")

    await database.write(add("a"))
    with pytest.raises(ZeroDivisionError, match="mine"):
        await database.write(failing)
    await database.write(add("c"))
    assert await database.read(names) == {"a", "c"}


async def test_poisoned_batch_fails_only_the_duplicate(database: AnyDatabase) -> None:
    await database.write(add("coin-25"))
    works = [database.write(add(f"coin-{number}")) for number in range(50)]
    results = await asyncio.gather(*works, return_exceptions=True)
    failed = [number for number, result in enumerate(results) if isinstance(result, BaseException)]
    assert failed == [25]
    assert isinstance(results[25], UnableToStoreDuplicate)
    assert len(await database.read(names)) == 50


async def test_a_caught_duplicate_leaves_the_callers_other_rows(database: AnyDatabase) -> None:
    def work(tx: Transaction) -> None:
        tx.run(ADD, name="a", amount_minor=1)
        with pytest.raises(UnableToStoreDuplicate):
            tx.run(ADD, name="a", amount_minor=2)
        tx.run(ADD, name="b", amount_minor=3)

    await database.write(work)
    assert await database.read(names) == {"a", "b"}


async def test_missing_value_is_refused_and_not_called_a_duplicate(database: AnyDatabase) -> None:
    with pytest.raises(UnableToStore) as caught:
        await database.write(lambda tx: tx.run(ADD, name="a", amount_minor=None))
    assert not isinstance(caught.value, UnableToStoreDuplicate)


async def test_lost_transaction_stores_nothing_and_says_so(database: AnyDatabase) -> None:
    await database.write(ending_transaction_at("doom"))

    def work(tx: Transaction) -> None:
        tx.run(ADD, name="before", amount_minor=1)
        tx.run(ADD, name="doom", amount_minor=1)

    with pytest.raises(UnableToStore, match=GONE):
        await database.write(work)
    assert await database.read(names) == set()
    await database.write(add("after"))
    assert await database.read(names) == {"after"}


async def test_work_that_hides_a_lost_transaction_can_store_nothing_more(database: AnyDatabase) -> None:
    await database.write(ending_transaction_at("doom"))
    told: list[str] = []

    def careless(tx: Transaction) -> None:
        for name in ("doom", "stray"):
            try:
                tx.run(ADD, name=name, amount_minor=1)
            except UnableToStore as error:
                told.append(str(error))

    with pytest.raises(UnableToStore, match=GONE):
        await database.write(careless)
    assert len(told) == 2
    assert await database.read(names) == set()


async def test_failed_commit_is_never_called_done(database: AnyDatabase) -> None:
    called: list[str] = []

    def work(tx: Transaction) -> None:
        tx.after_commit(lambda: called.append("yes"))
        tx.run(ADD, name="a", amount_minor=1)
        tx.run(ADD_TO_PURSE, id=1, coin="not there")

    with pytest.raises(UnableToStore, match=r"(?i)foreign key"):
        await database.write(work)
    assert await database.read(names) == set()
    assert called == []
    await database.write(add("b"))
    assert await database.read(names) == {"b"}


@pytest.mark.parametrize("kind", ["file", "memory", "sync"])
async def test_full_disk_keeps_what_was_acknowledged_and_recovers(
    kind: str, new_url: Callable[[str], str]
) -> None:
    database = await open_kind(kind, new_url)
    pages = await database.write(lambda tx: tx.run(text("PRAGMA page_count"))[0][0])
    await database.write(lambda tx: tx.run(text(f"PRAGMA max_page_count = {pages + 6}")))

    def bulky(name: str) -> Any:
        return lambda tx: tx.run(ADD, name=name, amount_minor=1, note="x" * 2_000)

    works = [database.write(bulky(f"{number:03}")) for number in range(40)]
    results = await asyncio.gather(*works, return_exceptions=True)
    stored = {f"{number:03}" for number, result in enumerate(results) if result == []}
    assert any(isinstance(result, UnableToStore) for result in results)
    assert await database.read(names) == stored
    await database.write(lambda tx: tx.run(text("PRAGMA max_page_count = 100000")))
    await database.write(bulky("after"))
    assert await database.read(names) == stored | {"after"}
    await database.close()


async def test_a_read_may_not_write(database: AnyDatabase) -> None:
    for statement in (insert(COIN).values(name="a", amount_minor=1), text("DELETE FROM coin")):
        with pytest.raises(UnableToStore, match="a read may not write"):
            await database.read(lambda tx, statement=statement: tx.run(statement))  # type: ignore[misc]
    assert await database.read(names) == set()


async def test_a_read_may_use_text(database: AnyDatabase) -> None:
    assert await database.read(lambda tx: tx.run(text("SELECT :x AS y"), x=3)[0].y) == 3


async def test_a_transaction_is_over_when_its_work_returns(database: AnyDatabase) -> None:
    kept: list[Transaction] = []
    await database.write(kept.append)
    await database.read(kept.append)
    for tx in kept:
        with pytest.raises(UnableToStore, match="is over"):
            tx.run(ADD, name="a", amount_minor=1)


async def test_calls_back_in_commit_order_after_commit_only(database: AnyDatabase) -> None:
    called: list[int] = []

    def work(number: int) -> Any:
        def run(tx: Transaction) -> None:
            tx.after_commit(lambda: called.append(number))
            tx.run(ADD, name=str(number), amount_minor=1)
            if number == 2:
                raise ZeroDivisionError

        return run

    await asyncio.gather(*(database.write(work(number)) for number in range(5)), return_exceptions=True)
    assert called == [0, 1, 3, 4]


async def test_parameters_are_checked(database: AnyDatabase) -> None:
    some = select(COIN).where(COIN.c.name == bindparam("wanted"))
    for parameters in ({}, {"wnated": "a"}, {"wanted": "a", "more": 1}, {"wanted": 1.5}, {"wanted": b"a"}):
        with pytest.raises(UnableToCompile):
            await database.write(lambda tx, given=parameters: tx.run(some, **given))  # type: ignore[misc]
    assert await database.read(lambda tx: tx.run(some, wanted="a")) == []


async def test_statements_of_all_shapes(database: AnyDatabase) -> None:
    fixed = insert(COIN).values(name="fixed", amount_minor=5)
    mixed = insert(COIN).values(name=bindparam("called"), amount_minor=5)
    listed = select(COUNT.subquery().c.coins, COIN.c.name.label("n")).where(
        COIN.c.name.in_(["fixed", "mixed"])
    )

    def work(tx: Transaction) -> None:
        tx.run(fixed)
        tx.run(mixed, called="mixed")

    await database.write(work)
    rows = await database.read(lambda tx: tx.run(listed.order_by(COIN.c.name).limit(1)))
    assert [(row.coins, row.n) for row in rows] == [(2, "fixed")]


NUMBERS = itertools.count(1)
Plan = list[list[tuple[str, str]]]
"""Rounds of (name, fate) that are queued together."""
PLANS = st.lists(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(("ok", "raise", "commit", "doom")))),
    max_size=4,
)


def fated(name: str, fate: str) -> Any:
    def work(tx: Transaction) -> None:
        tx.run(ADD, name=name, amount_minor=1)
        if fate == "raise":
            raise ZeroDivisionError
        if fate == "commit":
            tx.run(ADD_TO_PURSE, id=ord(name), coin="not there")
        if fate == "doom":
            tx.run(ADD, name="doom", amount_minor=1)

    return work


async def run_plan(kind: str, new_url: Callable[[str], str], plan: Plan) -> None:
    database = await open_kind(kind, new_url)
    try:
        await database.write(ending_transaction_at("doom"))
        acknowledged: set[str] = set()
        for batch in plan:
            works = [database.write(fated(name, fate)) for name, fate in batch]
            results = await asyncio.gather(*works, return_exceptions=True)
            acknowledged |= {name for (name, _), result in zip(batch, results, strict=True) if result is None}
            assert await database.read(names) == acknowledged
    finally:
        await database.close()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=PLANS)
def test_acknowledged_is_exactly_what_is_stored(
    kind: str, new_url: Callable[[str, str], str], plan: Plan
) -> None:
    name = f"plan-{next(NUMBERS)}"
    asyncio.run(run_plan(kind, lambda engine: new_url(engine, name), plan))


async def test_reads_see_a_snapshot_while_writers_go_on(database_url: str) -> None:
    database = await Database.open(database_url, metadata=METADATA)
    loop = asyncio.get_running_loop()
    await database.write(add("a"))

    def twice(tx: Transaction) -> tuple[set[str], set[str]]:
        first = names(tx)
        asyncio.run_coroutine_threadsafe(database.write(add("b")), loop).result(10)
        return first, names(tx)

    assert await database.read(twice) == ({"a"}, {"a"})
    assert await database.read(names) == {"a", "b"}
    await database.close()
