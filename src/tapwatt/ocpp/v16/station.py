"""What an OCPP 1.6 station sends and what a CSMS answers: one row an action, with its four small functions.

Spec: OCPP 1.6 edition 2, section 4 (operations) and 6 (messages).
"""

from __future__ import annotations

from typing import Any, Final

from tapwatt.ocpp.mend import UnableToWrite
from tapwatt.ocpp.messages import (
    Acknowledged,
    BootAnswered,
    ConnectorStatus,
    DiagnosticsReported,
    FirmwareReported,
    HeartbeatAnswered,
    HeartbeatSent,
    MeterReported,
    Registration,
    StartAnswered,
    StationBooted,
    StatusReported,
    StopAnswered,
    StopReason,
    TokenAnswered,
    TokenOffered,
    TokenStatus,
    TransactionStarted,
    TransactionStopped,
)
from tapwatt.ocpp.timestamps import read_time, write_time
from tapwatt.ocpp.v16 import wire
from tapwatt.ocpp.v16.data import DATA_ROW
from tapwatt.ocpp.v16.metering import read_readings, write_readings
from tapwatt.ocpp.v16.words import (
    REASONS,
    REGISTRATIONS,
    STATUSES,
    TOKENS,
    Row,
    needed,
    transaction_number,
    word_of,
)


def _write_boot(message: StationBooted) -> wire.BootNotification:
    return wire.BootNotification(
        charge_point_vendor=message.vendor,
        charge_point_model=message.model,
        charge_point_serial_number=message.serial or None,
        firmware_version=message.firmware or None,
        iccid=message.iccid or None,
        imsi=message.imsi or None,
        meter_type=message.meter_type or None,
        meter_serial_number=message.meter_serial or None,
    )


def _read_boot(payload: wire.BootNotification) -> StationBooted:
    return StationBooted(
        vendor=payload.charge_point_vendor,
        model=payload.charge_point_model,
        serial=payload.charge_point_serial_number or payload.charge_box_serial_number or "",
        firmware=payload.firmware_version or "",
        iccid=payload.iccid or "",
        imsi=payload.imsi or "",
        meter_type=payload.meter_type or "",
        meter_serial=payload.meter_serial_number or "",
    )


def _write_boot_answer(answer: BootAnswered) -> wire.BootNotificationAnswer:
    return wire.BootNotificationAnswer(
        status=word_of(REGISTRATIONS, answer.registration),
        current_time=write_time(answer.now_ms),
        interval=answer.interval_s,
    )


def _read_boot_answer(payload: wire.BootNotificationAnswer) -> BootAnswered:
    return BootAnswered(
        registration=REGISTRATIONS.get(payload.status, Registration.REJECTED),
        interval_s=payload.interval,
        now_ms=read_time(payload.current_time) or 0,
    )


def _write_status(message: StatusReported) -> wire.StatusNotification:
    error: Any = message.error_code
    return wire.StatusNotification(
        connector_id=message.evse_id,
        status=word_of(STATUSES, message.status),
        error_code=error,
        info=message.info or None,
        timestamp=_time_or_none(message.at_ms),
        vendor_id=message.vendor_id or None,
        vendor_error_code=message.vendor_error_code or None,
    )


def _read_status(payload: wire.StatusNotification) -> StatusReported:
    return StatusReported(
        evse_id=payload.connector_id,
        status=STATUSES.get(payload.status, ConnectorStatus.UNKNOWN),
        raw_status=payload.status,
        error_code=payload.error_code or "NoError",
        info=payload.info or "",
        vendor_id=payload.vendor_id or "",
        vendor_error_code=payload.vendor_error_code or "",
        at_ms=read_time(payload.timestamp),
    )


def _write_start(message: TransactionStarted) -> wire.StartTransaction:
    return wire.StartTransaction(
        connector_id=message.evse_id,
        id_tag=message.id_token,
        meter_start=needed(message.register_wh, "register_wh"),
        timestamp=write_time(needed(message.at_ms, "at_ms")),
        reservation_id=message.reservation_id,
    )


def _read_start(payload: wire.StartTransaction) -> TransactionStarted:
    return TransactionStarted(
        evse_id=payload.connector_id,
        id_token=payload.id_tag,
        register_wh=payload.meter_start,
        at_ms=read_time(payload.timestamp),
        reservation_id=payload.reservation_id,
    )


def _write_meter(message: MeterReported) -> wire.MeterValues:
    for reading in message.readings:
        needed(reading.at_ms, "at_ms of a reading")
    values = write_readings(message.readings)
    if not values or not all(each.sampled_value for each in values):
        raise UnableToWrite("meter values without a sample")
    number = None if message.transaction_id is None else transaction_number(message.transaction_id)
    return wire.MeterValues(connector_id=message.evse_id, transaction_id=number, meter_value=values)


def _read_meter(payload: wire.MeterValues) -> MeterReported:
    return MeterReported(
        evse_id=payload.connector_id,
        transaction_id=None if payload.transaction_id is None else str(payload.transaction_id),
        readings=read_readings(payload.meter_value),
    )


def _write_stop(message: TransactionStopped) -> wire.StopTransaction:
    reason = StopReason.OTHER if message.reason is StopReason.UNKNOWN else message.reason
    return wire.StopTransaction(
        transaction_id=transaction_number(message.transaction_id),
        meter_stop=needed(message.register_wh, "register_wh"),
        timestamp=write_time(needed(message.at_ms, "at_ms")),
        id_tag=message.id_token,
        reason=word_of(REASONS, reason),
        transaction_data=write_readings(message.readings),
    )


