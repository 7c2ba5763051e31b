"""Lays a chart out: where each party stands, where each arrow runs, what is written at it, for the reader.

A page stays under 100 KB however long the session: readings in a row are drawn as the first and the last, and
of more arrows than a page holds the first and the newest are. What is left out is counted; the JSON has all.
"""

from __future__ import annotations

from typing import Any, Final

from tapwatt.pages.written import money
from tapwatt.web.chart.arrows import COLUMNS
from tapwatt.web.sentences import in_words

Json = dict[str, Any]
GAP, LEFT, RIGHT, TOP = 120, 98, 52, 0
ROW, SHORT_ROW, UNDER = 34, 26, 8
ARROWS_MAX, FIRST_ARROWS = 120, 50
SHORT_LABEL, LABEL_MAX, LONG_LABEL_MAX, VALUE_MAX = 13, 26, 46, 90
FIELDS_MAX = 60
WIDTH: Final = LEFT + GAP * (len(COLUMNS) - 1) + RIGHT
SIGNS: Final = {"repeat": "↻", "unanswered": "✕", "late": "◔", "refused": "⊘", "unreadable": "?"}
_READINGS: Final = ("MeterValues", "MeterValues.conf")
_SHORTER: Final = ((" request", ""), (" response", ""), ("preauthorisation", "pre-auth"), (" advice", ""))


def chart_page(found: Json, chart: Json, *, chosen: str = "") -> Json:
    """What the chart's templates show."""
    payments = chart["payments"]
    cycles = [payment["life_cycle"] for payment in payments]
    chosen = chosen if chosen in cycles else (cycles[0] if cycles else "")
    shown, left_out = _bounded(chart["arrows"])
    y, rows = TOP, []
    for arrow in shown:
        y += SHORT_ROW if arrow["answer"] else ROW
        paid = bool(chosen) and _is_of(arrow, chosen, alone=len(cycles) == 1)
        row = {**_row(arrow, y), "paid": paid}
        rows.append(row)
        y += UNDER if row["below"] else 0
    return {
        "session": found,
        "columns": [
            {"name": name, "x": _x(name), "away": not chart["parties"].get(name, True)} for name in COLUMNS
        ],
        "rows": rows,
        "left_out": left_out,
        "width": WIDTH,
        "height": y + 24,
        "payments": payments,
        "chosen": chosen,
        "away": [name for name, there in chart["parties"].items() if not there],
        "times": _times(rows),
        "signs": SIGNS,
    }


def _bounded(drawn: list[Json]) -> tuple[list[Json], int]:
    unread = _unread(drawn)
    kept = [arrow for arrow in drawn if arrow["number"] not in unread]
    if len(kept) > ARROWS_MAX:
        kept = [*kept[:FIRST_ARROWS], *kept[FIRST_ARROWS - ARROWS_MAX :]]
    return kept, len(drawn) - len(kept)


def _unread(drawn: list[Json]) -> set[int]:
    """The numbers of readings, and of texts about them, that have others before and after them."""
    left_out: set[int] = set()
    for run in _runs(drawn):
        last = max((count for count, _ in run), default=0)
        left_out |= {
            arrow["number"]
            for count, arrow in run
            if 1 < count < last and (arrow["name"] in _READINGS or _is_text(arrow))
        }
    return left_out


def _runs(drawn: list[Json]) -> list[list[tuple[int, Json]]]:
    """Stretches without any other message of the station; each arrow with the readings so far."""
    runs: list[list[tuple[int, Json]]] = [[]]
    count = 0
    for arrow in drawn:
        if arrow["wire"] == "ocpp" and arrow["name"] not in _READINGS:
            runs.append([])
            count = 0
        count += arrow["name"] == _READINGS[0]
        runs[-1].append((count, arrow))
    return runs


def _is_text(arrow: Json) -> bool:
    return not arrow["key"] and (arrow["wire"] == "zvt" or arrow["name"].startswith("Show"))


def _is_of(arrow: Json, cycle: str, *, alone: bool) -> bool:
    return arrow["life_cycle"] == cycle or (alone and "." in arrow["key"])


def _row(arrow: Json, y: int) -> Json:
    start, end = _x(arrow["from"]), _x(arrow["to"])
    step = 1 if end > start else -1
    tip = (start + end) // 2 if arrow["lost"] else end - step * 3
    classes = [arrow["wire"] or "deed"]
    classes += [name for name in ("lost", "back", "answer") if arrow[name]]
    classes += [arrow["mark"]] if arrow["mark"] else []
    return {
        **arrow,
        "y": y,
        "classes": " ".join(classes),
        "path": _cross(start, tip, y) if arrow["lost"] else _line(start, tip, y, step),
        "label_x": (start + end) // 2,
        "label": _label(arrow, abs(end - start)),
        "below": _is_below(arrow, abs(end - start)),
        "amount": _amount(arrow),
        "said": _said(arrow),
        "fields": [
            {**field, "value": _cut(field["value"], VALUE_MAX)} for field in arrow["fields"][:FIELDS_MAX]
        ],
        "more_fields": max(0, len(arrow["fields"]) - FIELDS_MAX),
    }


def _x(name: str) -> int:
    return LEFT + GAP * COLUMNS.index(name)


def _line(start: int, tip: int, y: int, step: int) -> str:
    return f"M{start} {y}H{tip}m{-5 * step}-4 {5 * step} 4 {-5 * step} 4"


def _cross(start: int, tip: int, y: int) -> str:
    return f"M{start} {y}H{tip}m-4-4 8 8m0-8-8 8"


def _is_below(arrow: Json, length: int) -> bool:
    """Whether the amount stands under the arrow, as there is no place beside its name."""
    return bool(_amount(arrow)) and not arrow["answer"] and length == GAP and len(arrow["name"]) > SHORT_LABEL


def _label(arrow: Json, length: int) -> str:
    name = in_words(arrow["name"])
    for long, short in _SHORTER:
        name = name.replace(long, short)
    sign = "✕ " if arrow["lost"] else f"{SIGNS[arrow['mark']]} " if arrow["mark"] else ""
    sign += "↩ " if arrow["back"] else ""
    return sign + _cut(name, LABEL_MAX if length <= GAP else LONG_LABEL_MAX)


def _amount(arrow: Json) -> str:
    if arrow["amount_minor"] is None or not arrow["currency"]:
        return ""
    return money(arrow["amount_minor"], arrow["currency"])


def _said(arrow: Json) -> list[str]:
    """What is out of the ordinary, in words."""
    said = [arrow["mark"]] if arrow["mark"] else []
    if arrow["lost"] and arrow["mark"] != "unanswered":
        said.append("lost on the way")
    if arrow["back"]:
        said.append("reversal" if arrow["wire"] == "iso8583" else "gives the hold back")
    return said


def _times(rows: list[Json]) -> list[Json]:
    """A time is written where the second changes."""
    times: list[Json] = []
    second = -1
    for row in rows:
        if row["at_ms"] // 1000 != second:
            second = row["at_ms"] // 1000
            times.append({"y": row["y"], "at_ms": row["at_ms"]})
    return times


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
