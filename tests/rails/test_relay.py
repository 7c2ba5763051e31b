"""The table of a life cycle at a host in the middle: every row, what it answers and what it makes the host
do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from tapwatt.rails import relay
from tapwatt.rails.relay_states import (
    RELAY_EVENTS,
    Approved,
    Asked,
    CompletionAccepted,
    CompletionReceived,
    Declined,
    Identity,
    NotSent,
    Parked,
    Refused,
    Relay,
    RelayEvent,
    RelayStatus,
    ReversalAccepted,
    ReversalReceived,
    SendCompletion,
    SendRequest,
    SendReversal,
    Silent,
)

WHO = Identity(
    life_cycle="52523535-632612000001",
    reference="REF",
    rrn="632612000001",
    stan="000001",
    tid="52523535",
    mid="TWDE00000000017",
    card="411111******1111",
    pan_sealed="p1.x",
    pan_match="abc",
    amount_minor=5000,
    currency="978",
)


def said(**changes: Any) -> Identity:
    return replace(WHO, **changes)


ASKED = Asked(identity=WHO, original={"11": "000077", "4": "000000005000"}, upstream="acquirer", at_ms=1)
REFUSED = Refused(identity=WHO, code="58", reason="stranger", at_ms=1)
APPROVED = Approved(amount_minor=4000, code="10", approval_code="A1B2C3", scheme_transaction="N1", at_ms=2)
DECLINED = Declined(code="51", reason="insufficient funds", at_ms=2)
SILENT = Silent(reason="no answer in time", stan="000078", at_ms=3)
NOT_SENT = NotSent(reason="no line", at_ms=2)
COMPLETE = CompletionReceived(identity=said(stan="000002", amount_minor=1200), stan="000079", at_ms=4)
REVERSE = ReversalReceived(identity=said(stan="000003"), stan="000080", at_ms=5)
COMPLETED_ON = CompletionAccepted(at_ms=6)
REVERSED_ON = ReversalAccepted(at_ms=6)
PARKED = Parked(kind="completion", reason="refused with response code 14", at_ms=7)

EVENTS: tuple[RelayEvent, ...] = (
    ASKED,
    REFUSED,
    APPROVED,
    DECLINED,
    SILENT,
    NOT_SENT,
    COMPLETE,
    REVERSE,
    COMPLETED_ON,
    REVERSED_ON,
    PARKED,
)
SEND_COMPLETION = SendCompletion(amount_minor=1200, stan="000079", at_ms=4)
SEND_REVERSAL = SendReversal(code="17", stan="000080", at_ms=5)
SEND_TIMEOUT = SendReversal(code="68", stan="000078", at_ms=3)

# How to reach a status from nothing.
PATHS: dict[RelayStatus | None, tuple[RelayEvent, ...]] = {
    None: (),
    RelayStatus.RECEIVED: (ASKED,),
    RelayStatus.APPROVED: (ASKED, APPROVED),
    RelayStatus.DECLINED: (ASKED, DECLINED),
    RelayStatus.REVERSING: (ASKED, APPROVED, REVERSE),
    RelayStatus.REVERSED: (ASKED, APPROVED, REVERSE, REVERSED_ON),
    RelayStatus.COMPLETED: (ASKED, APPROVED, COMPLETE),
    RelayStatus.BLOCKED: (REVERSE,),
}

# status, event → status after, effects, field 39 for the sender
ROWS: list[tuple[RelayStatus | None, RelayEvent, str, tuple[object, ...], str]] = [
    (None, ASKED, "RECEIVED", (SendRequest(stan="000077"),), ""),
    (None, REFUSED, "DECLINED", (), "58"),
    (None, COMPLETE, "BLOCKED", (), "25"),
    (None, REVERSE, "BLOCKED", (), "00"),
    (RelayStatus.RECEIVED, ASKED, "RECEIVED", (), ""),
    (RelayStatus.RECEIVED, APPROVED, "APPROVED", (), ""),
    (RelayStatus.RECEIVED, DECLINED, "DECLINED", (), ""),
    (RelayStatus.RECEIVED, SILENT, "REVERSING", (SEND_TIMEOUT,), ""),
    (RelayStatus.RECEIVED, NOT_SENT, "DECLINED", (), ""),
    (RelayStatus.RECEIVED, COMPLETE, "RECEIVED", (), "25"),
    (RelayStatus.RECEIVED, REVERSE, "REVERSING", (SEND_REVERSAL,), "00"),
    (RelayStatus.APPROVED, ASKED, "APPROVED", (), "10"),
    (RelayStatus.APPROVED, COMPLETE, "COMPLETED", (SEND_COMPLETION,), "00"),
    (RelayStatus.APPROVED, REVERSE, "REVERSING", (SEND_REVERSAL,), "00"),
    (RelayStatus.DECLINED, ASKED, "DECLINED", (), "51"),
    (RelayStatus.DECLINED, COMPLETE, "DECLINED", (), "25"),
    (RelayStatus.DECLINED, REVERSE, "DECLINED", (), "00"),
    (RelayStatus.COMPLETED, ASKED, "COMPLETED", (), "10"),
    (RelayStatus.COMPLETED, COMPLETE, "COMPLETED", (), "00"),
    (RelayStatus.COMPLETED, REVERSE, "COMPLETED", (), "21"),
    (RelayStatus.COMPLETED, COMPLETED_ON, "COMPLETED", (), ""),
    (RelayStatus.COMPLETED, PARKED, "COMPLETED", (), ""),
    (RelayStatus.REVERSING, ASKED, "REVERSING", (), "79"),
    (RelayStatus.REVERSING, APPROVED, "REVERSING", (), ""),
    (RelayStatus.REVERSING, DECLINED, "REVERSING", (), ""),
    (RelayStatus.REVERSING, SILENT, "REVERSING", (), ""),
    (RelayStatus.REVERSING, NOT_SENT, "REVERSING", (), ""),
    (RelayStatus.REVERSING, COMPLETE, "REVERSING", (), "21"),
    (RelayStatus.REVERSING, REVERSE, "REVERSING", (), "00"),
    (RelayStatus.REVERSING, REVERSED_ON, "REVERSED", (), ""),
    (RelayStatus.REVERSING, PARKED, "REVERSING", (), ""),
    (RelayStatus.REVERSED, ASKED, "REVERSED", (), "79"),
    (RelayStatus.REVERSED, COMPLETE, "REVERSED", (), "21"),
    (RelayStatus.REVERSED, REVERSE, "REVERSED", (), "00"),
    (RelayStatus.BLOCKED, ASKED, "BLOCKED", (), "79"),
    (RelayStatus.BLOCKED, COMPLETE, "BLOCKED", (), "25"),
    (RelayStatus.BLOCKED, REVERSE, "BLOCKED", (), "00"),
]


def reach(status: RelayStatus | None) -> Relay | None:
    state: Relay | None = None
    for event in PATHS[status]:
        state, _ = relay.decide(state, event)
    assert (None if state is None else state.status) == status
    return state


@pytest.mark.parametrize(("status", "event", "after", "effects", "code"), ROWS)
def test_every_row(
    status: RelayStatus | None, event: RelayEvent, after: str, effects: tuple[object, ...], code: str
) -> None:
    before = reach(status)
    state, done = relay.decide(before, event)
    assert (state.status, done) == (after, effects)
    assert relay.answer(before, event)[0] == code


def test_the_rows_above_are_the_whole_table() -> None:
    assert {(status, type(event)) for status, event, *_ in ROWS} == set(relay.TABLE)
    assert len(ROWS) == len(relay.TABLE)


def test_what_is_not_in_the_table_is_an_error_with_a_name() -> None:
    missing = 0
    for status in PATHS:
        for event in EVENTS:
            if (status, type(event)) not in relay.TABLE:
                missing += 1
                with pytest.raises(relay.UnexpectedEvent, match=type(event).__name__):
                    relay.decide(reach(status), event)
    assert missing == len(PATHS) * len(RELAY_EVENTS) - len(relay.TABLE)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount_minor": 4001}, "61"),
        ({"amount_minor": 4000}, "00"),
        ({"amount_minor": 0}, "13"),
        ({"currency": "840"}, "12"),
        ({"tid": "52523536"}, "25"),
        ({"mid": "SOMEBODY"}, "25"),
    ],
)
def test_a_completion_is_checked_against_the_approval(changes: dict[str, Any], code: str) -> None:
    event = replace(COMPLETE, identity=replace(COMPLETE.identity, **changes))
    before = reach(RelayStatus.APPROVED)
    state, effects = relay.decide(before, event)
    assert relay.answer(before, event)[0] == code
    assert (state.status == RelayStatus.COMPLETED) == (code == "00") == bool(effects)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount_minor": 1200}, "00"),
        ({"amount_minor": 1201}, "94"),
        ({"currency": "840"}, "94"),
        ({"tid": "52523536"}, "94"),
    ],
)
def test_there_is_one_completion_and_its_repeat_is_told_yes(changes: dict[str, Any], code: str) -> None:
    event = replace(COMPLETE, identity=replace(COMPLETE.identity, **changes))
    before = reach(RelayStatus.COMPLETED)
    assert relay.answer(before, event)[0] == code
    assert relay.decide(before, event) == (before, ())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "10"),
        ({"amount_minor": 4999}, "94"),
        ({"pan_match": "other"}, "94"),
        ({"currency": "840"}, "94"),
        ({"stan": "000009"}, "12"),
    ],
)
def test_a_second_request_of_a_life_cycle_changes_nothing(changes: dict[str, Any], code: str) -> None:
    before = reach(RelayStatus.APPROVED)
    event = replace(ASKED, identity=said(**changes))
    assert relay.answer(before, event)[0] == code
    assert relay.decide(before, event) == (before, ())


def test_a_stranger_cannot_take_a_hold_back() -> None:
    before = reach(RelayStatus.APPROVED)
    event = replace(REVERSE, identity=said(tid="52523536"))
    assert relay.decide(before, event) == (before, ())
    assert relay.answer(before, event)[0] == "25"


def test_after_a_silence_the_sender_is_told_91_for_ever() -> None:
    before = reach(RelayStatus.RECEIVED)
    state, _ = relay.decide(before, SILENT)
    assert relay.authorisation_answer(state) == ("91", "no answer in time")
    reversed_, _ = relay.decide(state, REVERSED_ON)
    assert relay.answer(reversed_, ASKED)[0] == "91"


def test_a_yes_is_not_repeated_once_it_was_taken_back() -> None:
    state = reach(RelayStatus.REVERSED)
    assert state is not None
    assert state.response_code == "10"
    assert relay.authorisation_answer(state)[0] == "79"


def test_a_parked_advice_raises_an_alarm_that_its_acceptance_clears() -> None:
    parked, _ = relay.decide(reach(RelayStatus.COMPLETED), PARKED)
    assert parked.alarm == "completion: refused with response code 14"
    cleared, _ = relay.decide(parked, COMPLETED_ON)
    assert cleared.alarm == ""


def test_states_survive_storage() -> None:
    for status in PATHS:
        state = reach(status)
        if state is not None:
            assert msgspec.json.decode(msgspec.json.encode(state), type=Relay) == state
