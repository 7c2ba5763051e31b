"""The terminal's (PT's) role: takes one command at a time and leads its dialogue, without a socket or a
clock.

For the simulator, the docking kit and tests of other people's ECRs. Whatever the terminal says has to be
acknowledged before it says the next thing. terminals.md section 4.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from tapwatt.terminals.zvt.codec import encode
from tapwatt.terminals.zvt.events import (
    AbortRequested,
    Acknowledged,
    AnswerRefused,
    Broken,
    CommandReceived,
    EcrSilent,
    TerminalEvent,
    Timings,
    Unexpected,
)
from tapwatt.terminals.zvt.frames import DATA_LIMIT
from tapwatt.terminals.zvt.intake import Intake
from tapwatt.terminals.zvt.messages import ENDS, FROM_ECR, Command, Ends, Message, negative, positive

_BUSY = 0x9C
_UNSUPPORTED = 0x83
_FINAL = (Command.COMPLETION, Command.ABORTED)


class UnableToSpeak(Exception):
    """It is not the terminal's turn: nothing was sent."""


class TerminalPhase(StrEnum):
    """Where the dialogue stands for the terminal."""

    IDLE = "idle"
    ASKED = "asked"  # a command waits for accept or refuse
    SERVING = "serving"  # accepted; ours to speak
    SPOKEN = "spoken"  # said something, waiting for 80 or 84
    CLOSED = "closed"


class TerminalHeard(StrEnum):
    """Kinds of frame an ECR sends."""

    COMMAND = "command"
    ABORT = "abort"
    POSITIVE = "positive"
    NEGATIVE = "negative"
    UNSUPPORTED = "unsupported"


