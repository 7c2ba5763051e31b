"""A receipt as plain text in 42 columns: for a terminal's printer, a mail, a shell."""

from collections.abc import Iterable, Iterator
from textwrap import wrap

from tapwatt.core.receipt import Receipt
from tapwatt.core.receipt_shown import LineShown, Row, Shown, shown

COLUMNS = 42


def receipt_text(receipt: Receipt) -> str:
    """The whole receipt; no line is longer than 42 characters."""
    return "\n".join(_lines(shown(receipt))) + "\n"


def _lines(page: Shown) -> Iterator[str]:
    for part in page.seller:
        yield from (each.center(COLUMNS).rstrip() for each in _wrapped(part))
    yield ""
    yield page.title.upper().center(COLUMNS).rstrip()
    yield from _rows(page.head)
    yield from _section(page.charge_title, page.charge)
    yield from _title(page.price_title)
    for line in page.lines:
        yield from _price(line)
    yield "-" * COLUMNS
    yield from _rows((*page.totals, page.total, page.rounding))
    yield from _section(page.payment_title, page.payment)
    for note in page.notes:
        yield from _wrapped(note)
    yield from _section(page.credits_title, page.credits)
    yield from _section(page.fiscal_title, page.fiscal)
    yield from _section(page.help_title, page.help)


def _section(title: str, rows: tuple[Row, ...]) -> Iterator[str]:
    if rows:
        yield from _title(title)
        yield from _rows(rows)


def _title(title: str) -> Iterator[str]:
    yield ""
    yield f"-- {title} ".ljust(COLUMNS, "-")


def _rows(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield from _sides(row.label, row.value)


def _sides(label: str, value: str) -> Iterator[str]:
    """Label left and value right on one line, else below each other."""
    if len(label) + 1 + len(value) <= COLUMNS:
        yield label + value.rjust(COLUMNS - len(label))
        return
    yield from _wrapped(label)
    yield from (part.rjust(COLUMNS) for part in _wrapped(value, COLUMNS - 2))


def _price(line: LineShown) -> Iterator[str]:
    yield from _sides(line.label, line.amount)
    for detail in (line.detail, line.period, line.taxes, line.why):
        yield from (f"  {part}" for part in _wrapped(detail, COLUMNS - 2))


def _wrapped(text: str, columns: int = COLUMNS) -> list[str]:
    return wrap(text, columns)
