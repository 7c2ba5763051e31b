"""One step in one transaction: what is written, what a repeat does, what is refused. No loop, no thread."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from tests.engine.toy import (
    JAR,
    METADATA,
    TABLES,
    Came,
    Fetch,
    Jar,
    Label,
    Lid,
    Made,
    NoRow,
    Sent,
    Shut,
    Ticked,
    Unlisted,
    WakeAt,
)

from tapwatt.engine import Machine, Refusal, Step, UnableToDescribe, UnableToRecord, steps
from tapwatt.engine.machine import to_text
from tapwatt.store import SyncDatabase, Transaction, UnableToStoreDuplicate


class Bench:
    """The engine's functions on a synchronous database, as a simulation uses them."""

    def __init__(self) -> None:
        self.database = SyncDatabase.open(metadata=METADATA)
        self.now_ms = 1_000

    def step(self, jar: str, event: Any, key: str | None = None, **settings: Any) -> Step[Jar, Any, Fetch]:
        self.now_ms += 1
        return self.database.write(
            lambda tx: steps.step(tx, TABLES, JAR, jar, event, key, self.now_ms, **settings)
        )

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        found = getattr(TABLES, table)
        query = select(*(found.c[column] for column in columns))
        return [tuple(row) for row in self.database.read(lambda tx: tx.run(query))]

    def load(self, jar: str) -> Jar | None:
        return self.database.read(lambda tx: steps.load(tx, TABLES, JAR, jar))

    def find(self, label: str) -> str | None:
        return self.database.read(lambda tx: steps.find(tx, TABLES, "label", label))

    def wake(self, jar: str) -> Any:
        return self.database.write(lambda tx: steps.wake(tx, TABLES, JAR, jar, self.now_ms))


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.database.close()


def test_a_step_writes_state_event_and_effects_with_their_owner(bench: Bench) -> None:
    bench.step("j", Made(owner="op"))
    taken = bench.step("j", Sent(things=("a1", "b1")), key="order-1")
    assert (taken.before, taken.state, taken.version) == (Jar(owner="op"), Jar(owner="op"), 2)
    assert taken.effects == (Fetch(thing="a1"), Fetch(thing="b1"))
    assert not taken.repeated
    assert bench.rows("machine", "id", "owner", "status", "version", "created_ms", "updated_ms") == [
        ("j", "op", "open", 2, 1_001, 1_002)
    ]
    assert bench.rows(
        "event", "version", "kind", "key", "owner", "status_before", "status_after", "at_ms"
    ) == [
        (1, "Made", None, "op", None, "open", 1_001),
        (2, "Sent", "order-1", "op", "open", "open", 1_002),
    ]
    assert bench.rows("effect", "version", "seq", "lane", "kind", "body", "owner", "attempts", "done_ms") == [
        (2, 0, "a", "Fetch", '{"thing":"a1"}', "op", 0, None),
        (2, 1, "b", "Fetch", '{"thing":"b1"}', "op", 0, None),
    ]
    assert [outgoing.id for outgoing in taken.waiting] == [row[0] for row in bench.rows("effect", "id")]


def test_states_come_back_as_they_went(bench: Bench) -> None:
    full = Jar(
        owner="op",
        lid=Lid.SHUT,
        label=Label(text="é€漢", colours=("red", "")),
        contents=("a",),
        places={"shelf": 2**62},
    )
    assert JAR.state(to_text(full)) == full


def test_a_known_key_changes_nothing_and_returns_todays_state(bench: Bench) -> None:
    bench.step("j", Made(owner="op"), key="k")
    bench.step("j", Came(thing="a"))
    again = bench.step("j", Made(owner="somebody else"), key="k")
    assert again.repeated
    assert again.state == again.before == Jar(owner="op", contents=("a",))
    assert (again.effects, again.waiting, again.version) == ((), (), 2)
    assert len(bench.rows("event", "id")) == 2


