"""`tapwatt token`: personal tokens from the shell (interfaces.md)."""

from __future__ import annotations

import json
import time
from typing import Annotated
from urllib.parse import quote

import typer

from tapwatt.cli.platform_api import AnswerIsNo, AsJson, Json, Server, ask, everything, no

_DAY_MS = 86_400_000


def register(root: typer.Typer) -> None:
    """Add the group to the root app."""
    group = typer.Typer(
        help="Personal tokens for programs. Example: tapwatt token add accounting --scope read",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    group.command("add")(add)
    group.command("list")(list_tokens)
    group.command("revoke")(revoke)
    root.add_typer(group, name="token")


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the token is for.")],
    scope: Annotated[list[str], typer.Option("--scope", help="read, note, stop, money …; may be repeated.")],
    days: Annotated[int | None, typer.Option("--days", min=1, max=3650, help="Over after so long.")] = None,
    server: Server = None,
    as_json: AsJson = False,
) -> int:
    """Make a token; it is shown this once. Example: tapwatt token add accounting --scope read --days 365"""
    order: Json = {"name": name, "scopes": scope}
    if days is not None:
        order["expires_ms"] = time.time_ns() // 1_000_000 + days * _DAY_MS
    try:
        made = ask(server, "POST", "/tokens", order)
    except AnswerIsNo as reason:
        return no(reason)
    typer.echo(json.dumps(made) if as_json else made["token"])
    return 0


def list_tokens(server: Server = None, as_json: AsJson = False) -> int:
    """One's own tokens, without their secrets. Example: tapwatt token list --json"""
    try:
        answer = everything(server, "/tokens", "tokens")
    except AnswerIsNo as reason:
        return no(reason)
    if as_json:
        typer.echo(json.dumps(answer))
        return 0
    for token in answer["tokens"]:
        state = "revoked" if token["revoked_ms"] else "used" if token["used_ms"] else "never used"
        typer.echo(f"{token['token_id']}  {token['name']}  {','.join(token['scopes'])}  {state}")
    return 0


def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `tapwatt token list` shows it.")],
    server: Server = None,
    as_json: AsJson = False,
) -> int:
    """End a token, for good. Example: tapwatt token revoke tok-0a1b2c3d4e5f607182"""
    try:
        ask(server, "DELETE", f"/tokens/{quote(token_id, safe='')}")
    except AnswerIsNo as reason:
        return no(reason)
    typer.echo(json.dumps({"token_id": token_id, "revoked": True}) if as_json else f"{token_id} revoked")
    return 0
