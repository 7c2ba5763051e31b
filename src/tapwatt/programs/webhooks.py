"""Sends webhooks: takes what is due from the outbox, posts it, writes down what came of it.

One slow receiver holds nobody else up: each has a few sendings at once and no more, and a time limit. An
address is resolved, checked and dialled by what was checked, so that a name cannot lead inside the house
(ADR 0021); no redirect is followed and little is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import structlog

from tapwatt.platform import webhook_outbox
from tapwatt.platform.webhook_outbox import Attempt, Outgoing
from tapwatt.platform.webhook_signing import headers_of
from tapwatt.store import Database, UnableToQueue, UnableToStore

AT_ONCE, AT_ONCE_EACH = 20, 2
WITHIN_S: Final = 10.0
READ_MAX: Final = 4096
LOOK_EVERY_S: Final = 2.0
FORGET_EVERY_MS: Final = 3_600_000

log = structlog.get_logger("tapwatt.webhooks")
Address = IPv4Address | IPv6Address


class NotAllowed(Exception):
    """The address is not one that events may go to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to dial, as it was checked, and by which name."""

    url: str
    host: str
    name: str


class WebhookSender:
    """The sender of one platform program. `inside` says that addresses of this house may be dialled: only
    while the platform itself listens on loopback alone."""

    def __init__(
        self,
        database: Database,
        *,
        now_ms: Callable[[], int],
        inside: bool,
        within_s: float = WITHIN_S,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._database = database
        self._now_ms = now_ms
        self._inside = inside
        self._within_s = within_s
        self._trust = trust or ssl.create_default_context()
        self._wake = asyncio.Event()
        self._busy: dict[tuple[str, str], int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._forget_ms = 0

    def wake(self, *_: object) -> None:
        """Look now: something may be due."""
        self._wake.set()

    async def run(self) -> None:
        """Send what is due, for ever."""
        try:
            async with httpx.AsyncClient(
                verify=self._trust, follow_redirects=False, trust_env=False, timeout=self._within_s
            ) as client:
                while True:
                    self._wake.clear()
                    try:
                        await self._look(client)
                    except (UnableToStore, UnableToQueue) as error:
                        log.warning("webhooks wait for the store", reason=str(error))
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_EVERY_S):
                            await self._wake.wait()
        finally:
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _look(self, client: httpx.AsyncClient) -> None:
        now_ms = self._now_ms()
        hooks = await self._database.read(lambda tx: webhook_outbox.due_hooks(tx, now_ms=now_ms))
        for hook in hooks:
            free = min(AT_ONCE_EACH - self._busy.get(hook, 0), AT_ONCE - len(self._tasks))
            if free > 0:
                await self._begin(client, hook, free)
        if now_ms >= self._forget_ms:
            self._forget_ms = now_ms + FORGET_EVERY_MS
            await self._database.write(lambda tx: webhook_outbox.forget(tx, now_ms=now_ms))

    async def _begin(self, client: httpx.AsyncClient, hook: tuple[str, str], most: int) -> None:
        now_ms = self._now_ms()
        taken = await self._database.write(
            lambda tx: webhook_outbox.claim(tx, hook, most=most, now_ms=now_ms)
        )
        for sent in taken:
            self._busy[hook] = self._busy.get(hook, 0) + 1
            task = asyncio.create_task(self._deliver(client, sent), name=f"webhook {sent.event_id}")
            self._tasks.add(task)
            task.add_done_callback(lambda done, hook=hook: self._ended(done, hook))  # type: ignore[misc]

    def _ended(self, task: asyncio.Task[None], hook: tuple[str, str]) -> None:
        self._tasks.discard(task)
        self._busy[hook] -= 1
        if not self._busy[hook]:
            del self._busy[hook]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("webhook not settled", error=type(error).__name__, reason=str(error))
        self._wake.set()

    async def _deliver(self, client: httpx.AsyncClient, sent: Outgoing) -> None:
        at_ms, begun = self._now_ms(), time.monotonic()
        status, error = await self._post(client, sent, at_ms)
        took_ms = round(1000 * (time.monotonic() - begun))
        attempt = Attempt(at_ms=at_ms, took_ms=took_ms, status=status, error=error)
        if not attempt.done:
            log.info("webhook not delivered", id=sent.webhook_id, status=status, reason=error)
        chance = secrets.randbelow(1000)
        await self._database.write(lambda tx: webhook_outbox.settle(tx, sent, attempt, chance=chance))

    async def _post(self, client: httpx.AsyncClient, sent: Outgoing, at_ms: int) -> tuple[int | None, str]:
        """The answer's status and what is wrong with it, or None and why there is none."""
        body = sent.body.encode()
        signed = headers_of(sent.secrets, event_id=sent.event_id, at_s=at_ms // 1000, body=body)
        headers = {**signed, "content-type": "application/json", "user-agent": "Tapwatt-Webhook/1"}
        try:
            async with asyncio.timeout(self._within_s):
                target = await checked(sent.url, inside=self._inside)
                request: dict[str, Any] = {
                    "content": body,
                    "headers": {**headers, "host": target.host},
                    "extensions": {"sni_hostname": target.name},
                }
                async with client.stream("POST", target.url, **request) as answer:
                    said = await _beginning(answer)
                    good = 200 <= answer.status_code < 300
                    return answer.status_code, "" if good else said
        except NotAllowed as error:
            return None, str(error)
        except TimeoutError:
            return None, f"no answer within {self._within_s:g} s"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return None, f"{type(error).__name__}: {error}"


async def _beginning(answer: httpx.Response) -> str:
    """What the receiver said, the first of it."""
    read = b""
    async for piece in answer.aiter_raw():
        read += piece
        if len(read) >= READ_MAX:
            break
    return read[:READ_MAX].decode("utf-8", "replace")[:200]


async def checked(url: str, *, inside: bool) -> Target:
    """Resolve an address and see that every place it leads to may be dialled. Raises NotAllowed, OSError."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    places = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    for place in places:
        _check(place, name, plain=parts.scheme == "http", inside=inside)
    if not places:
        raise NotAllowed(f"{name} leads nowhere")
    place = places[0]
    dialled = f"[{place}]" if place.version == 6 else str(place)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(url=f"{parts.scheme}://{dialled}:{port}{path}", host=parts.netloc, name=name)


def _check(place: Address, name: str, *, plain: bool, inside: bool) -> None:
    real = place.ipv4_mapped if isinstance(place, IPv6Address) and place.ipv4_mapped else place
    if plain and not real.is_loopback:
        raise NotAllowed(f"{name} is not this machine: only https goes there")
    if not inside and (real.is_loopback or real.is_private):
        raise NotAllowed(f"{name} leads to {real}, inside this house")
    if real.is_loopback:
        return
    if real.is_link_local or real.is_multicast or real.is_unspecified or real.is_reserved:
        raise NotAllowed(f"{name} leads to {real}, where no event goes")
    if not real.is_global and not inside:
        raise NotAllowed(f"{name} leads to {real}, which is no place of the world")
