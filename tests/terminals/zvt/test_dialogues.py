"""Whole dialogues between both roles, in plain words."""

from __future__ import annotations

import pytest
from tests.terminals.zvt.wire import ACK, APPROVED, HOLD, Wire, idle

from tapwatt.terminals.messages import (
    Aborted,
    AbortedBy,
    Approved,
    BookTotal,
    Capture,
    CardKind,
    CardRead,
    CloseCardSession,
    CloseDay,
    Declined,
    Diagnose,
    Display,
    Done,
    OpenAuthorisations,
    OpenList,
    ReadCard,
    Register,
    Release,
    ResultKind,
    Status,
    TerminalState,
    Unknown,
)
from tapwatt.terminals.zvt import answers
from tapwatt.terminals.zvt import events as ev
from tapwatt.terminals.zvt.messages import Command, Message, compose
from tapwatt.terminals.zvt.outcomes import EXTERNAL_COMMAND
from tapwatt.terminals.zvt.protocol import (
    Phase,
    TerminalPhase,
    UnableToAcknowledge,
    UnableToStart,
)


@pytest.fixture
def wire() -> Wire:
    return Wire()


# --- dialogues ----------------------------------------------------------------------------------------------


def test_happy_hold(wire: Wire) -> None:
    asked = wire.accepted(HOLD)
    assert (asked.number("amount_minor"), asked.text("reference")) == (2500, "384HH2")
    wire.says(answers.intermediate_message(0x0A))
    wire.says(answers.intermediate_message(0x17, "Bitte warten"))
    wire.says(answers.status_message(APPROVED))
    assert wire.heard[1:3] == [
        ev.Intermediate(code=0x0A, text="insert or hold your card"),
        ev.Intermediate(code=0x17, text="Bitte warten"),
    ]
    stated = wire.heard[-1]
    assert isinstance(stated, ev.StatusReceived)
    assert stated.outcome == APPROVED
    wire.acknowledge()
    wire.says(compose(Command.COMPLETION))
    assert wire.outcome == APPROVED
    wire.acknowledge()
    assert idle(wire)


def test_a_result_is_acknowledged_only_by_its_owner(wire: Wire) -> None:
    wire.accepted(HOLD)
    for message in (answers.status_message(APPROVED), compose(Command.COMPLETION)):
        wire.says(message)
        assert wire.terminal.phase is TerminalPhase.SPOKEN
        assert wire.ecr.data_to_send() == b""
        with pytest.raises(UnableToStart):
            wire.ecr.start(Status(), wire.now_ms)
        wire.acknowledge()
    with pytest.raises(UnableToAcknowledge):
        wire.ecr.acknowledge(wire.now_ms)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0x05, ResultKind.DECLINED),
        (0x33, ResultKind.PIN_REQUIRED),
        (0x78, ResultKind.CARD_FAULT),
        (0xA1, ResultKind.UNREACHABLE),
        (0xF0, ResultKind.DAY_END_REQUIRED),
        (0x2A, ResultKind.DECLINED),
        (0xEE, ResultKind.FAULT),
    ],
)
def test_declined(wire: Wire, code: int, kind: ResultKind) -> None:
    wire.accepted(HOLD)
    refusal = Declined(code=f"{code:02X}", reason="", kind=kind)
    wire.says(answers.status_message(refusal))
    wire.acknowledge()
    wire.says(answers.abort_message(code))
    assert isinstance(wire.outcome, Declined)
    assert (wire.outcome.code, wire.outcome.kind) == (f"{code:02X}", kind)
    wire.acknowledge()
    assert idle(wire)


def test_declined_by_status_and_closed_by_completion(wire: Wire) -> None:
    wire.accepted(HOLD)
    wire.says(answers.status_message(Declined(code="05", reason="")))
    wire.acknowledge()
    wire.says(compose(Command.COMPLETION))
    assert isinstance(wire.outcome, Declined)


