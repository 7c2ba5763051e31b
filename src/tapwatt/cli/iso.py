"""`tapwatt iso`: ISO 8583 messages explained and packed, one or a stream of them (interfaces.md)."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tapwatt.rails.iso8583 import Spec

DEFAULT_DIALECT = "1987-ascii"
LINE_LIMIT = 65_536
"""Far above what the longest message of a dialect needs as hex or JSON."""

Dialect = Annotated[str, typer.Option(metavar="NAME", help="Dialect, such as 1987-ascii or 1987-bcd.")]
Lines = Annotated[bool, typer.Option("--lines", help="One document a line from stdin, one answer a line.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]


class UnableToAnswer(ValueError):
    """The input cannot be explained or packed; the sentence names the field and the reason."""


def register(root: typer.Typer) -> None:
    """Add the group to the root app."""
    group = typer.Typer(
        help="ISO 8583 messages, explained and packed. "
        "Example: tapwatt iso explain --dialect 1987-bcd "
        "0800822000008000000004000000000000001122091100000001069000010001",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    group.command("explain")(explain)
    group.command("pack")(pack)
    root.add_typer(group, name="iso")


def explain(
    message: Annotated[str | None, typer.Argument(metavar="HEX", help="The message, unframed.")] = None,
    dialect: Dialect = DEFAULT_DIALECT,
    lines: Lines = False,
    unmask: Annotated[bool, typer.Option("--unmask", help="Only for published test cards.")] = False,
    as_json: Json = False,
) -> int:
    """Say what a message holds, masked, as JSON. Example: tapwatt iso explain --dialect 1987-bcd 0800…"""
    del as_json  # the answer is a JSON document anyway
    spec = _spec(dialect)
    return _answer(message, lines, "HEX", lambda text: json.dumps(_explained(text, spec, unmask)))


def pack(
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="The document; - is stdin.")] = None,
    dialect: Dialect = DEFAULT_DIALECT,
    lines: Lines = False,
    as_json: Json = False,
) -> int:
    """Turn a document {"mti", "fields"} into hex. Example: tapwatt iso pack message.json"""
    spec = _spec(dialect)

    def packed(text: str) -> str:
        data = _packed(text, spec).hex()
        return json.dumps({"hex": data}) if as_json else data

    return _answer(None if file is None else _read(file), lines, "FILE", packed)


def _spec(dialect: str) -> Spec:
    from tapwatt.rails.iso8583 import UnableToLoadSpec, load_spec

    try:
        return load_spec(dialect)
    except UnableToLoadSpec as error:
        raise typer.BadParameter(str(error), param_hint="--dialect") from None


def _explained(text: str, spec: Spec, unmask: bool) -> dict[str, Any]:
    from tapwatt.rails.iso8583 import UnableToDecode
    from tapwatt.rails.iso8583.document import UnableToShow, clear_document, document
    from tapwatt.rails.sandbox.numbers import is_test_pan

    bare = re.sub(r"\s", "", text)
    if not bare or not re.fullmatch("(?:[0-9A-Fa-f]{2})*", bare):
        raise UnableToAnswer("message: must be hex, two digits a byte")
    try:
        message = spec.decode(bytes.fromhex(bare))
        return clear_document(message, is_test_pan=is_test_pan) if unmask else document(message)
    except (UnableToDecode, UnableToShow) as error:
        raise UnableToAnswer(str(error)) from None


def _packed(text: str, spec: Spec) -> bytes:
    from tapwatt.rails.iso8583 import UnableToEncode
    from tapwatt.rails.iso8583.document import UnableToRead, read_document

    try:
        return spec.encode(read_document(json.loads(text, object_pairs_hook=_once), spec))
    except (json.JSONDecodeError, RecursionError) as error:
        reason = f"message: is not JSON: {error}" if isinstance(error, ValueError) else "message: too deep"
        raise UnableToAnswer(reason) from None
    except (UnableToRead, UnableToEncode) as error:
        raise UnableToAnswer(str(error)) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A field given twice would silently be one of the two."""
    given = dict(pairs)
    if len(given) != len(pairs):
        raise UnableToAnswer("message: a name stands twice in one object")
    return given


def _answer(given: str | None, lines: bool, what: str, answer: Callable[[str], str]) -> int:
    if lines == (given is not None):
        raise typer.BadParameter(f"give {what}, or --lines and documents on stdin", param_hint=what)
    if given is not None:
        try:
            typer.echo(answer(given))
        except UnableToAnswer as error:
            raise typer.BadParameter(str(error), param_hint=what) from None
        return 0
    for line in _lines():
        try:
            typer.echo(answer(line))
        except UnableToAnswer as error:
            typer.echo(json.dumps({"error": str(error)}))
    return 0


def _lines() -> Iterator[str]:
    """Lines of stdin; one that is too long is cut, and what is left of it is no message."""
    stream = sys.stdin.buffer
    while line := stream.readline(LINE_LIMIT):
        whole = line.endswith(b"\n") or len(line) < LINE_LIMIT
        while not line.endswith(b"\n") and (rest := stream.readline(LINE_LIMIT)):
            line = rest
        yield line.decode("utf-8", "replace").strip() if whole else ""


def _read(file: str) -> str:
    if file == "-":
        return sys.stdin.read(LINE_LIMIT)
    try:
        with Path(file).open(encoding="utf-8") as opened:
            return opened.read(LINE_LIMIT)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise typer.BadParameter(f"{file} cannot be read: {reason}", param_hint="FILE") from None
