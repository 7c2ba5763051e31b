"""Performs the effects in the outbox: in order per (machine, lane), lanes independent, a limit on all
together.

Knows nothing of machines or rows; it is given one coroutine that performs an effect and says whether it is
done (design.md law 4: at least once and in order per machine; law 10: a limit on everything).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from tapwatt.engine.machine import Outgoing

Lane = tuple[str, str]

LONGEST_WAIT_AT_START_MS = 60_000
"""A stored moment is not trusted beyond this: the clock may have jumped, and asking early does no harm."""


class Outbox:
    """The effects waiting in memory, one queue a lane, and the tasks that perform them."""

    def __init__(
        self,
        attempt: Callable[[Outgoing], Awaitable[tuple[Outgoing, float] | None]],
        *,
        most_performing: int,
        now_ms: Callable[[], int],
    ) -> None:
        """`attempt` returns None when the effect is done, else the effect as it stays and the seconds to
        wait.
        """
        self._attempt = attempt
        self._most_performing = most_performing
        self._now_ms = now_ms
        self._lanes: dict[Lane, deque[Outgoing]] = {}
        self._ready: deque[Lane] = deque()
        self._resting: dict[Lane, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = True

    def put(self, outgoing: Outgoing) -> None:
        """Add an effect behind the others of its lane."""
        lane = (outgoing.machine_id, outgoing.lane)
        queue = self._lanes.get(lane)
        if queue is not None:
            queue.append(outgoing)
            return
        self._lanes[lane] = deque((outgoing,))
        wait_ms = min(outgoing.due_ms - self._now_ms(), LONGEST_WAIT_AT_START_MS)
        if wait_ms > 0:
            self._rest(lane, wait_ms / 1000)
        else:
            self._resume(lane)

    def put_back(self, outgoing: Outgoing) -> None:
        """Add an effect found in the database, unless it is here, where its id says; the first of its lane
        may be under way.
        """
        queue = self._lanes.get((outgoing.machine_id, outgoing.lane))
        if queue is None:
            self.put(outgoing)
        elif all(waiting.id != outgoing.id for waiting in queue):
            later = (place for place, other in enumerate(queue) if place and other.id > outgoing.id)
            queue.insert(next(later, len(queue)), outgoing)

    async def close(self, *, grace_s: float) -> None:
        """Begin nothing more; give running effects a grace, then cancel them. They stay in the database."""
        self._open = False
        while self._resting:
            self._resting.popitem()[1].cancel()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=grace_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _rest(self, lane: Lane, wait_s: float) -> None:
        self._resting[lane] = asyncio.get_running_loop().call_later(wait_s, self._resume, lane)

    def _resume(self, lane: Lane) -> None:
        self._resting.pop(lane, None)
        self._ready.append(lane)
        self._begin()

    def _begin(self) -> None:
        while self._open and self._ready and len(self._tasks) < self._most_performing:
            task = asyncio.create_task(self._serve(self._ready.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._begin()
        if not task.cancelled():
            task.result()  # a mistake of ours must be heard: `attempt` raises nothing

    async def _serve(self, lane: Lane) -> None:
        """Perform the first effect of a lane, and see to the next."""
        queue = self._lanes[lane]
        left = await self._attempt(queue[0])
        if left is not None:
            queue[0], wait_s = left
            if self._open:
                self._rest(lane, wait_s)
            return
        queue.popleft()
        if queue:
            self._ready.append(lane)
        else:
            del self._lanes[lane]
