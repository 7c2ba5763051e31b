"""OCPP 1.6 payloads ↔ neutral messages, for both roles. Lenient in, strict out.

Reading raises only UnableToRead (with the CALLERROR it deserves), writing only UnableToWrite.
Spec: OCPP 1.6 edition 2; lengths, words and defaults as in its sections 6 and 7.
"""

from __future__ import annotations

from typing import Any, Final

from tapwatt.ocpp.commands import Command, CommandAnswer
from tapwatt.ocpp.mend import UnableToRead, UnableToWrite, read, write
from tapwatt.ocpp.messages import Acknowledged, Answer, StationMessage, StopAnswered, Unreadable
from tapwatt.ocpp.timestamps import UnableToWriteTime
from tapwatt.ocpp.v16.csms import COMMAND_ROWS
from tapwatt.ocpp.v16.station import STATION_ROWS
from tapwatt.ocpp.v16.words import Row
from tapwatt.rpc.messages import Fault

SUBPROTOCOL: Final = "ocpp1.6"
BILLING: Final = frozenset({"StartTransaction", "MeterValues", "StopTransaction"})
"""Actions that are never answered with a CALLERROR: the station would throw the message away."""

_messages = {row.action: row for row in STATION_ROWS}
_commands = {row.action: row for row in COMMAND_ROWS}
_row_of_message = {row.meaning: row for row in STATION_ROWS}
_row_of_command = {row.meaning: row for row in COMMAND_ROWS}

FROM_STATION: Final = frozenset(_messages)
FROM_CSMS: Final = frozenset(_commands)
KNOWN: Final = (FROM_STATION | FROM_CSMS) | {
    "CancelReservation",
    "CertificateSigned",
    "ClearChargingProfile",
    "DeleteCertificate",
    "ExtendedTriggerMessage",
    "GetCompositeSchedule",
    "GetInstalledCertificateIds",
    "GetLocalListVersion",
    "GetLog",
    "InstallCertificate",
    "LogStatusNotification",
    "ReserveNow",
    "SecurityEventNotification",
    "SendLocalList",
    "SetChargingProfile",
    "SignCertificate",
    "SignedFirmwareStatusNotification",
    "SignedUpdateFirmware",
}
"""Every action of 1.6 and its security extension: what is not here is NotImplemented."""


def encode_message(message: StationMessage) -> tuple[str, bytes]:
    """Action and payload of what a station sends."""
    row = _row_for(_row_of_message, message)
    return row.action, _written(row.write, message)


def decode_message(action: str, payload: bytes) -> StationMessage:
    """What a station sent."""
    row = _messages.get(action)
    if row is None:
        raise UnableToRead(Fault.NOT_IMPLEMENTED, f"{action[:40]} is not for a CSMS")
    message: StationMessage = row.read(read(row.asked, payload))
    return message


def encode_answer(message: StationMessage, answer: Answer) -> bytes:
    """The payload that answers `message`; an unreadable billing message is answered by its action."""
    row = _messages[message.action] if isinstance(message, Unreadable) else _row_for(_row_of_message, message)
    if row.action == "StopTransaction" and isinstance(answer, Acknowledged):
        answer = StopAnswered()
    return _written(row.write_answer, answer)


def decode_answer(message: StationMessage, payload: bytes) -> Answer:
    """What the CSMS answered to `message`."""
    row = _row_for(_row_of_message, message)
    answer: Answer = row.read_answer(read(row.answered, payload))
    return answer


def encode_command(command: Command) -> tuple[str, bytes]:
    """Action and payload of what a CSMS asks."""
    row = _row_for(_row_of_command, command)
    return row.action, _written(row.write, command)


def decode_command(action: str, payload: bytes) -> Command:
    """What a CSMS asked."""
    row = _commands.get(action)
    if row is None:
        raise UnableToRead(Fault.NOT_IMPLEMENTED, f"{action[:40]} is not for a station")
    asked = read(row.asked, payload)
    try:
        command: Command = row.read(asked)
    except KeyError as problem:
        raise UnableToRead(Fault.PROPERTY_CONSTRAINT_VIOLATION, f"{problem} is not known") from None
    return command


def encode_command_answer(command: Command, answer: CommandAnswer) -> bytes:
    """The payload that answers `command`."""
    return _written(_row_for(_row_of_command, command).write_answer, answer)


def decode_command_answer(command: Command, payload: bytes) -> CommandAnswer:
    """What the station answered to `command`."""
    row = _row_for(_row_of_command, command)
    answer: CommandAnswer = row.read_answer(read(row.answered, payload))
    return answer


def _row_for(rows: dict[type[Any], Row], value: object) -> Row:
    row = rows.get(type(value))
    if row is None:
        raise UnableToWrite(f"OCPP 1.6 cannot say {type(value).__name__}")
    return row


def _written(step: Any, value: object) -> bytes:
    """A wrong kind of answer is our own mistake and has the same name as any other."""
    try:
        return write(step(value))
    except (UnableToWriteTime, AttributeError) as problem:
        raise UnableToWrite(f"{type(value).__name__}: {problem}") from problem
