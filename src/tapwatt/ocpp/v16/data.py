"""DataTransfer, the one action that both sides of OCPP 1.6 may send (sections 4.3 and 5.6)."""

from __future__ import annotations

from typing import Final

from tapwatt.ocpp.messages import DataAnswered, DataStatus, DataTransferred
from tapwatt.ocpp.v16 import wire
from tapwatt.ocpp.v16.words import DATA, Row, word_of


def _write(message: DataTransferred) -> wire.DataTransfer:
    return wire.DataTransfer(
        vendor_id=message.vendor_id, message_id=message.message_id or None, data=message.data or None
    )


def _read(payload: wire.DataTransfer) -> DataTransferred:
    return DataTransferred(
        vendor_id=payload.vendor_id, message_id=payload.message_id or "", data=payload.data or ""
    )


def _write_answer(answer: DataAnswered) -> wire.DataTransferAnswer:
    return wire.DataTransferAnswer(status=word_of(DATA, answer.status), data=answer.data or None)


def _read_answer(payload: wire.DataTransferAnswer) -> DataAnswered:
    return DataAnswered(status=DATA.get(payload.status, DataStatus.REJECTED), data=payload.data or "")


DATA_ROW: Final = Row(
    action="DataTransfer",
    meaning=DataTransferred,
    asked=wire.DataTransfer,
    answered=wire.DataTransferAnswer,
    write=_write,
    read=_read,
    write_answer=_write_answer,
    read_answer=_read_answer,
)
