"""The payment table against the design: every pair of state and event has a row, or an error with a name."""

from dataclasses import replace
from typing import Any

import pytest
from tests.core import samples as s
from tests.core.defects import defect
from tests.core.payment_rows import DISAGREE, REPEATED, ROWS, SETTLED
from tests.core.rows import Row, written

from tapwatt.core import events as e
from tapwatt.core import payment
from tapwatt.core.effects import Leader, Notify, Release
from tapwatt.core.payment import TABLE, Payment, PaymentState, UnableToDecide

MISSING = written(DISAGREE)
EXPECTED = written(ROWS)
NAMED = {row.name for row in (*EXPECTED, *MISSING)}
EXPECTED += [row for row in written(f"{','.join(SETTLED)} {REPEATED} = -") if row.name not in NAMED]
KEY = s.FIRST
EVENTS: dict[str, Any] = {
    type(event).__name__: event
    for event in (
        s.approved(), s.declined(), s.aborted(), s.not_sent(), s.silent(), s.found_open(), s.found_none(),
        s.cannot_ask(), s.captured(key=KEY), s.already_captured(key=KEY), s.capture_refused(key=KEY),
        s.released(key=KEY), s.release_refused(key=KEY), s.voided(key=KEY), s.void_refused(key=KEY),
        s.refunded(key=KEY), s.refund_refused(key=KEY), e.GivenUp(at_ms=9),
        e.IncreaseWanted(at_ms=9, amount_minor=1000), e.CaptureWanted(at_ms=9, amount_minor=487),
        e.ReleaseWanted(at_ms=9), e.VoidWanted(at_ms=9), e.RefundWanted(at_ms=9, amount_minor=100),
        e.Reminded(at_ms=9),
    )
}  # fmt: skip
PAIRS = [(state, name) for state in PaymentState for name in EVENTS]


def sample(state: str, **changes: Any) -> Payment:
    """A payment as it stands in a state, its first operation open."""
    held = state not in ("authorising", "unknown", "declined")
    taken = 487 if state in ("captured", "voiding", "refunding", "refunded") else 0
    values: dict[str, Any] = {
        "payment_id": "S1",
        "state": PaymentState(state),
        "leader": Leader.TERMINAL,
        "reference": "R1",
        "currency": "EUR",
        "asked_minor": 2500,
        "authorised_minor": 2500 if held else 0,
        "capture_minor": taken or (487 if state == "capturing" else 0),
        "captured_minor": taken,
        "released_minor": 2013 if taken else 2500 if state == "reversed" else 0,
        "increase_minor": 2500 if state == "increasing" else 0,
        "refund_minor": 100 if state == "refunding" else 0,
        "refunded_minor": 100 if state == "refunded" else 0,
        "operation_key": KEY,
        "operation_minor": 487 if state == "capturing" else 2500,
        "steps": 1,
        "terminal_id": "T1",
    }
    return Payment(**(values | changes))


def decide(before: Payment, event: object) -> tuple[Payment, tuple[Any, ...]]:
    """One step of a payment."""
    return payment.decide(before, event)


def kinds(effects: tuple[Any, ...]) -> tuple[str, ...]:
    """The kinds of some effects, in no order."""
    return tuple(sorted(type(effect).__name__ for effect in effects))


def test_the_events_tried_are_all_there_are() -> None:
    assert set(EVENTS) == {event.__name__ for event in (*e.OUTCOMES, *e.WISHES)}


def test_the_table_has_the_rows_of_the_design_and_no_others() -> None:
    in_code = {(str(state), event.__name__) for state, event in TABLE}
    disputed = {(row.state, row.event) for row in MISSING}
    assert in_code - disputed == {(row.state, row.event) for row in EXPECTED}


@pytest.mark.parametrize(("state", "name"), PAIRS)
def test_a_pair_has_a_row_or_an_error_that_names_both(state: PaymentState, name: str) -> None:
    if (state, type(EVENTS[name])) in TABLE:
        after, effects = decide(sample(state), EVENTS[name])
        assert isinstance(after, Payment)
        assert isinstance(effects, tuple)
    else:
        with pytest.raises(UnableToDecide, match=rf"payment S1: {name} in {state}\b"):
            decide(sample(state), EVENTS[name])


