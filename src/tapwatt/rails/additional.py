"""Field 48 of our own dialect: flags of an authorisation, as a list of two-letter tag, two-digit length and
value.

`PA` 1: a pre-authorisation, the final amount comes later. `PC` 1: the terminal can work with a partial
approval. Unknown tags are kept, so that a partner's additions survive.
"""

from __future__ import annotations

from collections.abc import Mapping

PRE_AUTHORISATION, PARTIAL_CAPABLE = "PA", "PC"


class UnableToReadAdditional(ValueError):
    """Field 48 is not a list of tag, length and value."""


def pack_additional(tags: Mapping[str, str]) -> str:
    """Field 48 from its tags, in the order given."""
    for tag, value in tags.items():
        if len(tag) != 2 or len(value) > 99:
            raise ValueError(f"tag {tag!r} does not fit: two letters, at most 99 characters")
    return "".join(f"{tag}{len(value):02d}{value}" for tag, value in tags.items())


def unpack_additional(field: str) -> dict[str, str]:
    """The tags of field 48."""
    tags: dict[str, str] = {}
    position = 0
    while position < len(field):
        tag, length = field[position : position + 2], field[position + 2 : position + 4]
        if len(length) < 2 or not (length.isascii() and length.isdigit()):
            raise UnableToReadAdditional(f"field 48 has no length at character {position}")
        end = position + 4 + int(length)
        if end > len(field):
            raise UnableToReadAdditional(f"field 48 is cut off at character {position}")
        tags[tag] = field[position + 4 : end]
        position = end
    return tags


HOLD_FLAGS = pack_additional({PRE_AUTHORISATION: "1", PARTIAL_CAPABLE: "1"})


def partial_capable(field: str | None) -> bool:
    """Whether the terminal can work with less than it asked for; no when it does not say, or says it
    unreadably.
    """
    try:
        return unpack_additional(field or "").get(PARTIAL_CAPABLE) == "1"
    except UnableToReadAdditional:
        return False
