"""`tapwatt ocmf verify`: published documents through the command, exit codes, what each refusal says."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.ocmf.meter import BEGIN, END, document, payload, public_der, reading, samples

SAMPLES = {sample.name: sample for sample in samples()}
KEY = public_der("secp256r1").hex()
SHAPE = {"valid", "billable", "reason", "energy_wh", "meter", "readings"}


def tapwatt(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", "from tapwatt.cli import main; main()", *arguments],
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )


def answer(*arguments: str, stdin: bytes = b"") -> tuple[int, dict[str, Any]]:
    done = tapwatt("ocmf", "verify", *arguments, "--json", stdin=stdin)
    shown: dict[str, Any] = json.loads(done.stdout, parse_float=Decimal)
    assert set(shown) == SHAPE
    return done.returncode, shown


def refused(done: subprocess.CompletedProcess[bytes], *says: str) -> None:
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1), done.stderr
    for word in says:
        assert word in done.stderr.decode()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_published_documents(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    file = tmp_path / "document.ocmf"
    file.write_bytes(sample.document)
    code, shown = answer(str(file), "--key", sample.key)
    expected = sample.expected
    assert (code, shown["valid"], shown["billable"], shown["meter"]) == (0, True, False, expected["meter"])
    assert shown["reason"] == "; ".join(expected["reasons"])
    energy = None if expected["energy_wh"] is None else Decimal(expected["energy_wh"])
    assert shown["energy_wh"] == energy


def test_a_transaction_that_may_be_billed_has_whole_watt_hours() -> None:
    code, shown = answer("-", "--key", KEY, stdin=document(payload(3, BEGIN, END)))
    assert (code, shown["valid"], shown["billable"], shown["reason"]) == (0, True, True, "")
    assert (shown["energy_wh"], type(shown["energy_wh"])) == (12_500, int)
    begin = shown["readings"][0]
    assert begin == {
        "document": "T3",
        "time": BEGIN["TM"],
        "at_ms": 1772355600000,
        "transaction": "B",
        "register": "1-0:1.8.0",
        "value": "100.25",
        "unit": "kWh",
        "energy_wh": 100_250,
        "status": "G",
        "error_flags": "",
    }


def test_a_part_of_a_watt_hour_keeps_its_digits() -> None:
    rows = reading("B", "0.000000000000000001", 0), reading("E", "123456789012.1", 9)
    _, shown = answer("-", "--key", KEY, stdin=document(payload(3, *rows)))
    assert shown["energy_wh"] == Decimal("123456789012099.999999999999999")


def test_the_largest_register_and_the_smallest_are_written() -> None:
    rows = reading("B", "1e-99", 0), reading("E", "1e99", 9)
    _, shown = answer("-", "--key", KEY, stdin=document(payload(3, *rows)))
    assert shown["energy_wh"] == Decimal("9" * 102 + "." + "9" * 96)
    assert shown["readings"][1]["energy_wh"] == 10**102
    assert shown["readings"][0]["value"] == "0." + "0" * 98 + "1"


def test_what_a_stranger_wrote_does_not_steer_the_window() -> None:
    signed = document(payload(3, reading("B", "1", 0, TM="\x1b[2Jgone", TX="\x07B")))
    shown = tapwatt("ocmf", "verify", "-", "--key", KEY, stdin=signed).stdout
    assert b"gone" in shown
    assert not any(byte in shown for byte in b"\x1b\x07")


def test_a_changed_document_is_exit_code_one() -> None:
    changed = SAMPLES["S2"].document.replace(b"08-13T10:03:15", b"08-12T10:03:15")
    code, shown = answer("-", "--key", SAMPLES["S2"].key, stdin=changed)
    assert (code, shown["valid"], shown["billable"], shown["energy_wh"]) == (1, False, False, None)
    code, shown = answer("-", "--key", SAMPLES["S1"].key, stdin=SAMPLES["S6"].document)
    assert (code, shown["valid"]) == (1, False)


def test_for_people_to_read() -> None:
    done = tapwatt("ocmf", "verify", "-", "--key", KEY, stdin=document(payload(3, BEGIN, END)))
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    assert lines[:4] == [
        "signature  valid",
        "billable   yes",
        "meter      TEST-METER-1",
        "energy     12500 Wh",
    ]
    assert "T3  2026-03-01T10:40:00,000+0100 S  E  1-0:1.8.0  112.75 kWh" in lines[5]
    done = tapwatt("ocmf", "verify", "-", "--key", SAMPLES["S1"].key, stdin=SAMPLES["S1"].document)
    assert "  because  the meter's status is E, not G" in done.stdout.decode().splitlines()
    done = tapwatt("ocmf", "verify", "-", "--key", KEY, stdin=SAMPLES["S1"].document)
    assert (done.returncode, done.stdout.startswith(b"signature  NOT VALID\n")) == (1, True)


def test_the_key_in_the_file_is_used_and_not_trusted(tmp_path: Path) -> None:
    text = document(payload(3, BEGIN, END)).decode()
    file = tmp_path / "transaction.xml"
    file.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<values>\n'
        ' <value transactionId="1" context="Transaction.End">\n'
        f'  <signedData format="OCMF" encoding="plain">{text}</signedData>\n'
        f'  <publicKey encoding="hex">{KEY}</publicKey>\n </value>\n</values>\n'
    )
    done = tapwatt("ocmf", "verify", str(file), "--json")
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["valid"], shown["billable"], shown["energy_wh"]) == (
        0,
        True,
        False,
        12_500,
    )
    assert "nobody vouches" in shown["reason"]
    assert b"compare it with the meter's own" in done.stderr
    assert answer(str(file), "--key", KEY)[1]["billable"]
    other = public_der("secp256k1").hex()
    assert answer(str(file), "--key", other)[0] == 1


GOOD = document(payload(3, BEGIN, END))
ON_192K1 = document(payload(3, BEGIN, END), SA="ECDSA-secp192k1-SHA256")


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (("-",), GOOD, ("--key", "no public key")),
        (("-", "--key", "zz"), GOOD, ("--key", "neither hex nor base64")),
        (("-", "--key", ""), GOOD, ("--key", "is empty")),
        (("-", "--key", KEY), b"", ("FILE", "file: is neither")),
        (("-", "--key", KEY), b"\xff\xfe\x00", ("FILE", "XML")),
        (("-", "--key", KEY), b'OCMF|{}|{"SD":"*"}', ("FILE", "document 1, signature.SD")),
        (("-", "--key", KEY), document(b'{"RD":[]}'), ("FILE", "RD: must be a list")),
        (("-", "--key", KEY), ON_192K1, ("FILE", "curve secp192k1 is not supported by this build")),
        (("no-such-file", "--key", KEY), b"", ("FILE", "no-such-file cannot be read")),
        ((".", "--key", KEY), b"", ("FILE", "cannot be read")),
        ((), b"", ("FILE",)),
    ],
)
def test_what_cannot_be_read_or_judged_is_one_sentence(
    arguments: tuple[str, ...], stdin: bytes, says: tuple[str, ...]
) -> None:
    refused(tapwatt("ocmf", "verify", *arguments, stdin=stdin), *says)
    refused(tapwatt("ocmf", "verify", *arguments, "--json", stdin=stdin), *says)


def test_help_says_what_the_exit_codes_mean() -> None:
    shown = " ".join(tapwatt("ocmf", "verify", "--help").stdout.decode().split())
    assert "Exit code 0: the signatures are valid (billable or not), 1: they are not" in shown


TOTP = (
    "totp",
    "--secret",
    "TestSecret-0123456789",
    "--at",
    "1767225600",
    "--validity",
    "60",
    "--length",
    "8",
)


def test_the_code_of_a_web_payment() -> None:
    assert tapwatt(*TOTP).stdout == b"CoeWCsMy\n"
    shown = json.loads(tapwatt(*TOTP, "--json").stdout)
    assert shown == {"code": "CoeWCsMy", "valid_from": 1767225600, "valid_until": 1767225660}


def test_a_code_is_checked() -> None:
    for code, fits in (("CoeWCsMy", True), ("CoeWCsMz", False)):
        done = tapwatt(*TOTP, "--check", code)
        assert (done.returncode, done.stdout) == (0 if fits else 1, b"fits\n" if fits else b"does not fit\n")
        assert json.loads(tapwatt(*TOTP, "--check", code, "--json").stdout) == {"fits": fits}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("--secret", "", "must be 1 to 255 bytes"),
        ("--at", "-1", "must be seconds since 1970"),
        ("--at", "now", "--at"),
        ("--validity", "5", "must be 6 to 3600 seconds, not 5"),
        ("--length", "33", "must be 6 to 32 characters, not 33"),
    ],
)
def test_a_code_out_of_bounds_is_one_sentence(name: str, value: str, says: str) -> None:
    refused(tapwatt(*TOTP, name, value), name, says)
