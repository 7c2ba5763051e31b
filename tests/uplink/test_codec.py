"""Every uplink message against its JSON, both ways, and what is no message."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwatt.uplink.codec import (
    UnableToReadMessage,
    decode_answer,
    decode_call,
    decode_from_edge,
    decode_from_platform,
    encode_answer,
    encode_call,
)
from tapwatt.uplink.messages import (
    FROM_EDGE,
    FROM_PLATFORM,
    Abort,
    Accepted,
    Ask,
    CardKind,
    CardPresented,
    Hello,
    Message,
    Operate,
    OperationKind,
    Outcome,
    Progress,
    ReadCards,
    Result,
    Show,
    TerminalReport,
    TerminalReported,
    TerminalState,
    Traced,
    TracedMessage,
)

CASES: list[tuple[Message, bytes]] = [
    (
        Hello(
            edge_id="e1",
            software="0.1.0",
            terminals=(
                TerminalReport(
                    terminal_id="t1", profile="zvt", serial="S1", tid="60000001", state=TerminalState.READY
                ),
            ),
        ),
        b'{"edge_id":"e1","software":"0.1.0","terminals":[{"terminal_id":"t1","profile":"zvt",'
        b'"serial":"S1","tid":"60000001","state":"ready"}]}',
    ),
    (
        TerminalReported(terminal_id="t1", state=TerminalState.OFFLINE, at_ms=5, text="no line"),
        b'{"terminal_id":"t1","state":"offline","at_ms":5,"text":"no line","serial":"","tid":""}',
    ),
    (
        CardPresented(
            key="c1",
            terminal_id="t1",
            at_ms=6,
            kind=CardKind.BANK,
            token="tok",
            brand="visa",
            last_four="1111",
            bin="411111",
            technology="contactless",
        ),
        b'{"key":"c1","terminal_id":"t1","at_ms":6,"kind":"bank","token":"tok","uid":"","brand":"visa",'
        b'"last_four":"1111","bin":"411111","technology":"contactless"}',
    ),
    (
        Outcome(
            key="s1/authorise",
            kind=OperationKind.PREAUTHORISE,
            terminal_id="t1",
            result=Result.APPROVED,
            at_ms=7,
            amount_minor=5000,
            currency="EUR",
            receipt="0042",
            trace="000017",
            tid="60000001",
            merchant_id="M1",
            approval_code="A1B2C3",
            token="tok",
            brand="visa",
            last_four="1111",
            bin="411111",
            technology="contactless",
            code="00",
        ),
        b'{"key":"s1/authorise","kind":"preauthorise","terminal_id":"t1","result":"approved","at_ms":7,'
        b'"amount_minor":5000,"currency":"EUR","receipt":"0042","trace":"000017","tid":"60000001",'
        b'"merchant_id":"M1","approval_code":"A1B2C3","token":"tok","brand":"visa","last_four":"1111",'
        b'"bin":"411111","technology":"contactless","code":"00","reason":""}',
    ),
    (
        Progress(terminal_id="t1", key="k", code="0A", text="insert card", at_ms=8),
        b'{"terminal_id":"t1","key":"k","code":"0A","text":"insert card","at_ms":8}',
    ),
    (
        Traced(
            run="1700000000000",
            number=12,
            messages=(
                TracedMessage(
                    at_ms=9, direction="sent", terminal_id="t1", wire="zvt", name="06 22 preauthorisation"
                ),
            ),
        ),
        b'{"run":"1700000000000","number":12,"messages":[{"at_ms":9,"direction":"sent","terminal_id":"t1",'
        b'"wire":"zvt","name":"06 22 preauthorisation","amount_minor":null,"currency":"","mark":"",'
        b'"reference":"","key":"","fields":"{}"}]}',
    ),
    (
        Operate(
            key="s1/capture",
            kind=OperationKind.CAPTURE,
            terminal_id="t1",
            amount_minor=1234,
            hold_minor=5000,
            currency="EUR",
            reference="s1",
            receipt="0042",
            trace="000017",
            tid="60000001",
            token="tok",
            deadline_ms=99,
        ),
        b'{"key":"s1/capture","kind":"capture","terminal_id":"t1","amount_minor":1234,"currency":"EUR",'
        b'"deadline_ms":99,"hold_minor":5000,"reference":"s1","receipt":"0042","trace":"000017",'
        b'"tid":"60000001","token":"tok"}',
    ),
    (Abort(key="k", terminal_id="t1"), b'{"key":"k","terminal_id":"t1"}'),
    (
        Show(terminal_id="t1", lines=("0,59 \u20ac/kWh", "Tap"), seconds=10),
        '{"terminal_id":"t1","lines":["0,59 \u20ac/kWh","Tap"],"seconds":10}'.encode(),
    ),
    (ReadCards(terminal_id="t1", enabled=True), b'{"terminal_id":"t1","enabled":true}'),
    (Ask(key="k"), b'{"key":"k"}'),
]


@pytest.mark.parametrize(("message", "text"), CASES, ids=lambda each: type(each).__name__)
def test_message_and_json_are_the_same_both_ways(message: Message, text: bytes) -> None:
    assert encode_call(message) == (type(message).__name__, text)
    assert decode_call(type(message).__name__, text) == message


def test_the_table_has_every_message() -> None:
    assert {type(message) for message, _ in CASES} == {*FROM_EDGE, *FROM_PLATFORM}


@pytest.mark.parametrize(("message", "text"), CASES, ids=lambda each: type(each).__name__)
def test_every_cut_is_refused(message: Message, text: bytes) -> None:
    for length in range(len(text)):
        with pytest.raises(UnableToReadMessage):
            decode_call(type(message).__name__, text[:length])


def test_the_answer_both_ways() -> None:
    for answer, text in (
        (Accepted(), b'{"accepted":true,"reason":""}'),
        (Accepted(accepted=False, reason="busy"), b'{"accepted":false,"reason":"busy"}'),
    ):
        assert encode_answer(answer) == text
        assert decode_answer(text) == answer


def test_fields_of_a_newer_side_are_skipped_and_old_ones_may_be_missing() -> None:
    assert decode_call("Ask", b'{"key":"k","colour":"red"}') == Ask(key="k")
    assert decode_call("Hello", b'{"edge_id":"e","software":"s"}') == Hello(edge_id="e", software="s")


@pytest.mark.parametrize(
    ("action", "text", "named"),
    [
        ("Ask", b"{}", "key"),
        ("Ask", b'{"key":5}', r"\$\.key"),
        ("Operate", b'{"key":"k","kind":"steal"}', r"\$\.kind"),
        ("Outcome", CASES[3][1].replace(b"5000", b"50.5"), r"\$\.amount_minor"),
        ("Dance", b"{}", "unknown action Dance"),
        ("Ask", b"[]", "object"),
        ("Ask", b"[" * 100_000, "object"),
    ],
)
def test_a_bad_message_is_refused_by_the_fields_name(action: str, text: bytes, named: str) -> None:
    with pytest.raises(UnableToReadMessage, match=named):
        decode_call(action, text)


def test_each_side_takes_only_what_is_meant_for_it() -> None:
    with pytest.raises(UnableToReadMessage, match="not for the platform"):
        decode_from_edge("Ask", b'{"key":"k"}')
    with pytest.raises(UnableToReadMessage, match="not for an edge"):
        decode_from_platform("Hello", CASES[0][1])


@pytest.mark.parametrize("kind", [*FROM_EDGE, *FROM_PLATFORM])
def test_any_value_survives_the_round_trip(kind: type[Any]) -> None:
    @given(st.from_type(kind))
    def check(message: Message) -> None:
        assert decode_call(*encode_call(message)) == message

    st.register_type_strategy(int, st.integers(-(2**60), 2**60))
    try:
        check()
    finally:
        st.register_type_strategy(int, st.integers())


@given(st.sampled_from([each.__name__ for each in FROM_EDGE]), st.binary(max_size=100))
def test_garbage_raises_only_our_error(action: str, data: bytes) -> None:
    for text in (data, msgspec.json.encode({"key": data.hex(), "edge_id": 1})):
        with pytest.raises(UnableToReadMessage):
            decode_from_edge(action, text)
