"""`tapwatt station`: the platform's stations from the shell (interfaces.md)."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tapwatt.cli.platform_api import AnswerIsNo, AsJson, Json, Server, ask, everything, no

_NO = frozenset(
    {
        "Rejected",
        "NotSupported",
        "NotImplemented",
        "UnlockFailed",
        "UnknownMessageId",
        "UnknownVendorId",
    }
)
"""Words of OCPP 1.6 with which a station declines a command."""
StationId = Annotated[str, typer.Argument(metavar="ID", help="The station.")]


def register(root: typer.Typer) -> None:
    """Add the group to the root app."""
    group = typer.Typer(
        help='Stations of the platform. Example: tapwatt station send CS1 Reset \'{"type": "Soft"}\'',
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    group.command("list")(list_stations)
    group.command("show")(show)
    group.command("send")(send)
    root.add_typer(group, name="station")


def list_stations(server: Server = None, as_json: AsJson = False) -> int:
    """All stations. Example: tapwatt station list --json"""
    try:
        answer = everything(server, "/stations", "stations")
    except AnswerIsNo as reason:
        return no(reason)
    if as_json:
        typer.echo(json.dumps(answer))
        return 0
    for station in answer["stations"]:
        typer.echo(f"{station['station_id']}  {_line(station)}")
    return 0


def show(station_id: StationId, server: Server = None, as_json: AsJson = False) -> int:
    """One station: connectors, configuration, firmware and diagnostics. Example: tapwatt station show CS1"""
    try:
        answer = ask(server, "GET", f"/stations/{quote(station_id, safe='')}")
    except AnswerIsNo as reason:
        return no(reason)
    typer.echo(json.dumps(answer) if as_json else "\n".join(_page(answer)))
    return 0


def send(
    station_id: StationId,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="As OCPP 1.6 spells it, such as Reset.")],
    payload: Annotated[str, typer.Argument(metavar="JSON", help="The payload, such as {}.")] = "{}",
    server: Server = None,
    as_json: AsJson = False,
) -> int:
    """Send a command and print the station's answer. Example: tapwatt station send CS1 ClearCache"""
    del as_json  # the answer is a JSON document anyway
    try:
        given: Any = json.loads(payload)
    except ValueError as error:
        raise typer.BadParameter(f"is not JSON: {error}", param_hint="JSON") from None
    if not isinstance(given, dict):
        raise typer.BadParameter("is not a JSON object", param_hint="JSON")
    try:
        path = f"/stations/{quote(station_id, safe='')}/commands"
        answer = ask(server, "POST", path, {"action": action, "payload": given})
    except AnswerIsNo as reason:
        return no(reason)
    typer.echo(json.dumps(answer))
    return 1 if answer.get("status") in _NO else 0


def _line(station: Json) -> str:
    made = " ".join(filter(None, (station["vendor"], station["model"], station["firmware"])))
    return f"{'connected' if station['connected'] else 'away'}  {station['name']}  {made}".rstrip()


def _page(station: Json) -> list[str]:
    return [
        f"{station['station_id']}  {_line(station)}",
        *(f"connector {each['evse_id']}: {each['status']}" for each in station["connectors"]),
        *(f"{each['kind']}: {each['status']} {each['location']}".rstrip() for each in station["transfers"]),
        *(f"{each['key']} = {each['value']}" for each in station["configuration"]),
    ]