def test_approval_taken_back_by_the_terminal(wire: Wire) -> None:
    wire.accepted(HOLD)
    wire.says(answers.status_message(APPROVED))
    wire.acknowledge()
    wire.says(answers.abort_message(0x05))
    assert isinstance(wire.outcome, Declined)


def test_customer_aborts(wire: Wire) -> None:
    wire.accepted(HOLD)
    wire.says(answers.abort_message())
    assert wire.outcome == Aborted(by=AbortedBy.CARDHOLDER, code="6C", reason="timeout or abort key")


def test_we_abort_while_the_terminal_waits(wire: Wire) -> None:
    wire.accepted(HOLD)
    wire.to_terminal(wire.ecr.abort(wire.now_ms))
    assert wire.asked[-1] == ev.AbortRequested(running=True)
    assert wire.heard[-1] == ev.AbortAnswered(accepted=True)
    wire.says(answers.abort_message(0x6C, "stopped", EXTERNAL_COMMAND))
    assert isinstance(wire.outcome, Aborted)
    assert wire.outcome.by is AbortedBy.ECR
    wire.acknowledge()
    assert idle(wire)


def test_our_abort_crosses_an_approval(wire: Wire) -> None:
    wire.accepted(HOLD)
    approval = wire.terminal.say(answers.status_message(APPROVED), wire.now_ms)
    abort = wire.ecr.abort(wire.now_ms)
    wire.to_ecr(approval)
    wire.to_terminal(abort)
    wire.acknowledge()
    wire.says(compose(Command.COMPLETION))
    assert wire.outcome == APPROVED
    wire.acknowledge()
    assert idle(wire)


def test_nothing_new_starts_until_a_late_abort_is_answered(wire: Wire) -> None:
    wire.accepted(HOLD)
    final = wire.terminal.say(answers.abort_message(), wire.now_ms)
    abort = wire.ecr.abort(wire.now_ms)
    wire.to_ecr(final)
    wire.acknowledge()
    assert wire.ecr.phase is Phase.IDLE
    with pytest.raises(UnableToStart):
        wire.ecr.start(Status(), wire.now_ms)
    wire.to_terminal(abort)
    assert wire.asked[-1] == ev.AbortRequested(running=False)
    assert idle(wire)


def test_abort_before_the_command_is_accepted_waits_for_it(wire: Wire) -> None:
    wire.start(HOLD)
    assert wire.ecr.abort(wire.now_ms) == b""
    wire.to_ecr(wire.terminal.accept())
    assert wire.asked[-1] == ev.AbortRequested(running=True)


def test_abort_when_nothing_runs_or_the_result_is_here_sends_nothing(wire: Wire) -> None:
    assert wire.ecr.abort(0) == b""
    wire.accepted(HOLD)
    wire.says(answers.status_message(APPROVED))
    assert wire.ecr.abort(0) == b""


def test_abort_from_another_ecr_before_the_terminal_accepts(wire: Wire) -> None:
    wire.terminal.receive(bytes.fromhex("06d10100" + "06c0010f" + "06b000"), 0)
    assert wire.terminal.data_to_send() == bytes.fromhex("848300")
    assert wire.terminal.accept() == ACK + ACK


@pytest.mark.parametrize(("amount", "given_back"), [(1, 2499), (1205, 1295), (2499, 1), (2500, 0)])
def test_capture_releases_hold_minus_amount(wire: Wire, amount: int, given_back: int) -> None:
    asked = wire.accepted(Capture(receipt="0231", hold_minor=2500, amount_minor=amount, currency="EUR"))
    assert asked.control == Command.PARTIAL_REVERSAL
    assert (asked.text("receipt"), asked.number("amount_minor")) == ("0231", given_back)
    wire.says(answers.status_message(Approved(receipt="0231", amount_minor=given_back, trace="000976")))
    wire.acknowledge()
    wire.says(compose(Command.COMPLETION))
    assert wire.outcome == Approved(receipt="0231", amount_minor=amount, currency="EUR", trace="000976")


