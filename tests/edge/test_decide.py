"""The table of terminal operations: every row, and an error with a name for what has none."""

from dataclasses import replace

import pytest

from tapwatt.edge.decide import EVENTS, TABLE, Family, UnableToDecide, decide, index
from tapwatt.edge.operation import (
    Aborted,
    AbortWanted,
    Approved,
    Asked,
    Declined,
    Event,
    Foreknown,
    Hold,
    HoldEnded,
    Keys,
    Listed,
    NotSent,
    Operation,
    OutcomeWanted,
    Sent,
    Silent,
    State,
    Stated,
    Superseded,
)
from tapwatt.edge.rows import MOST_FAULTS, REACTIONS
from tapwatt.terminals.messages import ResultKind
from tapwatt.uplink.messages import Operate, OperationKind, Result

S, R, K = State, Result, OperationKind
H, F, X = Family.HOLD, Family.FINISH, Family.FENCE
NOW = 1_700_000_000_000


def request(kind: OperationKind) -> Operate:
    return Operate(
        key="S1.p1",
        kind=kind,
        terminal_id="T1",
        amount_minor=4000 if kind is K.CAPTURE else 5000,
        hold_minor=5000,
        currency="EUR",
        deadline_ms=NOW + 1000,
        receipt="" if kind is K.PREAUTHORISE else "0231",
    )


KEYS = Keys(receipt="0231", amount_minor=5000, trace="000231", tid="52523535", token="A1B2")
TAKEN = replace(KEYS, amount_minor=4000)
KINDS = {H: K.PREAUTHORISE, F: K.CAPTURE}
ASKED = {family: Asked(at_ms=NOW, request=request(kind)) for family, kind in KINDS.items()}
WANTED = OutcomeWanted(at_ms=NOW, key="S1.p1", terminal_id="T1")
SENT, SILENT = Sent(at_ms=NOW), Silent(at_ms=NOW, reason="nobody answers")
OPEN, GONE = Listed(at_ms=NOW, receipt="0231"), Listed(at_ms=NOW, receipt=None)
DECLINED = Declined(at_ms=NOW, code="05", reason="no")
DENIED = Declined(at_ms=NOW, code="B8", reason="no such hold", kind=ResultKind.NOT_FOUND)
ABORTED = Aborted(at_ms=NOW, code="6C", reason="abort key")
NOT_SENT = NotSent(at_ms=NOW, code="9C", reason="busy")
HOLD_ENDED = HoldEnded(at_ms=NOW, hold=Hold.CAPTURED, amount_minor=4000)
SUPERSEDED = Superseded(at_ms=NOW)
FOREKNOWN = Foreknown(at_ms=NOW, state=S.ALREADY_DONE, reason="captured before", amount_minor=4000)


def operation(family: Family, state: State, **more: object) -> Operation:
    asked = None if family is X else request(KINDS[family])
    made = Operation(key="S1.p1", terminal_id="T1", state=state, at_ms=NOW, request=asked, sends=1)
    return replace(made, **more)  # type: ignore[arg-type]


