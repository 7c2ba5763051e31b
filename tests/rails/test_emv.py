"""BER-TLV, and the application cryptogram against published vectors."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwatt.rails.emv.cryptogram import (
    COVERED_TAGS,
    STATUS_APPROVED,
    CryptogramCheck,
    generate_arpc,
    generate_arqc,
    verify_arpc,
    verify_arqc,
)
from tapwatt.rails.emv.tap import TapTerms, personalise, tap_chip_data, tap_tags
from tapwatt.rails.emv.tlv import (
    MAX_TAGS,
    UnableToDecodeTlv,
    UnableToEncodeTlv,
    decode_tlv,
    encode_tlv,
    strip_sensitive,
)
from tapwatt.rails.keys.tdes import card_key, check_value

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "emv" / "cryptograms.json").read_text()
)["arqc"]
MASTER_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
PAN = "4111111111111111"
CARD = personalise(
    pan=PAN,
    sequence="01",
    expiry="3112",
    aid=bytes.fromhex("A0000000031010"),
    label="VISA DEBIT",
    issuer_master_key=MASTER_KEY,
    par="V0010013026027000000000000001",
)
TERMS = TapTerms(
    amount_minor=5000,
    currency="978",
    country="276",
    date="251122",
    unpredictable=b"\x01\x02\x03\x04",
    stan="000042",
)
MANDATORY = "9A 9C 5F2A 9F1A 9F02 9F03 9F36 82 84 95 9F10 9F26 9F33 9F37 9F27 9F34"

tag_names = st.sampled_from(["82", "9F26", "5F2A", "DF8101", "9F10", "71", "57"])


class TestTlv:
    @given(st.lists(st.tuples(tag_names, st.binary(max_size=300)), max_size=8))
    def test_tags_come_back_in_order_even_unknown_and_twice(self, tags: list[tuple[str, bytes]]) -> None:
        assert list(decode_tlv(encode_tlv(tags))) == tags

    @given(st.binary(max_size=200))
    def test_garbage_raises_only_our_error(self, data: bytes) -> None:
        for read in (decode_tlv, strip_sensitive):
            with contextlib.suppress(UnableToDecodeTlv):
                read(data)

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            ("9F", "a tag is cut off"),
            ("9F26", "a length is missing"),
            ("9F2608", "the value of 9F26 is cut off"),
            ("9F2681", "a length is cut off"),
            ("9F2680", "a length in 0 bytes is not taken"),
            ("9F2688FFFFFFFFFFFFFFFF", "a length in 8 bytes is not taken"),
            ("9FFFFFFFFF0100", "a tag of more than 4 bytes"),
            ("9C0100" * (MAX_TAGS + 1), "more than 128 tags"),
            ("00" * 5000, "over the limit of 4096 bytes"),
        ],
    )
    def test_what_is_wrong_is_named(self, data: str, reason: str) -> None:
        with pytest.raises(UnableToDecodeTlv) as caught:
            decode_tlv(bytes.fromhex(data))
        assert caught.value.reason == reason

    def test_filler_between_tags_is_skipped(self) -> None:
        assert decode_tlv(bytes.fromhex("00009C01000000820220000000")) == (("9C", b"\0"), ("82", b"\x20\0"))

    @pytest.mark.parametrize("tag", ["", "9F", "8226", "zz", "00"])
    def test_what_is_no_tag_is_not_written(self, tag: str) -> None:
        with pytest.raises(UnableToEncodeTlv):
            encode_tlv({tag: b""})

    def test_a_value_over_the_limit_is_not_written(self) -> None:
        with pytest.raises(UnableToEncodeTlv, match="over the limit"):
            encode_tlv({"9C": bytes(5000)})

    def test_sensitive_tags_go_even_from_inside_a_template(self) -> None:
        inner = encode_tlv({"5A": bytes.fromhex(PAN), "9F36": b"\0\x05"})
        tags = {
            "57": b"1",
            "5A": b"2",
            "56": b"3",
            "9F6B": b"4",
            "9F1F": b"5",
            "9F20": b"6",
            "5F20": b"7",
            "99": b"8",
        }
        data = encode_tlv({**tags, "9C": b"\0", "70": inner, "77": b"\x9f"})
        assert decode_tlv(strip_sensitive(data)) == (("9C", b"\0"), ("70", encode_tlv({"9F36": b"\0\x05"})))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["title"])
def test_published_cryptograms(vector: dict[str, Any]) -> None:
    master_key = bytes.fromhex(vector["issuer_master_key"])
    tags = {tag: bytes.fromhex(value) for tag, value in vector["tags"].items()}
    arqc = bytes.fromhex(vector["arqc"])
    assert check_value(master_key) == vector["key_check_value"]
    key = card_key(master_key, vector["pan"], vector["sequence"])
    assert generate_arqc(key, tags) == arqc

    who = {"pan": vector["pan"], "sequence": vector["sequence"]}
    chip = verify_arqc(encode_tlv({**tags, "9F26": arqc}), issuer_master_key=master_key, **who)
    assert chip.check is CryptogramCheck.RIGHT
    if "arpc" in vector:
        status = bytes.fromhex(vector["card_status"])
        answer = generate_arpc(chip, issuer_master_key=master_key, status=status, **who)
        assert answer == bytes.fromhex(vector["arpc"]) + status


def checked(data: bytes, *, pan: str = PAN, sequence: str = "01", key: bytes = MASTER_KEY) -> CryptogramCheck:
    return verify_arqc(data, issuer_master_key=key, pan=pan, sequence=sequence).check


def test_a_tap_carries_what_the_schemes_ask_for_and_its_issuer_agrees() -> None:
    data = tap_chip_data(CARD, TERMS, counter=5)
    tags = dict(decode_tlv(data))
    assert set(MANDATORY.split()) <= set(tags)
    assert tags["9F02"].hex() == "000000005000"
    assert len(data) <= 255
    chip = verify_arqc(data, issuer_master_key=MASTER_KEY, pan=PAN, sequence="01")
    assert (chip.check, chip.amount_minor, chip.currency, chip.counter) == (
        CryptogramCheck.RIGHT,
        5000,
        "978",
        5,
    )
    assert strip_sensitive(data) == data
    assert PAN not in repr(CARD)


@pytest.mark.parametrize("tag", [*COVERED_TAGS, "9F26"])
def test_any_changed_bit_of_what_is_covered_is_found(tag: str) -> None:
    tags = tap_tags(CARD, TERMS, counter=5)
    changed = bytes((tags[tag][0] ^ 0x10,)) + tags[tag][1:]
    assert checked(encode_tlv({**tags, tag: changed})) is not CryptogramCheck.RIGHT
    assert (
        checked(encode_tlv({name: value for name, value in tags.items() if name != tag}))
        is CryptogramCheck.UNREADABLE
    )
    assert checked(encode_tlv({**tags, tag: tags[tag] + bytes(32)})) is CryptogramCheck.UNREADABLE


def test_another_key_card_or_sequence_is_wrong_and_garbage_unreadable() -> None:
    data = tap_chip_data(CARD, TERMS, counter=5)
    assert checked(data) is CryptogramCheck.RIGHT
    assert checked(data, key=MASTER_KEY[::-1]) is CryptogramCheck.WRONG
    assert checked(data, pan="5413330089604111") is CryptogramCheck.WRONG
    assert checked(data, sequence="02") is CryptogramCheck.WRONG
    assert checked(b"\x9f") is CryptogramCheck.UNREADABLE
    assert checked(b"") is CryptogramCheck.UNREADABLE


@given(st.binary(max_size=120))
def test_the_issuer_survives_any_chip_data(data: bytes) -> None:
    assert checked(data) is CryptogramCheck.UNREADABLE


def test_the_card_believes_its_issuer_and_nobody_else() -> None:
    data = tap_chip_data(CARD, TERMS, counter=5)
    chip = verify_arqc(data, issuer_master_key=MASTER_KEY, pan=PAN, sequence="01")
    answer = generate_arpc(chip, issuer_master_key=MASTER_KEY, pan=PAN, sequence="01")
    assert answer[4:] == STATUS_APPROVED
    believed = {
        forged: verify_arpc(forged, card_master_key=CARD.key, counter=5, arqc=chip.arqc)
        for forged in (answer, bytes(8), answer[:7], b"", bytes((answer[0] ^ 1,)) + answer[1:])
    }
    assert [forged for forged, held in believed.items() if held] == [answer]


def test_nineteen_digit_cards_take_option_b() -> None:
    long_pan = "6304000000000000000"
    key = card_key(MASTER_KEY, long_pan, "00")
    assert len(key) == 16
    assert key != card_key(MASTER_KEY, long_pan[-16:], "00")


def test_a_key_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes, not 15"):
        card_key(bytes(15), PAN, "00")
