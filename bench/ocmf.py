"""OCMF: signed documents read and verified a second, by curve; pyocmf and the bare signature check beside us.

Both must first find the document valid and a changed one not.
"""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Final

from bench.figures import Section, interleaved, spread
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pyocmf import OCMF
from tests.against.test_pyocmf import BOTH_KNOW
from tests.ocmf.meter import BEGIN, END, document, payload, private_key, public_der

from tapwatt.ocmf.check import check
from tapwatt.ocmf.container import read_file
from tapwatt.ocmf.curves import CURVES
from tapwatt.ocmf.keys import MeterKey, read_key

ABOUT: Final = (
    "One document with begin and end, from bytes to verdict: record, signature and billing rules. pyocmf "
    "reads the record and verifies the signature; it knows no brainpool curve but P256r1. The last column is "
    "the signature check of the cryptography package alone. A second of processor time, median (p10–p90) "
    "over the rounds."
)
ROUNDS: Final = 21
TIMES: Final = 20


def measure() -> Section:
    """Documents a second of processor time on every curve, the contenders in turn."""
    rows = []
    for curve in CURVES:
        taken = interleaved(contenders(curve), rounds=ROUNDS, times=TIMES)
        rates = {who: spread([1 / each for each in values]).text(0) for who, values in taken.items()}
        ours = rates["tapwatt"]
        rows.append((curve, ours, rates.get("pyocmf", "–"), rates["signature alone"]))
    return Section(
        title="documents verified a second",
        about=ABOUT,
        head=("curve", "tapwatt", "pyocmf", "signature alone"),
        rows=tuple(rows),
    )


def contenders(curve: str) -> dict[str, Callable[[], object]]:
    """Who verifies, proved to tell a good document from a changed one."""
    good = document(payload(12, BEGIN, END), curve)
    changed = good.replace(b"112.75", b"912.75")
    key = read_key(public_der(curve).hex())
    assert verified(good, key), f"our verification fails on {curve}"
    assert not verified(changed, key), f"our verification sees no change on {curve}"
    signed = read_file(good)[0].document
    public, algorithm = private_key(curve).public_key(), ec.ECDSA(hashes.SHA256())
    found: dict[str, Callable[[], object]] = {
        "tapwatt": partial(verified, good, key),
        "signature alone": partial(public.verify, signed.signature.data, signed.payload, algorithm),
    }
    if curve in BOTH_KNOW:
        theirs = partial(verified_by_pyocmf, key=public_der(curve).hex())
        assert theirs(good.decode()), f"pyocmf fails on {curve}"
        assert not theirs(changed.decode()), f"pyocmf sees no change on {curve}"
        found["pyocmf"] = partial(theirs, good.decode())
    return found


def verified(data: bytes, key: MeterKey) -> bool:
    """Our whole way: file, record, signature and billing rules."""
    return check(read_file(data), key=key).verdict.valid


def verified_by_pyocmf(data: str, key: str) -> bool:
    """Theirs: record and signature."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return OCMF.from_string(data).verify_signature(key)
