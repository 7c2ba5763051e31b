"""`tapwatt store copy|backup|restore`: a program's database moved, kept and brought back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tapwatt.store.moving import Books

_EXAMPLE = "Example: tapwatt store backup sqlite:///.tapwatt/platform.sqlite platform.backup"
_HELP = f"Copy, back up and restore the database of any one program. {_EXAMPLE}"
_ROOMS = {
    "platform": "tapwatt.platform",
    "edge": "tapwatt.edge",
    "gateway": "tapwatt.hosts.gateway",
    "acquirer": "tapwatt.hosts.acquirer",
    "scheme": "tapwatt.hosts.scheme",
    "issuer": "tapwatt.hosts.issuer",
    "site": "tapwatt.sim",
}
Url = Annotated[str, typer.Argument(help="sqlite:///file or postgresql://user@host/name")]


def register(root: typer.Typer) -> None:
    """Add the group to the root app."""
    group = typer.Typer(help=_HELP, no_args_is_help=False, rich_markup_mode=None)
    group.command("copy")(copy)
    group.command("backup")(backup)
    group.command("restore")(restore)
    root.add_typer(group, name="store")


def copy(from_url: Url, to_url: Url) -> int:
    """Copy a stopped program's database to an empty one of either engine, and compare them.

    Example: tapwatt store copy sqlite:///.tapwatt/platform.sqlite postgresql://app@localhost/platform
    """
    from tapwatt.store import moving

    return _say("copied", lambda: moving.copy(from_url, to_url, recognise))


def backup(
    url: Url, file: Annotated[Path, typer.Argument(help="A file that is not there yet.", dir_okay=False)]
) -> int:
    """Write one consistent state of a database to a file; its program may run and holds may be open.

    Example: tapwatt store backup postgresql://app@localhost/platform platform.backup
    """
    from tapwatt.store import moving

    return _say("backed up", lambda: moving.back_up(url, file, recognise))


def restore(
    file: Annotated[Path, typer.Argument(help="What `tapwatt store backup` has written.")], url: Url
) -> int:
    """Fill an empty database of either engine from a backup.

    Example: tapwatt store restore platform.backup sqlite:///.tapwatt/platform.sqlite
    """
    from tapwatt.store import moving

    return _say("restored", lambda: moving.restore(file, url, recognise, books))


def books(program: str) -> Books:
    """The tables of a program. Raises UnableToOpen for a name that is none."""
    import importlib

    from tapwatt.store import UnableToOpen
    from tapwatt.store.moving import Books

    if program not in _ROOMS:
        raise UnableToOpen(f"{program} is no program of this version")
    room = _ROOMS[program]
    metadata = importlib.import_module(f"{room}.tables").METADATA
    return Books(program=program, metadata=metadata, migrations=f"{room}.migrations")


def recognise(tables: set[str]) -> Books:
    """The program whose tables these are. Raises UnableToOpen when they are nobody's."""
    from tapwatt.store import UnableToOpen

    for program in _ROOMS:
        found = books(program)
        if set(found.metadata.tables) == tables:
            return found
    raise UnableToOpen("these are not the tables of any program of this version")


def _say(done: str, work: Callable[[], dict[str, int]]) -> int:
    """Do the work; say what was done, table by table, or in one sentence why not."""
    from tapwatt.store import UnableToOpen, UnableToStore

    try:
        rows = work()
    except (UnableToOpen, UnableToStore) as error:
        typer.echo(f"tapwatt store: {' '.join(str(error).split())}", err=True)
        return 1
    for name, number in rows.items():
        typer.echo(f"{number:>9}  {name}")
    typer.echo(f"{sum(rows.values()):>9}  rows {done} and compared")
    return 0
