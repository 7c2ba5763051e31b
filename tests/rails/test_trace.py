"""A card message as a trace: joined by its references, and nothing of the card that must not be kept."""

from __future__ import annotations

import json

import pytest

from tapwatt.rails.emv.tlv import encode_tlv
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.keys import forms
from tapwatt.rails.meaning import explain
from tapwatt.rails.trace import link_of, trace_of, unreadable
from tapwatt.traces import Direction, Mark

PAN = "4111111111111111"
CRYPTOGRAM = bytes.fromhex("A1B2C3D4E5F60718")
CHIP = encode_tlv(
    [
        ("9F02", bytes.fromhex("000000002500")),
        ("9F26", CRYPTOGRAM),
        ("57", bytes.fromhex(PAN + "D31120")),
        ("5A", bytes.fromhex(PAN)),
    ]
)
REQUEST = Message(
    "0100",
    {
        2: PAN, 3: "000000", 4: "000000002500", 7: "1126181149", 11: "000001", 14: "3112", 22: "072",
        35: f"{PAN}=31122010000012345678", 37: "632612000001", 41: "52523535", 45: f"B{PAN}^X/Y^3112",
        48: "PA011PC011", 49: "978", 52: b"\x12" * 8, 55: CHIP, 60: f"serial {PAN}",
        61: "REF1", 62: "52523535-632612000001",
    },
)  # fmt: skip


def traced(message: Message, direction: Direction = Direction.RECEIVED, mark: Mark = Mark.NONE) -> str:
    kept = trace_of(message, direction=direction, peer="gateway", at_ms=1, mark=mark)
    return json.dumps(dict(kept.fields)) + repr(kept)


@pytest.mark.parametrize(
    "message",
    [
        REQUEST,
        REQUEST.replace({61: PAN, 62: PAN}),
        REQUEST.replace({55: b"\xff" + PAN.encode()}),
        REQUEST.replace({43: f"{PAN} at a place".ljust(40), 102: PAN, 34: PAN}),
    ],
    ids=["ordinary", "as references", "as chip data", "where it does not belong"],
)
def test_no_card_number_track_pin_or_cryptogram_is_in_a_trace(message: Message) -> None:
    text = traced(message)
    for name, form in forms(PAN).items():
        assert form.decode("latin-1") not in text, name
    assert "31122010000012345678" not in text
    assert "3112" not in text.replace("632612", "")
    assert CRYPTOGRAM.hex().upper() not in text.upper()
    assert "1212121212" not in text


def test_a_trace_is_named_and_joined() -> None:
    kept = trace_of(REQUEST, direction=Direction.RECEIVED, peer="terminal", at_ms=7)
    assert (kept.name, kept.amount_minor, kept.reference) == ("0100 authorisation request", 2500, "REF1")
    assert kept.life_cycle == "52523535-632612000001"
    assert kept.link == link_of(REQUEST) == "000001.1126181149.52523535"
    assert kept.fields["2"] == "411111******1111"
    assert kept.fields["55"]["9F02"] == "000000002500"


def test_a_payment_without_a_life_cycle_is_joined_by_terminal_and_rrn() -> None:
    kept = trace_of(REQUEST.without(62), direction=Direction.SENT, peer="x", at_ms=1)
    assert kept.life_cycle == "52523535-632612000001"


@pytest.mark.parametrize(
    ("mti", "code", "mark"),
    [
        ("0110", "00", Mark.NONE),
        ("0110", "10", Mark.NONE),
        ("0110", "51", Mark.REFUSED),
        ("0220", None, Mark.NONE),
        ("0221", None, Mark.REPEAT),
        ("0421", None, Mark.REPEAT),
        ("0420", "68", Mark.NONE),
    ],
)
def test_marks(mti: str, code: str | None, mark: Mark) -> None:
    message = REQUEST.replace({39: code}, mti=mti)
    assert trace_of(message, direction=Direction.SENT, peer="x", at_ms=1).mark is mark


def test_an_answer_that_did_not_come_keeps_no_fields() -> None:
    kept = trace_of(REQUEST, direction=Direction.AWAITED, peer="issuer", at_ms=1, mark=Mark.UNANSWERED)
    assert (kept.mark, kept.fields) == (Mark.UNANSWERED, {})


def test_what_could_not_be_read_says_why() -> None:
    kept = unreadable(peer="terminal", at_ms=1, reason="field 4 is cut off")
    assert (kept.mark, kept.fields["reason"]) == (Mark.UNREADABLE, "field 4 is cut off")


def test_fields_are_explained_in_words() -> None:
    kept = trace_of(REQUEST.replace({39: "51"}, mti="0110"), direction=Direction.SENT, peer="x", at_ms=1)
    told = {label: (value, words) for label, value, words in explain("0110", kept.fields, currency="EUR")}
    assert told["DE4 amount"] == ("000000002500", "25.00 EUR")
    assert told["DE3 processing code"][1] == "goods and services"
    assert told["DE22 entry mode"][1] == "contactless chip, terminal without PIN entry"
    assert "funds" in told["DE39 response code"][1].lower()
    assert told["DE48 additional data"][1] == "the final amount comes later, less than this will do"
    assert told["9F02 amount"] == ("000000002500", "")
    assert "application cryptogram" in told["DE55 chip data"][1]


def test_a_reversal_says_why_and_about_what() -> None:
    fields = {"39": "68", "90": "0100000001112618114900000100001000003000 1".replace(" ", "0")}
    told = {label: words for label, _, words in explain("0420", fields, currency="EUR")}
    assert told["DE39 response code"] == "no answer in time"
    assert told["DE90 original data"] == "about the 0100 with trace number 000001"


@pytest.mark.parametrize("value", ["x", "", "99999", "PA01", "<8 bytes>"])
def test_nonsense_in_a_field_is_shown_without_words(value: str) -> None:
    for number in ("4", "7", "12", "39", "48", "90", "999"):
        assert [told[1] for told in explain("0100", {number: value}, currency="EUR")] == [value]
