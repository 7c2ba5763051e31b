"""What edge and platform tell each other. Each message is one CALL, answered by `Accepted`.

Why so: a CALLRESULT says "I have it" (committed at the receiver), never what became of it; the outcome of an
operation is a CALL of its own, repeated by the edge until accepted. Spec: design.md section 4 (wires).
Cards are known here by token, BIN, last four and brand only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SUBPROTOCOL = "tapwatt.edge.1"
PATH = "/edge/"


class OperationKind(StrEnum):
    """What the platform may ask of a terminal."""

    PREAUTHORISE = "preauthorise"
    INCREASE = "increase"
    CAPTURE = "capture"
    RELEASE = "release"
    REFUND = "refund"


class Result(StrEnum):
    """What became of an operation."""

    APPROVED = "approved"
    DECLINED = "declined"
    ABORTED = "aborted"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    FOUND_OPEN = "found_open"
    FOUND_NONE = "found_none"
    DONE = "done"
    ALREADY_DONE = "already_done"
    REFUSED = "refused"
    NOT_FOUND = "not_found"


class CardKind(StrEnum):
    """What was held against the reader."""

    BANK = "bank"
    RFID = "rfid"


class TerminalState(StrEnum):
    """Whether a terminal can be used now."""

    READY = "ready"
    BUSY = "busy"
    OFFLINE = "offline"
    FAULTED = "faulted"


# --- edge → platform


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalReport:
    """One terminal at an edge; `tid` is empty until the terminal has told it."""

    terminal_id: str
    profile: str
    serial: str = ""
    tid: str = ""
    state: TerminalState = TerminalState.OFFLINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """First message after each connect: who I am and which terminals I drive."""

    edge_id: str
    software: str
    terminals: tuple[TerminalReport, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalReported:
    """A terminal's state changed; `text` is for the operator."""

    terminal_id: str
    state: TerminalState
    at_ms: int
    text: str = ""
    serial: str = ""
    tid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPresented:
    """A card was read without an amount. A bank card has a token, an RFID card its uid."""

    key: str
    terminal_id: str
    at_ms: int
    kind: CardKind
    token: str = ""
    uid: str = ""
    brand: str = ""
    last_four: str = ""
    bin: str = ""
    technology: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of operation `key`; repeated until accepted. `amount_minor` is what the host confirmed."""

    key: str
    kind: OperationKind
    terminal_id: str
    result: Result
    at_ms: int
    amount_minor: int | None = None
    currency: str = ""
    receipt: str = ""
    trace: str = ""
    tid: str = ""
    merchant_id: str = ""
    approval_code: str = ""
    token: str = ""
    brand: str = ""
    last_four: str = ""
    bin: str = ""
    technology: str = ""
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The terminal tells how an operation goes (intermediate status); for people, decides nothing."""

    terminal_id: str
    key: str
    code: str
    text: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedMessage:
    """One message on a terminal's wire, decoded and masked; `fields` is JSON. `key` is the operation's, ""
    outside of one."""

    at_ms: int
    direction: str
    terminal_id: str
    wire: str
    name: str
    amount_minor: int | None = None
    currency: str = ""
    mark: str = ""
    reference: str = ""
    key: str = ""
    fields: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """What went over terminals' wires, for people to read; repeated until accepted. `run` is the edge's
    start, `number` the first message's place since then."""

    run: str
    number: int
    messages: tuple[TracedMessage, ...]


# --- platform → edge


@dataclass(frozen=True, slots=True, kw_only=True)
class Operate:
    """Do this once under this key. `amount_minor` is the amount of this step, `hold_minor` the hold it is
    on; receipt, trace and tid name an earlier operation of the same terminal. After `deadline_ms` an
    operation not yet begun must not begin."""

    key: str
    kind: OperationKind
    terminal_id: str
    amount_minor: int
    currency: str
    deadline_ms: int
    hold_minor: int = 0
    reference: str = ""
    receipt: str = ""
    trace: str = ""
    tid: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    """Stop operation `key` if it can still be stopped; its Outcome tells."""

    key: str
    terminal_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """Show these lines for some seconds."""

    terminal_id: str
    lines: tuple[str, ...]
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCards:
    """Keep the terminal reading cards without an amount, or let it rest."""

    terminal_id: str
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What became of operation `key`? The edge sends its Outcome (again)."""

    key: str


# --- the answer to each


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The receiver has it and will act, or will not, for this reason."""

    accepted: bool = True
    reason: str = ""


FromEdge = Hello | TerminalReported | CardPresented | Outcome | Progress | Traced
FromPlatform = Operate | Abort | Show | ReadCards | Ask
Message = FromEdge | FromPlatform

FROM_EDGE: tuple[type[FromEdge], ...] = (Hello, TerminalReported, CardPresented, Outcome, Progress, Traced)
FROM_PLATFORM: tuple[type[FromPlatform], ...] = (Operate, Abort, Show, ReadCards, Ask)
