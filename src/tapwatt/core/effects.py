"""What a decision asks somebody to do. Every effect has a key, so doing it twice is doing it once (law 4).

Money effects go to the payment's leader: an edge operation, a gateway message or the ledger of accounts. The
same key is used on every repeat; the performer decides what a repeat means on its wire.
"""

from dataclasses import dataclass
from enum import StrEnum

from tapwatt.core.ledger import Posting
from tapwatt.core.receipt import Purchase


class Leader(StrEnum):
    """Who sends a payment's money messages to the rails. Only the leader does."""

    TERMINAL = "terminal"
    HOST = "host"
    STATION = "station"
    PARTNER = "partner"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyEffect:
    """What every money effect says: which payment, through whom, how much, and the terminal's keys to the
    hold."""

    key: str
    leader: Leader
    reference: str
    currency: str
    amount_minor: int
    hold_minor: int = 0
    terminal_id: str | None = None
    account_id: str | None = None
    receipt: str | None = None
    trace: str | None = None
    tid: str | None = None


class Authorise(MoneyEffect):
    """Hold an estimated amount."""

    __slots__ = ()


class Increase(MoneyEffect):
    """Raise the hold by an amount."""

    __slots__ = ()


class Capture(MoneyEffect):
    """Take the final amount out of the hold and release the rest."""

    __slots__ = ()


class Release(MoneyEffect):
    """Give a hold back: all of it."""

    __slots__ = ()


class Refund(MoneyEffect):
    """Give money back after a capture."""

    __slots__ = ()


class Void(MoneyEffect):
    """Undo a capture before cut-off."""

    __slots__ = ()


class Ask(MoneyEffect):
    """Ask what became of the operation with this key: a silent party has said neither yes nor no (law 5)."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCharging:
    """Ask the station to start, with the idToken minted for this session."""

    key: str
    station_id: str
    evse_id: int
    id_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopCharging:
    """Ask the station to stop its transaction."""

    key: str
    station_id: str
    transaction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskReading:
    """Ask the station for a meter reading now; best effort, the reading comes by itself."""

    key: str
    station_id: str
    evse_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCost:
    """Show the cost on the station's own display; best effort, only the newest one matters."""

    key: str
    station_id: str
    transaction_id: str
    currency: str
    amount_minor: int
    """With tax: so far, or in the end."""
    energy_wh: int
    register_wh: int
    read_ms: int
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOnTerminal:
    """Text for the driver; best effort, only the newest one matters. `with_receipt`: the link of the
    session's receipt follows as a line of its own; core does not know it, as it is drawn by chance."""

    key: str
    terminal_id: str
    lines: tuple[str, ...]
    seconds: int = 10
    with_receipt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Write a posting into the ledger, in the same commit as the transition that asks for it."""

    key: str
    posting: Posting


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueReceipt:
    """Number and store the driver's receipt, in the same commit as the transition that asks for it."""

    key: str
    purchase: Purchase


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Raise an alarm for the operator: something waits for a person."""

    key: str
    text: str


Effect = (
    Authorise | Increase | Capture | Release | Refund | Void | Ask
    | StartCharging | StopCharging | AskReading | SendCost | ShowOnTerminal | Post | IssueReceipt
    | Notify
)  # fmt: skip

MONEY = (Authorise, Increase, Capture, Release, Refund, Void, Ask)
EFFECTS: tuple[type, ...] = (
    *MONEY, StartCharging, StopCharging, AskReading, SendCost, ShowOnTerminal, Post, IssueReceipt, Notify,
)  # fmt: skip


def lane(effect: Effect) -> str:
    """Which party performs an effect. Effects are in order per session and party: a mute screen must not
    delay a capture."""
    if isinstance(effect, Ask):
        return "ask"
    if isinstance(effect, MONEY):
        return "money"
    if isinstance(effect, StartCharging | StopCharging):
        return "station"
    if isinstance(effect, AskReading):
        return "reading"
    if isinstance(effect, ShowOnTerminal):
        return "screen"
    if isinstance(effect, SendCost):
        return "cost"
    return "record"
