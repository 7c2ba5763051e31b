"""Our conformance gate against an outside judge: jsonschema-rs on the same schemas, thousands of payloads."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapwatt.ocpp import v16
from tapwatt.ocpp.schemas import Schema, classify, load

CASES = [(action, answer) for action in sorted(v16.FROM_STATION | v16.FROM_CSMS) for answer in (False, True)]
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.sampled_from([5.0, -1.0, 0.5, 21.4])
    | st.text(max_size=25)
)
anything = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.text(max_size=5), scalars, max_size=2)


def valid(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that a schema of the 1.6 kind allows."""
    match schema.get("type"):
        case "object":
            required = set(schema.get("required", ()))
            members = {key: valid(inner) for key, inner in schema.get("properties", {}).items()}
            return st.fixed_dictionaries(
                {key: each for key, each in members.items() if key in required},
                optional={key: each for key, each in members.items() if key not in required},
            )
        case "array":
            return st.lists(valid(schema["items"]), min_size=schema.get("minItems", 0), max_size=3)
        case "string" if "enum" in schema:
            return st.sampled_from(schema["enum"])
        case "string":
            return st.text(max_size=min(schema.get("maxLength", 30), 30))
        case "integer":
            return st.integers(-(2**31), 2**31) | st.integers(0, 99).map(float)
        case "number":
            return st.integers(0, 10_000).map(lambda tenths: tenths / 10)
        case "boolean":
            return st.booleans()
    raise AssertionError(f"a kind of schema this test does not know: {schema}")


@st.composite
def mutated(draw: st.DrawFn, schema: Schema) -> Any:
    """A valid value with one thing changed somewhere: a member taken out, put in or replaced."""
    value = draw(valid(schema))
    places = list(_places(value))
    if not places:
        return draw(anything)
    container, key = draw(st.sampled_from(places))
    match draw(st.sampled_from(["replace", "remove", "add", "stretch"])):
        case "replace":
            container[key] = draw(anything)
        case "remove":
            del container[key]
        case "add" if isinstance(container, dict):
            container[draw(st.text(max_size=5))] = draw(anything)
        case _:
            container[key] = str(container[key]) * 30
    return value


def _places(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        return []
    return [(value, key) for key, _ in inner] + [place for _, each in inner for place in _places(each)]


@pytest.mark.parametrize(("action", "answer"), CASES)
def test_our_gate_agrees_with_an_outside_judge(action: str, answer: bool) -> None:
    schema = load("1.6", action, answer=answer)
    judge = jsonschema_rs.validator_for(schema, validate_formats=False)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(valid(schema) | mutated(schema) | anything)
    def agree(value: Any) -> None:
        violations = classify(action, json.dumps(value).encode(), answer=answer)
        assert (violations == ()) == judge.is_valid(value), violations

    agree()
