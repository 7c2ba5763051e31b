"""`tapwatt ocmf`: signed meter values against a key, and may they be billed; the register of keys
(interfaces.md)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tapwatt.cli import ocmf_keys

if TYPE_CHECKING:
    from tapwatt.ocmf.check import Checked
    from tapwatt.ocmf.keys import MeterKey
    from tapwatt.ocmf.messages import Reading, Record


def register(root: typer.Typer) -> None:
    """Add the group to the root app."""
    group = typer.Typer(
        help="Signed meter values (OCMF). Example: tapwatt ocmf verify session.xml --key 3059301306072A86…",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    group.command("verify")(verify)
    ocmf_keys.register(group)
    root.add_typer(group, name="ocmf")


def verify(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="OCMF documents of one transaction, each beginning on its own line, or the transparency "
            "software's XML; - is stdin.",
        ),
    ],
    key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="The meter's public key, from its label or register: hex or base64, DER or raw. Without it "
            "the key in FILE is used, which proves that nothing was changed, but not that the meter signed.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> int:
    """Verify signatures; say whether the energy may be billed, and why not. Exit code 0: the signatures are
    valid (billable or not), 1: they are not, 2: FILE or KEY cannot be read or judged.
    Example: tapwatt ocmf verify session.ocmf --key 3059301306072A86… --json
    """
    checked = _check(_read(file), key)
    if as_json:
        from tapwatt.ocmf.shown import as_json as document

        typer.echo(document(checked))
    else:
        for line in _lines(checked):
            # what a stranger wrote may not steer the window it is read in
            typer.echo("".join(each if each.isprintable() else "�" for each in line))
    if key is None and checked.verdict.valid:
        typer.echo(
            "the key came with the file: compare it with the meter's own, or give that by --key", err=True
        )
    return 0 if checked.verdict.valid else 1


def _check(data: bytes, key_text: str | None) -> Checked:
    from tapwatt.ocmf.check import NoKey, check
    from tapwatt.ocmf.codec import UnableToReadOcmf
    from tapwatt.ocmf.container import read_file
    from tapwatt.ocmf.curves import UnableToJudge
    from tapwatt.ocmf.keys import UnableToReadKey

    key = None if key_text is None else _key(key_text)
    try:
        return check(read_file(data), key=key)
    except NoKey:
        raise typer.BadParameter("FILE holds no public key: give the meter's", param_hint="--key") from None
    except (UnableToReadOcmf, UnableToReadKey, UnableToJudge) as error:
        raise typer.BadParameter(str(error), param_hint="FILE") from None


def _key(text: str) -> MeterKey:
    from tapwatt.ocmf.curves import UnableToJudge
    from tapwatt.ocmf.keys import UnableToReadKey, read_key

    try:
        return read_key(text)
    except (UnableToReadKey, UnableToJudge) as error:
        raise typer.BadParameter(str(error), param_hint="--key") from None


def _read(file: str) -> bytes:
    from tapwatt.ocmf.container import FILE_LIMIT

    if file == "-":
        return sys.stdin.buffer.read(FILE_LIMIT + 1)
    try:
        with Path(file).open("rb") as opened:
            return opened.read(FILE_LIMIT + 1)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}", param_hint="FILE") from None


def _lines(checked: Checked) -> list[str]:
    from tapwatt.ocmf.shown import plain

    verdict = checked.verdict
    lines = [
        f"signature  {'valid' if verdict.valid else 'NOT VALID'}",
        f"billable   {'yes' if verdict.billable else 'no'}",
        *(f"  because  {each.reason}" for each in verdict.objections),
        f"meter      {verdict.meter or 'unknown'}",
        f"energy     {'unknown' if verdict.energy_wh is None else f'{plain(verdict.energy_wh):f} Wh'}",
    ]
    lines += [_line(record, reading) for record in checked.records for reading in record.readings]
    return lines


def _line(record: Record, reading: Reading) -> str:
    value = "no value" if reading.value is None else f"{reading.value:f} {reading.unit}"
    return (
        f"  {record.pagination or '-'}  {reading.time}  {reading.transaction or '-'}  {reading.register}"
        f"  {value}  ST {reading.status or '-'}  EF {reading.error_flags or '-'}"
    )
