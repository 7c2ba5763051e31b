"""`tapwatt host gateway|acquirer|scheme|issuer`: one company of the card rails, in the foreground."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Host(StrEnum):
    """The four companies."""

    GATEWAY = "gateway"
    ACQUIRER = "acquirer"
    SCHEME = "scheme"
    ISSUER = "issuer"


def register(root: typer.Typer) -> None:
    """Add the command to the root app."""
    root.command("host")(host)


def host(name: Annotated[Host, typer.Argument(help="Which of the four.")]) -> int:
    """Run one host of the card rails. Example: TAPWATT_DATA=/tmp/site tapwatt host gateway"""
    match name:
        case Host.GATEWAY:
            from tapwatt.programs.gateway import main
        case Host.ACQUIRER:
            from tapwatt.programs.acquirer import main
        case Host.SCHEME:
            from tapwatt.programs.scheme import main
        case Host.ISSUER:
            from tapwatt.programs.issuer import main
    return main()
