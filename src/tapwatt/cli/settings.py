"""`tapwatt settings`: what is in force, and the page docs/settings.md."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def register(root: typer.Typer) -> None:
    """Add the command to the root app."""
    root.command("settings")(settings)


def settings(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    page: Annotated[bool, typer.Option("--page", help="Print docs/settings.md instead.")] = False,
) -> None:
    """Show every setting and the value in force. Example: TAPWATT_HTTP_PORT=0 tapwatt settings --json"""
    from tapwatt.settings import PREFIX, Settings, settings_page, without_password

    if page:
        typer.echo(settings_page(), nl=False)
        return
    values = {
        name: without_password(value) if name.endswith("_database_url") else value
        for name, value in Settings.read().model_dump(mode="json").items()
    }
    if as_json:
        typer.echo(json.dumps({PREFIX + name.upper(): value for name, value in values.items()}))
        return
    for name, value in values.items():
        typer.echo(f"{PREFIX}{name.upper()}={value}")
