"""What every bench hands back, how rounds are interleaved, and how docs/bench.md is written.

The machine is never quiet: contenders take turns in short rounds, so that a disturbance hits all of them, and
medians with the tenth and ninetieth percentile are told instead of means.
"""

import os
import platform
import re
import sqlite3
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "bench.md"
INTRODUCTION = """\
# Figures

Written by `make bench` (all) or `make bench ARGS="iso8583 store"` (some; the other sections stay). Contenders
take turns in short rounds of one run; figures are medians over the rounds, with the tenth and ninetieth
percentile where they say something. Every section tells its day, machine, load and command. Compare
figures of one section: those of two sections were not measured at the same moment.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The figures of one bench: a sentence on what is measured, a table, and what else must be known."""

    title: str
    about: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spread:
    """A median and how far the middle eighty per cent of the rounds lay apart."""

    median: float
    low: float
    high: float

    def text(self, digits: int = 1) -> str:
        """As a cell of the table."""
        return f"{self.median:,.{digits}f} ({self.low:,.{digits}f}–{self.high:,.{digits}f})"


def spread(values: Sequence[float]) -> Spread:
    """Median, tenth and ninetieth percentile."""
    return Spread(statistics.median(values), percentile(values, 10), percentile(values, 90))


def percentile(values: Sequence[float], share: int) -> float:
    """The value that so many per cent do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def interleaved(
    contenders: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    times: int,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, list[float]]:
    """Seconds a call of each contender, one value a round; who begins changes from round to round."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            call = contenders[name]
            began = clock()
            for _ in range(times):
                call()
            taken[name].append((clock() - began) / times)
    return taken


def machine() -> str:
    """What this ran on, in one sentence."""
    model = "unknown processor"
    if (info := Path("/proc/cpuinfo")).exists():
        found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.M)
        model = found[1] if found else model
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}; load average before the run {os.getloadavg()[0]:.1f}"
    )


def as_markdown(name: str, section: Section, *, where: str, day: str) -> str:
    """One section of the page."""
    lines = [f"## {name}: {section.title}", "", section.about, ""]
    lines += ["| " + " | ".join(section.head) + " |", "|" + "---|" * len(section.head)]
    lines += ["| " + " | ".join(row) + " |" for row in section.rows]
    lines += ["", *(f"- {note}" for note in section.notes)]
    lines += [f'- {day}, `make bench ARGS="{name}"`: {where}.', ""]
    return "\n".join(lines)


def as_text(name: str, section: Section) -> str:
    """One section for the terminal."""
    table = [section.head, *section.rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(section.head))]
    lines = [f"{name}: {section.title}"]
    for row in table:
        lines.append(
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    return "\n".join([*lines, *(f"  {note}" for note in section.notes), ""])


def write_page(page: Path, written: Mapping[str, str], order: Sequence[str]) -> None:
    """Put these sections into the page and keep the others."""
    old = page.read_text("utf-8") if page.exists() else ""
    sections = {part.split(":", 1)[0]: f"## {part}" for part in old.split("\n## ")[1:]} | dict(written)
    known = [sections[name].rstrip() + "\n" for name in order if name in sections]
    page.write_text("\n".join([INTRODUCTION, *known]), "utf-8")
