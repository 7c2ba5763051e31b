"""BER-TLV of field 55 (EMV Book 3 annex B): bytes ↔ an ordered list of tags.

Unknown tags are kept for re-packing. Lengths are bounded before anything is read: a stranger writes them.
Tags are upper-case hex, values bytes; constructed tags (71, 72, E0 …) keep their content as bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

MAX_LENGTH = 4096  # bytes of a whole TLV string
MAX_TAGS = 128
_MAX_TAG_BYTES = 4
_MAX_LENGTH_BYTES = 2

# Card number, tracks, track discretionary data, cardholder name and PIN block: never stored, never shown.
SENSITIVE_TAGS = frozenset({"57", "5A", "56", "9F6B", "9F1F", "9F20", "5F20", "99"})

Tags = tuple[tuple[str, bytes], ...]


class UnableToDecodeTlv(ValueError):
    """These bytes are not BER-TLV; the sentence gives position and reason, never a value."""

    def __init__(self, reason: str, *, position: int) -> None:
        super().__init__(f"chip data at byte {position}: {reason}")
        self.position, self.reason = position, reason


class UnableToEncodeTlv(ValueError):
    """A tag that is not one, or a value too long for its length field."""


def decode_tlv(data: bytes) -> Tags:
    """The tags in their order; filler bytes (00) between tags are skipped. A tag may occur twice."""
    if len(data) > MAX_LENGTH:
        raise UnableToDecodeTlv(f"over the limit of {MAX_LENGTH} bytes", position=0)
    tags: list[tuple[str, bytes]] = []
    position = 0
    while position < len(data):
        if data[position] == 0:
            position += 1
            continue
        if len(tags) == MAX_TAGS:
            raise UnableToDecodeTlv(f"more than {MAX_TAGS} tags", position=position)
        tag, after_tag = _tag(data, position)
        length, start = _length(data, after_tag)
        if start + length > len(data):
            raise UnableToDecodeTlv(f"the value of {tag} is cut off", position=start)
        tags.append((tag, data[start : start + length]))
        position = start + length
    return tuple(tags)


def encode_tlv(tags: Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> bytes:
    """The bytes of tags in the order given."""
    pairs = tags.items() if isinstance(tags, Mapping) else tags
    return b"".join(_tag_bytes(tag) + _length_bytes(len(value)) + value for tag, value in pairs)


def strip_sensitive(data: bytes) -> bytes:
    """Chip data without the tags that may not be kept or shown (PCI DSS 3.3.1); UnableToDecodeTlv for
    garbage.

    A template (constructed tag) is looked into as well; one that hides garbage is dropped whole.
    """
    return encode_tlv(_stripped(decode_tlv(data)))


def _stripped(tags: Tags) -> list[tuple[str, bytes]]:
    kept: list[tuple[str, bytes]] = []
    for tag, value in tags:
        if tag in SENSITIVE_TAGS:
            continue
        if int(tag[:2], 16) & 0x20:
            try:
                kept.append((tag, strip_sensitive(value)))
            except UnableToDecodeTlv:
                continue
        else:
            kept.append((tag, value))
    return kept


def _tag(data: bytes, position: int) -> tuple[str, int]:
    end = position + 1
    if data[position] & 0x1F == 0x1F:
        while True:
            if end >= len(data):
                raise UnableToDecodeTlv("a tag is cut off", position=position)
            if end - position >= _MAX_TAG_BYTES:
                raise UnableToDecodeTlv(f"a tag of more than {_MAX_TAG_BYTES} bytes", position=position)
            end += 1
            if not data[end - 1] & 0x80:
                break
    return data[position:end].hex().upper(), end


def _length(data: bytes, position: int) -> tuple[int, int]:
    if position >= len(data):
        raise UnableToDecodeTlv("a length is missing", position=position)
    first = data[position]
    if first < 0x80:
        return first, position + 1
    count = first & 0x7F
    if not 1 <= count <= _MAX_LENGTH_BYTES:
        raise UnableToDecodeTlv(f"a length in {count} bytes is not taken", position=position)
    raw = data[position + 1 : position + 1 + count]
    if len(raw) < count:
        raise UnableToDecodeTlv("a length is cut off", position=position)
    return int.from_bytes(raw, "big"), position + 1 + count


def _tag_bytes(tag: str) -> bytes:
    try:
        raw = bytes.fromhex(tag)
        if raw and raw[0] and _tag(raw, 0)[1] == len(raw):
            return raw
    except ValueError:
        pass
    raise UnableToEncodeTlv(f"{tag!r} is not a tag")


def _length_bytes(length: int) -> bytes:
    if length < 0x80:
        return bytes((length,))
    if length < 0x100:
        return bytes((0x81, length))
    if length <= MAX_LENGTH:
        return b"\x82" + length.to_bytes(2, "big")
    raise UnableToEncodeTlv(f"a value of {length} bytes is over the limit of {MAX_LENGTH}")
