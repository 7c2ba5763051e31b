"""Matching answers to questions, as a table and by story."""

from __future__ import annotations

import pytest
from tests.rails.samples import NOW_MS, hold

from tapwatt.rails import messages
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.mux import EXPIRED_LIMIT, Mux, UnableToSend, Unmatched, UnmatchedReason

REQUEST = hold(stan="000042")
ANSWER = messages.response(REQUEST, "00", approval_code="A1B2C3")


def waiting() -> Mux:
    mux = Mux()
    mux.sent(REQUEST, now_ms=1000, timeout_ms=500)
    return mux


@pytest.mark.parametrize(
    ("answer", "now_ms", "reason"),
    [
        (ANSWER, 1499, None),
        (ANSWER.without(7), 1499, None),
        (ANSWER, 1500, UnmatchedReason.LATE),
        (ANSWER.replace({11: "000043"}), 1100, UnmatchedReason.UNKNOWN),
        (ANSWER.replace({41: "52523536"}), 1100, UnmatchedReason.UNKNOWN),
        (ANSWER.without(41), 1100, UnmatchedReason.UNKNOWN),
        (ANSWER.replace({}, mti="0430"), 1100, UnmatchedReason.UNKNOWN),
        (ANSWER.replace({7: "1122091113"}), 1100, UnmatchedReason.OTHER_TIME),
        (ANSWER.without(11), 1100, UnmatchedReason.NO_KEY),
        (REQUEST, 1100, UnmatchedReason.NOT_AN_ANSWER),
    ],
)
def test_an_answer_and_its_question(answer: Message, now_ms: int, reason: UnmatchedReason | None) -> None:
    mux = waiting()
    found = mux.received(answer, now_ms=now_ms)
    if reason is None:
        assert found is REQUEST
        assert len(mux) == 0
        return
    assert found == Unmatched(message=answer, reason=reason, received_ms=now_ms)
    assert list(mux.unmatched) == [found]
    assert mux.unmatched_count == {reason: 1}
    assert len(mux) == 1


def test_answers_may_overtake_each_other() -> None:
    requests = [hold() for _ in range(20)]
    mux = Mux()
    for request in requests:
        mux.sent(request, now_ms=0, timeout_ms=100)
    for request in reversed(requests):
        assert mux.received(messages.response(request, "00"), now_ms=1) is request


def test_a_hold_and_its_reversal_with_one_trace_number_are_not_confused() -> None:
    reversal = messages.reversal(REQUEST, stan="000042", now_ms=NOW_MS)
    mux = waiting()
    mux.sent(reversal, now_ms=1000, timeout_ms=500)
    assert mux.received(messages.response(reversal, "00"), now_ms=1001) is reversal
    assert mux.received(ANSWER, now_ms=1002) is REQUEST


def test_the_same_answer_twice_matches_once() -> None:
    mux = waiting()
    assert mux.received(ANSWER, now_ms=1001) is REQUEST
    second = mux.received(ANSWER, now_ms=1002)
    assert isinstance(second, Unmatched)
    assert second.reason is UnmatchedReason.UNKNOWN


def test_a_late_answer_never_fits_a_newer_question_under_the_same_key() -> None:
    mux = waiting()
    assert mux.expired(1499) == ()
    assert mux.expired(1500) == (REQUEST,)
    newer = REQUEST.replace({7: "1123091112", 4: "000000009900"})
    mux.sent(newer, now_ms=2000, timeout_ms=500)
    for late in (ANSWER, ANSWER.without(7)):  # with its own time, and from a partner that echoes none
        assert isinstance(mux.received(late, now_ms=2001), Unmatched)
    assert mux.received(messages.response(newer, "00"), now_ms=2002) is newer
    late_again = mux.received(ANSWER, now_ms=2003)
    assert isinstance(late_again, Unmatched)
    assert late_again.reason is UnmatchedReason.LATE


def test_a_key_in_flight_is_taken() -> None:
    mux = waiting()
    with pytest.raises(UnableToSend, match="in flight"):
        mux.sent(REQUEST.replace({4: "000000000001"}), now_ms=1001, timeout_ms=500)


def test_only_requests_with_a_trace_number_are_sent_and_not_too_many() -> None:
    for wrong in (ANSWER, REQUEST.without(11)):
        with pytest.raises(UnableToSend, match="trace number"):
            Mux().sent(wrong, now_ms=0, timeout_ms=1)
    mux = Mux(pending_limit=1)
    mux.sent(hold(), now_ms=0, timeout_ms=1)
    with pytest.raises(UnableToSend, match="1 requests are in flight"):
        mux.sent(hold(), now_ms=0, timeout_ms=1)


def test_what_is_kept_is_bounded_and_counted() -> None:
    mux = Mux(unmatched_limit=3)
    for _ in range(10):
        mux.received(ANSWER, now_ms=1)
    assert len(mux.unmatched) == 3
    assert mux.unmatched_count[UnmatchedReason.UNKNOWN] == 10
    for number in range(EXPIRED_LIMIT + 10):
        mux.sent(REQUEST.replace({11: f"{number:06d}"}), now_ms=0, timeout_ms=0)
        mux.expired(1)
    assert len(mux._expired) == EXPIRED_LIMIT


def test_draining_gives_up_everything_at_once() -> None:
    mux = waiting()
    assert mux.due_ms() == 1500
    assert mux.drain() == (REQUEST,)
    assert mux.due_ms() is None
    late = mux.received(ANSWER, now_ms=1001)
    assert isinstance(late, Unmatched)
    assert late.reason is UnmatchedReason.LATE
