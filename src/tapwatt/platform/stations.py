"""What the stations say, turned into events of sessions and into their answers.

Billing messages are stored first and always answered positively; doubt goes to review, not into an error (law
11). One message is one commit: evidence, transaction, the session's step; its answer is given after it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import insert

from tapwatt.core import events
from tapwatt.core.effects import Effect
from tapwatt.core.payment import UnableToDecide
from tapwatt.core.session import Session, SessionState
from tapwatt.engine import Engine, Stepper
from tapwatt.ocpp import messages as ocpp
from tapwatt.platform import accounts, places, presence, transactions, upkeep
from tapwatt.platform.places import Terms
from tapwatt.platform.sessions import Event, connector_key, metered_session
from tapwatt.platform.tables import STATION_MESSAGE
from tapwatt.store import Row, Transaction

log = structlog.get_logger("tapwatt.stations")

Stepping = Stepper[Session, Event, Effect]
EVIDENCE_MAX = 65_536
TS = ocpp.TokenStatus

ADD_MESSAGE = insert(STATION_MESSAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came of a message: the answer, and for the evidence what was made of it and whose it is."""

    answer: ocpp.Answer
    verdict: str = ""
    session_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stations:
    """Takes in what stations say."""

    engine: Engine[Session, Event, Effect]
    terms: Terms
    open_admission: bool
    heartbeat_s: int
    chance: Callable[[int], bytes]
    now_ms: Callable[[], int]

    async def admit(self, station_id: str) -> str | None:
        """Let a station in, or say why not. An unknown one gets a row of its own when admission is open."""

        def work(tx: Transaction, stepper: Stepping) -> str | None:
            if tx.one(places.FIND_STATION, station_id=station_id) is not None:
                return None
            tariff = tx.one(places.FIRST_TARIFF)
            if not self.open_admission or tariff is None:
                return f"station {station_id} is not registered"
            places.add_unknown(tx, station_id, like=tariff)
            return None

        return await self.engine.transact(work)

    async def seen(self, station_id: str, *, connected: bool) -> None:
        """A station's socket came or went."""
        at_ms = self.now_ms()
        await self.engine.transact(
            lambda tx, _: presence.seen(tx, station_id, connected=connected, at_ms=at_ms)
        )

    async def handle(self, received: ocpp.Received) -> ocpp.Answer:
        """Answer one message of a station; what was said of it is on its page and in the log."""
        said = await self.engine.transact(lambda tx, stepper: self._take(tx, stepper, received))
        if said.verdict:
            log.info(
                "message judged",
                station=received.station_id,
                action=received.action,
                verdict=said.verdict,
                session=said.session_id,
            )
        return said.answer

    def _take(self, tx: Transaction, stepper: Stepping, received: ocpp.Received) -> Said:
        station = tx.one(places.FIND_STATION, station_id=received.station_id)
        if station is None:
            raise LookupError(f"station {received.station_id} is gone")
        tx.run(places.SET_STATION_SEEN, station=station.station_id, connected=1, seen_ms=self.now_ms())
        said = self._said(tx, stepper, station, received.message)
        if isinstance(received.message, ocpp.HeartbeatSent):
            return said
        verdict = "; ".join(filter(None, (said.verdict, *received.violations)))
        tx.run(
            ADD_MESSAGE,
            operator_id=station.operator_id,
            station_id=station.station_id,
            action=received.action,
            body=received.raw[:EVIDENCE_MAX].decode("utf-8", "replace"),
            verdict=verdict,
            session_id=said.session_id,
            at_ms=self.now_ms(),
        )
        return replace(said, verdict=verdict)

    def _said(self, tx: Transaction, stepper: Stepping, station: Row, message: ocpp.StationMessage) -> Said:
        match message:
            case ocpp.StationBooted():
                return self._booted(tx, station, message)
            case ocpp.HeartbeatSent():
                return Said(answer=ocpp.HeartbeatAnswered(now_ms=self.now_ms()))
            case ocpp.StatusReported():
                return self._status(tx, stepper, station, message)
            case ocpp.TokenOffered():
                return self._token(tx, stepper, station, message)
            case ocpp.TransactionStarted():
                return self._started(tx, stepper, station, message)
            case ocpp.MeterReported():
                return self._metered(tx, stepper, station, message)
            case ocpp.TransactionStopped():
                return self._stopped(tx, stepper, station, message)
            case ocpp.DataTransferred():
                return Said(answer=ocpp.DataAnswered(status=ocpp.DataStatus.UNKNOWN_VENDOR))
            case ocpp.FirmwareReported() | ocpp.DiagnosticsReported():
                upkeep.reported(tx, station, message, at_ms=self.now_ms())
                return Said(answer=ocpp.Acknowledged())
            case ocpp.Unreadable():
                return self._unreadable(message)
            case _:
                return Said(answer=ocpp.Acknowledged())

    def _booted(self, tx: Transaction, station: Row, message: ocpp.StationBooted) -> Said:
        tx.run(
            places.SET_STATION_IDENTITY,
            station=station.station_id,
            vendor=message.vendor,
            model=message.model,
            serial=message.serial,
            firmware=message.firmware,
            meter_serial=message.meter_serial or station.meter_serial,
        )
        return Said(
            answer=ocpp.BootAnswered(
                registration=ocpp.Registration.ACCEPTED,
                interval_s=self.heartbeat_s,
                now_ms=self.now_ms(),
            )
        )

    def _status(self, tx: Transaction, stepper: Stepping, station: Row, message: ocpp.StatusReported) -> Said:
        if message.evse_id == 0:
            return Said(answer=ocpp.Acknowledged())
        before = places.set_connector(
            tx,
            operator_id=station.operator_id,
            station_id=station.station_id,
            evse_id=message.evse_id,
            status=message.status,
            error=message.error_code if message.error_code != "NoError" else None,
            at_ms=self.now_ms(),
        )
        session_id = stepper.find("connector", connector_key(station.station_id, message.evse_id))
        if session_id is None:
            if places.arriving(message.status, before):
                session_id = self._offer(tx, stepper, station, message.evse_id)
            return Said(answer=ocpp.Acknowledged(), session_id=session_id)
        was_connected = before is not None and before.status in places.CONNECTED
        if message.status in places.CONNECTED and not was_connected:
            stepper.step(session_id, events.PluggedIn(at_ms=self.now_ms()))
        if message.status == ocpp.ConnectorStatus.AVAILABLE:
            stepper.step(session_id, events.Unplugged(at_ms=self.now_ms()))
        if (idles := places.idling(message.status, before, at_ms=message.at_ms or self.now_ms())) is not None:
            stepper.step(session_id, idles)
        return Said(answer=ocpp.Acknowledged(), session_id=session_id)

    def _offer(
        self, tx: Transaction, stepper: Stepping, station: Row, evse_id: int, *, always: bool = False
    ) -> str | None:
        """Offer a session at a connector where a card can pay for it, or a tag is already there."""
        terminal_id = places.terminal_at(
            tx, operator_id=station.operator_id, station_id=station.station_id, evse_id=evse_id
        )
        if terminal_id is None and not always:
            return None
        offered = places.offer(
            tx,
            station=station,
            evse_id=evse_id,
            terminal_id=terminal_id,
            plugged=True,
            terms=self.terms,
            chance=self.chance(32),
            at_ms=self.now_ms(),
        )
        if offered is None:
            return None
        stepper.step(offered.session_id, offered)
        return offered.session_id

    def _token(self, tx: Transaction, stepper: Stepping, station: Row, message: ocpp.TokenOffered) -> Said:
        session_id = stepper.find("token", message.id_token)
        if session_id is not None:
            state = stepper.load(session_id)
            awaited = state is not None and state.state in (SessionState.READY, SessionState.STARTING)
            status = TS.ACCEPTED if awaited else TS.INVALID
            return Said(answer=ocpp.TokenAnswered(status=status), session_id=session_id)
        status, reason = self._account_status(tx, station, message.id_token)
        return Said(answer=ocpp.TokenAnswered(status=status), verdict=reason)

    def _account_status(self, tx: Transaction, station: Row, id_token: str) -> tuple[ocpp.TokenStatus, str]:
        account = accounts.find_by_tag(tx, operator_id=station.operator_id, id_token=id_token)
        if account is None:
            return TS.INVALID, "unknown tag"
        if account.status != "active":
            return TS.BLOCKED, f"account {account.account_id} is {account.status}"
        if account.balance_minor < self.terms.hold.least_minor:
            return TS.BLOCKED, f"account {account.account_id} has no credit"
        return TS.ACCEPTED, ""

    def _started(
        self, tx: Transaction, stepper: Stepping, station: Row, message: ocpp.TransactionStarted
    ) -> Said:
        names = {
            "operator_id": station.operator_id,
            "station_id": station.station_id,
            "evse_id": message.evse_id,
            "id_token": message.id_token,
            "started_ms": message.at_ms if message.at_ms is not None else self.now_ms(),
        }
        known = tx.one(transactions.FIND_START, **names)
        if known is not None:
            return _start_answer(known.transaction_id, known.verdict, "repeat", known.session_id)
        row = tx.one(
            transactions.ADD_TRANSACTION,
            **names,
            register_wh=message.register_wh or 0,
            session_id=None,
            verdict="new",
        )
        if row is None:
            raise LookupError("a transaction got no number")
        event = events.Started(
            at_ms=self.now_ms(),
            transaction_id=str(row.transaction_id),
            register_wh=message.register_wh or 0,
            read_ms=names["started_ms"],
            doubt="" if message.register_wh is not None else "no register reading at the start",
        )
        session_id, verdict = self._begin(tx, stepper, station, message, event)
        tx.run(
            transactions.SET_VERDICT, transaction=row.transaction_id, session=session_id, verdict_text=verdict
        )
        return _start_answer(row.transaction_id, verdict, "", session_id)

    def _begin(
        self,
        tx: Transaction,
        stepper: Stepping,
        station: Row,
        message: ocpp.TransactionStarted,
        event: events.Started,
    ) -> tuple[str | None, str]:
        """Tie a new transaction to its session: by our one-use token, else by a known account's tag."""
        session_id = stepper.find("token", message.id_token)
        if session_id is None:
            return self._begin_by_tag(tx, stepper, station, message, event)
        before = stepper.load(session_id)
        if before is None or before.transaction_id is not None:
            return None, TS.CONCURRENT
        step = stepper.step(session_id, event)
        return session_id, TS.ACCEPTED if step.state.state is SessionState.CHARGING else TS.INVALID

    def _begin_by_tag(
        self,
        tx: Transaction,
        stepper: Stepping,
        station: Row,
        message: ocpp.TransactionStarted,
        event: events.Started,
    ) -> tuple[str | None, str]:
        status, _ = self._account_status(tx, station, message.id_token)
        if status is not TS.ACCEPTED:
            return None, status
        session_id = stepper.find("connector", connector_key(station.station_id, message.evse_id))
        present = stepper.load(session_id) if session_id else None
        if present is not None and present.state is not SessionState.OFFERED:
            return None, TS.CONCURRENT
        if session_id is None:
            session_id = self._offer(tx, stepper, station, message.evse_id, always=True)
        account = accounts.find_by_tag(tx, operator_id=station.operator_id, id_token=message.id_token)
        if session_id is None or account is None:
            return None, TS.INVALID
        tag = events.AccountPresented(
            at_ms=self.now_ms(), account_id=account.account_id, id_token=message.id_token
        )
        stepper.step(session_id, tag)
        stepper.step(session_id, event)
        return session_id, TS.ACCEPTED

    def _metered(self, tx: Transaction, stepper: Stepping, station: Row, message: ocpp.MeterReported) -> Said:
        answer = ocpp.Acknowledged()
        session_id = metered_session(
            stepper, station.station_id, message.evse_id, transaction_id=message.transaction_id
        )
        if session_id is None and message.transaction_id is None:
            return Said(answer=answer)
        if session_id is None:
            return Said(answer=answer, verdict=f"orphan: transaction {message.transaction_id} has no session")
        readings = [reading for reading in message.readings if reading.register_wh is not None]
        if not readings:
            return Said(answer=answer, verdict="no register in it", session_id=session_id)
        last = readings[-1]
        event = events.Metered(
            at_ms=self.now_ms(),
            register_wh=last.register_wh or 0,
            read_ms=last.at_ms if last.at_ms is not None else self.now_ms(),
        )
        return Said(answer=answer, verdict=_try(stepper, session_id, event), session_id=session_id)

    def _stopped(
        self, tx: Transaction, stepper: Stepping, station: Row, message: ocpp.TransactionStopped
    ) -> Said:
        answer = ocpp.StopAnswered()
        transaction = transactions.find(tx, station, message.transaction_id)
        if transaction is None:
            return self._stopped_unknown(stepper, station, message)
        if transaction.stopped_ms is not None:
            return Said(
                answer=answer, verdict="repeat: the first stop counts", session_id=transaction.session_id
            )
        at_ms = message.at_ms if message.at_ms is not None else self.now_ms()
        tx.run(
            transactions.STOP_TRANSACTION,
            transaction=transaction.transaction_id,
            at_ms=at_ms,
            stop_wh=message.register_wh,
        )
        if transaction.session_id is None:
            return Said(answer=answer, verdict=transactions.unpaid(transaction, message.register_wh))
        event = self._stop_event(message, at_ms, proved=True)
        verdict = _try(stepper, transaction.session_id, event)
        return Said(answer=answer, verdict=verdict, session_id=transaction.session_id)

    def _stopped_unknown(self, stepper: Stepping, station: Row, message: ocpp.TransactionStopped) -> Said:
        """A stop of a transaction we never numbered ("-1"): tied by our one-use token, or kept for a
        person."""
        answer = ocpp.StopAnswered()
        session_id = stepper.find("token", message.id_token) if message.id_token else None
        orphan = f"orphan: transaction {message.transaction_id} is not ours"
        if session_id is None:
            return Said(answer=answer, verdict=orphan)
        at_ms = message.at_ms if message.at_ms is not None else self.now_ms()
        state = stepper.load(session_id)
        if state is None or state.state not in (SessionState.CHARGING, SessionState.STOPPING):
            return Said(answer=answer, verdict=orphan, session_id=session_id)
        verdict = _try(stepper, session_id, self._stop_event(message, at_ms, proved=False))
        return Said(answer=answer, verdict=verdict or "by its one-use token", session_id=session_id)

    def _stop_event(self, message: ocpp.TransactionStopped, at_ms: int, *, proved: bool) -> events.Stopped:
        known = [reading.register_wh for reading in message.readings if reading.register_wh is not None]
        register_wh = message.register_wh
        if register_wh is None and known:
            register_wh = known[-1]
        return events.Stopped(
            at_ms=self.now_ms(),
            register_wh=register_wh or 0,
            read_ms=at_ms,
            cause=message.reason,
            proved=proved and register_wh is not None,
        )

    def _unreadable(self, message: ocpp.Unreadable) -> Said:
        verdict = f"orphan: unreadable, {message.problem}"
        if message.action == "StartTransaction":
            # Answered, so that the station does not repeat it for ever; number 0 belongs to nobody.
            token = ocpp.TokenAnswered(status=TS.INVALID)
            return Said(answer=ocpp.StartAnswered(transaction_id="0", token=token), verdict=verdict)
        if message.action == "StopTransaction":
            return Said(answer=ocpp.StopAnswered(), verdict=verdict)
        return Said(answer=ocpp.Acknowledged(), verdict=verdict)


def _start_answer(transaction_id: int, verdict: str, note: str, session_id: str | None) -> Said:
    status = TS(verdict) if verdict in set(TS) else TS.INVALID
    answer = ocpp.StartAnswered(transaction_id=str(transaction_id), token=ocpp.TokenAnswered(status=status))
    text = note or ("" if status is TS.ACCEPTED else f"refused: {verdict}")
    return Said(answer=answer, verdict=text, session_id=session_id)


def _try(stepper: Stepping, session_id: str, event: Event) -> str:
    """Take a step; a session that has no row for it must not make the station repeat its message for ever."""
    try:
        stepper.step(session_id, event)
    except UnableToDecide as error:
        log.error("no row for a station's message", session=session_id, reason=str(error))
        return f"orphan: {error}"
    return ""
