"""What the edges tell: terminals, cards and outcomes, turned into events of sessions."""

from collections.abc import Callable
from dataclasses import dataclass

from tapwatt.core import events
from tapwatt.core.effects import Effect
from tapwatt.core.payment import UnableToDecide
from tapwatt.core.session import Session, SessionState
from tapwatt.engine import Engine
from tapwatt.engine.loop import Stepper
from tapwatt.platform import accounts, places
from tapwatt.platform.places import Terms
from tapwatt.platform.sessions import Event, connector_key
from tapwatt.store import Row, Transaction
from tapwatt.uplink.messages import (
    Accepted,
    CardPresented,
    FromEdge,
    Hello,
    OperationKind,
    Outcome,
    Progress,
    Result,
    TerminalReported,
)

R, K = Result, OperationKind
Stepping = Stepper[Session, Event, Effect]
YES = Accepted(accepted=True, reason="")


def no(reason: str) -> Accepted:
    """An answer that says why not."""
    return Accepted(accepted=False, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminals:
    """Takes in what edges say. Each message is one commit; its answer is given after it."""

    engine: Engine[Session, Event, Effect]
    terms: Terms
    chance: Callable[[int], bytes]
    now_ms: Callable[[], int]

    async def handle(self, edge_id: str, message: FromEdge) -> Accepted:
        """Answer one message of an edge."""
        match message:
            case Hello():
                return await self._hello(edge_id, message)
            case TerminalReported():
                return await self._reported(edge_id, message)
            case CardPresented():
                return await self.engine.transact(
                    lambda tx, stepper: self._card(tx, stepper, edge_id, message)
                )
            case Outcome():
                return await self._outcome(edge_id, message)
            case Progress():
                return YES

    async def edge_gone(self, edge_id: str) -> None:
        """An edge is not connected any more; what its terminals do is not known."""
        now_ms = self.now_ms()
        await self.engine.transact(lambda tx, _: tx.run(places.EDGE_GONE, edge=edge_id, since_ms=now_ms))

    async def _hello(self, edge_id: str, message: Hello) -> Accepted:
        """An edge is connected and names its terminals."""
        if message.edge_id != edge_id:
            return no(f"this connection belongs to {edge_id}")
        for report in message.terminals:
            reported = TerminalReported(
                terminal_id=report.terminal_id,
                state=report.state,
                serial=report.serial,
                tid=report.tid,
                at_ms=self.now_ms(),
            )
            answer = await self._reported(edge_id, reported)
            if not answer.accepted:
                return answer
        return YES

    async def _reported(self, edge_id: str, message: TerminalReported) -> Accepted:
        """A terminal's state changed."""

        def work(tx: Transaction, stepper: Stepping) -> Accepted:
            row = _terminal_of(tx, edge_id, message.terminal_id)
            if row is None:
                return no(f"terminal {message.terminal_id} is not registered at {edge_id}")
            tx.run(
                places.SET_TERMINAL,
                terminal=message.terminal_id,
                serial=message.serial or row.serial,
                tid=message.tid or row.tid,
                state=message.state,
                text=message.text,
                since_ms=self.now_ms(),
            )
            return YES

        return await self.engine.transact(work)

    def _card(self, tx: Transaction, stepper: Stepping, edge_id: str, message: CardPresented) -> Accepted:
        """A card was held to a terminal: it pays for the session at hand, or ends the one it paid for."""
        terminal = _terminal_of(tx, edge_id, message.terminal_id)
        if terminal is None:
            return no(f"terminal {message.terminal_id} is not registered at {edge_id}")
        served = tx.run(places.SERVED_BY, operator_id=terminal.operator_id, terminal_id=terminal.terminal_id)
        present = [(row, self._session_at(stepper, row)) for row in served]
        for _, session in present:
            if session is not None and _paid_by(session, message.token):
                stepper.step(
                    session.session_id,
                    events.StopAsked(at_ms=self.now_ms(), by="card"),
                    key=message.key,
                )
                return YES
        chosen = self._choose(present)
        if chosen is None:
            return no("Please plug in first")
        row, session = chosen
        account = None
        if message.kind == "rfid":
            account = accounts.find_by_tag(tx, operator_id=terminal.operator_id, id_token=message.uid or "")
            if account is None:
                return no("This tag is not known")
        session_id = session.session_id if session else self._offer(tx, stepper, terminal, row)
        if session_id is None:
            return no("No price is in force here now")
        presented: Event = events.CardPresented(
            at_ms=self.now_ms(), token=message.token, brand=message.brand, last_four=message.last_four
        )
        if account is not None:
            presented = events.AccountPresented(
                at_ms=self.now_ms(), account_id=account.account_id, id_token="", at_station=False
            )
        stepper.step(session_id, presented, key=message.key)
        return YES

    def _session_at(self, stepper: Stepping, row: Row) -> Session | None:
        session_id = stepper.find("connector", connector_key(row.station_id, row.evse_id))
        return stepper.load(session_id) if session_id else None

    def _choose(self, present: list[tuple[Row, Session | None]]) -> tuple[Row, Session | None] | None:
        """The connector a card is for: the one plugged in last and not paid, else the only free one."""
        for row, session in present:
            if session is not None and session.state is SessionState.OFFERED:
                return row, session
            if session is None and row.status == places.PLUGGED:
                return row, None
        free = [(row, session) for row, session in present if session is None and row.status == places.FREE]
        return free[0] if len(free) == 1 and len(present) == 1 else None

    def _offer(self, tx: Transaction, stepper: Stepping, terminal: Row, row: Row) -> str | None:
        station = tx.one(places.FIND_STATION, station_id=row.station_id)
        if station is None:
            raise LookupError(f"connector of unknown station {row.station_id}")
        offered = places.offer(
            tx,
            station=station,
            evse_id=row.evse_id,
            terminal_id=terminal.terminal_id,
            plugged=row.status == places.PLUGGED,
            terms=self.terms,
            chance=self.chance(32),
            at_ms=self.now_ms(),
        )
        if offered is None:
            return None
        stepper.step(offered.session_id, offered)
        return offered.session_id

    async def _outcome(self, edge_id: str, message: Outcome) -> Accepted:
        """What became of an operation. Acknowledged only after COMMIT; a repeat changes nothing."""
        event = outcome_event(message, at_ms=self.now_ms())
        if event is None:
            return no(f"{message.result} says nothing about a {message.kind}")
        session_id = message.key.split(".")[0]

        def work(tx: Transaction, stepper: Stepping) -> Accepted:
            state = stepper.load(session_id)
            known = _terminal_of(tx, edge_id, message.terminal_id)
            if state is None or known is None or state.terminal_id != message.terminal_id:
                return no(f"no session of {edge_id} has an operation {message.key}")
            stepper.step(session_id, event, key=f"{message.key}:{message.result}")
            return YES

        try:
            return await self.engine.transact(work)
        except UnableToDecide as error:
            return no(str(error))


def _terminal_of(tx: Transaction, edge_id: str, terminal_id: str) -> Row | None:
    """A terminal, if this edge is the one that drives it: an edge speaks for nobody else's."""
    row = tx.one(places.FIND_TERMINAL, terminal_id=terminal_id)
    return row if row is not None and row.edge_id == edge_id else None


def _paid_by(session: Session, token: str | None) -> bool:
    paid = session.payment
    running = session.state in (SessionState.STARTING, SessionState.CHARGING)
    return bool(running and paid and token and paid.token == token)


def outcome_event(message: Outcome, *, at_ms: int) -> Event | None:
    """The event that an outcome of this kind of operation is; None when it makes no sense."""
    key, amount, text = message.key, message.amount_minor, message.reason
    keys = {
        "receipt": message.receipt or None,
        "trace": message.trace or None,
        "tid": message.tid or None,
        "approval_code": message.approval_code or None,
    }
    match message.kind, message.result:
        case ((K.PREAUTHORISE | K.INCREASE), R.APPROVED):
            card = {
                "token": message.token or None,
                "brand": message.brand or None,
                "last_four": message.last_four or None,
            }
            return events.Approved(at_ms=at_ms, key=key, amount_minor=amount or 0, **keys, **card)
        case ((K.PREAUTHORISE | K.INCREASE), R.DECLINED):
            return events.Declined(at_ms=at_ms, key=key, code=message.code, text=text)
        case ((K.PREAUTHORISE | K.INCREASE), R.ABORTED):
            return events.Aborted(at_ms=at_ms, key=key, text=text)
        case _, R.NOT_SENT:
            return events.NotSent(at_ms=at_ms, key=key, text=text)
        case _, R.UNKNOWN:
            return events.Silent(at_ms=at_ms, key=key, text=text)
        case _, R.FOUND_OPEN:
            return events.FoundOpen(at_ms=at_ms, key=key, amount_minor=amount, **keys)
        case ((K.PREAUTHORISE | K.INCREASE), R.FOUND_NONE):
            return events.FoundNone(at_ms=at_ms, key=key)
        case K.CAPTURE, R.DONE:
            return events.Captured(at_ms=at_ms, key=key, amount_minor=amount or 0)
        case K.CAPTURE, R.ALREADY_DONE:
            return events.AlreadyCaptured(at_ms=at_ms, key=key, amount_minor=amount or 0)
        case K.CAPTURE, (R.REFUSED | R.DECLINED | R.NOT_FOUND | R.FOUND_NONE):
            return events.CaptureRefused(at_ms=at_ms, key=key, code=message.code, text=text)
        case K.RELEASE, (R.DONE | R.ALREADY_DONE | R.NOT_FOUND | R.FOUND_NONE):
            return events.Released(at_ms=at_ms, key=key)
        case K.RELEASE, (R.REFUSED | R.DECLINED):
            return events.ReleaseRefused(at_ms=at_ms, key=key, code=message.code, text=text)
        case K.REFUND, (R.DONE | R.ALREADY_DONE):
            return events.Refunded(at_ms=at_ms, key=key, amount_minor=amount or 0)
        case K.REFUND, (R.REFUSED | R.DECLINED):
            return events.RefundRefused(at_ms=at_ms, key=key, text=text)
        case _:
            return None
