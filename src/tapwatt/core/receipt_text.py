"""A receipt as plain text in 42 columns: for a terminal's printer, a mail, a shell.

A Chinese character takes two columns (Unicode's East Asian width), and a line may end behind any of them.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from textwrap import wrap
from unicodedata import east_asian_width

from tapwatt.core.receipt import Receipt
from tapwatt.core.receipt_shown import LineShown, Row, Shown, shown

COLUMNS = 42
WIDE = ("W", "F")


def receipt_text(receipt: Receipt) -> str:
    """The whole receipt; no line is wider than 42 columns."""
    return "\n".join(_lines(shown(receipt))) + "\n"


def _lines(page: Shown) -> Iterator[str]:
    for part in page.seller:
        yield from (_centred(each) for each in _wrapped(part))
    yield ""
    yield _centred(page.title.upper())
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
    yield f"-- {title} " + "-" * (COLUMNS - width(title) - 4)


def _rows(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield from _sides(row.label, row.value)


def _sides(label: str, value: str) -> Iterator[str]:
    """Label left and value right on one line, else below each other."""
    if width(label) + 1 + width(value) <= COLUMNS:
        yield label + " " * (COLUMNS - width(label) - width(value)) + value
        return
    yield from _wrapped(label)
    yield from (" " * (COLUMNS - width(part)) + part for part in _wrapped(value, COLUMNS - 2))


def _price(line: LineShown) -> Iterator[str]:
    yield from _sides(line.label, line.amount)
    for detail in (line.detail, line.period, line.taxes, line.why):
        yield from (f"  {part}" for part in _wrapped(detail, COLUMNS - 2))


def width(text: str) -> int:
    """How many columns a text takes."""
    return len(text) + sum(map(_is_wide, text))


def _is_wide(sign: str) -> bool:
    return east_asian_width(sign) in WIDE


def _centred(text: str) -> str:
    return (" " * ((COLUMNS - width(text)) // 2) + text).rstrip()


def _wrapped(text: str, columns: int = COLUMNS) -> list[str]:
    if width(text) == len(text):
        return wrap(text, columns)
    lines = [""]
    for piece in _pieces(text, columns):
        if width(lines[-1] + piece.rstrip()) <= columns:
            lines[-1] += piece
        else:
            lines.append(piece.lstrip())
    return [line.rstrip() for line in lines if line.strip()]


def _pieces(text: str, columns: int) -> Iterator[str]:
    """What a line of mixed text may end behind: each wide sign, a word, the space between two."""
    for wide, signs in groupby(text, _is_wide):
        if wide:
            yield from signs
            continue
        for word in re.findall(r"\s+|\S+", "".join(signs)):
            yield from (word[at : at + columns] for at in range(0, len(word), columns))
