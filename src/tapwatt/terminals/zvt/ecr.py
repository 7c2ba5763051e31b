"""The ECR's role: one dialogue at a time with a terminal, without a socket or a clock.

The ECR asks (`start`), the terminal takes the lead until its final message. Its results (040F, 060F, 061E)
are answered only when the owner calls `acknowledge`, after its keys are safe; 04FF and print lines are
answered at once. A money command is never sent twice. terminals.md sections 4.1 and 4.5.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import StrEnum

from tapwatt.terminals.messages import Abort, Done, Operation, Outcome, ReadCard
from tapwatt.terminals.zvt.codec import encode
from tapwatt.terminals.zvt.codes import intermediate_text
from tapwatt.terminals.zvt.commands import EcrSettings, command_of
from tapwatt.terminals.zvt.events import (
    AbortAnswered,
    AbortedByTerminal,
    Acknowledged,
    Broken,
    ClockTold,
    Completed,
    EcrEvent,
    Intermediate,
    Printed,
    Refused,
    Stage,
    StatusReceived,
    TimedOut,
    Timings,
    Unexpected,
)
from tapwatt.terminals.zvt.frames import DATA_LIMIT
from tapwatt.terminals.zvt.intake import Intake
from tapwatt.terminals.zvt.messages import ENDS, Command, Ends, Message, negative, positive, scrub
from tapwatt.terminals.zvt.outcomes import (
    abort_outcome,
    completion_outcome,
    refusal_outcome,
    silent,
    status_outcome,
)

_UNSUPPORTED = 0x83
_EARLY_LIMIT = 8
_READ_GRACE_MS = 30_000


class UnableToStart(Exception):
    """A dialogue is still open, or the connection is broken: nothing was sent."""


class UnableToAcknowledge(Exception):
    """No message of the terminal waits for an acknowledgement."""


class Phase(StrEnum):
    """Where the dialogue stands."""

    IDLE = "idle"
    ASKED = "asked"  # command sent, 80 or 84 not yet here
    SERVING = "serving"  # the terminal leads
    HELD = "held"  # a result waits for our acknowledgement
    CLOSED = "closed"


class Heard(StrEnum):
    """Kinds of frame a terminal sends."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    INTERMEDIATE = "intermediate"
    PRINT = "print"
    CLOCK = "clock"
    STATUS = "status"
    COMPLETION = "completion"
    ABORTED = "aborted"
    OTHER = "other"


_HEARD: Mapping[int, Heard] = {
    Command.POSITIVE: Heard.POSITIVE,
    Command.NEGATIVE: Heard.NEGATIVE,
    Command.INTERMEDIATE_STATUS: Heard.INTERMEDIATE,
    Command.PRINT_LINE: Heard.PRINT,
    Command.PRINT_TEXT_BLOCK: Heard.PRINT,
    Command.SET_DATE_AND_TIME: Heard.CLOCK,
    Command.STATUS_INFORMATION: Heard.STATUS,
    Command.COMPLETION: Heard.COMPLETION,
    Command.ABORTED: Heard.ABORTED,
}


