"""What every program does alike: loop, log, data directory, ready line, graceful stop.

A program is one coroutine that starts its parts, tells the runtime what listens where and what to close, and
returns; the runtime then waits for SIGTERM or SIGINT and closes everything in reverse order
(interfaces.md, Commands: "in the foreground, ready line on stderr, graceful on SIGTERM").
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final

import structlog

from tapwatt.programs.logs import set_up_logs
from tapwatt.settings import Program, Settings
from tapwatt.store import Database, UnableToOpen

if TYPE_CHECKING:
    from sqlalchemy import MetaData

CLOSE_WITHIN_S: Final = 4.0
"""All parts together have this long to close; what is not finished then is recovered at the next start."""

log = structlog.get_logger("tapwatt")


class UnableToStart(Exception):
    """A program cannot start; the message is one sentence for the person who started it."""


class Runtime:
    """One running program. Handed to the program's start coroutine.

    Register what must be closed on `closing` (an AsyncExitStack), in the order it was started.
    """

    def __init__(self, name: Program, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self.serves_http = True  # the simulated world has no browser
        self.closing = AsyncExitStack()
        self.started_ms = now_ms()
        self.listeners: dict[str, tuple[str, int]] = {}
        self.devices: dict[str, str] = {}
        self.databases: list[Database] = []
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def listening(self, name: str, port: int, *, host: str | None = None) -> None:
        """Note a listener for the ready line: iso8583, http, ocpp, edge, zvt or forecourt."""
        self.listeners[name] = (host or self.settings.host, port)

    def attached(self, name: str, path: str) -> None:
        """Note a serial device or pseudo terminal for the ready line."""
        self.devices[name] = path

    def stop(self) -> None:
        """Ask the program to stop, as SIGTERM does."""
        self._stop.set()

    async def database(self, metadata: MetaData, *, migrations: str | None = None) -> Database:
        """Open this program's own database; it is closed last, after everything registered later."""
        try:
            database = await Database.open(
                self.settings.database_url(self.name), metadata=metadata, migrations=migrations
            )
        except UnableToOpen as error:
            raise UnableToStart(str(error)) from error
        self.closing.push_async_callback(database.close)
        self.databases.append(database)
        return database

    def spawn(self, work: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        """Run a task for the program's life. Its failure stops the program with exit code 1."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error(
                "a task of the program failed",
                task=task.get_name(),
                error=type(error).__name__,
                reason=str(error),
            )
            self._failure = error
            self._stop.set()

    async def run(self, start: Start) -> int:
        """Start, say so, wait for the signal, stop. Returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)
        try:
            await start(self)
            self._say_ready()
            await self._stop.wait()
        finally:
            await self._close()
        return 0 if self._failure is None else 1

    def _signalled(self, number: int) -> None:
        if self._stop.is_set():  # asked twice: somebody is in a hurry
            os._exit(1)
        self._stop.set()
        log.info("stopping", signal=signal.Signals(number).name)

    def _say_ready(self) -> None:
        ports = {name: f"{host}:{port}" for name, (host, port) in self.listeners.items()}
        places = ", ".join(f"{name} {place}" for name, place in {**ports, **self.devices}.items())
        sys.stderr.write(
            f"tapwatt {self.name} ready: {places}\n" if places else f"tapwatt {self.name} ready\n"
        )
        sys.stderr.flush()

    async def _close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await self.closing.aclose()
        except TimeoutError:
            log.warning("not everything closed in time; the next start recovers it", seconds=CLOSE_WITHIN_S)


Start = Callable[[Runtime], Awaitable[None]]


def run_program(name: Program, start: Start, *, settings: Settings | None = None) -> int:
    """Run a program in the foreground until it is told to stop; returns the exit code for the shell.

    0 after a graceful stop, 1 when it cannot start or a part of it failed (one sentence on stderr says why).
    Raises UnableToConfigure (exit 2) before anything is touched when a setting makes no sense.
    """
    chosen = Settings.read() if settings is None else settings
    set_up_logs(chosen.log_level, program=name)
    try:
        with _data_directory(name, chosen), asyncio.Runner(loop_factory=_loop) as runner:
            return runner.run(_run(name, start, chosen))
    except UnableToStart as error:
        sys.stderr.write(f"tapwatt {name}: {' '.join(str(error).split())}\n")
        return 1


async def _run(name: Program, start: Start, settings: Settings) -> int:
    asyncio.get_running_loop().set_exception_handler(_log_unhandled)
    return await Runtime(name, settings).run(start)


def now_ms() -> int:
    """The wall clock in epoch milliseconds: what a program passes down where time is asked for."""
    return time.time_ns() // 1_000_000


def listening_socket(host: str, port: int, *, purpose: str) -> socket.socket:
    """A bound socket; UnableToStart with a sentence when the port is taken or not allowed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        raise unable_to_listen(host, port, error, purpose=purpose) from error
    return bound


def unable_to_listen(host: str, port: int, error: OSError, *, purpose: str) -> UnableToStart:
    """The sentence for a listener that cannot be opened."""
    reason = (error.strerror or str(error)).lower()
    return UnableToStart(f"unable to listen on {host}:{port} ({purpose}): {reason}.")


def _loop() -> asyncio.AbstractEventLoop:
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


@contextlib.contextmanager
def _data_directory(name: Program, settings: Settings) -> Iterator[None]:
    """Make the directory and hold a lock in it, with the process's id to read: two programs on one database
    would not know of each other."""
    path = settings.data / f"{name}.lock"
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise UnableToStart(f"unable to use the data directory {settings.data}: {error.strerror}.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise UnableToStart(f"another {name} already runs on the data directory {settings.data}.") from error
    os.truncate(handle, 0)
    os.write(handle, f"{os.getpid()}\n".encode())
    try:
        yield
    finally:
        os.close(handle)


def _log_unhandled(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What nobody awaited: one line without a traceback, whose values could hold what may not be logged."""
    error = context.get("exception")
    log.error(
        "unhandled in the event loop",
        what=str(context.get("message", "")),
        error=type(error).__name__ if error else "",
        reason=str(error) if error else "",
    )
