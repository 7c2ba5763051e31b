"""Documents and records: what is read, what is inherited, what is refused and by which words."""

from __future__ import annotations

import json
import string
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ocmf.meter import BEGIN, END, payload, reading

from tapwatt.ocmf.codec import (
    DOCUMENT_LIMIT,
    READINGS_LIMIT,
    UnableToReadOcmf,
    read_document,
    read_moment,
    read_number,
    read_record,
)
from tapwatt.ocmf.messages import EXACT

SIGNED = b'|{"SD":"00"}'


def refused(payload: bytes) -> str:
    with pytest.raises(UnableToReadOcmf) as raised:
        read_record(payload)
    return str(raised.value)


def test_a_record_is_read_whole() -> None:
    loss = {"LN": "cable 5 m", "LI": 1, "LR": 2.50, "LU": "mOhm"}
    fields: dict[str, Any] = {"GI": "Gate", "GV": "2", "MV": "Maker", "MM": "Model", "MF": "1.0", "TT": "Day"}
    fields |= {
        "IL": "HEARSAY",
        "IF": ["RFID_PLAIN"],
        "IT": "ISO14443",
        "ID": "1F2D3A4F",
        "CF": "9",
        "LC": loss,
    }
    fields |= {"CT": "EVSEID", "CI": "DE*TWT*E1"}
    record = read_record(payload(7, BEGIN, END, **fields))
    assert (record.format_version, str(record.pagination), record.meter) == ("1.4", "T7", "TEST-METER-1")
    assert (record.gateway, record.gateway_serial, record.gateway_version) == ("Gate", "GW-7", "2")
    assert (record.meter_vendor, record.meter_model, record.meter_firmware) == ("Maker", "Model", "1.0")
    assert (record.user_assigned, record.user_level, record.user_flags) == (True, "HEARSAY", ("RFID_PLAIN",))
    assert (record.user_type, record.user_data, record.tariff_text) == ("ISO14443", "1F2D3A4F", "Day")
    assert (record.controller_firmware, record.charge_point_type, record.charge_point) == (
        "9",
        "EVSEID",
        "DE*TWT*E1",
    )
    assert record.loss_compensation is not None
    assert (record.loss_compensation.resistance, record.loss_compensation.unit) == (Decimal("2.5"), "mOhm")
    assert (record.loss_compensation.name, record.loss_compensation.number) == ("cable 5 m", "1")
    begin, end = record.readings
    assert (begin.time, begin.at_ms, begin.clock) == (BEGIN["TM"], 1772355600000, "S")
    assert (end.transaction, end.value, end.unit, end.energy_wh) == (
        "E",
        Decimal("112.75"),
        "kWh",
        Decimal(112750),
    )
    assert (end.register, end.current, end.loss, end.status, end.error_flags) == (
        "1-0:1.8.0",
        "AC",
        None,
        "G",
        "",
    )


def test_what_is_left_out_has_the_value_of_the_reading_before() -> None:
    later = {"TM": "2026-03-01T10:40:00,000+0100 S", "TX": "E", "RV": "112.75"}
    assert read_record(payload(1, BEGIN, later)).readings == read_record(payload(1, BEGIN, END)).readings
    nulls = dict.fromkeys(("RI", "RU", "RT", "EF", "ST"), None)
    with_nulls = json.dumps({"PG": "T1", "RD": [BEGIN, later | nulls]}).encode()
    assert read_record(with_nulls).readings[1].status == "G"


def test_an_empty_field_is_not_left_out() -> None:
    flagged = reading("B", "1", 0, EF="E")
    cleared, kept = reading("E", "2", 1, EF=""), reading("E", "2", 1, EF=None)
    assert read_record(payload(1, flagged, cleared)).readings[1].error_flags == ""
    assert read_record(payload(1, flagged, kept)).readings[1].error_flags == "E"


def test_numbers_keep_every_digit() -> None:
    text = b'{"PG":"T1","RD":[{"TM":"x","RV":100000000000000000.000000000000000001,"RU":"Wh"}]}'
    assert str(read_record(text).readings[0].value) == "100000000000000000.000000000000000001"
    whole = b'{"PG":"T1","RD":[{"TM":"x","RV":"       9.038","RU":"kWh"}]}'
    assert read_record(whole).readings[0].energy_wh == 9038


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        (" 12.50 ", "12.50"),
        ("-3", "-3"),
        ("1e3", "1000"),
        ("1.5E-2", "0.015"),
        ("1e999999999", None),
        ("9" * 19, None),
        ("1." + "0" * 19, None),
        ("1,5", None),
        ("", None),
        (".5", None),
        ("0x10", None),
        ("NaN", None),
        ("Infinity", None),
        ("1 2", None),
        ("\u0661", None),
    ],
)
def test_a_number_is_bounded_and_exact(text: str, number: str | None) -> None:
    found = read_number(text)
    assert found == (None if number is None else Decimal(number))


