"""`tapwatt ocmf keys`: the platform's register of meter keys from the shell."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from tapwatt.cli.platform_api import AnswerIsNo, AsJson, Json, Server, ask, everything, no

Meter = Annotated[str, typer.Argument(metavar="METER", help="Serial of the meter, or of its gateway.")]
_TIME = "ISO 8601 with its zone, such as 2026-03-01T12:00:00+01:00"


def register(group: typer.Typer) -> None:
    """Add the group to the commands of OCMF."""
    keys = typer.Typer(
        help="The platform's register of meter keys. Example: tapwatt ocmf keys add METER-1 key.pem --source "
        '"label on the meter"',
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    keys.command("list")(list_keys)
    keys.command("add")(add)
    keys.command("end")(end)
    group.add_typer(keys, name="keys")


def list_keys(server: Server = None, as_json: AsJson = False) -> int:
    """All registered keys, ended ones too. Example: tapwatt ocmf keys list --json"""
    try:
        answer = everything(server, "/meter-keys", "meter_keys")
    except AnswerIsNo as reason:
        return no(reason)
    if as_json:
        typer.echo(json.dumps(answer))
        return 0
    for row in answer["meter_keys"]:
        typer.echo(_line(row))
    return 0


def add(
    meter: Meter,
    keyfile: Annotated[
        str,
        typer.Argument(
            metavar="KEYFILE",
            help="The public key as text: hex, base64 or PEM, DER or the bare point; - is stdin.",
        ),
    ],
    source: Annotated[str, typer.Option("--source", help="Where the key was taken from.")],
    begin: Annotated[str | None, typer.Option("--from", help=f"{_TIME}; else since ever.")] = None,
    until: Annotated[
        str | None, typer.Option("--until", help=f"{_TIME}, not included; else without an end.")
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who does it.")] = "operator",
    server: Server = None,
    as_json: AsJson = False,
) -> int:
    """Register a key. Example: tapwatt ocmf keys add METER-1 key.pem --source "label on the meter" """
    row: Json = {"meter": meter, "key": _text(keyfile), "source": source, "by": by}
    times = {"valid_from_ms": _ms("--from", begin), "valid_to_ms": _ms("--until", until)}
    row |= {name: value for name, value in times.items() if value is not None}
    return _told(server, "/meter-keys", row, as_json=as_json)


def end(
    meter: Meter,
    at: Annotated[str | None, typer.Option("--at", help=f"{_TIME}; else now.")] = None,
    server: Server = None,
    as_json: AsJson = False,
) -> int:
    """Set the end of a meter's key, once, as when it is exchanged. Example: tapwatt ocmf keys end METER-1"""
    path = f"/meter-keys/{quote(meter, safe='')}/end"
    return _told(server, path, {"at_ms": _ms("--at", at)}, as_json=as_json)


def _told(server: str | None, path: str, body: Json, *, as_json: bool) -> int:
    try:
        row = ask(server, "POST", path, body)
    except AnswerIsNo as reason:
        return no(reason)
    typer.echo(json.dumps(row) if as_json else _line(row))
    return 0


def _text(file: str) -> str:
    from tapwatt.ocmf.keys import KEY_LIMIT

    try:
        if file == "-":
            return sys.stdin.buffer.read(KEY_LIMIT + 1).decode("ascii")
        with Path(file).open("rb") as opened:
            return opened.read(KEY_LIMIT + 1).decode("ascii")
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}", param_hint="KEYFILE") from None
    except UnicodeDecodeError:
        raise typer.BadParameter(
            f"{file} is no text: give hex, base64 or PEM", param_hint="KEYFILE"
        ) from None


def _ms(option: str, text: str | None) -> int | None:
    from datetime import datetime

    from tapwatt.core.tariff.clock import epoch_ms

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"is no time: {_TIME}", param_hint=option) from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"has no zone: {_TIME}", param_hint=option)
    return epoch_ms(moment)


def _line(row: Json) -> str:
    begin = _shown(row["valid_from_ms"]) if row["valid_from_ms"] else "since ever"
    until = "no end" if row["valid_to_ms"] is None else f"until {_shown(row['valid_to_ms'])}"
    return f"{row['meter']}  {begin}  {until}  {row['source']}, by {row['added_by']}"


def _shown(at_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
