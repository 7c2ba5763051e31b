"""What can happen to a session and to the payment inside it: past tense, with the time it happened.

Time is `at_ms`, epoch milliseconds, put there by whoever saw it happen (law 1). Payment outcomes carry the
key of the effect that they answer.
"""

from dataclasses import dataclass

from tapwatt.core.hold import HoldPolicy
from tapwatt.core.site import SOMEWHERE, Site
from tapwatt.core.tariff.model import Tariff


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a session waits for others, in milliseconds (law 10). Fixed when it is offered."""

    offer_ms: int = 3_600_000
    authorise_ms: int = 90_000
    plug_in_ms: int = 180_000
    start_ms: int = 60_000
    stop_ms: int = 30_000
    settle_ms: int = 120_000
    session_ms: int = 86_400_000
    reading_ms: int = 10_000
    """How long a station has to send a reading that it was asked for."""
    hold_ms: int = 604_800_000
    """How long a card's hold is good for."""
    expiry_ms: int = 86_400_000
    """How long before that its end is acted upon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """The base of every event."""

    at_ms: int


# --- outcomes of money effects ---


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeEvent(Happened):
    """The answer to a money effect, by its key."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved(OutcomeEvent):
    """The hold is confirmed, maybe for less than asked; the rest are the terminal's keys to it."""

    amount_minor: int
    receipt: str | None = None
    trace: str | None = None
    tid: str | None = None
    approval_code: str | None = None
    token: str | None = None
    brand: str | None = None
    last_four: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined(OutcomeEvent):
    """The issuer or somebody before it said no."""

    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aborted(OutcomeEvent):
    """The driver or the terminal broke the dialogue off before an answer."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent(OutcomeEvent):
    """Nothing left us: certain, so it may be tried again without asking."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent(OutcomeEvent):
    """Asked, and no answer: neither yes nor no."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOpen(OutcomeEvent):
    """Asked again: there is an open hold. `amount_minor` is None when the party could not say how much."""

    amount_minor: int | None = None
    receipt: str | None = None
    trace: str | None = None
    tid: str | None = None
    approval_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundNone(OutcomeEvent):
    """Asked again: there is no open hold, and no trace of the operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotAsk(OutcomeEvent):
    """The silent party has no way to be asked, or what it says settles nothing."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured(OutcomeEvent):
    """The final amount was taken."""

    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyCaptured(OutcomeEvent):
    """It had been taken before; this is the amount that was taken."""

    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRefused(OutcomeEvent):
    """The final amount was refused."""

    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released(OutcomeEvent):
    """The hold is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRefused(OutcomeEvent):
    """The hold could not be given back."""

    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided(OutcomeEvent):
    """The capture was undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidRefused(OutcomeEvent):
    """The capture could not be undone."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded(OutcomeEvent):
    """Money was given back."""

    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRefused(OutcomeEvent):
    """Money could not be given back."""

    text: str = ""


# --- what the session wants of its payment ---


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp(Happened):
    """Nobody waits for the authorisation any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncreaseWanted(Happened):
    """The hold should be raised by this much."""

    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureWanted(Happened):
    """The charge is over and costs this much."""

    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseWanted(Happened):
    """Nothing was delivered: the hold goes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidWanted(Happened):
    """A capture should be undone before cut-off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundWanted(Happened):
    """Part or all of a captured amount should go back; who wants it, and why."""

    amount_minor: int
    by: str = ""
    why: str = ""


# --- what happens around the session ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered(Happened):
    """A driver stands at a connector: a session begins, with its price and hold fixed."""

    session_id: str
    operator_id: str
    station_id: str
    evse_id: int
    terminal_id: str | None
    id_token: str
    reference: str
    tariff: Tariff
    hold: HoldPolicy
    limits: Limits
    max_power_w: int
    plugged: bool
    site: Site = SOMEWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldChosen(Happened):
    """The driver chose how much is held, among the amounts that were offered."""

    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPresented(Happened):
    """A bank card, phone or watch was held to the terminal."""

    token: str | None = None
    brand: str | None = None
    last_four: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPresented(Happened):
    """A known RFID tag or app account wants to charge; `id_token` is what the station will report."""

    account_id: str
    id_token: str
    at_station: bool = True
    """Whether the tag was held to the station, which then starts by itself; else to the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluggedIn(Happened):
    """The car is connected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended(Happened):
    """The car asks for no power any more, though it is connected: from here on it idles. A station that holds
    back power is no reason to bill idle time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(Happened):
    """The car takes power again, or could."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplugged(Happened):
    """The car is gone from the connector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAccepted(Happened):
    """The station will start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRefused(Happened):
    """The station will not start."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartUncertain(Happened):
    """The station did not say, or was asked before: only its own transaction message can tell."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Happened):
    """The station began a transaction; it numbers it as we told it to."""

    transaction_id: str
    register_wh: int
    read_ms: int
    """The time the station wrote on the reading: its own clock, used for energy only, never for a
    deadline."""
    doubt: str = ""
    """Why the register at the start cannot be trusted; then a person looks at the bill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered(Happened):
    """A register reading during the transaction."""

    register_wh: int
    read_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAsked(Happened):
    """The driver, an operator or a limit wants the charge to end."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAccepted(Happened):
    """The station will stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRefused(Happened):
    """The station will not stop, or does not know the transaction."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(Happened):
    """The station ended its transaction."""

    register_wh: int
    read_ms: int
    cause: str = ""
    proved: bool = True
    """False when the message could not be tied to the transaction beyond doubt; then nothing is captured by
    itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldExpiring(Happened):
    """The hold's last day is near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded(Happened):
    """An outcome has been open for long: ask again what became of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(Happened):
    """A person looked at a session in review: take this much of its hold, or nothing, and why."""

    amount_minor: int
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked(Happened):
    """The time that the session had set itself has come."""


OUTCOMES: tuple[type, ...] = (
    Approved, Declined, Aborted, NotSent, Silent, FoundOpen, FoundNone, CannotAsk, Captured, AlreadyCaptured,
    CaptureRefused, Released, ReleaseRefused, Voided, VoidRefused, Refunded, RefundRefused,
)  # fmt: skip
WISHES: tuple[type, ...] = (
    GivenUp, IncreaseWanted, CaptureWanted, ReleaseWanted, VoidWanted, RefundWanted, Reminded,
)  # fmt: skip
SURROUNDINGS: tuple[type, ...] = (
    Offered, HoldChosen, CardPresented, AccountPresented, PluggedIn, Suspended, Resumed, Unplugged,
    StartAccepted, StartRefused,
    StartUncertain, Started, Metered, StopAsked, StopAccepted, StopRefused, Stopped, HoldExpiring, Ticked,
    VoidWanted, RefundWanted, Decided,
)  # fmt: skip
EVENTS: tuple[type, ...] = (*OUTCOMES, *SURROUNDINGS)