Row = tuple[Family, State | None, Event, State, Result | None]
HOLD_ENDS = (S.APPROVED, S.FOUND_OPEN, S.FOUND_NONE, S.DECLINED, S.ABORTED, S.NOT_SENT)
FINISH_ENDS = (S.DONE, S.ALREADY_DONE, S.REFUSED, S.NOT_FOUND)
ROWS: list[Row] = [
    (H, None, ASKED[H], S.QUEUED, None),
    (H, S.QUEUED, ASKED[H], S.QUEUED, None),
    (H, S.QUEUED, WANTED, S.QUEUED, None),
    (H, S.QUEUED, AbortWanted(at_ms=NOW), S.ABORTED, R.ABORTED),
    (H, S.QUEUED, NOT_SENT, S.NOT_SENT, R.NOT_SENT),
    (H, S.QUEUED, SENT, S.SENT, None),
    (H, S.SENT, ASKED[H], S.SENT, None),
    (H, S.SENT, WANTED, S.SENT, None),
    (H, S.SENT, AbortWanted(at_ms=NOW), S.SENT, None),
    (H, S.SENT, Stated(at_ms=NOW, keys=KEYS), S.SENT, None),
    (H, S.SENT, Approved(at_ms=NOW, keys=KEYS), S.APPROVED, R.APPROVED),
    (H, S.SENT, DECLINED, S.DECLINED, R.DECLINED),
    (H, S.SENT, ABORTED, S.ABORTED, R.ABORTED),
    (H, S.SENT, NOT_SENT, S.NOT_SENT, R.NOT_SENT),
    (H, S.SENT, SILENT, S.UNKNOWN, R.UNKNOWN),
    (H, S.UNKNOWN, ASKED[H], S.UNKNOWN, None),
    (H, S.UNKNOWN, WANTED, S.UNKNOWN, None),
    (H, S.UNKNOWN, OPEN, S.FOUND_OPEN, R.FOUND_OPEN),
    (H, S.UNKNOWN, GONE, S.FOUND_NONE, R.FOUND_NONE),
    (H, S.APPROVED, HOLD_ENDED, S.APPROVED, None),
    (H, S.APPROVED, SUPERSEDED, S.APPROVED, None),
    (H, S.FOUND_OPEN, HOLD_ENDED, S.FOUND_OPEN, None),
    (H, S.FOUND_OPEN, SUPERSEDED, S.FOUND_OPEN, None),
    *((H, state, ASKED[H], state, R(state)) for state in HOLD_ENDS),
    *((H, state, WANTED, state, R(state)) for state in HOLD_ENDS),
    (F, None, ASKED[F], S.QUEUED, None),
    (F, S.QUEUED, ASKED[F], S.QUEUED, None),
    (F, S.QUEUED, WANTED, S.QUEUED, None),
    (F, S.QUEUED, FOREKNOWN, S.ALREADY_DONE, R.ALREADY_DONE),
    (F, S.QUEUED, SENT, S.SENT, None),
    (F, S.SENT, ASKED[F], S.SENT, None),
    (F, S.SENT, WANTED, S.SENT, None),
    (F, S.SENT, Stated(at_ms=NOW, keys=TAKEN), S.SENT, None),
    (F, S.SENT, Approved(at_ms=NOW, keys=TAKEN), S.DONE, R.DONE),
    (F, S.SENT, DECLINED, S.REFUSED, R.REFUSED),
    (F, S.SENT, DENIED, S.LOOKUP, None),
    (F, S.SENT, ABORTED, S.LOOKUP, None),
    (F, S.SENT, NOT_SENT, S.QUEUED, None),
    (F, S.SENT, SILENT, S.UNKNOWN, R.UNKNOWN),
    (F, S.UNKNOWN, ASKED[F], S.UNKNOWN, None),
    (F, S.UNKNOWN, WANTED, S.UNKNOWN, None),
    (F, S.UNKNOWN, OPEN, S.QUEUED, None),
    (F, S.UNKNOWN, GONE, S.ALREADY_DONE, R.ALREADY_DONE),
    (F, S.LOOKUP, ASKED[F], S.LOOKUP, None),
    (F, S.LOOKUP, WANTED, S.LOOKUP, None),
    (F, S.LOOKUP, OPEN, S.QUEUED, None),
    (F, S.LOOKUP, GONE, S.ALREADY_DONE, R.ALREADY_DONE),
    *((F, state, ASKED[F], state, R(state)) for state in FINISH_ENDS),
    *((F, state, WANTED, state, R(state)) for state in FINISH_ENDS),
    (X, None, WANTED, S.FENCED, R.NOT_SENT),
    (X, S.FENCED, WANTED, S.FENCED, R.NOT_SENT),
    (X, S.FENCED, ASKED[H], S.FENCED, R.NOT_SENT),
    (X, S.FENCED, ASKED[F], S.QUEUED, None),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}-{type(row[2]).__name__}-{row[3]}")
def test_row(row: Row) -> None:
    family, state, event, after, told = row
    before = None if state is None else operation(family, state)
    result, effects = decide(before, event)
    assert result.state is after
    assert [report.outcome.result for report in effects] == ([] if told is None else [told])
    assert all(report.outcome.key == "S1.p1" for report in effects)


def test_every_row_is_hit() -> None:
    assert {(family, state, type(event)) for family, state, event, _, _ in ROWS} == set(TABLE)


def test_what_has_no_row_is_an_error_with_a_name() -> None:
    missing = 0
    for state in State:
        for family in (H, F):
            for event in (SENT, SILENT, OPEN, HOLD_ENDED, FOREKNOWN, NOT_SENT):
                if (family, state, type(event)) not in TABLE:
                    missing += 1
                    with pytest.raises(UnableToDecide, match=type(event).__name__):
                        decide(operation(family, state), event)
    assert missing > 50


def test_every_event_has_a_row() -> None:
    assert {event for _, _, event in TABLE} == set(EVENTS)


# --- what the rows put into the state


def test_a_hold_with_its_keys_stated_is_approved_by_the_list() -> None:
    doubtful = operation(H, S.UNKNOWN, keys=KEYS)
    after, (report,) = decide(doubtful, OPEN)
    assert (after.state, after.hold, report.outcome.amount_minor) == (S.APPROVED, Hold.OPEN, 5000)
    assert decide(doubtful, GONE)[0].state is S.FOUND_NONE


def test_a_hold_found_without_keys_has_no_amount() -> None:
    after, (report,) = decide(operation(H, S.UNKNOWN), OPEN)
    assert (report.outcome.receipt, report.outcome.amount_minor, after.hold) == ("0231", None, Hold.OPEN)


