"""A terminal operation: what was asked, what the terminal stated, how it ended; and what can happen to it.

One operation is one money dialogue under a key of the platform (design.md section 4). Cards are known here by
token, BIN, last four and brand only (law 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tapwatt.terminals.messages import ResultKind
from tapwatt.uplink.messages import Operate, OperationKind, Outcome


class State(StrEnum):
    """Where an operation stands. All but the first four are ends."""

    QUEUED = "queued"
    SENT = "sent"
    UNKNOWN = "unknown"
    LOOKUP = "lookup"
    """The terminal answered something that the list of open holds has to explain; nobody is told yet."""
    APPROVED = "approved"
    DECLINED = "declined"
    ABORTED = "aborted"
    NOT_SENT = "not_sent"
    FENCED = "fenced"
    """The platform asked after a key that had never arrived: it must not arrive any more."""
    FOUND_OPEN = "found_open"
    FOUND_NONE = "found_none"
    DONE = "done"
    ALREADY_DONE = "already_done"
    REFUSED = "refused"
    NOT_FOUND = "not_found"


WAITING = (State.QUEUED, State.SENT, State.UNKNOWN, State.LOOKUP)
DOUBTFUL = (State.UNKNOWN, State.LOOKUP)


class Hold(StrEnum):
    """What an authorisation left behind at the terminal."""

    NONE = "none"
    OPEN = "open"
    CAPTURED = "captured"
    RELEASED = "released"
    LOST = "lost"
    """The terminal knows nothing of it any more, and not through us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What the terminal stated (040F): its keys to the hold, and the card. `amount_minor` None: it did not
    say."""

    receipt: str
    amount_minor: int | None = None
    currency: str = ""
    trace: str = ""
    tid: str = ""
    merchant_id: str = ""
    approval_code: str = ""
    token: str = ""
    brand: str = ""
    last_four: str = ""
    bin: str = ""
    technology: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The state of the machine. `own` operations are the edge's: nobody asked, nobody is told."""

    key: str
    terminal_id: str
    state: State
    at_ms: int
    operator_id: str = ""
    request: Operate | None = None
    own: bool = False
    keys: Keys | None = None
    hold: Hold = Hold.NONE
    amount_minor: int | None = None
    """What the operation came to, once it ended: held, captured or given back."""
    captured_minor: int = 0
    """What another operation took out of this one's hold."""
    sends: int = 0
    faults: int = 0
    denied: bool = False
    """The terminal said there is no such hold (B4, B5, B8)."""
    code: str = ""
    reason: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be done."""
        return self.state not in WAITING

    @property
    def named(self) -> dict[str, str]:
        """What a log line about it names it by: its key begins with the session's."""
        reference = self.request.reference if self.request is not None else ""
        named = {"key": self.key, "session": self.key.partition(".")[0], "reference": reference}
        return {name: value for name, value in named.items() if value}

    @property
    def asked(self) -> Operate:
        """The request of anything but a fence."""
        assert self.request is not None, "a fence was never asked for"
        return self.request

    @property
    def finishes(self) -> bool:
        """Whether it ends a hold, instead of making one."""
        return finishes(self.asked.kind)


def finishes(kind: OperationKind) -> bool:
    """Whether operations of this kind end a hold."""
    return kind not in (OperationKind.PREAUTHORISE, OperationKind.INCREASE)


def hold_name(terminal_id: str, receipt: str) -> str:
    """What a hold is found by: receipt numbers are each terminal's own."""
    return f"{terminal_id}/{receipt}"


# --- what happens to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """The base of every event."""

    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Happened):
    """The platform (or the edge itself, `own`) wants it done. `problem` says why it cannot be, if so."""

    request: Operate
    operator_id: str = ""
    own: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeWanted(Happened):
    """The platform asks what became of it. `terminal_id` is where a key that never arrived would have been
    for."""

    key: str
    terminal_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortWanted(Happened):
    """The platform would like it not to happen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(Happened):
    """From now on the terminal may have it: recorded before the first byte leaves (law 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated(Happened):
    """The terminal named its keys (040F): recorded before it is acknowledged."""

    keys: Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved(Happened):
    """The terminal finished it with a yes."""

    keys: Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined(Happened):
    """The terminal finished it with a no."""

    code: str
    reason: str
    kind: ResultKind = ResultKind.DECLINED


@dataclass(frozen=True, slots=True, kw_only=True)
class Aborted(Happened):
    """The dialogue was broken off by the cardholder, by us or by the terminal, before there was an answer."""

    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent(Happened):
    """Certain: the terminal never began it."""

    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent(Happened):
    """Neither yes nor no: the terminal fell silent, the connection broke, or the edge was killed."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Happened):
    """The terminal's list of open holds was read; `receipt` is the one in it that is this operation's, or
    None."""

    receipt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreknown(Happened):
    """The journal knows the end without asking the terminal: state is ALREADY_DONE, NOT_FOUND or REFUSED."""

    state: State
    reason: str
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldEnded(Happened):
    """Another operation captured or released this authorisation's hold."""

    hold: Hold
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded(Happened):
    """The terminal gave this authorisation's receipt number to a newer hold."""


EVENTS: tuple[type, ...] = (
    Asked, OutcomeWanted, AbortWanted, Sent, Stated, Approved, Declined, Aborted, NotSent, Silent, Listed,
    Foreknown, HoldEnded, Superseded,
)  # fmt: skip
Event = (
    Asked | OutcomeWanted | AbortWanted | Sent | Stated | Approved | Declined | Aborted | NotSent | Silent
    | Listed | Foreknown | HoldEnded | Superseded
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The one effect: tell the platform, until it has accepted."""

    outcome: Outcome


EFFECTS: tuple[type, ...] = (Report,)
