"""Cursors of lists: where the next page begins, as a text that only its own list understands.

A cursor names the last row that was seen, so that rows which come meanwhile move nothing and no page costs
more than the first. It holds the list's name and a checksum: one that is changed, cut off or another list's
is refused, not guessed at.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from tapwatt.platform.finding import UnableToRead

R = TypeVar("R")
CURSOR_MAX = 400
LAST_MS = 10**15
"""Later than any moment: what a list that begins with the newest begins before."""


def cut(rows: Sequence[R], most: int, cursor_of: Callable[[R], str]) -> tuple[list[R], str | None]:
    """A page of what was asked for with one row more than it may have, and the cursor of the next."""
    page = list(rows[:most])
    return page, cursor_of(page[-1]) if len(rows) > most else None


def write_cursor(listed: str, *values: int | str) -> str:
    """The cursor after a row of these values."""
    text = json.dumps([listed, *values], separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(_sum(text) + text).decode().rstrip("=")


def read_cursor(listed: str, cursor: str, *types: type) -> tuple[int | str, ...]:
    """The values of the row after which a page begins. Raises UnableToRead."""
    values: object = None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if len(cursor) <= CURSOR_MAX and raw[:4] == _sum(raw[4:]):
            values = json.loads(raw[4:])
    except (binascii.Error, ValueError):
        pass
    if not isinstance(values, list) or [type(each) for each in values] != [str, *types]:
        raise UnableToRead("cursor is none that this list gave")
    if values[0] != listed:
        raise UnableToRead("cursor is none that this list gave")
    return tuple(values[1:])


def _sum(text: bytes) -> bytes:
    return zlib.crc32(text).to_bytes(4, "big")
