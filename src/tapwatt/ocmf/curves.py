"""The elliptic curves of OCMF by all names they are written with, and what this build can verify.

Specification: OCMF 1.4, table 22; synonyms from its column of synonyms and from real files (brainpoolP256r1).
secp192k1 stands in the table and in no library we build on: what is signed on it cannot be judged here, which
is not the same as being wrong.
"""

from __future__ import annotations

import re
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "secp192r1": ec.SECP192R1(),
    "secp256k1": ec.SECP256K1(),
    "secp256r1": ec.SECP256R1(),
    "secp384r1": ec.SECP384R1(),
    "secp521r1": ec.SECP521R1(),
    "brainpoolP256r1": ec.BrainpoolP256R1(),
    "brainpoolP384r1": ec.BrainpoolP384R1(),
    "brainpoolP512r1": ec.BrainpoolP512R1(),
}
_SYNONYMS: Final = {
    **{name.lower(): name for name in CURVES},
    "brainpool256r1": "brainpoolP256r1",
    "brainpool384r1": "brainpoolP384r1",
    "brainpool512r1": "brainpoolP512r1",
    "prime192v1": "secp192r1",
    "prime256v1": "secp256r1",
    "prime384v1": "secp384r1",
}
# The specification's table has SHA-256 only; other readers of the format take longer ones as well.
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_UNSUPPORTED_KEYS: Final = {bytes.fromhex("06052b8104001f"): "curve secp192k1"}
"""Object identifiers as they stand in a key."""
_algorithm = re.compile(r"ECDSA-(\w{1,30})-(\w{1,10})", re.IGNORECASE | re.ASCII)


class UnableToJudge(ValueError):
    """Neither valid nor invalid: this build has no means to verify that kind of signature."""


def read_algorithm(text: str) -> tuple[str, hashes.HashAlgorithm]:
    """Curve and hash that a signature algorithm names. Raises UnableToJudge for what is not supported."""
    found = _algorithm.fullmatch(text.strip())
    if found is None:
        raise UnableToJudge(f"signature algorithm {text[:40]!r} is not supported by this build")
    curve, digest = _SYNONYMS.get(found[1].lower()), _HASHES.get(found[2].lower())
    if curve is None:
        raise UnableToJudge(f"curve {found[1]} is not supported by this build")
    if digest is None:
        raise UnableToJudge(f"hash {found[2]} is not supported by this build")
    return curve, digest


def unsupported_curve(der: bytes) -> str:
    """Name of the curve of a key that no library here knows, as far as we know it."""
    return next((name for oid, name in _UNSUPPORTED_KEYS.items() if oid in der), "its curve")


def coordinate_bytes(curve: str) -> int:
    """Length of one coordinate, and of r or s of a raw signature."""
    return (CURVES[curve].key_size + 7) // 8
