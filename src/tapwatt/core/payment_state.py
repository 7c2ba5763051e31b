"""What a payment is: the amounts that were asked, confirmed, taken and given back, and the terminal's keys to
the hold."""

from dataclasses import dataclass
from enum import StrEnum

from tapwatt.core.effects import Leader


class UnableToDecide(Exception):
    """The table has no row for this state and event: somebody broke the order of things."""


class PaymentState(StrEnum):
    """Where the money of one payment stands."""

    AUTHORISING = "authorising"
    UNKNOWN = "unknown"
    AUTHORISED = "authorised"
    INCREASING = "increasing"
    CAPTURING = "capturing"
    CAPTURED = "captured"
    REVERSING = "reversing"
    REVERSED = "reversed"
    DECLINED = "declined"
    VOIDING = "voiding"
    VOIDED = "voided"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    REVIEW = "review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment. `authorised_minor` is the last confirmed hold; nothing above it is ever captured."""

    payment_id: str
    state: PaymentState
    leader: Leader
    reference: str
    currency: str
    asked_minor: int
    authorised_minor: int = 0
    increase_minor: int = 0
    capture_minor: int = 0
    captured_minor: int = 0
    released_minor: int = 0
    refund_minor: int = 0
    refunded_minor: int = 0
    terminal_id: str | None = None
    account_id: str | None = None
    awaited: bool = True
    """Whether somebody still stands there, waiting for the authorisation."""
    capture_before_ms: int = 0
    """When the hold ends by itself; 0 for one that does not."""
    operation_key: str = ""
    """Key of the money effect whose outcome is open; an outcome of another key is late and changes nothing.
    """
    operation_minor: int = 0
    """The amount of that effect, for its repeats."""
    steps: int = 0
    receipt: str | None = None
    trace: str | None = None
    tid: str | None = None
    approval_code: str | None = None
    token: str | None = None
    brand: str | None = None
    last_four: str | None = None
    reason: str = ""
