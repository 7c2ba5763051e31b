"""The platform's wires as its performers see them: edges by terminal, stations by station, with what goes
wrong said in the performers' words."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tapwatt.core import effects
from tapwatt.core.effects import MoneyEffect
from tapwatt.core.energy import show_kwh
from tapwatt.core.money import show, to_major
from tapwatt.ocpp import commands
from tapwatt.ocpp.link import StationServer
from tapwatt.ocpp.mend import UnableToWrite
from tapwatt.ocpp.protocol import NotAllowedYet
from tapwatt.ocpp.v16 import costs
from tapwatt.platform import places, station_commands
from tapwatt.platform.performers import NoAnswer, Refused, Unreachable
from tapwatt.rpc.messages import CallFailed, NotConnected
from tapwatt.rpc.messages import NoAnswer as RpcNoAnswer
from tapwatt.store import Database
from tapwatt.uplink.link import EdgeServer
from tapwatt.uplink.messages import Ask, FromPlatform, Operate, OperationKind, Show

T = TypeVar("T")

KINDS: dict[type[MoneyEffect], OperationKind] = {
    effects.Authorise: OperationKind.PREAUTHORISE,
    effects.Increase: OperationKind.INCREASE,
    effects.Capture: OperationKind.CAPTURE,
    effects.Release: OperationKind.RELEASE,
    effects.Refund: OperationKind.REFUND,
}


class EdgeWire:
    """The edges as the performers see them: by terminal."""

    def __init__(self, server: EdgeServer, database: Database, timeout_s: float) -> None:
        self._server = server
        self._database = database
        self._timeout_s = timeout_s

    async def operate(self, effect: MoneyEffect, *, deadline_ms: int) -> None:
        """Have an operation recorded at the edge."""
        kind = KINDS.get(type(effect))
        if kind is None:
            raise Refused(f"a terminal cannot {type(effect).__name__.lower()}")
        await self._call(
            effect.terminal_id or "",
            Operate(
                key=effect.key,
                kind=kind,
                terminal_id=effect.terminal_id or "",
                amount_minor=effect.amount_minor,
                hold_minor=effect.hold_minor,
                currency=effect.currency,
                reference=effect.reference,
                receipt=effect.receipt or "",
                trace=effect.trace or "",
                tid=effect.tid or "",
                deadline_ms=deadline_ms,
            ),
        )

    async def ask(self, *, terminal_id: str, key: str) -> None:
        """Have the edge say again what became of an operation."""
        await self._call(terminal_id, Ask(key=key))

    async def show(self, *, terminal_id: str, lines: tuple[str, ...], seconds: int) -> None:
        """Show text to the driver."""
        await self._call(terminal_id, Show(terminal_id=terminal_id, lines=lines, seconds=seconds))

    async def _call(self, terminal_id: str, message: FromPlatform) -> None:
        row = await self._database.read(lambda tx: tx.one(places.FIND_TERMINAL, terminal_id=terminal_id))
        if row is None:
            raise Refused(f"terminal {terminal_id} is not registered")
        answer = await _translated(lambda: self._server.call(row.edge_id, message, timeout_s=self._timeout_s))
        if not answer.accepted:
            raise Refused(answer.reason)


class StationWire:
    """The stations as the performers see them."""

    def __init__(self, server: StationServer, timeout_s: float) -> None:
        self._server = server
        self._timeout_s = timeout_s

    async def start(self, *, station_id: str, evse_id: int, id_token: str) -> bool:
        """Ask for a start."""
        return await self._call(station_id, commands.StartRequested(id_token=id_token, evse_id=evse_id))

    async def stop(self, *, station_id: str, transaction_id: str) -> bool:
        """Ask for a stop."""
        return await self._call(station_id, commands.StopRequested(transaction_id=transaction_id))

    async def read(self, *, station_id: str, evse_id: int) -> bool:
        """Ask for a meter reading now."""
        return await self._call(
            station_id, commands.Trigger(message=commands.TriggerKind.METER, evse_id=evse_id)
        )

    async def show_cost(self, cost: effects.SendCost) -> None:
        """Tell the station's display what the charge costs, or has cost."""
        amount = to_major(cost.amount_minor, currency=cost.currency)
        if cost.final:
            text = f"{show(cost.amount_minor, currency=cost.currency)}, {show_kwh(cost.energy_wh)} kWh"
            message = costs.final_cost(transaction_id=cost.transaction_id, cost=amount, text=text)
        else:
            message = costs.running_cost(
                transaction_id=cost.transaction_id,
                cost=amount,
                register_wh=cost.register_wh,
                at_ms=cost.read_ms,
            )
        await self._call(cost.station_id, message)

    async def trigger(self, station_id: str, message: commands.TriggerKind) -> bool:
        """Ask for a message now."""
        return await self._call(station_id, commands.Trigger(message=message))

    async def send(self, station_id: str, command: commands.Command) -> commands.CommandAnswer:
        """Bring an operator's command to a station. Raises UnableToCommand."""
        try:
            return await self._server.command(station_id, command, timeout_s=self._timeout_s)
        except (NotConnected, NotAllowedYet) as error:
            raise station_commands.NotThere(str(error)) from error
        except UnableToWrite as error:
            raise station_commands.SenselessCommand(str(error)) from error
        except CallFailed as error:
            raise station_commands.Refused(f"{station_id} answers with an error: {error}") from error
        except RpcNoAnswer as error:
            raise station_commands.Silent(f"{station_id}: {error}") from error

    async def _call(self, station_id: str, command: commands.Command) -> bool:
        try:
            answer = await _translated(
                lambda: self._server.command(station_id, command, timeout_s=self._timeout_s)
            )
        except (CallFailed, NotAllowedYet):
            # A CALLERROR is an answer, and a station that may not work yet is not asked: it is not done.
            return False
        return (
            isinstance(answer, commands.CommandAnswered) and answer.status == commands.CommandStatus.ACCEPTED
        )


async def _translated(call: Callable[[], Awaitable[T]]) -> T:
    """Say what went wrong on a wire in the performers' words."""
    try:
        return await call()
    except NotConnected as error:
        raise Unreachable(str(error)) from error
    except RpcNoAnswer as error:
        raise NoAnswer(str(error)) from error
