"""Card numbers at rest, and every form in which one could leak."""

from __future__ import annotations

import base64
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rails.samples import PAN, hold

from tapwatt.rails.emv.tlv import encode_tlv
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.keys import (
    PanCipher,
    UnableToOpen,
    UnableToRestore,
    forms,
    leaks,
    mask,
    open_message,
    seal_message,
)

CIPHER = PanCipher(b"a" * 32, b"h" * 32, random=os.urandom)
PANS = ["4111111111111111", "5413330089604111", "378282246310005", "6304000000000000000"]


@pytest.mark.parametrize("pan", PANS)
def test_what_is_sealed_opens_and_never_looks_the_same(pan: str) -> None:
    sealed = CIPHER.seal(pan)
    assert CIPHER.open(sealed) == pan
    assert CIPHER.seal(pan) != sealed
    assert leaks(pan, sealed.encode()) == []
    assert CIPHER.match(pan) == CIPHER.match(pan)
    assert len({CIPHER.match(other) for other in PANS}) == len(PANS)
    assert PanCipher(b"a" * 32, b"i" * 32, random=os.urandom).match(pan) != CIPHER.match(pan)


@pytest.mark.parametrize(
    "sealed", ["", "p1.", "p1.AAAA", "p1.???", "p2." + "A" * 60, "p1." + "A" * 60, "p1.é"]
)
def test_what_is_not_ours_does_not_open(sealed: str) -> None:
    with pytest.raises(UnableToOpen):
        CIPHER.open(sealed)


def test_a_changed_seal_or_another_key_does_not_open() -> None:
    sealed = CIPHER.seal(PAN)
    other = PanCipher(b"b" * 32, b"h" * 32, random=os.urandom)
    for cipher, text in ((other, sealed), (CIPHER, sealed[:-6] + "AAAA==")):
        with pytest.raises(UnableToOpen) as caught:
            cipher.open(text)
        assert PAN not in str(caught.value)
    assert "aaaa" not in repr(CIPHER)


def test_one_key_for_both_jobs_is_refused() -> None:
    with pytest.raises(ValueError, match="must differ"):
        PanCipher(b"a" * 32, b"a" * 32, random=os.urandom)


@pytest.mark.parametrize(
    ("pan", "shown"),
    [
        ("4111111111111111", "411111******1111"),
        ("378282246310005", "378282*****0005"),
        ("4111", "****"),
        ("", ""),
    ],
)
def test_masking(pan: str, shown: str) -> None:
    assert mask(pan) == shown


@pytest.mark.parametrize("pan", PANS)
@given(before=st.binary(min_size=0, max_size=5), after=st.binary(max_size=5))
def test_every_form_is_found_wherever_it_stands(pan: str, before: bytes, after: bytes) -> None:
    padded = pan if len(pan) % 2 == 0 else pan + "F"
    shifted = "1" + pan + ("2" if len(pan) % 2 == 0 else "")
    hidden = {
        "plain": pan.encode(),
        "utf-16": pan.encode("utf-16-be") + b"\0",
        "bcd": bytes.fromhex(padded),
        "bcd shifted": bytes.fromhex(shifted),
        "ebcdic": pan.encode("cp500"),
        "hex of plain": pan.encode().hex().encode(),
        "hex of ebcdic": pan.encode("cp500").hex().upper().encode(),
        "base64": base64.b64encode(before + pan.encode() + after),
        "base64 of bcd": base64.b64encode(before + bytes.fromhex(padded) + after),
        "base64 of ebcdic": base64.b64encode(before + pan.encode("cp500") + after),
    }
    missed = [name for name, data in hidden.items() if not leaks(pan, b"log: " + before + data + after)]
    assert missed == []


def test_innocent_data_is_not_accused() -> None:
    text = json.dumps({"masked": mask(PAN), "bin": PAN[:6], "last": PAN[-4:], "rrn": "532609000001"}).encode()
    assert leaks(PAN, text + base64.b64encode(text) + text.hex().encode()) == []
    assert min(len(form) for form in forms(PAN).values()) >= 7


class TestStoredMessage:
    def test_what_comes_back_is_the_message_without_its_secrets(self) -> None:
        chip = encode_tlv({"57": bytes.fromhex(PAN + "D3112"[:4]), "9C": b"\0"})
        message = hold(chip_data=chip).replace(
            {35: f"{PAN}=3112", 45: "B", 52: b"8" * 8, 53: "0" * 16, 64: b"m" * 8}
        )
        stored = seal_message(message, CIPHER)
        assert leaks(PAN, stored.encode()) == []
        restored = open_message(stored, CIPHER)
        assert restored == message.without(35, 45, 52, 53).replace({55: encode_tlv({"9C": b"\0"})})

    def test_unreadable_chip_data_is_not_kept(self) -> None:
        assert 55 not in open_message(seal_message(hold(chip_data=b"\x9f"), CIPHER), CIPHER)

    def test_a_message_without_a_card_number(self) -> None:
        message = Message("0800", {11: "000001", 70: "001"})
        assert open_message(seal_message(message, CIPHER), CIPHER) == message

    @pytest.mark.parametrize(
        "text", ["", "{}", "[]", "1", '{"mti": 1}', '{"mti":"0100","fields":[],"binary":{}}']
    )
    def test_other_text_is_refused(self, text: str) -> None:
        with pytest.raises(UnableToRestore):
            open_message(text, CIPHER)
