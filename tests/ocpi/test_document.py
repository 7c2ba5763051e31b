"""JSON read exactly and strictly: no float, no name twice, limits, moments; and written exactly."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwatt.ocpi.document import SIZE_MAX, Node, UnableToRead, as_moment, as_text, parse


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "$: is not JSON"),
        ("{", "$: is not JSON"),
        (b"\xff\xfe\xff", "$: is not JSON"),
        ("[NaN]", "$: NaN is no number in JSON"),
        ('{"a": -Infinity}', "$: -Infinity is no number in JSON"),
        ("[" * 100_000, "$: is nested too deep"),
        ('{"a": 1, "b": ' + "[" * 985 + "]" * 985 + ', "a": 1}', "$: is nested too deep"),
        ("9" * 5_000, "$: is not JSON"),
        (" " * (SIZE_MAX + 1), f"$: is longer than {SIZE_MAX}"),
        ('{"a": 1, "a": 1}', "$.a: stands twice in one object"),
        ('{"a": [1, {"b": {"c": 1, "d": 2, "c": 3}}]}', "$.a[1].b.c: stands twice in one object"),
    ],
    ids=lambda one: str(one)[:20],
)
def test_what_is_no_document_is_refused(text: str | bytes, says: str) -> None:
    with pytest.raises(UnableToRead) as caught:
        parse(text)
    assert str(caught.value).startswith(says)


def test_numbers_keep_every_digit() -> None:
    assert parse("[0.10, 1e-7, 12345678901234567890]") == [
        Decimal("0.10"),
        Decimal("1e-7"),
        12345678901234567890,
    ]


@given(st.decimals(-(10**9), 10**9, places=9))
def test_a_number_written_is_the_number_read(number: Decimal) -> None:
    assert Node(parse(as_text([number]))[0]).number() == number


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00", 0),
        ("1970-01-01T00:00:01.5Z", 1_500),
        ("1970-01-01T00:00:00.123456789Z", 123),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1969-12-31T18:30:00-05:30", 0),
        ("2026-07-24T10:11:12Z", 1_784_887_872_000),
    ],
)
def test_moments(text: str, at_ms: int) -> None:
    assert Node(text).moment_ms() == at_ms


@pytest.mark.parametrize(
    "text",
    [
        "2026-07-24",
        "2026-07-24 10:11:12Z",
        "2026-07-24T10:11Z",
        "2026-07-24T24:00:00Z",
        "2026-07-24T10:11:12+25:00",
    ],
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(UnableToRead, match=r"^\$: (must be a moment like|is no moment)"):
        Node(text).moment_ms()


@given(st.integers(-(10**12), 4 * 10**12))
def test_a_moment_written_is_the_moment_read(at_ms: int) -> None:
    assert Node(as_moment(at_ms)).moment_ms() == at_ms