@pytest.mark.parametrize(("stated", "taken"), [(1000, 1000), (1500, 1000), (1400, 1100)])
def test_what_a_capture_took_however_it_is_stated(wire: Wire, stated: int, taken: int) -> None:
    wire.accepted(Capture(receipt="0231", hold_minor=2500, amount_minor=1000, currency="EUR"))
    wire.says(answers.status_message(Approved(receipt="0231", amount_minor=stated)))
    assert isinstance(wire.heard[-1], ev.StatusReceived)
    assert isinstance(wire.heard[-1].outcome, Approved)
    assert wire.heard[-1].outcome.amount_minor == taken


def test_second_capture_asks_to_be_looked_up(wire: Wire) -> None:
    wire.accepted(Capture(receipt="0231", hold_minor=2500, amount_minor=1, currency="EUR"))
    wire.says(answers.abort_message(0xB8))
    assert isinstance(wire.outcome, Declined)
    assert wire.outcome.kind is ResultKind.NOT_FOUND


def test_release(wire: Wire) -> None:
    asked = wire.accepted(Release(receipt="0231", currency="EUR", reference="384HH2"))
    assert (asked.control, asked.text("reference")) == (Command.PREAUTHORISATION_REVERSAL, "384HH2")
    wire.says(compose(Command.COMPLETION))
    assert wire.outcome == Approved(receipt="0231", currency="EUR")


def test_hold_finished_without_a_receipt_is_unknown(wire: Wire) -> None:
    wire.accepted(HOLD)
    wire.says(compose(Command.COMPLETION))
    assert isinstance(wire.outcome, Unknown)


@pytest.mark.parametrize("receipts", [(), ("0123",), ("0123", "4567")])
def test_open_list(wire: Wire, receipts: tuple[str, ...]) -> None:
    wire.accepted(OpenAuthorisations())
    wire.says(answers.open_list_message(receipts))
    assert wire.outcome == OpenList(receipts=receipts)


def test_open_list_that_fails_is_no_empty_list(wire: Wire) -> None:
    wire.accepted(OpenAuthorisations())
    wire.says(answers.abort_message(0xFF))
    assert isinstance(wire.outcome, Declined)


def test_open_list_with_wrong_lengths_is_read_when_nothing_more_comes(wire: Wire) -> None:
    wire.accepted(OpenAuthorisations())
    wire.to_ecr(bytes.fromhex("061e0eb8061123090802012308024567"))
    assert wire.ecr.phase is Phase.SERVING
    wire.pass_time(5_000)
    assert wire.outcome == OpenList(receipts=("0123", "4567"))
    assert wire.ecr.acknowledge(wire.now_ms) == ACK


@pytest.mark.parametrize(
    "read",
    [
        CardRead(kind=CardKind.BANK, token="A1B2", uid="081CA72F", aid="A0000000041010", brand="Visa"),
        CardRead(kind=CardKind.RFID, uid="0463C8B2AE4F80"),
    ],
)
def test_read_card_ends_with_the_status(wire: Wire, read: CardRead) -> None:
    wire.accepted(ReadCard(timeout_s=15))
    wire.says(answers.status_message(read))
    assert wire.outcome == read
    wire.acknowledge()
    assert idle(wire)


def test_nobody_shows_a_card(wire: Wire) -> None:
    wire.accepted(ReadCard(timeout_s=1))
    wire.says(answers.abort_message())
    assert wire.outcome == CardRead(kind=CardKind.NONE)


def test_nobody_shows_a_card_and_the_status_says_so(wire: Wire) -> None:
    wire.accepted(ReadCard(timeout_s=1))
    wire.says(answers.status_message(Declined(code="6C", reason="")))
    assert wire.outcome == CardRead(kind=CardKind.NONE)
    wire.acknowledge()
    assert idle(wire)


