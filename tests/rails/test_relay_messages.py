"""What a host in the middle passes on, answers, and keeps."""

from __future__ import annotations

import pytest

from tapwatt.rails import messages
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.messages import UnableToRead
from tapwatt.rails.relay_messages import (
    Hop,
    SealedPan,
    authorisation_response,
    completion_message,
    identity_of,
    outcome_of,
    pan_of,
    passed_on,
    reversal_message,
    storable,
)
from tapwatt.rails.relay_states import (
    Approved,
    Declined,
    Relay,
    RelayStatus,
    SendCompletion,
    SendReversal,
)
from tapwatt.rails.sandbox import network

PAN = "4111111111111111"
NOW_MS = 1_795_348_800_000


def request() -> Message:
    made = messages.authorisation(
        card=messages.CardData(pan=PAN, expiry="3112", chip_data=b"\x5a\x08" + bytes.fromhex(PAN)),
        acceptor=network().acceptor("52523535"),
        amount_minor=5000,
        currency="978",
        stan="000001",
        rrn="632612000001",
        now_ms=NOW_MS,
        life_cycle="52523535-632612000001",
        payment_reference="REF",
    )
    return made.replace({35: f"{PAN}=3112201", 45: f"B{PAN}^X^3112", 52: bytes(8)})


def state(**changes: object) -> Relay:
    onward = passed_on(request(), Hop(stan="000777", now_ms=NOW_MS), forwarder_id="900001", stamps={60: None})
    return Relay(
        identity=identity_of(request(), SealedPan()),
        status=RelayStatus.APPROVED,
        original=storable(onward),
        authorised_minor=4000,
        response_code="10",
        approval_code="A1B2C3",
        scheme_transaction="N1T2",
    )


def test_what_is_kept_has_nothing_of_the_card() -> None:
    kept = storable(request())
    assert not {"2", "14", "23", "35", "45", "52", "55"} & set(kept)
    assert PAN not in str(kept)
    assert {"4", "7", "11", "37", "41", "42", "49", "61", "62"} <= set(kept)


def test_a_request_goes_on_with_our_trace_number_and_without_our_secrets() -> None:
    onward = passed_on(
        request().replace({}, mti="0101"),
        Hop(stan="000777", now_ms=NOW_MS + 1000),
        forwarder_id="900001",
        stamps={60: None, 18: "5552"},
    )
    assert (onward.mti, onward.text(11), onward.text(33), onward.text(18)) == (
        "0100",
        "000777",
        "900001",
        "5552",
    )
    assert onward.get(60) is None
    assert (onward.text(37), onward.text(62)) == ("632612000001", "52523535-632612000001")


def test_advices_name_their_original_as_the_next_party_saw_it() -> None:
    completion = completion_message(
        state(), SendCompletion(amount_minor=1200, stan="000778", at_ms=NOW_MS), pan=PAN
    )
    assert (completion.mti, completion.text(4), completion.text(2)) == ("0220", "000000001200", PAN)
    assert (completion.text(11), completion.text(38), completion.text(63)) == ("000778", "A1B2C3", "N1T2")
    assert messages.unpack_original_data(completion.text(90)).stan == "000777"
    assert not {14, 35, 45, 52, 55} & set(completion.fields)
    reversal = reversal_message(state(), SendReversal(code="68", stan="000779", at_ms=NOW_MS), pan="")
    assert (reversal.mti, reversal.text(4), reversal.text(39)) == ("0420", "000000005000", "68")
    assert 2 not in reversal


def test_a_yes_carries_amount_code_and_identifier_and_a_no_nothing() -> None:
    yes = authorisation_response(request(), state(), "10", chip_data=b"\x91\x00")
    assert (yes.text(4), yes.text(38), yes.text(63), yes.text(11)) == (
        "000000004000",
        "A1B2C3",
        "N1T2",
        "000001",
    )
    no = authorisation_response(request(), state(), "79", chip_data=b"\x91\x00")
    assert not {38, 55} & set(no.fields)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({39: "00", 4: "000000005000"}, Approved),
        ({39: "10", 4: "000000000001"}, Approved),
        ({39: "51", 4: "000000005000"}, Declined),
        ({39: "ZZ", 4: "000000005000"}, Declined),
        ({39: "00", 4: "000000005001"}, type(None)),
        ({39: "10", 4: "000000000000"}, type(None)),
        ({39: "00"}, type(None)),
        ({4: "000000005000"}, type(None)),
    ],
)
def test_only_a_yes_to_what_was_asked_is_a_yes(fields: dict[int, str], expected: type) -> None:
    assert type(outcome_of(Message("0110", fields), 5000, now_ms=1)) is expected


@pytest.mark.parametrize(
    "changes",
    [{62: "X" * 41}, {61: "X" * 65}, {95: messages.replacement_amounts(100)}, {4: "00000000000X"}],
)
def test_what_cannot_be_kept_is_refused(changes: dict[int, str]) -> None:
    with pytest.raises(UnableToRead):
        identity_of(request().replace(dict(changes)), SealedPan())


@pytest.mark.parametrize("pan", ["1", "1" * 20])
def test_what_can_be_no_card_number_is_refused(pan: str) -> None:
    with pytest.raises(UnableToRead):
        pan_of(Message("0100", {2: pan}))