def test_the_largest_numbers_can_be_subtracted_exactly() -> None:
    large, small = read_number("9" * 18 + "e99"), read_number("0." + "0" * 17 + "1e-99")
    assert large is not None
    assert small is not None
    assert EXACT.subtract(large, small) + small == large or EXACT.subtract(large, small) < large


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:00,000+0000", 0),
        ("1970-01-01T01:00:00,001+0100", 1),
        ("1969-12-31T22:00:00.5-02:00", 500),
        ("2021-10-26T10:20:52+0200", 1635236452000),
        ("2021-10-26T08:20:52,9999Z", 1635236452999),
        ("2021-10-26T10:20:52,000", None),
        ("2021-02-30T10:20:52,000+0200", None),
        ("2021-10-26T25:20:52,000+0200", None),
        ("0000-10-26T10:20:52,000+0200", None),
        ("26.10.2021", None),
        ("", None),
    ],
)
def test_a_moment_needs_its_zone(text: str, at_ms: int | None) -> None:
    assert read_moment(text) == at_ms


def test_the_clocks_state_stands_behind_the_time() -> None:
    for shown, clock, read in (
        ("Z S", "S", True),
        ("Z", "", True),
        ("Z SS", "", False),
        ("+0100 R", "R", True),
    ):
        found = read_record(payload(1, reading("B", "1", 0, TM=f"2026-03-01T10:00:00{shown}"))).readings[0]
        assert (found.clock, found.at_ms is not None) == (clock, read)


@pytest.mark.parametrize(
    ("text", "number"), [("T1", "T1"), ("F20", "F20"), ("T0", "T0"), ("T01", None), ("1", None), ("X1", None)]
)
def test_pagination(text: str, number: str | None) -> None:
    found = read_record(payload(1, BEGIN, PG=text)).pagination
    assert (None if found is None else str(found)) == number


