"""Framing: whole, in pieces, keep-alives, and the limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwatt.rails.codec import FRAME_LIMIT, KEEP_ALIVE, FrameDecoder, FrameTooLong, encode_frame


@given(payloads=st.lists(st.binary(max_size=40), max_size=6), data=st.data())
def test_frames_arrive_however_they_are_cut(payloads: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(encode_frame(payload) for payload in payloads)
    decoder, found = FrameDecoder(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += decoder.feed(stream[:size])
        stream = stream[size:]
    assert found == [payload for payload in payloads if payload]
    assert decoder.keep_alives == payloads.count(b"")
    assert not decoder.partial


def test_what_comes_after_a_frame_waits_for_the_rest() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(encode_frame(b"one") + b"\x00\x03tw") == [b"one"]
    assert decoder.partial
    assert decoder.feed(b"o") == [b"two"]
    assert not decoder.partial


def test_a_keep_alive_is_nothing() -> None:
    assert FrameDecoder().feed(KEEP_ALIVE * 3) == []


def test_a_frame_over_the_limit_is_refused_both_ways() -> None:
    assert FrameDecoder().feed(encode_frame(b"x" * FRAME_LIMIT)) == [b"x" * FRAME_LIMIT]
    with pytest.raises(FrameTooLong, match="4097 bytes is over the limit of 4096"):
        FrameDecoder().feed((FRAME_LIMIT + 1).to_bytes(2, "big"))
    with pytest.raises(FrameTooLong):
        encode_frame(b"x" * (FRAME_LIMIT + 1))
