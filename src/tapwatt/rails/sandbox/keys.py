"""TEST KEYS by program and by brand. Real keys never come from here: settings name their own."""

from __future__ import annotations

from dataclasses import dataclass

from tapwatt.rails.sandbox.data import sandbox_data


@dataclass(frozen=True, slots=True, kw_only=True)
class PanKeys:
    """The two keys of a `keys.PanCipher`."""

    aes: bytes
    hash: bytes

    def __repr__(self) -> str:
        return "PanKeys(<keys>)"


def pan_keys(program: str) -> PanKeys:
    """The keys of `gateway`, `acquirer`, `scheme`, `issuer` or `terminal`; KeyError for another name."""
    row = sandbox_data("keys")["pan"][program]
    return PanKeys(aes=bytes.fromhex(row["aes"]), hash=bytes.fromhex(row["hash"]))


def issuer_master_key(brand: str) -> bytes:
    """The EMV master key of `visa` or `mastercard` cards (`wrong`: the forger's)."""
    return bytes.fromhex(sandbox_data("keys")["emv"][brand])
