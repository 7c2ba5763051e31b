"""What a link tells its owner, and the small things both roles share."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import structlog

from tapwatt.rpc.link.connection import Connection
from tapwatt.rpc.messages import Candidate, Refusal

Admit = Callable[[Candidate], Awaitable[Refusal | None]]
Opened = Callable[[Connection], Awaitable[None]]
Closed = Callable[[Connection, str], Awaitable[None]]

log = structlog.get_logger("tapwatt.rpc")

# The library would print a traceback for every port scan; what matters is in `RpcServer.refused`.
silent = logging.getLogger("tapwatt.rpc.websockets")
silent.addHandler(logging.NullHandler())
silent.propagate = False


async def admit_all(candidate: Candidate) -> Refusal | None:
    """The admission of a demo: everybody."""
    return None


async def ignore_opened(connection: Connection) -> None:
    """Nobody wants to know."""


async def ignore_closed(connection: Connection, reason: str) -> None:
    """Nobody wants to know."""


async def logged(work: Awaitable[None]) -> None:
    """A callback's failure is its own: it must not take the connection down."""
    try:
        await work
    except Exception as problem:
        log.error("callback failed", error=type(problem).__name__, reason=str(problem)[:200])
