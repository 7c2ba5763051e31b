"""The issuer's loop: requests from the scheme, decided over account and life cycle in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from tapwatt.engine import Engine, Machine, Step, Stepper
from tapwatt.hosts.issuer import tables
from tapwatt.hosts.issuer.decide import (
    EFFECTS,
    EVENTS,
    Asked,
    Authorisation,
    Chip,
    ChipFault,
    CompletionReceived,
    Effect,
    Event,
    ReversalReceived,
    answer,
    decide,
)
from tapwatt.hosts.issuer.silence import Silence
from tapwatt.rails.additional import partial_capable
from tapwatt.rails.emv.cryptogram import ChipReading, CryptogramCheck, generate_arpc, verify_arqc
from tapwatt.rails.emv.tlv import encode_tlv
from tapwatt.rails.iso8583 import Message, MissingField
from tapwatt.rails.keys import PanCipher
from tapwatt.rails.messages import (
    ACQUIRER,
    CHIP_DATA,
    UnableToRead,
    life_cycle,
    response,
    scheme_transaction,
)
from tapwatt.rails.mti import COMPLETION, first_of
from tapwatt.rails.partner import Partner
from tapwatt.rails.relay_messages import SealedPan, identity_of, masked_pan, pan_of, references
from tapwatt.rails.relay_states import Identity
from tapwatt.rails.responses import ResponseCode, approves
from tapwatt.rails.sandbox import AmountOutcome, amount_outcome, issuer_master_key
from tapwatt.store import Database, Row, Transaction

log = structlog.get_logger("tapwatt.hosts.issuer")

IssuerStep = Step[Authorisation, Event, Effect]
IssuerStepper = Stepper[Authorisation, Event, Effect]


def issuer_machine() -> Machine[Authorisation, Event, Effect]:
    """The durable machine of one life cycle at the issuer."""
    return Machine(
        name=tables.MACHINE,
        decide=decide,
        state_type=Authorisation,
        events=EVENTS,
        effects=EFFECTS,
        owner=lambda _state: "",
        status=lambda state: str(state.status),
        lane=lambda _effect: "account",
        index=_index,
    )


def _index(state: Authorisation) -> dict[str, str]:
    said = state.identity
    return {"reference": f"{said.reference}/{said.life_cycle}"} if said.reference else {}


def machine_id(message: Message) -> str:
    """Acquirers count for themselves: the life cycle is scoped by the acquirer."""
    return f"{message.get(ACQUIRER) or '-'!s}/{life_cycle(message)}"


class IssuerHost:
    """Answers the scheme. `handle` is a rails Handler; there is no party behind the issuer."""

    def __init__(
        self,
        database: Database,
        *,
        cipher: PanCipher,
        silence: Silence,
        chance: Callable[[int], int],
        now_ms: Callable[[], int],
    ) -> None:
        """`chance(n)` draws a number below n, for approval codes."""
        self.engine: Engine[Authorisation, Event, Effect] = Engine(
            database, issuer_machine(), perform=_nothing_outside, now_ms=now_ms, inline=_move
        )
        self._database, self._cipher, self._silence = database, cipher, silence
        self._chance, self._now_ms = chance, now_ms

    async def start(self) -> None:
        """Start the engine; nothing of the issuer's is ever half done."""
        await self.engine.start()

    async def stop(self) -> None:
        """Stop the engine."""
        await self.engine.stop(grace_s=0.2)

    async def handle(self, message: Message, _partner: Partner) -> Message | None:
        """The answer to a request, after COMMIT; None is the sandbox's silence."""
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

    async def _authorise(self, message: Message) -> Message | None:
        pan = pan_of(message)
        if not pan:
            raise MissingField(2)
        identity, authorisation_id = self._identity(message, pan), machine_id(message)
        row = await self._database.read(lambda tx: tables.card_row(tx, identity.pan_match))
        reading = _reading(message, pan, row)
        event = self._asked(message, identity, reading)

        def work(tx: Transaction, stepper: IssuerStepper) -> tuple[IssuerStep, int]:
            card = tables.card_of(tx, identity.pan_match)
            taken = stepper.step(authorisation_id, replace(event, card=card))
            return taken, tables.held_minor(tx, authorisation_id)

        taken, held_minor = await self.engine.transact(work)
        code, reason = answer(taken.before, taken.event)
        log.info(
            "authorisation answered",
            life_cycle=identity.life_cycle,
            reference=identity.reference or None,
            code=code,
            reason=reason or None,
        )
        if not await self._may_leave(identity.amount_minor):
            return None
        if not approves(code):
            return response(message, code)
        return response(
            message,
            code,
            approval_code=taken.state.approval_code,
            amount_minor=held_minor,
            chip_data=_arpc(reading, pan, row),
        )

    def _asked(self, message: Message, identity: Identity, reading: ChipReading | None) -> Asked:
        rule = amount_outcome(identity.amount_minor)
        now_ms = self._now_ms()
        return Asked(
            identity=identity,
            card=None,
            chip=_chip(reading),
            partial_capable=partial_capable(str(message.get(48) or "")),
            scripted_code=rule.code if rule is not None else "",
            approval_code=f"{self._chance(1_000_000):06d}",
            scheme_transaction=scheme_transaction(message) or "",
            month=datetime.fromtimestamp(now_ms // 1000, tz=UTC).strftime("%y%m"),
            at_ms=now_ms,
        )

    async def _may_leave(self, amount_minor: int) -> bool:
        """The sandbox's scripts: some amounts are answered late or never, in a silence all are."""
        rule = amount_outcome(amount_minor)
        if rule is not None and rule.outcome is AmountOutcome.SILENT:
            return False
        if rule is not None and rule.outcome is AmountOutcome.LATE:
            await asyncio.sleep(rule.late_ms / 1000)
        return await self._silence.lets_through()

    async def _advise(self, message: Message) -> Message:
        identity, authorisation_id = self._identity(message, pan_of(message)), machine_id(message)
        completes, now_ms = first_of(message.mti) == COMPLETION, self._now_ms()

        def work(tx: Transaction, stepper: IssuerStepper) -> IssuerStep:
            if not completes:
                return stepper.step(authorisation_id, ReversalReceived(identity=identity, at_ms=now_ms))
            event = CompletionReceived(
                identity=identity,
                held_minor=tables.held_minor(tx, authorisation_id),
                posted_minor=tables.posted_minor(tx, authorisation_id),
                at_ms=now_ms,
            )
            return stepper.step(authorisation_id, event)

        taken = await self.engine.transact(work)
        code, reason = answer(taken.before, taken.event)
        log.info(
            "advice answered",
            mti=message.mti,
            life_cycle=identity.life_cycle,
            reference=identity.reference or None,
            code=code,
            reason=reason or None,
        )
        return response(message, code)

    def _identity(self, message: Message, pan: str) -> Identity:
        if not pan:
            return identity_of(message, SealedPan())
        sealed = SealedPan(
            masked=masked_pan(pan), sealed=self._cipher.seal(pan), match=self._cipher.match(pan)
        )
        return identity_of(message, sealed)


def _move(tx: Transaction, taken: IssuerStep) -> frozenset[int]:
    """All effects of the issuer are rows of its own: performed inside the commit."""
    for effect in taken.effects:
        tables.move(tx, taken.machine_id, effect)
    return frozenset(range(len(taken.effects)))


async def _nothing_outside(_machine_id: str, effect: Effect, _repeated: bool) -> Event | None:
    raise AssertionError(f"{type(effect).__name__} is performed inside the commit")


def _reading(message: Message, pan: str, row: Row | None) -> ChipReading | None:
    """What the chip says, None when there is no chip data or no card of ours to check it with."""
    chip_data = message.get(CHIP_DATA)
    if row is None or not isinstance(chip_data, bytes):
        return None
    return verify_arqc(
        chip_data, issuer_master_key=issuer_master_key(row.master_key), pan=pan, sequence=row.sequence
    )


_FAULTS = {
    CryptogramCheck.RIGHT: ChipFault.NONE,
    CryptogramCheck.WRONG: ChipFault.WRONG,
    CryptogramCheck.UNREADABLE: ChipFault.UNREADABLE,
}


def _chip(reading: ChipReading | None) -> Chip:
    if reading is None:
        return Chip(fault=ChipFault.MISSING)
    return Chip(
        fault=_FAULTS[reading.check],
        amount_minor=reading.amount_minor or 0,
        currency=reading.currency or "",
        counter=reading.counter or 0,
    )


def _arpc(reading: ChipReading | None, pan: str, row: Row | None) -> bytes | None:
    if reading is None or row is None or reading.check is not CryptogramCheck.RIGHT:
        return None
    key = issuer_master_key(row.master_key)
    return encode_tlv({"91": generate_arpc(reading, issuer_master_key=key, pan=pan, sequence=row.sequence)})
