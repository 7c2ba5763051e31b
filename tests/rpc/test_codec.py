"""Frames against their text, both ways; and whatever else arrives."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwatt.rpc.codec import UnableToReadFrame, UnableToWriteFrame, decode, encode
from tapwatt.rpc.messages import Call, CallError, CallResult, Frame

FRAMES: list[tuple[Frame, bytes]] = [
    (Call(message_id="19", action="Heartbeat", payload=b"{}"), b'[2,"19","Heartbeat",{}]'),
    (Call(message_id=19, action="Heartbeat", payload=b"{}"), b'[2,19,"Heartbeat",{}]'),
    (
        Call(message_id="a", action="Authorize", payload=b'{"idTag":"\xc3\xa4"}'),
        b'[2,"a","Authorize",{"idTag":"\xc3\xa4"}]',
    ),
    (CallResult(message_id="19", payload=b'{"a":[1,2]}'), b'[3,"19",{"a":[1,2]}]'),
    (
        CallError(message_id="19", code="InternalError", description="no", details=b'{"x":1}'),
        b'[4,"19","InternalError","no",{"x":1}]',
    ),
]


@pytest.mark.parametrize(("frame", "text"), FRAMES)
def test_frame_and_text_are_the_same_both_ways(frame: Frame, text: bytes) -> None:
    assert encode(frame) == text
    assert decode(text) == frame


@pytest.mark.parametrize(("frame", "text"), FRAMES)
def test_every_cut_and_every_tail_is_refused_with_our_error(frame: Frame, text: bytes) -> None:
    for length in range(len(text)):
        with pytest.raises(UnableToReadFrame):
            decode(text[:length])
    with pytest.raises(UnableToReadFrame):
        decode(text + b"[")


def test_spaces_short_call_errors_and_long_ids_are_read() -> None:
    assert decode(b' [ 4 , "1" , "GenericError" ] ') == CallError(message_id="1", code="GenericError")
    assert decode(b'[4,"1","GenericError",null,null]') == CallError(
        message_id="1", code="GenericError", details=b"null"
    )
    assert decode(b'[2,"' + b"x" * 200 + b'","A",{}]').message_id == "x" * 200


@pytest.mark.parametrize(
    ("text", "kind", "message_id", "action"),
    [
        (b'[2,"7","StopTransaction",{"tr', 2, "7", "StopTransaction"),
        (b'[2,"7","StopTransaction"]', 2, "7", "StopTransaction"),
        (b'[2,"7","StopTransaction",{},{}]', 2, "7", "StopTransaction"),
        (b'[2,7,"Stop', 2, 7, None),
        (b'[2,"7"]', 2, "7", None),
        (b'[2,{},"Heartbeat",{}]', 2, None, "Heartbeat"),
        (b'[2,"' + b"x" * 256 + b'","A",{}]', 2, None, "A"),
        (b'[9,"7","Heartbeat",{}]', 9, "7", "Heartbeat"),
        (b'["2","7","Heartbeat",{}]', None, "7", "Heartbeat"),
        (b'[3,"7"]', 3, "7", None),
        (b"{}", None, None, None),
        (b"", None, None, None),
        (b"[" * 100_000, None, None, None),
        (b"\xff\xfe", None, None, None),
    ],
)
def test_what_can_still_be_read_of_a_broken_frame(
    text: bytes, kind: int | None, message_id: str | int | None, action: str | None
) -> None:
    with pytest.raises(UnableToReadFrame) as caught:
        decode(text)
    assert (caught.value.kind, caught.value.message_id, caught.value.action) == (kind, message_id, action)


def test_our_own_ids_keep_to_36_characters() -> None:
    encode(Call(message_id="x" * 36, action="Heartbeat", payload=b"{}"))
    for message_id in ("x" * 37, ""):
        with pytest.raises(UnableToWriteFrame):
            encode(Call(message_id=message_id, action="Heartbeat", payload=b"{}"))


@given(st.binary(max_size=200))
def test_garbage_raises_only_our_error(data: bytes) -> None:
    with contextlib.suppress(UnableToReadFrame):
        decode(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(json_values, max_size=6))
def test_any_json_array_raises_only_our_error(value: list[object]) -> None:
    try:
        frame = decode(json.dumps(value).encode())
    except UnableToReadFrame:
        return
    encode(CallResult(message_id=frame.message_id, payload=b"{}"))


@given(
    message_id=st.text(min_size=1, max_size=36) | st.integers(-(2**62), 2**62),
    action=st.text(min_size=1, max_size=40),
    description=st.text(max_size=255),
)
def test_frames_survive_the_round_trip(message_id: str | int, action: str, description: str) -> None:
    for frame in (
        Call(message_id=message_id, action=action, payload=b'{"a":1}'),
        CallResult(message_id=message_id, payload=b"[]"),
        CallError(message_id=message_id, code=action, description=description),
    ):
        assert decode(encode(frame)) == frame
