"""`tapwatt serve`: the platform, in the foreground."""

import typer


def register(root: typer.Typer) -> None:
    """Add the command to the root app."""
    root.command("serve")(serve)


def serve() -> int:
    """Run the platform: stations, edges, console and API. Example: TAPWATT_HTTP_PORT=8080 tapwatt serve"""
    from tapwatt.programs.platform import main

    return main()
