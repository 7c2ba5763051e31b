"""`tapwatt totp`: the code of an OCPP 2.1 web payment, made or checked (interfaces.md)."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def register(root: typer.Typer) -> None:
    """Add the command to the root app."""
    root.command("totp")(totp_command)


def totp_command(
    secret: Annotated[str, typer.Option(help="The station's shared secret.")],
    at: Annotated[int, typer.Option(metavar="UNIX", help="Seconds since 1970, UTC.")],
    validity: Annotated[int, typer.Option(metavar="SEC", help="Seconds an interval lasts, 6 to 3600.")],
    length: Annotated[int, typer.Option(metavar="N", help="Characters of the code, 6 to 32.")],
    check: Annotated[
        str | None, typer.Option(metavar="CODE", help="Say whether this code fits, one interval either way.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> int:
    """The code a station shows at a time. With --check, exit code 0 if CODE fits and 1 if not.
    Example: tapwatt totp --secret TestSecret-0123456789 --at 1767225600 --validity 60 --length 8
    """
    from tapwatt.ocpp.totp import UnableToMakeCode, totp, totp_fits

    try:
        if check is not None:
            fits = totp_fits(check, secret, at_s=at, validity_s=validity, length=length)
            typer.echo(json.dumps({"fits": fits}) if as_json else "fits" if fits else "does not fit")
            return 0 if fits else 1
        code = totp(secret, at_s=at, validity_s=validity, length=length)
    except UnableToMakeCode as error:
        name, _, reason = str(error).partition(": ")
        raise typer.BadParameter(reason, param_hint=f"--{name}") from None
    begin_s = at - at % validity
    shown = {"code": code, "valid_from": begin_s, "valid_until": begin_s + validity}
    typer.echo(json.dumps(shown) if as_json else code)
    return 0
