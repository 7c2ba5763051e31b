"""The session table against the design: every pair of state and event has a row, or an error with a name."""

from dataclasses import replace
from typing import Any

import pytest
from tests.core import samples as s
from tests.core.defects import defect
from tests.core.rows import Row, written
from tests.core.session_rows import DISAGREE, QUIET, ROWS

from tapwatt.core import events as e
from tapwatt.core.session import TABLE, Session, SessionState, UnableToDecide, decide

MISSING = written(DISAGREE)
EXPECTED = written(ROWS)
NAMED = {row.name for row in (*EXPECTED, *MISSING)}
EXPECTED += [row for row in written(QUIET) if row.name not in NAMED]
PAID = (s.offered(), s.card(), s.approved())
CHARGING = (*PAID, s.started())
BILLED = (*CHARGING, s.stopped())
SETTLED = (*BILLED, s.captured())
STORIES: dict[str, tuple[Any, ...]] = {
    "offered": (s.offered(),),
    "offered.free": (s.offered(plugged=False),),
    "authorising": (s.offered(), s.card()),
    "authorising.tag": (s.offered(), s.tag()),
    "authorising.early": (s.offered(), s.tag(), s.started()),
    "ready": (s.offered(plugged=False), s.card(), s.approved()),
    "starting": PAID,
    "charging": CHARGING,
    "charging.asked": (*CHARGING, s.ticked(at=440)),
    "stopping": (*CHARGING, s.stop_asked()),
    "stopping.deaf": (
        *CHARGING,
        s.metered(),
        s.stop_asked(),
        *(s.ticked(at=at) for at in (130, 190, 310, 550, 1030, 1990)),
    ),
    "closing.unstopped": (
        *CHARGING,
        s.metered(),
        s.stop_asked(),
        *(s.ticked(at=at) for at in (130, 190, 310, 550, 1030, 1990)),
        s.hold_expiring(),
    ),
    "closing.capturing": BILLED,
    "closing.waiting": (s.offered(), s.card(), s.ticked()),
    "closing.reversing": (*PAID, s.start_refused()),
    "closed.paid": SETTLED,
    "closed.left": (s.offered(), s.unplugged()),
    "closed.refunding": (*SETTLED, s.refund_wanted()),
    "closed.voiding": (*SETTLED, s.void_wanted()),
    "closed.declined": (s.offered(), s.card(), s.stop_asked(at=20), s.aborted(at=21)),
    "closed.reversed": (*PAID, s.stop_asked(at=20), s.released()),
    "failed.declined": (s.offered(), s.card(), s.declined()),
    "failed.reversed": (*PAID, s.start_refused(), s.released()),
    "review.doubt": (*CHARGING, s.stopped(proved=False)),
    "review.unknown": (s.offered(), s.card(), s.silent(), s.cannot_ask()),
    "review.refused": (*BILLED, s.capture_refused()),
}
LATER = 1000
EVENTS: dict[str, Any] = {
    type(event).__name__: event
    for event in (
        s.approved(), s.declined(), s.aborted(), s.not_sent(), s.silent(), s.found_open(), s.found_none(),
        s.cannot_ask(), s.captured(), s.already_captured(), s.capture_refused(), s.released(),
        s.release_refused(), s.voided(), s.void_refused(), s.refunded(), s.refund_refused(), s.offered(),
        s.card(), s.tag(), s.hold_chosen(), s.plugged_in(), s.suspended(), s.resumed(), s.unplugged(),
        s.start_accepted(), s.start_refused(),
        s.start_uncertain(), s.started(), s.metered(), s.stop_asked(), s.stop_accepted(), s.stop_refused(),
        s.stopped(), s.hold_expiring(), s.ticked(), s.void_wanted(), s.refund_wanted(),
        s.decided(),
    )
}  # fmt: skip
PAIRS = [(state, name) for state in SessionState for name in EVENTS]


def sample(name: str) -> Session:
    """A session at the end of its sample's story."""
    session = s.play(STORIES[name]).session
    assert session.state == name.split(".")[0]
    return session


def now(session: Session, name: str) -> Any:
    """An event as it would happen to this session next: later, and about its open operation."""
    event = EVENTS[name]
    if name == "Ticked":
        return e.Ticked(at_ms=session.deadline_ms or s.ms(10**6))
    if name in ("Metered", "Stopped"):
        return event
    if isinstance(event, e.OutcomeEvent) and session.payment:
        event = replace(event, key=session.payment.operation_key)
    return event if name == "Started" else replace(event, at_ms=max(event.at_ms, session.opened_ms))


def kinds(effects: tuple[Any, ...]) -> tuple[str, ...]:
    """The kinds of some effects, in no order."""
    return tuple(sorted(type(effect).__name__ for effect in effects))


def test_the_events_tried_are_all_there_are() -> None:
    assert set(EVENTS) == {event.__name__ for event in e.EVENTS}


def test_every_row_of_the_table_is_written_down_and_every_written_row_is_in_the_table() -> None:
    in_code = {(str(state), event.__name__) for state, event in TABLE}
    disputed = {(row.state, row.event) for row in MISSING}
    assert in_code - disputed == {(row.state, row.event) for row in EXPECTED} - disputed


@pytest.mark.parametrize(("state", "name"), PAIRS)
def test_a_pair_has_a_row_or_an_error_that_names_both(state: SessionState, name: str) -> None:
    before = sample(next(key for key in STORIES if key.split(".")[0] == state))
    if (state, type(EVENTS[name])) not in TABLE:
        with pytest.raises(UnableToDecide, match=rf"session S1: {name} in {state}\b"):
            decide(before, now(before, name))
        return
    try:
        after, effects = decide(before, now(before, name))
    except UnableToDecide as unable:
        after, effects = before, ()
        told = str(unable)
    else:
        told = ""
    assert not told or told.startswith(f"payment S1: {name} in ")
    assert isinstance(after, Session)
    assert isinstance(effects, tuple)


@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: row.name)
def test_a_row_leads_where_the_design_says(row: Row) -> None:
    before = sample(row.sample)
    if row.next_states == ("error",):
        with pytest.raises(UnableToDecide):
            decide(before, now(before, row.event))
        return
    after, effects = decide(before, now(before, row.event))
    assert row.allows(after.state, kinds(effects)), (after.state, effects)


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=defect(row.defect or 0), id=row.name) for row in MISSING],
)
def test_a_row_that_the_design_asks_for(row: Row) -> None:
    before = sample(row.sample)
    after, effects = decide(before, now(before, row.event))
    assert row.allows(after.state, kinds(effects)), (after.state, effects)


@pytest.mark.parametrize("event", [event for event in EVENTS.values() if not isinstance(event, e.Offered)])
def test_only_an_offer_begins_a_session(event: Any) -> None:
    with pytest.raises(UnableToDecide, match=f"not with {type(event).__name__}"):
        decide(None, event)
