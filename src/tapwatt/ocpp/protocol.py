"""Both ends of an OCPP 1.6 connection as state without I/O: what may be said when, what is kept and repeated.

`CsmsSide` is ours, one per connection; `StationSide` is the simulator's, one per station and living across
connections. Time and message ids arrive as arguments. Spec: OCPP 1.6 sections 3.7 (transaction-related
messages), 4.2 (boot), 4.6 (heartbeat).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from tapwatt.ocpp import v16
from tapwatt.ocpp.commands import Command, CommandAnswer, StartRequested, StopRequested
from tapwatt.ocpp.mend import UnableToRead
from tapwatt.ocpp.messages import (
    TRANSACTION_MESSAGES,
    Answer,
    BootAnswered,
    HeartbeatSent,
    MeterReported,
    Registration,
    StartAnswered,
    StationBooted,
    StationMessage,
    TransactionStopped,
    Unreadable,
)
from tapwatt.rpc.messages import OCPP_16, CallRefused, Fault
from tapwatt.rpc.protocol import Rules

CSMS_RULES: Final = Rules(
    dialect=OCPP_16, known=v16.KNOWN, supported=v16.FROM_STATION, never_refused=v16.BILLING
)
STATION_RULES: Final = Rules(dialect=OCPP_16, known=v16.KNOWN, supported=v16.FROM_CSMS)


class NotAllowedYet(Exception):
    """The station is not accepted (yet), so this command must not go to it (sections 4.2 and 5)."""


class CsmsSide:
    """Our side of one connection."""

    def __init__(self) -> None:
        self.registration: Registration | None = None
        """What we answered to the boot on this connection. None: no boot yet, which is normal after a
        mere reconnect: such a station is treated as accepted."""

    def read(self, action: str, payload: bytes) -> StationMessage:
        """What a station sent. A billing message nobody can read comes as Unreadable; anything else that
        is wrong raises CallRefused, naming the field."""
        try:
            message = v16.decode_message(action, payload)
        except UnableToRead as problem:
            if action in v16.BILLING:
                return Unreadable(action=action, raw=payload, problem=str(problem))
            raise CallRefused(problem.fault, str(problem)) from problem
        if self.registration is Registration.REJECTED and not _may_come_unaccepted(message):
            raise CallRefused(Fault.SECURITY_ERROR, "not accepted: send BootNotification again")
        return message

    def answer(self, message: StationMessage, answer: Answer) -> bytes:
        """The payload that answers `message`. Raises UnableToWrite for an answer that does not fit."""
        payload = v16.encode_answer(message, answer)
        if isinstance(answer, BootAnswered):
            self.registration = answer.registration
        return payload

    def command(self, command: Command) -> tuple[str, bytes]:
        """Action and payload of a command. Raises NotAllowedYet, UnableToWrite."""
        if self.registration is Registration.REJECTED:
            raise NotAllowedYet("the station's boot was rejected")
        starts_or_stops = isinstance(command, StartRequested | StopRequested)
        if self.registration is Registration.PENDING and starts_or_stops:
            raise NotAllowedYet("the station's boot is pending")
        return v16.encode_command(command)

    def answered(self, command: Command, payload: bytes) -> CommandAnswer:
        """What the station answered. Raises UnableToRead."""
        return v16.decode_command_answer(command, payload)


def _may_come_unaccepted(message: StationMessage) -> bool:
    """Money is taken from anybody who is let in; the rest waits for an accepted boot."""
    return isinstance(message, (StationBooted, Unreadable, *TRANSACTION_MESSAGES))


# --- the station


class Phase(StrEnum):
    """Where a station is between power-on and work."""

    OFFLINE = "offline"
    BOOTING = "booting"
    WAITING = "waiting"  # pending or rejected: boot again after the interval
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A CALL the station wants to make now."""

    message_id: str
    action: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerArrived:
    """The CSMS answered; `ticket` is what `report` returned (0: the station's own boot or heartbeat)."""

    ticket: int
    message: StationMessage
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """A message will not be sent (again)."""

    ticket: int
    message: StationMessage
    reason: str


