"""What an edge's outcome means to a payment, whole: silence is neither yes nor no, and nothing else is
guessed."""

import pytest

from tapwatt.core import events as e
from tapwatt.platform.terminals import outcome_event
from tapwatt.uplink.messages import OperationKind, Outcome, Result

HOLDS: dict[str, type | None] = {
    "approved": e.Approved, "declined": e.Declined, "aborted": e.Aborted, "not_sent": e.NotSent,
    "unknown": e.Silent, "found_open": e.FoundOpen, "found_none": e.FoundNone,
    "done": None, "already_done": None, "refused": None, "not_found": None,
}  # fmt: skip
MEANING: dict[str, dict[str, type | None]] = {
    "preauthorise": HOLDS,
    "increase": HOLDS,
    "capture": {
        "done": e.Captured, "already_done": e.AlreadyCaptured, "refused": e.CaptureRefused,
        "declined": e.CaptureRefused, "not_found": e.CaptureRefused, "found_none": e.CaptureRefused,
        "not_sent": e.NotSent, "unknown": e.Silent, "found_open": e.FoundOpen,
        "approved": None, "aborted": None,
    },
    "release": {
        "done": e.Released, "already_done": e.Released, "not_found": e.Released, "found_none": e.Released,
        "refused": e.ReleaseRefused, "declined": e.ReleaseRefused,
        "not_sent": e.NotSent, "unknown": e.Silent, "found_open": e.FoundOpen,
        "approved": None, "aborted": None,
    },
    "refund": {
        "done": e.Refunded, "already_done": e.Refunded, "refused": e.RefundRefused,
        "declined": e.RefundRefused, "not_sent": e.NotSent, "unknown": e.Silent, "found_open": e.FoundOpen,
        "approved": None, "aborted": None, "not_found": None, "found_none": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("result", Result)
@pytest.mark.parametrize("kind", OperationKind)
def test_an_outcome_means_exactly_this(kind: OperationKind, result: Result) -> None:
    told = Outcome(
        key="S1.p1", kind=kind, terminal_id="T1", result=result, at_ms=0, amount_minor=117, receipt="0231"
    )
    event = outcome_event(told, at_ms=5)
    wanted = MEANING[kind][result]
    assert (None if event is None else type(event)) is wanted
    if event is not None:
        assert (getattr(event, "key", None), event.at_ms) == ("S1.p1", 5)
        assert getattr(event, "amount_minor", 117) == 117
