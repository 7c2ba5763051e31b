"""Is a document's signature that of its meter's key? ECDSA over the bytes of the payload, and nothing else.

The signature is DER, or r and s bare, one after the other. Its algorithm stands in the unsigned section: an
algorithm on another curve than the key's is refused, so nobody can choose the curve by rewriting it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tapwatt.ocmf.curves import coordinate_bytes, read_algorithm
from tapwatt.ocmf.keys import KeyRegister, MeterKey, RegisteredKey, keys_of, load_point
from tapwatt.ocmf.messages import Document, Record, Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Whether a signature holds, and if not, why."""

    valid: bool
    reason: str = ""
    registered: RegisteredKey | None = None
    """The row of the register whose key it was."""


def verify(document: Document, key: MeterKey) -> Finding:
    """Judge a document by one key. Raises UnableToJudge where this build cannot."""
    curve, digest = read_algorithm(document.signature.algorithm)
    if key.curve is not None and key.curve != curve:
        return _invalid(f"the signature says {curve}, the key is on {key.curve}")
    loaded = load_point(key, curve)
    if loaded is None:
        return _invalid(f"the key is no point of {curve}, the curve the signature says")
    candidates = list(_der_signatures(document.signature, curve))
    for candidate in candidates:
        try:
            loaded.verify(candidate, document.payload, ec.ECDSA(digest))
        except InvalidSignature:
            continue
        return Finding(valid=True)
    if not candidates:
        return _invalid("the signature data is neither DER nor r and s of the curve")
    return _invalid("the signature does not fit payload and key")


def verify_with_register(document: Document, record: Record, register: KeyRegister) -> Finding:
    """Judge a document by the keys registered for its meter at the time of every one of its readings.

    Where two keys overlap, either may have signed. Raises UnableToJudge where this build cannot.
    """
    known = keys_of(register, record)
    if not known:
        return _invalid(f"no key is registered for meter {record.meter or 'without a serial'}")
    in_force = [each for each in known if all(each.covers(reading.at_ms) for reading in record.readings)]
    if not in_force:
        return _invalid(f"no key of meter {record.meter} is registered for the time of the readings")
    finding = _invalid("")
    for each in in_force:
        finding = verify(document, each.key)
        if finding.valid:
            return Finding(valid=True, registered=each)
    return finding


def _invalid(reason: str) -> Finding:
    return Finding(valid=False, reason=reason)


def _der_signatures(signature: Signature, curve: str) -> Iterator[bytes]:
    """What the signature data may mean, in DER. Bare r and s may by chance begin as DER does."""
    data, length = signature.data, coordinate_bytes(curve)
    if data[:1] == b"\x30":
        yield data
    if len(data) == 2 * length:
        yield encode_dss_signature(int.from_bytes(data[:length], "big"), int.from_bytes(data[length:], "big"))
