"""The words of OCPP 1.6 and what they mean, and the one shape every action has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tapwatt.ocpp.mend import UnableToWrite
from tapwatt.ocpp.messages import ConnectorStatus, DataStatus, Registration, StopReason, TokenStatus
from tapwatt.ocpp.v16 import wire

STATUSES: Final = {
    "Available": ConnectorStatus.AVAILABLE,
    "Preparing": ConnectorStatus.PREPARING,
    "Charging": ConnectorStatus.CHARGING,
    "SuspendedEV": ConnectorStatus.SUSPENDED_EV,
    "SuspendedEVSE": ConnectorStatus.SUSPENDED_EVSE,
    "Finishing": ConnectorStatus.FINISHING,
    "Reserved": ConnectorStatus.RESERVED,
    "Unavailable": ConnectorStatus.UNAVAILABLE,
    "Faulted": ConnectorStatus.FAULTED,
}
REASONS: Final = {
    "DeAuthorized": StopReason.DEAUTHORISED,
    "EmergencyStop": StopReason.EMERGENCY_STOP,
    "EVDisconnected": StopReason.EV_DISCONNECTED,
    "HardReset": StopReason.HARD_RESET,
    "Local": StopReason.LOCAL,
    "Other": StopReason.OTHER,
    "PowerLoss": StopReason.POWER_LOSS,
    "Reboot": StopReason.REBOOT,
    "Remote": StopReason.REMOTE,
    "SoftReset": StopReason.SOFT_RESET,
    "UnlockCommand": StopReason.UNLOCK_COMMAND,
}
TOKENS: Final = {
    "Accepted": TokenStatus.ACCEPTED,
    "Blocked": TokenStatus.BLOCKED,
    "Expired": TokenStatus.EXPIRED,
    "Invalid": TokenStatus.INVALID,
    "ConcurrentTx": TokenStatus.CONCURRENT,
}
DATA: Final = {
    "Accepted": DataStatus.ACCEPTED,
    "Rejected": DataStatus.REJECTED,
    "UnknownMessageId": DataStatus.UNKNOWN_MESSAGE,
    "UnknownVendorId": DataStatus.UNKNOWN_VENDOR,
}
REGISTRATIONS: Final = {
    "Accepted": Registration.ACCEPTED,
    "Pending": Registration.PENDING,
    "Rejected": Registration.REJECTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One action both ways. The functions know their own types; the tables below pair them."""

    action: str
    meaning: type[Any]
    asked: type[wire.Wire]
    answered: type[wire.Wire]
    write: Callable[[Any], wire.Wire]
    read: Callable[[Any], Any]
    write_answer: Callable[[Any], wire.Wire]
    read_answer: Callable[[Any], Any]


def word_of(table: dict[str, Any], meaning: object) -> Any:
    """The wire's word for a meaning. Raises UnableToWrite where 1.6 has none."""
    for word, each in table.items():
        if each == meaning:
            return word
    raise UnableToWrite(f"OCPP 1.6 has no word for {meaning}")


def transaction_number(transaction_id: str) -> int:
    """1.6 knows transactions by integers. Raises UnableToWrite."""
    try:
        return int(transaction_id)
    except ValueError:
        raise UnableToWrite(f"transaction id {transaction_id!r} is no integer") from None


def needed(value: int | None, name: str) -> int:
    """What a message must have when we write it, though we read it without. Raises UnableToWrite."""
    if value is None:
        raise UnableToWrite(f"{name} is missing")
    return value
