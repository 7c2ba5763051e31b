"""Store-and-forward of a host that passes payments on: completions and reversals reach the next party, or a
person.

The item itself is an effect in the engine's outbox; here is one attempt and what follows from it by the rules
of `rails.forward`. Messages are rebuilt from what may be stored: advices go without chip data and tracks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from tapwatt.engine import TryAgain
from tapwatt.rails.forward import Again, Park, RetryRules, Verdict, next_step
from tapwatt.rails.iso8583 import Message, UnableToEncode
from tapwatt.rails.keys import PanCipher
from tapwatt.rails.messages import RESPONSE_CODE, repeat
from tapwatt.rails.mux import UnableToSend
from tapwatt.rails.partner import HostCaller, NoAnswer, NotConnected
from tapwatt.rails.relay_messages import completion_message, reversal_message
from tapwatt.rails.relay_states import (
    CompletionAccepted,
    Parked,
    Relay,
    RelayEvent,
    ReversalAccepted,
    SendCompletion,
    SendReversal,
)

NO_LINE_AGAIN_S = 2.0
"""An advice that finds no line looks again this soon: looking costs nothing, and is no attempt."""

log = structlog.get_logger("tapwatt.hosts")


class Callers:
    """The next parties of a host by name, each asked within the same time."""

    def __init__(self, callers: Mapping[str, HostCaller], *, timeout_s: float) -> None:
        self._callers, self.timeout_s = callers, timeout_s

    async def ask(self, name: str, message: Message) -> Message:
        """One question. NotConnected, UnableToEncode: nothing was sent. NoAnswer: outcome unknown."""
        caller = self._callers.get(name)
        if caller is None:
            raise NotConnected(f"there is no line to {name or 'nobody'}")
        try:
            return await caller.request(message, timeout_s=self.timeout_s)
        except UnableToSend as error:
            raise NotConnected(str(error)) from error


@dataclass(slots=True)
class _Attempts:
    """How often an advice went out since this program started."""

    count: int = 0
    sent: bool = False


class Forwarder:
    """Sends one host's advices. `jitter` is chance between 0 and 1."""

    def __init__(
        self,
        callers: Callers,
        *,
        cipher: PanCipher,
        rules: RetryRules | None,
        jitter: Callable[[], float],
        now_ms: Callable[[], int],
    ) -> None:
        self._callers, self._cipher, self._rules = callers, cipher, rules
        self._jitter, self._now_ms = jitter, now_ms
        self._attempts: dict[tuple[str, str], _Attempts] = {}

    async def forward(
        self, machine_id: str, state: Relay, effect: SendCompletion | SendReversal, *, repeated: bool
    ) -> RelayEvent:
        """One attempt; its event when the advice is answered for good or parked, else TryAgain."""
        key = (machine_id, type(effect).__name__)
        # After a restart nobody knows whether it had been sent: then it is a repeat.
        attempts = self._attempts.setdefault(key, _Attempts(sent=repeated))
        kind = "completion" if isinstance(effect, SendCompletion) else "reversal"
        verdict = await self._attempt(state, effect, attempts)
        if isinstance(verdict, Again):
            raise TryAgain(f"the {kind} has no final answer yet", after_s=verdict.after_ms / 1000)
        del self._attempts[key]
        if isinstance(verdict, Park):
            reason = verdict.reason
            said = state.identity
            log.error(
                "advice parked",
                life_cycle=said.life_cycle,
                reference=said.reference or None,
                kind=kind,
                reason=reason,
            )
            return Parked(kind=kind, reason=reason, at_ms=self._now_ms())
        if isinstance(effect, SendCompletion):
            return CompletionAccepted(at_ms=self._now_ms())
        return ReversalAccepted(at_ms=self._now_ms())

    async def _attempt(
        self, state: Relay, effect: SendCompletion | SendReversal, attempts: _Attempts
    ) -> Verdict:
        message = self._message(state, effect)
        code: str | None = None
        try:
            onward = repeat(message) if attempts.sent else message
            answer = await self._callers.ask(state.upstream, onward)
            code = _code(answer)
        except NotConnected as error:
            raise TryAgain(str(error), after_s=NO_LINE_AGAIN_S) from error
        except UnableToEncode as error:
            return Park(reason=str(error))
        except NoAnswer:
            pass  # silence: the rules below say when to repeat
        attempts.sent = True
        attempts.count += 1
        return next_step(
            mti=message.mti,
            attempts=attempts.count,
            answer=code,
            jitter=self._jitter(),
            sent=True,
            rules=self._rules,
        )

    def _message(self, state: Relay, effect: SendCompletion | SendReversal) -> Message:
        sealed = state.identity.pan_sealed
        pan = self._cipher.open(sealed) if sealed else ""
        if isinstance(effect, SendCompletion):
            return completion_message(state, effect, pan=pan)
        return reversal_message(state, effect, pan=pan)


def _code(answer: Message) -> str | None:
    code = answer.get(RESPONSE_CODE)
    return code if isinstance(code, str) else None
