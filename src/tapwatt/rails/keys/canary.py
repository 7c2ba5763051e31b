"""Every byte form in which a card number could leak, for the canary test (design.md law 7, stack.md trap
7).
"""

from __future__ import annotations

import base64


def forms(pan: str) -> dict[str, bytes]:
    """Name of the form → bytes that betray the card number when they occur in a file, a log or a capture.

    Where a neighbour's bits mix into the first or last character or nibble, those are left out.
    """
    clear, ebcdic = pan.encode("ascii"), pan.encode("cp500")
    even = pan if len(pan) % 2 == 0 else pan[:-1]
    shifted = pan[1:] if len(pan) % 2 else pan[1:-1]
    packed = bytes.fromhex(even)
    found = {
        "plain": clear,
        "utf-16": pan.encode("utf-16-le"),
        "bcd": packed,
        "bcd shifted by a nibble": bytes.fromhex(shifted),
        "ebcdic": ebcdic,
        "hex of plain": clear.hex().encode("ascii"),
        "hex of ebcdic, lower case": ebcdic.hex().encode("ascii"),
        "hex of ebcdic, upper case": ebcdic.hex().upper().encode("ascii"),
    }
    for name, raw in (("plain", clear), ("bcd", packed), ("ebcdic", ebcdic)):
        for alignment in range(3):
            found[f"base64 of {name}, alignment {alignment}"] = _base64_inside(raw, alignment)
    return found


def leaks(pan: str, data: bytes) -> list[str]:
    """The names of the forms of this card number that occur in the data."""
    return [name for name, form in forms(pan).items() if form in data]


def _base64_inside(raw: bytes, alignment: int) -> bytes:
    """The characters that depend on `raw` alone when it starts `alignment` bytes into a group of three."""
    first = (alignment * 8 + 5) // 6
    last = (alignment + len(raw)) * 8 // 6
    return base64.b64encode(bytes(alignment) + raw)[first:last]
