"""What the API says when it says no: RFC 9457 problems, in answers and in the OpenAPI document.

One shape for everything that can go wrong, whoever finds it: `detail` is the sentence for people, `errors`
name each value that makes no sense, by its JSON pointer in the body (RFC 6901) or as a parameter. The member
`error` repeats the sentence: scripts written before there were problems read it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response

Json = dict[str, Any]
Responses = dict[int | str, dict[str, Any]]
MEDIA = "application/problem+json"
ERRORS_MAX = 20
"""A body with more faults than this has them in common."""
ANY_TIME = {
    401: "The token is unknown, revoked or over, or nobody is logged in",
    403: "Whoever asks may not do this, or the order comes from a foreign page",
    421: "The request is meant for another host",
    422: "A value makes no sense; `errors` say which",
    500: "Something broke; nothing may be believed done",
    503: "The store takes nothing now; try again",
}
"""What every operation may answer."""
WITH_BODY = {413: "The body is too long"}
SCHEMA: Json = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457)",
    "required": ["type", "title", "status", "detail", "error"],
    "properties": {
        "type": {"type": "string", "examples": ["about:blank"]},
        "title": {"type": "string", "examples": ["Conflict"]},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "The reason, a sentence for people"},
        "error": {"type": "string", "description": "The same sentence"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "Where in the body (RFC 6901)"},
                    "parameter": {"type": "string", "description": "Which parameter or header"},
                    "detail": {"type": "string"},
                },
            },
        },
        "findings": {
            "type": "array",
            "description": "What the linter of tariffs objects to",
            "items": {"$ref": "#/components/schemas/Finding"},
        },
    },
}
TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "A personal token. While the operator has no administrator, this machine needs none.",
}


def body_of(status: int, detail: str, **more: Any) -> Json:
    """The problem as JSON; `more` are members of its own."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "error": detail,
        **more,
    }


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """The answer that says so."""
    text = json.dumps(body_of(status, detail, **more))
    return Response(text, status_code=status, headers=dict(headers or {}), media_type=MEDIA)


def senseless(error: RequestValidationError) -> tuple[str, list[Json]]:
    """The sentence, and each value that makes no sense."""
    errors = error.errors()[:ERRORS_MAX]
    first = errors[0]
    return f"{_name(first)} {_reason(first)}".strip(), [_place(each) for each in errors]


def _name(error: Mapping[str, Any]) -> str:
    return "the body" if error["type"] == "json_invalid" else str(error["loc"][-1])


def _reason(error: Mapping[str, Any]) -> str:
    if error["type"] == "json_invalid":
        return "is no JSON"
    return str(error["msg"]).replace("Input should", "should", 1)


def _place(error: Mapping[str, Any]) -> Json:
    where, *path = error["loc"]
    if where != "body":
        return {"parameter": ".".join(str(each) for each in path), "detail": _reason(error)}
    if error["type"] == "json_invalid":
        path = []
    return {"pointer": "".join(f"/{_escaped(each)}" for each in path), "detail": _reason(error)}


def _escaped(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def told(reasons: Mapping[int, str]) -> Responses:
    """Statuses and what they mean, for a route's `responses`."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {status: {"description": why, "content": {MEDIA: schema}} for status, why in reasons.items()}


def allowed(document: Json, path: str) -> dict[str, str]:
    """The Allow header of an address of the API: the methods of the closest way in which it is written."""
    written = [each for each in document["paths"] if re.fullmatch(_pattern(each), path)]
    closest = min(written, key=lambda each: (each.count("{"), -len(each)), default=None)
    if closest is None:
        return {}
    return {"Allow": ", ".join(sorted(method.upper() for method in document["paths"][closest]))}


def _pattern(written: str) -> str:
    return re.sub(r"\{\w+\}", "[^/]+", written.replace("{meter}", ".+"))


class Described(FastAPI):
    """An application whose OpenAPI document says what it really answers."""

    def openapi(self) -> Json:
        """The document, made once."""
        if self.openapi_schema is None:
            document = get_openapi(
                title=self.title,
                version=self.version,
                description=self.description,
                routes=self.routes,
            )
            self.openapi_schema = _completed(document)
        return self.openapi_schema


def _completed(document: Json) -> Json:
    """Add what every operation may answer, the shape of problems, and how one says who one is."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # the framework's, which nobody is sent
        schemas.pop(name, None)
    schemas["Problem"] = SCHEMA
    components["securitySchemes"] = {"token": TOKEN}
    asked: set[str] = set()
    for path in document["paths"].values():
        for operation in path.values():
            _complete(operation)
            asked |= _named(operation.get("requestBody", {}), components["schemas"])
    for name, schema in components["schemas"].items():
        if name not in asked and name != "Problem" and "properties" in schema:
            # What we send is whole: a field may be null, but it is there.
            schema["required"] = list(schema["properties"])
    document["security"] = [{"token": []}, {}]
    return document


def _complete(operation: Json) -> None:
    responses = operation["responses"]
    reasons = {**ANY_TIME, **(WITH_BODY if "requestBody" in operation else {})}
    for status, described in told(reasons).items():
        if MEDIA not in responses.get(str(status), {}).get("content", {}):
            responses[str(status)] = described
    operation["responses"] = dict(sorted(responses.items()))


def _named(value: Any, schemas: Json) -> set[str]:
    """The names of every schema that a value leads to."""
    found: set[str] = set()
    waiting: list[Any] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            name = str(each.get("$ref", "")).rpartition("/")[2]
            if name in schemas and name not in found:
                found.add(name)
                waiting.append(schemas[name])
            waiting.extend(each.values())
        elif isinstance(each, Sequence) and not isinstance(each, str):
            waiting.extend(each)
    return found
