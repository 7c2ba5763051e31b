"""One world: seven programs, a network, disks, drivers that come, and faults; from one seed, to its end."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, cast

from sqlalchemy import MetaData

from tapwatt.hosts.issuer.silence import Silence
from tapwatt.platform.seed import sow
from tapwatt.platform.tables import METADATA as PLATFORM
from tapwatt.programs import acquirer, edge, gateway, issuer, platform, scheme
from tapwatt.programs.runtime import Runtime
from tapwatt.settings import Program, Settings
from tapwatt.sim.faults import Faults
from tapwatt.sim.site import Asked, start_site
from tapwatt.sim.world.chance import seeded
from tapwatt.sim.world.disk import Disks, Fate, WorldDatabase
from tapwatt.sim.world.faults import PROGRAMS, Weather, restart_after_s, weather
from tapwatt.sim.world.loop import EPOCH_MS, Life, WorldLoop, context_of
from tapwatt.sim.world.moments import Moments, heal
from tapwatt.sim.world.neighbour import both
from tapwatt.sim.world.network import End, Network
from tapwatt.sim.world.runtime import WorldRuntime
from tapwatt.sim.world.settled import all_settled, visits_done
from tapwatt.sim.world.story import Story

RUN: Final = "world"
LONGEST_VISIT_S: Final = 3_600.0
SETTLE_WITHIN_S: Final = 3 * 3_600.0
"""A session that found nobody to ask looks again after two hours at most."""
AFTERWARDS_S: Final = 150.0
"""What comes late comes within this: a reading, a status, a repeat."""


@dataclass(slots=True, kw_only=True)
class Ending:
    """What is left of a world: its disks, its story, and whether it came to rest."""

    seed: int
    visits: int
    disks: Disks
    story: Story
    visits_ended: bool
    settled: bool
    acknowledged: frozenset[str] = frozenset()
    """Receipt numbers of the holds whose keys the edge has acknowledged."""
    fell: list[str] = field(default_factory=list)
    """Programs that ended by themselves without a fault to blame."""


class World:
    """Everything between the first plug and the last posting."""

    def __init__(
        self, seed: int, *, visits: int, rough: Weather | None = None, settle_s: float = SETTLE_WITHIN_S
    ) -> None:
        """`settle_s`: how long after the last visit everything must be over, in virtual seconds."""
        self.seed = seed
        self.settle_s = settle_s
        self.visits = visits
        self.loop = WorldLoop()
        self.story = Story(self.loop)
        self.disks = Disks()
        self.disks.of("platform", PLATFORM).write(lambda tx: sow(tx, both(), now_ms=EPOCH_MS))
        self.full_until_s: dict[str, float] = {}
        """Whose disk is full, and how long."""
        self.chance = Random(f"{seed}/faults")
        self.weather = weather(Random(f"{seed}/weather")) if rough is None else rough
        self.network = Network(self.loop, Random(f"{seed}/network"))
        self.network.sending = self._sending
        self.loop.wires = self.network
        self.settings = _settings()
        self.site_faults = Faults()
        self.acknowledged: set[str] = set()
        self.silence = Silence(self.loop.now_ms)
        self.lives: dict[str, Life] = {}
        self.buried: list[Life] = []
        self.fell: list[str] = []
        self.unheard: list[str] = []
        self._disk_delay = Random(f"{seed}/disks")
        self._calm = False

    def run(self) -> Ending:
        """From start to rest."""
        with self.story.listening(), seeded(self.loop, str(self.seed)):
            self.loop.set_exception_handler(self._unhandled)
            try:
                ended, settled = self.loop.run_until_complete(self._lived())
            finally:
                self._bury()
        return Ending(
            seed=self.seed,
            visits=self.visits,
            disks=self.disks,
            story=self.story,
            visits_ended=ended,
            settled=settled,
            acknowledged=frozenset(self.acknowledged),
            fell=self.fell,
        )

    async def _lived(self) -> tuple[bool, bool]:
        for name in PROGRAMS:
            self.start(name)
            await asyncio.sleep(0.2)
        moments = asyncio.ensure_future(Moments(self).happen())
        ended = await self._until(visits_done, LONGEST_VISIT_S * self.visits, every_s=1.0)
        self._calm = True
        moments.cancel()
        heal(self.site_faults)
        self.silence.begin(None, late=False)
        self.network.down_until_s.clear()
        self.full_until_s.clear()
        self.story.say("world", "-- the last visit is over, no more faults")
        settled = False
        for _ in range(2):
            settled = await self._until(all_settled, self.settle_s, every_s=5.0)
            await asyncio.sleep(AFTERWARDS_S)
            if not settled or all_settled(self.disks):
                break
        return ended, settled and all_settled(self.disks)

    async def _until(self, fact: Callable[[Disks], bool], within_s: float, *, every_s: float) -> bool:
        end_s = self.loop.time() + within_s
        while self.loop.time() < end_s:
            await asyncio.sleep(every_s)
            if all(life.alive for life in self.lives.values()) and fact(self.disks):
                return True
        return False

    # --- programs

    def start(self, name: str) -> None:
        """Start a program, or start it again on its disk."""
        life = Life(name)
        self.lives[name] = life
        self.loop.create_task(self._program(life), context=context_of(life))

    async def _program(self, life: Life) -> None:
        runtime = WorldRuntime(
            cast(Program, life.name), self.settings, open_disk=lambda metadata: self._disk(life, metadata)
        )
        error: BaseException | None
        try:
            await self._starts(life.name)(runtime)
            error = await runtime.ended()
        except Exception as failure:
            error = failure
        what = f"{type(error).__name__}: {error}"
        self.story.say(life.name, f"! ended by itself: {what}")
        if not _blames_the_disk(error):
            self.fell.append(f"{life.name} ended by itself: {what}")
        self.crash(life, silently=False)

    def _starts(self, name: str) -> Callable[[Runtime], Awaitable[None]]:
        if name == "site":
            asked = Asked(run_id=RUN, visits=self.visits, seed=self.seed)
            return lambda runtime: start_site(runtime, asked, self.site_faults, self.acknowledged.add)
        if name == "issuer":
            return lambda runtime: issuer.start(runtime, self.silence)
        modules: dict[str, Any] = {
            "scheme": scheme,
            "acquirer": acquirer,
            "gateway": gateway,
            "platform": platform,
            "edge": edge,
        }
        return cast(Callable[[Runtime], Awaitable[None]], modules[name].start)

    def crash(self, life: Life, *, silently: bool) -> None:
        """End a life at once, and begin the next one some time later."""
        if not life.alive:
            return
        life.alive = False
        self.buried.append(life)
        self.network.died(life, silently=silently)
        delay_s = 1.0 if self._calm else restart_after_s(self.chance)
        self.story.say(life.name, f"is dead, comes back in {delay_s:.1f} s")
        self.loop.call_in(None, delay_s, self.start, life.name)

    # --- boundaries

    def _disk(self, life: Life, metadata: MetaData) -> WorldDatabase:
        return WorldDatabase(
            self.disks.of(life.name, metadata),
            loop=self.loop,
            life=life,
            delay_s=lambda: self._disk_delay.uniform(0.0002, 0.002),
            fate=self._fate,
            die=lambda dying: self.crash(dying, silently=False),
        )

    def _fate(self, life: Life) -> Fate:
        if self._calm:
            return Fate.GOOD
        if self.full_until_s.get(life.name, 0.0) > self.loop.time():
            self.story.fault(Fate.FULL, life.name)
            return Fate.FULL
        drawn = self.chance.random()
        if life.name not in self.weather.programs:
            return Fate.GOOD
        if drawn < self.weather.crash_at_commit:
            fate = Fate.CRASH_BEFORE if drawn < self.weather.crash_at_commit / 2 else Fate.CRASH_AFTER
        elif drawn < self.weather.crash_at_commit + self.weather.disk_full:
            fate = Fate.FULL
        else:
            return Fate.GOOD
        self.story.fault(str(fate), life.name)
        return fate

    def _sending(self, end: End) -> bool:
        if self._calm or end.life is None or self.chance.random() >= self.weather.crash_at_send:
            return True
        if end.life.name not in self.weather.programs:
            return True
        before = self.chance.random() < 0.5
        self.story.fault("crash before a send" if before else "crash after a send", end.life.name)
        # What it does until it next waits cannot be seen: its disk and its wires are dead already.
        life = end.life
        if before:
            self.crash(life, silently=False)
            return False
        self.loop.call_soon(lambda: self.crash(life, silently=False), context=context_of(None))
        return True

    # --- the end

    def _unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # Not in the story: when Python notices such a thing is its own affair.
        self.unheard.append(f"{context.get('message')}: {context.get('exception')!r}")

    def _bury(self) -> None:
        """What was cut in the middle is put away without a word and without effect."""
        for life in (*self.buried, *self.lives.values()):
            life.alive = False
        self.network.close()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for life in (*self.buried, *self.lives.values()):
                for task in life.tasks:
                    _put_away(task)
                life.tasks.clear()
        self.loop.close()


def _put_away(task: asyncio.Task[Any]) -> None:
    if task.done():
        return
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    work: Any = task.get_coro()
    for _ in range(20):
        try:
            work.close()
        except BaseException:
            continue
        break


def _blames_the_disk(error: BaseException | None) -> bool:
    while error is not None:
        if "disk is full" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _settings() -> Settings:
    """Every setting at its default, whatever the environment says."""
    fields = {
        name: field.default for name, field in Settings.model_fields.items() if field.default_factory is None
    }
    return Settings.model_construct(data=Path("world"), **fields)
