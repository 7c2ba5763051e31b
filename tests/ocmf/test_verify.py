"""Keys in every form, signatures in every form, on every curve; the register; what nobody can judge."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from tests.ocmf.meter import (
    BEGIN,
    END,
    document,
    payload,
    private_key,
    public_der,
    public_point,
    samples,
    signature,
)

from tapwatt.ocmf.codec import read_document, read_record
from tapwatt.ocmf.curves import CURVES, UnableToJudge, read_algorithm
from tapwatt.ocmf.keys import KEY_LIMIT, RegisteredKey, UnableToReadKey, read_key
from tapwatt.ocmf.messages import Document, Signature
from tapwatt.ocmf.verify import Finding, verify, verify_with_register

SIGNED = payload(1, BEGIN, END)
every_curve = pytest.mark.parametrize("curve", CURVES)
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo


def found(data: bytes, key: str) -> Finding:
    return verify(read_document(data), read_key(key))


def key_forms(curve: str) -> dict[str, str]:
    """The test meter's key in all the ways keys are printed."""
    der, point = public_der(curve), public_point(curve)
    spaced = " ".join(f"{byte:02X}" for byte in der)
    pem = private_key(curve).public_key().public_bytes(serialization.Encoding.PEM, SPKI).decode()
    return {
        "DER hex": der.hex(),
        "DER hex, upper": der.hex().upper(),
        "DER hex, spaces": spaced,
        "DER hex, colons and lines": spaced.replace(" ", ":").replace("3D:", "3D:\n"),
        "DER base64": base64.b64encode(der).decode(),
        "PEM": pem,
        "raw hex": point[1:].hex(),
        "raw base64": base64.b64encode(point[1:]).decode(),
        "04 hex": point.hex().upper(),
        "04 base64": base64.b64encode(point).decode(),
        "compressed hex": public_point(curve, compressed=True).hex(),
    }


@every_curve
def test_every_form_of_a_key_on_every_curve(curve: str) -> None:
    forms = key_forms(curve)
    assert {name: found(document(SIGNED, curve), key) for name, key in forms.items()} == dict.fromkeys(
        forms, Finding(valid=True)
    )


@every_curve
@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("encoding", ["", "hex", "base64"])
def test_every_form_of_a_signature_on_every_curve(curve: str, raw: bool, encoding: str) -> None:
    signed = document(SIGNED, curve, raw=raw, SE=encoding)
    assert found(signed, public_der(curve).hex()) == Finding(valid=True)
    changed = signed.replace(b"112.75", b"912.75")
    assert not found(changed, public_der(curve).hex()).valid


@every_curve
@pytest.mark.parametrize("raw", [False, True])
def test_another_key_on_the_same_curve_does_not_fit(curve: str, raw: bool) -> None:
    other = (
        ec.derive_private_key(7, CURVES[curve]).public_key().public_bytes(serialization.Encoding.DER, SPKI)
    )
    finding = found(document(SIGNED, curve, raw=raw), other.hex())
    assert finding == Finding(valid=False, reason="the signature does not fit payload and key")


@every_curve
@given(other=st.binary(max_size=120), data=st.binary(max_size=150))
def test_no_other_payload_or_signature_fits(curve: str, other: bytes, data: bytes) -> None:
    key = read_key(public_der(curve).hex())
    algorithm = f"ECDSA-{curve}-SHA256"
    good = Signature(algorithm=algorithm, data=signature(SIGNED, curve))
    assert not verify(Document(payload=other, signature=good), key).valid
    bad = Signature(algorithm=algorithm, data=data)
    assert not verify(Document(payload=SIGNED, signature=bad), key).valid


def test_where_no_algorithm_is_said_it_is_the_default() -> None:
    assert found(document(SIGNED, "secp256r1", SA=""), public_der("secp256r1").hex()).valid
    finding = found(document(SIGNED, "secp384r1", SA=""), public_der("secp384r1").hex())
    assert finding.reason == "the signature says secp256r1, the key is on secp384r1"


@pytest.mark.parametrize(
    ("said", "curve"),
    [
        ("ECDSA-brainpool256r1-SHA256", "brainpoolP256r1"),
        ("ECDSA-brainpoolP256r1-SHA256", "brainpoolP256r1"),
        ("ecdsa-BRAINPOOLP256R1-sha256", "brainpoolP256r1"),
        ("ECDSA-brainpool384r1-SHA256", "brainpoolP384r1"),
        ("ECDSA-prime256v1-SHA256", "secp256r1"),
        (" ECDSA-secp192r1-SHA256 ", "secp192r1"),
    ],
)
def test_a_curve_by_its_other_names(said: str, curve: str) -> None:
    assert read_algorithm(said)[0] == curve
    assert found(document(SIGNED, curve, SA=said), public_der(curve).hex()).valid


def test_an_algorithm_on_another_curve_than_the_keys_is_invalid() -> None:
    signed = document(SIGNED, "secp256r1", SA="ECDSA-secp256k1-SHA256")
    assert found(signed, public_der("secp256r1").hex()).reason == (
        "the signature says secp256k1, the key is on secp256r1"
    )
    bare = found(signed, public_point("secp256r1").hex())
    assert bare.reason == "the key is no point of secp256k1, the curve the signature says"
    short = found(document(SIGNED, "secp384r1"), public_point("secp256r1").hex())
    assert short.reason == "the key is no point of secp384r1, the curve the signature says"


