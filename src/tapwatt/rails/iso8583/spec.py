"""A dialect of ISO 8583 and its two verbs; `load_spec` reads it from the data files beside this one."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from tapwatt.rails.iso8583.compiled import (
    CACHE_LIMIT,
    DISLIKES,
    FieldsDecoder,
    MessageEncoder,
    compile_decoder,
    compile_encoder,
)
from tapwatt.rails.iso8583.field import ENCODINGS, BitmapEncoding, ContentClass, Encoding, FieldSpec
from tapwatt.rails.iso8583.layout import Layout
from tapwatt.rails.iso8583.message import Message, message_of
from tapwatt.rails.iso8583.walk import (
    Value,
    decode_fields,
    decode_header,
    encode_message,
)


class UnableToLoadSpec(ValueError):
    """There is no dialect of that name, or its data makes no sense; the sentence says which."""


class Spec:
    """A dialect. `encode` and `decode` are exact: what one refuses the other never makes."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._numbers = {field.name: number for number, field in layout.fields.items()}
        self._mtis = {mti: ENCODINGS[layout.mti_encoding].write(mti) for mti in layout.mtis}
        bitmap_at = ENCODINGS[layout.mti_encoding].size(4)
        half = 8 if layout.bitmap_encoding is BitmapEncoding.BINARY else 16
        self._header_ends = bitmap_at + half, bitmap_at + 2 * half
        self._decoders: dict[bytes, tuple[str, FieldsDecoder]] = {}
        self._encoders: dict[tuple[int, ...], MessageEncoder] = {}

    @property
    def name(self) -> str:
        """The dialect's name, as `load_spec` takes it."""
        return self.layout.name

    def number(self, name: str) -> int:
        """The number of a field by its name, as in `number("terminal_serial")`; KeyError for a name of no
        field.
        """
        return self._numbers[name]

    def field_name(self, number: int) -> str:
        """The name of a field by its number; KeyError for a number the dialect lacks."""
        return self.layout.fields[number].name

    def decode(self, data: bytes) -> Message:
        """The message in these bytes; UnableToDecode for anything else."""
        short, long = self._header_ends
        # A header without a second half of the bitmap never begins one that has it: the halves' mark differs.
        known = self._decoders.get(data[:short]) or self._decoders.get(data[:long])
        if known is not None:
            mti, decoder = known
            quickly = self._decode_quickly(decoder, data)
            if quickly is not None:
                return message_of(mti, quickly)
        mti, bitmap, start = decode_header(self.layout, data)
        fields = decode_fields(self.layout, data, bitmap, start)
        # Only a set of fields seen in a good message is compiled: garbage must not fill the cache.
        if known is None and len(self._decoders) < CACHE_LIMIT:
            self._decoders[data[:start]] = mti, compile_decoder(self.layout, bitmap, start)
        return message_of(mti, fields)

    def _decode_quickly(self, decoder: FieldsDecoder, data: bytes) -> dict[int, Value] | None:
        try:
            return decoder(data)
        except DISLIKES:
            return None

    def encode(self, message: Message) -> bytes:
        """The bytes of a message; UnableToEncode names the field that does not fit the dialect."""
        fields = message.fields
        numbers = tuple(fields)
        encoder = self._encoders.get(numbers)
        if encoder is not None:
            try:
                data = encoder(self._mtis[message.mti], fields.values())
            except DISLIKES:  # the walk names what it is
                data = None
            if data is not None:
                return data
        data = encode_message(self.layout, message.mti, fields)
        if encoder is None and len(self._encoders) < CACHE_LIMIT:
            self._encoders[numbers] = compile_encoder(self.layout, numbers)
        return data


@lru_cache(maxsize=32)
def load_spec(name: str) -> Spec:
    """The dialect of this name, such as `1987-ascii`; UnableToLoadSpec names what is missing or wrong."""
    data = _read(name)
    if "base" in data:
        base = _read(str(data["base"]))
        data = {**base, **data, "fields": {**base["fields"], **data.get("fields", {})}}
    return make_spec(data)


def make_spec(data: Mapping[str, Any]) -> Spec:
    """A dialect from the content of a data file."""
    try:
        encoding = data["encoding"]
        numeric = Encoding(encoding["numeric"])
        fields = {int(number): _field(int(number), row, numeric) for number, row in data["fields"].items()}
        layout = Layout(
            name=data["name"],
            title=data["title"],
            mtis=dict(data["mti"]),
            fields=dict(sorted(fields.items())),
            mti_encoding=Encoding(encoding["mti"]),
            prefix_encoding=Encoding(encoding["prefix"]),
            bitmap_encoding=BitmapEncoding(encoding["bitmap"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise UnableToLoadSpec(f"dialect {data.get('name', '?')}: {error!r}") from error
    return Spec(layout)


def spec_names() -> list[str]:
    """The dialects that `load_spec` knows."""
    names = [entry.name for entry in files(__package__).joinpath("dialects").iterdir()]
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def _read(name: str) -> dict[str, Any]:
    if name not in spec_names():
        raise UnableToLoadSpec(f"there is no dialect {name!r}; there are {', '.join(spec_names())}")
    return tomllib.loads(files(__package__).joinpath("dialects", f"{name}.toml").read_text(encoding="utf-8"))


def _field(number: int, row: Mapping[str, Any], numeric: Encoding) -> FieldSpec:
    content = ContentClass(row["class"])
    fixed = "prefix" not in row
    length = row["length"] if fixed else row["max"]
    prefix_digits = 0 if fixed else {"LL": 2, "LLL": 3}[row["prefix"]]
    if not 2 <= number <= 128 or not 0 < length <= (999 if fixed else 10**prefix_digits - 1):
        raise ValueError(f"field {number} has an impossible number or length")
    return FieldSpec(
        number=number,
        name=row["name"],
        content=content,
        length=length,
        prefix_digits=prefix_digits,
        encoding=numeric if content in {ContentClass.N, ContentClass.Z} else Encoding.ASCII,
    )
