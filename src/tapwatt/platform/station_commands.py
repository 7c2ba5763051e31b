"""An operator's commands to a station, in OCPP's own words: read strictly, sent, and the answer kept.

Sending is the node's that holds the station's socket; it is given from outside and says what went wrong in
the exceptions below.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tapwatt.ocpp import v16
from tapwatt.ocpp.commands import Command, CommandAnswer, CommandAnswered, CommandStatus
from tapwatt.ocpp.mend import UnableToRead
from tapwatt.ocpp.schemas import classify
from tapwatt.platform import upkeep
from tapwatt.store import Database

Json = dict[str, Any]
Send = Callable[[str, Command], Awaitable[CommandAnswer]]


class UnableToCommand(Exception):
    """The command was not carried out; the sentence says why."""


class NoSuchStation(UnableToCommand):
    """The operator has no station of that name."""


class SenselessCommand(UnableToCommand):
    """Action or payload are not what the standard allows; nothing was sent."""


class NotThere(UnableToCommand):
    """The station is not connected, or may not be commanded yet; nothing was sent."""


class Refused(UnableToCommand):
    """The station answered with an error of the protocol."""


class Silent(UnableToCommand):
    """The station did not answer in time; whether it acted is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationCommands:
    """Takes commands for the stations of one operator."""

    database: Database
    operator_id: str
    send: Send
    now_ms: Callable[[], int]

    async def perform(self, station_id: str, action: str, payload: Json) -> Json:
        """Send a command and give the station's answer, in OCPP's words. Raises UnableToCommand."""
        owned = {"operator_id": self.operator_id, "station_id": station_id}
        row = await self.database.read(lambda tx: tx.one(upkeep.ONE_STATION, **owned))
        if row is None:
            raise NoSuchStation(f"there is no station {station_id}")
        command = read_command(action, payload)
        answer = await self.send(station_id, command)
        at_ms = self.now_ms()
        await self.database.write(
            lambda tx: upkeep.answered(tx, **owned, command=command, answer=answer, at_ms=at_ms)
        )
        return write_answer(command, answer)


def read_command(action: str, payload: Json) -> Command:
    """The command that an action and its payload are. Raises SenselessCommand."""
    if action not in v16.FROM_CSMS:
        known = ", ".join(sorted(v16.FROM_CSMS))
        raise SenselessCommand(f"action {action[:40]!r} is none of {known}")
    body = json.dumps(payload).encode()
    violations = classify(action, body)
    if violations:
        raise SenselessCommand(f"{action}: {violations[0]}")
    try:
        return v16.decode_command(action, body)
    except UnableToRead as problem:
        raise SenselessCommand(f"{action}: {problem}") from problem


def write_answer(command: Command, answer: CommandAnswer) -> Json:
    """A station's answer in OCPP's words; a word that is none of them stands as the station wrote it."""
    if isinstance(answer, CommandAnswered) and answer.status is CommandStatus.UNKNOWN:
        return {"status": answer.raw}
    written: Json = json.loads(v16.encode_command_answer(command, answer))
    return written
