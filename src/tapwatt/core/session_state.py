"""What a session is: one driver, one EVSE, one payment, from the offer to the receipt."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from tapwatt.core.bill import Bill
from tapwatt.core.effects import Effect
from tapwatt.core.energy import Meter
from tapwatt.core.events import Limits
from tapwatt.core.hold import HoldPolicy
from tapwatt.core.payment import Payment
from tapwatt.core.site import SOMEWHERE, Site
from tapwatt.core.tariff.model import Tariff
from tapwatt.core.tariff.usage import Usage


class SessionState(StrEnum):
    """Where a driver's stay stands."""

    OFFERED = "offered"
    AUTHORISING = "authorising"
    READY = "ready"
    STARTING = "starting"
    CHARGING = "charging"
    STOPPING = "stopping"
    CLOSING = "closing"
    CLOSED = "closed"
    REVIEW = "review"
    FAILED = "failed"


class Reason(StrEnum):
    """Why a session ended, or waits, other than by being paid: words for drivers and operators."""

    NONE = ""
    LEFT = "left without paying"
    DECLINED = "payment declined"
    NO_ANSWER = "no answer from the payment side"
    TOO_LITTLE = "approved amount too small to charge"
    NOT_PLUGGED_IN = "no car was plugged in"
    CANCELLED = "cancelled before the charge"
    START_REFUSED = "the station refused to start"
    START_TIMED_OUT = "the station did not start in time"
    UNPLUGGED = "unplugged before power"
    NOTHING_DELIVERED = "nothing was delivered"
    DOUBTFUL_ENERGY = "the meter readings are in doubt"
    PAYMENT_REVIEW = "the payment needs a person"


FAILURES = {
    Reason.DECLINED,
    Reason.NO_ANSWER,
    Reason.TOO_LITTLE,
    Reason.START_REFUSED,
    Reason.START_TIMED_OUT,
}
"""Reasons that end a session as FAILED: the driver wanted to charge and could not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session, with its payment inside: one row, one version."""

    session_id: str
    operator_id: str
    station_id: str
    evse_id: int
    terminal_id: str | None
    state: SessionState
    id_token: str
    reference: str
    tariff: Tariff
    hold: HoldPolicy
    limits: Limits
    max_power_w: int
    plugged: bool
    opened_ms: int
    site: Site = SOMEWHERE
    payment: Payment | None = None
    remote: bool = True
    """Whether we start the station; False when the driver's tag at the station does."""
    transaction_id: str | None = None
    late: bool = False
    """The transaction began after its payment was over: its energy is a loss and is never captured."""
    meter: Meter | None = None
    usage: Usage | None = None
    """What the tariff prices: the meter's energy over time, as periods of charging and idling."""
    idle_since_ms: int | None = None
    """Since when the car asks for no power; None while it does."""
    bill: Bill | None = None
    lost_minor: int = 0
    started_ms: int | None = None
    stopped_ms: int | None = None
    closed_ms: int | None = None
    deadline_ms: int | None = None
    shown_minor: int = 0
    """The cost that the station's display was last told."""
    reading_asked: bool = False
    """Whether the station was asked for a reading because the hold may be used up by now."""
    expiring: bool = False
    """Whether the end of the hold was acted upon."""
    stop_tries: int = 0
    watches: int = 0
    steps: int = 0
    reason: Reason = Reason.NONE
    detail: str = ""


Make = Callable[[str], Effect]
"""Makes an effect once it is told its key."""


def number(session: Session, *makes: Make) -> tuple[Session, tuple[Effect, ...]]:
    """Number the effects: a key for each, never used twice in a session."""
    effects = tuple(
        make(f"{session.session_id}.s{session.steps + place}") for place, make in enumerate(makes, start=1)
    )
    return replace(session, steps=session.steps + len(makes)), effects
