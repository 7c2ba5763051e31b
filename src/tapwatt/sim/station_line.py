"""The station's line to its CSMS: brings stored messages in order, tells states, and can be cut.

The rows are the truth and the client's memory only a copy: after a restart, or when a fault has thrown the
client away, what is stored is brought again with the same content.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import structlog

from tapwatt.ocpp.link import CommandHandler, StationClient
from tapwatt.ocpp.messages import (
    Answer,
    BootAnswered,
    Registration,
    StartAnswered,
    StationBooted,
    StationMessage,
    TokenStatus,
)
from tapwatt.ocpp.protocol import AnswerArrived, NotAllowedYet, QueueFull, StationEvent, StationSide
from tapwatt.sim import station_books
from tapwatt.sim.bell import Bell
from tapwatt.store import Database, Row, Transaction, UnableToQueue, UnableToStore

MOST_AT_ONCE: Final = 200
_ATTEMPTS: Final = 1_000
_RETRY_MS: Final = 2_000
_AGAIN_S: Final = 5.0
_LOOK_AGAIN_S: Final = 0.05
_ACCEPTED_WITHIN_S: Final = 30.0

log = structlog.get_logger("tapwatt.sim")


class StationLine:
    """One station's connection to its CSMS, kept up for ever."""

    def __init__(
        self,
        database: Database,
        *,
        url: str,
        station_id: str,
        identity: StationBooted,
        on_command: CommandHandler,
        on_accepted: Callable[[], None],
        on_refused_token: Callable[[int], None],
        bell: Bell,
    ) -> None:
        """`on_accepted` comes after each accepted boot; `on_refused_token` when a started charge's credential
        was not accepted, with the station's number of the charge."""
        self._database = database
        self._url = url
        self._station_id = station_id
        self._identity = identity
        self._on_command = on_command
        self._on_accepted = on_accepted
        self._on_refused_token = on_refused_token
        self._bell = bell
        self._client: StationClient | None = None
        self._given: set[int] = set()
        self._over: set[int] = set()
        self._feeding = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Dial, boot, and bring what is stored."""
        identity = self._identity
        side = StationSide(identity=identity, attempts=_ATTEMPTS, retry_interval_ms=_RETRY_MS)
        side.transactions.update(await self._database.read(station_books.names))
        self._given = set()
        self._client = StationClient(
            url=self._url,
            station_id=self._station_id,
            identity=identity,
            on_command=self._on_command,
            on_event=self._happened,
            side=side,
            backoff_max_s=5.0,
        )
        await self._client.start()
        self.wake()

    async def stop(self) -> None:
        """Hang up; stored messages stay stored."""
        client, self._client = self._client, None
        if client is not None:
            await client.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def connected(self) -> bool:
        """Whether the CSMS has accepted the station and the line stands."""
        return self._client is not None and self._client.side.phase == "accepted"

    async def feed(self) -> None:
        """For the program's life: hand stored messages to the client, in order."""
        while True:
            self._feeding.clear()
            self._over.clear()
            if self._client is not None:
                rows = await self._database.read(
                    lambda tx: station_books.unsent(tx, most=MOST_AT_ONCE + len(self._given))
                )
                for row in rows:
                    self._give(self._client, row)
            try:
                async with asyncio.timeout(_AGAIN_S):
                    await self._feeding.wait()
            except TimeoutError:
                continue

    def wake(self) -> None:
        """A message was stored."""
        self._feeding.set()

    def tell(self, message: StationMessage) -> None:
        """Send what need not be kept (a state, a reading on request); dropped while off line."""
        if self._client is None:
            return
        try:
            self._client.report(message)
        except (NotAllowedYet, QueueFull):
            return

    def tell_when_accepted(self, message: StationMessage) -> None:
        """Send what need not be kept, after the boot that may be going on; dropped while off line."""
        self._spawn(self._tell_later(message))

    async def _tell_later(self, message: StationMessage) -> None:
        client = self._client
        if client is None:
            return
        with contextlib.suppress(TimeoutError):
            await client.wait_accepted(_ACCEPTED_WITHIN_S)
            self.tell(message)

    async def sent_within(self, seconds: float) -> None:
        """Wait until every stored message is answered, not for ever."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await self._database.read(lambda tx: station_books.unsent(tx, most=1)):
                    self.wake()
                    await asyncio.sleep(_LOOK_AGAIN_S)

    def beat_every(self, seconds: int) -> None:
        """Change the time between heartbeats; 0: none."""
        if self._client is not None:
            self._client.beat_every(seconds)

    def installed(self, version: str) -> None:
        """Boot with this firmware from now on."""
        self._identity = replace(self._identity, firmware=version)
        if self._client is not None:
            self._client.side.identity = self._identity

    async def ask(self, message: StationMessage, within_s: float) -> Answer | None:
        """Ask the CSMS something now (Authorize); None when there is no answer."""
        if self._client is None:
            return None
        try:
            async with asyncio.timeout(within_s):
                return await self._client.report(message)
        except Exception as error:  # off line, given up, too late: to the driver all the same
            log.info("no answer from the CSMS", action=type(message).__name__, reason=str(error))
            return None

    def reboot(self) -> None:
        """Boot again on the line there is."""
        if self._client is not None:
            self._client.reboot()

    # --- inside

    def _give(self, client: StationClient, row: Row) -> None:
        # What was answered while the rows were read is still among them.
        known = row.id in self._given or row.id in self._over
        if known or len(self._given) >= MOST_AT_ONCE or client is not self._client:
            return
        try:
            answer = client.report(station_books.read_message(row), transaction=str(row.charge_id))
        except QueueFull:
            return
        self._given.add(row.id)
        answer.add_done_callback(partial(self._answered, client, row.id, row.charge_id))

    def _answered(
        self, client: StationClient, message_id: int, charge_id: int, done: asyncio.Future[Answer]
    ) -> None:
        if done.cancelled() or client is not self._client:
            return
        answer = None
        if (error := done.exception()) is not None:
            log.error("the CSMS does not take a message", message=message_id, reason=str(error))
        else:
            answer = done.result()
        self._spawn(self._finish(message_id, charge_id, answer))

    async def _finish(self, message_id: int, charge_id: int, answer: Answer | None) -> None:
        def work(tx: Transaction) -> None:
            station_books.done(tx, message_id)
            if isinstance(answer, StartAnswered):
                station_books.named(tx, charge_id=charge_id, transaction_id=answer.transaction_id)

        try:
            await self._database.write(work)
        except (UnableToStore, UnableToQueue) as error:
            log.error("an answer could not be stored, asking again", message=message_id, reason=str(error))
            self._given.discard(message_id)
            return
        self._over.add(message_id)
        self._given.discard(message_id)
        if isinstance(answer, StartAnswered) and answer.token.status is not TokenStatus.ACCEPTED:
            self._on_refused_token(charge_id)
        self._bell.ring()
        self.wake()

    def _happened(self, event: StationEvent) -> None:
        if not isinstance(event, AnswerArrived) or not isinstance(event.answer, BootAnswered):
            return
        if event.answer.registration is Registration.ACCEPTED:
            self._on_accepted()
            self._bell.ring()

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