def test_an_approval_without_receipt_is_unknown_and_without_amount_is_found_open() -> None:
    nameless = Approved(at_ms=NOW, keys=replace(KEYS, receipt=""))
    assert decide(operation(H, S.SENT), nameless)[0].state is S.UNKNOWN
    silent_about_money = Approved(at_ms=NOW, keys=replace(KEYS, amount_minor=None))
    after, (report,) = decide(operation(H, S.SENT), silent_about_money)
    assert (after.state, report.outcome.amount_minor, after.hold) == (S.FOUND_OPEN, None, Hold.OPEN)


def test_deadlines_count_for_holds_only() -> None:
    late = NOW + 1001
    assert decide(None, replace(ASKED[H], at_ms=late))[0].state is S.NOT_SENT
    assert decide(None, replace(ASKED[F], at_ms=late))[0].state is S.QUEUED


def test_what_cannot_be_done_ends_at_once() -> None:
    assert decide(None, replace(ASKED[H], problem="cannot"))[0].state is S.DECLINED
    assert decide(None, replace(ASKED[F], problem="cannot"))[0].state is S.REFUSED


def test_a_key_used_for_something_else() -> None:
    other = replace(ASKED[F], request=replace(request(K.CAPTURE), amount_minor=1))
    with pytest.raises(UnableToDecide, match="another operation"):
        decide(operation(F, S.DONE), other)
    later = replace(ASKED[F], request=replace(request(K.CAPTURE), deadline_ms=NOW + 9999))
    assert decide(operation(F, S.DONE), later)[0].state is S.DONE


def test_denied_the_first_time_is_not_found_and_later_is_our_own_doing() -> None:
    first = operation(F, S.LOOKUP, denied=True, sends=1)
    assert decide(first, GONE)[0].state is S.NOT_FOUND
    second = operation(F, S.LOOKUP, denied=True, sends=2)
    after, (report,) = decide(second, GONE)
    assert (after.state, report.outcome.amount_minor) == (S.ALREADY_DONE, 4000)
    assert decide(first, OPEN)[0].state is S.REFUSED


def test_a_denied_release_is_done() -> None:
    asked = request(K.RELEASE)
    denied = replace(operation(F, S.LOOKUP, denied=True), request=asked)
    assert decide(denied, GONE)[0].state is S.ALREADY_DONE


def test_sends_count_what_may_have_reached_the_terminal() -> None:
    queued = operation(F, S.QUEUED, sends=0)
    sent = decide(queued, SENT)[0]
    assert sent.sends == 1
    assert decide(sent, NOT_SENT)[0].sends == 0


def test_the_terminals_amount_is_told_when_it_differs() -> None:
    odd = Approved(at_ms=NOW, keys=replace(KEYS, amount_minor=3999))
    assert decide(operation(F, S.SENT), odd)[0].amount_minor == 3999
    mute = Approved(at_ms=NOW, keys=replace(KEYS, amount_minor=None))
    assert decide(operation(F, S.SENT), mute)[0].amount_minor == 4000


def test_every_kind_of_no_has_a_reaction() -> None:
    assert set(REACTIONS) == set(ResultKind)


def test_faults_are_tried_again_a_few_times() -> None:
    fault = Declined(at_ms=NOW, code="FF", reason="system", kind=ResultKind.FAULT)
    state = operation(F, S.SENT)
    for _ in range(MOST_FAULTS - 1):
        state = decide(replace(state, state=S.SENT), fault)[0]
        assert state.state is S.LOOKUP
    assert decide(replace(state, state=S.SENT), fault)[0].state is S.REFUSED


@pytest.mark.parametrize("kind", [ResultKind.UNREACHABLE, ResultKind.BUSY, ResultKind.DAY_END_REQUIRED])
def test_what_heals_by_itself_is_tried_again(kind: ResultKind) -> None:
    trouble = Declined(at_ms=NOW, code="A3", reason="no host", kind=kind)
    looked_up = decide(operation(F, S.SENT), trouble)[0]
    assert (looked_up.state, looked_up.denied) == (S.LOOKUP, False)
    assert decide(looked_up, OPEN)[0].state is S.QUEUED


def test_the_edges_own_operations_are_told_to_nobody() -> None:
    own = operation(F, S.SENT, own=True)
    assert decide(own, Approved(at_ms=NOW, keys=TAKEN))[1] == ()


def test_what_a_hold_is_found_by() -> None:
    held = decide(operation(H, S.SENT), Approved(at_ms=NOW, keys=KEYS))[0]
    assert index(held) == {"hold": "T1/0231", "open": "T1/0231"}
    ended = decide(held, HOLD_ENDED)[0]
    assert (index(ended), ended.captured_minor) == ({"hold": "T1/0231"}, 4000)
    assert index(decide(ended, SUPERSEDED)[0]) == {}
    assert index(operation(F, S.DONE, keys=TAKEN)) == {}
