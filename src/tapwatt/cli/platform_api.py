"""The platform's API from the shell: one request, its answer as JSON, what went wrong as one sentence."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

Json = dict[str, Any]
Server = Annotated[
    str | None,
    typer.Option(metavar="URL", help="The platform; without it, this machine's at TAPWATT_HTTP_PORT."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]

_SENSELESS = (400, 422)
_WAITS = 202
_TIMEOUT_S = 45.0
"""Longer than the platform waits for a station."""


class AnswerIsNo(Exception):
    """The platform could not do it; the sentence says why. Exit code 1."""


def ask(
    server: str | None,
    method: str,
    path: str,
    body: Json | None = None,
    *,
    text: str | None = None,
    query: dict[str, str] | None = None,
) -> Json:
    """One request to the API, with an object or a document's own text. Raises AnswerIsNo; typer.BadParameter
    for what makes no sense."""
    import httpx

    base = (server or f"http://127.0.0.1:{_port()}").rstrip("/")
    if not base.startswith(("http://", "https://")):
        raise typer.BadParameter("begins with http:// or https://", param_hint="--server")
    try:
        answer = httpx.request(
            method,
            f"{base}/api/v1{path}",
            json=body,
            content=text,
            params=query,
            headers=own_token(),
            timeout=_TIMEOUT_S,
        )
        value = answer.json() if answer.content else {}
    except httpx.HTTPError as error:
        raise AnswerIsNo(f"the platform at {base} does not answer: {error or type(error).__name__}") from None
    except (ValueError, httpx.InvalidURL):
        raise AnswerIsNo(f"what answers at {base} is no platform") from None
    if not isinstance(value, dict):
        raise AnswerIsNo(f"what answers at {base} is no platform")
    if answer.status_code in _SENSELESS:
        raise typer.BadParameter(str(value.get("error", answer.status_code)))
    if answer.is_error:
        raise AnswerIsNo(str(value.get("error", f"the platform answers {answer.status_code}")))
    if answer.status_code == _WAITS and "approval_id" in value:
        raise AnswerIsNo(f"it waits for a second person, as {value['approval_id']}; see /approvals")
    return value


def everything(server: str | None, path: str, listed: str) -> Json:
    """A whole list, page by page, as one answer. Raises as `ask`."""
    rows: list[Any] = []
    query = {"limit": "200"}
    while True:
        page = ask(server, "GET", path, query=query)
        rows += page[listed]
        if page.get("cursor") is None:
            return {listed: rows}
        query["cursor"] = page["cursor"]


def no(reason: AnswerIsNo) -> int:
    """Say why the answer is no."""
    sys.stderr.write(f"tapwatt: {' '.join(str(reason).split())}\n")
    return 1


def own_token() -> dict[str, str]:
    """The token of whoever sits at the shell, once people log in."""
    from tapwatt.settings import shown_token

    try:
        return shown_token()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _port() -> str:
    given = os.environ.get("TAPWATT_HTTP_PORT")
    if given is not None:
        return given
    from tapwatt.settings import Settings

    return str(Settings.read().http_port)
