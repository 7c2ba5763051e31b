"""Faults of the moment: cables, silence, power, clocks. One comes about every so many seconds, by seed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from tapwatt.sim.faults import Faults
from tapwatt.sim.world.faults import PROGRAMS

if TYPE_CHECKING:
    from tapwatt.sim.world.world import World


class Moments:
    """Makes things go wrong until it is cancelled."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._chance = world.chance
        settings = world.settings
        self._ports: dict[int, str] = {
            settings.ocpp_port: "station and platform",
            settings.edge_port: "edge and platform",
            settings.terminal_port: "edge and terminal",
            settings.gateway_port: "terminal and gateway",
            settings.acquirer_port: "gateway and acquirer",
            settings.scheme_port: "acquirer and scheme",
            settings.issuer_port: "scheme and issuer",
        }

    async def happen(self) -> None:
        """One after another."""
        every_s, wanted = self._world.weather.every_s, self._world.weather.kinds
        if every_s is None:
            return
        kinds = [fault for name, fault in self._kinds() if not wanted or name in wanted]
        while True:
            await asyncio.sleep(self._chance.expovariate(1.0 / every_s))
            self._chance.choice(kinds)()

    def _kinds(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        """By the names that the story has; what is there twice comes twice as often."""
        return (
            ("connection reset", self._cut),
            ("half-open", self._half_open),
            ("hung up", self._hung_up),
            ("unplugged", self._unplugged),
            ("slow", self._slow),
            ("slow", self._slow),
            ("silent issuer", self._silent_issuer),
            ("station off line", self._station_away),
            ("power loss", self._power_loss),
            ("no room", self._disk_full),
            ("killed", self._killed),
            ("clock jump", self._clock_jump),
            ("device", self._device),
        )

    def _port(self) -> tuple[int, str]:
        port = self._chance.choice(tuple(self._ports))
        return port, self._ports[port]

    def _cut(self) -> None:
        port, between = self._port()
        for wire in self._world.network.between(port):
            wire.reset()
        self._world.story.fault("connection reset", "wire", between)

    def _half_open(self) -> None:
        port, between = self._port()
        for wire in self._world.network.between(port):
            wire.go_half_open()
        self._world.story.fault("half-open", "wire", between)

    def _hung_up(self) -> None:
        """A line is slow, and given up before it delivers: that arrives beside what the next line brings."""
        port, between = self._port()
        seconds = self._chance.choice((2.0, 8.0, 30.0))
        after_s = seconds * self._chance.uniform(0.1, 0.9)
        for wire in self._world.network.between(port):
            wire.hold(self._world.loop.time() + seconds)
            wire.near.later(after_s, wire.hang_up)
        self._world.story.fault(
            "hung up", "wire", f"{between} after {after_s:.1f} s, late by {seconds:.0f} s"
        )

    def _unplugged(self) -> None:
        """The cable is out for a while: what was under way is lost, and nobody can dial."""
        port, between = self._port()
        seconds = self._chance.choice((5.0, 30.0, 120.0, 600.0))
        self._world.network.down_until_s[port] = self._world.loop.time() + seconds
        for wire in self._world.network.between(port):
            wire.go_half_open()
        self._world.story.fault("unplugged", "wire", f"{between} for {seconds:.0f} s")

    def _slow(self) -> None:
        port, between = self._port()
        self._hold(port, between, self._chance.choice((2.0, 8.0, 15.0, 35.0)))

    def _silent_issuer(self) -> None:
        """It answers nobody for a while; late: it has decided, and says so when everybody has given up."""
        seconds, late = self._chance.choice((13.0, 25.0, 40.0)), self._chance.random() < 0.7
        self._world.silence.begin(seconds, late=late)
        what = "late approvals" if late else "no answers"
        self._world.story.fault("silent issuer", "issuer", f"{what} for {seconds:.0f} s")

    def _hold(self, port: int, between: str, seconds: float) -> None:
        for wire in self._world.network.between(port):
            wire.hold(self._world.loop.time() + seconds)
        self._world.story.fault("slow", "wire", f"{between}: everything {seconds:.0f} s late")

    def _station_away(self) -> None:
        """The station has no line for long: what it has to tell arrives when nobody waits any more."""
        port = self._world.settings.ocpp_port
        seconds = self._chance.choice((70.0, 100.0, 900.0, 7_200.0))
        self._world.network.down_until_s[port] = self._world.loop.time() + seconds
        for wire in self._world.network.between(port):
            wire.reset()
        self._world.story.fault("station off line", "wire", f"for {seconds:.0f} s")

    def _device(self) -> None:
        """The station or the terminal misbehaves for a while, as real ones do."""
        faults, seconds = self._world.site_faults, self._chance.choice((5.0, 20.0, 70.0))
        heal(faults)
        name, value = self._chance.choice(DEVICE)
        setattr(faults, name, value)
        self._world.loop.call_later(seconds, heal, faults)
        self._world.story.fault("device", "site", f"{name.replace('_', ' ')} for {seconds:.0f} s")

    def _power_loss(self) -> None:
        self._end("site", "power loss", silently=True)

    def _disk_full(self) -> None:
        name, seconds = self._chance.choice(PROGRAMS), self._chance.choice((1.0, 5.0, 20.0))
        self._world.full_until_s[name] = self._world.loop.time() + seconds
        self._world.story.fault("no room", name, f"on its disk for {seconds:.0f} s")

    def _killed(self) -> None:
        self._end(self._chance.choice(PROGRAMS), "killed", silently=self._chance.random() < 0.5)

    def _end(self, name: str, kind: str, *, silently: bool) -> None:
        life = self._world.lives[name]
        if life.alive:
            self._world.story.fault(kind, name)
            self._world.crash(life, silently=silently)

    def _clock_jump(self) -> None:
        life = self._world.lives[self._chance.choice(CLOCKS)]
        jump_ms = self._chance.choice((-2_000, 2_000, -60_000, 60_000))
        life.skew_ms += jump_ms
        self._world.story.fault("clock jump", life.name, f"by {jump_ms / 1000:+.0f} s")


def heal(faults: Faults) -> None:
    """Station and terminal are in order again."""
    for name, value in asdict(Faults()).items():
        setattr(faults, name, value)


DEVICE: Final[tuple[tuple[str, object], ...]] = (
    ("refuse_start", True),
    ("never_start", True),
    ("late_start_s", 30.0),
    ("late_start_s", 75.0),
    ("terminal_mute", True),
    ("terminal_restarts", True),
    ("cut_before_completion", True),
    ("cut_before_completion", True),
)
CLOCKS: Final = ("platform", "edge", "gateway", "acquirer", "scheme", "issuer")
"""Whose clocks jump. The site's stays right: its driver finds a visit's slips by their time."""
