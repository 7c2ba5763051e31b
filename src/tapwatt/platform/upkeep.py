"""What the platform knows of a station's configuration, firmware and diagnostics, and how that changes.

A station's answer and its reports are facts and stored as such; nothing here decides about money.
"""

from typing import Any

from sqlalchemy import BindParameter, bindparam, delete, insert, select

from tapwatt.ocpp import commands
from tapwatt.ocpp import messages as ocpp
from tapwatt.platform.tables import STATION, STATION_CONFIGURATION, STATION_TRANSFER
from tapwatt.store import Row, Transaction

FIRMWARE, DIAGNOSTICS = "firmware", "diagnostics"
TOLD, SET, AFTER_REBOOT = "told", "set", "after_reboot"
REQUESTED = "Requested"
KEYS_MAX = 500
"""A station may have more keys; so many are kept."""

_S, _C, _T = STATION.c, STATION_CONFIGURATION.c, STATION_TRANSFER.c
_OWNED: BindParameter[str] = bindparam("operator_id")
ONE_STATION = select(STATION).where(_S.operator_id == _OWNED, _S.station_id == bindparam("station_id"))
_KEYS = (
    select(STATION_CONFIGURATION)
    .where(_C.operator_id == _OWNED, _C.station_id == bindparam("station_id"))
    .order_by(_C.key)
)
_TRANSFERS = (
    select(STATION_TRANSFER)
    .where(_T.operator_id == _OWNED, _T.station_id == bindparam("station_id"))
    .order_by(_T.kind)
)
_FORGET_KEY = delete(STATION_CONFIGURATION).where(
    _C.operator_id == _OWNED, _C.station_id == bindparam("station_id"), _C.key == bindparam("key")
)
_KEEP_KEY = insert(STATION_CONFIGURATION)
_FORGET_TRANSFER = delete(STATION_TRANSFER).where(
    _T.operator_id == _OWNED, _T.station_id == bindparam("station_id"), _T.kind == bindparam("kind")
)
_KEEP_TRANSFER = insert(STATION_TRANSFER)


def page(tx: Transaction, *, operator_id: str, station_id: str) -> dict[str, Any] | None:
    """Configuration and transfers of a station; None when the operator has none of that name."""
    owned = {"operator_id": operator_id, "station_id": station_id}
    if tx.one(ONE_STATION, **owned) is None:
        return None
    keys = [
        {"key": row.key, "value": row.value, "readonly": bool(row.readonly), "state": row.state}
        for row in tx.run(_KEYS, **owned)
    ]
    transfers = [
        {
            "kind": row.kind,
            "status": row.status,
            "location": row.location,
            "file_name": row.file_name,
            "at_ms": row.at_ms,
        }
        for row in tx.run(_TRANSFERS, **owned)
    ]
    return {"configuration": keys, "transfers": transfers}


def answered(
    tx: Transaction,
    *,
    operator_id: str,
    station_id: str,
    command: commands.Command,
    answer: commands.CommandAnswer,
    at_ms: int,
) -> None:
    """Keep what a station's answer to a command tells about it."""
    owned = {"operator_id": operator_id, "station_id": station_id}
    match command, answer:
        case commands.GetConfiguration(), commands.ConfigurationReported(entries=entries):
            for entry in entries[:KEYS_MAX]:
                _keep(tx, owned, entry.key, entry.value, readonly=entry.readonly, state=TOLD, at_ms=at_ms)
        case commands.ChangeConfiguration(key=key, value=value), commands.CommandAnswered(status=status):
            states = {
                commands.CommandStatus.ACCEPTED: SET,
                commands.CommandStatus.REBOOT_REQUIRED: AFTER_REBOOT,
            }
            if status in states:
                _keep(tx, owned, key, value, readonly=False, state=states[status], at_ms=at_ms)
        case commands.GetDiagnostics(location=location), commands.DiagnosticsPromised(file_name=name) if name:
            _transfer(tx, owned, DIAGNOSTICS, REQUESTED, location=location, file_name=name, at_ms=at_ms)
        case commands.UpdateFirmware(location=location), ocpp.Acknowledged():
            _transfer(tx, owned, FIRMWARE, REQUESTED, location=location, file_name="", at_ms=at_ms)


def reported(
    tx: Transaction, station: Row, message: ocpp.FirmwareReported | ocpp.DiagnosticsReported, *, at_ms: int
) -> None:
    """A station tells how far a transfer has come, asked for or not."""
    owned = {"operator_id": station.operator_id, "station_id": station.station_id}
    kind = FIRMWARE if isinstance(message, ocpp.FirmwareReported) else DIAGNOSTICS
    known = next((row for row in tx.run(_TRANSFERS, **owned) if row.kind == kind), None)
    location, file_name = (known.location, known.file_name) if known else ("", "")
    _transfer(tx, owned, kind, message.status, location=location, file_name=file_name, at_ms=at_ms)


def _keep(
    tx: Transaction,
    owned: dict[str, str],
    key: str,
    value: str | None,
    *,
    readonly: bool,
    state: str,
    at_ms: int,
) -> None:
    tx.run(_FORGET_KEY, **owned, key=key)
    tx.run(_KEEP_KEY, **owned, key=key, value=value, readonly=int(readonly), state=state, at_ms=at_ms)


def _transfer(
    tx: Transaction,
    owned: dict[str, str],
    kind: str,
    status: str,
    *,
    location: str,
    file_name: str,
    at_ms: int,
) -> None:
    tx.run(_FORGET_TRANSFER, **owned, kind=kind)
    tx.run(
        _KEEP_TRANSFER,
        **owned,
        kind=kind,
        status=status,
        location=location,
        file_name=file_name,
        at_ms=at_ms,
    )
