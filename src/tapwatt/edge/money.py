"""The money dialogues of one terminal: whose turn it is, the dialogue itself, and what settles the doubtful
ones.

Intent is committed before the first byte, the terminal's keys before they are acknowledged (design.md law 4).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from tapwatt.core.ids import symbols
from tapwatt.edge import dialogue
from tapwatt.edge.decide import UnableToDecide
from tapwatt.edge.journal import Journal
from tapwatt.edge.operation import NotSent, Operation, State, Stated
from tapwatt.edge.patience import Patience
from tapwatt.edge.teller import Teller
from tapwatt.edge.unit import TerminalLost, Unit
from tapwatt.edge.wires import Shown
from tapwatt.terminals import messages as terminal
from tapwatt.uplink.messages import Operate, OperationKind, Progress

TRIES_UNTIL_ALARM = 5

Keep = Callable[[terminal.Outcome, bool], Awaitable[None]]

log = structlog.get_logger("tapwatt.edge")


class Money:
    """The operations of one terminal."""

    def __init__(
        self,
        unit: Unit,
        *,
        journal: Journal,
        teller: Teller,
        now_ms: Callable[[], int],
        chance: Callable[[int], bytes],
        patience: Patience,
    ) -> None:
        self.look_at_ms = 0
        """When the list of open holds is read next."""
        self.running = ""
        """The key of the operation on the wire."""
        self._unit = unit
        self._journal = journal
        self._teller = teller
        self._now_ms = now_ms
        self._chance = chance
        self._patience = patience
        self._tries: dict[str, int] = {}
        self._not_before_ms: dict[str, int] = {}

    # --- whose turn it is

    def next(self, now_ms: int) -> Operation | None:
        """The operation whose turn it is: captures and releases first, each in order of arrival."""
        due = [each for each in self._queued() if self._not_before_ms.get(each.key, 0) <= now_ms]
        return min(due, key=lambda operation: not operation.finishes, default=None)

    def moments_ms(self) -> list[int]:
        """When something that waits will be due."""
        return [self.look_at_ms, *self._not_before_ms.values()]

    def driver_waits(self) -> bool:
        """Whether an authorisation waits: a person stands there."""
        return any(not operation.finishes for operation in self._queued())

    def may_be_stopped(self, key: str) -> bool:
        """Whether this operation is on the wire and may be aborted: a capture or release may not."""
        operation = next((each for each in self._waiting() if each.key == key), None)
        return self.running == key and operation is not None and not operation.finishes

    async def refuse_authorisations(self, reason: str) -> None:
        """Nothing was sent of them and nothing can be: say so at once. Captures and releases stay."""
        for operation in self._queued():
            if not operation.finishes:
                await self._not_sent(operation.key, reason)

    # --- the dialogue

    async def operate(self, operation: Operation) -> Operation:
        """Have the terminal do it, and give how that ended. Raises TerminalLost when nobody knows."""
        why_not = self._why_not(operation)
        if why_not:
            await self._not_sent(operation.key, why_not)
            return operation
        begun = await self._journal.begin(operation.key)
        if begun.ended:
            return begun
        self.running = operation.key
        try:
            ended = await self._converse(begun)
        finally:
            self.running = ""
        self._put_off(ended)
        if ended.state is State.LOOKUP:
            self.look_at_ms = 0
        if ended.state is State.UNKNOWN:
            raise TerminalLost(ended.reason)
        return ended

    def _why_not(self, operation: Operation) -> str:
        """Why an authorisation is not begun; captures and releases always are."""
        if operation.finishes:
            return ""
        if 0 < operation.asked.deadline_ms <= self._now_ms():
            return "its deadline passed while it waited"
        return "" if self._unit.ready else f"the terminal is not ready: {self._unit.state_text}"

    def _put_off(self, operation: Operation) -> None:
        """Let a capture or release that did not end wait for its next turn, longer each time."""
        if operation.ended:
            self._tries.pop(operation.key, None)
            self._not_before_ms.pop(operation.key, None)
        elif operation.finishes:
            tries = self._tries.get(operation.key, 0)
            wait_s = min(self._patience.again_s * 2 ** min(tries, 10), self._patience.again_most_s)
            self._tries[operation.key] = tries + 1
            if tries + 1 == TRIES_UNTIL_ALARM:
                kind, receipt = operation.asked.kind.value, operation.asked.receipt
                self._unit.warn(f"the {kind} of receipt {receipt} does not get through: {operation.reason}")
            self._not_before_ms[operation.key] = self._now_ms() + round(wait_s * 1000)

    async def _converse(self, operation: Operation) -> Operation:
        """One money dialogue; a terminal that had forgotten us is registered with and asked once more."""
        told: list[Operation] = []
        outcome = await self._ask(operation, self._keeper(operation, told, cures=True))
        if not told and dialogue.is_not_registered(outcome):
            await self._unit.register()
            outcome = await self._ask(operation, self._keeper(operation, told, cures=False))
        if told:
            return told[0]
        event = dialogue.event(outcome, at_ms=self._now_ms())
        return await self._journal.happened(operation.key, event)

    async def _ask(self, operation: Operation, keep: Keep) -> terminal.Outcome:
        return await self._unit.link.run(
            dialogue.command(operation),
            on_status=keep,
            on_intermediate=lambda shown: self._progress(operation, shown),
            answer_ms=round(self._patience.dialogue_s * 1000),
        )

    def _keeper(self, operation: Operation, told: list[Operation], *, cures: bool) -> Keep:
        """Commits what the terminal states before it is acknowledged."""

        async def keep(outcome: terminal.Outcome, final: bool) -> None:
            at_ms = self._now_ms()
            if final and not (cures and dialogue.is_not_registered(outcome)):
                event = dialogue.event(outcome, at_ms=at_ms)
                told.append(await self._journal.happened(operation.key, event))
            elif isinstance(outcome, terminal.Approved) and outcome.receipt:
                stated = Stated(at_ms=at_ms, keys=dialogue.keys(outcome))
                await self._journal.happened(operation.key, stated)

        return keep

    def _progress(self, operation: Operation, shown: Shown) -> None:
        if operation.own:
            return
        self._teller.news(
            Progress(
                terminal_id=operation.terminal_id,
                key=operation.key,
                code=f"{shown.code:02X}",
                text=shown.text,
                at_ms=self._now_ms(),
            )
        )

    # --- recovery

    async def look_up(self) -> None:
        """Read the terminal's list of open holds and settle what it explains. Raises TerminalLost."""
        await self._journal.cut_off(self._unit.place.terminal_id, reason="the dialogue was cut")
        listed = await self._unit.open_holds()
        now_ms = self._now_ms()
        if listed is None:
            self.look_at_ms = now_ms + round(self._patience.again_most_s * 1000)
            return
        self.look_at_ms = now_ms + round(self._patience.check_s * 1000)
        findings = await self._journal.recover(self._unit.place.terminal_id, listed)
        if None in findings.receipts.values():
            # A dialogue that was cut may still end at the terminal, after its own wait for the host.
            self.look_at_ms = now_ms + round(self._patience.dialogue_s * 1000)
        for receipt in findings.strangers:
            await self._release_stranger(receipt)
        for receipt in findings.contradicted:
            self._unit.warn(f"receipt {receipt} was captured and the terminal calls it open")
        for receipt in findings.missing:
            self._unit.warn(f"the hold of receipt {receipt} is not at the terminal any more")

    async def _release_stranger(self, receipt: str) -> None:
        """A hold that nobody knows blocks somebody's money for nothing: give it back, and say so."""
        place = self._unit.place
        request = Operate(
            key=f"X{symbols(self._chance(10), length=15)}",
            kind=OperationKind.RELEASE,
            terminal_id=place.terminal_id,
            amount_minor=0,
            currency=place.currency,
            deadline_ms=0,
            receipt=receipt,
        )
        self._unit.warn(f"releasing the open hold of receipt {receipt}, which nobody knows")
        await self._journal.ask(request, operator_id=place.operator_id, problem="", own=True)

    # --- inside

    def _waiting(self) -> list[Operation]:
        return self._journal.waiting(self._unit.place.terminal_id)

    def _queued(self) -> list[Operation]:
        return [operation for operation in self._waiting() if operation.state is State.QUEUED]

    async def _not_sent(self, key: str, reason: str) -> None:
        try:
            await self._journal.happened(key, NotSent(at_ms=self._now_ms(), reason=reason))
        except UnableToDecide as problem:
            # Taken back by the platform in the same moment.
            log.info("too late", key=key, session=key.partition(".")[0], reason=str(problem))
