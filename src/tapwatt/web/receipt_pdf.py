"""A receipt on paper: the same words as the page, from the same source, as PDF.

The letters are Roboto's, from its wheel, because the fonts that every PDF reader has lack the euro sign and
Greek. What Roboto lacks, such as Chinese, is taken from a font of the machine; where there is none, the
letter is a question mark, and the paper says so and where the page is.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

from tapwatt.core.receipt_shown import Row, Shown
from tapwatt.pages.qr import QUIET, qr

FALLBACKS = (
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
)
"""TrueType fonts with Chinese, Japanese and Korean where Debian puts them (fonts-droid-fallback,
fonts-wqy-zenhei, fonts-arphic-uming): the first that is there is taken."""
MARGIN_MM, WIDTH_MM, LABEL_MM, GAP_MM = 18, 174, 62, 3
CODE_MM = 34
BODY, SMALL, TITLE, TOTAL = 10, 8, 16, 12
LINE = 1.35
MISSING = {
    "en": "Signs that no font here has are shown as ?. The receipt's page has them.",
    "de": "Zeichen, die hier keine Schrift hat, stehen als ?. Die Seite der Quittung hat sie.",
}


def receipt_pdf(
    page: Shown, *, issued_ms: int, address: str = "", fallbacks: Sequence[str] = FALLBACKS
) -> bytes:
    """The receipt as a PDF of A4 pages, with its address as a QR code. The same receipt gives the same
    bytes."""
    paper = _Paper(page, datetime.fromtimestamp(issued_ms / 1000, UTC), fallbacks)
    paper.write()
    if address:
        paper.code(address)
    return paper.done()


def can_write(text: str, *, fallbacks: Sequence[str] = FALLBACKS) -> bool:
    """Whether the fonts of this machine have all signs of a text."""
    return all(ord(sign) in _known(_fallback(fallbacks)) for sign in text)


class _Paper:
    """One document on its way."""

    def __init__(self, page: Shown, issued: datetime, fallbacks: Sequence[str]) -> None:
        from fpdf import FPDF  # takes a third of a second, and most starts print no receipt

        self._page = page
        self._pdf: FPDF = FPDF(format="A4")
        self._pdf.set_creation_date(issued)
        self._pdf.set_title(f"{page.title} {page.number}")
        self._pdf.set_lang(page.language)
        self._pdf.set_margin(MARGIN_MM)
        self._pdf.c_margin = 0
        self._pdf.set_auto_page_break(True, MARGIN_MM)
        self._pdf.add_font("body", "", _roboto("Regular"))
        self._pdf.add_font("body", "B", _roboto("Bold"))
        other = _fallback(fallbacks)
        if other is not None:
            self._pdf.add_font("other", "", other)
            self._pdf.add_font("other", "B", other)
            self._pdf.set_fallback_fonts(["other"], exact_match=False)
        self._known = _known(other)
        self._lacked = False
        self._pdf.add_page()

    def write(self) -> None:
        """All sections, in the order of the page."""
        page = self._page
        self._text(page.title, TITLE, bold=True)
        for line in page.seller:
            self._text(line, BODY)
        self._pdf.ln(GAP_MM)
        self._rows(page.head)
        self._section(page.charge_title, page.charge)
        self._title(page.price_title)
        for line_shown in page.lines:
            self._row(Row(label=line_shown.label, value=line_shown.amount), bold=True)
            for detail in (line_shown.detail, line_shown.period, line_shown.taxes, line_shown.why):
                if detail:
                    self._text(detail, SMALL)
        self._pdf.ln(GAP_MM)
        self._rows(page.totals)
        self._row(page.total, size=TOTAL, bold=True)
        self._row(page.rounding, size=SMALL)
        self._section(page.payment_title, page.payment)
        for note in page.notes:
            self._text(note, SMALL)
        for title, rows in _rest(page):
            self._section(title, rows)
        if self._lacked:
            self._pdf.ln(GAP_MM)
            self._text(MISSING.get(page.language, MISSING["en"]), SMALL)

    def code(self, address: str) -> None:
        """The address as a QR code, and in letters, at the end of the paper."""
        drawn = qr(address)
        self._pdf.ln(GAP_MM)
        if self._pdf.will_page_break(CODE_MM + BODY):
            self._pdf.add_page()
        left, top, module = MARGIN_MM - QUIET * CODE_MM / drawn.side, self._pdf.get_y(), CODE_MM / drawn.side
        for x, y, length in drawn.runs:
            self._pdf.rect(left + x * module, top + y * module, length * module, module, style="F")
        self._pdf.set_y(top + CODE_MM)
        self._text(f"{self._page.again}: {address}", SMALL)

    def done(self) -> bytes:
        """The bytes."""
        return bytes(self._pdf.output())

    def _section(self, title: str, rows: Sequence[Row]) -> None:
        if rows:
            self._title(title)
            self._rows(rows)

    def _title(self, title: str) -> None:
        self._pdf.ln(GAP_MM)
        self._text(title, BODY, bold=True)
        y = self._pdf.get_y()
        self._pdf.line(MARGIN_MM, y, MARGIN_MM + WIDTH_MM, y)
        self._pdf.ln(1)

    def _rows(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._row(row)

    def _row(self, row: Row, *, size: int = BODY, bold: bool = False) -> None:
        """Label on the left, value on the right; both may take several lines and stay on one page."""
        self._font(size, bold)
        height = size * LINE * 0.3528
        label, value = self._sure(row.label), self._sure(row.value)
        with self._pdf.offset_rendering() as tried:
            self._cells(label, value, height)
        if tried.page_break_triggered:
            self._pdf.add_page()
        self._cells(label, value, height)

    def _cells(self, label: str, value: str, height: float) -> None:
        top = self._pdf.get_y()
        self._pdf.multi_cell(LABEL_MM, height, label, align="L", new_x="RIGHT", new_y="NEXT")
        below = self._pdf.get_y()
        self._pdf.set_xy(MARGIN_MM + LABEL_MM, top)
        self._pdf.multi_cell(WIDTH_MM - LABEL_MM, height, value, align="R", new_x="LMARGIN", new_y="NEXT")
        self._pdf.set_y(max(below, self._pdf.get_y()))

    def _text(self, text: str, size: int, *, bold: bool = False) -> None:
        self._font(size, bold)
        self._pdf.multi_cell(WIDTH_MM, size * LINE * 0.3528, self._sure(text), new_x="LMARGIN", new_y="NEXT")

    def _font(self, size: int, bold: bool) -> None:
        self._pdf.set_font("body", "B" if bold else "", size)

    def _sure(self, text: str) -> str:
        """The text with a question mark for each sign that no font has."""
        shown = "".join(sign if ord(sign) in self._known else "?" for sign in text)
        self._lacked = self._lacked or shown != text
        return shown


def _rest(page: Shown) -> Iterator[tuple[str, Sequence[Row]]]:
    yield page.credits_title, page.credits
    yield page.fiscal_title, page.fiscal
    yield page.help_title, page.help


def _roboto(weight: str) -> str:
    return str(files("font_roboto").joinpath("files", f"Roboto-{weight}.ttf"))


def _fallback(fallbacks: Sequence[str]) -> str | None:
    return next((path for path in fallbacks if Path(path).is_file()), None)


def _known(other: str | None) -> frozenset[int]:
    """The signs that can be written with a fallback font, or without one."""
    own = _letters(_roboto("Regular"))
    return own if other is None else own | _letters(other)


@cache
def _letters(path: str) -> frozenset[int]:
    """The signs that a font has."""
    from fontTools.ttLib import TTFont

    with TTFont(path, fontNumber=0, lazy=True) as font:
        return frozenset(font.getBestCmap())
