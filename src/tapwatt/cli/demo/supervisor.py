"""Starts the site's programs as children, starts again what dies, and stops them all at the end.

The programs meet only on sockets, so each can be killed alone; that one of them died is a line in the story,
not its end.
"""

import asyncio
import contextlib
import ctypes
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 8.0
RESTARTS_IN_A_ROW_MAX = 8
# Who has never come up and ends by itself says why; once more might help, eight times would not.
FIRST_STARTS_MAX = 2
FIRST_RESTART_S = 0.3
SET_PARENT_DEATH_SIGNAL = 1
READY = re.compile(r"^tapwatt (?P<name>[a-z]+) ready")


class UnableToStart(Exception):
    """A program did not come up; the message names it and says what it said last."""


@dataclass(slots=True, kw_only=True)
class Child:
    """One program: how to start it, and the process that runs it now."""

    name: str
    arguments: tuple[str, ...]
    log: Path
    around: Mapping[str, str]
    process: asyncio.subprocess.Process | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    last_words: str = ""
    starts: int = 0
    was_up: bool = False
    failures_in_a_row: int = 0


class Supervisor:
    """Watches over children. `say` gets a line for the story whenever one dies or comes back."""

    def __init__(self, *, environment: Mapping[str, str], data: Path, say: Callable[[str], None]) -> None:
        self._environment = dict(environment)
        self._data = data
        self._say = say
        self._children: list[Child] = []
        self._watchers: list[asyncio.Task[None]] = []
        self._stopping = False
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done with a sentence when a child cannot be kept alive."""

    async def start(self, name: str, *arguments: str, around: Mapping[str, str] | None = None) -> None:
        """Start a program and wait for its ready line; `around` is its own environment, over everybody's.
        Raises UnableToStart."""
        child = Child(name=name, arguments=arguments, log=self._data / f"{name}.log", around=around or {})
        self._children.append(child)
        watcher = asyncio.create_task(self._keep_alive(child), name=name)
        watcher.add_done_callback(self._watched)
        self._watchers.append(watcher)
        ready: asyncio.Future[bool] = asyncio.ensure_future(child.ready.wait())
        awaited: set[asyncio.Future[Any]] = {ready, self.lost}
        await asyncio.wait(awaited, timeout=READY_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            if self.lost.done():
                raise UnableToStart(self.lost.result())
            raise UnableToStart(f"{name} did not start: {child.last_words or 'it said nothing'}")

    def pids(self) -> dict[str, int]:
        """The process of each program that runs now."""
        return {
            child.name: child.process.pid
            for child in self._children
            if child.process is not None and child.process.returncode is None
        }

    async def stop(self) -> None:
        """Stop all, newest first; what does not leave in time is killed."""
        self._stopping = True
        for child in reversed(self._children):
            self._signal(child, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_WITHIN_S):
                await asyncio.gather(*self._watchers, return_exceptions=True)
        for child in self._children:
            self._signal(child, signal.SIGKILL)
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)

    def _signal(self, child: Child, number: signal.Signals) -> None:
        if child.process is not None and child.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(number)

    def _watched(self, watcher: asyncio.Task[None]) -> None:
        """A watcher that failed (the log cannot be written, no process can be made) must not do so in
        silence."""
        error = None if watcher.cancelled() else watcher.exception()
        if error is not None and not self.lost.done():
            self.lost.set_result(f"{watcher.get_name()} cannot be kept alive: {error}")

    async def _keep_alive(self, child: Child) -> None:
        while not self._stopping:
            with child.log.open("ab") as log:
                code = await self._run_once(child, log)
            if self._stopping:
                return
            child.failures_in_a_row = 1 if child.ready.is_set() else child.failures_in_a_row + 1
            child.was_up = child.was_up or child.ready.is_set()
            hopeless = code > 0 and not child.was_up and child.failures_in_a_row >= FIRST_STARTS_MAX
            if hopeless or child.failures_in_a_row > RESTARTS_IN_A_ROW_MAX or code == 2:
                if not self.lost.done():
                    self.lost.set_result(f"{child.name} does not come up: {child.last_words}")
                return
            self._say(f"{child.name} died ({_death(code)}); starting it again")
            child.ready.clear()
            await asyncio.sleep(FIRST_RESTART_S * child.failures_in_a_row)

    async def _run_once(self, child: Child, log: IO[bytes]) -> int:
        child.starts += 1
        child.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tapwatt",
            *child.arguments,
            env={**self._environment, **child.around},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            # Ctrl-C is for us: we stop the children in order.
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        if child.process.stderr is None:
            raise UnableToStart(f"{child.name} has no stderr")
        if self._stopping:  # the order to stop went out while this one was being made
            self._signal(child, signal.SIGTERM)
        async for line in child.process.stderr:
            log.write(line)
            log.flush()
            text = line.decode("utf-8", "replace").strip()
            child.last_words = text or child.last_words
            if READY.match(text):
                if child.starts > 1:
                    self._say(f"{child.name} is back")
                child.ready.set()
        return await child.process.wait()


def _death(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """Have the kernel stop the child when the demo itself is killed, so that nothing stays behind."""
    if _LIBC is not None:
        _LIBC.prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() == 1:
            os._exit(0)
