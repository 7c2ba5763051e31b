"""The published documents: valid, judged as expected, and wrong as soon as one bit of them is."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.ocmf.meter import Sample, samples

from tapwatt.ocmf.check import check
from tapwatt.ocmf.codec import read_document
from tapwatt.ocmf.container import read_file
from tapwatt.ocmf.keys import read_key
from tapwatt.ocmf.messages import Document, Signature
from tapwatt.ocmf.verify import verify

SAMPLES = {sample.name: sample for sample in samples()}
every_sample = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())


@every_sample
def test_a_published_document_is_judged_as_expected(sample: Sample) -> None:
    verdict = check(read_file(sample.document), key=read_key(sample.key)).verdict
    expected = sample.expected
    assert (verdict.valid, verdict.billable, verdict.meter) == (
        expected["valid"],
        expected["billable"],
        expected["meter"],
    )
    assert [each.reason for each in verdict.objections] == expected["reasons"]
    energy = expected["energy_wh"]
    assert verdict.energy_wh == (None if energy is None else Decimal(energy))


@every_sample
def test_the_signed_bytes_are_the_payload_untouched(sample: Sample) -> None:
    document = read_document(sample.document)
    assert b"OCMF|" + document.payload + b"|" in sample.document


@every_sample
def test_every_changed_bit_of_payload_and_signature_is_seen(sample: Sample) -> None:
    document, key = read_document(sample.document), read_key(sample.key)
    assert verify(document, key).valid
    for place in range(len(document.payload)):
        changed = bytearray(document.payload)
        changed[place] ^= 1 << place % 8
        assert not verify(Document(payload=bytes(changed), signature=document.signature), key).valid
    for place in range(len(document.signature.data)):
        data = bytearray(document.signature.data)
        data[place] ^= 1 << place % 8
        signature = Signature(algorithm=document.signature.algorithm, data=bytes(data))
        assert not verify(Document(payload=document.payload, signature=signature), key).valid


@every_sample
def test_a_byte_more_or_less_is_seen(sample: Sample) -> None:
    document, key = read_document(sample.document), read_key(sample.key)
    for payload in (document.payload + b" ", b" " + document.payload, document.payload[:-1], b""):
        assert not verify(Document(payload=payload, signature=document.signature), key).valid


def test_another_day_is_another_payload() -> None:
    sample = SAMPLES["S2"]
    changed = sample.document.replace(b"2019-08-13T10:03:15", b"2019-08-12T10:03:15", 1)
    verdict = check(read_file(changed), key=read_key(sample.key)).verdict
    assert (verdict.valid, verdict.billable, verdict.energy_wh) == (False, False, None)
    assert verdict.reason == "document T32: the signature does not fit payload and key"


def test_another_meters_key_on_another_curve_is_told_so() -> None:
    verdict = check(read_file(SAMPLES["S6"].document), key=read_key(SAMPLES["S1"].key)).verdict
    assert not verdict.valid
    assert "says secp256k1, the key is on secp256r1" in verdict.reason


def test_another_meters_key_on_the_same_curve_does_not_fit() -> None:
    verdict = check(read_file(SAMPLES["S2"].document), key=read_key(SAMPLES["S1"].key)).verdict
    assert (verdict.valid, "does not fit" in verdict.reason) == (False, True)
