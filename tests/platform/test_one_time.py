"""Codes of authenticator apps against the vectors of RFC 4226 and RFC 6238."""

import base64

import pytest

from tapwatt.platform.one_time import code_at, hotp, otpauth, secret_of, step_of

KEY = b"12345678901234567890"  # the test key of both RFCs
SECRET = base64.b32encode(KEY).decode()

# RFC 4226, appendix D
COUNTED = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489")
# RFC 6238, appendix B, the SHA-1 rows: eight digits
TIMED = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}


@pytest.mark.parametrize("counter", range(10))
def test_counted_values(counter: int) -> None:
    assert hotp(KEY, counter, digits=6) == COUNTED[counter]


@pytest.mark.parametrize("at_s", TIMED)
def test_timed_values(at_s: int) -> None:
    assert hotp(KEY, at_s // 30, digits=8) == TIMED[at_s]
    assert code_at(SECRET, step=at_s // 30) == TIMED[at_s][2:]


@pytest.mark.parametrize(
    ("at_s", "after", "found"),
    [(59, 0, 1), (30, 0, 1), (89, 0, 1), (0, 0, 1), (119, 0, None), (59, 1, None), (59, 2, None)],
)
def test_a_code_fits_one_step_around_and_once(at_s: int, after: int, found: int | None) -> None:
    assert step_of("287082", SECRET, at_s=at_s, after=after) == found


@pytest.mark.parametrize("code", ["", "287083", "28708", "94287082", "２８７０８２", "\ud800", "x" * 9999])
def test_nothing_else_fits(code: str) -> None:
    assert step_of(code, SECRET, at_s=59, after=0) is None


def test_a_secret_is_given_to_apps_as_an_address() -> None:
    assert secret_of(KEY + b"more") == SECRET
    assert otpauth(SECRET, login_name="ada lovelace", issuer="Demo & Sons") == (
        f"otpauth://totp/Demo%20%26%20Sons:ada%20lovelace?secret={SECRET}&issuer=Demo%20%26%20Sons"
    )
    with pytest.raises(ValueError, match="no base32"):
        code_at("not base32!", step=1)
