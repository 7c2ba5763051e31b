"""The conformance gate: the official JSON schemas, read from the installed `ocpp` package at run time.

Why so: the schemas are not ours to redistribute, neither as they are nor as code made from them. At first use
each becomes a msgspec Struct, which passes a good payload in microseconds; only what it refuses is walked
through slowly, to name every violation. It judges our own payloads in tests and classifies what stations
send; it never refuses a billing message. Spec: OCPP 1.6J, 2.0.1 and 2.1 schema files (draft-04 and -06).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

FOLDERS: Final = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
VIOLATIONS_MAX: Final = 20
_STRICT: Final[dict[str, Any]] = {"forbid_unknown_fields": True, "kw_only": True, "frozen": True}
_PLAIN: Final[dict[str, Any]] = {"boolean": bool, "null": None}
_UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
Schema = dict[str, Any]


class NoSchema(LookupError):
    """The installed package has no schema for this action."""


def classify(action: str, payload: bytes, *, version: str = "1.6", answer: bool = False) -> tuple[str, ...]:
    """What the standard objects to in a payload, field by field; empty when nothing. Raises NoSchema."""
    gate, schema = _gate(version, action, answer)
    if gate is not None:
        try:
            gate.decode(payload)
            return ()
        except _UNREADABLE:
            pass  # the slow walk below says why, or finds that it was fine after all (2.x: 5.0 for 5)
    try:
        value = json.loads(payload, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, ArithmeticError, RecursionError):
        return ("payload is not JSON",)
    found = _violations(value, schema, schema, "$")
    return tuple(each for each, _ in zip(found, range(VIOLATIONS_MAX), strict=False))


@cache
def _gate(version: str, action: str, answer: bool) -> tuple[msgspec.json.Decoder[Any] | None, Schema]:
    """The fast gate and the schema; no gate for schemas that say more than a Struct can (multipleOf)."""
    schema = load(version, action, answer=answer)
    if "multipleOf" in json.dumps(schema):
        return None, schema
    return msgspec.json.Decoder(_type_of(schema, schema, action, {})), schema


@cache
def load(version: str, action: str, *, answer: bool = False) -> Schema:
    """One schema file as it is. Raises NoSchema."""
    if not action.isalnum() or not action.isascii():
        raise NoSchema(f"no action is called {action[:40]!r}")
    asked = "" if version == "1.6" else "Request"
    path = _folder() / FOLDERS[version] / "schemas" / f"{action}{'Response' if answer else asked}.json"
    try:
        schema: Schema = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise NoSchema(f"OCPP {version} has no {path.stem}") from None
    return schema


@cache
def _folder() -> Path:
    """Where the package lies, without importing it (its import is slow and pulls in jsonschema)."""
    found = find_spec("ocpp")
    if found is None or not found.submodule_search_locations:
        raise NoSchema("the package `ocpp`, which holds the schemas, is not installed")
    return Path(next(iter(found.submodule_search_locations)))


# --- the fast gate: JSON schema → type


def _type_of(schema: Schema, root: Schema, name: str, made: dict[str, Any]) -> Any:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        if name not in made:
            made[name] = _type_of(root["definitions"][name], root, name, made)
        return made[name]
    match schema.get("type"):
        case "object":
            return _struct_of(schema, root, name, made)
        case "array":
            item = _type_of(schema["items"], root, f"{name}Item", made) if "items" in schema else Any
            return _limited(list[item], min_length=schema.get("minItems"), max_length=schema.get("maxItems"))  # type: ignore[valid-type]
        case "string" if "enum" in schema:
            return Literal[tuple(schema["enum"])]
        case "string":
            return _limited(str, min_length=schema.get("minLength"), max_length=schema.get("maxLength"))
        case "integer" | "number" as kind:
            number = int if kind == "integer" else float
            limits = {"ge": schema.get("minimum"), "le": schema.get("maximum")}
            return _limited(
                number, **{name: number(limit) for name, limit in limits.items() if limit is not None}
            )
        case kind:
            return _PLAIN.get(str(kind), Any)


def _struct_of(schema: Schema, root: Schema, name: str, made: dict[str, Any]) -> Any:
    """Fields are named by number: the wire's names need not be Python's."""
    required = set(schema.get("required", ()))
    fields: list[Any] = []
    names: dict[str, str] = {}
    for number, (key, inner) in enumerate(schema.get("properties", {}).items()):
        field = f"f{number}"
        names[field] = key
        kind = _type_of(inner, root, f"{name}_{key}", made)
        optional = (kind | msgspec.UnsetType, msgspec.UNSET) if key not in required else (kind,)
        fields.append((field, *optional))
    strict = (
        _STRICT
        if schema.get("additionalProperties") is False
        else {**_STRICT, "forbid_unknown_fields": False}
    )
    return msgspec.defstruct(name, fields, rename=names, **strict)


def _limited(kind: Any, **limits: Any) -> Any:
    given = {name: limit for name, limit in limits.items() if limit is not None}
    return Annotated[kind, msgspec.Meta(**given)] if given else kind


# --- the slow walk: every violation by name


def _violations(value: Any, schema: Schema, root: Schema, path: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rsplit("/", 1)[-1]]
    kind = schema.get("type")
    if kind is not None and not (_TYPES[kind](value) and (kind != "integer" or _spelled_whole(value, root))):
        yield f"{path} is not of type {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path} is none of the allowed words"
    if isinstance(value, str):
        yield from _length(len(value), schema, path, ("minLength", "maxLength"), "characters")
    elif isinstance(value, list):
        yield from _length(len(value), schema, path, ("minItems", "maxItems"), "items")
        for index, each in enumerate(value):
            yield from _violations(each, schema.get("items", {}), root, f"{path}[{index}]")
    elif isinstance(value, dict):
        yield from _members(value, schema, root, path)
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        yield from _size(value, schema, path)


def _members(value: dict[str, Any], schema: Schema, root: Schema, path: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{path}.{key} is missing"
    for key, each in value.items():
        if key in properties:
            yield from _violations(each, properties[key], root, f"{path}.{key}")
        elif schema.get("additionalProperties") is False:
            yield f"{path}.{key[:50]} is unknown"


def _length(length: int, schema: Schema, path: str, names: tuple[str, str], of_what: str) -> Iterator[str]:
    if length < schema.get(names[0], 0):
        yield f"{path} has only {length} {of_what}"
    if length > schema.get(names[1], length):
        yield f"{path} has {length} {of_what}, at most {schema[names[1]]} allowed"


def _size(value: int | Decimal, schema: Schema, path: str) -> Iterator[str]:
    if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{path} is out of range"
    step = schema.get("multipleOf")
    if step is not None and not _whole(Decimal(value) / Decimal(str(step))):
        yield f"{path} is no multiple of {step}"


def _no_constant(word: str) -> None:
    """Python's reader knows NaN and Infinity; JSON does not."""
    raise ValueError(f"{word} is not JSON")


def _spelled_whole(value: Any, root: Schema) -> bool:
    """Draft-04 (the 1.6 files) wants integers spelled as such; later drafts look at the value."""
    return isinstance(value, int) or "draft-04" not in root.get("$schema", "")


def _whole(value: Any) -> bool:
    """A number without a fraction, however it is written."""
    if isinstance(value, Decimal):
        return value.is_finite() and abs(value.adjusted()) < 400 and value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


_TYPES: Final[dict[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _whole,
    "number": lambda value: isinstance(value, int | float | Decimal) and not isinstance(value, bool),
    "null": lambda value: value is None,
}
