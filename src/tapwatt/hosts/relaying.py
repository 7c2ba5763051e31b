"""The loop of a host that passes payments on: its rules, the `relay` machine on its database, its next
parties.

Intent is committed before anything is sent, the outcome before anything is answered. Card and chip data of a
request live in memory until its answer; completions and reversals are rebuilt from what may be stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from tapwatt.engine import Engine, Machine, Step, Stepper
from tapwatt.hosts.forwarding import Callers, Forwarder
from tapwatt.hosts.stans import TraceNumbers
from tapwatt.rails import relay
from tapwatt.rails.forward import RetryRules
from tapwatt.rails.iso8583 import Message, MissingField, UnableToEncode
from tapwatt.rails.keys import PanCipher
from tapwatt.rails.messages import UnableToRead, response
from tapwatt.rails.mti import AUTHORISATION, COMPLETION, first_of
from tapwatt.rails.partner import HostCaller, NoAnswer, NotConnected, Partner
from tapwatt.rails.relay_messages import (
    Hop,
    Refuse,
    SealedPan,
    Verdict,
    advice_response,
    authorisation_response,
    identity_of,
    masked_pan,
    outcome_of,
    pan_of,
    passed_on,
    references,
    storable,
)
from tapwatt.rails.relay_states import (
    OPEN_STATUSES,
    RELAY_EFFECTS,
    RELAY_EVENTS,
    Asked,
    CompletionReceived,
    Identity,
    NotSent,
    Refused,
    Relay,
    RelayEffect,
    RelayEvent,
    RelayStatus,
    ReversalReceived,
    SendRequest,
    Silent,
)
from tapwatt.rails.responses import ResponseCode
from tapwatt.store import Database, Transaction

MACHINE = "payment"
WAIT_LONGER_S = 10.0
"""How much longer than the next party may take we wait for our own commit before we stay silent."""

log = structlog.get_logger("tapwatt.hosts")

RelayStep = Step[Relay, RelayEvent, RelayEffect]


def relay_machine() -> Machine[Relay, RelayEvent, RelayEffect]:
    """The durable machine of a host that passes payments on."""
    return Machine(
        name=MACHINE,
        decide=relay.decide,
        state_type=Relay,
        events=RELAY_EVENTS,
        effects=RELAY_EFFECTS,
        owner=lambda _state: "",
        status=lambda state: f"{state.status} PARKED" if state.alarm else str(state.status),
        lane=lambda _effect: "upstream",  # one lane: a reversal overtakes nothing of its own life cycle
        index=_index,
    )


def _index(state: Relay) -> dict[str, str]:
    # A reference may have several life cycles, a key has one: the life cycle makes it unique.
    said = state.identity
    return {"reference": f"{said.reference}/{said.life_cycle}"} if said.reference else {}


class Rules(Protocol):
    """What a host decides by itself."""

    def machine_id(self, message: Message) -> str:
        """The life cycle's key in this host's books, scoped by sender where senders could collide."""

    def check(self, tx: Transaction, message: Message, hop: Hop) -> Verdict:
        """Whether a request is let through, from this host's own tables."""


@dataclass(slots=True)
class _InFlight:
    """What may only live in memory while a request is out."""

    message: Message | None = None
    chip_data: bytes | None = None
    waiters: list[asyncio.Future[Relay]] = field(default_factory=list)


