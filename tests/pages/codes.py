"""Reads QR codes with zxing-cpp, which did not make them."""

from __future__ import annotations

import io
from collections.abc import Iterable

import zxingcpp
from PIL import Image

from tapwatt.pages.qr import Code


def read_png(png: bytes) -> list[str]:
    """What the codes in a picture say."""
    return [found.text for found in zxingcpp.read_barcodes(Image.open(io.BytesIO(png)).convert("L"))]


def read_boxes(
    side: float, boxes: Iterable[tuple[float, float, float, float]], *, scale: int = 4
) -> list[str]:
    """What black boxes (x, y, width, height) on a white square say."""
    image = Image.new("L", (round(side * scale), round(side * scale)), 255)
    for x, y, width, height in boxes:
        left, top = round(x * scale), round(y * scale)
        image.paste(0, (left, top, round((x + width) * scale), round((y + height) * scale)))
    return [found.text for found in zxingcpp.read_barcodes(image)]


def read_code(code: Code) -> list[str]:
    """What a code says when its runs are drawn."""
    return read_boxes(code.side, ((x, y, length, 1) for x, y, length in code.runs))
