"""The station's configuration keys: what may be changed, to what, and what follows. OCPP 1.6 section 9."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tapwatt.ocpp.commands import (
    CommandStatus,
    ConfigurationEntry,
    ConfigurationReported,
    GetConfiguration,
)

_LONGEST_S: Final = 86_400
_PROFILES: Final = "Core,FirmwareManagement,RemoteTrigger"


def _seconds(value: str) -> bool:
    return value.isascii() and value.isdigit() and int(value) <= _LONGEST_S


def _truth(value: str) -> bool:
    return value in ("true", "false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: its first value, what it may be set to (`accepts` None: nothing), from when on it holds."""

    value: str
    accepts: Callable[[str], bool] | None = None
    after_reboot: bool = False


_KEYS: Final[dict[str, Key]] = {
    "AuthorizeRemoteTxRequests": Key(value="false"),
    "ClockAlignedDataInterval": Key(value="0"),
    "ConnectionTimeOut": Key(value="60", accepts=_seconds),
    "CustomDisplayCostAndPrice": Key(value="true", accepts=_truth, after_reboot=True),
    "GetConfigurationMaxKeys": Key(value="50"),
    "HeartbeatInterval": Key(value="300", accepts=_seconds),
    "LocalPreAuthorize": Key(value="false"),
    "MeterValueSampleInterval": Key(value="1", accepts=_seconds),
    "MeterValuesSampledData": Key(value="Energy.Active.Import.Register,Power.Active.Import"),
    "NumberOfConnectors": Key(value="2"),
    "StopTransactionOnEVSideDisconnect": Key(value="true"),
    "StopTransactionOnInvalidId": Key(value="true"),
    "SupportedFeatureProfiles": Key(value=_PROFILES),
    "UnlockConnectorOnEVSideDisconnect": Key(value="true", accepts=_truth),
    "WebSocketPingInterval": Key(value="20", accepts=_seconds, after_reboot=True),
}


class Configuration:
    """The values in force, and those that wait for the next boot."""

    def __init__(self, *, connectors: int) -> None:
        self._values = {name: key.value for name, key in _KEYS.items()}
        self._values["NumberOfConnectors"] = str(connectors)
        self._after_reboot: dict[str, str] = {}

    def seconds(self, name: str) -> int:
        """The value of a key that counts seconds."""
        return int(self._values[name])

    def change(self, name: str, value: str) -> CommandStatus:
        """Change a key; the answer says whether it holds now."""
        key = _KEYS.get(name)
        if key is None:
            return CommandStatus.NOT_SUPPORTED
        if key.accepts is None or not key.accepts(value):
            return CommandStatus.REJECTED
        if key.after_reboot:
            self._after_reboot[name] = value
            return CommandStatus.REBOOT_REQUIRED
        self._values[name] = value
        return CommandStatus.ACCEPTED

    def rebooted(self) -> None:
        """The station boots: what waited holds now."""
        self._values.update(self._after_reboot)
        self._after_reboot.clear()

    def report(self, command: GetConfiguration) -> ConfigurationReported:
        """The keys asked for, and which of them are unknown."""
        wanted = tuple(dict.fromkeys(command.keys)) or tuple(self._values)
        entries = [
            ConfigurationEntry(key=name, value=self._values[name], readonly=_KEYS[name].accepts is None)
            for name in wanted
            if name in self._values
        ]
        unknown = tuple(name for name in wanted if name not in self._values)
        return ConfigurationReported(entries=tuple(entries), unknown=unknown)
