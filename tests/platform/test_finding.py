"""Sessions found by what a driver remembers, a page at a time; facts, notes and holds of one operator."""

import importlib
from pathlib import Path
from typing import Any

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text, update
from tests.conftest import ENGINES
from tests.platform.test_tariff_migration import engine_of
from tests.web.scenes import CURVE, Scene
from tests.web.serving import site_at

from tapwatt.platform import facts, finding, fleet, holds, notes
from tapwatt.platform.day_figures import OF_DAY
from tapwatt.platform.tables import SESSION, SESSION_FACT
from tapwatt.store import Transaction

F = SESSION_FACT.c


async def add(scene: Scene, count: int, **more: Any) -> None:
    """Copies of the first session, each a minute older, so that there is something to page through."""

    def write(tx: Transaction) -> None:
        first = tx.run(select(SESSION_FACT))[0]._asdict()
        state = tx.run(text("SELECT * FROM session"))[0]._asdict()
        for place in range(count):
            name = f"copy-{place:03}"
            tx.run(SESSION.statements.create, **{**state, "id": name})
            tx.run(
                facts.ADD,
                **{**first, "session_id": name, "opened_ms": first["opened_ms"] - place // 3, **more},
            )

    await scene.database.write(write)


async def found(
    scene: Scene, cursor: str | None = None, most: int = 50, owner: str = "demo", **wanted: Any
) -> tuple[list[str], str | None]:
    rows, after = await scene.database.read(
        lambda tx: finding.find(
            tx, operator_id=owner, wanted=finding.Wanted(**wanted), cursor=cursor, most=most
        )
    )  # fmt: skip
    return [row.id for row in rows], after


async def test_each_filter_finds_its_session_and_no_other(tmp_path: Path) -> None:
    async with site_at(tmp_path) as scene:
        await scene.opens()
        paid = await scene.visit(1, *CURVE, last_four="0004")
        at_ms = scene.at_ms
        declined = await scene.declined(2)
        everything, _ = await found(scene)
        assert {paid, declined} <= set(everything)
        only_paid: list[dict[str, Any]] = [{"last_four": "0004"}, {"state": "closed", "last_four": "0004"},
                     {"to_ms": at_ms - 240_000},
                     {"amount_minor": 1538}, {"amount_minor": 6000}]  # fmt: skip
        for wanted in only_paid:
            assert paid in (await found(scene, **wanted))[0], wanted
            assert declined not in (await found(scene, **wanted))[0], wanted
        only_declined: list[dict[str, Any]] = [
            {"last_four": "4444"},
            {"state": "failed"},
            {"reason": "payment declined"},
        ]
        for wanted in only_declined:
            assert (await found(scene, **wanted))[0] == [declined], wanted
        assert set((await found(scene, leader="terminal"))[0]) == {paid, declined}
        assert (await found(scene, station_id="CS2"))[0] == []
        assert (await found(scene, amount_minor=1537))[0] == []


async def test_pages_join_without_a_gap_or_a_double_while_sessions_begin(tmp_path: Path) -> None:
    async with site_at(tmp_path) as scene:
        await scene.opens()
        await scene.declined(1)
        await add(scene, 23)
        whole, _ = await found(scene)
        assert len(whole) == len(set(whole)) >= 24
        seen, after = await found(scene, most=5)
        await scene.declined(2)
        while after:
            page, after = await found(scene, after, most=5)
            seen += page
        assert seen == whole


@pytest.mark.parametrize("cursor", ["x", "", "MTIz", "....", "é", "MS4uLi8uLi8", "A" * 500])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(finding.UnableToRead):
        finding.read_cursor(cursor)


def test_a_cursor_reads_as_it_was_written() -> None:
    assert finding.read_cursor(finding.write_cursor(1_800_000_000_000, "ses-1")) == (
        1_800_000_000_000,
        "ses-1",
    )


async def test_another_operator_finds_nothing_of_it(tmp_path: Path) -> None:
    async with site_at(tmp_path) as scene:
        await scene.opens()
        running, _, _ = await scene.charging(1, 100)

        def read(tx: Transaction) -> None:
            other: dict[str, Any] = {"operator_id": "other"}
            assert holds.open_holds(tx, **other, now_ms=scene.at_ms)["total"] == 0
            assert fleet.stations(tx, **other, after="")["stations"] == []
            assert fleet.terminals(tx, **other, after="")["terminals"] == []
            assert fleet.doubted(tx, **other, station_id="CS1") == []
            assert tx.run(OF_DAY, **other, from_ms=0, to_ms=10**14) == []
            assert holds.open_holds(tx, operator_id="demo", now_ms=scene.at_ms)["total"] == 1

        await scene.database.read(read)
        assert (await found(scene, owner="other"))[0] == []
        written = await scene.database.write(
            lambda tx: notes.add(
                tx, operator_id="other", session_id=running, text="mine?", by="x", key="k", at_ms=1
            )
        )
        assert not written


async def test_facts_follow_the_session_and_a_reading_alone_writes_none(tmp_path: Path) -> None:
    async with site_at(tmp_path) as scene:
        await scene.opens()
        running, transaction_id, register_wh = await scene.charging(1, *CURVE[:3])
        only = select(SESSION_FACT).where(F.session_id == running)
        fact = await scene.database.read(lambda tx: tx.one(only))
        assert fact is not None
        assert (fact.state, fact.payment_state, fact.last_four) == ("charging", "authorised", "1111")
        assert fact.authorised_minor == 6000
        assert fact.approved_ms - fact.tapped_ms == 4000
        assert fact.started_ms - fact.tapped_ms == 10_000
        assert fact.energy_wh == 0
        await scene.stops(1, transaction_id, register_wh)
        await scene.captured()
        fact = await scene.database.read(lambda tx: tx.one(only))
        assert fact is not None
        assert (fact.state, fact.energy_wh) == ("closed", register_wh - 884_120)
        assert fact.approved_ms - fact.tapped_ms == 4000


async def test_holds_come_in_the_order_in_which_they_end(tmp_path: Path) -> None:
    async with site_at(tmp_path) as scene:
        await scene.opens()
        await scene.charging(1, 100)
        await add(scene, 3)
        ends = {"copy-000": 900, "copy-001": 100, "copy-002": None}

        def set_ends(tx: Transaction) -> None:
            for name, at_ms in ends.items():
                tx.run(update(SESSION_FACT).where(F.session_id == name).values(capture_before_ms=at_ms))

        await scene.database.write(set_ends)
        shown = await scene.database.read(
            lambda tx: holds.open_holds(tx, operator_id="demo", now_ms=scene.at_ms)
        )
        names = [hold["session_id"] for hold in shown["holds"]]
        assert names[:2] == ["copy-001", "copy-000"]
        assert names[-1] == "copy-002", "what never ends by itself comes last"
        assert shown["holds"][2]["age_ms"] == 36_000


@pytest.mark.parametrize("text_of_it", ["card 4111 1111 1111 1111 says no", "5105-1051-0510-5100"])
def test_a_note_with_a_card_number_is_refused(text_of_it: str) -> None:
    assert notes.holds_card_number(text_of_it)
    assert not notes.holds_card_number("session 1800014400001, last four 1111, 4111 1111")


@pytest.mark.parametrize("name", ENGINES)
def test_sessions_of_before_get_their_facts(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    revision = importlib.import_module("tapwatt.platform.migrations.0008_session_facts")
    engine = engine_of(name, request, tmp_path)
    old = (
        '{"session_id":"s1","station_id":"CS1","evse_id":2,"state":"closed","opened_ms":50,"started_ms":80,'
        '"closed_ms":99,"reason":"","tariff":{"currency":"EUR"},"meter":{"carried_wh":5,"base_wh":100,'
        '"last_wh":1100},"payment":{"leader":"terminal","brand":"visa","last_four":"0004","state":"captured",'
        '"reason":"","authorised_minor":6000,"captured_minor":490,"capture_before_ms":0}}'
    )
    with engine.begin() as connection:
        for table in (
            "session (id TEXT, owner TEXT, state TEXT)",
            "session_event (machine_id TEXT, kind TEXT, refused TEXT, at_ms BIGINT)",
            "station_message (operator_id TEXT, station_id TEXT, id BIGINT)",
        ):
            connection.execute(text(f"CREATE TABLE {table}"))
        connection.execute(text("INSERT INTO session VALUES ('s1', 'demo', :state)"), {"state": old})
        for kind, at_ms in (("Offered", 50), ("CardPresented", 60), ("Approved", 64), ("Approved", 90)):
            connection.execute(text(f"INSERT INTO session_event VALUES ('s1', '{kind}', NULL, {at_ms})"))
        with Operations.context(MigrationContext.configure(connection)):
            revision.upgrade()
        found_row = connection.execute(text("SELECT * FROM session_fact")).one()._asdict()
    engine.dispose()
    assert found_row == {
        "operator_id": "demo", "session_id": "s1", "station_id": "CS1", "evse_id": 2, "state": "closed",
        "reason": "", "currency": "EUR", "payment_reason": "", "leader": "terminal", "brand": "visa",
        "last_four": "0004", "payment_state": "captured", "authorised_minor": 6000, "captured_minor": 490,
        "energy_wh": 1005, "capture_before_ms": None, "opened_ms": 50, "tapped_ms": 60, "approved_ms": 64,
        "started_ms": 80, "closed_ms": 99,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({}, "ix_session_fact_opened"),
        ({"last_four": "1111"}, "ix_session_fact_card"),
        ({"station_id": "CS1"}, "ix_session_fact_station"),
        ({"state": "review"}, "ix_session_fact_state"),
    ],
)
async def test_a_search_walks_an_index(tmp_path: Path, wanted: dict[str, Any], index: str) -> None:
    async with site_at(tmp_path) as scene:
        query = finding._query(tuple(wanted)).compile(compile_kwargs={"literal_binds": False})
        values = {"operator_id": "demo", "most": 5, **wanted}
        plan = text(f"EXPLAIN QUERY PLAN {query}").bindparams(
            **{name: values.get(name, 5) for name in query.params}
        )
        steps = await scene.database.write(lambda tx: [row.detail for row in tx.run(plan)])
        assert any(index in step for step in steps), steps
        assert not any("TEMP B-TREE" in step for step in steps), steps
