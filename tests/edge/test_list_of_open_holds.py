"""Comparing the terminal's list of open holds with the journal, and what the journal knows by itself."""

from dataclasses import replace

import pytest

from tapwatt.edge.operation import Hold, Keys, Operation, State
from tapwatt.edge.recovery import Findings, compare, foreknown
from tapwatt.uplink.messages import Operate, OperationKind

K, S = OperationKind, State
NOW = 1_700_000_000_000


def operation(
    kind: OperationKind, state: State, *, receipt: str = "", key: str = "K", **more: object
) -> Operation:
    request = Operate(
        key=key,
        kind=kind,
        terminal_id="T1",
        amount_minor=1000,
        hold_minor=5000,
        currency="EUR",
        deadline_ms=0,
        receipt=receipt,
        trace="000001" if receipt else "",
    )
    made = Operation(key=key, terminal_id="T1", state=state, at_ms=NOW, request=request)
    return replace(made, **more)  # type: ignore[arg-type]


def held(receipt: str, hold: Hold = Hold.OPEN, **more: object) -> Operation:
    keys = Keys(receipt=receipt, amount_minor=5000, trace="000001")
    made = operation(K.PREAUTHORISE, S.APPROVED, keys=keys, hold=hold, amount_minor=5000)
    return replace(made, **more)  # type: ignore[arg-type]


NOTHING = Findings(receipts={}, strangers=(), missing=(), contradicted=())


def test_nothing_to_say() -> None:
    assert compare(listed=(), waiting=(), holders={}) == NOTHING
    assert compare(listed=("0001",), waiting=(), holders={"0001": held("0001")}) == NOTHING


def test_the_newest_unclaimed_hold_is_the_one_that_was_cut() -> None:
    cut = operation(K.PREAUTHORISE, S.UNKNOWN)
    found = compare(listed=("0001", "0002", "0003"), waiting=[cut], holders={"0001": held("0001")})
    assert (found.receipts, found.strangers) == ({"K": "0003"}, ("0002",))


def test_a_stated_hold_is_looked_for_by_its_own_number() -> None:
    cut = operation(K.PREAUTHORISE, S.UNKNOWN, keys=Keys(receipt="0002"))
    assert compare(listed=("0002", "0009"), waiting=[cut], holders={}).receipts == {"K": "0002"}
    other = compare(listed=("0009",), waiting=[cut], holders={})
    assert (other.receipts, other.strangers) == ({"K": None}, ("0009",))


def test_captures_look_for_the_hold_they_end() -> None:
    doubtful = operation(K.CAPTURE, S.UNKNOWN, receipt="0001")
    holders = {"0001": held("0001")}
    assert compare(listed=("0001",), waiting=[doubtful], holders=holders).receipts == {"K": "0001"}
    gone = compare(listed=(), waiting=[doubtful], holders=holders)
    assert (gone.receipts, gone.missing) == ({"K": None}, ())


def test_what_is_queued_or_on_the_wire_is_left_alone_and_known() -> None:
    for state in (S.QUEUED, S.SENT):
        queued = operation(K.RELEASE, state, receipt="0007")
        assert compare(listed=("0007",), waiting=[queued], holders={}) == NOTHING


def test_a_hold_that_is_gone_is_missed() -> None:
    assert compare(listed=(), waiting=(), holders={"0001": held("0001")}).missing == ("0001",)


def test_captured_and_open_is_for_a_person_released_and_open_is_released_again() -> None:
    holders = {"0001": held("0001", Hold.CAPTURED), "0002": held("0002", Hold.RELEASED)}
    found = compare(listed=("0001", "0002"), waiting=(), holders=holders)
    assert (found.contradicted, found.strangers) == (("0001",), ("0002",))


def test_a_number_used_again_belongs_to_the_one_that_was_cut() -> None:
    cut = operation(K.PREAUTHORISE, S.UNKNOWN)
    holders = {"0001": held("0001", Hold.CAPTURED)}
    assert compare(listed=("0001",), waiting=[cut], holders=holders).receipts == {"K": "0001"}


@pytest.mark.parametrize(
    ("kind", "hold", "state", "amount_minor"),
    [
        (K.CAPTURE, Hold.OPEN, None, None),
        (K.RELEASE, Hold.OPEN, None, None),
        (K.CAPTURE, Hold.CAPTURED, S.ALREADY_DONE, 700),
        (K.RELEASE, Hold.CAPTURED, S.REFUSED, None),
        (K.CAPTURE, Hold.RELEASED, S.NOT_FOUND, None),
        (K.RELEASE, Hold.RELEASED, S.ALREADY_DONE, 1000),
        (K.CAPTURE, Hold.LOST, None, None),
    ],
)
def test_what_the_journal_knows(
    kind: OperationKind, hold: Hold, state: State | None, amount_minor: int | None
) -> None:
    asked = operation(kind, S.QUEUED, receipt="0001")
    known = foreknown(asked, held("0001", hold, captured_minor=700), at_ms=NOW)
    if state is None:
        assert known is None
    else:
        assert known is not None
        assert (known.state, known.amount_minor) == (state, amount_minor)


def test_another_trace_is_another_hold_and_another_amount_a_mistake() -> None:
    asked = operation(K.CAPTURE, S.QUEUED, receipt="0001")
    newer = replace(held("0001"), keys=Keys(receipt="0001", amount_minor=5000, trace="000002"))
    known = foreknown(asked, newer, at_ms=NOW)
    assert known is not None
    assert known.state is S.NOT_FOUND
    known = foreknown(asked, replace(held("0001"), amount_minor=4000), at_ms=NOW)
    assert known is not None
    assert known.state is S.REFUSED
    assert foreknown(asked, replace(held("0001"), amount_minor=None), at_ms=NOW) is None
    assert foreknown(asked, None, at_ms=NOW) is None
