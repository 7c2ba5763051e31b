"""The commands of OCPP 1.6 that look after a station: cache, diagnostics, firmware.

Spec: OCPP 1.6 edition 2, sections 5.4, 5.9, 5.19 and 6.11, 6.25, 6.55. What comes of the last two, the
station tells later by DiagnosticsStatusNotification and FirmwareStatusNotification.
"""

from __future__ import annotations

from typing import Final, Literal

from tapwatt.ocpp.commands import (
    ClearCache,
    CommandAnswered,
    CommandStatus,
    DiagnosticsPromised,
    GetDiagnostics,
    UpdateFirmware,
)
from tapwatt.ocpp.mend import UnableToRead
from tapwatt.ocpp.messages import Acknowledged
from tapwatt.ocpp.timestamps import read_time, write_time
from tapwatt.ocpp.v16 import wire
from tapwatt.ocpp.v16.words import Row
from tapwatt.rpc.messages import Fault

_STATUSES: Final = {"Accepted": CommandStatus.ACCEPTED, "Rejected": CommandStatus.REJECTED}


class ClearCacheAnswer(wire.Wire, frozen=True):
    """ClearCache.conf (section 6.12)."""

    status: Literal["Accepted", "Rejected"]


class GetDiagnosticsWire(wire.Wire, frozen=True):
    """GetDiagnostics.req (section 6.25)."""

    location: str
    retries: wire.Integer | None = None
    retry_interval: wire.Integer | None = None
    start_time: str | None = None
    stop_time: str | None = None


class GetDiagnosticsAnswer(wire.Wire, frozen=True):
    """GetDiagnostics.conf (section 6.26)."""

    file_name: wire.Text255 | None = None


class UpdateFirmwareWire(wire.Wire, frozen=True):
    """UpdateFirmware.req (section 6.55)."""

    location: str
    retrieve_date: str
    retries: wire.Integer | None = None
    retry_interval: wire.Integer | None = None


def _write_diagnostics(command: GetDiagnostics) -> GetDiagnosticsWire:
    return GetDiagnosticsWire(
        location=command.location,
        retries=command.retries,
        retry_interval=command.retry_interval_s,
        start_time=None if command.from_ms is None else write_time(command.from_ms),
        stop_time=None if command.to_ms is None else write_time(command.to_ms),
    )


def _read_diagnostics(payload: GetDiagnosticsWire) -> GetDiagnostics:
    return GetDiagnostics(
        location=payload.location,
        retries=payload.retries,
        retry_interval_s=payload.retry_interval,
        from_ms=read_time(payload.start_time),
        to_ms=read_time(payload.stop_time),
    )


def _write_firmware(command: UpdateFirmware) -> UpdateFirmwareWire:
    return UpdateFirmwareWire(
        location=command.location,
        retrieve_date=write_time(command.retrieve_ms),
        retries=command.retries,
        retry_interval=command.retry_interval_s,
    )


def _read_firmware(payload: UpdateFirmwareWire) -> UpdateFirmware:
    retrieve_ms = read_time(payload.retrieve_date)
    if retrieve_ms is None:
        raise UnableToRead(Fault.PROPERTY_CONSTRAINT_VIOLATION, "retrieveDate is no time")
    return UpdateFirmware(
        location=payload.location,
        retrieve_ms=retrieve_ms,
        retries=payload.retries,
        retry_interval_s=payload.retry_interval,
    )


def _read_cleared(payload: ClearCacheAnswer) -> CommandAnswered:
    return CommandAnswered(status=_STATUSES[payload.status], raw=payload.status)


UPKEEP_ROWS: Final = (
    Row(
        action="ClearCache",
        meaning=ClearCache,
        asked=wire.Empty,
        answered=ClearCacheAnswer,
        write=lambda command: wire.Empty(),
        read=lambda payload: ClearCache(),
        write_answer=lambda answer: ClearCacheAnswer(
            status="Accepted" if answer.status is CommandStatus.ACCEPTED else "Rejected"
        ),
        read_answer=_read_cleared,
    ),
    Row(
        action="GetDiagnostics",
        meaning=GetDiagnostics,
        asked=GetDiagnosticsWire,
        answered=GetDiagnosticsAnswer,
        write=_write_diagnostics,
        read=_read_diagnostics,
        write_answer=lambda answer: GetDiagnosticsAnswer(file_name=answer.file_name or None),
        read_answer=lambda payload: DiagnosticsPromised(file_name=payload.file_name or ""),
    ),
    Row(
        action="UpdateFirmware",
        meaning=UpdateFirmware,
        asked=UpdateFirmwareWire,
        answered=wire.Empty,
        write=_write_firmware,
        read=_read_firmware,
        write_answer=lambda answer: wire.Empty(),
        read_answer=lambda payload: Acknowledged(),
    ),
)
