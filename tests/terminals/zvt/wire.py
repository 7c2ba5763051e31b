"""Ecr and Terminal joined by a wire in memory, with a clock the test turns."""

from __future__ import annotations

from tapwatt.terminals.messages import (
    Approved,
    Operation,
    Outcome,
    Preauthorise,
)
from tapwatt.terminals.zvt import events as ev
from tapwatt.terminals.zvt.messages import Message
from tapwatt.terminals.zvt.protocol import (
    Ecr,
    EcrSettings,
    Terminal,
    TerminalPhase,
)

ACK = bytes.fromhex("800000")
HOLD = Preauthorise(amount_minor=2500, currency="EUR", reference="384HH2")
APPROVED = Approved(
    receipt="0231",
    amount_minor=2500,
    currency="EUR",
    trace="000975",
    tid="52523535",
    approval_code="750711",
    token="A1B2C3",
    brand="MasterCard",
    masked_pan="541333******9604",
    bin="541333",
    last_four="9604",
    technology="contactless",
    merchant_id="804011926",
    terminal_date="0405",
    terminal_time="225548",
)


class Wire:
    """Both roles, a clock, and what each side has noticed. Bytes travel when the test says so."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.ecr, self.terminal = Ecr(settings=EcrSettings(reference_prefix="AC")), Terminal()
        self.heard: list[ev.EcrEvent] = []
        self.asked: list[ev.TerminalEvent] = []

    def to_terminal(self, data: bytes) -> None:
        self.asked += self.terminal.receive(data, self.now_ms)
        if answer := self.terminal.data_to_send():
            self.to_ecr(answer)

    def to_ecr(self, data: bytes) -> None:
        self.heard += self.ecr.receive(data, self.now_ms)
        if answer := self.ecr.data_to_send():
            self.to_terminal(answer)

    def start(self, operation: Operation) -> Message:
        self.to_terminal(self.ecr.start(operation, self.now_ms))
        command = self.asked[-1]
        assert isinstance(command, ev.CommandReceived)
        return command.message

    def accepted(self, operation: Operation) -> Message:
        message = self.start(operation)
        self.to_ecr(self.terminal.accept())
        return message

    def says(self, message: Message) -> None:
        self.to_ecr(self.terminal.say(message, self.now_ms))

    def acknowledge(self) -> None:
        self.to_terminal(self.ecr.acknowledge(self.now_ms))

    def pass_time(self, ms: int) -> None:
        self.now_ms += ms
        self.heard += self.ecr.tick(self.now_ms)
        self.asked += self.terminal.tick(self.now_ms)

    @property
    def outcome(self) -> Outcome | None:
        last = self.heard[-1]
        assert isinstance(last, ev.Refused | ev.Completed | ev.AbortedByTerminal | ev.TimedOut | ev.Broken)
        return last.outcome


def idle(wire: Wire) -> bool:
    """Whether neither side is in a dialogue."""
    return wire.ecr.ready and wire.terminal.phase is TerminalPhase.IDLE
