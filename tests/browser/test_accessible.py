"""Every page, judged by axe-core by WCAG 2.2 A and AA, in light and dark, wide and on a phone; and walked
by keyboard alone: what can be done is reached, and what has the focus can be seen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, ViewportSize
from tests.sim.forecourt.pictures import MOMENTS
from tests.sim.forecourt.serving import forecourt_at
from tests.web.busy import busy_day, drafted
from tests.web.charts import Wires
from tests.web.serving import serving, site_at, web_side

from tapwatt.web.gate import FOR_MACHINES

pytestmark = pytest.mark.browser
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
PARTS = 20
"""A field for a day or a time is several stops."""
WIDE, PHONE = ViewportSize(width=1200, height=840), ViewportSize(width=390, height=844)
LOOKS: dict[str, dict[str, Any]] = {
    f"{name} {scheme}": {"viewport": size, "color_scheme": scheme}
    for name, size in (("wide", WIDE), ("phone", PHONE))
    for scheme in ("light", "dark")
}
UNFOLD = "document.querySelectorAll('details').forEach(each => { each.open = true; })"
ACTIONS = """[...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex="0"]')]
  .filter(e => e.checkVisibility() && !e.disabled && e.type !== 'hidden'
    && !(e.type === 'radio' && !e.checked && document.querySelector(`[name="${e.name}"]:checked`)))
  .map((e, place) => { e.dataset.walked = place; return place; })"""
FOCUS = """(() => {
  const e = document.activeElement, s = getComputedStyle(e), box = e.getBoundingClientRect();
  const ring = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0;
  const inView = box.bottom > 0 && box.top < innerHeight;
  return [e.dataset.walked ?? null, ring || s.boxShadow !== 'none', inView, e.outerHTML.slice(0, 120)];
})()"""


@dataclass(frozen=True, slots=True)
class Site:
    """A served day: its address and every page of it that a person sees."""

    url: str
    paths: tuple[str, ...]


@pytest.fixture
async def day(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as scene:
        names = await busy_day(scene)
        fixed = _pages(web_side(scene).app.routes)
        sessions = [f"/sessions/{names[name]}" for name in ("closed", "review", "running")]
        async with Wires(scene) as wires, serving(scene, hosts=wires.hosts) as url:
            await wires.tell(names["closed"])
            await drafted(url)
            paths = (
                *fixed, *sessions, f"{sessions[0]}/chart", f"{sessions[0]}/chart#m3", names["receipt"],
                "/stations/CS1", "/tariffs/DC-0.58/simulation?version=2&at=18:00&parked=40",
                "/tariffs/DC-0.58?kwh=x", "/sessions?last_four=x", "/nowhere", "/d/receipts/none",
            )  # fmt: skip
            yield Site(url, paths)


def _pages(routes: Iterable[Any]) -> Iterator[str]:
    """The pages without a name in their address, whoever adds one: those with a name are listed above."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from _pages(route.original_router.routes)
            continue
        path = getattr(route, "path", "{}")
        if "GET" in (route.methods or ()) and "{" not in path and not path.startswith(FOR_MACHINES):
            yield path


async def violations(page: Page) -> list[str]:
    """What axe finds on the page as it stands, everything unfolded."""
    await page.evaluate(UNFOLD)
    found = await Axe().run(page, options=RULES)
    return [
        f"{one['id']}: {node['target']} {node['html'][:160]} {node['failureSummary'][:300]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("look", LOOKS)
async def test_no_page_of_the_console_violates_wcag(day: Site, browser: Browser, look: str) -> None:
    context = await browser.new_context(**LOOKS[look], reduced_motion="reduce")
    page = await context.new_page()
    seen: dict[str, list[str]] = {}
    for path in day.paths:
        await page.goto("about:blank")
        await page.goto(day.url + path)
        if found := await violations(page):
            seen[path] = found
    assert seen == {}
    assert len(day.paths) > 20


@pytest.mark.parametrize("moment", MOMENTS)
async def test_no_moment_of_the_forecourt_violates_wcag(browser: Browser, moment: str) -> None:
    async with forecourt_at(MOMENTS[moment]) as url:
        seen = {}
        for look, how in LOOKS.items():
            page = await browser.new_page(**how, reduced_motion="reduce")
            await page.goto(url)
            if found := await violations(page):
                seen[look] = found
            await page.close()
    assert seen == {}


async def walked(page: Page) -> list[str]:
    """Press Tab through the page; what cannot be reached, or cannot be seen when it is."""
    await page.evaluate(UNFOLD)
    wanted = set(await page.evaluate(ACTIONS))
    reached: set[int] = set()
    wrong: list[str] = []
    for _ in range(len(wanted) + PARTS):
        await page.keyboard.press("Tab")
        place, ring, in_view, html = await page.evaluate(FOCUS)
        if place is None:
            continue
        reached.add(int(place))
        if not (ring and in_view):
            wrong.append(f"not seen: {html}")
    return wrong + [f"not reached: {place}" for place in sorted(wanted - reached)]


async def test_everything_is_reached_by_keyboard_and_seen(day: Site, browser: Browser) -> None:
    page = await browser.new_page(viewport=WIDE, reduced_motion="reduce", java_script_enabled=True)
    seen = {}
    for path in day.paths:
        await page.route("**/live/**", lambda route: route.abort())
        await page.goto("about:blank")
        await page.goto(day.url + path)
        if wrong := await walked(page):
            seen[path] = wrong[:5]
    assert seen == {}


async def test_the_forecourt_is_walked_by_keyboard(browser: Browser) -> None:
    async with forecourt_at(MOMENTS["forecourt-phone"]) as url:
        page = await browser.new_page(viewport=WIDE, reduced_motion="reduce")
        await page.route("**/live", lambda route: route.abort())
        await page.goto(url)
        assert await walked(page) == []
