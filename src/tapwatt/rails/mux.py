"""Many requests on one connection: every answer finds its own question by key, never by order.

The key is the type of the answer, the trace number and the terminal (fields 11 and 41), so an
authorisation and its reversal that share a trace number are not confused. What fits no question is kept,
bounded, and counted with the reason. A late answer never fits a newer question: where a key comes round
again, the transmission time decides.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass
from enum import StrEnum

from tapwatt.rails.iso8583 import Message
from tapwatt.rails.messages import STAN, TERMINAL, TRANSMITTED
from tapwatt.rails.mti import is_request, response_of

PENDING_LIMIT = 4096  # requests in flight on one connection
UNMATCHED_LIMIT = 256  # answers kept that fit no question
EXPIRED_LIMIT = 4096  # keys remembered after their time was up


class UnmatchedReason(StrEnum):
    """Why an answer fits no question."""

    LATE = "the question had been given up"
    UNKNOWN = "nothing was asked under this key"
    OTHER_TIME = "the transmission time is that of another question"
    NO_KEY = "the answer has no trace number"
    NOT_AN_ANSWER = "the message is no answer"


class UnableToSend(Exception):
    """The request cannot go out: too many in flight, its key is taken, or it has no trace number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """An answer that fits no question."""

    message: Message
    reason: UnmatchedReason
    received_ms: int


@dataclass(frozen=True, slots=True)
class _Pending:
    request: Message
    deadline_ms: int


Key = tuple[str, str, str]


class Mux:
    """Questions in flight on one connection. Give it every request sent and every answer received."""

    def __init__(self, *, pending_limit: int = PENDING_LIMIT, unmatched_limit: int = UNMATCHED_LIMIT) -> None:
        self._pending_limit = pending_limit
        self._pending: dict[Key, _Pending] = {}
        self._expired: OrderedDict[Key, None] = OrderedDict()
        self.unmatched: deque[Unmatched] = deque(maxlen=unmatched_limit)
        self.unmatched_count: Counter[UnmatchedReason] = Counter()

    def __len__(self) -> int:
        return len(self._pending)

    def sent(self, message: Message, *, now_ms: int, timeout_ms: int) -> None:
        """A request is about to go out; UnableToSend means it must not."""
        if not is_request(message.mti) or not message.get(STAN):
            raise UnableToSend("a request needs a request type and a trace number")
        key = _key(response_of(message.mti), message)
        if key in self._pending:
            raise UnableToSend("a request with the same type, trace number and terminal is in flight")
        if len(self._pending) >= self._pending_limit:
            raise UnableToSend(f"{self._pending_limit} requests are in flight already")
        self._pending[key] = _Pending(message, now_ms + timeout_ms)

    def received(self, message: Message, *, now_ms: int) -> Message | Unmatched:
        """The request this answers, or why it answers none."""
        reason = self._misfit(message, now_ms)
        if reason is None:
            return self._pending.pop(_key(message.mti, message)).request
        unmatched = Unmatched(message=message, reason=reason, received_ms=now_ms)
        self.unmatched.append(unmatched)
        self.unmatched_count[reason] += 1
        return unmatched

    def expired(self, now_ms: int) -> tuple[Message, ...]:
        """The requests whose time is up, given up from now on; in the order they were sent."""
        late = [key for key, pending in self._pending.items() if pending.deadline_ms <= now_ms]
        return tuple(self._give_up(key) for key in late)

    def drain(self) -> tuple[Message, ...]:
        """Everything in flight, given up because the connection is gone."""
        return tuple(self._give_up(key) for key in list(self._pending))

    def due_ms(self) -> int | None:
        """When the next request runs out of time, None when none is in flight."""
        return min((pending.deadline_ms for pending in self._pending.values()), default=None)

    def _give_up(self, key: Key) -> Message:
        self._expired[key] = None
        self._expired.move_to_end(key)
        if len(self._expired) > EXPIRED_LIMIT:
            self._expired.popitem(last=False)
        return self._pending.pop(key).request

    def _misfit(self, message: Message, now_ms: int) -> UnmatchedReason | None:
        if is_request(message.mti):
            return UnmatchedReason.NOT_AN_ANSWER
        if not message.get(STAN):
            return UnmatchedReason.NO_KEY
        key = _key(message.mti, message)
        pending = self._pending.get(key)
        if pending is None:
            return UnmatchedReason.LATE if key in self._expired else UnmatchedReason.UNKNOWN
        if pending.deadline_ms <= now_ms:
            return UnmatchedReason.LATE
        asked, answered = pending.request.get(TRANSMITTED), message.get(TRANSMITTED)
        if answered is not None and answered != asked:
            return UnmatchedReason.OTHER_TIME
        # Without a time an answer under a key that was used before could belong to either question.
        return UnmatchedReason.LATE if answered is None and key in self._expired else None


def _key(answer_mti: str, message: Message) -> Key:
    return answer_mti, str(message.get(STAN)), str(message.get(TERMINAL) or "").strip()
