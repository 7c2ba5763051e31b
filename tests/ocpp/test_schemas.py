"""The conformance gate: what it says, and that it is there for every version."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tapwatt.ocpp.schemas import FOLDERS, NoSchema, classify, load


def test_every_violation_is_named() -> None:
    payload = b'{"connectorId":"1","idTag":"xxxxxxxxxxxxxxxxxxxxx","colour":1,"timestamp":null}'
    assert set(classify("StartTransaction", payload)) == {
        "$.meterStart is missing",
        "$.connectorId is not of type integer",
        "$.idTag has 21 characters, at most 20 allowed",
        "$.colour is unknown",
        "$.timestamp is not of type string",
    }


@pytest.mark.parametrize(
    ("action", "payload", "violations"),
    [
        ("Heartbeat", b"{}", ()),
        ("Heartbeat", b"[]", ("$ is not of type object",)),
        ("Heartbeat", b"", ("payload is not JSON",)),
        ("Heartbeat", b"[" * 100_000, ("payload is not JSON",)),
        ("Heartbeat", b'{"a":NaN}', ("payload is not JSON",)),
        ("Heartbeat", b'{"a":' + b"9" * 5000 + b"}", ("payload is not JSON",)),
        ("RemoteStopTransaction", b'{"transactionId":5.0}', ("$.transactionId is not of type integer",)),
        ("RemoteStopTransaction", b'{"transactionId":5.5}', ("$.transactionId is not of type integer",)),
        ("RemoteStopTransaction", b'{"transactionId":1e999999}', ("$.transactionId is not of type integer",)),
        ("Reset", b'{"type":"Warm"}', ("$.type is none of the allowed words",)),
        ("MeterValues", b'{"connectorId":1,"meterValue":[]}', ("$.meterValue has only 0 items",)),
    ],
)
def test_verdicts(action: str, payload: bytes, violations: tuple[str, ...]) -> None:
    assert classify(action, payload) == violations


def test_the_list_has_an_end() -> None:
    many = b'{"meterValue":[' + b",".join([b"1"] * 500) + b'],"connectorId":1}'
    assert len(classify("MeterValues", many)) == 20


@pytest.mark.parametrize(
    ("version", "payload"),
    [
        ("2.0.1", b'{"reason":"PowerUp","chargingStation":{"model":"m","vendorName":"v"}}'),
        ("2.1", b'{"reason":"PowerUp","chargingStation":{"model":"m","vendorName":"v"}}'),
    ],
)
def test_later_versions_are_there_too(version: str, payload: bytes) -> None:
    assert classify("BootNotification", payload, version=version) == ()
    missing = classify("BootNotification", b'{"reason":"Boredom"}', version=version)
    assert set(missing) == {"$.chargingStation is missing", "$.reason is none of the allowed words"}


def test_later_drafts_take_five_point_nought_for_five() -> None:
    message = b'{"status":"Accepted","currentTime":"x","interval":%s}'
    for spelling, good in ((b"5", True), (b"5.0", True), (b"5.5", False), (b"1e99999999", False)):
        violations = classify("BootNotification", message % spelling, version="2.0.1", answer=True)
        assert (violations == ()) is good


@pytest.mark.parametrize("action", ["Dance", "../v16", "", "a b", "\u00e4"])
def test_an_action_without_a_schema_says_so(action: str) -> None:
    for version in FOLDERS:
        with pytest.raises(NoSchema):
            load(version, action)


def test_the_packages_own_code_is_not_imported() -> None:
    code = (
        "import sys; from tapwatt.ocpp.schemas import classify; classify('Heartbeat', b'{}');"
        "sys.exit('ocpp' in sys.modules or 'jsonschema' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
