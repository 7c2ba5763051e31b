"""One terminal as a machine: registering, its state, texts, and what people are told about it."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from tapwatt.edge.patience import Patience
from tapwatt.edge.tables import TerminalPlace
from tapwatt.edge.teller import Teller
from tapwatt.edge.wires import TerminalLink
from tapwatt.terminals import messages as terminal
from tapwatt.uplink.messages import TerminalReport, TerminalReported, TerminalState

log = structlog.get_logger("tapwatt.edge")


class TerminalLost(Exception):
    """The terminal cannot be talked to now; everything begins again with a new connection."""


class Unit:
    """The terminal, without money and cards."""

    def __init__(
        self,
        place: TerminalPlace,
        *,
        link: TerminalLink,
        teller: Teller,
        now_ms: Callable[[], int],
        patience: Patience,
    ) -> None:
        self.place = place
        self.link = link
        self.ready = False
        self.status_at_ms = 0
        """When a terminal that is not ready is asked again."""
        self.state_text = ""
        self._teller = teller
        self._now_ms = now_ms
        self._patience = patience
        self._state = TerminalState.OFFLINE
        self._tid = ""
        self._warned: set[str] = set()

    async def connect(self) -> None:
        """Dial and register. Raises TerminalLost."""
        try:
            await self.link.connect()
        except (OSError, TimeoutError) as problem:
            raise TerminalLost(f"the terminal cannot be reached: {problem or 'no answer'}") from problem
        await self.register()
        await self.ask_status()

    async def disconnect(self, reason: str) -> None:
        """Hang up, and say why the terminal cannot be used."""
        await self.link.close()
        self.ready = False
        self._tell_state(TerminalState.OFFLINE, reason)

    async def register(self) -> None:
        """Log on with the terminal (0600). Raises TerminalLost."""
        outcome = await self.enquire(terminal.Register())
        if not isinstance(outcome, terminal.TerminalState):
            raise TerminalLost(f"registration failed: {_reason(outcome)}")
        self._tid = outcome.tid or self._tid

    async def ask_status(self) -> None:
        """Ask how the terminal is (0501). Raises TerminalLost."""
        outcome = await self.enquire(terminal.Status())
        if not isinstance(outcome, terminal.TerminalState):
            raise TerminalLost(f"no status: {_reason(outcome)}")
        self._tid = outcome.tid or self._tid
        self.ready = outcome.ready
        self.status_at_ms = self._now_ms() + round(self._patience.not_ready_s * 1000)
        self._tell_state(TerminalState.READY if outcome.ready else TerminalState.FAULTED, outcome.text)

    async def open_holds(self) -> tuple[str, ...] | None:
        """The terminal's list of open holds, by receipt; None when it gives none. Raises TerminalLost."""
        outcome = await self.enquire(terminal.OpenAuthorisations())
        if isinstance(outcome, terminal.OpenList):
            return outcome.receipts
        busy = isinstance(outcome, terminal.NotSent) and outcome.kind is terminal.ResultKind.BUSY
        if busy or isinstance(outcome, terminal.Unknown) or not self.link.connected:
            raise TerminalLost(f"no list of open holds: {_reason(outcome)}")
        self.warn(f"the terminal does not give its open holds: {_reason(outcome)}")
        return None

    async def enquire(self, operation: terminal.Operation) -> terminal.Outcome:
        """Ask something that moves no money."""
        return await self.link.run(operation, answer_ms=round(self._patience.enquiry_s * 1000))

    def warn(self, text: str) -> None:
        """Tell a person, once while this program runs."""
        if text in self._warned:
            return
        self._warned.add(text)
        log.warning("alarm", terminal=self.place.terminal_id, text=text)
        self._teller.news(self._reported(text))

    def report(self) -> TerminalReport:
        """The terminal as the platform is told at each Hello."""
        return TerminalReport(
            terminal_id=self.place.terminal_id,
            profile=self.place.profile,
            serial=self.place.serial,
            tid=self._tid,
            state=self._state,
        )

    def _tell_state(self, state: TerminalState, text: str) -> None:
        if (state, text) == (self._state, self.state_text):
            return
        if state is not self._state:
            log.info("terminal", terminal=self.place.terminal_id, state=state.value, text=text)
        self._state, self.state_text = state, text
        self._teller.news(self._reported(text))

    def _reported(self, text: str) -> TerminalReported:
        return TerminalReported(
            terminal_id=self.place.terminal_id,
            state=self._state,
            at_ms=self._now_ms(),
            text=text,
            serial=self.place.serial,
            tid=self._tid,
        )


def _reason(outcome: terminal.Outcome) -> str:
    return getattr(outcome, "reason", "") or type(outcome).__name__