def test_a_card_number_is_not_kept() -> None:
    shown = payload(1, BEGIN, IT="ISO7812", ID="4111111111111111")
    record = read_record(shown)
    assert record.user_data == ""
    assert "4111" not in repr(record)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "payload: is not JSON"),
        (b"[]", "payload: must be a JSON object"),
        (b"{} {}", "payload: is not JSON"),
        (b'{"RD":NaN}', "payload: is not JSON: NaN is no number"),
        (b'{"MS":"\xff"}', "payload: is not UTF-8"),
        (b'{"MS":"1","MS":"2","RD":[{"TM":"x"}]}', "payload: 'MS' stands twice"),
        (b'{"MS":"1","M\\u0053":"2","RD":[{"TM":"x"}]}', "payload: 'MS' stands twice"),
        (b'{"RD":[{"TM":"x","RV":1,"RV":2}]}', "payload: 'RV' stands twice"),
        (b"[" * 100_000, "payload: is"),
        (b'{"FV":"2.0","RD":[{"TM":"x"}]}', "FV: format version '2.0' is not known"),
        (b'{"MS":["1"],"RD":[{"TM":"x"}]}', "MS: must be text"),
        (b'{"MS":"' + b"1" * 1001 + b'","RD":[{"TM":"x"}]}', "MS: over the limit of 1000"),
        (b'{"MS":"\\ud800","RD":[{"TM":"x"}]}', "MS: must be text"),
        (b'{"IF":["\\udfff"],"RD":[{"TM":"x"}]}', "IF: must be a list of text"),
        (b'{"IS":"true","RD":[{"TM":"x"}]}', "IS: must be true or false"),
        (b'{"IF":"RFID_NONE","RD":[{"TM":"x"}]}', "IF: must be a list of text"),
        (b'{"IF":[1.5,true],"RD":[{"TM":"x"}]}', "IF: must be a list of text"),
        (json.dumps({"IF": ["X"] * 17, "RD": [{"TM": "x"}]}).encode(), "IF: over the limit"),
        (b'{"LC":7,"RD":[{"TM":"x"}]}', "LC: must be an object"),
        (b'{"LC":{"LU":"mOhm"},"RD":[{"TM":"x"}]}', "LC.LR"),
        (b'{"LC":{"LR":1,"LU":"Ohm"},"RD":[{"TM":"x"}]}', "LC.LU: must be mOhm or uOhm"),
        (b"{}", "RD: must be a list"),
        (b'{"RD":[]}', "RD: must be a list of at least one"),
        (b'{"RD":{"TM":"x"}}', "RD: must be a list"),
        (b'{"RD":[1]}', "RD[0]: must be an object"),
        (b'{"RD":[{"TX":"B"}]}', "RD[0].TM: is missing"),
        (b'{"RD":[{"TM":"x"},{"RV":true}]}', "RD[1].RV: must be text"),
        (json.dumps({"RD": [{"TM": "x"}] * (READINGS_LIMIT + 1)}).encode(), "RD: over the limit of 1000"),
    ],
)
def test_a_wrong_payload_is_refused_by_field_and_reason(text: bytes, says: str) -> None:
    assert refused(text).startswith(says)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "document: must be OCMF|payload|signature"),
        (b"OCMF|{}", "document: must be"),
        (b"OCMF|{}|{}|{}", "document: must be"),
        (b"OCMV|{}" + SIGNED, "document: must be"),
        (b"OCMF|" + b" " * DOCUMENT_LIMIT + SIGNED, f"document: over the limit of {DOCUMENT_LIMIT}"),
        (b"OCMF|{}|", "signature: is not JSON"),
        (b"OCMF|{}|{}", "signature.SD: is missing"),
        (b'OCMF|{}|{"SD":""}', "signature.SD: is missing"),
        (b'OCMF|{}|{"SD":"00","SD":"01"}', "signature: 'SD' stands twice"),
        (b'OCMF|{}|{"SD":"00","SM":"text/plain"}', "signature.SM: 'text/plain' is not known"),
        (b'OCMF|{}|{"SD":"00","SE":"utf-8"}', "signature.SE: 'utf-8' is not known"),
        (b'OCMF|{}|{"SD":"AA==","SE":"hex"}', "signature.SD: is not hex"),
        (b'OCMF|{}|{"SD":"*","SE":"base64"}', "signature.SD: is not base64"),
        (b'OCMF|{}|{"SD":"*"}', "signature.SD: is not hex or base64"),
        (b'OCMF|{}|{"SD":{}}', "signature.SD: must be text"),
    ],
)
def test_a_wrong_document_is_refused_by_field_and_reason(data: bytes, says: str) -> None:
    with pytest.raises(UnableToReadOcmf) as raised:
        read_document(data)
    assert str(raised.value).startswith(says)


def test_the_signature_section_is_read_with_its_defaults() -> None:
    for section, data in ((b'{"SD":"0aFF"}', b"\x0a\xff"), (b'{"SD":"0a FF","SE":"hex"}', b"\x0a\xff")):
        signature = read_document(b"OCMF|{}|" + section).signature
        assert (signature.data, signature.algorithm) == (data, "ECDSA-secp256r1-SHA256")
    for section in (b'{"SD":"Cv8=","SE":"base64"}', b'{"SD":"Cv8=","SA":"X","UX":{"any":[1]}}'):
        assert read_document(b"OCMF|{}|" + section).signature.data == b"\x0a\xff"


TEXT = st.text(alphabet=string.printable + "äß€|\0", max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["FV", "GI", "GS", "PG", "MS", "IS", "IL", "IF", "IT", "ID", "TT", "CF", "LC", "CT", "CI", "RD"]
)
PARTS = st.sampled_from(["TM", "TX", "RV", "RI", "RU", "RT", "CL", "EF", "ST", "LR", "LU"])


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for text in (data, b"OCMF|" + data + SIGNED, b"OCMF|{}|" + data):
        try:
            read_record(read_document(text).payload)
        except UnableToReadOcmf:
            continue


@given(
    st.dictionaries(NAMES, JSON | st.lists(st.dictionaries(PARTS, JSON, max_size=9), max_size=3), max_size=9)
)
def test_any_json_is_read_or_refused(fields: dict[str, Any]) -> None:
    try:
        record = read_record(json.dumps(fields).encode())
    except UnableToReadOcmf:
        return
    assert record.readings
