"""Public keys of meters: from every way they are printed, and the register that says which meter has which.

A key is DER (SubjectPublicKeyInfo) or the bare point, 04 in front or not, as hex in either case with or
without spaces, as base64, or as PEM. A bare point does not say its curve: the document's algorithm does.
The register is values only; whoever keeps it (a table, a file) hands it in. Keys come from outside the
document (OCMF 1.4, "Relation of serial numbers, charge point and public key"), by meter or gateway serial.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tapwatt.ocmf.curves import CURVES, UnableToJudge, coordinate_bytes, unsupported_curve
from tapwatt.ocmf.messages import Record

KEY_LIMIT: Final = 4_096
"""Characters of a key as it is written."""
LOADED_LIMIT: Final = 1_024
"""Keys kept ready, as making one ready costs as much as verifying with it."""
_DER_SEQUENCE: Final = 0x30
_UNCOMPRESSED, _COMPRESSED = 0x04, (0x02, 0x03)
_POINT_BYTES: Final = frozenset(2 * coordinate_bytes(curve) for curve in CURVES)
_frame = re.compile(r"-----[A-Z ]{1,40}-----", re.ASCII)
_hex = re.compile(r"(?:[0-9A-Fa-f]{2})+", re.ASCII)


class UnableToReadKey(ValueError):
    """The text is no public key; the sentence says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterKey:
    """A public key as read: on a curve of its own, or a bare point that fits the document's curve or not."""

    point: bytes
    """Uncompressed with 04 in front, or compressed; of a key with a curve as well."""
    curve: str | None = None
    """None for a bare point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredKey:
    """A row of the key register: whose key, for which time, and who says so."""

    meter: str
    """Serial of the meter, or of the gateway that signs for it."""
    key: MeterKey
    source: str
    """Where the key was taken from, such as the meter's label or the authority's register."""
    valid_from_ms: int | None = None
    valid_to_ms: int | None = None
    """Not included: a meter exchanged at that moment has its new key from there on."""

    def covers(self, at_ms: int | None) -> bool:
        """Whether the key was the meter's at that time; an unreadable time is covered by no bounded key."""
        if at_ms is None:
            return self.valid_from_ms is None and self.valid_to_ms is None
        after = self.valid_from_ms is None or at_ms >= self.valid_from_ms
        return after and (self.valid_to_ms is None or at_ms < self.valid_to_ms)


KeyRegister = tuple[RegisteredKey, ...]


def keys_of(register: KeyRegister, record: Record) -> KeyRegister:
    """The keys registered for what has measured: by the meter's serial, else by the gateway's."""
    for serial in filter(None, (record.meter_serial, record.gateway_serial)):
        if found := tuple(each for each in register if each.meter == serial):
            return found
    return ()


def read_key(text: str) -> MeterKey:
    """Give the key a text holds. Raises UnableToReadKey, and UnableToJudge for a curve nobody here knows."""
    data = _key_bytes(text)
    if len(data) in _POINT_BYTES:  # no DER key of these curves is as long as a bare point
        return MeterKey(point=bytes([_UNCOMPRESSED]) + data)
    if data[0] == _DER_SEQUENCE:
        return _der_key(data)
    if data[0] == _UNCOMPRESSED and len(data) - 1 in _POINT_BYTES:
        return MeterKey(point=data)
    if data[0] in _COMPRESSED and 2 * (len(data) - 1) in _POINT_BYTES:
        return MeterKey(point=data)
    raise UnableToReadKey(f"key: {len(data)} bytes are neither a DER key nor a point of a known curve")


@lru_cache(maxsize=LOADED_LIMIT)
def load_point(key: MeterKey, curve: str) -> ec.EllipticCurvePublicKey | None:
    """The key on that curve; None where its point does not lie on it."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(CURVES[curve], key.point)
    except ValueError:
        return None


def _key_bytes(text: str) -> bytes:
    if len(text) > KEY_LIMIT:
        raise UnableToReadKey(f"key: over the limit of {KEY_LIMIT} characters")
    bare = re.sub(r"\s", "", _frame.sub("", text))
    spelt = bare.replace(":", "")
    if _hex.fullmatch(spelt):
        return bytes.fromhex(spelt)
    try:
        data = base64.b64decode(bare, validate=True)
    except (binascii.Error, ValueError):
        raise UnableToReadKey("key: is neither hex nor base64") from None
    if not data:
        raise UnableToReadKey("key: is empty")
    return data


def _der_key(data: bytes) -> MeterKey:
    try:
        key = load_der_public_key(data)
    except UnsupportedAlgorithm:
        raise UnableToJudge(f"key: {unsupported_curve(data)} is not supported by this build") from None
    except (ValueError, TypeError):
        raise UnableToReadKey("key: is no DER public key (SubjectPublicKeyInfo)") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise UnableToReadKey("key: is not for elliptic curves (ECDSA)")
    if key.curve.name not in CURVES:
        raise UnableToJudge(f"key: curve {key.curve.name} is not supported by this build")
    numbers, length = key.public_numbers(), coordinate_bytes(key.curve.name)
    point = numbers.x.to_bytes(length, "big") + numbers.y.to_bytes(length, "big")
    return MeterKey(point=bytes([_UNCOMPRESSED]) + point, curve=key.curve.name)