def test_a_signature_of_no_known_shape_is_invalid() -> None:
    shown = Signature(algorithm="ECDSA-secp256r1-SHA256", data=b"\x01\x02")
    finding = verify(Document(payload=SIGNED, signature=shown), read_key(public_der("secp256r1").hex()))
    assert finding.reason == "the signature data is neither DER nor r and s of the curve"


SECP192K1_KEY = "3046301006072a8648ce3d020106052b8104001f033200" + "04" + "11" * 48
"""A key that names secp192k1, with a made-up point."""
SECP224R1_KEY = (
    ec.derive_private_key(5, ec.SECP224R1()).public_key().public_bytes(serialization.Encoding.DER, SPKI).hex()
)


@pytest.mark.parametrize(
    ("algorithm", "says"),
    [
        ("ECDSA-secp192k1-SHA256", "curve secp192k1 is not supported by this build"),
        ("ECDSA-secp224r1-SHA256", "curve secp224r1 is not supported by this build"),
        ("ECDSA-secp256r1-MD5", "hash MD5 is not supported by this build"),
        ("RSA-2048-SHA256", "signature algorithm 'RSA-2048-SHA256' is not supported by this build"),
        ("ECDSA", "signature algorithm 'ECDSA' is not supported by this build"),
    ],
)
def test_what_cannot_be_judged_is_not_called_invalid(algorithm: str, says: str) -> None:
    with pytest.raises(UnableToJudge) as raised:
        found(document(SIGNED, "secp256r1", SA=algorithm), public_der("secp256r1").hex())
    assert str(raised.value) == says


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (SECP192K1_KEY, "key: curve secp192k1 is not supported by this build"),
        (SECP224R1_KEY, "key: curve secp224r1 is not supported by this build"),
    ],
)
def test_a_key_on_a_curve_nobody_here_knows_is_not_called_wrong(key: str, says: str) -> None:
    with pytest.raises(UnableToJudge) as raised:
        read_key(key)
    assert str(raised.value) == says


RSA_KEY = rsa.generate_private_key(65537, 1024).public_key().public_bytes(serialization.Encoding.DER, SPKI)


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("", "is empty"),
        ("  \n", "is empty"),
        ("no key!", "neither hex nor base64"),
        ("ünicode", "neither hex nor base64"),
        ("abc", "neither hex nor base64"),
        ("00" * 63, "63 bytes are neither a DER key nor a point"),
        ("30" + "00" * 40, "no DER public key"),
        (public_der("secp256r1").hex()[:-2], "no DER public key"),
        (public_der("secp256r1").hex()[:-2] + "00", "no DER public key"),
        (RSA_KEY.hex(), "not for elliptic curves"),
        ("0" * (KEY_LIMIT + 2), f"over the limit of {KEY_LIMIT} characters"),
    ],
)
def test_what_is_no_key_is_refused(key: str, says: str) -> None:
    with pytest.raises(UnableToReadKey) as raised:
        read_key(key)
    assert says in str(raised.value)


@given(st.text(alphabet="0123456789abcdefABCDEF+/= -\nMzKé", max_size=300))
def test_any_text_is_a_key_or_is_refused(text: str) -> None:
    try:
        key = read_key(text)
    except (UnableToReadKey, UnableToJudge):
        return
    assert not verify(read_document(samples()[0].document), key).valid


DER = public_der("secp256r1").hex()
AT_MS = 1772355600000


def row(
    meter: str = "TEST-METER-1", key: str = DER, begin: int | None = None, end: int | None = None
) -> RegisteredKey:
    return RegisteredKey(
        meter=meter, key=read_key(key), source="test label", valid_from_ms=begin, valid_to_ms=end
    )


OTHER = public_der("secp256k1").hex()


@pytest.mark.parametrize(
    ("register", "valid", "says"),
    [
        ((row(),), True, ""),
        ((row("GW-7"),), True, ""),
        ((row("GW-7", OTHER), row()), True, ""),
        ((row(key=OTHER), row()), True, ""),
        ((row(begin=AT_MS),), True, ""),
        ((row(begin=AT_MS, end=AT_MS + 2_400_001),), True, ""),
        ((row(key=OTHER, end=AT_MS), row(begin=AT_MS)), True, ""),
        ((), False, "no key is registered for meter TEST-METER-1"),
        ((row("ANOTHER"),), False, "no key is registered for meter TEST-METER-1"),
        ((row("GW-7"), row(key=OTHER)), False, "the signature says secp256r1, the key is on secp256k1"),
        ((row(begin=AT_MS + 1),), False, "no key of meter TEST-METER-1 is registered for the time"),
        ((row(end=AT_MS + 2_400_000),), False, "no key of meter TEST-METER-1 is registered for the time"),
    ],
)
def test_the_register_says_whose_key_it_was_and_when(
    register: tuple[RegisteredKey, ...], valid: bool, says: str
) -> None:
    signed = read_document(document(SIGNED))
    finding = verify_with_register(signed, read_record(SIGNED), register)
    assert (finding.valid, says in finding.reason) == (valid, True)
    assert (finding.registered in register) == valid


def test_a_time_nobody_can_read_needs_a_key_without_bounds() -> None:
    shown = payload(1, BEGIN | {"TM": "yesterday"})
    signed, record = read_document(document(shown)), read_record(shown)
    assert verify_with_register(signed, record, (row(),)).valid
    assert not verify_with_register(signed, record, (row(begin=0),)).valid


def test_a_record_without_serials_has_no_key() -> None:
    shown = payload(1, BEGIN, MS=None, GS=None)
    finding = verify_with_register(read_document(document(shown)), read_record(shown), (row(""),))
    assert finding.reason == "no key is registered for meter without a serial"
