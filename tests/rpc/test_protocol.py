"""Two peers joined in memory, and one peer against everything a wire may bring."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwatt.rpc.messages import (
    OCPP_2,
    Answered,
    Broken,
    Called,
    CallResult,
    Event,
    Fault,
    Garbled,
    NotSent,
    Refused,
    Repeated,
    Unanswered,
    Unmatched,
)
from tapwatt.rpc.protocol import Peer, QueueFull, Rules

HEARTBEAT = b'[2,"1","Heartbeat",{}]'


def deliver(sender: Peer, receiver: Peer, now_ms: int = 0) -> list[Event]:
    """Carry what one peer wants to send over to the other."""
    return [event for frame in sender.frames_to_send() for event in receiver.receive(frame, now_ms)]


def ask(peer: Peer, message_id: str, *, action: str = "Heartbeat", now_ms: int = 0) -> None:
    peer.call(message_id=message_id, action=action, payload=b"{}", now_ms=now_ms)


def test_a_call_and_its_answer_in_both_directions_at_once() -> None:
    station, csms = Peer(), Peer()
    ask(station, "s1")
    ask(csms, "c1", action="Reset")
    assert deliver(station, csms) == [Called(message_id="s1", action="Heartbeat", payload=b"{}")]
    assert deliver(csms, station) == [Called(message_id="c1", action="Reset", payload=b"{}")]
    csms.answer("s1", b'{"now":1}')
    station.refuse("c1", Fault.NOT_SUPPORTED, "not here")
    assert deliver(csms, station) == [Answered(message_id="s1", payload=b'{"now":1}')]
    assert deliver(station, csms) == [
        Refused(message_id="c1", code="NotSupported", description="not here", details=b"{}")
    ]
    assert station.next_due_ms is None


def test_only_one_call_is_open_and_the_rest_waits_in_order() -> None:
    station, csms = Peer(), Peer()
    for message_id in ("1", "2", "3"):
        ask(station, message_id)
    for message_id in ("1", "2", "3"):
        assert deliver(station, csms) == [Called(message_id=message_id, action="Heartbeat", payload=b"{}")]
        csms.answer(message_id, b"{}")
        deliver(csms, station)
    assert station.frames_to_send() == []


def test_the_queue_has_an_end() -> None:
    peer = Peer(Rules(queue_length=2))
    for message_id in ("open", "1", "2"):
        ask(peer, message_id)
    with pytest.raises(QueueFull):
        ask(peer, "3")


def test_a_withdrawn_call_is_never_sent() -> None:
    peer = Peer()
    ask(peer, "1")
    ask(peer, "2")
    peer.withdraw("2")
    peer.receive(b'[3,"1",{}]', 0)
    assert len(peer.frames_to_send()) == 1


def test_silence_is_unknown_and_the_late_answer_is_reported_apart() -> None:
    peer = Peer()
    ask(peer, "1")
    assert peer.next_due_ms == 30_000
    assert peer.tick(29_999) == []
    assert peer.tick(30_000) == [Unanswered(message_id="1", reason="no answer in time")]
    late = peer.receive(b'[3,"1",{}]', 30_001)
    assert late == [Unmatched(frame=CallResult(message_id="1", payload=b"{}"))]


def test_the_next_call_gets_its_full_time_after_a_silent_one() -> None:
    peer = Peer()
    ask(peer, "1", now_ms=0)
    ask(peer, "2", now_ms=20_000)
    peer.tick(30_000)
    assert b'"2"' in peer.frames_to_send()[-1]
    assert peer.next_due_ms == 60_000


def test_a_call_that_waited_too_long_was_certainly_not_sent() -> None:
    peer = Peer()
    peer.call(message_id="1", action="A", payload=b"{}", now_ms=0, timeout_ms=60_000)
    ask(peer, "2")
    assert peer.tick(30_000) == [NotSent(message_id="2", reason="waited too long to be sent")]


def test_a_lost_connection_leaves_one_unknown_and_the_rest_unsent() -> None:
    peer = Peer()
    ask(peer, "1")
    ask(peer, "2")
    assert peer.lost("cable") == [
        Unanswered(message_id="1", reason="cable"),
        NotSent(message_id="2", reason="cable"),
    ]
    assert peer.next_due_ms is None


def test_a_repeat_gets_the_stored_answer_and_no_second_handling() -> None:
    peer = Peer()
    peer.receive(HEARTBEAT, 0)
    peer.answer("1", b'{"first":true}')
    first = peer.frames_to_send()
    assert peer.receive(HEARTBEAT, 5) == [Repeated(message_id="1", action="Heartbeat")]
    assert peer.frames_to_send() == first


def test_a_repeat_while_the_first_is_handled_gets_one_answer() -> None:
    peer = Peer()
    peer.receive(HEARTBEAT, 0)
    assert peer.receive(HEARTBEAT, 0) == [Repeated(message_id="1", action="Heartbeat")]
    peer.answer("1", b"{}")
    assert len(peer.frames_to_send()) == 1


def test_another_call_under_an_old_id_is_not_a_repeat() -> None:
    peer = Peer()
    peer.receive(HEARTBEAT, 0)
    peer.answer("1", b"{}")
    assert peer.receive(b'[2,"1","StopTransaction",{}]', 0) == [
        Called(message_id="1", action="StopTransaction", payload=b"{}")
    ]
    assert isinstance(peer.receive(HEARTBEAT.replace(b"Heartbeat", b"Authorize"), 0)[0], Broken)


def test_a_refused_call_is_tried_again_when_repeated() -> None:
    peer = Peer()
    peer.receive(HEARTBEAT, 0)
    peer.refuse("1", Fault.INTERNAL_ERROR, "")
    assert isinstance(peer.receive(HEARTBEAT, 0)[0], Called)


def test_only_the_last_answers_are_kept() -> None:
    peer = Peer(Rules(answers_kept=2))
    for message_id in (b"1", b"2", b"3"):
        peer.receive(b'[2,"%s","Heartbeat",{}]' % message_id, 0)
        peer.answer(message_id.decode(), b"{}")
    assert isinstance(peer.receive(b'[2,"3","Heartbeat",{}]', 0)[0], Repeated)
    assert isinstance(peer.receive(b'[2,"1","Heartbeat",{}]', 0)[0], Called)


def test_integer_ids_come_back_as_integers() -> None:
    peer = Peer()
    peer.receive(b'[2,12,"Heartbeat",{}]', 0)
    peer.answer(12, b"{}")
    assert peer.frames_to_send() == [b"[3,12,{}]"]


def test_unknown_and_unsupported_actions_get_their_own_errors() -> None:
    peer = Peer(Rules(known={"Heartbeat", "GetLog"}, supported={"Heartbeat"}))
    assert peer.receive(b'[2,"1","Dance",{}]', 0) == []
    assert peer.receive(b'[2,"2","GetLog",{}]', 0) == []
    assert peer.frames_to_send() == [
        b'[4,"1","NotImplemented","Dance is unknown",{}]',
        b'[4,"2","NotSupported","GetLog is not supported",{}]',
    ]


def test_a_broken_call_with_a_readable_id_is_answered_in_the_dialects_words() -> None:
    old, new = Peer(), Peer(Rules(dialect=OCPP_2))
    for peer, code in ((old, b"FormationViolation"), (new, b"FormatViolation")):
        assert isinstance(peer.receive(b'[2,"1","Heartbeat",{', 0)[0], Garbled)
        assert code in peer.frames_to_send()[0]


def test_an_unreadable_frame_is_ignored_in_1_6_and_answered_under_minus_one_in_2() -> None:
    old, new = Peer(), Peer(Rules(dialect=OCPP_2))
    for peer in (old, new):
        peer.receive(b"nonsense", 0)
        peer.receive(b'[6,"1","X",{}]', 0)
    assert old.frames_to_send() == []
    assert new.frames_to_send() == [
        b'[4,"-1","RpcFrameworkError","not a JSON array",{}]',
        b'[4,"1","MessageTypeNotSupported","unknown message type",{}]',
    ]


def test_a_broken_billing_frame_reaches_the_owner_whole() -> None:
    peer = Peer(Rules(never_refused=frozenset({"StopTransaction"})))
    text = b'[2,"1","StopTransaction",{"transactionId":4'
    events = peer.receive(text, 0)
    assert events[1:] == [Called(message_id="1", action="StopTransaction", payload=text)]
    assert peer.frames_to_send() == []


def test_an_unreadable_answer_is_never_answered_and_frees_the_queue() -> None:
    peer = Peer()
    ask(peer, "1")
    ask(peer, "2")
    peer.frames_to_send()
    events = peer.receive(b'[3,"1"]', 0)
    assert events[1:] == [Unanswered(message_id="1", reason="unreadable answer")]
    assert len(peer.frames_to_send()) == 1
    assert peer.receive(b'[4,"none"]', 0)[1:] == []


def test_limits_end_in_a_close_with_a_reason() -> None:
    peer = Peer(Rules(frame_bytes=30, calls_in_hand=1, garbled_limit=1))
    assert peer.receive(b"x" * 31, 0) == [Broken(code=1009, reason="frame of 31 bytes, at most 30 allowed")]
    peer.receive(HEARTBEAT, 0)
    assert peer.receive(b'[2,"2","Heartbeat",{}]', 0) == [
        Broken(code=1008, reason="more than 1 calls unanswered")
    ]
    peer.receive(b"x", 0)
    assert peer.receive(b"x", 0) == [Broken(code=1008, reason="too many unreadable frames")]


@given(
    st.lists(st.binary(max_size=60) | st.sampled_from([HEARTBEAT, b'[3,"1",{}]', b'[4,1,"A"]']), max_size=20)
)
def test_no_input_raises(frames: list[bytes]) -> None:
    peer = Peer(Rules(dialect=OCPP_2))
    ask(peer, "1")
    for frame in frames:
        peer.receive(frame, 0)
    peer.tick(30_000)
