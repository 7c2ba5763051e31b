"""The edge's journal: every operation durable before it is acted on, every outcome told until it is accepted.

It stands on the engine: an operation is a machine, its only effect the report to the platform. The terminals'
loops read what waits from memory, which follows each commit (design.md law 4).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import structlog

from tapwatt.edge import tables
from tapwatt.edge.decide import UnableToDecide, decide, index
from tapwatt.edge.operation import (
    EFFECTS,
    EVENTS,
    WAITING,
    AbortWanted,
    Asked,
    Event,
    Hold,
    HoldEnded,
    Listed,
    Operation,
    OutcomeWanted,
    Report,
    Sent,
    Silent,
    State,
    Superseded,
    hold_name,
)
from tapwatt.edge.recovery import Findings, compare, foreknown
from tapwatt.engine import Engine, Machine, Step, Stepper, TryAgain
from tapwatt.store import Database, Transaction
from tapwatt.uplink.messages import Accepted, Operate, OperationKind, Outcome, Result

MOST_WAITING = 50
"""Operations one terminal may have waiting; more are refused (law 10)."""
REFUSED_AGAIN_S = 60.0

Steps = Stepper[Operation, Event, Report]
Tell = Callable[[Outcome], Awaitable[Accepted]]
"""Tells the platform once. Raises TryAgain when it could not, or nobody knows."""

log = structlog.get_logger("tapwatt.edge")

MACHINE: Machine[Operation, Event, Report] = Machine(
    name=tables.MACHINE_NAME,
    decide=decide,
    state_type=Operation,
    events=EVENTS,
    effects=EFFECTS,
    owner=lambda operation: operation.operator_id,
    status=lambda operation: operation.state.value,
    # A report that the platform cannot take must not hold up the next one about the same operation.
    lane=lambda report: report.outcome.result.value,
    index=index,
)


class Journal:
    """The operations of all terminals of this edge."""

    def __init__(self, database: Database, *, tell: Tell, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._tell = tell
        self._now_ms = now_ms
        self._engine: Engine[Operation, Event, Report] = Engine(
            database, MACHINE, perform=self._perform, now_ms=now_ms
        )
        self._engine.subscribe(self._followed)
        self._waiting: dict[str, Operation] = {}
        self._listeners: list[Callable[[Operation], None]] = []
        self._asking = asyncio.Lock()

    async def start(self) -> None:
        """Read what had not ended. What was on the wire at the last stop is of unknown outcome."""
        texts = await self._database.read(
            lambda tx: [
                row.state for row in tx.run(tables.WAITING, **{state.value: state.value for state in WAITING})
            ]
        )
        operations = [MACHINE.state(text) for text in texts]
        self._waiting = {operation.key: operation for operation in operations}
        for terminal_id in {operation.terminal_id: None for operation in operations}:
            await self.cut_off(terminal_id, reason="the edge was stopped in the middle of it")
        await self._engine.start()

    async def stop(self) -> None:
        """Begin no more reports; those not accepted are told after the next start."""
        await self._engine.stop(grace_s=0.5)

    def subscribe(self, listener: Callable[[Operation], None]) -> None:
        """Call a listener after each commit that changes an operation."""
        self._listeners.append(listener)

    def waiting(self, terminal_id: str) -> list[Operation]:
        """A terminal's operations that have not ended, oldest first."""
        return [operation for operation in self._waiting.values() if operation.terminal_id == terminal_id]

    async def load(self, key: str) -> Operation | None:
        """An operation as it is committed."""
        return await self._engine.load(key)

    # --- what the platform asks

    async def ask(self, request: Operate, *, operator_id: str, problem: str, own: bool = False) -> Accepted:
        """Record a request; the answer may be given once this returns. A repeat gets the same answer."""
        event = Asked(
            at_ms=self._now_ms(), request=request, operator_id=operator_id, own=own, problem=problem
        )
        async with self._asking:
            full = len(self.waiting(request.terminal_id)) >= MOST_WAITING
            if full and request.key not in self._waiting and await self.load(request.key) is None:
                return Accepted(
                    accepted=False, reason=f"{MOST_WAITING} operations wait at this terminal already"
                )
            try:
                operation = await self.happened(request.key, event)
            except UnableToDecide as error:
                return Accepted(accepted=False, reason=str(error))
        if operation.state is State.FENCED:
            return Accepted(accepted=False, reason="the platform was told that this key was not sent")
        return Accepted()

    async def want(self, key: str, *, terminal_id: str) -> Operation:
        """The platform asks for an outcome: tell it again, or fence a key that never arrived."""
        return await self.happened(key, OutcomeWanted(at_ms=self._now_ms(), key=key, terminal_id=terminal_id))

    async def take_back(self, key: str) -> Operation:
        """Abort an operation that was not sent. Raises UnableToDecide when it cannot be."""
        if await self.load(key) is None:
            raise UnableToDecide(f"no operation {key}")
        return await self.happened(key, AbortWanted(at_ms=self._now_ms()))

    # --- what happens at the terminal

    async def happened(self, key: str, event: Event) -> Operation:
        """Commit what happened to an operation, and what that means for the hold it is about."""
        return await self._engine.transact(lambda tx, steps: _step(steps, key, event))

    async def begin(self, key: str) -> Operation:
        """Commit that the terminal will have it from now on; or its end, if the journal knows that."""
        at_ms = self._now_ms()

        def work(tx: Transaction, steps: Steps) -> Operation:
            operation = steps.load(key)
            assert operation is not None, "only recorded operations begin"
            known = foreknown(operation, _holder_of(steps, operation), at_ms=at_ms)
            return _step(steps, key, known or Sent(at_ms=at_ms))

        return await self._engine.transact(work)

    async def cut_off(self, terminal_id: str, *, reason: str) -> None:
        """No dialogue runs at the terminal: what was on the wire and has no outcome here is unknown.

        Also when its outcome was stated and could not be stored, as with a full disk.
        """
        for operation in self.waiting(terminal_id):
            if operation.state is State.SENT:
                await self.happened(operation.key, Silent(at_ms=self._now_ms(), reason=reason))

    async def recover(self, terminal_id: str, receipts: Collection[str]) -> Findings:
        """Settle what is of unknown outcome by the terminal's list of open holds, in one commit."""
        at_ms = self._now_ms()
        waiting = self.waiting(terminal_id)

        def work(tx: Transaction, steps: Steps) -> Findings:
            known = {*receipts, *_open_receipts(tx, terminal_id)}
            found = ((receipt, _holder(steps, terminal_id, receipt)) for receipt in sorted(known))
            holders = {receipt: holder for receipt, holder in found if holder is not None}
            findings = compare(listed=receipts, waiting=waiting, holders=holders)
            for key, receipt in findings.receipts.items():
                _step(steps, key, Listed(at_ms=at_ms, receipt=receipt))
            return findings

        return await self._engine.transact(work)

    # --- inside

    def _followed(self, step: Step[Operation, Event, Report]) -> None:
        operation = step.state
        if operation.ended:
            self._waiting.pop(operation.key, None)
        else:
            self._waiting[operation.key] = operation
        for listener in tuple(self._listeners):
            listener(operation)

    async def _perform(self, key: str, report: Report, repeated: bool) -> Event | None:
        outcome = report.outcome
        if await self._is_old(key, outcome):
            return None
        answer = await self._tell(outcome)
        if not answer.accepted:
            log.warning(
                "outcome not accepted",
                key=key,
                session=key.partition(".")[0],
                result=outcome.result.value,
                reason=answer.reason,
            )
            raise TryAgain(f"not accepted: {answer.reason}", after_s=REFUSED_AGAIN_S)
        return None

    async def _is_old(self, key: str, outcome: Outcome) -> bool:
        """Whether more has become known meanwhile: then that is told, and this is not."""
        operation = await self.load(key)
        return operation is not None and outcome.result not in (
            operation.state.value,
            Result.NOT_SENT if operation.state is State.FENCED else None,
        )


