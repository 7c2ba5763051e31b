"""What stations tell a CSMS and what it answers, in OCPP 2.x words and free of any version's spelling.

Why neutral: the product is written once and each version's codec (`v16`) turns these into its own wire.
What the CSMS asks of a station is in `commands`.
An EVSE of number 0 is the whole station; a 1.6 connector n is EVSE n. Energy in Wh, times in epoch ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Registration(StrEnum):
    """The CSMS's answer to a boot."""

    ACCEPTED = "accepted"
    PENDING = "pending"
    REJECTED = "rejected"


class ConnectorStatus(StrEnum):
    """1.6 tells more than 2.x here; what a version does not know is UNKNOWN with its raw word kept."""

    AVAILABLE = "available"
    PREPARING = "preparing"
    CHARGING = "charging"
    SUSPENDED_EV = "suspended_ev"
    SUSPENDED_EVSE = "suspended_evse"
    FINISHING = "finishing"
    OCCUPIED = "occupied"
    RESERVED = "reserved"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"
    UNKNOWN = "unknown"


class TokenStatus(StrEnum):
    """Whether a credential may charge."""

    ACCEPTED = "accepted"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    INVALID = "invalid"
    CONCURRENT = "concurrent"


class StopReason(StrEnum):
    """Why a transaction ended."""

    DEAUTHORISED = "deauthorised"
    EMERGENCY_STOP = "emergency_stop"
    EV_DISCONNECTED = "ev_disconnected"
    HARD_RESET = "hard_reset"
    LOCAL = "local"
    OTHER = "other"
    POWER_LOSS = "power_loss"
    REBOOT = "reboot"
    REMOTE = "remote"
    SOFT_RESET = "soft_reset"
    UNLOCK_COMMAND = "unlock_command"
    UNKNOWN = "unknown"


class DataStatus(StrEnum):
    """The answer to a vendor's own message."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN_MESSAGE = "unknown_message"
    UNKNOWN_VENDOR = "unknown_vendor"


# --- readings


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One sampled value as sent. `value` stays text: it may be a signed data block."""

    value: str
    measurand: str = "Energy.Active.Import.Register"
    unit: str = ""
    phase: str = ""
    location: str = ""
    context: str = ""
    signed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The samples of one moment, and what could be read of them; None where nothing could."""

    at_ms: int | None
    register_wh: int | None = None
    power_w: int | None = None
    state_of_charge: int | None = None
    samples: tuple[Sample, ...] = ()


# --- station → CSMS


@dataclass(frozen=True, slots=True, kw_only=True)
class StationBooted:
    """A station introduces itself."""

    vendor: str
    model: str
    serial: str = ""
    firmware: str = ""
    iccid: str = ""
    imsi: str = ""
    meter_type: str = ""
    meter_serial: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatSent:
    """A station is alive and wants the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReported:
    """A connector's state; `raw_status` and `error_code` as the station wrote them."""

    evse_id: int
    status: ConnectorStatus
    raw_status: str = ""
    error_code: str = "NoError"
    info: str = ""
    vendor_id: str = ""
    vendor_error_code: str = ""
    at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOffered:
    """Somebody wants to charge with this credential (1.6 Authorize)."""

    id_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionStarted:
    """Energy may flow. Register and time are None where the station sent nothing readable."""

    evse_id: int
    id_token: str
    register_wh: int | None
    at_ms: int | None
    reservation_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReported:
    """Readings, of a transaction or of the EVSE alone."""

    evse_id: int
    transaction_id: str | None
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionStopped:
    """A transaction ended. Its id may be one we never gave ("-1" after a lost start)."""

    transaction_id: str
    register_wh: int | None
    at_ms: int | None
    id_token: str | None = None
    reason: StopReason = StopReason.LOCAL
    raw_reason: str = ""
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTransferred:
    """A vendor's own message; either side may send it."""

    vendor_id: str
    message_id: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareReported:
    """State of a firmware update, in the station's word."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticsReported:
    """State of a diagnostics upload, in the station's word."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A billing message nobody can read: keep it, answer it, let somebody look at it."""

    action: str
    raw: bytes
    problem: str


StationMessage = (
    StationBooted
    | HeartbeatSent
    | StatusReported
    | TokenOffered
    | TransactionStarted
    | MeterReported
    | TransactionStopped
    | DataTransferred
    | FirmwareReported
    | DiagnosticsReported
    | Unreadable
)

TRANSACTION_MESSAGES = (TransactionStarted, MeterReported, TransactionStopped)
"""Kept by the station until answered, and sent in order (1.6 section 3.7)."""


# --- answers of the CSMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """Received; there is nothing more to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootAnswered:
    """Whether the station may work, when to beat (or to try again), and what time it is."""

    registration: Registration
    interval_s: int
    now_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatAnswered:
    """The time."""

    now_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAnswered:
    """What a credential may do, to whom it belongs, until when."""

    status: TokenStatus
    group: str = ""
    expires_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAnswered:
    """The transaction's id (decimal digits in 1.6, where the CSMS mints it) and the credential's standing."""

    transaction_id: str
    token: TokenAnswered


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAnswered:
    """A stop is always taken; the credential's standing may be told."""

    token: TokenAnswered | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAnswered:
    """Answer to a vendor's own message."""

    status: DataStatus
    data: str = ""


Answer = (
    Acknowledged
    | BootAnswered
    | HeartbeatAnswered
    | TokenAnswered
    | StartAnswered
    | StopAnswered
    | DataAnswered
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One CALL of a station as its owner gets it: the message, the evidence, and what was wrong with it."""

    station_id: str
    message: StationMessage
    action: str
    raw: bytes
    violations: tuple[str, ...] = ()
