"""A connection without its socket: both roles joined in memory."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rails.samples import hold

from tapwatt.rails import messages
from tapwatt.rails.codec import KEEP_ALIVE, FrameDecoder, encode_frame
from tapwatt.rails.iso8583 import Message, UnableToEncode
from tapwatt.rails.messages import HOUSE, text_or_empty
from tapwatt.rails.mux import UnableToSend, UnmatchedReason
from tapwatt.rails.protocol import (
    Connection,
    ConnectionLimits,
    ConnectionState,
    Event,
    LinkDown,
    MessageRejected,
    NotSignedOn,
    RequestReceived,
    RequestTimedOut,
    ResponseReceived,
    Role,
    SignedOn,
    UnmatchedReceived,
)

LIMITS = ConnectionLimits(echo_after_ms=1000, network_timeout_ms=300, missed_echoes=3, rejected_messages=3)


def connection(role: Role, **settings: object) -> Connection:
    stans = (f"{number:06d}" for number in count(900_000))
    return Connection(spec=HOUSE, role=role, stans=stans, now_ms=0, limits=LIMITS, **settings)  # type: ignore[arg-type]


class Pair:
    """A client and a server with a perfect wire between them."""

    def __init__(self, **server_settings: object) -> None:
        self.client = connection(Role.CLIENT, forwarder_id="900001")
        self.server = connection(Role.SERVER, **server_settings)
        self.client_events: list[Event] = []
        self.server_events: list[Event] = []

    def sign_on(self) -> Pair:
        self.client.open(0)
        self.run(0)
        return self

    def run(self, now_ms: int) -> None:
        """Carry bytes both ways until nobody has any."""
        for _ in range(20):
            to_server, to_client = self.client.data_to_send(), self.server.data_to_send()
            if not to_server and not to_client:
                return
            self.server_events += self.server.receive(to_server, now_ms=now_ms)
            self.client_events += self.client.receive(to_client, now_ms=now_ms)
        raise AssertionError("the two never stop talking")


def wire(message: Message) -> bytes:
    return encode_frame(HOUSE.encode(message))


def heard(data: bytes) -> list[str]:
    """The types and answer codes of what was written."""
    found = [HOUSE.decode(frame) for frame in FrameDecoder().feed(data)]
    return [f"{message.mti} {text_or_empty(message, 70)}{text_or_empty(message, 39)}" for message in found]


def test_the_client_signs_on_and_both_know() -> None:
    pair = Pair().sign_on()
    assert [type(event) for event in pair.client_events + pair.server_events] == [SignedOn, SignedOn]
    assert pair.client.state is pair.server.state is ConnectionState.SIGNED_ON
    assert pair.server.partner == "900001"


def test_a_request_goes_over_and_its_answer_comes_back() -> None:
    pair = Pair().sign_on()
    request = hold()
    pair.client.request(request, now_ms=10, timeout_ms=500)
    pair.run(20)
    assert pair.server_events[-1] == RequestReceived(request)
    answer = messages.response(request, "00", approval_code="A1B2C3")
    pair.server.respond(answer)
    pair.run(30)
    assert pair.client_events[-1] == ResponseReceived(request, answer)


def test_before_the_sign_on_nothing_goes_out() -> None:
    client = connection(Role.CLIENT)
    with pytest.raises(NotSignedOn):
        client.request(hold(), now_ms=0, timeout_ms=500)
    assert client.data_to_send() == b""


def test_a_request_before_the_sign_on_is_refused_so_that_it_is_kept() -> None:
    server = connection(Role.SERVER)
    assert server.receive(wire(hold()), now_ms=1) == [MessageRejected("a request before the sign-on")]
    assert heard(server.data_to_send()) == ["0110 91"]


def test_a_sign_on_can_be_refused() -> None:
    pair = Pair(accept_sign_on=lambda message: "00" if message.get(33) == "1" else "58").sign_on()
    assert pair.server_events == [MessageRejected("sign-on refused with response code 58")]
    assert pair.client_events == [LinkDown("sign-on refused with response code 58")]


def test_nothing_is_sent_for_what_cannot_be_written_or_matched() -> None:
    pair = Pair().sign_on()
    with pytest.raises(UnableToEncode):
        pair.client.request(hold().replace({4: "5"}), now_ms=10, timeout_ms=500)
    request = hold()
    pair.client.request(request, now_ms=10, timeout_ms=500)
    with pytest.raises(UnableToSend):
        pair.client.request(request, now_ms=10, timeout_ms=500)
    assert heard(pair.client.data_to_send()) == ["0100 "]
    assert len(pair.client.mux) == 1


def test_silence_brings_an_echo_and_its_answer_brings_rest() -> None:
    pair = Pair().sign_on()
    assert pair.client.tick(999) == []
    assert pair.client.data_to_send() == b""
    assert pair.client.due_ms() == 1000
    pair.client.tick(1000)
    pair.run(1001)
    assert pair.client.due_ms() == 2001
    assert pair.client_events[1:] == []


def test_three_missed_echoes_and_the_line_is_dead() -> None:
    pair = Pair().sign_on()
    request = hold()
    pair.client.request(request, now_ms=500, timeout_ms=10_000)
    pair.client.data_to_send()
    events: list[Event] = []
    times: list[int] = []
    for _ in range(20):
        due_ms = pair.client.due_ms()
        if due_ms is None or pair.client.closed:
            break
        events += pair.client.tick(due_ms)
        if heard(pair.client.data_to_send()):
            times.append(due_ms)
    assert times == [1000, 1300, 1600]
    assert events == [LinkDown("3 echoes were not answered", (request,))]


def test_an_answered_echo_forgives_the_missed_ones() -> None:
    pair = Pair().sign_on()
    now_ms = 1000
    for _ in range(5):
        for _ in range(2):  # two echoes are lost
            pair.client.tick(now_ms)
            pair.client.data_to_send()
            now_ms += 300
        pair.client.tick(now_ms)  # the third is answered
        pair.run(now_ms)
        now_ms += 1000
    assert not pair.client.closed
    assert len(pair.client_events) == 1


def test_a_heard_message_puts_the_echo_off() -> None:
    pair = Pair().sign_on()
    assert pair.client.receive(KEEP_ALIVE, now_ms=900) == []
    assert pair.client.due_ms() == 1900


def test_the_server_hangs_up_on_silence_and_on_who_never_signs_on() -> None:
    pair = Pair().sign_on()
    assert pair.server.due_ms() == 4000
    assert pair.server.tick(3999) == []
    assert pair.server.tick(4000) == [LinkDown("the partner is silent")]
    stranger = connection(Role.SERVER)
    assert stranger.due_ms() == 300
    assert stranger.tick(300) == [LinkDown("the partner is silent")]


def test_an_unanswered_sign_on_ends_the_line() -> None:
    client = connection(Role.CLIENT)
    client.open(0)
    assert client.due_ms() == 300
    assert client.tick(300) == [LinkDown("the sign-on was not answered")]


def test_a_request_without_an_answer_times_out_and_its_late_answer_is_told_apart() -> None:
    pair = Pair().sign_on()
    request = hold()
    pair.client.request(request, now_ms=10, timeout_ms=500)
    assert pair.client.tick(509) == []
    assert pair.client.tick(510) == [RequestTimedOut(request)]
    answer = messages.response(request, "00")
    (event,) = pair.client.receive(wire(answer), now_ms=600)
    assert isinstance(event, UnmatchedReceived)
    assert (event.unmatched.message, event.unmatched.reason) == (answer, UnmatchedReason.LATE)


def test_sign_off_ends_the_line_at_both_ends() -> None:
    pair = Pair().sign_on()
    pair.client.sign_off(10)
    pair.run(10)
    assert pair.server_events[-1] == LinkDown("signed off by the partner")
    assert pair.client_events[-1] == LinkDown("signed off")
    assert pair.client.receive(KEEP_ALIVE, now_ms=11) == pair.client.tick(99_999) == pair.client.ended() == []
    pair.server.respond(messages.response(hold(), "00"))
    assert pair.server.data_to_send() == b""


def test_a_sign_off_without_an_answer_ends_the_line_too() -> None:
    pair = Pair().sign_on()
    pair.client.sign_off(10)
    assert pair.client.tick(310) == [LinkDown("the sign-off was not answered")]


def test_the_end_of_the_stream_gives_up_what_was_in_flight() -> None:
    pair = Pair().sign_on()
    request = hold()
    pair.client.request(request, now_ms=10, timeout_ms=500)
    assert pair.client.ended() == [LinkDown("closed by the partner", (request,))]
    assert pair.server.receive(b"\x00\x10half", now_ms=20) == []
    assert pair.server.ended() == [LinkDown("closed inside a message")]


def test_unreadable_messages_are_reported_and_the_third_in_a_row_ends_the_line() -> None:
    pair = Pair().sign_on()
    garbage = encode_frame(b"not a message")
    reason = "message at byte 0: the value is not of class n"
    assert pair.server.receive(garbage * 2, now_ms=1) == [MessageRejected(reason)] * 2
    pair.server.receive(wire(hold()), now_ms=1)  # a good one in between starts the count again
    assert pair.server.receive(garbage * 2, now_ms=1) == [MessageRejected(reason)] * 2
    assert pair.server.receive(garbage * 2, now_ms=1) == [
        MessageRejected(reason),
        LinkDown(f"3 unreadable messages in a row, the last one: {reason}"),
    ]


def test_an_oversized_frame_ends_the_line_with_a_reason() -> None:
    server = Pair().sign_on().server
    assert server.receive(b"\xff\xff", now_ms=1) == [
        LinkDown("a message of 65535 bytes is over the limit of 4096")
    ]


def test_other_network_messages_are_answered_with_invalid() -> None:
    server = Pair().sign_on().server
    for code, answer in (("101", "12"), ("301", "00"), ("001", "00")):
        server.receive(wire(messages.network_request(code, stan="000009", now_ms=0)), now_ms=1)
        assert heard(server.data_to_send()) == [f"0810 {code}{answer}"]
    server.receive(wire(Message("0800", {11: "000009"})), now_ms=1)
    assert heard(server.data_to_send()) == ["0810 12"]


def test_a_client_is_nobody_to_sign_on_to() -> None:
    pair = Pair().sign_on()
    pair.client.receive(wire(messages.network_request("001", stan="000009", now_ms=0)), now_ms=1)
    assert heard(pair.client.data_to_send()) == ["0810 00112"]


@given(chunks=st.lists(st.binary(max_size=60), max_size=10), role=st.sampled_from(list(Role)))
def test_any_bytes_give_events_and_never_an_exception(chunks: list[bytes], role: Role) -> None:
    end = connection(role)
    end.open(0)
    for chunk in [*chunks, *(encode_frame(b"0100" + chunk) for chunk in chunks)]:
        for event in end.receive(chunk, now_ms=1):
            assert isinstance(event, MessageRejected | LinkDown)
    end.ended()
    assert end.closed
