"""QR codes say the address that they were made of, with the quiet zone that readers need."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pages.codes import read_boxes, read_code

from tapwatt.pages.layout import environment
from tapwatt.pages.qr import QUIET, qr

LINK = "https://charge.example/d/receipts/7Q2M0FZ4T8K6W1XJ5N3RB9VDCE"


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=200))
@settings(max_examples=40)
def test_a_code_says_its_address(rest: str) -> None:
    assert read_code(qr(LINK + rest)) == [LINK + rest]


@pytest.mark.parametrize("least", [QUIET])
def test_nothing_dark_is_in_the_quiet_zone(least: int) -> None:
    code = qr(LINK)
    assert min(x for x, _, _ in code.runs) == min(y for _, y, _ in code.runs) == least
    assert max(x + length for x, _, length in code.runs) == code.side - least


def test_a_template_draws_it_without_style_or_script() -> None:
    page = environment("tapwatt.web").from_string(
        '{% from "qr.html" import drawn with context %}{{ drawn(link, "Receipt") }}'
    )
    drawn = page.render(link=LINK)
    assert 'aria-label="Receipt"' in drawn
    assert not re.search(r"style=|<script|data:|href=", drawn)
    path = re.search(r' d="([^"]+)"', drawn)
    assert path is not None
    boxes = [
        (int(x), int(y), int(length), 1) for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1", path[1])
    ]
    assert read_boxes(qr(LINK).side, boxes) == [LINK]


def test_what_is_too_long_for_a_code_is_an_error() -> None:
    with pytest.raises(ValueError, match="too large"):
        qr(LINK + "x" * 3_000)
