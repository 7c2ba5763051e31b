"""The drawings of a day's figures: bars by the hour, and how payments ended. Numbers only: templates draw
them as SVG, each beside a table that says the same.

Bars differ by place and by word, never by colour alone.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tapwatt.core.money import to_major
from tapwatt.pages import written
from tapwatt.platform.day_figures import APPROVED, OPEN, Figures, Hour

Json = dict[str, Any]
LEFT, WIDTH, TOP, HEIGHT = 46, 560, 12, 120
STEPS = (1, 2, 5)
GRID_LINES = 4
TICK_EVERY = 3
OUTCOME_WIDTH = 320


def charts(figures: Figures) -> Json:
    """All drawings of a day. Revenue has one for each currency."""
    hours = figures.hours
    return {
        "sessions": bars(hours, [Decimal(hour.sessions) for hour in hours]),
        "energy": bars(hours, [Decimal(hour.energy_wh).scaleb(-3) for hour in hours]),
        "revenue": {
            currency: bars(
                hours,
                [to_major(hour.revenue_minor.get(currency, 0), currency=currency) for hour in hours],
            )
            for currency in figures.revenue_minor
        },
        "outcomes": outcomes(figures),
    }


def bars(hours: Sequence[Hour], values: Sequence[Decimal]) -> Json:
    """A bar for each hour, and lines to read its height by."""
    step = _step(max(values, default=Decimal(0)))
    top = step * GRID_LINES
    slot = Decimal(WIDTH) / max(1, len(hours))
    drawn = []
    for place, (hour, value) in enumerate(zip(hours, values, strict=True)):
        height = round(value * HEIGHT / top) if value else 0
        if value:
            drawn.append(
                {
                    "x": _place(LEFT + place * slot + 2),
                    "y": TOP + HEIGHT - max(2, height),
                    "width": _place(slot - 4),
                    "height": max(2, height),
                    "label": hour.label,
                    "value": _short(value),
                }
            )
    return {
        "bars": drawn,
        "lines": [
            {"y": TOP + HEIGHT - HEIGHT * line // GRID_LINES, "text": _short(step * line)}
            for line in range(GRID_LINES + 1)
        ],
        "ticks": [
            {"x": _place(LEFT + place * slot + slot / 2), "text": hour.label}
            for place, hour in enumerate(hours)
            if place % TICK_EVERY == 0
        ],
        "left": LEFT,
        "right": LEFT + WIDTH,
        "width": LEFT + WIDTH + 10,
        "height": TOP + HEIGHT + 24,
        "foot": TOP + HEIGHT + 17,
    }


def outcomes(figures: Figures) -> list[Json]:
    """How payments ended, each with the length of its bar."""
    most = max((count for _, count in figures.outcomes), default=1)
    return [
        {
            "word": word,
            "count": count,
            "width": max(2, count * OUTCOME_WIDTH // most),
            "tone": {APPROVED: "good", OPEN: "open"}.get(word, "bad"),
            "permille": (2000 * count + figures.asked) // (2 * figures.asked),
        }
        for word, count in figures.outcomes
    ]


def _step(most: Decimal) -> Decimal:
    """The least of 1, 2, 5, 10, 20 … that reaches the top in four lines."""
    scale = Decimal(1)
    while True:
        for step in STEPS:
            if step * scale * GRID_LINES >= most:
                return step * scale
        scale *= 10


def _short(value: Decimal) -> str:
    kept = value.quantize(Decimal("0.01")).normalize()
    places = max(0, -int(kept.as_tuple().exponent))
    return written.number(kept, places)


def _place(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.1'))}"
