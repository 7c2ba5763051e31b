"""`tapwatt receipt show|credit`: a running platform's receipts, from the shell."""

from __future__ import annotations

import json
from typing import Annotated
from urllib.parse import quote

import typer

from tapwatt.cli.platform_api import AnswerIsNo, AsJson, Server, ask, no

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The receipt, such as R-2026-000001.")]


def register(root: typer.Typer) -> None:
    """Add the group to the root app."""
    group = typer.Typer(
        help="Receipts of a running platform. Example: tapwatt receipt show R-2026-000001",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    group.command("show")(show)
    group.command("credit")(credit)
    root.add_typer(group, name="receipt")


def show(number: Number, server: Server = None, as_json: AsJson = False) -> int:
    """A receipt or credit note as it is printed. Example: tapwatt receipt show R-2026-000001"""
    try:
        answer = ask(server, "GET", f"/receipts/{quote(number, safe='')}")
    except AnswerIsNo as reason:
        return no(reason)
    typer.echo(json.dumps(answer) if as_json else f"{answer['text']}\n{answer['url']}")
    return 0


def credit(
    number: Number,
    why: Annotated[str, typer.Option("--why", help="The reason: it stands on the credit note.")],
    amount_minor: Annotated[
        int | None, typer.Option("--amount-minor", min=1, help="With tax; without it, all that is left.")
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who orders it.")] = "operator",
    server: Server = None,
    as_json: AsJson = False,
) -> int:
    """Credit a receipt. Example: tapwatt receipt credit R-2026-000001 --amount-minor 500 --why broken"""
    order = {"amount_minor": amount_minor, "why": why, "by": by}
    try:
        answer = ask(server, "POST", f"/receipts/{quote(number, safe='')}/credit", order)
    except AnswerIsNo as reason:
        return no(reason)
    typer.echo(json.dumps(answer) if as_json else f"{answer['text']}\n{answer['url']}")
    return 0
