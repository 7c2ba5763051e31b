"""Receipts on both engines: numbers without gaps per seller, one for each effect however often it is
performed; credit notes with their refund."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tests.conftest import ENGINES
from tests.core.receipt_samples import plain
from tests.platform.conftest import Site, sown
from tests.platform.test_sessions_at_work import charging, stop, until

from tapwatt.core.effects import Leader, Refund
from tapwatt.core.payment import UnableToDecide
from tapwatt.core.receipt import UnableToCredit
from tapwatt.ocpp import messages as ocpp
from tapwatt.platform import accounts, receipts, seed, views
from tapwatt.platform.performers import Refused
from tapwatt.platform.tables import METADATA
from tapwatt.store import Database, SyncDatabase, Transaction, UnableToStoreYet


class Dies(Exception):
    """The program dies here."""


NEW_YEAR_MS = 1_798_758_000_000  # 2026-12-31T23:00:00Z: midnight in Berlin
CHANCE = itertools.count(1)


def chance() -> bytes:
    return next(CHANCE).to_bytes(17, "big")


def issue(tx: Transaction, key: str, *, operator_id: str = "demo", at_ms: int = 1_795_000_000_000) -> str:
    return receipts.issue(
        tx, operator_id=operator_id, key=key, purchase=plain().purchase, chance=chance(), at_ms=at_ms
    )


def numbers(tx: Transaction, operator_id: str = "demo") -> list[tuple[str, int]]:
    rows = tx.run(
        text("SELECT series, place FROM receipt WHERE operator_id = :owner ORDER BY series, place"),
        owner=operator_id,
    )
    return [(row.series, row.place) for row in rows]


async def paid_visit(site: Site) -> dict[str, Any]:
    """A visit that cost 1.17, and its page."""
    session, transaction_id = await charging(site)
    await site.says(stop(transaction_id, 102_000))
    await until(site, "closing")
    await site.quiet()
    await site.outcome(site.wires.operated[-1].key, "capture", "done", amount_minor=117)
    await until(site, "closed")
    page = await site.page(session["session_id"])
    assert page is not None
    return page


async def credit(
    site: Site, number: str, amount_minor: int | None = None, key: str = "k1", operator_id: str = "demo"
) -> dict[str, Any] | None:
    return await site.engine.transact(
        lambda tx, stepper: receipts.credit_receipt(
            tx,
            stepper,
            operator_id=operator_id,
            number=number,
            amount_minor=amount_minor,
            by="ann",
            why="cable broken",
            key=key,
            chance=chance(),
            at_ms=1_800_000_500_000,
        )
    )


async def settled(site: Site, session_id: str, state: str) -> dict[str, Any]:
    """Wait until the payment is in a state."""
    async with asyncio.timeout(5):
        while True:
            page = await site.page(session_id)
            assert page is not None
            if page["payment_state"] == state:
                return page
            await asyncio.sleep(0.01)


async def test_numbers_follow_each_other_per_seller(site: Site) -> None:
    asked = [("demo", "a"), ("other", "a"), ("demo", "b"), ("demo", "c"), ("other", "b")]
    given_out = [
        await site.database.write(lambda tx, o=owner, k=key: issue(tx, k, operator_id=o))  # type: ignore[misc]
        for owner, key in asked
    ]
    assert given_out == [
        "R-2026-000001",
        "R-2026-000001",
        "R-2026-000002",
        "R-2026-000003",
        "R-2026-000002",
    ]


async def test_a_repeat_gets_the_same_number_and_link(site: Site) -> None:
    first = await site.database.write(lambda tx: issue(tx, "S1.s7"))
    before = await site.database.read(lambda tx: receipts.by_number(tx, operator_id="demo", number=first))
    assert await site.database.write(lambda tx: issue(tx, "S1.s7")) == first
    after = await site.database.read(lambda tx: receipts.by_number(tx, operator_id="demo", number=first))
    assert after == before
    assert await site.database.read(numbers) == [("R-2026", 1)]


async def test_a_commit_that_fails_takes_its_number_with_it(site: Site) -> None:
    def dies(tx: Transaction) -> None:
        issue(tx, "a")
        raise Dies

    with pytest.raises(Dies):
        await site.database.write(dies)
    assert await site.database.read(numbers) == []
    assert await site.database.write(lambda tx: issue(tx, "a")) == "R-2026-000001"


async def test_a_year_begins_at_the_sellers_midnight(site: Site) -> None:
    for key, at_ms in (("a", NEW_YEAR_MS - 1), ("b", NEW_YEAR_MS), ("c", NEW_YEAR_MS - 1)):
        await site.database.write(lambda tx, k=key, at=at_ms: issue(tx, k, at_ms=at))  # type: ignore[misc]
    assert await site.database.read(numbers) == [("R-2026", 1), ("R-2026", 2), ("R-2027", 1)]


async def test_a_series_may_run_for_ever_under_a_prefix_of_its_own(site: Site) -> None:
    change = text("UPDATE operator SET receipt_prefix = 'AB', receipt_yearly = 0 WHERE operator_id = 'demo'")
    await site.database.write(lambda tx: tx.run(change))
    assert await site.database.write(lambda tx: issue(tx, "a")) == "AB-000001"
    assert await site.database.write(lambda tx: issue(tx, "b", at_ms=NEW_YEAR_MS)) == "AB-000002"


async def test_nodes_that_issue_at_once_leave_no_gap(database_url: str) -> None:
    nodes = [await Database.open(database_url, metadata=METADATA) for _ in range(3)]
    await sown(nodes[0])

    async def one(place: int) -> None:
        def work(tx: Transaction) -> None:
            issue(tx, f"k{place // 2}")  # each is asked for twice, by different nodes, and one may die
            if place % 7 == 3:
                raise Dies

        for _ in range(100):
            try:
                await nodes[place % 3].write(work)
                return
            except UnableToStoreYet:
                await asyncio.sleep(0.005)
            except Dies:
                return
        raise AssertionError("never got its turn")

    await asyncio.gather(*(one(place) for place in range(60)))
    assert await nodes[0].read(numbers) == [("R-2026", place) for place in range(1, 31)]
    for node in nodes:
        await node.close()


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=25))
def test_any_order_of_repeats_and_deaths_leaves_no_gap(steps: list[tuple[str, bool]]) -> None:
    database = SyncDatabase.open("sqlite://", metadata=METADATA)
    database.write(lambda tx: seed.sow(tx, seed.sandbox(), now_ms=0))
    told: dict[str, str] = {}
    for key, dies in steps:

        def work(tx: Transaction, key: str = key, dies: bool = dies) -> str:
            number = issue(tx, key)
            if dies:
                raise Dies
            return number

        try:
            number = database.write(work)
        except Dies:
            continue
        assert told.setdefault(key, number) == number
    assert sorted(told.values()) == [f"R-2026-{place:06}" for place in range(1, len(told) + 1)]
    database.close()


async def test_a_visit_ends_with_a_receipt_that_says_everything_known(site: Site) -> None:
    await site.says(ocpp.StationBooted(vendor="V", model="M", meter_serial="METER-7"))
    await site.says(ocpp.StationBooted(vendor="V", model="M"))  # one that does not say its meter again
    page = await paid_visit(site)
    receipt, bought = page["receipt"], page["receipt"]["purchase"]
    assert receipt["number"] == "R-2027-000001"
    assert receipt["seller"]["legal_name"] == "Demo Charging (sandbox, no real seller)"
    assert receipt["seller"]["address"] == ["Sandbox Road 1", "00000 Nowhere"]
    assert receipt["place"] == {
        "name": "Forecourt, bay 1 and 2",
        "address": ["Sandbox Road 2", "00000 Nowhere"],
        "country": "DE",
        "evse_name": "DE*TST*ECS1*1",
        "meter_serial": "METER-7",
    }
    assert (bought["charging_ms"], bought["idle_ms"], bought["time_zone"]) == (60_000, 0, "Europe/Berlin")
    assert (bought["register_begin_wh"], bought["register_end_wh"]) == (100_000, 102_000)
    assert (bought["hold_minor"], bought["captured_minor"], bought["released_minor"]) == (2500, 117, 2383)
    assert bought["card"] == {
        "scheme": "visa", "last_four": "1111", "tid": "52523535",
        "entry_mode": None, "aid": None, "approval_code": None, "mid": None, "acquirer_reference": None,
    }  # fmt: skip
    assert "tok-1" not in receipt["text"] + str(receipt)
    assert page["credit_notes"] == []


async def test_a_receipt_is_another_operators_by_number_and_anybodys_by_link(site: Site) -> None:
    receipt = (await paid_visit(site))["receipt"]
    number = receipt["number"]
    assert (
        await site.database.read(lambda tx: receipts.by_number(tx, operator_id="other", number=number))
        is None
    )
    assert await credit(site, number, operator_id="other") is None
    found = await site.database.read(lambda tx: receipts.by_token(tx, receipt["token"]))
    assert found is not None
    assert found.number == number
    for wrong in ("", receipt["token"][:-1], receipt["token"].lower(), "%", number):
        assert await site.database.read(lambda tx, w=wrong: receipts.by_token(tx, w)) is None  # type: ignore[misc]


async def test_a_credit_is_a_document_of_the_series_and_a_refund(site: Site) -> None:
    page = await paid_visit(site)
    number, session_id = page["receipt"]["number"], page["session_id"]
    note = await credit(site, number, 50)
    assert note is not None
    assert (note["number"], note["credit_of"], note["why"]) == ("R-2027-000002", number, "cable broken")
    assert note["purchase"]["bill"]["gross_minor"] == -50
    refunding = await settled(site, session_id, "refunding")
    assert "refunded" not in [posting["kind"] for posting in refunding["ledger"]["postings"]]
    async with asyncio.timeout(5):
        while type(site.wires.operated[-1]).__name__ != "Refund":  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.01)
    refund = site.wires.operated[-1]
    assert refund.amount_minor == 50
    with pytest.raises(UnableToDecide, match="RefundWanted in refunding"):
        await credit(site, number, 10, key="k2")
    await site.outcome(refund.key, "refund", "done", amount_minor=50)
    done = await settled(site, session_id, "refunded")
    posted = [posting for posting in done["ledger"]["postings"] if posting["kind"] == "refunded"]
    assert [[entry["amount_minor"] for entry in posting["entries"]] for posting in posted] == [[42, 8, -50]]
    rest = await credit(site, number, key="k3")
    assert rest is not None
    assert (rest["number"], rest["purchase"]["bill"]["gross_minor"]) == ("R-2027-000003", -67)
    totals = [
        rest["purchase"]["bill"][f"{n}_minor"] + note["purchase"]["bill"][f"{n}_minor"]
        for n in ("net", "tax")
    ]
    assert totals == [-98, -19]
    page = await site.page(session_id) or {}
    assert [each["number"] for each in page["credit_notes"]] == ["R-2027-000002", "R-2027-000003"]
    assert [each["amount_minor"] for each in page["receipt"]["credits"]] == [50, 67]
    assert await site.database.read(numbers) == [("R-2027", 1), ("R-2027", 2), ("R-2027", 3)]


async def test_never_more_than_was_billed_is_credited(site: Site) -> None:
    number = (await paid_visit(site))["receipt"]["number"]
    with pytest.raises(UnableToCredit, match=r"1.18 EUR cannot be credited: 1.17 EUR of"):
        await credit(site, number, 118)
    both = await asyncio.gather(
        credit(site, number, 60, key="a"), credit(site, number, 60, key="b"), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in both) == ["UnableToCredit", "dict"]
    assert await site.database.read(numbers) == [("R-2027", 1), ("R-2027", 2)]


async def test_an_order_sent_again_is_the_same_order(site: Site) -> None:
    number = (await paid_visit(site))["receipt"]["number"]
    first = await credit(site, number, 50)
    assert await credit(site, number, 50) == first
    with pytest.raises(UnableToCredit, match=r"this key was used for R-2027-000002, which credits 0.50 EUR"):
        await credit(site, number, 51)
    assert await credit(site, "R-1999-000001", 50) is None


async def test_a_terminal_that_cannot_refund_leaves_an_alarm_and_the_document(site: Site) -> None:
    page = await paid_visit(site)
    site.wires.failure = Refused("the terminal's protocol has no refund")
    assert await credit(site, page["receipt"]["number"], 50) is not None
    after = await settled(site, page["session_id"], "captured")
    alarms = await site.database.read(lambda tx: views.alarms(tx, operator_id="demo"))
    assert [alarm["text"].partition(": ")[2] for alarm in alarms] == [
        "refund of 50 minor units refused: the terminal's protocol has no refund"
    ]
    assert "refunded" not in [posting["kind"] for posting in after["ledger"]["postings"]]
    assert len(after["credit_notes"]) == 1


async def test_an_accounts_refund_goes_back_to_its_balance_once(site: Site) -> None:
    tag = "04A1B2C3D4E5F6"
    await site.status("preparing")
    await site.says(ocpp.TokenOffered(id_token=tag))
    started = await site.says(
        ocpp.TransactionStarted(evse_id=1, id_token=tag, register_wh=0, at_ms=1_800_000_000_000)
    )
    await until(site, "charging")
    await site.says(stop(started.transaction_id, 2_000, id_token=tag))
    session = await until(site, "closed")
    page = await site.page(session["session_id"]) or {}
    assert page["receipt"]["purchase"]["account_id"] == "A1"
    await credit(site, page["receipt"]["number"], 100)
    after = await settled(site, session["session_id"], "refunded")
    assert "refunded" in [posting["kind"] for posting in after["ledger"]["postings"]]
    refund = next(effect for effect in after["effects"] if effect["kind"] == "Refund")
    assert refund["done_ms"]
    again = Refund(
        **{**refund["body"], "leader": Leader.ACCOUNT}  # performed once more, as after a crash
    )
    outcome = await site.database.write(
        lambda tx: accounts.perform(tx, operator_id="demo", effect=again, now_ms=1)
    )
    assert type(outcome).__name__ == "Refunded"
    more = replace(again, key=again.key + "x", amount_minor=18)
    outcome = await site.database.write(
        lambda tx: accounts.perform(tx, operator_id="demo", effect=more, now_ms=1)
    )
    assert type(outcome).__name__ == "RefundRefused"
    balances = await site.database.read(lambda tx: views.accounts(tx, operator_id="demo"))
    assert {each["account_id"]: each["balance_minor"] for each in balances}["A1"] == 99_983


@pytest.mark.parametrize("engine", ENGINES)
def test_the_link_is_looked_up_by_an_index(engine: str, new_url: Callable[..., str]) -> None:
    assert [index.name for index in METADATA.tables["receipt"].indexes if index.unique] == [
        "ix_receipt_token"
    ]
    database = SyncDatabase.open(new_url(engine), metadata=METADATA)
    assert database.read(lambda tx: receipts.by_token(tx, "nobody's")) is None
    database.close()