class Ecr:
    """Drives one terminal over one connection. Feed it with `receive` and `tick`, send what its verbs and
    `data_to_send` give.

    Nothing can be started while `ready` is False; after a `Broken` event the connection has to be closed and
    a new Ecr made.
    """

    def __init__(
        self,
        *,
        settings: EcrSettings | None = None,
        timings: Timings | None = None,
        frame_limit: int = DATA_LIMIT,
    ) -> None:
        self._settings = settings or EcrSettings()
        self._timings = timings or Timings()
        self._intake = Intake(frame_ms=self._timings.frame_ms, limit=frame_limit)
        self._outbox = bytearray()
        self._early: deque[Message] = deque()
        self._phase = Phase.IDLE
        self._operation: Operation = Abort()
        self._ends = Ends.COMPLETION
        self._seen: Outcome | None = None
        self._final_held = False
        self._answer_ms = 0
        self._due_ms: int | None = None
        self._dialogue_due_ms = 0
        self._abort_due_ms: int | None = None
        self._abort_wanted = False
        self._we_aborted = False

    @property
    def phase(self) -> Phase:
        """Where the dialogue stands."""
        return self._phase

    @property
    def ready(self) -> bool:
        """Whether a new operation can be started: no dialogue, and no answer to a 06B0 outstanding."""
        return self._phase is Phase.IDLE and self._abort_due_ms is None

    @property
    def due_ms(self) -> int | None:
        """When `tick` has something to do, None when nothing is waited for."""
        waits = [self._due_ms, self._abort_due_ms, self._intake.due_ms]
        if self._phase in (Phase.ASKED, Phase.SERVING):
            waits.append(self._dialogue_due_ms)
        known = [wait for wait in waits if wait is not None]
        return min(known) if known and not self._closed else None

    # --- verbs ----------------------------------------------------------------------------------------------

    def start(self, operation: Operation, now_ms: int, *, answer_ms: int | None = None) -> bytes:
        """Begin an operation; give the bytes to send. `answer_ms` replaces T4 for this one.

        Raises UnableToStart when not `ready`, UnableToEncode when the operation makes no sense; nothing has
        happened then.
        """
        if not self.ready:
            raise UnableToStart(f"the dialogue is {self._phase}")
        command = command_of(operation, self._settings)
        data = encode(command)
        self._operation, self._seen, self._we_aborted = operation, None, False
        self._ends = ENDS.get(command.control, Ends.COMPLETION)
        self._answer_ms = answer_ms if answer_ms is not None else self._patience(operation)
        self._phase = Phase.ASKED
        self._due_ms = now_ms + self._timings.acknowledgement_ms
        self._dialogue_due_ms = now_ms + max(self._timings.dialogue_ms, self._answer_ms)
        return data

    def abort(self, now_ms: int) -> bytes:
        """Ask the terminal to stop the running dialogue (06B0); its outcome still comes and may be an
        approval.

        Gives nothing to send when there is no dialogue, when it was asked before, or when a result is already
        here; before the terminal has accepted the command the wish is kept and sent with `data_to_send` as
        soon as it may be.
        """
        if self._phase is Phase.ASKED:
            self._abort_wanted = True
        if self._phase is not Phase.SERVING or self._abort_due_ms is not None:
            return b""
        self._abort_wanted, self._we_aborted = False, True
        self._abort_due_ms = now_ms + self._timings.acknowledgement_ms
        return encode(command_of(Abort(), self._settings))

    def acknowledge(self, now_ms: int) -> bytes:
        """Answer the result that waits; give the bytes to send, then call `receive(b"", now_ms)` for frames
        that came early.

        Raises UnableToAcknowledge when nothing waits.
        """
        if self._phase is not Phase.HELD:
            raise UnableToAcknowledge(f"the dialogue is {self._phase}")
        if self._final_held:
            self._end()
        else:
            self._phase = Phase.SERVING
            self._due_ms = now_ms + self._answer_ms
        return encode(positive())

    # --- facts ----------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now_ms: int) -> list[EcrEvent]:
        """Take bytes from the terminal; give what they mean. Send `data_to_send` afterwards."""
        if self._closed:
            return []
        return self._hear(self._intake.feed(data, now_ms), now_ms)

    def tick(self, now_ms: int) -> list[EcrEvent]:
        """Say that time has passed; give what ran out."""
        if self._closed:
            return []
        events = self._hear(self._intake.tick(now_ms), now_ms)
        if not self._closed and (event := self._overdue(now_ms)) is not None:
            events.append(event)
        return events

    def connection_lost(self, reason: str) -> list[EcrEvent]:
        """Say that the connection is gone; give the outcome of the dialogue it cut."""
        return [] if self._closed else [self._break(reason)]

    def data_to_send(self) -> bytes:
        """Give the answers that needed nobody's consent, once."""
        data = bytes(self._outbox)
        self._outbox.clear()
        return data

    # --- inside ---------------------------------------------------------------------------------------------

    @property
    def _closed(self) -> bool:
        return self._phase is Phase.CLOSED

    def _patience(self, operation: Operation) -> int:
        if isinstance(operation, ReadCard):
            return operation.timeout_s * 1_000 + _READ_GRACE_MS
        return self._timings.answer_ms

    def _hear(self, messages: list[Message], now_ms: int) -> list[EcrEvent]:
        self._early.extend(messages)
        events: list[EcrEvent] = []
        while self._early and not self._closed:
            heard = _HEARD.get(self._early[0].control, Heard.OTHER)
            if (self._phase, heard) not in _ROWS:
                break  # a result waits for its acknowledgement; what comes early waits behind it
            events += _ROWS[self._phase, heard](self, self._early.popleft(), now_ms)
        if not self._closed and len(self._early) > _EARLY_LIMIT:
            events.append(self._break("the terminal does not wait for acknowledgements"))
        if not self._closed and self._intake.fault is not None:
            events.append(self._break(str(self._intake.fault)))
        return events

    def _overdue(self, now_ms: int) -> EcrEvent | None:
        if self._abort_due_ms is not None and now_ms >= self._abort_due_ms:
            # Its answer might come at any time and be taken for another command's: start afresh.
            return self._break("the terminal did not answer the abort")
        if self._phase is Phase.ASKED and self._due_ms is not None and now_ms >= self._due_ms:
            # The same holds for a late 80 of this command.
            outcome = silent("the terminal did not acknowledge the command", None)
            self._close()
            return TimedOut(stage=Stage.ACKNOWLEDGEMENT, outcome=outcome)
        if self._phase is not Phase.SERVING:
            return None
        stage = Stage.ANSWER if self._due_ms is not None and now_ms >= self._due_ms else Stage.DIALOGUE
        if stage is Stage.DIALOGUE and now_ms < self._dialogue_due_ms:
            return None
        outcome = silent("the terminal did not finish", self._seen)
        self._end()
        return TimedOut(stage=stage, outcome=outcome)

    def _end(self) -> None:
        self._phase, self._due_ms, self._abort_wanted = Phase.IDLE, None, False

    def _close(self) -> None:
        self._end()
        self._phase = Phase.CLOSED
        self._early.clear()

    def _break(self, reason: str) -> Broken:
        in_dialogue = self._phase in (Phase.ASKED, Phase.SERVING) or (
            self._phase is Phase.HELD and not self._final_held
        )
        outcome = silent(reason, self._seen) if in_dialogue else None
        self._close()
        return Broken(reason=reason, outcome=outcome)

    def _answer(self, message: Message) -> None:
        self._outbox += encode(message)

    # --- rows of the table: what is heard in which phase ----------------------------------------------------

    def _accepted(self, _: Message, now_ms: int) -> list[EcrEvent]:
        if self._ends is Ends.ACKNOWLEDGEMENT:
            self._end()
            return [Acknowledged(), Completed(outcome=Done())]
        self._phase = Phase.SERVING
        self._due_ms = now_ms + self._answer_ms
        if self._abort_wanted:
            self._outbox += self.abort(now_ms)
        return [Acknowledged()]

    def _refused(self, message: Message, _: int) -> list[EcrEvent]:
        self._end()
        return [Refused(outcome=refusal_outcome(message.number("error_code") or 0))]

    def _abort_answered(self, message: Message, _: int) -> list[EcrEvent]:
        if self._abort_due_ms is None:
            return [Unexpected(message=message)]
        self._abort_due_ms = None
        return [AbortAnswered(accepted=message.control == Command.POSITIVE)]

    def _intermediate(self, message: Message, now_ms: int) -> list[EcrEvent]:
        self._answer(positive())
        self._due_ms = now_ms + self._answer_ms
        code = message.number("status") or 0
        text = scrub(" ".join(message.texts("text_line")).strip())
        return [Intermediate(code=code, text=text or intermediate_text(code))]

    def _printed(self, message: Message, now_ms: int) -> list[EcrEvent]:
        self._answer(positive())
        self._due_ms = now_ms + self._answer_ms
        return [Printed(lines=tuple(map(scrub, message.texts("text") + message.texts("text_line"))))]

    def _clock(self, message: Message, now_ms: int) -> list[EcrEvent]:
        self._answer(positive())
        self._due_ms = now_ms + self._answer_ms
        return [ClockTold(date=message.text("long_date"), time=message.text("time"))]

    def _status(self, message: Message, _: int) -> list[EcrEvent]:
        outcome = status_outcome(self._operation, message)
        self._seen = outcome
        self._hold(final=self._ends is Ends.STATUS)
        if self._final_held:
            return [Completed(outcome=outcome, message=message)]
        return [StatusReceived(outcome=outcome, message=message)]

    def _completed(self, message: Message, _: int) -> list[EcrEvent]:
        self._hold(final=True)
        outcome = completion_outcome(self._operation, self._seen, message)
        return [Completed(outcome=outcome, message=message)]

    def _aborted(self, message: Message, _: int) -> list[EcrEvent]:
        self._hold(final=True)
        outcome = abort_outcome(self._operation, message, we_aborted=self._we_aborted)
        return [AbortedByTerminal(outcome=outcome, message=message)]

    def _hold(self, *, final: bool) -> None:
        self._phase, self._due_ms, self._final_held = Phase.HELD, None, final

    def _stray(self, message: Message, _: int) -> list[EcrEvent]:
        self._answer(positive())
        return [Unexpected(message=message)]

    def _unsupported(self, message: Message, _: int) -> list[EcrEvent]:
        self._answer(negative(_UNSUPPORTED))
        return [Unexpected(message=message)]


