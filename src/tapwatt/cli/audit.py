"""`tapwatt audit verify|list`: the audit log, read from the platform's database and not through the program.

`verify` walks the chain and prints a checkpoint, `SEQ:HASH`. Kept elsewhere (on paper, in a mail) and given
back a later time, it shows whether the end was cut off or the whole chain written anew.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tapwatt.store import SyncDatabase

_HELP = "The audit log. Example: tapwatt audit verify --checkpoint 41:5f3c…"
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


def register(root: typer.Typer) -> None:
    """Add the group to the root app."""
    group = typer.Typer(help=_HELP, no_args_is_help=False, rich_markup_mode=None)
    group.command("verify")(verify)
    group.command("list")(listing)
    root.add_typer(group, name="audit")


def verify(
    checkpoint: Annotated[
        str | None, typer.Option(metavar="SEQ:HASH", help="What an earlier verify printed.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Walk the chain; exit code 1 and the first broken place if an entry was changed, removed or moved.

    Example: tapwatt audit verify --json
    """
    from tapwatt.cli.platform_rows import done
    from tapwatt.platform import audit
    from tapwatt.platform.seed import SANDBOX_OPERATOR

    try:
        kept = audit.read_checkpoint(checkpoint) if checkpoint else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--checkpoint") from None

    def work(database: SyncDatabase) -> int:
        found = database.read(lambda tx: audit.verify(tx, operator_id=SANDBOX_OPERATOR, checkpoint=kept))
        if as_json:
            told = {
                "intact": not found.reason,
                "entries": found.entries,
                "checkpoint": found.checkpoint,
                "broken_at": found.broken_at,
                "reason": found.reason,
            }
            typer.echo(json.dumps(told))
        elif found.reason:
            typer.echo(f"broken at entry {found.broken_at}: {found.reason}")
        else:
            typer.echo(f"{found.entries} entries, each follows the one before; checkpoint {found.checkpoint}")
        return 1 if found.reason else 0

    return done("audit", work)


def listing(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many, the newest first.")] = 50,
    before: Annotated[int | None, typer.Option(min=1, help="Only entries below this number.")] = None,
    as_json: AsJson = False,
) -> int:
    """Who did what and when, the newest first. Example: tapwatt audit list --limit 20"""
    from tapwatt.cli.platform_rows import done
    from tapwatt.platform import audit
    from tapwatt.platform.seed import SANDBOX_OPERATOR

    def work(database: SyncDatabase) -> int:
        found = database.read(
            lambda tx: audit.page(tx, operator_id=SANDBOX_OPERATOR, before=before, most=limit)
        )
        if as_json:
            typer.echo(json.dumps({"entries": found}))
            return 0
        for entry in found:
            at = datetime.fromtimestamp(entry["at_ms"] // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
            typer.echo(
                f"{entry['seq']:>7}  {at}  {entry['who']:20} {entry['what']:24} {entry['subject']:24} "
                f"{entry['outcome']}"
            )
        return 0

    return done("audit", work)
