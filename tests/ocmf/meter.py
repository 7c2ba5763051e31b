"""A meter that signs what a test tells it to: test keys made anew in every run, worth nothing outside it."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tapwatt.ocmf.check import Checked, check
from tapwatt.ocmf.container import read_file
from tapwatt.ocmf.curves import CURVES, coordinate_bytes
from tapwatt.ocmf.keys import read_key

VECTORS: Final = Path(__file__).parents[1] / "vectors" / "ocmf" / "samples.json"
ORDER_SEED: Final = b"tapwatt test meter"


@dataclass(frozen=True)
class Sample:
    """A published document with its key, and what must be said of it."""

    name: str
    document: bytes
    key: str
    expected: dict[str, Any]


def samples() -> list[Sample]:
    """The published documents."""
    rows = json.loads(VECTORS.read_text("utf-8"))["samples"]
    return [Sample(row["name"], row["document"].encode(), row["key"], row["expected"]) for row in rows]


@cache
def private_key(curve: str) -> ec.EllipticCurvePrivateKey:
    """The test meter's key on a curve, the same in every test."""
    seed = int.from_bytes(hashlib.sha256(ORDER_SEED + curve.encode()).digest()[:23], "big")
    return ec.derive_private_key(seed, CURVES[curve])


def public_der(curve: str) -> bytes:
    """Its public key as DER."""
    return (
        private_key(curve)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def public_point(curve: str, *, compressed: bool = False) -> bytes:
    """Its public key as a point."""
    form = serialization.PublicFormat
    return (
        private_key(curve)
        .public_key()
        .public_bytes(
            serialization.Encoding.X962, form.CompressedPoint if compressed else form.UncompressedPoint
        )
    )


def signature(payload: bytes, curve: str, *, raw: bool = False) -> bytes:
    """Its signature over a payload: DER, or r and s bare."""
    der = private_key(curve).sign(payload, ec.ECDSA(hashes.SHA256()))
    if not raw:
        return der
    length = coordinate_bytes(curve)
    return b"".join(part.to_bytes(length, "big") for part in decode_dss_signature(der))


def document(payload: bytes, curve: str = "secp256r1", *, raw: bool = False, **fields: str) -> bytes:
    """A whole document; `fields` of the signature section override: SA="", SE="base64"."""
    data = signature(payload, curve, raw=raw)
    section = {"SA": f"ECDSA-{curve}-SHA256"} | fields
    coded = base64.b64encode(data).decode() if section.get("SE") == "base64" else data.hex()
    section = {name: value for name, value in section.items() if value} | {"SD": coded}
    return b"OCMF|" + payload + b"|" + json.dumps(section).encode()


def reading(step: str, value: str, minute: int, **fields: str | None) -> dict[str, Any]:
    """A good reading of imported energy; None leaves a field out."""
    row: dict[str, Any] = {
        "TM": f"2026-03-01T10:{minute:02}:00,000+0100 S",
        "TX": step,
        "RV": value,
        "RI": "1-0:1.8.0",
        "RU": "kWh",
        "RT": "AC",
        "EF": "",
        "ST": "G",
    }
    return {name: each for name, each in (row | fields).items() if each is not None}


def payload(number: int, *readings: dict[str, Any], **fields: Any) -> bytes:
    """A record of a made-up meter; None leaves a field out."""
    record: dict[str, Any] = {"FV": "1.4", "GS": "GW-7", "PG": f"T{number}", "MS": "TEST-METER-1", "IS": True}
    record |= {"IT": "NONE"} | fields
    record["RD"] = list(readings)
    return json.dumps({name: each for name, each in record.items() if each is not None}).encode()


BEGIN: Final = reading("B", "100.25", 0)
END: Final = reading("E", "112.75", 40)


def checked(*documents: bytes, key: bytes | None = None) -> Checked:
    """The verdict on these documents by the test meter's key."""
    return check(read_file(b"\n".join(documents)), key=read_key((key or public_der("secp256r1")).hex()))


def whole(*readings: dict[str, Any], **fields: Any) -> Checked:
    """The verdict on one document with these readings."""
    return checked(document(payload(12, *readings, **fields)))
