"""What the two ZVT roles report to whoever drives them, and how long they wait. terminals.md section 4.1."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tapwatt.terminals.messages import NotSent, Outcome
from tapwatt.terminals.zvt.messages import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long each side waits, in milliseconds: T3 for `80`/`84`, T4 for the terminal's next message, the
    rest of a frame whose beginning has come, and a whole dialogue however lively it is."""

    acknowledgement_ms: int = 5_000
    answer_ms: int = 180_000
    frame_ms: int = 5_000
    dialogue_ms: int = 900_000


class Stage(StrEnum):
    """What was waited for in vain."""

    ACKNOWLEDGEMENT = "acknowledgement"
    ANSWER = "answer"
    DIALOGUE = "dialogue"


# --- events of both roles -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The other side accepted what was sent (`800000`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unexpected:
    """A frame that belongs to no dialogue now: late, repeated or never asked for. It was answered, nothing
    else changed."""

    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The connection must be closed. `outcome` is that of the dialogue it cut, None when there was none."""

    reason: str
    outcome: Outcome | None = None


# --- events of the ECR --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The terminal did not begin the command (`84cc00`); the dialogue is over."""

    outcome: NotSent


@dataclass(frozen=True, slots=True, kw_only=True)
class Intermediate:
    """What the terminal is doing now (04FF), in its own words where it sends some."""

    code: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """Receipt lines the terminal leaves to us (06D1, 06D3), scrubbed of anything like a card number."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTold:
    """The host's date (YYMMDD) and time (HHMMSS), which a terminal passes on after a diagnosis (0401)."""

    date: str
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReceived:
    """The terminal stated a result (040F) and waits: keep it safe, then call `acknowledge`."""

    outcome: Outcome
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The dialogue's outcome. `message` is None when nothing has to be acknowledged; else keep it safe, then
    `acknowledge`."""

    outcome: Outcome
    message: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortedByTerminal:
    """The terminal ended the dialogue with 061E: keep the outcome safe, then call `acknowledge`."""

    outcome: Outcome
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortAnswered:
    """The terminal took note of our 06B0, or refused it; the dialogue's own outcome still comes."""

    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """Nobody answered in time; the dialogue is over with this outcome."""

    stage: Stage
    outcome: Outcome


EcrEvent = (
    Acknowledged
    | Unexpected
    | Broken
    | Refused
    | Intermediate
    | Printed
    | ClockTold
    | StatusReceived
    | Completed
    | AbortedByTerminal
    | AbortAnswered
    | TimedOut
)
FINAL = (Refused, Completed, AbortedByTerminal, TimedOut, Broken)


# --- events of the terminal ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandReceived:
    """The ECR asks for something: answer with `accept` or `refuse`."""

    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortRequested:
    """The ECR sent 06B0; it was acknowledged. `running` says whether a dialogue is there to be ended."""

    running: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRefused:
    """The ECR answered our message with `84cc00`: what it stated must be undone."""

    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EcrSilent:
    """The ECR did not acknowledge our message in time: the dialogue is over, what it stated must be
    undone."""

    message: Message


TerminalEvent = (
    Acknowledged | Unexpected | Broken | CommandReceived | AbortRequested | AnswerRefused | EcrSilent
)
