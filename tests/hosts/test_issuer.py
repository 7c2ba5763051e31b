"""The issuer's table and its judgement, each row and each reason; and that its books always add up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from tapwatt.hosts.issuer import tables
from tapwatt.hosts.issuer.decide import (
    TABLE,
    Asked,
    Authorisation,
    Card,
    Chip,
    ChipFault,
    CompletionReceived,
    CountOn,
    Event,
    Hold,
    Post,
    Release,
    ReversalReceived,
    Status,
    UnexpectedEvent,
    answer,
    decide,
    judge,
)
from tapwatt.rails.relay_states import Identity
from tapwatt.store import SyncDatabase

WHO = Identity(
    life_cycle="52523535-632612000001",
    rrn="632612000001",
    stan="000001",
    tid="52523535",
    mid="TWDE00000000017",
    pan_match="abc",
    amount_minor=5000,
    currency="978",
)
CARD = Card(
    status="active",
    expiry="3112",
    partial=False,
    last_counter=7,
    account_id="account-1",
    currency="978",
    available_minor=50_000,
)
CHIP = Chip(fault=ChipFault.NONE, amount_minor=5000, currency="978", counter=8)
ASKED = Asked(
    identity=WHO,
    card=CARD,
    chip=CHIP,
    partial_capable=True,
    approval_code="123456",
    month="2611",
    at_ms=1,
)
COMPLETE = CompletionReceived(
    identity=replace(WHO, stan="000002", amount_minor=1200), held_minor=5000, posted_minor=0, at_ms=2
)
AGAIN = replace(COMPLETE, posted_minor=1200)
REVERSE = ReversalReceived(identity=replace(WHO, stan="000003"), at_ms=3)
NO_CARD = replace(ASKED, card=None)


@pytest.mark.parametrize(
    ("event", "code", "reason", "held_minor"),
    [
        (ASKED, "00", "", 5000),
        (NO_CARD, "14", "no such card", 0),
        (replace(ASKED, card=replace(CARD, status="blocked")), "62", "the card is blocked", 0),
        (
            replace(ASKED, card=replace(CARD, status="do_not_honour")),
            "05",
            "the card is not to be honoured",
            0,
        ),
        (replace(ASKED, card=replace(CARD, expiry="2610")), "54", "the card has expired", 0),
        (replace(ASKED, card=replace(CARD, expiry="2611")), "00", "", 5000),
        (
            replace(ASKED, chip=Chip(fault=ChipFault.MISSING)),
            "82",
            "the request carries no cryptogram",
            0,
        ),
        (
            replace(ASKED, chip=Chip(fault=ChipFault.UNREADABLE)),
            "82",
            "the chip data cannot be read",
            0,
        ),
        (replace(ASKED, chip=replace(CHIP, fault=ChipFault.WRONG)), "82", "the cryptogram is wrong", 0),
        (replace(ASKED, chip=replace(CHIP, counter=7)), "63", "the transaction counter was used before", 0),
        (replace(ASKED, chip=replace(CHIP, amount_minor=1)), "63", "the card signed another amount", 0),
        (replace(ASKED, chip=replace(CHIP, currency="840")), "63", "the card signed another currency", 0),
        (replace(ASKED, scripted_code="91"), "91", "the sandbox answers this amount so", 0),
        (
            replace(ASKED, card=replace(CARD, currency="840")),
            "57",
            "the account is in another currency",
            0,
        ),
        (
            replace(ASKED, card=replace(CARD, available_minor=4999)),
            "51",
            "less is available than was asked for",
            0,
        ),
        (
            replace(ASKED, card=replace(CARD, available_minor=4999, partial=True)),
            "10",
            "approved for what is available",
            4999,
        ),
        (
            replace(ASKED, card=replace(CARD, available_minor=0, partial=True)),
            "51",
            "less is available than was asked for",
            0,
        ),
        (
            replace(ASKED, card=replace(CARD, available_minor=4999, partial=True), partial_capable=False),
            "51",
            "less is available than was asked for",
            0,
        ),
    ],
)
def test_every_decline_has_its_own_reason(event: Asked, code: str, reason: str, held_minor: int) -> None:
    assert judge(event) == (code, reason, held_minor)


PATHS: dict[Status | None, tuple[Event, ...]] = {
    None: (),
    Status.APPROVED: (ASKED,),
    Status.DECLINED: (NO_CARD,),
    Status.COMPLETED: (ASKED, COMPLETE),
    Status.REVERSED: (ASKED, REVERSE),
    Status.BLOCKED: (REVERSE,),
}
HELD = (CountOn(pan_match="abc", counter=8), Hold(account_id="account-1", amount_minor=5000, at_ms=1))
ROWS: list[tuple[Status | None, Event, str, tuple[object, ...], str]] = [
    (None, ASKED, "APPROVED", HELD, "00"),
    (None, COMPLETE, "BLOCKED", (), "25"),
    (None, REVERSE, "BLOCKED", (), "00"),
    (Status.APPROVED, ASKED, "APPROVED", (), "00"),
    (Status.APPROVED, COMPLETE, "COMPLETED", (Post(amount_minor=1200, at_ms=2),), "00"),
    (Status.APPROVED, REVERSE, "REVERSED", (Release(at_ms=3),), "00"),
    (Status.DECLINED, ASKED, "DECLINED", (), "14"),
    (Status.DECLINED, COMPLETE, "DECLINED", (), "25"),
    (Status.DECLINED, REVERSE, "DECLINED", (), "00"),
    (Status.COMPLETED, ASKED, "COMPLETED", (), "00"),
    (Status.COMPLETED, AGAIN, "COMPLETED", (), "00"),
    (Status.COMPLETED, REVERSE, "COMPLETED", (), "21"),
    (Status.REVERSED, ASKED, "REVERSED", (), "79"),
    (Status.REVERSED, COMPLETE, "REVERSED", (), "21"),
    (Status.REVERSED, REVERSE, "REVERSED", (), "00"),
    (Status.BLOCKED, ASKED, "BLOCKED", (), "79"),
    (Status.BLOCKED, COMPLETE, "BLOCKED", (), "25"),
    (Status.BLOCKED, REVERSE, "BLOCKED", (), "00"),
]


def reach(status: Status | None) -> Authorisation | None:
    state: Authorisation | None = None
    for event in PATHS[status]:
        state, _ = decide(state, event)
    assert (None if state is None else state.status) == status
    return state


@pytest.mark.parametrize(("status", "event", "after", "effects", "code"), ROWS)
def test_every_row(
    status: Status | None, event: Event, after: str, effects: tuple[object, ...], code: str
) -> None:
    before = reach(status)
    state, done = decide(before, event)
    assert (state.status, done, answer(before, event)[0]) == (after, effects, code)


def test_the_rows_above_are_the_whole_table() -> None:
    assert {(status, type(event)) for status, event, *_ in ROWS} == set(TABLE)
    with pytest.raises(UnexpectedEvent, match="str has no row for no life cycle"):
        decide(None, "nonsense")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"amount_minor": 5001}, "61"), ({"amount_minor": 0}, "13"), ({"currency": "840"}, "12")],
)
def test_a_completion_is_checked_against_the_hold(changes: dict[str, Any], code: str) -> None:
    before = reach(Status.APPROVED)
    event = replace(COMPLETE, identity=replace(COMPLETE.identity, **changes))
    assert answer(before, event)[0] == code
    assert decide(before, event) == (before, ())


def test_another_completion_is_refused() -> None:
    event = replace(AGAIN, identity=replace(AGAIN.identity, amount_minor=1201))
    assert answer(reach(Status.COMPLETED), event)[0] == "94"


@pytest.mark.parametrize(
    ("changes", "code"), [({"amount_minor": 1}, "94"), ({"pan_match": "x"}, "94"), ({"stan": "000009"}, "12")]
)
def test_a_second_request_is_not_authorised_again(changes: dict[str, Any], code: str) -> None:
    before = reach(Status.APPROVED)
    event = replace(ASKED, identity=replace(WHO, **changes))
    assert answer(before, event)[0] == code
    assert decide(before, event)[1] == ()


def _books() -> SyncDatabase:
    database = SyncDatabase.open(metadata=tables.METADATA)

    def seed(tx: Any) -> None:
        tx.run(tables.ADD_ACCOUNT, id="account-1", currency="978", balance_minor=10_000)
        tx.run(
            tables.ADD_CARD,
            pan_match="abc",
            pan_sealed="p1.",
            masked="4",
            account_id="account-1",
            expiry="3112",
            sequence="01",
            master_key="visa",
            status="active",
            partial=1,
            last_counter=0,
        )

    database.write(seed)
    return database


steps = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["ask", "complete", "reverse"]), st.integers(0, 6_000)),
    max_size=25,
)


@given(steps)
def test_whatever_happens_the_account_adds_up(script: list[tuple[int, str, int]]) -> None:
    database, states = _books(), dict[str, Authorisation]()
    for counter, (number, what, amount_minor) in enumerate(script, start=1):
        who = replace(WHO, life_cycle=str(number), amount_minor=amount_minor)

        def take(tx: Any, who: Identity = who, what: str = what, counter: int = counter) -> None:
            event: Event
            if what == "ask":
                chip = Chip(
                    fault=ChipFault.NONE, amount_minor=who.amount_minor, currency="978", counter=counter
                )
                event = replace(ASKED, identity=who, card=tables.card_of(tx, "abc"), chip=chip)
            elif what == "complete":
                event = CompletionReceived(
                    identity=who,
                    held_minor=tables.held_minor(tx, who.life_cycle),
                    posted_minor=tables.posted_minor(tx, who.life_cycle),
                    at_ms=1,
                )
            else:
                event = ReversalReceived(identity=who, at_ms=1)
            state, effects = decide(states.get(who.life_cycle), event)
            for effect in effects:
                tables.move(tx, who.life_cycle, effect)
            states[who.life_cycle] = state

        database.write(take)
    _adds_up(database, states)
    database.close()


def _adds_up(database: SyncDatabase, states: dict[str, Authorisation]) -> None:
    def check(tx: Any) -> None:
        account = tx.one(select(tables.ACCOUNT))
        paid = sum(tables.posted_minor(tx, name) for name in states)
        assert account.balance_minor == 10_000 - paid
        held = tables.open_holds_minor(tx, "account-1")
        assert 0 <= held <= account.balance_minor
        for name, state in states.items():
            hold = tables.hold_of(tx, name)
            assert (hold is not None and bool(hold.open)) == (state.status == Status.APPROVED)
            assert tables.posted_minor(tx, name) <= tables.held_minor(tx, name)
            assert (tables.posted_minor(tx, name) > 0) == (state.status == Status.COMPLETED)

    database.read(check)


def test_a_hold_that_is_not_there_stops_the_step() -> None:
    database = _books()
    with pytest.raises(tables.UnableToMove):
        database.write(lambda tx: tables.move(tx, "nobody", Post(amount_minor=1, at_ms=1)))
    database.write(lambda tx: tx.run(update(tables.CARD).values(last_counter=3)))
    assert database.read(lambda tx: tables.card_row(tx, "abc")) is not None
    database.close()
