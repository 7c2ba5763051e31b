"""`tapwatt version`."""

from __future__ import annotations

import json
from importlib.metadata import version as version_of
from typing import Annotated

import typer


def register(root: typer.Typer) -> None:
    """Add the command to the root app."""
    root.command("version")(version)


def version(as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False) -> None:
    """Print the version. Example: tapwatt version --json"""
    number = version_of("tapwatt")
    typer.echo(json.dumps({"version": number}) if as_json else number)
