"""What the tags of chip data are called (EMV Book 3 annex A, contactless books C)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_NAMES: Final[Mapping[str, str]] = {
    "57": "track 2 equivalent", "5A": "card number", "5F20": "cardholder name", "5F24": "expiry",
    "5F2A": "currency", "5F34": "card sequence", "71": "issuer script, before",
    "72": "issuer script, after", "82": "interchange profile", "84": "application",
    "8A": "authorisation response", "91": "issuer's answer cryptogram",
    "95": "terminal verification results", "9A": "date", "9B": "status", "9C": "transaction type",
    "9F02": "amount", "9F03": "other amount", "9F06": "terminal application", "9F09": "version",
    "9F10": "issuer application data", "9F1A": "terminal country", "9F1E": "device serial",
    "9F24": "payment account reference", "9F26": "application cryptogram", "9F27": "kind of cryptogram",
    "9F33": "terminal capabilities", "9F34": "cardholder verification", "9F35": "terminal type",
    "9F36": "transaction counter", "9F37": "unpredictable number", "9F41": "terminal's own counter",
    "9F6E": "form factor", "9F7C": "customer data",
}  # fmt: skip


def tag_name(tag: str) -> str:
    """A tag's name, "" for one that is not in the table."""
    return _NAMES.get(tag, "")
