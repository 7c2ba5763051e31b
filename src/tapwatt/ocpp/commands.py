"""What a CSMS asks of a station and what that answers, free of any version's spelling.

Why apart from `messages`: these go the other way, and their answers promise little: "accepted" means that the
station will try. What really happened comes later as a station's message.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tapwatt.ocpp.messages import Acknowledged, DataAnswered, DataTransferred


class CommandStatus(StrEnum):
    """A station's answer to a command."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SCHEDULED = "scheduled"
    REBOOT_REQUIRED = "reboot_required"
    NOT_SUPPORTED = "not_supported"
    NOT_IMPLEMENTED = "not_implemented"
    UNLOCKED = "unlocked"
    UNLOCK_FAILED = "unlock_failed"
    UNKNOWN = "unknown"


class TriggerKind(StrEnum):
    """What a station can be asked to send now."""

    BOOT = "boot"
    DIAGNOSTICS = "diagnostics"
    FIRMWARE = "firmware"
    HEARTBEAT = "heartbeat"
    METER = "meter"
    STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequested:
    """Start charging for this token (at most 20 characters in 1.6); no EVSE: the station chooses."""

    id_token: str
    evse_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested:
    """Stop this transaction."""

    transaction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Send this message now."""

    message: TriggerKind
    evse_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """Start again; a soft one ends transactions in order."""

    hard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeConfiguration:
    """Set one configuration key."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetConfiguration:
    """Tell these keys; none named: all."""

    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockConnector:
    """Let go of the plug."""

    evse_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAvailability:
    """Take an EVSE (0: the station) out of service or back."""

    evse_id: int
    operative: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCache:
    """Forget the credentials remembered for when the line is down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDiagnostics:
    """Put a file of diagnostics at an address; what is not given is the station's own choice."""

    location: str
    retries: int | None = None
    retry_interval_s: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFirmware:
    """Fetch firmware from an address, not before `retrieve_ms`, and install it."""

    location: str
    retrieve_ms: int
    retries: int | None = None
    retry_interval_s: int | None = None


Command = (
    StartRequested
    | StopRequested
    | Trigger
    | Reset
    | ChangeConfiguration
    | GetConfiguration
    | UnlockConnector
    | ChangeAvailability
    | ClearCache
    | GetDiagnostics
    | UpdateFirmware
    | DataTransferred
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAnswered:
    """The station's word on a command; accepted means it will try, not that it did."""

    status: CommandStatus
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationEntry:
    """One key of a station's configuration."""

    key: str
    value: str | None = None
    readonly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationReported:
    """A station's configuration, and the keys it does not know."""

    entries: tuple[ConfigurationEntry, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticsPromised:
    """The name of the file a station will upload; empty: there is nothing to upload."""

    file_name: str = ""


CommandAnswer = CommandAnswered | ConfigurationReported | DiagnosticsPromised | DataAnswered | Acknowledged