class RelayHost:
    """Answers requests from the party before and asks the party after. `handle` is a rails Handler."""

    def __init__(
        self,
        database: Database,
        rules: Rules,
        *,
        forwarder_id: str,
        cipher: PanCipher,
        upstreams: Mapping[str, HostCaller],
        timeout_s: float,
        now_ms: Callable[[], int],
        retries: RetryRules | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`upstreams` are the next parties by the name that rules give; `timeout_s` is how long each may
        take."""
        self.engine: Engine[Relay, RelayEvent, RelayEffect] = Engine(
            database, relay_machine(), perform=self._perform, now_ms=now_ms
        )
        self._rules, self._cipher = rules, cipher
        self._forwarder_id, self._now_ms = forwarder_id, now_ms
        self._callers = Callers(upstreams, timeout_s=timeout_s)
        self._forwarder = Forwarder(self._callers, cipher=cipher, rules=retries, jitter=jitter, now_ms=now_ms)
        self._stans = TraceNumbers(database)
        self._in_flight: dict[str, _InFlight] = {}

    async def start(self) -> None:
        """Recover: what was asked and never answered is reversed, waiting advices go on."""
        self.engine.subscribe(self._committed)
        await self.engine.start()

    async def stop(self) -> None:
        """Begin nothing new; what is in flight stays in the database."""
        await self.engine.stop(grace_s=0.2)

    async def handle(self, message: Message, _partner: Partner) -> Message | None:
        """The answer to a request, after COMMIT; None is silence."""
        try:
            match first_of(message.mti):
                case "0100":
                    return await self._authorise(message)
                case "0220" | "0400" | "0420":
                    return await self._advise(message)
                case _:
                    return response(message, ResponseCode.INVALID_TRANSACTION)
        except (MissingField, UnableToRead) as error:
            log.warning("message refused", mti=message.mti, reason=str(error), **references(message))
            return response(message, ResponseCode.FORMAT_ERROR)

    # --- authorisations

    async def _authorise(self, message: Message) -> Message | None:
        identity, machine_id = self._identity(message), self._rules.machine_id(message)
        hop = Hop(stan=await self._stans.take(), now_ms=self._now_ms())
        with self._waiting(machine_id) as (in_flight, outcome):

            def work(tx: Transaction, stepper: Stepper[Relay, RelayEvent, RelayEffect]) -> RelayStep:
                known = stepper.load(machine_id)
                event = self._judge(tx, message, identity, hop, in_flight, new=known is None)
                return stepper.step(machine_id, event)

            taken = await self.engine.transact(work)
            code, reason = relay.answer(taken.before, taken.event)
            if code:
                _say("authorisation answered", identity, code, reason)
                return authorisation_response(message, taken.state, code)
            try:
                async with asyncio.timeout(self._callers.timeout_s + WAIT_LONGER_S):
                    state = await outcome
            except TimeoutError:
                log.error(
                    "an authorisation has no outcome",
                    life_cycle=identity.life_cycle,
                    reference=identity.reference or None,
                )
                return None
            code, reason = relay.authorisation_answer(state)
            _say("authorisation answered", identity, code, reason)
            return authorisation_response(message, state, code, chip_data=in_flight.chip_data)

    def _judge(
        self,
        tx: Transaction,
        message: Message,
        identity: Identity,
        hop: Hop,
        in_flight: _InFlight,
        *,
        new: bool,
    ) -> Asked | Refused:
        """In the writer's thread: this host's checks, and the message for the next party kept at hand."""
        if not new:  # a repeat: the table knows what to say, and whatever changed since has no say in it
            return Asked(identity=identity, original={}, at_ms=hop.now_ms)
        verdict = self._rules.check(tx, message, hop)
        if isinstance(verdict, Refuse):
            return Refused(identity=identity, code=verdict.code, reason=verdict.reason, at_ms=hop.now_ms)
        onward = passed_on(message, hop, forwarder_id=self._forwarder_id, stamps=verdict.stamps)
        in_flight.message = onward
        return Asked(
            identity=identity,
            original=storable(onward),
            upstream=verdict.upstream,
            scheme_transaction=str(onward.get(63) or ""),
            at_ms=hop.now_ms,
        )

    @contextlib.contextmanager
    def _waiting(self, machine_id: str) -> Iterator[tuple[_InFlight, asyncio.Future[Relay]]]:
        """A place to wait for the outcome of a life cycle; several may wait for one."""
        in_flight = self._in_flight.setdefault(machine_id, _InFlight())
        outcome: asyncio.Future[Relay] = asyncio.get_running_loop().create_future()
        in_flight.waiters.append(outcome)
        try:
            yield in_flight, outcome
        finally:
            in_flight.waiters.remove(outcome)
            if not in_flight.waiters:
                self._in_flight.pop(machine_id, None)

    def _committed(self, taken: RelayStep) -> None:
        in_flight = self._in_flight.get(taken.machine_id)
        if in_flight is None or taken.state.status is RelayStatus.RECEIVED:
            return
        for waiter in in_flight.waiters:
            if not waiter.done():
                waiter.set_result(taken.state)

    # --- completions and reversals

    async def _advise(self, message: Message) -> Message:
        identity, machine_id = self._identity(message), self._rules.machine_id(message)
        hop = Hop(stan=await self._stans.take(), now_ms=self._now_ms())
        kind = CompletionReceived if first_of(message.mti) == COMPLETION else ReversalReceived
        event = kind(identity=identity, stan=hop.stan, at_ms=hop.now_ms)

        def work(tx: Transaction, stepper: Stepper[Relay, RelayEvent, RelayEffect]) -> tuple[str, str]:
            if stepper.load(machine_id) is None:
                verdict = self._rules.check(tx, message, hop)
                if isinstance(verdict, Refuse):  # a stranger's advice about nothing we know: no row for it
                    return verdict.code, verdict.reason
            taken = stepper.step(machine_id, event)
            return relay.answer(taken.before, taken.event)

        code, reason = await self.engine.transact(work)
        _say("advice answered", identity, code, reason, mti=message.mti)
        return advice_response(message, code)

    def _identity(self, message: Message) -> Identity:
        pan = pan_of(message)
        if not pan and message.mti.startswith(AUTHORISATION[:2]):
            raise MissingField(2)
        if not pan:
            return identity_of(message, SealedPan())
        sealed = SealedPan(
            masked=masked_pan(pan), sealed=self._cipher.seal(pan), match=self._cipher.match(pan)
        )
        return identity_of(message, sealed)

    # --- effects

    async def _perform(self, machine_id: str, effect: RelayEffect, repeated: bool) -> RelayEvent | None:
        if isinstance(effect, SendRequest):
            return await self._send_request(machine_id, repeated)
        state = await self.engine.load(machine_id)
        assert state is not None, "an effect has a machine"
        return await self._forwarder.forward(machine_id, state, effect, repeated=repeated)

    async def _send_request(self, machine_id: str, repeated: bool) -> RelayEvent:
        in_flight = self._in_flight.get(machine_id)
        state = await self.engine.load(machine_id)
        if repeated or in_flight is None or in_flight.message is None or state is None:
            return await self._silent("this host stopped between asking and the answer")
        try:
            answer = await self._callers.ask(state.upstream, in_flight.message)
        except (NotConnected, UnableToEncode) as error:
            return NotSent(reason=str(error), at_ms=self._now_ms())
        except NoAnswer as error:
            return await self._silent(str(error))
        outcome = outcome_of(answer, state.identity.amount_minor, now_ms=self._now_ms())
        if outcome is None:
            return await self._silent("the answer says yes to something that was not asked")
        chip_data = answer.get(55)
        in_flight.chip_data = chip_data if isinstance(chip_data, bytes) else None
        return outcome

    async def _silent(self, reason: str) -> Silent:
        return Silent(reason=reason, stan=await self._stans.take(), at_ms=self._now_ms())


def _say(what: str, identity: Identity, code: str, reason: str, **more: str) -> None:
    log.info(
        what,
        life_cycle=identity.life_cycle,
        reference=identity.reference or None,
        code=code,
        reason=reason or None,
        **more,
    )


def open_statuses() -> tuple[str, ...]:
    """The status texts of life cycles that still hold money, as the status column has them."""
    return tuple(str(status) for status in OPEN_STATUSES)