_Row = Callable[[Ecr, Message, int], list[EcrEvent]]
_STRAY: Mapping[Heard, _Row] = {
    Heard.INTERMEDIATE: Ecr._stray,
    Heard.PRINT: Ecr._stray,
    Heard.CLOCK: Ecr._stray,
    Heard.STATUS: Ecr._stray,
    Heard.COMPLETION: Ecr._stray,
    Heard.ABORTED: Ecr._stray,
    Heard.OTHER: Ecr._unsupported,
}
_ACKS: Mapping[Heard, _Row] = {Heard.POSITIVE: Ecr._abort_answered, Heard.NEGATIVE: Ecr._abort_answered}

# In HELD only answers to a 06B0 are taken; everything else waits until the result before it is acknowledged.
_ROWS: Mapping[tuple[Phase, Heard], _Row] = {
    **{(Phase.IDLE, heard): row for heard, row in {**_ACKS, **_STRAY}.items()},
    **{(Phase.ASKED, heard): row for heard, row in _STRAY.items()},
    (Phase.ASKED, Heard.POSITIVE): Ecr._accepted,
    (Phase.ASKED, Heard.NEGATIVE): Ecr._refused,
    **{(Phase.SERVING, heard): row for heard, row in _ACKS.items()},
    (Phase.SERVING, Heard.INTERMEDIATE): Ecr._intermediate,
    (Phase.SERVING, Heard.PRINT): Ecr._printed,
    (Phase.SERVING, Heard.CLOCK): Ecr._clock,
    (Phase.SERVING, Heard.STATUS): Ecr._status,
    (Phase.SERVING, Heard.COMPLETION): Ecr._completed,
    (Phase.SERVING, Heard.ABORTED): Ecr._aborted,
    (Phase.SERVING, Heard.OTHER): Ecr._unsupported,
    **{(Phase.HELD, heard): row for heard, row in _ACKS.items()},
}
