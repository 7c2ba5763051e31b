"""One Python function per (dialect, set of fields), written out from the dialect's rows and compiled.

A message type always carries the same few sets of fields, so for each set the offsets up to the first
variable field are constants, a length prefix is one look-up (which knows digits and maximum as well), and all
fields of a class are checked in one go. The source is made from our own dialect data only, never from a
message. A compiled function answers None, or raises LookupError, ValueError, TypeError or AttributeError, for
anything it does not like; the exact walk then names the error. The cache is bounded: a stranger chooses
bitmaps, so after `CACHE_LIMIT` sets the walk serves the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from tapwatt.rails.iso8583.field import ENCODINGS, PATTERNS, ContentClass, Encoding, FieldSpec
from tapwatt.rails.iso8583.layout import Layout
from tapwatt.rails.iso8583.walk import Value, bitmap_bytes, numbers_of

CACHE_LIMIT = 256  # compiled functions of each direction

FieldsDecoder = Callable[[bytes], dict[int, Value] | None]
MessageEncoder = Callable[[bytes, Iterable[Value]], bytes | None]

DISLIKES = (LookupError, ValueError, TypeError, AttributeError)
"""What a compiled function raises for what it does not like."""


def compile_decoder(layout: Layout, bitmap: int, start: int) -> FieldsDecoder:
    """A function from a whole message to its fields; `start` is where the fields begin."""
    return _DecoderSource(layout, start).build(numbers_of(bitmap))


def compile_encoder(layout: Layout, numbers: Sequence[int]) -> MessageEncoder:
    """A function from the encoded message type and the values of these fields, in this order, to the
    message.
    """
    return _EncoderSource(layout).build(numbers)


def _function(lines: list[str], name: str, namespace: dict[str, Any]) -> Any:
    exec(compile("\n".join(lines), f"<iso8583 {name}>", "exec"), namespace)
    return namespace[name]


def _class_functions() -> dict[str, Any]:
    return {f"is_{content}": pattern.fullmatch for content, pattern in PATTERNS.items()}


def _class_checks(specs: Iterable[FieldSpec]) -> list[str]:
    """Lines that return None when a text field is not of its class. Joining also refuses what is not text."""
    texts = [spec for spec in specs if not spec.binary]
    lines = []
    for content, check in ((ContentClass.N, "isdigit"), (ContentClass.ANS, "isprintable")):
        names = ", ".join(f"f{spec.number}" for spec in texts if spec.content is content)
        if names:
            lines.append(f"together = ''.join(({names},))")
            lines.append(f"if not (together.isascii() and together.{check}()): return None")
    for spec in texts:
        name = f"f{spec.number}"
        if spec.content is ContentClass.AN:
            lines.append(f"if not ({name}.isalnum() and {name}.isascii() or is_an({name})): return None")
        elif spec.content not in (ContentClass.N, ContentClass.ANS):
            lines.append(f"if not is_{spec.content}({name}): return None")
    return lines


def _prefix_digits(layout: Layout, spec: FieldSpec) -> int:
    """The digits of a length prefix on the wire: whole bytes where they are packed."""
    packed = layout.prefix_encoding is Encoding.BCD
    return spec.prefix_digits + (spec.prefix_digits % 2 if packed else 0)


@cache
def _lengths(encoding: Encoding, digits: int, most: int) -> dict[bytes, int]:
    """The length that a prefix says; no other bytes are one."""
    return {ENCODINGS[encoding].write(f"{length:0{digits}d}"): length for length in range(most + 1)}


@cache
def _prefixes(digits: int, most: int, *, pad: bool) -> tuple[str, ...]:
    """The prefix of each length, with the zero that fills an odd number of packed digits behind it."""
    return tuple(f"{length:0{digits}d}{'0' if pad and length % 2 else ''}" for length in range(most + 1))


class _DecoderSource:
    """Writes a decoder: offsets are constants until the first variable field, then relative to its end, which
    is counted in bytes (`end2`) and, where something is packed, in nibbles (`nib2`).
    """

    def __init__(self, layout: Layout, start: int) -> None:
        self.layout = layout
        self.base, self.nibble_base, self.offset = "", "", start
        self.run: list[tuple[str, int, int]] = []
        self.run_source = ""
        self.pads: list[str] = []
        self.digits_from = ""
        self.unchecked: list[FieldSpec] = []
        self.namespace = _class_functions()
        self.lines = ["def decode(data):", "    text = data.decode('latin-1')"]
        if Encoding.BCD in {layout.prefix_encoding, *(spec.encoding for spec in layout.fields.values())}:
            self.add("nibbles = data.hex()")

    def build(self, numbers: list[int]) -> FieldsDecoder:
        specs = [self.layout.fields[number] for number in numbers]
        for spec in specs:
            self.content(spec)
            if spec.fixed:
                self.fixed(spec)
            else:
                self.variable(spec)
        self.end_run()
        self.end_digits()
        self.add(f"if {self.at()} != len(data): return None")
        for line in _class_checks(self.unchecked):
            self.add(line)
        self.add("return {" + ", ".join(f"{number}: f{number}" for number in numbers) + "}")
        decoder: FieldsDecoder = _function(self.lines, "decode", self.namespace)
        return decoder

    def add(self, line: str) -> None:
        self.lines.append("    " + line)

    def at(self, extra: int = 0) -> str:
        """The place so many bytes on."""
        return _place(self.base, self.offset + extra)

    def nibble(self, position: int) -> str:
        """A place in `nibbles`, counted from the base."""
        if self.base and not self.nibble_base:
            self.nibble_base = self.base.replace("end", "nib")
            self.add(f"{self.nibble_base} = {self.base} + {self.base}")
        return _place(self.nibble_base, position)

    def content(self, spec: FieldSpec) -> None:
        """Numbers side by side, with their prefixes, are found to be digits in one go."""
        plain = spec.content is ContentClass.N and (
            spec.fixed or spec.encoding is self.layout.prefix_encoding
        )
        source = "data" if spec.encoding is Encoding.ASCII else "nibbles"
        if self.digits_from and not (plain and self.digits_from.startswith(source)):
            self.end_digits()
        if plain and not self.digits_from:
            start = self.at() if source == "data" else self.nibble(2 * self.offset)
            self.digits_from = f"{source}[{start}:"
        elif spec.content is not ContentClass.N or not plain:
            self.unchecked.append(spec)

    def end_digits(self) -> None:
        if self.digits_from:
            end = self.at() if self.digits_from.startswith("data") else self.nibble(2 * self.offset)
            self.end_run()
            self.add(f"if not {self.digits_from}{end}].isdigit(): return None")
        self.digits_from = ""

    def fixed(self, spec: FieldSpec) -> None:
        name = f"f{spec.number}"
        if spec.binary:
            self.add(f"{name} = data[{self.at()}:{self.at(spec.length)}]")
            self.offset += spec.length
        elif spec.encoding is Encoding.ASCII:
            self.cut(name, "text", self.offset, spec.length)
            self.offset += spec.length
        else:
            odd = spec.length % 2
            if odd:
                self.cut(f"pad{spec.number}", "nibbles", 2 * self.offset, 1)
                self.pads.append(f"pad{spec.number}")
            self.cut(name, "nibbles", 2 * self.offset + odd, spec.length)
            if spec.content is ContentClass.Z:
                self.end_run()
                self.add(f"{name} = {name}.replace('d', '=')")
            self.offset += (spec.length + 1) // 2

    def cut(self, name: str, source: str, start: int, length: int) -> None:
        """Fixed values side by side are cut out by one call; `start` counts characters of the source."""
        if source != self.run_source:
            self.end_run()
        self.run_source = source
        self.run.append((name, start, start + length))

    def end_run(self) -> None:
        if len(self.run) == 1:
            name, start, end = self.run[0]
            self.add(f"{name} = {self.run_source}[{self.place(start)}:{self.place(end)}]")
        elif self.run:
            first, last = self.run[0][1], self.run[-1][2]
            cutter = f"CUT_{len(self.namespace)}"
            self.namespace[cutter] = itemgetter(*(slice(a - first, b - first) for _, a, b in self.run))
            names = ", ".join(name for name, _, _ in self.run)
            self.add(f"{names} = {cutter}({self.run_source}[{self.place(first)}:{self.place(last)}])")
        if self.pads:
            self.add(f"if {' + '.join(self.pads)} != {'0' * len(self.pads)!r}: return None")
        self.run, self.pads = [], []

    def place(self, position: int) -> str:
        """A place in the source of the run."""
        return self.nibble(position) if self.run_source == "nibbles" else _place(self.base, position)

    def variable(self, spec: FieldSpec) -> None:
        """The prefix, then the value; from here offsets are relative to its end."""
        self.end_run()
        name, end, digits = f"f{spec.number}", f"end{spec.number}", _prefix_digits(self.layout, spec)
        size = digits if self.layout.prefix_encoding is Encoding.ASCII else digits // 2
        lengths = f"LENGTHS_{size}_{spec.length}"
        self.namespace[lengths] = _lengths(self.layout.prefix_encoding, digits, spec.length)
        length = f"{lengths}[data[{self.at()}:{self.at(size)}]]"
        if spec.binary or spec.encoding is Encoding.ASCII:
            source = "data" if spec.binary else "text"
            self.add(f"{end} = {self.at(size)} + {length}")
            self.add(f"{name} = {source}[{self.at(size)}:{end}]")
        else:
            self.add(f"n = {length}")
            self.add(f"{end} = {self.at(size)} + (n + 1) // 2")
            start = self.nibble(2 * (self.offset + size))
            self.add(f"if n % 2 and nibbles[{start}] != '0': return None")
            separators = ".replace('d', '=')" if spec.content is ContentClass.Z else ""
            self.add(f"{name} = nibbles[{start} + n % 2:2 * {end}]{separators}")
        self.base, self.nibble_base, self.offset = end, "", 0


def _place(base: str, offset: int) -> str:
    return (f"{base} + {offset}" if offset else base) if base else str(offset)


class _EncoderSource:
    """Writes an encoder: lengths, classes, then one join of the parts."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.namespace = _class_functions()
        self.lines = ["def encode(mti, values):"]
        self.parts: list[str] = ["mti", "BITMAP"]
        self.piece, self.piece_encoding = "", Encoding.ASCII

    def build(self, numbers: Sequence[int]) -> MessageEncoder:
        self.namespace["BITMAP"] = bitmap_bytes(self.layout, sum(1 << (128 - number) for number in numbers))
        self.add("".join(f"f{number}, " for number in numbers) + "= values")
        specs = [self.layout.fields[number] for number in sorted(numbers)]
        if unequal := [f"len(f{spec.number}) != {spec.length}" for spec in specs if spec.fixed]:
            self.add(f"if {' or '.join(unequal)}: return None")
        for line in _class_checks(specs):
            self.add(line)
        for spec in specs:
            self.part(spec)
        self.end_piece()
        self.add(f"return b''.join(({', '.join(self.parts)}))")
        encoder: MessageEncoder = _function(self.lines, "encode", self.namespace)
        return encoder

    def add(self, line: str) -> None:
        self.lines.append("    " + line)

    def part(self, spec: FieldSpec) -> None:
        name = f"f{spec.number}"
        packed = spec.encoding is Encoding.BCD and not spec.binary
        if spec.binary:
            self.add(f"if type({name}) is not bytes: return None")
        if not spec.fixed:
            self.prefix(spec, pad=packed)
        if spec.binary:
            self.end_piece()
            self.parts.append(name)
        elif packed:
            value = f"{{{name}.replace('=', 'D')}}" if spec.content is ContentClass.Z else f"{{{name}}}"
            self.write(Encoding.BCD, "0" * (spec.length % 2 if spec.fixed else 0) + value)
        else:
            self.write(Encoding.ASCII, f"{{{name}}}")

    def prefix(self, spec: FieldSpec, *, pad: bool) -> None:
        digits, own_pad = _prefix_digits(self.layout, spec), pad
        pad = pad and self.layout.prefix_encoding is Encoding.BCD
        table = f"PREFIX_{digits}_{spec.length}{'_PADDED' if pad else ''}"
        self.namespace[table] = _prefixes(digits, spec.length, pad=pad)
        self.write(self.layout.prefix_encoding, f"{{{table}[len(f{spec.number})]}}")
        if own_pad and not pad:
            self.write(Encoding.BCD, f"{{'0' * (len(f{spec.number}) % 2)}}")

    def write(self, encoding: Encoding, piece: str) -> None:
        if encoding is not self.piece_encoding:
            self.end_piece()
            self.piece_encoding = encoding
        self.piece += piece

    def end_piece(self) -> None:
        if self.piece:
            ascii_piece = self.piece_encoding is Encoding.ASCII
            text = f'f"{self.piece}"'
            self.parts.append(f"{text}.encode('ascii')" if ascii_piece else f"bytes.fromhex({text})")
            self.piece = ""