StationEvent = AnswerArrived | GivenUp


class QueueFull(Exception):
    """A station's memory for unsent messages has an end."""


@dataclass(slots=True, kw_only=True)
class _Waiting:
    ticket: int
    message: StationMessage
    transaction: str | None
    message_id: str = ""
    attempts: int = 0
    not_before_ms: int = 0

    @property
    def kept(self) -> bool:
        return isinstance(self.message, TRANSACTION_MESSAGES)


@dataclass(kw_only=True)
class StationSide:
    """A station: boots until accepted, beats, and brings its transaction messages to the CSMS in order,
    whatever happens to the line. One CALL at a time: ask `next_call`, then report how it ended."""

    identity: StationBooted
    attempts: int = 3
    """TransactionMessageAttempts; an attempt is an error answered or a silence, not a lost line."""
    retry_interval_ms: int = 60_000
    """TransactionMessageRetryInterval; multiplied by the number of attempts so far."""
    boot_interval_ms: int = 10_000
    """Before the next boot where the CSMS names no interval."""
    queue_length: int = 1_000

    phase: Phase = field(default=Phase.OFFLINE, init=False)
    heartbeat_ms: int = field(default=0, init=False)
    transactions: dict[str, str] = field(default_factory=dict, init=False)
    """Ids the CSMS gave, by the station's own reference of the transaction."""
    _queue: list[_Waiting] = field(default_factory=list, init=False)
    _open: _Waiting | None = field(default=None, init=False)
    _tickets: int = field(default=0, init=False)
    _wake_ms: int = field(default=0, init=False)

    # --- what the station's owner does

    def report(self, message: StationMessage, *, transaction: str | None = None) -> int:
        """Queue a message; returns its ticket. `transaction` is the station's own reference: messages of a
        transaction whose start is still unanswered get its real id when they are sent ("-1" if there is
        none by then). Raises QueueFull, UnableToWrite; NotAllowedYet for what cannot wait while off line."""
        entry = _Waiting(ticket=self._tickets + 1, message=message, transaction=transaction)
        if not entry.kept and self.phase is not Phase.ACCEPTED:
            raise NotAllowedYet(f"the station is {self.phase}")
        if len(self._queue) >= self.queue_length:
            raise QueueFull(f"{len(self._queue)} messages wait")
        v16.encode_message(self._with_real_id(entry))  # what cannot be written must not block the queue
        self._tickets += 1
        self._queue.append(entry)
        return entry.ticket

    def reboot(self) -> None:
        """Boot again on the line there is (power-on, Reset, TriggerMessage)."""
        if self.phase is not Phase.OFFLINE:
            self.phase = Phase.BOOTING

    def beat_every(self, interval_ms: int, now_ms: int) -> None:
        """Change the time between heartbeats (ChangeConfiguration HeartbeatInterval); 0: none."""
        self.heartbeat_ms = interval_ms
        if self.phase is Phase.ACCEPTED:
            self._wake_ms = now_ms + interval_ms

    # --- what happens to the line

    def connected(self, now_ms: int, *, boot: bool = True) -> None:
        """The line is up; a mere reconnect may go on without a boot."""
        self.phase = Phase.BOOTING if boot else Phase.ACCEPTED
        self._wake_ms = now_ms if boot else now_ms + self.heartbeat_ms

    def disconnected(self, now_ms: int) -> list[StationEvent]:
        """The line is down: transaction messages stay, the one in flight too; the rest is dropped."""
        self.phase = Phase.OFFLINE
        if self._open is not None and self._open.kept:
            self._queue.insert(0, self._open)
        dropped = [each for each in self._queue if not each.kept]
        if self._open is not None and not self._open.kept:
            dropped.insert(0, self._open)
        self._open = None
        self._queue = [each for each in self._queue if each.kept]
        return [GivenUp(ticket=each.ticket, message=each.message, reason="off line") for each in dropped]

    def next_call(self, message_id: str, now_ms: int) -> Sending | None:
        """The CALL to make now, if any; `message_id` is used unless the message was tried before."""
        entry = None if self._open is not None else self._choose(now_ms)
        if entry is None:
            return None
        entry.message_id = entry.message_id or message_id
        self._open = entry
        action, payload = v16.encode_message(self._with_real_id(entry))
        return Sending(message_id=entry.message_id, action=action, payload=payload)

    @property
    def next_due_ms(self) -> int | None:
        """When to ask `next_call` again though nothing has happened; None: not before something does."""
        if self._open is not None or self.phase is Phase.OFFLINE:
            return None
        if self.phase is not Phase.ACCEPTED:
            return self._wake_ms
        dues = [self._wake_ms] if self.heartbeat_ms else []
        return min(dues + [each.not_before_ms for each in self._queue[:1]], default=None)

    # --- how the open CALL ended

    def answered(self, payload: bytes, now_ms: int) -> list[StationEvent]:
        """It got its CALLRESULT; one nobody can read counts as an error."""
        entry = self._taken()
        try:
            answer = v16.decode_answer(entry.message, payload)
        except UnableToRead as problem:
            return self._failed(entry, f"unreadable answer: {problem}", now_ms)
        if isinstance(answer, BootAnswered):
            self._booted(answer, now_ms)
        elif isinstance(answer, StartAnswered) and entry.transaction is not None:
            self.transactions[entry.transaction] = answer.transaction_id
        if self.phase is Phase.ACCEPTED:
            self._wake_ms = now_ms + self.heartbeat_ms  # section 4.6: any message shows that we live
        return [AnswerArrived(ticket=entry.ticket, message=entry.message, answer=answer)]

    def failed(self, reason: str, now_ms: int) -> list[StationEvent]:
        """It got a CALLERROR or no answer at all."""
        return self._failed(self._taken(), reason, now_ms)

    # --- inside

    def _choose(self, now_ms: int) -> _Waiting | None:
        """Boot first; then the queue in order, except that a transaction message waiting for its retry
        holds back its own kind only; then the heartbeat."""
        if self.phase in (Phase.BOOTING, Phase.WAITING):
            due = self.phase is Phase.BOOTING or self._wake_ms <= now_ms
            return _Waiting(ticket=0, message=self.identity, transaction=None) if due else None
        if self.phase is Phase.OFFLINE:
            return None
        blocked = False
        for entry in self._queue:
            waits = entry.kept and (blocked or entry.not_before_ms > now_ms)
            if not waits:
                self._queue.remove(entry)
                return entry
            blocked = True
        if self.heartbeat_ms and self._wake_ms <= now_ms:
            return _Waiting(ticket=0, message=HeartbeatSent(), transaction=None)
        return None

    def _with_real_id(self, entry: _Waiting) -> StationMessage:
        message = entry.message
        if entry.transaction is not None and isinstance(message, MeterReported | TransactionStopped):
            return replace(message, transaction_id=self.transactions.get(entry.transaction, "-1"))
        return message

    def _booted(self, answer: BootAnswered, now_ms: int) -> None:
        interval_ms = answer.interval_s * 1000 if answer.interval_s > 0 else self.boot_interval_ms
        if answer.registration is Registration.ACCEPTED:
            self.phase, self.heartbeat_ms = Phase.ACCEPTED, interval_ms
        else:
            self.phase = Phase.WAITING
        self._wake_ms = now_ms + interval_ms

    def _taken(self) -> _Waiting:
        assert self._open is not None, "no call is open"
        entry, self._open = self._open, None
        return entry

    def _failed(self, entry: _Waiting, reason: str, now_ms: int) -> list[StationEvent]:
        entry.attempts += 1
        if isinstance(entry.message, StationBooted):
            self.phase, self._wake_ms = Phase.WAITING, now_ms + self.boot_interval_ms
            return []
        if isinstance(entry.message, HeartbeatSent):
            self._wake_ms = now_ms + self.heartbeat_ms
        if entry.kept and entry.attempts < self.attempts:
            entry.not_before_ms = now_ms + self.retry_interval_ms * entry.attempts
            self._queue.insert(0, entry)
            return []
        return [GivenUp(ticket=entry.ticket, message=entry.message, reason=reason)]