def test_the_same_key_on_another_machine_is_another_key(bench: Bench) -> None:
    assert not bench.step("j", Made(owner="op"), key="k").repeated
    assert not bench.step("i", Made(owner="op"), key="k").repeated


def test_a_decide_that_raises_leaves_everything_as_it_was(bench: Bench) -> None:
    bench.step("j", Made(owner="op"))
    bench.step("j", Shut())
    before = bench.rows("machine", *TABLES.machine.c.keys())
    for jar in ("j", "not made"):
        with pytest.raises(NoRow):
            bench.step(jar, Sent(things=("a",)), key="k")
    assert bench.rows("machine", *TABLES.machine.c.keys()) == before
    assert len(bench.rows("event", "id")) == 2
    assert bench.rows("effect", "id") == []


def test_unlisted_types_are_refused_before_anything_is_written(bench: Bench) -> None:
    bench.step("j", Made(owner="op"))
    with pytest.raises(UnableToRecord, match="does not list Unlisted"):
        bench.step("j", Unlisted())
    assert len(bench.rows("event", "id")) == 1
    with pytest.raises(UnableToRecord, match="has no effect Fly"):
        JAR.effect("Fly", "{}")


def test_machines_are_found_by_what_they_are_now(bench: Bench) -> None:
    bench.step("j", Made(owner="op", label="jam"))
    assert bench.find("jam") == "j"
    bench.step("j", Made(owner="op", label="honey"))
    assert (bench.find("jam"), bench.find("honey")) == (None, "j")
    bench.step("i", Made(owner="op", label="jam"))
    assert bench.find("jam") == "i"
    assert bench.rows("key", "name", "value", "machine_id", "owner") == [
        ("label", "honey", "j", "op"),
        ("label", "jam", "i", "op"),
    ]


def test_an_index_value_belongs_to_one_machine(bench: Bench) -> None:
    bench.step("j", Made(owner="op", label="jam"))
    with pytest.raises(UnableToStoreDuplicate):
        bench.step("i", Made(owner="op", label="jam"))
    assert bench.load("i") is None
    assert bench.find("jam") == "j"


def test_inline_effects_are_performed_in_the_commit(bench: Bench) -> None:
    seen: list[tuple[Fetch, ...]] = []

    def inline(tx: Transaction, taken: Step[Any, Any, Any]) -> frozenset[int]:
        assert steps.load(tx, TABLES, JAR, "j") == taken.state
        seen.append(taken.effects)
        return frozenset({1} if taken.effects else ())

    bench.step("j", Made(owner="op"), inline=inline)
    taken = bench.step("j", Sent(things=("a", "b", "c")), inline=inline)
    assert seen == [(), taken.effects]
    assert [outgoing.body for outgoing in taken.waiting] == ['{"thing":"a"}', '{"thing":"c"}']
    assert bench.rows("effect", "done_ms") == [(None,), (1_002,), (None,)]


def test_an_inline_that_raises_undoes_the_step(bench: Bench) -> None:
    def inline(tx: Transaction, taken: Step[Any, Any, Any]) -> frozenset[int]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bench.step("j", Made(owner="op"), inline=inline)
    assert bench.load("j") is None


def test_an_effect_is_done_once_and_its_answer_is_tied_to_it(bench: Bench) -> None:
    bench.step("j", Made(owner="op"))
    (outgoing,) = bench.step("j", Sent(things=("a",))).waiting

    def finish(tx: Transaction) -> Any:
        return steps.finish(tx, TABLES, JAR, outgoing, Came(thing="a"), 2_000)

    assert isinstance(bench.database.write(finish), Step)
    assert bench.database.write(finish) is None
    assert bench.load("j") == Jar(owner="op", contents=("a",))
    assert bench.rows("event", "kind", "effect_id")[-1] == ("Came", outgoing.id)
    assert bench.database.read(lambda tx: steps.undone(tx, TABLES)) == []