def _step(steps: Steps, key: str, event: Event) -> Operation:
    """One step of an operation, and the steps of the authorisation whose hold it makes or ends."""
    before = steps.load(key)
    after, _ = decide(before, event)
    begins = after.hold is Hold.OPEN and (before is None or before.hold is not Hold.OPEN)
    if begins and after.keys is not None:
        older = steps.find("hold", hold_name(after.terminal_id, after.keys.receipt))
        if older is not None and older != key:
            steps.step(older, Superseded(at_ms=event.at_ms))
    taken = steps.step(key, event).state
    ends = taken.ended and (before is None or not before.ended)
    if taken.request is not None and taken.finishes and ends:
        _end_hold(steps, taken)
    return taken


def _end_hold(steps: Steps, operation: Operation) -> None:
    holder = _holder_of(steps, operation)
    if holder is None or holder.hold is not Hold.OPEN:
        return
    amount_minor = operation.amount_minor or 0
    match operation.state:
        case State.DONE | State.ALREADY_DONE:
            captured = operation.asked.kind is OperationKind.CAPTURE and amount_minor > 0
            hold = Hold.CAPTURED if captured else Hold.RELEASED
            taken_minor = amount_minor if captured else 0
        case State.NOT_FOUND if operation.code != "journal":
            hold, taken_minor = Hold.LOST, 0
        case _:
            return
    steps.step(holder.key, HoldEnded(at_ms=operation.at_ms, hold=hold, amount_minor=taken_minor))


def _holder_of(steps: Steps, operation: Operation) -> Operation | None:
    return _holder(steps, operation.terminal_id, operation.asked.receipt)


def _holder(steps: Steps, terminal_id: str, receipt: str) -> Operation | None:
    key = steps.find("hold", hold_name(terminal_id, receipt))
    return None if key is None else steps.load(key)


def _open_receipts(tx: Transaction, terminal_id: str) -> set[str]:
    prefix = hold_name(terminal_id, "")
    values: list[Any] = [row.value for row in tx.run(tables.OPEN_HOLDS)]
    return {value.removeprefix(prefix) for value in values if value.startswith(prefix)}
