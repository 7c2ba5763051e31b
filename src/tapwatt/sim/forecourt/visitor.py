"""The visitor: takes the site over from the drivers who come by themselves, plugs in, taps, stops, leaves.

Only hands: whatever follows is done by station, terminal and the programs behind them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tapwatt.ocpp.messages import TokenStatus
from tapwatt.sim import books
from tapwatt.sim.bell import LOOK_AT_LEAST_S
from tapwatt.sim.books import PaymentState
from tapwatt.sim.car import Car
from tapwatt.sim.card import Medium as Held
from tapwatt.sim.forecourt.facts import Stay
from tapwatt.sim.forecourt.media import Medium, medium_of

if TYPE_CHECKING:
    from tapwatt.sim.site import Device, Site
    from tapwatt.sim.station import Station
    from tapwatt.sim.visits import Visits

LEASE_S: Final = 600.0
"""A visitor who has done nothing for so long has left; drivers come again."""
TAPS: Final = 4
TAKEN_WITHIN_S: Final = 25.0
NOTICED_WITHIN_S: Final = 4.0
CAR: Final = Car(target_wh=2_000, max_power_w=150_000)
"""Slow enough to be watched: some fifty seconds."""
_PENDING: Final = (PaymentState.SENT, PaymentState.OPEN, PaymentState.REVERSING)


class Visitor:
    """One pair of hands at the site."""

    def __init__(self, site: Site, station: Station, device: Device, visits: Visits) -> None:
        self.notice = ""
        self.holding = ""
        self.driving = False
        self.chosen_evse = min(station.connectors)
        self.chosen: Medium | None = None
        self._site = site
        self._station = station
        self._device = device
        self._visits = visits
        self._stay: Stay | None = None
        self._tapping: asyncio.Task[None] | None = None
        self._lease: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> bool:
        """Whether a driver who came by himself is still here."""
        return self._visits.somebody_here

    def stay(self) -> Stay | None:
        """The visit on show: the visitor's, else the one that goes on by itself or was last."""
        if self.driving and (self._stay is not None or not self.busy):
            return self._stay
        newest = self._visits.newest
        if newest is None:
            return None
        plan = newest.plan
        return Stay(
            evse_id=plan.evse_id,
            since_ms=newest.since_ms,
            medium=medium_of(card=plan.card, uid=plan.id_token),
            over=newest.ended is not None,
        )

    # --- whose turn it is

    def take_over(self) -> None:
        """Let nobody come by himself any more."""
        if not self.driving:
            self._stay, self.notice = None, ""
            self._spawn(self._hurry())
        self.driving = True
        self._visits.hold_back()
        self._prolong()

    async def _hurry(self) -> None:
        """Whoever charges now has enough: two cars at one terminal with the same card confuse everybody."""
        while self.busy:
            if self.driving and self._visits.newest is not None:
                self._station.car_stops(self._visits.newest.plan.evse_id)
            await self._site.bell.heard(LOOK_AT_LEAST_S)

    def hand_back(self) -> None:
        """Let drivers come again."""
        self.driving, self.notice = False, ""
        self._visits.let_come()
        if self._lease is not None:
            self._lease.cancel()
            self._lease = None

    def _prolong(self) -> None:
        if self._lease is not None:
            self._lease.cancel()
        self._lease = asyncio.get_running_loop().call_later(LEASE_S, self._left)

    def _left(self) -> None:
        self._spawn(self.pull())
        self.hand_back()

    # --- what hands do

    async def act(self, what: str, evse_id: int, medium: Medium | None, on: frozenset[str]) -> None:
        """Plug, tap, stop or pull; `on` are the switches that are on. What is refused is said in `notice`."""
        self.take_over()
        self.notice = ""
        self.chosen_evse, self.chosen = evse_id, medium
        if self.busy:
            return
        if what == "plug":
            await self._plug(evse_id, on)
        elif what == "tap":
            await self._tap(evse_id, medium, on)
        elif what == "stop":
            if not await self._station.press_stop(self._at(evse_id)):
                self.notice = "Nothing charges at this connector."
        elif not await self.pull():
            self.notice = "None of your cars is plugged in."
        self._site.bell.ring()

    def broke(self, key: str) -> None:
        """A switch was flipped during the visit."""
        if self._stay is not None and not self._stay.over and key not in self._stay.broken:
            self._stay = replace(self._stay, broken=(*self._stay.broken, key))

    async def pull(self) -> bool:
        """Pull the plug of the visitor's car; False where there is none."""
        stay = self._stay
        if stay is None or not await self._station.unplug(stay.evse_id):
            return False
        self._stay = replace(self._stay or stay, over=True)
        return True

    def _at(self, evse_id: int) -> int:
        return self._stay.evse_id if self._stay is not None else evse_id

    async def _plug(self, evse_id: int, on: frozenset[str]) -> None:
        if self._plugged():
            self.notice = "Your car is plugged in already. Pull the plug first."
        elif self._station.connectors[evse_id].car is not None:
            self.notice = f"Connector {evse_id} is taken. Choose the other one."
        else:
            if not await self._goes_on() or self._at(evse_id) != evse_id:
                self._begin(evse_id, on)
            await self._station.plug(evse_id, CAR)

    async def _tap(self, evse_id: int, medium: Medium | None, on: frozenset[str]) -> None:
        if medium is None:
            self.notice = "Choose a card or a tag first."
            return
        if self._tapping is not None and not self._tapping.done():
            self.notice = "You are holding something to the reader already."
            return
        if not self._plugged() and not await self._goes_on():
            self._begin(evse_id, on)
        if self._stay is not None:
            self._stay = replace(self._stay, medium=medium, tag_answer="")
        self._tapping = self._spawn(self._hold(medium))

    def _begin(self, evse_id: int, on: frozenset[str]) -> None:
        self._stay = Stay(evse_id=evse_id, since_ms=self._site.now_ms(), broken=tuple(sorted(on)))

    def _plugged(self) -> bool:
        stay = self._stay
        return stay is not None and not stay.over and self._station.connectors[stay.evse_id].car is not None

    async def _goes_on(self) -> bool:
        """Whether the visit begun by a tap still waits for its car."""
        stay = self._stay
        if stay is None or stay.over:
            return False
        now_ms = self._site.now_ms()
        payments = await self._site.database.read(lambda tx: books.between(tx, stay.since_ms, now_ms))
        return not payments or payments[-1].state in _PENDING

    # --- a medium at a reader

    async def _hold(self, medium: Medium) -> None:
        self.holding = medium.title
        self._site.bell.ring()
        try:
            await (self._hold_tag(medium.uid) if medium.uid else self._hold_card(medium))
        finally:
            self.holding = ""
            self._site.bell.ring()

    async def _hold_tag(self, uid: str) -> None:
        if self._stay is None:
            return
        status = await self._station.present_tag(self._stay.evse_id, uid)
        if status is None:
            self.notice = "Nobody answers for the tag: the station’s line is down."
        elif self._stay is not None:
            refused = status is not TokenStatus.ACCEPTED
            self._stay = replace(self._stay, tag_answer=str(status) if refused else "accepted")

    async def _hold_card(self, medium: Medium) -> None:
        for _ in range(TAPS):
            before = await self._seen()
            if not await self._device.reader.present(Held(card=medium.card), TAKEN_WITHIN_S):
                self.notice = "The terminal reads no card now."
                return
            self._site.bell.ring()

            async def noticed(before: tuple[object, ...] = before) -> bool | None:
                return True if await self._seen() != before else None

            if await self._site.bell.until_found(noticed, NOTICED_WITHIN_S):
                return
        self.notice = "The terminal took the card, and nothing came of it."

    async def _seen(self) -> tuple[object, ...]:
        """What a driver looks at to see whether the tap did something."""
        now_ms = self._site.now_ms()
        payments = await self._site.database.read(lambda tx: books.between(tx, now_ms - 600_000, now_ms))
        charging = tuple(each.charge is not None for each in self._station.connectors.values())
        return len(payments), charging, self._device.terminal.shown

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[None]:
        return self._station.spawn(work)
