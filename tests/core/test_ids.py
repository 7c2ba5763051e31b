"""Identifiers that Tapwatt mints: from chance that comes in, short enough for their wire."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwatt.core.ids import CROCKFORD, ID_TAG_MAX, one_use_token, payment_reference, session_id, symbols

CHANCE = st.binary(min_size=10, max_size=32)


@given(CHANCE)
def test_a_one_use_token_fits_an_id_tag_and_is_never_an_rfid_uid(chance: bytes) -> None:
    token = one_use_token(chance)
    assert len(token) == 18 <= ID_TAG_MAX == 20
    assert token.isascii()
    with pytest.raises(ValueError):
        bytes.fromhex(token)
    with pytest.raises(ValueError):
        int(token, 16)


@given(CHANCE)
def test_the_same_chance_makes_the_same_name(chance: bytes) -> None:
    assert one_use_token(chance) == one_use_token(chance)
    assert session_id(chance)[1:] == one_use_token(chance)[3:]


@given(CHANCE)
def test_names_use_only_unambiguous_characters(chance: bytes) -> None:
    assert set(session_id(chance)[1:]) | set(payment_reference(chance)) <= set(CROCKFORD)
    assert not set("ILOU") & set(CROCKFORD)
    assert (len(session_id(chance)), len(payment_reference(chance))) == (16, 12)


@given(first=CHANCE, second=CHANCE)
def test_every_bit_that_is_used_changes_the_name(first: bytes, second: bytes) -> None:
    same = int.from_bytes(first, "big") % 2**75 == int.from_bytes(second, "big") % 2**75
    assert (session_id(first) == session_id(second)) is same


@pytest.mark.parametrize(("mint", "least"), [(session_id, 10), (one_use_token, 10), (payment_reference, 8)])
def test_too_little_chance_is_refused(mint: Callable[[bytes], str], least: int) -> None:
    assert mint(bytes(least))
    with pytest.raises(ValueError, match=f"need {least} random bytes, got {least - 1}"):
        mint(bytes(least - 1))


def test_symbols_take_five_bits_each_lowest_first() -> None:
    assert symbols(bytes([0b0000_0000, 0b0010_0001]), length=2) == "11"
    assert symbols(bytes([0xFF] * 5), length=8) == "ZZZZZZZZ"
