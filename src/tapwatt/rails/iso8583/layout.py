"""A dialect read from its data file: the rows, and how header and prefixes are encoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tapwatt.rails.iso8583.field import BitmapEncoding, Encoding, FieldSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Everything the codec needs to know of a dialect."""

    name: str
    title: str
    mtis: Mapping[str, str]  # message type → what it is
    fields: Mapping[int, FieldSpec]
    mti_encoding: Encoding
    prefix_encoding: Encoding
    bitmap_encoding: BitmapEncoding