@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: row.name)
def test_a_row_leads_where_the_design_says(row: Row) -> None:
    after, effects = decide(sample(row.state), EVENTS[row.event])
    assert row.allows(after.state, kinds(effects)), (after.state, effects)


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=defect(row.defect or 0), id=row.name) for row in MISSING],
)
def test_a_row_that_the_design_asks_for(row: Row) -> None:
    after, effects = decide(sample(row.state), EVENTS[row.event])
    assert row.allows(after.state, kinds(effects)), (after.state, effects)


@pytest.mark.parametrize(("state", "event"), sorted(TABLE, key=str))
def test_an_outcome_with_another_key_changes_nothing(state: PaymentState, event: type) -> None:
    if event not in e.OUTCOMES or (state, event) in payment.LATE:
        return
    before = sample(state)
    assert decide(before, replace(EVENTS[event.__name__], key="S1.p0")) == (before, ())


# --- rows that depend on more than state and event ---


def test_a_payment_begins_by_asking_for_a_hold() -> None:
    begun, effects = payment.begin(
        payment_id="S1", leader=Leader.TERMINAL, reference="R1", currency="EUR", amount_minor=2500
    )
    effect: Any = effects[0]
    assert (begun.state, begun.operation_key, begun.asked_minor) == ("authorising", KEY, 2500)
    assert (effect.key, effect.amount_minor, type(effect).__name__) == (KEY, 2500, "Authorise")
    assert len(effects) == 1


@pytest.mark.parametrize("state", ["authorising", "unknown"])
@pytest.mark.parametrize("event", [s.approved(), s.found_open()])
def test_a_hold_for_which_nobody_waits_goes_back_at_once(state: str, event: Any) -> None:
    after, (release,) = decide(sample(state, awaited=False), event)
    assert (after.state, type(release), release.amount_minor) == ("reversing", Release, 2500)
    assert (release.key, release.hold_minor, release.receipt) == (s.SECOND, 2500, "0001")


@pytest.mark.parametrize("state", ["authorising", "unknown"])
@pytest.mark.parametrize("amount", [None, 2501])
def test_an_open_hold_of_no_or_a_strange_amount_goes_back(state: str, amount: int | None) -> None:
    after, (release,) = decide(sample(state), s.found_open(amount=amount))
    assert (after.state, type(release)) == ("reversing", Release)


@pytest.mark.parametrize("amount", [1, 2499, 2500])
def test_an_approval_for_less_is_the_new_hold(amount: int) -> None:
    after, _ = decide(sample("authorising"), s.approved(amount=amount))
    assert (after.state, after.authorised_minor, after.receipt) == ("authorised", amount, "0001")


def test_an_approval_for_more_than_asked_waits_for_a_person_who_is_told() -> None:
    after, effects = decide(sample("authorising"), s.approved(amount=2501))
    assert after.state == "review"
    assert kinds(effects) == ("Notify",)


@pytest.mark.parametrize(
    ("leader", "state", "effect"),
    [
        (Leader.TERMINAL, "unknown", "Notify"),
        (Leader.STATION, "unknown", "Notify"),
        (Leader.PARTNER, "unknown", "Notify"),
        (Leader.HOST, "reversing", "Release"),
        (Leader.ACCOUNT, "reversing", "Release"),
    ],
)
def test_where_nobody_can_be_asked_the_leader_decides(leader: Leader, state: str, effect: str) -> None:
    after, effects = decide(sample("unknown", leader=leader), s.cannot_ask())
    assert (after.state, kinds(effects)) == (state, (effect,))


def test_a_capture_never_takes_more_than_the_confirmed_hold() -> None:
    wanted = e.CaptureWanted(at_ms=9, amount_minor=9999)
    for state in ("authorised", "increasing"):
        after, (capture,) = decide(sample(state), wanted)
        assert (after.capture_minor, capture.amount_minor, capture.hold_minor) == (2500, 2500, 2500)


