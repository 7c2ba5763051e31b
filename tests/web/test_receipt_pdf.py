"""A receipt as PDF says what its page says; pypdf, which is not ours, reads it back."""

import io
import re
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pypdf import PdfReader
from tests.pages.codes import read_boxes
from tests.web.scenes import CURVE, Scene

from tapwatt.core.receipt_shown import LineShown, Row, Shown, shown
from tapwatt.platform import receipts
from tapwatt.web import driver
from tapwatt.web.receipt_pdf import MISSING, can_write, receipt_pdf

DEJAVU = next(iter(Path("/usr/share/fonts").rglob("DejaVuSans.ttf")), None)


async def issued(scene: Scene) -> tuple[str, Shown]:
    """A paid charge: the link's secret and the receipt in words."""
    await scene.opens()
    page = await scene.page(await scene.visit(1, *CURVE))
    assert page is not None
    token = page["receipt"]["token"]
    found = await scene.database.read(lambda tx: receipts.by_token(tx, token))
    assert found is not None
    return token, shown(found)


def text_of(body: bytes) -> str:
    """All text of a PDF, with single spaces."""
    return squeezed("\n".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages))


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def words_of(page: Shown) -> list[str]:
    rows: list[Row] = [*page.head, *page.charge, *page.totals, page.total, page.rounding, *page.payment,
                       *page.credits, *page.fiscal, *page.help]  # fmt: skip
    lines: list[LineShown] = list(page.lines)
    return [
        page.title, *page.seller, *page.notes, *(word for row in rows for word in (row.label, row.value)),
        *(word for line in lines for word in (line.label, line.amount, line.detail, line.taxes, line.period)),
    ]  # fmt: skip


async def test_the_paper_says_every_word_of_the_page(scene: Scene, web: httpx.AsyncClient) -> None:
    token, page = await issued(scene)
    answer = await web.get(f"/d/receipts/{token}.pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == 'inline; filename="R-2027-000001.pdf"'
    said = text_of(answer.content)
    for word in words_of(page):
        assert squeezed(word).strip() in said, word
    assert len(answer.content) < 100_000
    assert (await web.get(f"/d/receipts/{token}.pdf")).content == answer.content
    html = (await web.get(f"/d/receipts/{token}")).text
    assert f'href="/d/receipts/{token}.pdf"' in html


async def test_nobody_gets_a_paper_without_its_link(web: httpx.AsyncClient) -> None:
    for token in ("x", "x" * 65):
        answer = await web.get(f"/d/receipts/{token}.pdf")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_the_euro_and_greek_are_letters_here(scene: Scene) -> None:
    _, page = await issued(scene)
    said = text_of(receipt_pdf(replace(page, seller=("Ωmega Ladestrom GmbH – 12 €",)), issued_ms=0))
    assert "Ωmega Ladestrom GmbH – 12 €" in said
    assert MISSING["en"] not in said


async def test_a_sign_that_no_font_has_is_a_question_mark_with_its_reason(scene: Scene) -> None:
    _, page = await issued(scene)
    said = text_of(receipt_pdf(replace(page, seller=("深圳充电",)), issued_ms=0, fallbacks=()))
    assert "????" in said
    assert MISSING["en"] in said


async def test_many_lines_go_over_pages_and_none_is_lost(scene: Scene) -> None:
    _, page = await issued(scene)
    rows = tuple(Row(label=f"row {place}", value="a long value " * 12 + f"end{place}") for place in range(60))
    body = receipt_pdf(replace(page, charge=rows), issued_ms=0)
    said = text_of(body)
    assert len(PdfReader(io.BytesIO(body)).pages) > 2
    for place in range(60):
        assert f"end{place} " in said


async def test_a_font_of_the_machine_gives_the_letters_that_ours_lacks(scene: Scene) -> None:
    font = DEJAVU
    if font is None:
        pytest.skip("no DejaVu on this machine")
    _, page = await issued(scene)
    said = text_of(
        receipt_pdf(replace(page, seller=("ѫ ⚡ Armenian Հայ",)), issued_ms=0, fallbacks=(str(font),))
    )
    assert "⚡" in said
    assert "Հայ" in said
    assert MISSING["en"] not in said


async def test_the_code_on_paper_is_the_address_of_the_page(scene: Scene, web: httpx.AsyncClient) -> None:
    token, _ = await issued(scene)
    body = (await web.get(f"/d/receipts/{token}.pdf")).content
    boxes = []
    for paper in PdfReader(io.BytesIO(body)).pages:
        for operands, operator in paper.get_contents().operations:  # type: ignore[union-attr]
            if operator == b"re":
                x, y, width, height = map(float, operands)
                boxes.append((x, -y - max(height, 0), width, abs(height)))
    left, top = min(x for x, *_ in boxes) - 10, min(y for _, y, *_ in boxes) - 10
    moved = [(x - left, y - top, width, height) for x, y, width, height in boxes]
    side = max(max(x + width, y + height) for x, y, width, height in moved) + 10
    link = f"http://127.0.0.1:8080/d/receipts/{token}"
    assert read_boxes(side, moved, scale=6) == [link]
    assert f"This receipt on another device: {link}" in text_of(body)


async def test_a_paper_in_another_language_only_where_its_letters_are(
    scene: Scene, web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, _ = await issued(scene)
    assert "Reserviert" in text_of((await web.get(f"/d/receipts/{token}.pdf?language=de")).content)
    monkeypatch.setattr(driver, "can_write", lambda text: can_write(text, fallbacks=()))
    unwritten = text_of((await web.get(f"/d/receipts/{token}.pdf?language=zh")).content)
    assert "Receipt" in unwritten
    assert MISSING["en"] not in unwritten
    assert can_write("Quittung – 12 €", fallbacks=())
    assert not can_write("收据", fallbacks=("/no/such/font.ttf",))
