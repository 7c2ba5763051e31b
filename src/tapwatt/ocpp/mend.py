"""Payloads of real stations into typed Structs: strictly when they fit, mended where they can be.

Seen in the field (reference/ocpp.md, pain 7): an object where an array belongs, numbers as text, `5.0` for 5,
null for absent, fields nobody knows, words outside the enumeration, texts too long. None of these may cost a
billing message. What is written goes the strict way only.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from tapwatt.rpc.messages import Fault

S = TypeVar("S", bound=msgspec.Struct)
INTEGER_DIGITS: Final = 15
ITEMS_MAX: Final = 10_000
_UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
_untyped = msgspec.json.Decoder(float_hook=Decimal)


class UnableToRead(Exception):
    """The payload cannot be understood even with patience; `fault` is the CALLERROR it deserves."""

    def __init__(self, fault: Fault, text: str) -> None:
        super().__init__(text)
        self.fault = fault


class UnableToWrite(ValueError):
    """Our own message breaks the standard: a fault on our side, found before it is sent."""


def read(kind: type[S], payload: bytes) -> S:
    """The payload as `kind`. Raises UnableToRead."""
    try:
        value: S = _decoder(kind).decode(payload)
    except _UNREADABLE:
        return _read_patiently(kind, payload)
    return value


def write(value: msgspec.Struct) -> bytes:
    """JSON text, checked against the Struct's own limits. Raises UnableToWrite."""
    try:
        payload = msgspec.json.encode(value)
        _decoder(type(value)).decode(payload)
    except (*_UNREADABLE, UnicodeEncodeError) as problem:
        raise UnableToWrite(f"{type(value).__name__}: {problem}") from problem
    return payload


def read_decimal(text: str) -> Decimal | None:
    """A decimal number of sane size, exactly; None for anything else ("NaN", 10^999)."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= INTEGER_DIGITS else None


@cache
def _decoder(kind: type[S]) -> msgspec.json.Decoder[S]:
    return msgspec.json.Decoder(kind)


def _read_patiently(kind: type[S], payload: bytes) -> S:
    try:
        value = _untyped.decode(payload)
    except (*_UNREADABLE, InvalidOperation):
        raise UnableToRead(Fault.FORMATION_VIOLATION, "payload is not JSON") from None
    if not isinstance(value, dict):
        raise UnableToRead(Fault.FORMATION_VIOLATION, "payload is not an object")
    mended: S = _mend(value, _type_info(kind), "")
    return mended


@cache
def _type_info(kind: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(kind)


def _mend(value: Any, kind: inspect.Type, path: str) -> Any:
    match kind:
        case inspect.Metadata(type=inner):  # only texts that may come as JSON objects carry it
            is_json = isinstance(value, dict | list)
            return msgspec.json.encode(value).decode() if is_json else _mend(value, inner, path)
        case inspect.UnionType(types=types):
            return _mend(value, next(each for each in types if not isinstance(each, inspect.NoneType)), path)
        case inspect.StructType():
            return _mend_struct(value, kind, path)
        case inspect.VarTupleType(item_type=item):
            return _mend_items(value, item, path)
        case _:
            return _SCALARS[type(kind)](value, path)


def _mend_struct(value: Any, kind: inspect.StructType, path: str) -> Any:
    if not isinstance(value, dict):
        raise _wrong(path, "an object")
    fields: dict[str, Any] = {}
    for field in kind.fields:
        where = f"{path}.{field.encode_name}" if path else field.encode_name
        given = value.get(field.encode_name)
        if given is None:
            if field.required:
                raise UnableToRead(Fault.OCCURRENCE_CONSTRAINT_VIOLATION, f"{where} is missing")
            continue
        try:
            fields[field.name] = _mend(given, field.type, where)
        except UnableToRead:
            # What may be missing may also be unreadable: the rest of the message counts.
            if field.required:
                raise
    return kind.cls(**fields)


def _mend_items(value: Any, item: inspect.Type, path: str) -> tuple[Any, ...]:
    """One item instead of a list is a list of one; items nobody can read are left out."""
    values = value if isinstance(value, list) else [value]
    items = []
    for index, each in enumerate(values[:ITEMS_MAX]):
        try:
            items.append(_mend(each, item, f"{path}[{index}]"))
        except UnableToRead:
            continue
    return tuple(items)


def _mend_text(value: Any, path: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise _wrong(path, "text")
    return str(value)


def _mend_integer(value: Any, path: str) -> int:
    """Fractions of a Wh are rounded down: a start and a stop lose alike."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise _wrong(path, "an integer")
    number = read_decimal(str(value)[:100])
    if number is None:
        raise _wrong(path, "an integer")
    return int(number.to_integral_value(ROUND_FLOOR))


def _mend_truth(value: Any, path: str) -> bool:
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.lower())
    if not isinstance(value, bool):
        raise _wrong(path, "true or false")
    return value


def _wrong(path: str, wanted: str) -> UnableToRead:
    return UnableToRead(Fault.TYPE_CONSTRAINT_VIOLATION, f"{path} is not {wanted}")


_SCALARS: dict[type[inspect.Type], Callable[[Any, str], Any]] = {
    inspect.StrType: _mend_text,
    inspect.LiteralType: _mend_text,
    inspect.IntType: _mend_integer,
    inspect.BoolType: _mend_truth,
}
