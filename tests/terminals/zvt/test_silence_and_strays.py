"""Refusals, silence at every step, frames at the wrong time, broken streams."""

from __future__ import annotations

import pytest
from tests.terminals.zvt.wire import ACK, APPROVED, HOLD, Wire, idle

from tapwatt.terminals.messages import (
    NotSent,
    OpenAuthorisations,
    ReadCard,
    ResultKind,
    Status,
    TerminalState,
    Unknown,
)
from tapwatt.terminals.zvt import answers
from tapwatt.terminals.zvt import events as ev
from tapwatt.terminals.zvt.codec import decode, encode
from tapwatt.terminals.zvt.messages import Command, compose, positive
from tapwatt.terminals.zvt.protocol import (
    Ecr,
    Phase,
    Terminal,
    TerminalPhase,
    UnableToSpeak,
    UnableToStart,
)


@pytest.fixture
def wire() -> Wire:
    return Wire()


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind"),
    [(0x9C, ResultKind.BUSY), (0x83, ResultKind.NOT_POSSIBLE), (0x01, ResultKind.PROTOCOL)],
)
def test_refused_is_not_sent(wire: Wire, code: int, kind: ResultKind) -> None:
    wire.start(HOLD)
    wire.to_ecr(wire.terminal.refuse(code))
    assert isinstance(wire.outcome, NotSent)
    assert (wire.outcome.code, wire.outcome.kind) == (f"{code:02X}", kind)
    assert idle(wire)


def test_a_second_command_is_answered_busy(wire: Wire) -> None:
    wire.accepted(HOLD)
    other = Ecr()
    wire.terminal.receive(other.start(Status(), 0), 0)
    answer = wire.terminal.data_to_send()
    assert answer.hex() == "849c00"
    assert isinstance(other.receive(answer, 0)[0], ev.Refused)


def test_unknown_commands_are_unsupported_for_both(wire: Wire) -> None:
    wire.to_terminal(bytes.fromhex("06ee00"))
    wire.to_ecr(bytes.fromhex("0401050c120000aa"))
    assert isinstance(wire.asked[0], ev.Unexpected)
    assert isinstance(wire.heard[-1], ev.Unexpected)
    wire.accepted(HOLD)
    wire.heard += wire.ecr.receive(bytes.fromhex("06ee00"), 0)
    assert wire.ecr.data_to_send().hex() == "848300"


def test_nobody_speaks_out_of_turn(wire: Wire) -> None:
    for verb in (
        wire.terminal.accept,
        lambda: wire.terminal.refuse(1),
        lambda: wire.terminal.say(positive(), 0),
    ):
        with pytest.raises(UnableToSpeak):
            verb()
    wire.start(HOLD)
    with pytest.raises(UnableToStart):
        wire.ecr.start(Status(), 0)


def test_the_ecr_may_refuse_a_result(wire: Wire) -> None:
    wire.accepted(HOLD)
    wire.says(answers.status_message(APPROVED))
    wire.to_terminal(bytes.fromhex("849c00"))
    assert wire.asked[-1] == ev.AnswerRefused(code=0x9C)
    assert wire.terminal.phase is TerminalPhase.SERVING


# --- silence ------------------------------------------------------------------------------------------------


def test_no_acknowledgement_of_a_hold_is_unknown_and_ends_the_connection(wire: Wire) -> None:
    wire.ecr.start(HOLD, 0)
    assert wire.ecr.due_ms == 5_000
    wire.pass_time(4_999)
    assert wire.heard == []
    wire.pass_time(1)
    assert isinstance(wire.heard[-1], ev.TimedOut)
    assert wire.heard[-1].stage is ev.Stage.ACKNOWLEDGEMENT
    assert isinstance(wire.outcome, Unknown)
    assert wire.ecr.phase is Phase.CLOSED
    assert wire.ecr.due_ms is None
    assert not wire.ecr.receive(ACK, 0) + wire.ecr.tick(10**9)


