"""How things are written on pages; colours that can be read; nothing inline, nothing unescaped."""

import re
from pathlib import Path

import pytest
from jinja2 import DictLoader

import tapwatt
from tapwatt.pages.layout import STATIC, environment, render, static
from tapwatt.pages.written import clock, duration, moment, power, when

PACKAGE = Path(tapwatt.__file__).parent
TEMPLATES = sorted(PACKAGE.rglob("templates/**/*.html"))
AT_MS = 1_800_014_400_000


def test_times_are_utc_and_as_short_as_they_can_be() -> None:
    assert clock(AT_MS) == "12:00:00"
    assert moment(AT_MS) == "2027-01-15T12:00:00Z"
    assert when(AT_MS, AT_MS + 3_600_000) == "12:00:00"
    assert when(AT_MS, AT_MS + 86_400_000) == "15 Jan 2027, 12:00"


@pytest.mark.parametrize(
    ("passed_ms", "text"),
    [(-5, "0 s"), (59_999, "59 s"), (60_000, "1 min"), (3_599_000, "59 min"), (3_900_000, "1 h 05 min")],
)
def test_durations(passed_ms: int, text: str) -> None:
    assert duration(passed_ms) == text


def test_power_is_in_kilowatts() -> None:
    assert [power(power_w) for power_w in (0, 950, 11_040, 349_999)] == [
        "0.0 kW",
        "0.9 kW",
        "11.0 kW",
        "349.9 kW",
    ]


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_everything_is_escaped(hostile: str) -> None:
    env = environment("tapwatt.web")
    env.loader = DictLoader({"page.html": '<p title="{{ name }}">{{ name }}</p>'})
    html = render(env, "page.html", name=hostile)
    assert "<script" not in html
    assert "<img" not in html


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_leaves_the_escape_or_needs_more_than_the_policy_allows(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(r"\|\s*safe\b|autoescape|Markup", text)
    assert not re.search(r"\sstyle=|\son\w+=|javascript:|<style|https?://", text)
    assert not re.search(r"<script(?! src=)", text)


def test_only_known_files_are_static() -> None:
    for name, kind in STATIC.items():
        found = static(name)
        assert found is not None
        assert found[1] == kind
    assert static("../layout.py") is None


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


READ_ON = [
    ("ink", "ground"), ("ink", "card"), ("soft", "ground"), ("soft", "card"), ("accent", "card"),
    ("accent", "ground"), ("good", "good-ground"), ("busy", "busy-ground"), ("warn", "warn-ground"),
    ("bad", "bad-ground"), ("ink", "idle-ground"), ("bad", "card"), ("busy", "card"), ("warn", "card"),
    ("screen-ink", "screen"),
]  # fmt: skip


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_colour_can_be_read_on_its_ground(scheme: int) -> None:
    found = static("tapwatt.css")
    assert found is not None
    blocks = re.findall(r":root \{(.*?)\}", found[0].decode(), re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[scheme]))
    faint = {f"{a} on {b}": contrast(colours[a], colours[b]) for a, b in READ_ON}
    assert {pair: ratio for pair, ratio in faint.items() if ratio < 4.5} == {}
