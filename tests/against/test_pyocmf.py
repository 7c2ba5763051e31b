"""Other people's software on the same documents: pyocmf, and openssl on the signatures alone."""

from __future__ import annotations

import base64
import shutil
import subprocess
import warnings
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyocmf import OCMF
from pyocmf.exceptions import PyOCMFError, SpecWarning
from pyocmf.models.obis import OBIS
from tests.ocmf.meter import (
    BEGIN,
    END,
    Sample,
    document,
    payload,
    public_der,
    reading,
    samples,
)

from tapwatt.ocmf.codec import read_document, read_record
from tapwatt.ocmf.curves import CURVES
from tapwatt.ocmf.keys import read_key
from tapwatt.ocmf.registers import Flow, read_register
from tapwatt.ocmf.verify import verify

BOTH_KNOW = [curve for curve in CURVES if curve not in ("brainpoolP384r1", "brainpoolP512r1")]
every_sample = pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)


def theirs(data: bytes) -> OCMF:
    """Their reading; that a published document deviates from the specification is no news."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpecWarning)
        return OCMF.from_string(data.decode())


def they_say(data: bytes, key: str) -> bool:
    """Whether they find it valid; what they cannot judge they do not find valid."""
    try:
        return theirs(data).verify_signature(key)
    except PyOCMFError:
        return False


def we_say(data: bytes, key: str) -> bool:
    return verify(read_document(data), read_key(key)).valid


def openssl_says(data: bytes, key: str, folder: Path) -> bool:
    signed = read_document(data)
    der, payload_file, signature_file = folder / "key.der", folder / "payload", folder / "signature"
    der.write_bytes(bytes.fromhex(key))
    payload_file.write_bytes(signed.payload)
    signature_file.write_bytes(signed.signature.data)
    told = ["openssl", "dgst", "-sha256", "-keyform", "DER", "-verify", str(der)]
    done = subprocess.run(
        [*told, "-signature", str(signature_file), str(payload_file)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip() == b"Verified OK"


@every_sample
def test_both_find_the_published_documents_valid(sample: Sample) -> None:
    changed = sample.document.replace(b'"TX"', b'"TX" ', 1)
    for data, key in (
        (sample.document, sample.key),
        (changed, sample.key),
        (sample.document, samples()[0].key),
    ):
        assert we_say(data, key) == they_say(data, key)
    assert we_say(sample.document, sample.key)


@every_sample
def test_both_read_the_same_from_the_published_documents(sample: Sample) -> None:
    ours, other = read_record(read_document(sample.document).payload), theirs(sample.document).payload
    assert (ours.meter_serial or None, ours.gateway_serial or None) == (other.MS, other.GS)
    assert str(ours.pagination) == other.PG
    assert len(ours.readings) == len(other.RD)
    for mine, their in zip(ours.readings, other.RD, strict=True):
        assert mine.value == their.RV
        assert (mine.transaction, mine.status, mine.error_flags or None) == (their.TX, their.ST, their.EF)
        assert (mine.register, mine.unit) == (str(their.RI), their.RU)
        assert mine.at_ms == round(their.timestamp.timestamp() * 1000)


@pytest.mark.parametrize("curve", BOTH_KNOW)
@given(value=st.decimals(0, 10**6, allow_nan=False, places=4), flipped=st.integers(0, 10_000))
def test_both_agree_on_what_a_meter_signs_and_somebody_changes(
    curve: str, value: Decimal, flipped: int
) -> None:
    data, key = document(payload(5, BEGIN, reading("E", f"{value:f}", 40)), curve), public_der(curve).hex()
    assert we_say(data, key)
    assert they_say(data, key)
    place = len(b"OCMF|") + flipped % len(read_document(data).payload)
    if data[place : place + 1].isdigit():  # so that it stays a document
        changed = data[:place] + bytes([ord("0") + (data[place] - ord("0") + 1) % 10]) + data[place + 1 :]
        assert we_say(changed, key) is they_say(changed, key) is False


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl command here")
@pytest.mark.parametrize("curve", CURVES)
def test_openssl_agrees_on_every_curve(curve: str, tmp_path: Path) -> None:
    data, key = document(payload(5, BEGIN, END), curve), public_der(curve).hex()
    changed = data.replace(b"112.75", b"112.76")
    assert (we_say(data, key), openssl_says(data, key, tmp_path)) == (True, True)
    assert (we_say(changed, key), openssl_says(changed, key, tmp_path)) == (False, False)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl command here")
@every_sample
def test_openssl_finds_the_published_documents_valid(sample: Sample, tmp_path: Path) -> None:
    key = sample.key if sample.key[0] == "3" else base64.b64decode(sample.key).hex()
    assert openssl_says(sample.document, key, tmp_path)
    assert we_say(sample.document, key)


@pytest.mark.parametrize(
    "code",
    ["1-b:1.8.0", "01-00:B2.08.00*FF", "01-00:B1.08.00", "01-00:98.08.00*FF", "1-0:16.7.0", "1-0:2.8.0"],
)
def test_both_know_which_registers_bill_a_driver(code: str) -> None:
    register = read_register(code)
    assert register is not None
    assert (register.flow is Flow.DRAWN) == OBIS.from_string(code).is_law_relevant
    assert register.rank[0] == OBIS.from_string(code).is_loss_compensated


def test_both_bill_a_clean_transaction_and_refuse_a_faulty_one() -> None:
    good, bad = (document(payload(5, BEGIN, end)) for end in (END, reading("E", "112.75", 40, ST="M")))
    assert [bool(theirs(data).check_eichrecht(errors_only=True)) for data in (good, bad)] == [False, True]
