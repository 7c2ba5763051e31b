"""Golden ZVT frames of tests/vectors/zvt, shared by the tests of this folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tapwatt.terminals.zvt.messages import Field, Message, Value

FOLDER = Path(__file__).parents[2] / "vectors" / "zvt"


def golden() -> list[dict[str, Any]]:
    """Give every vector that has to pass both ways."""
    return [row for file in sorted(FOLDER.glob("*.json")) for row in json.loads(file.read_text())]


def lenient() -> list[dict[str, Any]]:
    """Give the vectors that are only read."""
    return [row for file in sorted(FOLDER.glob("lenient/*.json")) for row in json.loads(file.read_text())]


def fields(rows: list[Any]) -> tuple[Field, ...]:
    """Turn the `fields` of a vector into fields."""
    return tuple(Field(name=name, value=_value(value)) for name, value in rows)


def _value(value: Any) -> Value:
    return fields(value) if isinstance(value, list) else value


def plain(message: Message) -> Message:
    """Give a message without what was formally wrong with it."""
    return Message(control=message.control, fields=message.fields)