@pytest.mark.parametrize("event", [s.captured(key=KEY), s.already_captured(key=KEY)])
def test_a_capture_of_our_amount_releases_the_rest(event: Any) -> None:
    after, _ = decide(sample("capturing"), event)
    assert (after.captured_minor, after.released_minor) == (487, 2013)


@pytest.mark.parametrize("kind", [s.captured, s.already_captured])
def test_a_capture_of_another_amount_waits_for_a_person(kind: Any) -> None:
    after, (alarm,) = decide(sample("capturing"), kind(key=KEY, amount_minor=488))
    assert (after.state, after.captured_minor, type(alarm)) == ("review", 488, Notify)
    assert "captured 488 minor units, wanted 487" in alarm.text


@pytest.mark.parametrize("leader", [Leader.HOST, Leader.ACCOUNT])
def test_the_host_side_reverses_until_it_is_answered(leader: Leader) -> None:
    after, effects = decide(sample("reversing", leader=leader), s.cannot_ask())
    assert (after.state, kinds(effects)) == ("reversing", ("Release",))


def test_a_late_approval_after_an_unconfirmed_reversal_goes_back_and_is_told() -> None:
    before = sample("reversed", authorised_minor=0, released_minor=0, operation_key=s.SECOND)
    after, effects = decide(before, s.approved())
    assert (after.state, after.authorised_minor, kinds(effects)) == ("reversing", 2500, ("Notify", "Release"))


def test_a_repeat_carries_the_same_key_and_amount() -> None:
    for state, event in (("capturing", s.not_sent()), ("capturing", s.found_open())):
        _, (again,) = decide(sample(state), event)
        assert (again.key, again.amount_minor) == (KEY, 487)
    _, (again,) = decide(sample("reversing"), s.not_sent())
    assert (again.key, again.amount_minor) == (KEY, 2500)


def test_a_void_gives_everything_back() -> None:
    after, _ = decide(sample("voiding"), s.voided(key=KEY))
    assert (after.captured_minor, after.released_minor) == (0, 2500)


def test_several_refunds_never_pass_the_capture() -> None:
    once, _ = decide(sample("captured"), e.RefundWanted(at_ms=9, amount_minor=400))
    done, _ = decide(once, s.refunded(key=once.operation_key, amount_minor=400))
    assert (done.state, done.refunded_minor) == ("refunded", 400)
    for amount in (88, 0, -1):
        with pytest.raises(UnableToDecide, match=f"refund of {amount}, 87 left"):
            decide(done, e.RefundWanted(at_ms=9, amount_minor=amount))
    refusing, _ = decide(done, e.RefundWanted(at_ms=9, amount_minor=87))
    refused, _ = decide(refusing, s.refund_refused(key=refusing.operation_key))
    assert (refused.state, refused.refunded_minor) == ("refunded", 400)


def test_a_refund_of_another_amount_waits_for_a_person() -> None:
    after, _ = decide(sample("refunding"), s.refunded(key=KEY, amount_minor=9999))
    assert after.state == "review"


def test_an_increase_counts_for_what_was_confirmed() -> None:
    after, _ = decide(sample("increasing"), s.approved(amount=400))
    assert (after.state, after.authorised_minor) == ("authorised", 2900)


def test_an_increase_by_more_than_asked_waits_for_a_person() -> None:
    after, effects = decide(sample("increasing"), s.approved(amount=2501))
    assert (after.state, after.authorised_minor, kinds(effects)) == ("review", 2500, ("Notify",))


def test_an_increase_of_an_unknown_amount_is_not_used() -> None:
    after, _ = decide(sample("increasing"), s.found_open(amount=None))
    assert after.authorised_minor == 2500


def test_an_increase_raises_the_hold_and_a_refusal_keeps_it() -> None:
    raised, _ = decide(sample("increasing"), s.approved(amount=1000))
    assert (raised.authorised_minor, raised.increase_minor) == (3500, 0)
    kept, _ = decide(sample("increasing"), s.declined())
    assert (kept.authorised_minor, kept.increase_minor) == (2500, 0)


def test_a_refusal_without_words_is_not_called_traceless() -> None:
    after, _ = decide(sample("authorising"), s.declined(text=""))
    assert "no trace" not in after.reason
