"""In-memory TCP: ordered bytes with seeded delays, refusals, cuts, half-open connections and stalls.

TCP neither repeats nor reorders inside a connection, so neither does this; repeats come, as in the field,
from parties that dial again and say it once more, reordering from a line that was given up and still delivers
beside the new one.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from random import Random
from typing import Any, Final

from tapwatt.sim.world.loop import LIFE, Life, WorldLoop, context_of

REFUSED_AFTER_S: Final = 0.001
KERNEL_GIVES_UP_S: Final = 60.0
"""A half-open connection is noticed by the kernel after this long (keep-alive, retransmission)."""


class _Socket:
    """The little that links ask a raw socket."""

    family = socket.AF_INET

    def __init__(self, own: tuple[str, int]) -> None:
        self._own = own

    def setsockopt(self, *_arguments: object) -> None:
        """No kernel, no options."""

    def getsockname(self) -> tuple[str, int]:
        """Our address."""
        return self._own


class Wire:
    """One connection: two ends and what is wrong between them."""

    def __init__(self, network: Network, dialler: Life | None, listener: Life | None, port: int) -> None:
        self.network = network
        self.port = port
        self.half_open = False
        self.held_until_s = 0.0
        number = network.number()
        near, far = ("127.0.0.1", 40_000 + number % 20_000), ("127.0.0.1", port)
        self.near = End(self, dialler, near, far)
        self.far = End(self, listener, far, near)
        self.near.other, self.far.other = self.far, self.near

    @property
    def open(self) -> bool:
        """Whether either end still believes in it."""
        return not (self.near.lost and self.far.lost)

    def go_half_open(self) -> None:
        """Nothing passes any more and nobody is told, until the kernel gives up."""
        self.half_open = True
        for end in (self.near, self.far):
            end.later(KERNEL_GIVES_UP_S, end.lose, ConnectionResetError("timed out"))

    def reset(self) -> None:
        """Both ends hear of it."""
        self.half_open = True
        for end in (self.near, self.far):
            end.later(self.network.delay_s(), end.lose, ConnectionResetError("reset"))

    def hang_up(self) -> None:
        """The dialler is off at once; the other end still hears what is under way, and then of that."""
        if not self.near.lost:
            self.near.write_eof()
            self.near.lose(ConnectionResetError("reset"))

    def hold(self, until_s: float) -> None:
        """Nothing is lost, everything is late."""
        self.held_until_s = max(self.held_until_s, until_s)


class End(asyncio.Transport):
    """One end of a wire, as asyncio's protocols see it."""

    other: End

    def __init__(self, wire: Wire, life: Life | None, own: tuple[str, int], peer: tuple[str, int]) -> None:
        super().__init__()
        self.wire = wire
        self.life = life
        self.lost = False
        self._closing = False
        self._ended = False
        self._protocol: Any = None
        self._arrives_s = 0.0
        self._paused = False
        self._kept: list[bytes] = []
        self._names = {"sockname": own, "peername": peer, "socket": _Socket(own)}

    # --- asyncio's side

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Addresses and the raw socket."""
        return self._names.get(name, default)

    def set_protocol(self, protocol: Any) -> None:
        """Who hears what arrives."""
        self._protocol = protocol

    def get_protocol(self) -> Any:
        """Who hears what arrives."""
        return self._protocol

    def is_closing(self) -> bool:
        """Whether nothing can be written any more."""
        return self._closing or self.lost

    def write(self, data: Any) -> None:
        """Send; it arrives later, or never."""
        if self.is_closing() or self._ended or not self._mine():
            return
        if not self.wire.network.sending(self):
            return
        self.pass_on(self.other.arrive, bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        """Send several."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """As TCP can."""
        return True

    def write_eof(self) -> None:
        """Close our direction."""
        if not self._ended and self._mine():
            self._ended = True
            self.pass_on(self.other.hear_end)

    def close(self) -> None:
        """Close in order: what was written still arrives."""
        if self._closing or self.lost or not self._mine():
            return
        self._closing = True
        if not self._ended:
            self._ended = True
            self.pass_on(self.other.hear_end)
        self.wire.network.loop.call_soon(self.lose, None, context=context_of(self.life))

    def abort(self) -> None:
        """Close at once; the other end hears of it."""
        if self.lost or not self._mine():
            return
        self._closing = True
        self.pass_on(self.other.lose, ConnectionResetError("reset by peer"))
        self.wire.network.loop.call_soon(self.lose, None, context=context_of(self.life))

    def pause_reading(self) -> None:
        """Keep what arrives."""
        self._paused = True

    def resume_reading(self) -> None:
        """Hand over what was kept."""
        self._paused = False
        kept, self._kept = self._kept, []
        for data in kept:
            self.arrive(data)

    def is_reading(self) -> bool:
        """Whether data is handed over."""
        return not self._paused

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The world's buffers are as large as it takes."""

    def get_write_buffer_size(self) -> int:
        """Nothing waits here."""
        return 0

    # --- the network's side

    def arrive(self, data: bytes) -> None:
        """Bytes from the other end."""
        if self.lost or self._closing:
            return
        if self._paused:
            self._kept.append(data)
            return
        self._protocol.data_received(data)

    def hear_end(self) -> None:
        """The other end writes no more."""
        if self.lost or self._closing:
            return
        if not self._protocol.eof_received():
            self.close()

    def lose(self, error: Exception | None) -> None:
        """The connection is over for this end."""
        if self.lost:
            return
        self.lost = True
        if self._protocol is not None:
            self._protocol.connection_lost(error)

    def later(self, delay_s: float, work: Callable[..., Any], *arguments: Any) -> None:
        """Something happens at this end in its own life."""
        self.wire.network.loop.call_in(self.life, delay_s, work, *arguments)

    def _mine(self) -> bool:
        return self.life is None or self.life.alive

    def pass_on(self, work: Callable[..., Any], *arguments: Any) -> None:
        """In order, after the delay of the moment."""
        network, wire = self.wire.network, self.wire
        if wire.half_open:
            return
        now_s = network.loop.time()
        at_s = max(now_s + network.delay_s(), self._arrives_s + 1e-6, wire.held_until_s)
        self._arrives_s = at_s
        network.loop.call_in(self.other.life, at_s - now_s, _unless_cut, wire, work, arguments)


