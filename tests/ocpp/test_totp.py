"""The code of OCPP 2.1 web payments: vectors, bounds, neighbours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwatt.ocpp.totp import UnableToMakeCode, totp, totp_fits

SECRET = "TestSecret-0123456789"
# practice.md section 4 and ocpp.md section 4.5, each computed there by other means
VECTORS = [
    (SECRET, 1767225600, 60, 8, "CoeWCsMy"),
    (SECRET, 1767225600, 30, 12, "Ckb6q2pJ8yOS"),
    ("secure!Charging!", 1700000000, 30, 8, "asOzk1zL"),
]


@pytest.mark.parametrize(("secret", "at_s", "validity_s", "length", "code"), VECTORS)
def test_the_published_codes(secret: str, at_s: int, validity_s: int, length: int, code: str) -> None:
    assert totp(secret, at_s=at_s, validity_s=validity_s, length=length) == code
    assert totp_fits(code, secret, at_s=at_s, validity_s=validity_s, length=length)


def test_one_interval_either_way_and_no_more() -> None:
    at_s = 1767225600  # an interval of 60 s begins
    code = totp(SECRET, at_s=at_s, validity_s=60, length=8)
    for now_s, fits in (
        (-61, False),
        (-60, True),
        (0, True),
        (59, True),
        (60, True),
        (119, True),
        (120, False),
    ):
        assert totp_fits(code, SECRET, at_s=at_s + now_s, validity_s=60, length=8) is fits


def test_what_does_not_fit() -> None:
    for code in ("", "CoeWCsM", "CoeWCsMyy", "coewcsmy", "CoeWCsMÿ", "\ud800", "CoeWCsMy "):
        assert not totp_fits(code, SECRET, at_s=1767225600, validity_s=60, length=8)
    assert not totp_fits("CoeWCsMy", "another", at_s=1767225600, validity_s=60, length=8)


def test_the_first_interval_has_no_neighbour_before() -> None:
    assert totp_fits(totp(SECRET, at_s=0, validity_s=60, length=6), SECRET, at_s=0, validity_s=60, length=6)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"secret": ""}, "secret: must be 1 to 255 bytes, not 0"),
        ({"secret": "ä" * 128}, "secret: must be 1 to 255 bytes, not 256"),
        ({"secret": "\udce4"}, "secret: must be UTF-8"),
        ({"at_s": -1}, "at: must be seconds since 1970"),
        ({"at_s": 253402300800}, "at: must be seconds since 1970"),
        ({"validity_s": 5}, "validity: must be 6 to 3600 seconds, not 5"),
        ({"validity_s": 3601}, "validity: must be"),
        ({"validity_s": 0}, "validity: must be"),
        ({"length": 5}, "length: must be 6 to 32 characters, not 5"),
        ({"length": 33}, "length: must be"),
    ],
)
def test_what_is_out_of_bounds_is_named(changed: dict[str, object], says: str) -> None:
    asked: dict[str, object] = {"secret": SECRET, "at_s": 0, "validity_s": 60, "length": 8} | changed
    secret = str(asked.pop("secret"))
    for call in (totp, lambda *given, **terms: totp_fits("x", *given, **terms)):
        with pytest.raises(UnableToMakeCode) as raised:
            call(secret, **asked)  # type: ignore[arg-type]
        assert str(raised.value).startswith(says)


@given(
    secret=st.text(alphabet="abcäß€19 !", min_size=1, max_size=80),
    at_s=st.integers(0, 253402300799),
    validity_s=st.integers(6, 3600),
    length=st.integers(6, 32),
)
def test_every_code_is_as_long_as_asked_and_fits(
    secret: str, at_s: int, validity_s: int, length: int
) -> None:
    code = totp(secret, at_s=at_s, validity_s=validity_s, length=length)
    assert len(code) == length
    assert code.isascii()
    assert code.isalnum()
    assert totp_fits(code, secret, at_s=at_s, validity_s=validity_s, length=length)
    shorter = totp(secret, at_s=at_s, validity_s=validity_s, length=6)
    assert code.startswith(shorter)
