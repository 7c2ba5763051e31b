"""`tapwatt price`: an OCPI tariff and a session in CDR terms → the itemised bill (interfaces.md)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from decimal import Decimal

    from tapwatt.core.bill import Bill, Line
    from tapwatt.ocpi.document import UnableToRead

Rounded = Annotated[
    str, typer.Option("--rounding", metavar="total|line", help="What is rounded: once, or each line.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]


def register(root: typer.Typer) -> None:
    """Add the command to the root app."""
    root.command("price")(price)


def price(
    tariff: Annotated[str, typer.Argument(metavar="TARIFF.json", help="OCPI 2.2.1 or 2.3.0; - is stdin.")],
    session: Annotated[str, typer.Argument(metavar="SESSION.json", help="In CDR terms; - is stdin.")],
    rounding: Rounded = "total",
    as_json: Json = False,
) -> None:
    """What a session costs and why, exact and rounded. Example: tapwatt price tariff.json session.json"""
    if tariff == session == "-":
        raise typer.BadParameter("only one of the two can be stdin", param_hint="SESSION.json")
    bill = _priced(tariff, session, rounding)
    if as_json:
        typer.echo(json.dumps(_document(bill), ensure_ascii=False))
    else:
        _show(bill)


def _priced(tariff_file: str, session_file: str, rounding: str) -> Bill:
    from tapwatt.core.bill import PER_LINE, PER_TOTAL
    from tapwatt.core.tariff import price as priced
    from tapwatt.core.tariff.usage import UnableToReadUsage
    from tapwatt.ocpi import cdrs, tariffs

    policies = {"total": PER_TOTAL, "line": PER_LINE}
    if rounding not in policies:
        raise typer.BadParameter("is total or line", param_hint="--rounding")
    try:
        tariff = tariffs.read(_parsed(tariff_file, "TARIFF.json", tariffs.UnableToReadTariff))
    except tariffs.UnableToReadTariff as wrong:
        raise typer.BadParameter(str(wrong), param_hint="TARIFF.json") from None
    try:
        usage = cdrs.read_usage(_parsed(session_file, "SESSION.json", cdrs.UnableToReadSession))
        return priced(tariff, usage, policies[rounding])
    except (cdrs.UnableToReadSession, UnableToReadUsage) as wrong:
        raise typer.BadParameter(str(wrong), param_hint="SESSION.json") from None


def _parsed(file: str, what: str, error: type[UnableToRead]) -> Any:
    from tapwatt.ocpi.document import SIZE_MAX, parse

    try:
        if file == "-":
            return parse(sys.stdin.buffer.read(SIZE_MAX + 1), error)
        with Path(file).open("rb") as opened:
            return parse(opened.read(SIZE_MAX + 1), error)
    except OSError as unreadable:
        raise typer.BadParameter(f"{file} cannot be read: {unreadable.strerror}", param_hint=what) from None


def _document(bill: Bill) -> dict[str, Any]:
    """The bill as interfaces.md says it; money and quantities as decimal strings."""
    from tapwatt.core.money import decimals, to_major

    def money(minor: int) -> str:
        return f"{to_major(minor, currency=bill.currency):.{decimals(bill.currency)}f}"

    return {
        "currency": bill.currency,
        "total": {"excl_tax": money(bill.net_minor), "incl_tax": money(bill.gross_minor)},
        "exact": {"excl_tax": _plain(bill.exact_net), "incl_tax": _plain(bill.exact_gross)},
        "rounding": bill.rounding.name,
        "taxes": [
            {
                "name": tax.name,
                "percentage": _plain(tax.rate_percent),
                "base": money(tax.base_minor),
                "amount": money(tax.amount_minor),
            }
            for tax in bill.taxes
        ],
        "lines": [_line(line) for line in bill.lines],
    }


def _line(line: Line) -> dict[str, Any]:
    from tapwatt.ocpi.document import as_moment

    written: dict[str, Any] = {
        "dimension": line.dimension,
        "quantity": _plain(line.quantity),
        "unit": line.unit,
        "unit_price": _plain(line.unit_price),
        "tax_included": line.tax_inside,
        "excl_tax": _plain(line.net),
        "tax": _plain(line.tax),
        "incl_tax": _plain(line.gross),
        "taxes": [
            {"name": share.name, "percentage": _plain(share.rate_percent), "amount": _plain(share.amount)}
            for share in line.taxes
        ],
    }
    if line.started_ms is not None and line.ended_ms is not None:
        written |= {"start": as_moment(line.started_ms), "end": as_moment(line.ended_ms)}
    if line.element is not None:
        written["element"] = line.element
    return written | {"why": line.why}


def _plain(value: Decimal) -> str:
    """Digits and a point, without needless zeros."""
    digits = f"{value:f}"
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return digits if value else "0"


def _show(bill: Bill) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    from tapwatt.core.money import show

    table = Table(box=SIMPLE, show_footer=True)
    for head, foot in (
        ("what", "total"),
        ("quantity", ""),
        ("price", ""),
        ("before tax", show(bill.net_minor, currency=bill.currency)),
        ("tax", show(bill.tax_minor, currency=bill.currency)),
        ("with tax", show(bill.gross_minor, currency=bill.currency)),
    ):
        table.add_column(head, foot, justify="left" if head == "what" else "right", no_wrap=head != "what")
    for line in bill.lines:
        quantity = f"{_short(line.quantity)} {line.unit}"
        unit_price = f"{_plain(line.unit_price)}{' incl.' if line.tax_inside else ''}"
        table.add_row(
            line.dimension, quantity, unit_price, _short(line.net), _short(line.tax), _short(line.gross)
        )
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    for line in bill.lines:
        console.print(f"{line.dimension}: {line.why}", markup=False)
    console.print(f"rounded: {bill.rounding.name}", markup=False)


def _short(value: Decimal) -> str:
    """For reading: not more than six decimals."""
    from decimal import Decimal

    return _plain(value.quantize(Decimal("0.000001")))