def _unless_cut(wire: Wire, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    if not wire.half_open:
        work(*arguments)


class Listener:
    """A listening port; the part of asyncio.Server that links use."""

    def __init__(
        self, network: Network, factory: Callable[[], Any], life: Life | None, address: tuple[str, int]
    ) -> None:
        self._network = network
        self.factory = factory
        self.life = life
        self.sockets = (_Socket(address),)
        self._port = address[1]

    def is_serving(self) -> bool:
        """Whether it can be dialled."""
        return self._network.listeners.get(self._port) is self

    def close(self) -> None:
        """Stop listening."""
        if self.is_serving():
            del self._network.listeners[self._port]

    async def wait_closed(self) -> None:
        """Nothing to wait for."""

    def get_loop(self) -> WorldLoop:
        """The world's loop."""
        return self._network.loop


class Network:
    """All wires of a world. `sending` is asked before each send; False: it was the sender's last act."""

    def __init__(self, loop: WorldLoop, chance: Random) -> None:
        self.loop = loop
        self.wires: list[Wire] = []
        self.listeners: dict[int, Listener] = {}
        self.down_until_s: dict[int, float] = {}
        self.sending: Callable[[End], bool] = lambda _end: True
        self._chance = chance
        self._numbers = 0

    def number(self) -> int:
        """A number for each connection."""
        self._numbers += 1
        return self._numbers

    def delay_s(self) -> float:
        """Most are quick, some are not."""
        slow = self._chance.random() < 0.02
        return self._chance.uniform(0.05, 0.8) if slow else self._chance.uniform(0.001, 0.02)

    async def connect(self, factory: Callable[[], Any], host: str, port: int) -> tuple[Any, Any]:
        """Dial a port of this world."""
        life = LIFE.get()
        await asyncio.sleep(self.delay_s())
        listener = self.listeners.get(port)
        down = self.down_until_s.get(port, 0.0) > self.loop.time()
        if listener is None or down or (listener.life is not None and not listener.life.alive):
            await asyncio.sleep(REFUSED_AFTER_S)
            raise ConnectionRefusedError(f"nobody listens at {port}")
        wire = Wire(self, life, listener.life, port)
        self.wires = [each for each in self.wires if each.open]
        self.wires.append(wire)
        protocol = factory()
        wire.near.set_protocol(protocol)
        wire.far.later(0.0, _accept, wire.far, listener)
        protocol.connection_made(wire.near)
        return wire.near, protocol

    def listen(self, factory: Callable[[], Any], host: str, port: int) -> Listener:
        """Listen at a port; OSError when somebody alive does."""
        taken = self.listeners.get(port)
        if taken is not None and (taken.life is None or taken.life.alive):
            raise OSError(98, "address already in use")
        listener = Listener(self, factory, LIFE.get(), (host, port))
        self.listeners[port] = listener
        return listener

    def died(self, life: Life, *, silently: bool) -> None:
        """A program is gone: its kernel sends what it was given and says so; with the power nobody does."""
        for wire in self.wires:
            for end in (wire.near, wire.far):
                if end.life is not life or end.lost:
                    continue
                end.lost = True
                if silently:
                    wire.go_half_open()
                else:
                    end.pass_on(end.other.lose, ConnectionResetError("reset by peer"))

    def close(self) -> None:
        """Every connection is gone with its world."""
        for wire in self.wires:
            wire.near.lost = wire.far.lost = True

    def between(self, port: int) -> list[Wire]:
        """Open wires to a port."""
        return [wire for wire in self.wires if wire.port == port and wire.open and not wire.half_open]


def _accept(end: End, listener: Listener) -> None:
    protocol = listener.factory()
    end.set_protocol(protocol)
    protocol.connection_made(end)