def test_silence_after_acceptance_is_unknown(wire: Wire) -> None:
    wire.accepted(HOLD)
    wire.pass_time(100_000)
    wire.says(answers.intermediate_message(0x04))
    wire.pass_time(179_999)
    assert len(wire.heard) == 2
    wire.pass_time(1)
    assert wire.heard[2:] == [
        ev.TimedOut(stage=ev.Stage.ANSWER, outcome=Unknown(reason="the terminal did not finish"))
    ]
    assert wire.ecr.ready


def test_silence_after_the_approval_remembers_it(wire: Wire) -> None:
    wire.accepted(HOLD)
    wire.says(answers.status_message(APPROVED))
    wire.acknowledge()
    wire.pass_time(180_000)
    assert isinstance(wire.outcome, Unknown)
    assert wire.outcome.seen == APPROVED


def test_patience_can_be_set_per_operation(wire: Wire) -> None:
    wire.to_terminal(wire.ecr.start(HOLD, 0, answer_ms=1_000))
    wire.to_ecr(wire.terminal.accept())
    assert wire.ecr.due_ms == 1_000
    other = Wire()
    other.accepted(ReadCard(timeout_s=2))
    assert other.ecr.due_ms == 32_000


def test_a_lively_dialogue_ends_too(wire: Wire) -> None:
    wire.accepted(HOLD)
    for _ in range(9):
        wire.pass_time(100_000)
        if wire.ecr.phase is Phase.SERVING:
            wire.says(answers.intermediate_message(0x17))
    assert isinstance(wire.heard[-1], ev.TimedOut)
    assert wire.heard[-1].stage is ev.Stage.DIALOGUE


def test_an_unanswered_abort_breaks_the_connection(wire: Wire) -> None:
    wire.accepted(HOLD)
    wire.ecr.abort(0)
    wire.pass_time(5_000)
    assert isinstance(wire.heard[-1], ev.Broken)
    assert isinstance(wire.outcome, Unknown)


def test_a_silent_ecr_ends_the_terminals_dialogue(wire: Wire) -> None:
    wire.accepted(HOLD)
    wire.terminal.say(answers.status_message(APPROVED), 0)
    assert wire.terminal.due_ms == 5_000
    wire.pass_time(5_000)
    assert wire.asked[-1] == ev.EcrSilent(message=answers.status_message(APPROVED))
    assert wire.terminal.phase is TerminalPhase.IDLE


def test_connection_lost_in_every_phase(wire: Wire) -> None:
    assert wire.ecr.connection_lost("cut") == [ev.Broken(reason="cut")]
    assert wire.ecr.connection_lost("cut") == []
    asked = Ecr()
    asked.start(HOLD, 0)
    assert asked.connection_lost("cut") == [ev.Broken(reason="cut", outcome=Unknown(reason="cut"))]
    held = Wire()
    held.accepted(HOLD)
    held.says(answers.status_message(APPROVED))
    assert held.ecr.connection_lost("cut")[0] == ev.Broken(
        reason="cut", outcome=Unknown(reason="cut", seen=APPROVED)
    )
    done = Wire()
    done.accepted(HOLD)
    done.says(answers.abort_message())
    assert done.ecr.connection_lost("cut") == [ev.Broken(reason="cut")]


# --- frames at the wrong time -------------------------------------------------------------------------------


def test_a_late_result_is_answered_reported_and_confuses_nothing(wire: Wire) -> None:
    wire.accepted(HOLD)
    wire.pass_time(180_000)
    late = wire.terminal.say(answers.status_message(APPROVED), wire.now_ms)
    second = wire.ecr.start(Status(), wire.now_ms)
    wire.heard += wire.ecr.receive(late, wire.now_ms)
    assert wire.heard[-1] == ev.Unexpected(message=answers.status_message(APPROVED))
    assert wire.ecr.data_to_send() == ACK
    assert second.hex().startswith("0501")
    wire.heard += wire.ecr.receive(ACK + bytes.fromhex("060f0100"), wire.now_ms)
    assert wire.outcome == TerminalState(code="00", ready=True, text="ready")


