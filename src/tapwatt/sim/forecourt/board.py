"""The board of switches: carries them out on the real programs, and puts each back after two minutes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

import structlog

from tapwatt.settings import Settings
from tapwatt.sim.forecourt import disk
from tapwatt.sim.forecourt.parties import Parties
from tapwatt.sim.forecourt.switches import ON_FOR_S, REBOOT_S, SWITCHES, Kind, Switch

if TYPE_CHECKING:
    from tapwatt.sim.site import Site

PLATFORM: Final = "platform"

log = structlog.get_logger("tapwatt.sim")


class UnableToSwitch(Exception):
    """The switch cannot be used here; the message is the reason."""


class Board:
    """What is switched on now."""

    def __init__(self, site: Site, settings: Settings, parties: Parties) -> None:
        self._site = site
        self._settings = settings
        self._parties = parties
        self._on: dict[str, asyncio.TimerHandle] = {}
        self._works: set[asyncio.Task[None]] = set()
        self._cables = False

    @property
    def on(self) -> frozenset[str]:
        """The keys of the switches that are on."""
        return frozenset(self._on)

    async def look(self) -> None:
        """See whether there are cables here."""
        self._cables = bool(await self._parties.get("cables", "/api/v1/cables"))

    def out_of_reach(self) -> dict[str, str]:
        """Switches that cannot be used here, and why."""
        reasons: dict[Kind, str] = {}
        if not self._cables:
            reasons[Kind.LINE] = "Only where cables are laid: tapwatt demo lays them."
        if not self._settings.database_url(PLATFORM).startswith("sqlite"):
            reasons[Kind.DISK] = "The platform keeps its rows in a database server, whose disk is not ours."
        return {each.key: reasons[each.kind] for each in SWITCHES if each.kind in reasons}

    async def flip(self, switch: Switch, *, on: bool, unplug: Callable[[], Awaitable[None]]) -> None:
        """Switch one thing on or off; `unplug` pulls the plug of the visit. Raises UnableToSwitch."""
        if switch.kind is Kind.UNPLUG:
            await unplug()
        elif switch.kind is Kind.REBOOT:
            self._work(self._reboot())
        else:
            await self._set(switch, on=on)
            self._remember(switch, on=on)
        self._site.bell.ring()

    async def close(self) -> None:
        """Leave nothing broken behind."""
        for key in tuple(self._on):
            await self._put_back(next(each for each in SWITCHES if each.key == key))
        for task in self._works:
            task.cancel()

    def _remember(self, switch: Switch, *, on: bool) -> None:
        if (timer := self._on.pop(switch.key, None)) is not None:
            timer.cancel()
        if on:
            loop = asyncio.get_running_loop()
            self._on[switch.key] = loop.call_later(ON_FOR_S, lambda: self._work(self._put_back(switch)))

    async def _put_back(self, switch: Switch) -> None:
        self._remember(switch, on=False)
        try:
            await self._set(switch, on=False)
        except UnableToSwitch as error:
            log.warning("a switch could not be put back", switch=switch.key, reason=str(error))
        self._site.bell.ring()

    async def _set(self, switch: Switch, *, on: bool) -> None:
        seconds = float(ON_FOR_S)
        match switch.kind:
            case Kind.LINE:
                order = {"cable": switch.key, "seconds": seconds if on else 0}
                if not await self._parties.post("cables", "/api/v1/cables", order):
                    raise UnableToSwitch("There are no cables here: tapwatt demo lays them.")
            case Kind.SILENCE:
                wish = {"seconds": seconds if on else None}
                if not await self._parties.post("issuer", "/sandbox/silence", wish):
                    raise UnableToSwitch("The issuer does not answer.")
            case Kind.FAULT:
                setattr(self._site.faults, switch.key, on)
            case Kind.DISK:
                try:
                    (disk.fill if on else disk.make_room)(self._settings.data, PLATFORM)
                except disk.UnableToFill as error:
                    raise UnableToSwitch(f"It cannot be done here: {error}.") from error

    async def _reboot(self) -> None:
        device = self._site.device
        if device is None:
            return
        await device.gateway.stop()
        await device.terminal.reboot()
        self._site.bell.ring()
        await asyncio.sleep(REBOOT_S)
        await device.gateway.start()

    def _work(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._works.add(task)
        task.add_done_callback(self._works.discard)
