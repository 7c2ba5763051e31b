"""`tapwatt edge`: the agent at the charger."""

from __future__ import annotations

import typer


def register(root: typer.Typer) -> None:
    """Add the command to the root app."""
    root.command("edge")(edge)


def edge() -> int:
    """Run the edge in the foreground. Example: TAPWATT_DATA=/tmp/site TAPWATT_TERMINAL_PORT=20007 tapwatt
    edge"""
    from tapwatt.programs.edge import main

    return main()
