"""The chart in a real browser: an arrow opens its fields by mouse, by keyboard, without script."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from tests.web.charts import Wires
from tests.web.scenes import CURVE
from tests.web.serving import serving, site_at

pytestmark = [pytest.mark.browser]
PHONE = {"width": 390, "height": 800}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    where = shutil.which("chromium")
    assert where is not None, "the browser tests need Debian's chromium"
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=where, args=["--no-sandbox"])
        yield launched
        await launched.close()


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    async with site_at(tmp_path) as scene:
        await scene.opens()
        session_id = await scene.visit(1, *CURVE)
        async with Wires(scene) as wires, serving(scene, hosts=wires.hosts) as url:
            await wires.tell(session_id)
            yield f"{url}/sessions/{session_id}/chart"


def complaints(page: Page) -> list[str]:
    """What the browser says of the page: scripts, styles or files that it refuses."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


async def test_an_arrow_opens_its_fields_by_mouse_and_by_keyboard(browser: Browser, address: str) -> None:
    page = await browser.new_page()
    said = complaints(page)
    await page.goto(address)
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    arrow = page.locator(".arrows a", has_text="0100 authorisation").last
    await arrow.locator("text").click()
    fields = page.locator("tr:target .inside")
    await expect(fields).to_be_visible()
    await expect(fields).to_contain_text("DE37 retrieval reference number")
    await expect(fields).to_contain_text("411111******1111")
    await page.get_by_role("link", name="Close").locator("visible=true").click()
    await expect(fields).to_have_count(0)
    await arrow.focus()
    await page.keyboard.press("Enter")
    await expect(fields).to_be_visible()
    assert said == []
    await page.close()


async def test_without_script_it_works_the_same(browser: Browser, address: str) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(address)
    await page.locator(".heard a", has_text="0220 completion advice").first.click()
    await expect(page.locator("tr:target .inside")).to_contain_text("15.38 EUR")
    await context.close()


async def test_on_a_phone_only_the_chart_scrolls_sideways(browser: Browser, address: str) -> None:
    context = await browser.new_context(viewport=PHONE, color_scheme="dark")  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(address)
    wide, seen = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= seen
    inner, box = await page.evaluate(
        "[document.getElementById('wires').scrollWidth, document.getElementById('wires').clientWidth]"
    )
    assert inner > box
    await page.locator(".heard a", has_text="0100").first.click()
    panel = await page.locator("tr:target").bounding_box()
    assert panel is not None
    assert panel["x"] >= 0
    assert panel["x"] + panel["width"] <= PHONE["width"]
    await context.close()
