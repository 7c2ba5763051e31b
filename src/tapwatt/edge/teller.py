"""Tells the platform: outcomes until accepted, terminals' states and progress while it listens."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from tapwatt.edge.wires import Platform
from tapwatt.engine import TryAgain
from tapwatt.rpc.messages import CallFailed, NoAnswer, NotConnected
from tapwatt.uplink.messages import Accepted, FromEdge, Outcome

UNHEARD = (CallFailed, NoAnswer, NotConnected, TimeoutError)
MOST_NEWS = 20
"""News in the air at once; more are dropped, since the next Hello tells the state anyway."""

log = structlog.get_logger("tapwatt.edge")


class Teller:
    """The edge's voice to the platform."""

    def __init__(self, platform: Platform, *, timeout_s: float, again_s: float = 1.0) -> None:
        self._platform = platform
        self._timeout_s = timeout_s
        self._again_s = again_s
        self._tasks: set[asyncio.Task[None]] = set()

    async def outcome(self, outcome: Outcome) -> Accepted:
        """Tell an outcome once, as soon as the platform is there. Raises TryAgain when it may not have heard
        it."""
        try:
            await self._platform.wait_connected(self._timeout_s)
            return await self._platform.call(outcome, timeout_s=self._timeout_s)
        except UNHEARD as problem:
            raise TryAgain(str(problem) or "the platform is away", after_s=self._again_s) from problem

    async def ask(self, message: FromEdge, *, within_s: float) -> Accepted | None:
        """Tell something that is only worth it soon; None when the platform may have it and did not say so.

        Raises NotConnected when it certainly has not.
        """
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while (left_s := until_s - loop.time()) > 0:
            try:
                await self._platform.wait_connected(left_s)
                return await self._platform.call(message, timeout_s=left_s)
            except TimeoutError:
                break
            except NotConnected:
                await asyncio.sleep(self._again_s / 10)
            except (CallFailed, NoAnswer) as problem:
                log.warning("no answer of the platform", message=type(message).__name__, reason=str(problem))
                return None
        raise NotConnected("the platform is away")

    def news(self, message: FromEdge) -> None:
        """Tell something if the platform listens; else it is lost, and no harm done."""
        if self._platform.connected and len(self._tasks) < MOST_NEWS:
            self._begin(self._tell(message))

    async def stop(self) -> None:
        """Forget what is still in the air."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, message: FromEdge) -> None:
        try:
            answer = await self._platform.call(message, timeout_s=self._timeout_s)
        except UNHEARD as problem:
            log.info("news not heard", message=type(message).__name__, reason=str(problem))
            return
        if not answer.accepted:
            log.warning("news not accepted", message=type(message).__name__, reason=answer.reason)