def test_a_refused_answer_is_kept_as_evidence_and_its_effect_is_done(bench: Bench) -> None:
    bench.step("j", Made(owner="op"))
    (outgoing,) = bench.step("j", Sent(things=("a",))).waiting
    bench.step("j", Shut())
    refusal = bench.database.write(lambda tx: steps.finish(tx, TABLES, JAR, outgoing, Came(thing="a"), 2_000))
    assert refusal == Refusal(machine_id="j", kind="Came", reason="NoRow: shut for Came")
    assert bench.rows("event", "version", "kind", "body", "refused", "effect_id", "owner")[-1] == (
        None,
        "Came",
        '{"thing":"a"}',
        "NoRow: shut for Came",
        outgoing.id,
        "op",
    )
    assert bench.rows("effect", "done_ms") == [(2_000,)]
    assert bench.rows("machine", "version") == [(3,)]


def test_a_timer_wakes_only_when_its_time_has_come(bench: Bench) -> None:
    bench.step("j", Made(owner="op"))
    bench.step("j", WakeAt(at_ms=5_000))
    assert bench.wake("j") is None
    bench.now_ms = 5_000
    taken = bench.wake("j")
    assert taken.event == Ticked(now_ms=5_000)
    assert bench.wake("j") is None
    assert bench.wake("nobody") is None


def test_the_due_list_is_in_order_and_says_when_next(bench: Bench) -> None:
    for jar, at_ms in (("late", 9_000), ("two", 2_000), ("one", 1_500)):
        bench.step(jar, Made(owner="op"))
        bench.step(jar, WakeAt(at_ms=at_ms))
    bench.step("never", Made(owner="op"))
    assert bench.database.read(lambda tx: steps.due(tx, TABLES, 3_000, most=9)) == (["one", "two"], 1_500)
    assert bench.database.read(lambda tx: steps.due(tx, TABLES, 3_000, most=1)) == (["one"], 1_500)
    assert bench.database.read(lambda tx: steps.due(tx, TABLES, 0, most=9)) == ([], 1_500)


def test_a_refused_tick_is_kept_once_and_tried_later(bench: Bench) -> None:
    bench.step("j", Made(owner="op"))
    bench.step("j", WakeAt(at_ms=1_500))
    bench.step("j", Shut())
    for turn in range(3):
        bench.now_ms = 1_500 + turn * steps.TICK_REFUSED_AGAIN_MS
        assert isinstance(bench.wake("j"), Refusal)
        assert bench.rows("machine", "due_ms") == [(bench.now_ms + steps.TICK_REFUSED_AGAIN_MS,)]
    assert [row for row in bench.rows("event", "refused") if row[0]] == [("NoRow: shut for Ticked",)]


def test_a_timer_that_asks_for_the_past_is_not_woken_without_end(bench: Bench) -> None:
    restless = replace(JAR, due_ms=lambda jar: 1_000)
    bench.step("j", Made(owner="op"))
    bench.step("j", WakeAt(at_ms=1_000))
    bench.now_ms = 3_000
    taken = bench.database.write(lambda tx: steps.wake(tx, TABLES, restless, "j", 3_000))
    assert isinstance(taken, Step)
    assert bench.rows("machine", "due_ms") == [(3_000 + steps.TICK_AT_MOST_EVERY_MS,)]


def described(state: type) -> Machine[Any, Any, Any]:
    return Machine(
        name="x",
        decide=lambda state, event: (state, ()),
        state_type=state,
        events=(),
        effects=(),
        owner=str,
        status=str,
        lane=str,
    )


def test_types_that_cannot_be_stored_are_named_when_the_machine_is_made() -> None:
    @dataclass(frozen=True)
    class Price:
        euros: float

    @dataclass(frozen=True)
    class Basket:
        prices: tuple[Price | None, ...]

    @dataclass(frozen=True)
    class Either:
        one: Price | Label

    @dataclass(frozen=True)
    class Exact:
        price: Decimal

    for state in (Price, Basket, Either):
        with pytest.raises(UnableToDescribe, match=state.__name__):
            described(state)
    described(Exact)
    with pytest.raises(UnableToDescribe, match="same name"):
        replace(described(Exact), events=(Made, Made))