class Terminal:
    """Answers one ECR over one connection. Feed it with `receive` and `tick`, send what its verbs and
    `data_to_send` give."""

    def __init__(self, *, timings: Timings | None = None, frame_limit: int = DATA_LIMIT) -> None:
        self._timings = timings or Timings()
        self._intake = Intake(frame_ms=self._timings.frame_ms, limit=frame_limit)
        self._outbox = bytearray()
        self._phase = TerminalPhase.IDLE
        self._ends = Ends.COMPLETION
        self._spoken = positive()
        self._due_ms: int | None = None
        self._abort_unanswered = False

    @property
    def phase(self) -> TerminalPhase:
        """Where the dialogue stands."""
        return self._phase

    @property
    def due_ms(self) -> int | None:
        """When `tick` has something to do, None when nothing is waited for."""
        waits = [wait for wait in (self._due_ms, self._intake.due_ms) if wait is not None]
        return min(waits, default=None) if self._phase is not TerminalPhase.CLOSED else None

    # --- verbs ----------------------------------------------------------------------------------------------

    def accept(self) -> bytes:
        """Take the command on: `800000`. Display and abort are over with that."""
        self._demand(TerminalPhase.ASKED)
        over = self._ends is Ends.ACKNOWLEDGEMENT
        self._phase = TerminalPhase.IDLE if over else TerminalPhase.SERVING
        return encode(positive()) + self._late_abort_answer()

    def refuse(self, code: int) -> bytes:
        """Turn the command down: `84cc00`, for example 9C busy, 83 unsupported, 6B not registered."""
        self._demand(TerminalPhase.ASKED)
        self._phase = TerminalPhase.IDLE
        return encode(negative(code)) + self._late_abort_answer()

    def say(self, message: Message, now_ms: int) -> bytes:
        """Say something (see `answers`); its acknowledgement comes as an event. 060F and 061E end the
        dialogue with it, for a read card so does 040F.

        Raises UnableToSpeak out of turn and UnableToEncode when a value does not fit; nothing has happened
        then.
        """
        self._demand(TerminalPhase.SERVING)
        data = encode(message)
        self._phase, self._spoken = TerminalPhase.SPOKEN, message
        self._due_ms = now_ms + self._timings.acknowledgement_ms
        return data

    # --- facts ----------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now_ms: int) -> list[TerminalEvent]:
        """Take bytes from the ECR; give what they mean. Send `data_to_send` afterwards."""
        if self._phase is TerminalPhase.CLOSED:
            return []
        return self._hear(self._intake.feed(data, now_ms))

    def tick(self, now_ms: int) -> list[TerminalEvent]:
        """Say that time has passed; give what ran out."""
        if self._phase is TerminalPhase.CLOSED:
            return []
        events = self._hear(self._intake.tick(now_ms))
        if self._due_ms is not None and now_ms >= self._due_ms:
            self._phase, self._due_ms = TerminalPhase.IDLE, None
            events.append(EcrSilent(message=self._spoken))
        return events

    def data_to_send(self) -> bytes:
        """Give the answers that needed nobody's consent, once."""
        data = bytes(self._outbox)
        self._outbox.clear()
        return data

    # --- inside ---------------------------------------------------------------------------------------------

    def _demand(self, phase: TerminalPhase) -> None:
        if self._phase is not phase:
            raise UnableToSpeak(f"the dialogue is {self._phase}, not {phase}")

    def _hear(self, messages: list[Message]) -> list[TerminalEvent]:
        events: list[TerminalEvent] = []
        for message in messages:
            row = _ROWS.get((self._phase, _heard(message)), Terminal._stray)
            events += row(self, message)
        if self._intake.fault is not None:
            self._phase, self._due_ms = TerminalPhase.CLOSED, None
            events.append(Broken(reason=str(self._intake.fault)))
        return events

    def _late_abort_answer(self) -> bytes:
        answer = encode(positive()) if self._abort_unanswered else b""
        self._abort_unanswered = False
        return answer

    # --- rows of the table: what is heard in which phase ----------------------------------------------------

    def _asked(self, message: Message) -> list[TerminalEvent]:
        self._phase = TerminalPhase.ASKED
        self._ends = ENDS.get(message.control, Ends.COMPLETION)
        return [CommandReceived(message=message)]

    def _busy(self, message: Message) -> list[TerminalEvent]:
        self._outbox += encode(negative(_BUSY))
        return [Unexpected(message=message)]

    def _unsupported(self, message: Message) -> list[TerminalEvent]:
        self._outbox += encode(negative(_UNSUPPORTED))
        return [Unexpected(message=message)]

    def _abort(self, _: Message) -> list[TerminalEvent]:
        self._outbox += encode(positive())
        return [AbortRequested(running=self._phase is not TerminalPhase.IDLE)]

    def _abort_too_early(self, _: Message) -> list[TerminalEvent]:
        # Its 800000 must not be taken for that of the command before it.
        self._abort_unanswered = True
        return [AbortRequested(running=True)]

    def _acknowledged(self, _: Message) -> list[TerminalEvent]:
        self._answered()
        return [Acknowledged()]

    def _negatively(self, message: Message) -> list[TerminalEvent]:
        self._answered()
        return [AnswerRefused(code=message.number("error_code") or 0)]

    def _answered(self) -> None:
        self._due_ms = None
        read = self._ends is Ends.STATUS and self._spoken.control == Command.STATUS_INFORMATION
        over = read or self._spoken.control in _FINAL
        self._phase = TerminalPhase.IDLE if over else TerminalPhase.SERVING

    def _stray(self, message: Message) -> list[TerminalEvent]:
        return [Unexpected(message=message)]


def _heard(message: Message) -> TerminalHeard:
    if message.control == Command.ABORT:
        return TerminalHeard.ABORT
    if message.control == Command.POSITIVE:
        return TerminalHeard.POSITIVE
    if message.control == Command.NEGATIVE:
        return TerminalHeard.NEGATIVE
    return TerminalHeard.COMMAND if message.control in FROM_ECR else TerminalHeard.UNSUPPORTED


_Row = Callable[[Terminal, Message], list[TerminalEvent]]
_P, _H = TerminalPhase, TerminalHeard
_IN_DIALOGUE = (_P.ASKED, _P.SERVING, _P.SPOKEN)

# An acknowledgement nobody waits for has no row: it is reported and needs no answer.
_ROWS: Mapping[tuple[TerminalPhase, TerminalHeard], _Row] = {
    (_P.IDLE, _H.COMMAND): Terminal._asked,
    (_P.IDLE, _H.ABORT): Terminal._abort,
    (_P.IDLE, _H.UNSUPPORTED): Terminal._unsupported,
    **{(phase, _H.COMMAND): Terminal._busy for phase in _IN_DIALOGUE},
    **{(phase, _H.UNSUPPORTED): Terminal._unsupported for phase in _IN_DIALOGUE},
    (_P.ASKED, _H.ABORT): Terminal._abort_too_early,
    (_P.SERVING, _H.ABORT): Terminal._abort,
    (_P.SPOKEN, _H.ABORT): Terminal._abort,
    (_P.SPOKEN, _H.POSITIVE): Terminal._acknowledged,
    (_P.SPOKEN, _H.NEGATIVE): Terminal._negatively,
}