def _read_stop(payload: wire.StopTransaction) -> TransactionStopped:
    reason = payload.reason or "Local"  # the default of section 6.49
    return TransactionStopped(
        transaction_id=str(payload.transaction_id),
        register_wh=payload.meter_stop,
        at_ms=read_time(payload.timestamp),
        id_token=payload.id_tag,
        reason=REASONS.get(reason, StopReason.UNKNOWN),
        raw_reason=payload.reason or "",
        readings=read_readings(payload.transaction_data),
    )


def _write_token(answer: TokenAnswered) -> wire.IdTagInfo:
    return wire.IdTagInfo(
        status=word_of(TOKENS, answer.status),
        expiry_date=_time_or_none(answer.expires_ms),
        parent_id_tag=answer.group or None,
    )


def _read_token(info: wire.IdTagInfo) -> TokenAnswered:
    return TokenAnswered(
        status=TOKENS.get(info.status, TokenStatus.INVALID),
        expires_ms=read_time(info.expiry_date),
        group=info.parent_id_tag or "",
    )


def _write_start_answer(answer: StartAnswered) -> wire.StartTransactionAnswer:
    return wire.StartTransactionAnswer(
        transaction_id=transaction_number(answer.transaction_id), id_tag_info=_write_token(answer.token)
    )


def _read_start_answer(payload: wire.StartTransactionAnswer) -> StartAnswered:
    return StartAnswered(transaction_id=str(payload.transaction_id), token=_read_token(payload.id_tag_info))


def _write_stop_answer(answer: StopAnswered) -> wire.StopTransactionAnswer:
    return wire.StopTransactionAnswer(
        id_tag_info=None if answer.token is None else _write_token(answer.token)
    )


def _read_stop_answer(payload: wire.StopTransactionAnswer) -> StopAnswered:
    return StopAnswered(token=None if payload.id_tag_info is None else _read_token(payload.id_tag_info))


def _nothing(answer: object) -> wire.Empty:
    return wire.Empty()


def _acknowledged(payload: wire.Empty) -> Acknowledged:
    return Acknowledged()


def _time_or_none(at_ms: int | None) -> str | None:
    return None if at_ms is None else write_time(at_ms)


STATION_ROWS: Final = (
    Row(
        action="BootNotification",
        meaning=StationBooted,
        asked=wire.BootNotification,
        answered=wire.BootNotificationAnswer,
        write=_write_boot,
        read=_read_boot,
        write_answer=_write_boot_answer,
        read_answer=_read_boot_answer,
    ),
    Row(
        action="Heartbeat",
        meaning=HeartbeatSent,
        asked=wire.Empty,
        answered=wire.HeartbeatAnswer,
        write=_nothing,
        read=lambda payload: HeartbeatSent(),
        write_answer=lambda answer: wire.HeartbeatAnswer(current_time=write_time(answer.now_ms)),
        read_answer=lambda payload: HeartbeatAnswered(now_ms=read_time(payload.current_time) or 0),
    ),
    Row(
        action="StatusNotification",
        meaning=StatusReported,
        asked=wire.StatusNotification,
        answered=wire.Empty,
        write=_write_status,
        read=_read_status,
        write_answer=_nothing,
        read_answer=_acknowledged,
    ),
    Row(
        action="Authorize",
        meaning=TokenOffered,
        asked=wire.Authorize,
        answered=wire.AuthorizeAnswer,
        write=lambda message: wire.Authorize(id_tag=message.id_token),
        read=lambda payload: TokenOffered(id_token=payload.id_tag),
        write_answer=lambda answer: wire.AuthorizeAnswer(id_tag_info=_write_token(answer)),
        read_answer=lambda payload: _read_token(payload.id_tag_info),
    ),
    Row(
        action="StartTransaction",
        meaning=TransactionStarted,
        asked=wire.StartTransaction,
        answered=wire.StartTransactionAnswer,
        write=_write_start,
        read=_read_start,
        write_answer=_write_start_answer,
        read_answer=_read_start_answer,
    ),
    Row(
        action="MeterValues",
        meaning=MeterReported,
        asked=wire.MeterValues,
        answered=wire.Empty,
        write=_write_meter,
        read=_read_meter,
        write_answer=_nothing,
        read_answer=_acknowledged,
    ),
    Row(
        action="StopTransaction",
        meaning=TransactionStopped,
        asked=wire.StopTransaction,
        answered=wire.StopTransactionAnswer,
        write=_write_stop,
        read=_read_stop,
        write_answer=_write_stop_answer,
        read_answer=_read_stop_answer,
    ),
    Row(
        action="DiagnosticsStatusNotification",
        meaning=DiagnosticsReported,
        asked=wire.DiagnosticsStatusNotification,
        answered=wire.Empty,
        write=lambda message: wire.DiagnosticsStatusNotification(status=message.status),
        read=lambda payload: DiagnosticsReported(status=payload.status),
        write_answer=_nothing,
        read_answer=_acknowledged,
    ),
    Row(
        action="FirmwareStatusNotification",
        meaning=FirmwareReported,
        asked=wire.FirmwareStatusNotification,
        answered=wire.Empty,
        write=lambda message: wire.FirmwareStatusNotification(status=message.status),
        read=lambda payload: FirmwareReported(status=payload.status),
        write_answer=_nothing,
        read_answer=_acknowledged,
    ),
    DATA_ROW,
)