def test_read_card_stopped_by_us(wire: Wire) -> None:
    wire.accepted(ReadCard(timeout_s=1))
    wire.to_terminal(wire.ecr.abort(0))
    wire.says(answers.abort_message())
    assert isinstance(wire.outcome, Aborted)
    assert wire.outcome.by is AbortedBy.ECR


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (answers.state_message(tid="52523535"), ("00", True, "52523535")),
        (answers.state_message(code=0xF0), ("F0", False, "")),
        (answers.state_message(code=0x77), ("77", False, "")),
        (compose(Command.COMPLETION), ("00", True, "")),
        (compose(Command.COMPLETION, payment_type=0x12, tid="52523535"), ("C2", False, "52523535")),
    ],
)
def test_terminal_state(wire: Wire, answer: Message, expected: tuple[str, bool, str]) -> None:
    wire.accepted(Status())
    wire.says(answer)
    assert isinstance(wire.outcome, TerminalState)
    assert (wire.outcome.code, wire.outcome.ready, wire.outcome.tid) == expected


def test_unreadable_state_is_not_ready(wire: Wire) -> None:
    wire.accepted(Status())
    wire.to_ecr(bytes.fromhex("060f09f006061f440452523535".replace("0f09", "0f0a")))
    assert isinstance(wire.outcome, TerminalState)
    assert not wire.outcome.ready


def test_registration(wire: Wire) -> None:
    wire.accepted(Register())
    wire.says(answers.registration_message(tid="52523535", currency="EUR"))
    assert wire.outcome == TerminalState(code="00", ready=True, text="ready", tid="52523535")


def test_display_is_over_with_its_acknowledgement(wire: Wire) -> None:
    wire.accepted(Display(lines=("hello",)))
    assert wire.heard == [ev.Acknowledged(), ev.Completed(outcome=Done())]
    assert idle(wire)


def test_print_lines_are_answered_at_once_and_scrubbed(wire: Wire) -> None:
    wire.accepted(HOLD)
    wire.says(compose(Command.PRINT_LINE, attribute=0x40, text="Karte 4111111111111111"))
    wire.says(compose(Command.PRINT_TEXT_BLOCK, tlv={"print_texts": {"text_line": ["a", "b"]}}))
    assert wire.heard[-2:] == [ev.Printed(lines=("Karte …",)), ev.Printed(lines=("a", "b"))]
    assert wire.terminal.phase is TerminalPhase.SERVING


def test_a_diagnosis_tells_the_hosts_clock_and_ends(wire: Wire) -> None:
    wire.accepted(Diagnose())
    wire.says(answers.clock_message(date="261122", time="124500"))
    assert wire.heard[-1] == ev.ClockTold(date="261122", time="124500")
    wire.says(compose(Command.COMPLETION))
    assert wire.outcome == Done()
    wire.acknowledge()
    assert idle(wire)


@pytest.mark.parametrize("stated", [None, 1205])
def test_book_total_takes_the_amount_used(wire: Wire, stated: int | None) -> None:
    wire.accepted(BookTotal(receipt="0491", amount_minor=1205, currency="EUR"))
    amount = {} if stated is None else {"amount_minor": stated}
    wire.says(compose(Command.STATUS_INFORMATION, result_code=0, **amount))
    wire.acknowledge()
    wire.says(compose(Command.COMPLETION))
    assert isinstance(wire.outcome, Approved)
    assert (wire.outcome.receipt, wire.outcome.amount_minor) == ("0491", 1205)


def test_an_end_of_day_with_open_holds_is_refused(wire: Wire) -> None:
    wire.accepted(CloseDay())
    wire.says(answers.abort_message(0x77))
    assert isinstance(wire.outcome, Declined)
    assert wire.outcome.kind is ResultKind.NOT_POSSIBLE


def test_a_closed_card_session_is_over_with_its_acknowledgement(wire: Wire) -> None:
    wire.start(CloseCardSession())
    wire.to_ecr(wire.terminal.accept())
    assert wire.outcome == Done()
    assert idle(wire)
