"""Who performs an effect: the ledger of accounts, the edge at the terminal, or the node holding the station's
socket.

A performer answers with the next event, or with None when that event will come from the party itself. It
raises `TryAgain` when nothing is known yet; what a repeat means is decided here, per wire (law 5).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from tapwatt.core import effects, events
from tapwatt.core.effects import Leader
from tapwatt.core.session import Session
from tapwatt.engine import TryAgain
from tapwatt.platform import accounts
from tapwatt.platform.sessions import Event
from tapwatt.store import Database

RETRY_S = 1.0


class Unreachable(Exception):
    """The party is not connected: nothing was sent."""


class NoAnswer(Exception):
    """It was sent and nobody answered: the outcome is unknown."""


class Refused(Exception):
    """The party answered that it will not; the text says why."""


class EdgeCalls(Protocol):
    """The edge agents, by terminal. All may raise Unreachable, NoAnswer or Refused."""

    async def operate(self, effect: effects.MoneyEffect, *, deadline_ms: int) -> None:
        """Have an operation recorded at the edge; its outcome comes back by itself."""

    async def ask(self, *, terminal_id: str, key: str) -> None:
        """Have the edge find out what became of an operation and say so again."""

    async def show(self, *, terminal_id: str, lines: tuple[str, ...], seconds: int) -> None:
        """Show text to the driver."""


class StationCalls(Protocol):
    """The stations, by id. All may raise Unreachable or NoAnswer; the answer says whether the station
    will."""

    async def start(self, *, station_id: str, evse_id: int, id_token: str) -> bool:
        """Ask for a start."""

    async def stop(self, *, station_id: str, transaction_id: str) -> bool:
        """Ask for a stop."""

    async def read(self, *, station_id: str, evse_id: int) -> bool:
        """Ask for a meter reading now."""

    async def show_cost(self, cost: effects.SendCost) -> None:
        """Tell the station's display what the charge costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performers:
    """Performs the effects of sessions; the engine calls it."""

    database: Database
    edges: EdgeCalls
    stations: StationCalls
    load: Callable[[str], Awaitable[Session | None]]
    screen: Callable[[str, tuple[str, ...]], Awaitable[None]]
    now_ms: Callable[[], int]
    receipt_link: Callable[[str], Awaitable[str | None]]
    """The address of a session's receipt; None where there is none, or nobody serves it."""

    async def __call__(self, session_id: str, effect: effects.Effect, repeated: bool) -> Event | None:
        """Perform one effect of a session."""
        match effect:
            case effects.StartCharging():
                return await self._start(session_id, effect, repeated)
            case effects.StopCharging():
                return await self._stop(effect)
            case effects.AskReading():
                await self._read(effect)
                return None
            case effects.SendCost():
                await self._cost(effect)
                return None
            case effects.ShowOnTerminal():
                await self._show(session_id, effect)
                return None
            case effects.MoneyEffect() if effect.leader is Leader.ACCOUNT:
                return await self._account(session_id, effect)
            case effects.MoneyEffect() if effect.leader is Leader.TERMINAL:
                return await self._terminal(session_id, effect)
            case _:
                raise ValueError(f"nobody performs {type(effect).__name__} of session {session_id}")

    async def _account(self, session_id: str, effect: effects.MoneyEffect) -> Event:
        state = await self.load(session_id)
        if state is None:
            raise LookupError(f"session {session_id} is gone")
        return await self.database.write(
            lambda tx: accounts.perform(
                tx, operator_id=state.operator_id, effect=effect, now_ms=self.now_ms()
            )
        )

    async def _terminal(self, session_id: str, effect: effects.MoneyEffect) -> Event | None:
        try:
            if isinstance(effect, effects.Ask):
                await self.edges.ask(terminal_id=effect.terminal_id or "", key=effect.key)
            else:
                await self.edges.operate(effect, deadline_ms=await self._deadline(session_id))
        except (Unreachable, NoAnswer) as error:
            # The edge keeps operations by key, so sending the same one again is safe.
            raise TryAgain(str(error), after_s=RETRY_S) from error
        except Refused as error:
            if isinstance(effect, effects.Authorise):
                return events.NotSent(at_ms=self.now_ms(), key=effect.key, text=str(error))
            if isinstance(effect, effects.Refund):
                # The card is gone with its driver: a terminal that will not do it will not do it later.
                return events.RefundRefused(at_ms=self.now_ms(), key=effect.key, text=str(error))
            raise TryAgain(str(error), after_s=5 * RETRY_S) from error
        return None

    async def _deadline(self, session_id: str) -> int:
        """When an authorisation stops being of use: the edge refuses to begin it later. Now, if nobody
        waits."""
        state = await self.load(session_id)
        if state is None or state.deadline_ms is None:
            return self.now_ms()
        return state.deadline_ms

    async def _start(self, session_id: str, effect: effects.StartCharging, repeated: bool) -> Event:
        state = await self.load(session_id)
        if state is None or state.state != "starting":
            return events.StartUncertain(at_ms=self.now_ms(), text="nobody wants the start any more")
        try:
            accepted = await self.stations.start(
                station_id=effect.station_id, evse_id=effect.evse_id, id_token=effect.id_token
            )
        except Unreachable as error:
            raise TryAgain(str(error), after_s=RETRY_S) from error
        except NoAnswer as error:
            return events.StartUncertain(at_ms=self.now_ms(), text=str(error))
        if accepted:
            return events.StartAccepted(at_ms=self.now_ms())
        if repeated:
            # The station may be refusing because it is already starting what the first request asked for.
            return events.StartUncertain(at_ms=self.now_ms(), text="refused on a repeat")
        return events.StartRefused(at_ms=self.now_ms(), text="the station refused to start")

    async def _stop(self, effect: effects.StopCharging) -> Event:
        try:
            accepted = await self.stations.stop(
                station_id=effect.station_id, transaction_id=effect.transaction_id
            )
        except (Unreachable, NoAnswer) as error:
            # A stop may be asked twice: the station refuses the second, and its own stop message decides.
            raise TryAgain(str(error), after_s=RETRY_S) from error
        if accepted:
            return events.StopAccepted(at_ms=self.now_ms())
        return events.StopRefused(at_ms=self.now_ms(), text="the station refused to stop")

    async def _read(self, effect: effects.AskReading) -> None:
        try:
            await self.stations.read(station_id=effect.station_id, evse_id=effect.evse_id)
        except (Unreachable, NoAnswer):
            # The session waits for the reading itself, not for this answer, and stops without it.
            return

    async def _cost(self, effect: effects.SendCost) -> None:
        try:
            await self.stations.show_cost(effect)
        except (Unreachable, NoAnswer):
            # A display is best effort: the next cost is newer, and the receipt is what counts.
            return

    async def _show(self, session_id: str, effect: effects.ShowOnTerminal) -> None:
        link = await self.receipt_link(session_id) if effect.with_receipt else None
        lines = effect.lines if link is None else (*effect.lines, link)
        await self.screen(effect.terminal_id, lines)
        try:
            await self.edges.show(terminal_id=effect.terminal_id, lines=lines, seconds=effect.seconds)
        except (Unreachable, NoAnswer, Refused):
            # Text is best effort: an old line shown late would only mislead.
            return