@pytest.mark.parametrize("data", ["040f022700", "060f00", "061e016c", "04ff0117", "06d10140"])
def test_frames_when_nothing_runs_are_answered(wire: Wire, data: str) -> None:
    assert wire.ecr.receive(bytes.fromhex(data), 0) == [ev.Unexpected(message=decode(bytes.fromhex(data)))]
    assert wire.ecr.data_to_send() == ACK
    assert wire.ecr.ready


@pytest.mark.parametrize("data", ["800000", "849c00"])
def test_stray_acknowledgements_are_not_answered(wire: Wire, data: str) -> None:
    assert isinstance(wire.ecr.receive(bytes.fromhex(data), 0)[0], ev.Unexpected)
    assert isinstance(wire.terminal.receive(bytes.fromhex(data), 0)[0], ev.Unexpected)
    assert wire.ecr.data_to_send() + wire.terminal.data_to_send() == b""


def test_frames_sent_without_waiting_are_taken_in_order(wire: Wire) -> None:
    wire.accepted(HOLD)
    together = encode(answers.status_message(APPROVED)) + encode(compose(Command.COMPLETION))
    wire.heard += wire.ecr.receive(together, 0)
    assert isinstance(wire.heard[-1], ev.StatusReceived)
    assert wire.ecr.acknowledge(0) == ACK
    wire.heard += wire.ecr.receive(b"", 0)
    assert wire.outcome == APPROVED


def test_a_terminal_that_never_waits_is_cut_off(wire: Wire) -> None:
    wire.accepted(HOLD)
    flood = encode(answers.status_message(APPROVED)) + bytes.fromhex("04ff0117") * 9
    wire.heard += wire.ecr.receive(flood, 0)
    assert isinstance(wire.heard[-1], ev.Broken)


# --- broken streams -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", bytes.fromhex("0622ffffff"), b"\x00\x00\x00"])
@pytest.mark.parametrize("role", [Ecr, Terminal])
def test_garbage_and_oversized_frames_break_with_a_reason(role: type[Ecr | Terminal], data: bytes) -> None:
    one = role()
    events = one.receive(data, 0)
    assert [type(event) for event in events] == [ev.Broken]
    assert isinstance(events[0], ev.Broken)
    assert events[0].reason
    assert one.receive(ACK, 0) == []
    assert one.due_ms is None


def test_garbage_in_a_dialogue_leaves_it_unknown(wire: Wire) -> None:
    wire.accepted(HOLD)
    wire.heard += wire.ecr.receive(bytes.fromhex("04ff0117") + b"!", 0)
    assert isinstance(wire.heard[-2], ev.Intermediate)
    assert isinstance(wire.outcome, Unknown)


@pytest.mark.parametrize("role", [Ecr, Terminal])
def test_a_frame_cut_short_breaks_after_a_while(role: type[Ecr | Terminal]) -> None:
    one = role()
    one.receive(bytes.fromhex("040f0a2700"), 1_000)
    assert one.due_ms == 6_000
    assert one.tick(5_999) == []
    events = one.tick(6_000)
    assert [type(event) for event in events] == [ev.Broken]


def test_an_abort_that_misses_much_is_not_salvaged(wire: Wire) -> None:
    wire.accepted(OpenAuthorisations())
    wire.to_ecr(bytes.fromhex("061e0db8060a230808020123"))
    wire.pass_time(5_000)
    assert isinstance(wire.outcome, Unknown)


@pytest.mark.parametrize("size", [220, 221, 222, 223, 224, 225, 400])
def test_results_around_255_bytes_cross_the_wire(wire: Wire, size: int) -> None:
    wire.accepted(HOLD)
    message = compose(Command.STATUS_INFORMATION, result_code=0, receipt="0231", additional_text="x" * size)
    data = wire.terminal.say(message, 0)
    for byte in data:
        wire.heard += wire.ecr.receive(bytes([byte]), 0)
    assert isinstance(wire.heard[-1], ev.StatusReceived)
    assert wire.heard[-1].message == message
