"""One Python function per (dialect, bitmap), written out from the dialect's rows and compiled.

A message type always carries the same few sets of fields, so for each set the offsets up to the first
variable field are constants and runs of digits are checked in one go. The source is made from our own
dialect data only, never from a message. A compiled function answers None for anything it does not like; the
exact walk then names the error. The cache is bounded: a stranger chooses bitmaps, so after `CACHE_LIMIT`
sets the walk serves the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tapwatt.rails.iso8583.field import PATTERNS, ContentClass, Encoding, FieldSpec
from tapwatt.rails.iso8583.layout import Layout
from tapwatt.rails.iso8583.walk import Value, bitmap_bytes, numbers_of

CACHE_LIMIT = 256  # compiled functions of each direction

FieldsDecoder = Callable[[bytes], dict[int, Value] | None]
MessageEncoder = Callable[[bytes, Mapping[int, Value]], bytes | None]


def compile_decoder(layout: Layout, bitmap: int, start: int) -> FieldsDecoder:
    """A function from a whole message to its fields; `start` is where the fields begin."""
    return _DecoderSource(layout, start).build(numbers_of(bitmap))


def compile_encoder(layout: Layout, bitmap: int) -> MessageEncoder:
    """A function from the encoded message type and the fields to the whole message."""
    return _EncoderSource(layout, bitmap).build(numbers_of(bitmap))


def _function(lines: list[str], name: str, namespace: dict[str, Any]) -> Any:
    exec(compile("\n".join(lines), f"<iso8583 {name}>", "exec"), namespace)
    return namespace[name]


def _class_functions() -> dict[str, Any]:
    return {f"is_{content}": pattern.fullmatch for content, pattern in PATTERNS.items()}


def _class_check(content: ContentClass, name: str) -> str:
    """An expression that is true when the text `name` is of the class."""
    if content is ContentClass.ANS:
        return f"({name}.isascii() and {name}.isprintable())"
    return f"is_{content}({name})"


class _DecoderSource:
    """Writes a decoder: offsets are constants until the first variable field, then relative to `p`."""

    def __init__(self, layout: Layout, start: int) -> None:
        self.layout = layout
        self.base, self.offset = "", start
        self.run: int | None = None  # where a run of fixed ASCII digits began
        self.lines = ["def decode(data):", "    text = data.decode('latin-1')"]
        if Encoding.BCD in {layout.prefix_encoding, *(spec.encoding for spec in layout.fields.values())}:
            self.lines.append("    nibbles = data.hex()")

    def build(self, numbers: list[int]) -> FieldsDecoder:
        for number in numbers:
            self.field(self.layout.fields[number])
        self.end_run()
        self.add(f"if {self.at()} != len(data): return None")
        self.add("return {" + ", ".join(f"{number}: f{number}" for number in numbers) + "}")
        decoder: FieldsDecoder = _function(self.lines, "decode", _class_functions())
        return decoder

    def add(self, line: str) -> None:
        self.lines.append("    " + line)

    def at(self, extra: int = 0) -> str:
        total = self.offset + extra
        return f"{self.base} + {total}" if self.base else str(total)

    def end_run(self) -> None:
        if self.run is not None and self.run != self.offset:
            start = f"{self.base} + {self.run}" if self.base else str(self.run)
            self.add(f"if not data[{start}:{self.at()}].isdigit(): return None")
        self.run = None

    def field(self, spec: FieldSpec) -> None:
        if spec.fixed and spec.content is ContentClass.N and spec.encoding is Encoding.ASCII:
            if self.run is None:
                self.run = self.offset
            self.add(f"f{spec.number} = text[{self.at()}:{self.at(spec.length)}]")
            self.offset += spec.length
            return
        self.end_run()
        if spec.fixed:
            self.fixed(spec)
        else:
            self.variable(spec)

    def fixed(self, spec: FieldSpec) -> None:
        packed = spec.encoding is Encoding.BCD and not spec.binary
        size = (spec.length + 1) // 2 if packed else spec.length
        self.value(spec, self.at(), self.at(size), str(spec.length % 2) if packed else "0")
        self.offset += size

    def variable(self, spec: FieldSpec) -> None:
        """The prefix, then `p` moves to the value and past it: from here offsets are relative."""
        digits = spec.prefix_digits
        if self.layout.prefix_encoding is Encoding.ASCII:
            size, source = digits, f"text[{self.at()}:{self.at(digits)}]"
            self.add(f"if not data[{self.at()}:{self.at(size)}].isdigit(): return None")
        else:
            size = (digits + 1) // 2
            source = f"nibbles[2 * ({self.at()}):2 * ({self.at(size)})]"
            self.add(f"if not {source}.isdigit(): return None")
        self.add(f"n = int({source})")
        self.add(f"if n > {spec.length}: return None")
        packed = spec.encoding is Encoding.BCD and not spec.binary
        self.add(f"q = {self.at(size)} + " + ("(n + 1) // 2" if packed else "n"))
        self.value(spec, self.at(size), "q", "n % 2" if packed else "0")
        self.add("p = q")
        self.base, self.offset = "p", 0

    def value(self, spec: FieldSpec, start: str, end: str, odd: str) -> None:
        name = f"f{spec.number}"
        if spec.binary:
            self.add(f"{name} = data[{start}:{end}]")
            return
        if spec.encoding is Encoding.BCD:
            self.add(f"if {odd} and nibbles[2 * ({start}):2 * ({start}) + 1] != '0': return None")
            self.add(f"{name} = nibbles[2 * ({start}) + {odd}:2 * ({end})].replace('d', '=')")
        else:
            self.add(f"{name} = text[{start}:{end}]")
        self.add(f"if not {_class_check(spec.content, name)}: return None")


class _EncoderSource:
    """Writes an encoder: length checks, class checks (digits all at once), then one join of the parts."""

    def __init__(self, layout: Layout, bitmap: int) -> None:
        self.layout, self.bitmap = layout, bitmap
        self.lines = ["def encode(mti, fields):"]
        self.parts: list[str] = ["mti", "BITMAP"]
        self.piece, self.piece_encoding = "", Encoding.ASCII

    def build(self, numbers: list[int]) -> MessageEncoder:
        specs = [self.layout.fields[number] for number in numbers]
        for spec in specs:
            self.lengths(spec)
        self.classes(specs)
        for spec in specs:
            self.part(spec)
        self.end_piece()
        self.add(f"return b''.join(({', '.join(self.parts)}))")
        namespace = {**_class_functions(), "BITMAP": bitmap_bytes(self.layout, self.bitmap)}
        encoder: MessageEncoder = _function(self.lines, "encode", namespace)
        return encoder

    def add(self, line: str) -> None:
        self.lines.append("    " + line)

    def lengths(self, spec: FieldSpec) -> None:
        name = f"f{spec.number}"
        self.add(f"{name} = fields[{spec.number}]")
        if spec.fixed:
            self.add(f"if len({name}) != {spec.length}: return None")
        else:
            self.add(f"n{spec.number} = len({name})")
            self.add(f"if n{spec.number} > {spec.length}: return None")

    def classes(self, specs: list[FieldSpec]) -> None:
        digits = [f"f{spec.number}" for spec in specs if spec.content is ContentClass.N]
        if digits:  # join also refuses anything that is not text
            self.add(f"digits = ''.join(({', '.join(digits)},))")
            self.add("if not (digits.isascii() and digits.isdigit()): return None")
        for spec in specs:
            name = f"f{spec.number}"
            if spec.binary:
                self.add(f"if not isinstance({name}, bytes): return None")
            elif spec.content is not ContentClass.N:
                self.add(f"if not {_class_check(spec.content, name)}: return None")

    def part(self, spec: FieldSpec) -> None:
        name = f"f{spec.number}"
        if not spec.fixed:
            digits = spec.prefix_digits
            if self.layout.prefix_encoding is Encoding.BCD:
                digits += digits % 2
            self.write(self.layout.prefix_encoding, f"{{n{spec.number}:0{digits}d}}")
        if spec.binary:
            self.end_piece()
            self.parts.append(name)
        elif spec.encoding is Encoding.ASCII:
            self.write(Encoding.ASCII, f"{{{name}}}")
        elif spec.fixed:
            self.write(Encoding.BCD, "0" * (spec.length % 2) + self.packed(spec))
        else:
            self.write(Encoding.BCD, f"{{'0' * (n{spec.number} % 2)}}" + self.packed(spec))

    def packed(self, spec: FieldSpec) -> str:
        name = f"f{spec.number}"
        return f"{{{name}.replace('=', 'D')}}" if spec.content is ContentClass.Z else f"{{{name}}}"

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
