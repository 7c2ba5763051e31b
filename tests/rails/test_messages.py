"""Builders and readers of card messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rails.samples import NOW_MS, hold

from tapwatt.rails import messages, mti
from tapwatt.rails.additional import (
    HOLD_FLAGS,
    UnableToReadAdditional,
    pack_additional,
    partial_capable,
    unpack_additional,
)
from tapwatt.rails.iso8583 import Message, MissingField
from tapwatt.rails.messages import HOUSE, NetworkCode, OriginalData, ReversalReason, UnableToRead
from tapwatt.rails.responses import ResponseClass, ResponseCode, approves, meaning_of, response_table

LATER_MS = NOW_MS + 2_000_000


def fits_the_wire(message: Message) -> bool:
    return HOUSE.decode(HOUSE.encode(message)) == message


@pytest.mark.parametrize(
    ("request_mti", "answer", "repeated"),
    [
        ("0100", "0110", "0101"),
        ("0220", "0230", "0221"),
        ("0221", "0230", "0221"),
        ("0400", "0410", "0401"),
        ("0420", "0430", "0421"),
        ("0421", "0430", "0421"),
        ("0800", "0810", "0801"),
    ],
)
def test_message_types_in_relation(request_mti: str, answer: str, repeated: str) -> None:
    assert (mti.response_of(request_mti), mti.repeat_of(request_mti)) == (answer, repeated)
    assert mti.first_of(repeated) == mti.first_of(request_mti)
    assert mti.is_request(request_mti)
    assert not mti.is_request(answer)
    for wrong in (mti.response_of, mti.repeat_of):
        with pytest.raises(mti.WrongDirection):
            wrong(answer)


def test_a_hold_says_where_what_and_how_much() -> None:
    message = hold(stan="000042", chip_data=b"\x9c\x01\x00")
    assert fits_the_wire(message)
    shown = {number: message.get(number) for number in (4, 7, 11, 12, 13, 18, 22, 25, 41, 42, 49)}
    assert shown == {
        4: "000000005000",
        7: "1122091112",
        11: "000042",
        12: "091112",
        13: "1122",
        18: "5552",
        22: "072",
        25: "06",
        41: "52523535",
        42: "TWDE00000000017",
        49: "978",
    }
    assert message.text(43) == "Sunfield Charging".ljust(25) + "Berlin".ljust(13) + "DE"
    assert messages.terminal_serial(message) == "TW4000-000001"
    assert messages.amount_minor(message) == 5000
    assert (messages.payment_reference(message), messages.scheme_transaction(message)) == (None, None)


def test_a_completion_keeps_the_life_of_its_hold_and_drops_its_secrets() -> None:
    original = hold(stan="000042", chip_data=b"\x9c\x01\x00").replace(
        {35: "4111111111111111=3112", 52: b"8" * 8}
    )
    message = messages.completion(
        original, amount_minor=1234, stan="000043", now_ms=LATER_MS, approval_code="A1B2C3"
    )
    assert fits_the_wire(message)
    assert message.mti == "0220"
    assert (message.text(4), message.text(11), message.text(38)) == ("000000001234", "000043", "A1B2C3")
    assert message.text(37) == original.text(37)
    assert messages.life_cycle(message) == messages.life_cycle(original) == "LC-0001"
    assert not {35, 45, 52, 53, 55} & set(message.fields)
    assert messages.unpack_original_data(message.text(90)) == OriginalData(
        mti="0100", stan="000042", transmitted="1122091112", acquirer_id="100001"
    )
    assert messages.repeat(message) == message.replace({}, mti="0221")


def test_a_reversal_names_its_reason_and_a_partial_one_what_stays() -> None:
    original = hold(stan="000042")
    whole = messages.reversal(original, stan="000050", now_ms=LATER_MS, reason=ReversalReason.TIMEOUT)
    part = messages.reversal(original, stan="000051", now_ms=LATER_MS, replacement_minor=2000, advice=False)
    assert fits_the_wire(whole)
    assert fits_the_wire(part)
    assert (whole.mti, whole.text(39), whole.text(4)) == ("0420", "68", original.text(4))
    assert (whole.text(12), whole.text(13)) == (original.text(12), original.text(13))
    assert messages.remaining_minor(whole) is None
    assert (part.mti, part.text(39), messages.remaining_minor(part)) == ("0400", "17", 2000)
    assert 38 not in whole


def test_a_follow_up_of_an_answer_is_refused() -> None:
    with pytest.raises(UnableToRead):
        messages.reversal(messages.response(hold(), "00"), stan="000001", now_ms=NOW_MS)


def test_an_answer_echoes_its_request_and_no_secrets() -> None:
    request = hold(stan="000042", chip_data=b"\x9c\x01\x00")
    answer = messages.response(request, ResponseCode.PARTIAL, approval_code="A1B2C3", amount_minor=2000)
    assert fits_the_wire(answer)
    assert (answer.mti, answer.text(39), answer.text(4)) == ("0110", "10", "000000002000")
    assert all(answer.get(number) == request.get(number) for number in (2, 3, 7, 11, 37, 41, 42, 49, 62))
    assert not {14, 55, 60} & set(answer.fields)
    assert messages.is_approved(answer)
    assert not messages.is_approved(messages.response(request, "51"))
    with pytest.raises(MissingField):
        messages.is_approved(request)


def test_the_next_hop_gets_its_own_trace_and_the_answer_comes_back_under_ours() -> None:
    request = hold(stan="000042")
    onward = messages.next_hop(request, stan="777777", now_ms=LATER_MS, forwarder_id="900001")
    assert (onward.text(11), onward.text(33), onward.text(37)) == ("777777", "900001", request.text(37))
    downstream = messages.response(onward, "00", approval_code="A1B2C3").replace({63: "SCH0001"})
    back = messages.answer_back(request, downstream)
    assert (back.text(11), back.text(7)) == (request.text(11), request.text(7))
    assert (back.text(38), back.text(39), messages.scheme_transaction(back)) == ("A1B2C3", "00", "SCH0001")
    assert 33 not in back

    reversal = messages.reversal(request, stan="000043", now_ms=LATER_MS)
    passed_on = messages.next_hop(reversal, stan="777778", now_ms=LATER_MS, original=onward)
    assert messages.unpack_original_data(passed_on.text(90)) == messages.original_data_of(onward)


def test_life_cycle_falls_back_to_terminal_and_rrn() -> None:
    assert messages.life_cycle(hold().without(62)) == "52523535-532609000001"
    with pytest.raises(MissingField):
        messages.life_cycle(Message("0100", {41: "52523535"}))


def test_network_messages() -> None:
    message = messages.network_request(NetworkCode.ECHO, stan="000001", now_ms=NOW_MS, forwarder_id="900001")
    assert message == Message("0800", {7: "1122091112", 11: "000001", 33: "900001", 70: "301"})
    assert messages.response(message, "00").fields == {**message.fields, 39: "00"}


@given(
    stan=st.from_regex("[0-9]{6}", fullmatch=True),
    acquirer_id=st.from_regex("([1-9][0-9]{0,10})?", fullmatch=True),
)
def test_original_data_comes_back(stan: str, acquirer_id: str) -> None:
    original = OriginalData(mti="0100", stan=stan, transmitted="1122091112", acquirer_id=acquirer_id)
    assert messages.unpack_original_data(messages.pack_original_data(original)) == original


@pytest.mark.parametrize("field", ["", "1" * 41, "1" * 41 + "x", "٠" * 42])
def test_original_data_that_is_none_is_refused(field: str) -> None:
    with pytest.raises(UnableToRead, match="field 90"):
        messages.unpack_original_data(field)


def test_fields_that_are_no_amounts_are_refused() -> None:
    with pytest.raises(UnableToRead, match="field 4"):
        messages.amount_minor(Message("0100", {4: "12,34"}))
    with pytest.raises(UnableToRead, match="field 95"):
        messages.remaining_minor(Message("0420", {95: "x" * 42}))
    for impossible in (-1, 10**12):
        with pytest.raises(ValueError, match="amount"):
            messages.amount_field(impossible)


def test_response_codes_are_a_table() -> None:
    expected = {
        "00": ResponseClass.APPROVE,
        "10": ResponseClass.APPROVE,
        "05": ResponseClass.DECLINE,
        "14": ResponseClass.DECLINE,
        "51": ResponseClass.DECLINE,
        "62": ResponseClass.DECLINE,
        "65": ResponseClass.STEP_UP,
        "91": ResponseClass.RETRY,
        "96": ResponseClass.RETRY,
        "30": ResponseClass.FORMAT,
        "41": ResponseClass.PICK_UP,
    }
    assert {code: meaning_of(code).kind for code in expected} == expected
    assert {str(code) for code in ResponseCode} <= set(response_table())
    assert all(row.driver_text and row.meaning for row in response_table().values())


def test_only_an_explicit_yes_is_a_yes() -> None:
    assert [code for code in ("00", "10", "05", "ZZ", "", "0") if approves(code)] == ["00", "10"]
    assert meaning_of("ZZ").meaning == "unknown code"


def test_additional_data_keeps_unknown_tags() -> None:
    assert HOLD_FLAGS == "PA011PC011"
    assert unpack_additional("ZZ03abcPC011") == {"ZZ": "abc", "PC": "1"}
    assert pack_additional({"ZZ": "abc", "PC": "1"}) == "ZZ03abcPC011"
    assert [partial_capable(field) for field in (HOLD_FLAGS, None, "", "PC010", "PC", "PC9")] == [True] + [
        False
    ] * 5
    for broken in ("PC", "PCxx1", "PC021", "PC٠١1"):
        with pytest.raises(UnableToReadAdditional):
            unpack_additional(broken)
    with pytest.raises(ValueError, match="two letters"):
        pack_additional({"PCC": "1"})
