"""What real chargers send instead of OCPP 1.6, and what is refused, by us and by them."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ocpp.v16_tables import MESSAGES, NOON, NOON_MS, a_message, text

from tapwatt.ocpp import v16
from tapwatt.ocpp.commands import (
    ChangeConfiguration,
    StartRequested,
    StopRequested,
)
from tapwatt.ocpp.mend import UnableToRead, UnableToWrite
from tapwatt.ocpp.messages import (
    Acknowledged,
    ConnectorStatus,
    DataTransferred,
    HeartbeatAnswered,
    HeartbeatSent,
    MeterReported,
    Reading,
    Sample,
    StartAnswered,
    StationBooted,
    StationMessage,
    StatusReported,
    StopAnswered,
    StopReason,
    TokenAnswered,
    TokenOffered,
    TokenStatus,
    TransactionStarted,
    TransactionStopped,
    Unreadable,
)
from tapwatt.ocpp.schemas import classify
from tapwatt.rpc.messages import Fault


@pytest.mark.parametrize(
    ("action", "payload", "expected"),
    [
        # an object instead of an array, numbers as text and as floats, an unknown field, null for absent
        (
            "MeterValues",
            {
                "connectorId": "1",
                "transactionId": 17.0,
                "meterValue": {"timestamp": NOON, "sampledValue": {"value": 1500, "unit": "Wh"}},
                "colour": "red",
            },
            MeterReported(
                evse_id=1,
                transaction_id="17",
                readings=(
                    Reading(at_ms=NOON_MS, register_wh=1500, samples=(Sample(value="1500", unit="Wh"),)),
                ),
            ),
        ),
        # empty samples, one unreadable sample among good ones
        (
            "MeterValues",
            {
                "connectorId": 1,
                "transactionId": None,
                "meterValue": [
                    {"timestamp": NOON, "sampledValue": []},
                    {"timestamp": NOON, "sampledValue": [{"unit": "Wh"}, {"value": "3"}, "junk"]},
                ],
            },
            MeterReported(
                evse_id=1,
                transaction_id=None,
                readings=(Reading(at_ms=NOON_MS, register_wh=3, samples=(Sample(value="3"),)),),
            ),
        ),
        ("MeterValues", {"connectorId": 1}, MeterReported(evse_id=1, transaction_id=None, readings=())),
        # register, time and reason nobody knows
        (
            "StartTransaction",
            {"connectorId": 1, "idTag": 1234, "meterStart": "1500.9", "timestamp": "yesterday"},
            TransactionStarted(evse_id=1, id_token="1234", register_wh=1500, at_ms=None),
        ),
        (
            "StartTransaction",
            {"connectorId": 1, "idTag": "x" * 30},
            TransactionStarted(evse_id=1, id_token="x" * 30, register_wh=None, at_ms=None),
        ),
        (
            "StopTransaction",
            {"transactionId": -1, "meterStop": 10**30, "timestamp": NOON[:-5], "reason": "CatAteIt"},
            TransactionStopped(
                transaction_id="-1",
                register_wh=None,
                at_ms=NOON_MS - 123,
                reason=StopReason.UNKNOWN,
                raw_reason="CatAteIt",
            ),
        ),
        (
            "StopTransaction",
            {"transactionId": "17", "meterStop": 5.0, "timestamp": NOON, "transactionData": None},
            TransactionStopped(transaction_id="17", register_wh=5, at_ms=NOON_MS),
        ),
        # words outside the enumeration stay as they are
        (
            "StatusNotification",
            {"connectorId": 1, "status": "Dreaming", "errorCode": "E-42", "timestamp": {}, "info": "i" * 99},
            StatusReported(
                evse_id=1,
                status=ConnectorStatus.UNKNOWN,
                raw_status="Dreaming",
                error_code="E-42",
                info="i" * 99,
            ),
        ),
        (
            "StatusNotification",
            {"connectorId": 0, "status": "Available"},
            StatusReported(evse_id=0, status=ConnectorStatus.AVAILABLE, raw_status="Available"),
        ),
        (
            "DataTransfer",
            {"vendorId": "v", "data": {"a": [1]}},
            DataTransferred(vendor_id="v", data='{"a":[1]}'),
        ),
        ("Heartbeat", {"now": 1}, HeartbeatSent()),
    ],
)
def test_what_real_stations_send_is_read(action: str, payload: object, expected: StationMessage) -> None:
    assert v16.decode_message(action, text(payload)) == expected
    if action != "MeterValues" or "colour" in str(payload):
        assert classify(action, text(payload)) != (), "accepted, and still named a violation"


@pytest.mark.parametrize(
    ("action", "payload", "fault", "named"),
    [
        ("Authorize", b"{}", Fault.OCCURRENCE_CONSTRAINT_VIOLATION, "idTag is missing"),
        ("Authorize", b'{"idTag":null}', Fault.OCCURRENCE_CONSTRAINT_VIOLATION, "idTag is missing"),
        ("Authorize", b'{"idTag":{}}', Fault.TYPE_CONSTRAINT_VIOLATION, "idTag is not text"),
        ("Authorize", b"[]", Fault.FORMATION_VIOLATION, "payload is not an object"),
        ("Authorize", b'{"idTag":', Fault.FORMATION_VIOLATION, "payload is not JSON"),
        ("Authorize", b"[" * 100_000, Fault.FORMATION_VIOLATION, "payload is not JSON"),
        (
            "StatusNotification",
            b'{"connectorId":"x","status":"Available"}',
            Fault.TYPE_CONSTRAINT_VIOLATION,
            "connectorId is not an integer",
        ),
        (
            "StatusNotification",
            b'{"connectorId":true,"status":"Available"}',
            Fault.TYPE_CONSTRAINT_VIOLATION,
            "connectorId is not an integer",
        ),
        (
            "StopTransaction",
            b'{"transactionId":1e999999999,"meterStop":1}',
            Fault.TYPE_CONSTRAINT_VIOLATION,
            "transactionId is not an integer",
        ),
        ("RemoteStartTransaction", b"{}", Fault.NOT_IMPLEMENTED, "not for a CSMS"),
    ],
)
def test_what_cannot_be_read_is_refused_by_the_fields_name(
    action: str, payload: bytes, fault: Fault, named: str
) -> None:
    with pytest.raises(UnableToRead, match=named) as caught:
        v16.decode_message(action, payload)
    assert caught.value.fault is fault


def test_a_station_refuses_what_it_cannot_read() -> None:
    for action, payload, fault in (
        ("TriggerMessage", b'{"requestedMessage":"Song"}', Fault.PROPERTY_CONSTRAINT_VIOLATION),
        ("RemoteStopTransaction", b"{}", Fault.OCCURRENCE_CONSTRAINT_VIOLATION),
        ("Heartbeat", b"{}", Fault.NOT_IMPLEMENTED),
    ):
        with pytest.raises(UnableToRead) as caught:
            v16.decode_command(action, payload)
        assert caught.value.fault is fault


@pytest.mark.parametrize(
    "write",
    [
        lambda: v16.encode_command(StartRequested(id_token="x" * 21)),
        lambda: v16.encode_command(StopRequested(transaction_id="uuid-1")),
        lambda: v16.encode_command(ChangeConfiguration(key="k", value="v" * 501)),
        lambda: v16.encode_message(TransactionStarted(evse_id=1, id_token="a", register_wh=None, at_ms=0)),
        lambda: v16.encode_message(MeterReported(evse_id=1, transaction_id=None, readings=())),
        lambda: v16.encode_message(
            MeterReported(evse_id=1, transaction_id=None, readings=(Reading(at_ms=0),))
        ),
        lambda: v16.encode_message(
            MeterReported(
                evse_id=1,
                transaction_id=None,
                readings=(Reading(at_ms=0, samples=(Sample(value="50", unit="Hz"),)),),
            )
        ),
        lambda: v16.encode_message(StatusReported(evse_id=1, status=ConnectorStatus.OCCUPIED)),
        lambda: v16.encode_message(
            StatusReported(evse_id=1, status=ConnectorStatus.AVAILABLE, error_code="E42")
        ),
        lambda: v16.encode_message(Unreadable(action="MeterValues", raw=b"", problem="")),
        lambda: v16.encode_answer(HeartbeatSent(), Acknowledged()),
        lambda: v16.encode_answer(HeartbeatSent(), HeartbeatAnswered(now_ms=10**18)),
        lambda: v16.encode_answer(TokenOffered(id_token="a"), StopAnswered()),
    ],
)
def test_our_own_mistakes_never_reach_the_wire(write: Any) -> None:
    with pytest.raises(UnableToWrite):
        write()


def test_an_unreadable_billing_message_is_answered_by_its_action() -> None:
    def unreadable(action: str) -> Unreadable:
        return Unreadable(action=action, raw=b"?", problem="")

    start = StartAnswered(transaction_id="5", token=TokenAnswered(status=TokenStatus.INVALID))
    assert json.loads(v16.encode_answer(unreadable("StartTransaction"), start)) == {
        "transactionId": 5,
        "idTagInfo": {"status": "Invalid"},
    }
    assert v16.encode_answer(unreadable("StopTransaction"), Acknowledged()) == b"{}"
    assert v16.encode_answer(unreadable("MeterValues"), Acknowledged()) == b"{}"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
FIELDS = sorted({key for _, _, payload in MESSAGES for key in payload})


@given(
    st.sampled_from(sorted(v16.FROM_STATION)),
    st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=6),
)
def test_any_payload_is_read_or_refused(action: str, payload: dict[str, object]) -> None:
    with contextlib.suppress(UnableToRead):
        message = v16.decode_message(action, text(payload))
        assert type(message) is type(a_message(action))


@given(
    st.sampled_from(sorted(v16.FROM_STATION)),
    st.binary(max_size=60).filter(lambda data: not data.strip().startswith(b"{")),
)
def test_garbage_is_refused(action: str, payload: bytes) -> None:
    with pytest.raises(UnableToRead):
        v16.decode_message(action, payload)


short = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(
    st.builds(
        TransactionStarted,
        evse_id=st.integers(0, 99),
        id_token=short,
        register_wh=st.integers(-(10**12), 10**12),
        at_ms=st.integers(0, 4 * 10**12),
        reservation_id=st.none() | st.integers(0, 10**9),
    )
    | st.builds(
        StationBooted, vendor=short, model=short, serial=short, firmware=short, iccid=short, imsi=short
    )
    | st.builds(DataTransferred, vendor_id=short, message_id=short, data=st.text(max_size=20))
)
def test_messages_survive_the_round_trip(message: StationMessage) -> None:
    action, payload = v16.encode_message(message)
    assert v16.decode_message(action, payload) == message
    assert classify(action, payload) == ()
