"""An event loop whose clock jumps to the next timer: a time-out of 45 s costs nothing, and nothing is chance.

Everything that runs belongs to a `Life`: one run of one program from its start to its crash. When a life is
over, none of its callbacks ever runs again, not even a `finally`: that is what SIGKILL means.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar
from typing import Any, Final, Protocol

EPOCH_MS: Final = 1_780_000_000_000
"""Where the wall clocks of the world begin."""
_AHEAD: Final = 1e-7


class WorldStuck(Exception):
    """Nothing is ready and no timer is set: the world would wait for ever."""


class Life:
    """One run of one program. `skew_ms` is how wrong its wall clock is."""

    __slots__ = ("alive", "context", "name", "skew_ms", "tasks")

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.skew_ms = 0
        self.tasks: list[asyncio.Task[Any]] = []
        self.context = Context()
        """What happens to this life from outside happens in this context."""
        self.context.run(LIFE.set, self)


LIFE: ContextVar[Life | None] = ContextVar("life", default=None)


class WorldFuture(asyncio.Future[Any]):
    """A future with a hash that replays."""

    number = 0

    def __hash__(self) -> int:
        return self.number


class WorldTask(asyncio.Task[Any]):
    """A task with a hash that replays."""

    def __init__(self, number: int, work: Any, **options: Any) -> None:
        self._number = number
        super().__init__(work, **options)

    def __hash__(self) -> int:
        return self._number


class Wires(Protocol):
    """What the loop needs of a network."""

    async def connect(self, factory: Callable[[], Any], host: str, port: int) -> tuple[Any, Any]:
        """Dial."""
        ...

    def listen(self, factory: Callable[[], Any], host: str, port: int) -> Any:
        """Listen."""
        ...


class WorldLoop(asyncio.BaseEventLoop):
    """asyncio without selector, threads and real time."""

    wires: Wires

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 1_000.0
        self._numbers = 0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timed = 0
        self.set_task_factory(self._make_task)

    # --- time

    def time(self) -> float:
        """Virtual seconds."""
        return self._now_s

    def now_ms(self) -> int:
        """The true wall clock of the world."""
        return EPOCH_MS + round((self._now_s - 1_000.0) * 1000)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """At that moment, after what was asked for the same moment before."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timed += 1
        heapq.heappush(self._timers, (when, self._timed, timer))
        return timer

    # --- what replays

    def create_future(self) -> WorldFuture:
        """A future of this loop."""
        self._numbers += 1
        future = WorldFuture(loop=self)
        future.number = self._numbers
        return future

    def _make_task(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        **options: Any,
    ) -> WorldTask:
        self._numbers += 1
        task = WorldTask(self._numbers, work, loop=loop, **options)
        life = (options.get("context") or {LIFE: LIFE.get()}).get(LIFE)
        if life is not None:
            life.tasks.append(task)
            if len(life.tasks) > 2_000:
                life.tasks = [each for each in life.tasks if not each.done()]
        return task

    # --- running

    def _run_once(self) -> None:
        ready, timers = self._ready, self._timers  # type: ignore[attr-defined]
        if not ready and not self._stopping:  # type: ignore[attr-defined]
            while timers and not _counts(timers[0][2]):
                heapq.heappop(timers)
            if not timers:
                raise WorldStuck("nothing is ready and no timer is set")
            self._now_s = max(self._now_s, timers[0][0])
        until_s = self._now_s + _AHEAD
        while timers and timers[0][0] <= until_s:
            ready.append(heapq.heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if _counts(handle):
                handle._run()

    def _check_closed(self) -> None:
        """What is put away after the end may still cancel a waiter."""

    def _write_to_self(self) -> None:
        """There is no other thread to wake us."""

    def _process_events(self, event_list: Any) -> None:
        """There is no selector."""

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        """Run it here and now: a thread would bring chance."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    # --- wires

    async def create_connection(
        self, protocol_factory: Callable[[], Any], host: Any = None, port: Any = None, **_options: Any
    ) -> tuple[Any, Any]:
        """Dial in memory."""
        return await self.wires.connect(protocol_factory, str(host), int(port))

    async def create_server(
        self, protocol_factory: Callable[[], Any], host: Any = None, port: Any = None, **_options: Any
    ) -> Any:
        """Listen in memory."""
        return self.wires.listen(protocol_factory, str(host), int(port))

    def call_in(self, life: Life | None, delay_s: float, work: Callable[..., Any], *args: Any) -> Any:
        """Call later on behalf of another life, as the network does."""
        return self.call_later(delay_s, work, *args, context=context_of(life))


def context_of(life: Life | None) -> Context:
    """The context of a life; None: of nobody."""
    return Context() if life is None else life.context


def _counts(handle: asyncio.Handle) -> bool:
    if handle._cancelled:
        return False
    life = handle._context.get(LIFE)  # type: ignore[attr-defined]
    return life is None or life.alive
