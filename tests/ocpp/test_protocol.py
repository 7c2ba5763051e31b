"""Station and CSMS joined in memory: boot, order, retries, and what is never refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tapwatt.ocpp import v16
from tapwatt.ocpp.commands import Reset, StartRequested, Trigger, TriggerKind
from tapwatt.ocpp.mend import UnableToWrite
from tapwatt.ocpp.messages import (
    Acknowledged,
    Answer,
    BootAnswered,
    ConnectorStatus,
    HeartbeatAnswered,
    HeartbeatSent,
    MeterReported,
    Reading,
    Registration,
    StartAnswered,
    StationBooted,
    StationMessage,
    StatusReported,
    StopAnswered,
    TokenAnswered,
    TokenOffered,
    TokenStatus,
    TransactionStarted,
    TransactionStopped,
    Unreadable,
)
from tapwatt.ocpp.protocol import (
    AnswerArrived,
    CsmsSide,
    GivenUp,
    NotAllowedYet,
    Phase,
    QueueFull,
    StationEvent,
    StationSide,
)
from tapwatt.rpc.messages import CallRefused, Fault

IDENTITY = StationBooted(vendor="Tapwatt", model="Sim")
START = TransactionStarted(evse_id=1, id_token="TW1", register_wh=0, at_ms=0)
STOP = TransactionStopped(transaction_id="", register_wh=500, at_ms=9)
METER = MeterReported(evse_id=1, transaction_id="", readings=(Reading(at_ms=5, register_wh=250),))
STATUS = StatusReported(evse_id=1, status=ConnectorStatus.PREPARING)


class Pair:
    """A station and a CSMS; every CALL of the station is answered unless the test breaks in."""

    def __init__(self, registration: Registration = Registration.ACCEPTED) -> None:
        self.registration = registration
        self.station = StationSide(identity=IDENTITY)
        self.csms = CsmsSide()
        self.seen: list[StationMessage] = []
        self.ids: list[str] = []
        self.now_ms = 0

    def answer(self, message: StationMessage) -> Answer:
        match message:
            case StationBooted():
                return BootAnswered(registration=self.registration, interval_s=300, now_ms=self.now_ms)
            case HeartbeatSent():
                return HeartbeatAnswered(now_ms=self.now_ms)
            case TransactionStarted():
                return StartAnswered(transaction_id="77", token=TokenAnswered(status=TokenStatus.ACCEPTED))
            case TransactionStopped():
                return StopAnswered()
        return Acknowledged()

    def step(self) -> list[StationEvent] | None:
        """One CALL of the station, answered; None when it has nothing to say."""
        sending = self.station.next_call(f"id{len(self.ids)}", self.now_ms)
        if sending is None:
            return None
        self.ids.append(sending.message_id)
        message = self.csms.read(sending.action, sending.payload)
        self.seen.append(message)
        return self.station.answered(self.csms.answer(message, self.answer(message)), self.now_ms)

    def run(self) -> list[StationEvent]:
        events: list[StationEvent] = []
        while (step := self.step()) is not None:
            events += step
        return events

    def kinds(self) -> list[str]:
        return [type(each).__name__ for each in self.seen]


@pytest.fixture
def pair() -> Pair:
    pair = Pair()
    pair.station.connected(0)
    pair.run()
    pair.seen.clear()
    return pair


def test_a_station_boots_then_beats_at_the_interval_it_was_given() -> None:
    pair = Pair()
    assert pair.station.next_call("x", 0) is None
    pair.station.connected(0)
    (event,) = pair.run()
    assert isinstance(event, AnswerArrived)
    assert pair.csms.registration is Registration.ACCEPTED
    assert pair.station.phase is Phase.ACCEPTED
    assert pair.station.next_due_ms == 300_000
    pair.now_ms = 300_000
    pair.run()
    assert pair.kinds() == ["StationBooted", "HeartbeatSent"]
    assert pair.station.next_due_ms == 600_000


def test_pending_and_rejected_stations_boot_again_after_the_interval() -> None:
    for registration in (Registration.PENDING, Registration.REJECTED):
        pair = Pair(registration)
        pair.station.connected(0)
        pair.run()
        assert (pair.station.phase, pair.station.next_due_ms) == (Phase.WAITING, 300_000)
        pair.now_ms = 299_999
        assert pair.step() is None
        pair.registration, pair.now_ms = Registration.ACCEPTED, 300_000
        pair.run()
        assert pair.station.phase is Phase.ACCEPTED


def test_a_failed_boot_is_tried_again() -> None:
    station = StationSide(identity=IDENTITY)
    station.connected(0)
    assert station.next_call("1", 0) is not None
    assert station.failed("no answer", 0) == []
    assert station.next_due_ms == 10_000


def test_messages_go_in_order_and_get_the_real_transaction_id(pair: Pair) -> None:
    pair.station.report(STATUS)
    pair.station.report(START, transaction="mine")
    pair.station.report(METER, transaction="mine")
    pair.station.report(STOP, transaction="mine")
    pair.run()
    assert pair.kinds() == ["StatusReported", "TransactionStarted", "MeterReported", "TransactionStopped"]
    assert pair.station.transactions == {"mine": "77"}
    meter, stop = pair.seen[2:]
    assert isinstance(meter, MeterReported)
    assert isinstance(stop, TransactionStopped)
    assert (meter.transaction_id, stop.transaction_id) == ("77", "77")


def test_a_stop_whose_start_was_never_answered_says_minus_one(pair: Pair) -> None:
    pair.station.report(STOP, transaction="lost")
    pair.run()
    assert isinstance(pair.seen[0], TransactionStopped)
    assert pair.seen[0].transaction_id == "-1"


def test_transaction_messages_survive_the_line_and_keep_their_id(pair: Pair) -> None:
    ticket = pair.station.report(STATUS)
    pair.station.report(START, transaction="mine")
    first = pair.station.next_call("status", 0)
    assert first is not None
    assert pair.station.disconnected(0) == [GivenUp(ticket=ticket, message=STATUS, reason="off line")]
    pair.station.report(STOP, transaction="mine")
    with pytest.raises(NotAllowedYet):
        pair.station.report(TokenOffered(id_token="a"))
    pair.station.connected(10)
    pair.step()
    sending = pair.station.next_call("start", 10)
    assert sending is not None
    pair.station.disconnected(20)
    pair.station.connected(30, boot=False)
    again = pair.station.next_call("other", 30)
    assert again == sending
    pair.station.answered(b'{"transactionId":5,"idTagInfo":{"status":"Accepted"}}', 30)
    pair.run()
    assert isinstance(pair.seen[-1], TransactionStopped)
    assert pair.seen[-1].transaction_id == "5"


def test_a_failed_transaction_message_is_retried_before_the_next_of_its_kind(pair: Pair) -> None:
    pair.station.report(START, transaction="mine")
    pair.station.report(STATUS)
    pair.station.report(STOP, transaction="mine")
    assert pair.station.next_call("start", 0) is not None
    assert pair.station.failed("InternalError", 0) == []
    pair.run()
    assert pair.kinds() == ["StatusReported"], "others may pass, the stop may not"
    assert pair.station.next_due_ms == 60_000
    pair.now_ms = 60_000
    pair.run()
    assert pair.kinds()[1:] == ["TransactionStarted", "TransactionStopped"]
    assert pair.ids[-2] == "start"


def test_after_the_last_attempt_it_is_given_up(pair: Pair) -> None:
    ticket = pair.station.report(START)
    for now_ms in (0, 60_000):
        assert pair.station.next_call("start", now_ms) is not None
        assert pair.station.failed("silence", now_ms) == []
    assert pair.station.next_call("start", 180_000) is not None
    assert pair.station.failed("silence", 180_000) == [
        GivenUp(ticket=ticket, message=START, reason="silence")
    ]


def test_an_unreadable_answer_counts_as_a_failure(pair: Pair) -> None:
    pair.station.report(START)
    assert pair.station.next_call("start", 0) is not None
    assert pair.station.answered(b'{"transactionId":"x"}', 0) == []
    assert pair.station.next_due_ms == 60_000


def test_a_stations_memory_has_an_end_and_takes_only_what_can_be_written() -> None:
    station = StationSide(identity=IDENTITY, queue_length=1)
    station.report(START)
    with pytest.raises(QueueFull):
        station.report(START)
    with pytest.raises(UnableToWrite):
        StationSide(identity=IDENTITY).report(
            TransactionStarted(evse_id=1, id_token="x" * 21, register_wh=0, at_ms=0)
        )


def test_only_one_call_is_open(pair: Pair) -> None:
    pair.station.report(START)
    pair.station.report(STOP, transaction="mine")
    assert pair.station.next_call("1", 0) is not None
    assert pair.station.next_call("2", 0) is None


@pytest.mark.parametrize("action", sorted(v16.BILLING))
@pytest.mark.parametrize("payload", [b"", b"{}", b"[]", b'{"idTag":', b'[2,"1","StopTransaction"]', b"\xff"])
def test_a_billing_message_is_never_refused(action: str, payload: bytes) -> None:
    message = CsmsSide().read(action, payload)
    assert isinstance(message, Unreadable)
    assert (message.action, message.raw) == (action, payload)
    assert message.problem


def test_anything_else_is_refused_by_the_fields_name() -> None:
    with pytest.raises(CallRefused, match="idTag is missing") as caught:
        CsmsSide().read("Authorize", b"{}")
    assert caught.value.fault is Fault.OCCURRENCE_CONSTRAINT_VIOLATION


def test_a_rejected_station_may_boot_and_bring_money_but_nothing_else() -> None:
    pair = Pair(Registration.REJECTED)
    pair.station.connected(0)
    pair.run()
    read: Callable[..., StationMessage] = pair.csms.read
    for message in (IDENTITY, START):
        assert read(*v16.encode_message(message)) == message
    with pytest.raises(CallRefused) as caught:
        read(*v16.encode_message(STATUS))
    assert caught.value.fault is Fault.SECURITY_ERROR


def test_commands_wait_for_the_boot_to_be_accepted() -> None:
    side = CsmsSide()
    start = StartRequested(id_token="TW1", evse_id=1)
    assert side.command(start)[0] == "RemoteStartTransaction", "no boot seen: a mere reconnect"
    boot = BootAnswered(registration=Registration.PENDING, interval_s=1, now_ms=0)
    side.answer(IDENTITY, boot)
    assert side.command(Trigger(message=TriggerKind.STATUS))[0] == "TriggerMessage"
    with pytest.raises(NotAllowedYet):
        side.command(start)
    side.answer(IDENTITY, BootAnswered(registration=Registration.REJECTED, interval_s=1, now_ms=0))
    with pytest.raises(NotAllowedYet):
        side.command(Reset())
