"""Tariff pages in a real browser: by keyboard alone, without script, and as they look."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from tests.browser.test_console import PHONE_WIDTH, heard, tab_to
from tests.web.scenes import CURVE
from tests.web.serving import serving, site_at

pytestmark = [pytest.mark.browser, pytest.mark.programs]
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def opened(browser: Browser, url: str, **how: Any) -> tuple[Page, list[str]]:
    """A page in its own context, and whatever its console complains of."""
    context = await browser.new_context(**how)
    context.set_default_timeout(10_000)
    expect.set_options(timeout=10_000)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(url)
    return page, complaints


async def press(page: Page, selector: str) -> None:
    """Go to a thing by Tab and press Enter."""
    await tab_to(page, selector)
    await page.keyboard.press("Enter")


async def typed(page: Page, selector: str, text: str) -> None:
    """Go to a field by Tab, and type over what is in it."""
    await tab_to(page, selector)
    await page.keyboard.press("Control+A")
    await page.keyboard.type(text)


async def test_a_tariff_is_written_and_published_by_keyboard_without_script(
    tmp_path: Path, browser: Browser
) -> None:
    async with site_at(tmp_path) as scene, serving(scene) as url:
        page, complaints = await opened(browser, f"{url}/tariffs")
        await page.route("**/*.js", lambda route: route.abort())
        await heard(page)
        await press(page, "#new")
        await page.wait_for_url(re.compile("/tariffs/new$"))
        await heard(page)
        await typed(page, "#tariff_id", "DC-0.58")
        await typed(page, "#kwh", "lots")
        await press(page, "#keep")
        await expect(page.locator("#kwh-hint")).to_have_text(
            "Write a number like 0.49, with at most six decimals."
        )
        await expect(page.locator("#kwh")).to_have_attribute("aria-invalid", "true")
        await press(page, 'a[href="#kwh"]')
        await typed(page, "#kwh", "0.69")
        await typed(page, "#night", "0.49")
        await press(page, "#keep")
        await page.wait_for_url(re.compile(r"/tariffs/DC-0\.58\?version=2$"))
        await heard(page)
        await expect(page.locator(".says")).to_contain_text(
            "Energy costs 0.49 EUR per kWh from 22:00 to 06:00."
        )
        await typed(page, "#at", "23:00")
        await press(page, "#try")
        await expect(page.locator("#quoted")).to_have_text("20 kWh in 25 minutes at 23:00 costs 9.80 EUR")
        await press(page, "#publish")
        await expect(page.locator(".title")).to_contain_text("in force")
        await page.goto(f"{url}/tariffs")
        await expect(page.locator("table.tariffs")).to_contain_text("version 2")
        assert [line for line in complaints if "ERR_FAILED" not in line and "422" not in line] == []


async def test_tariff_pages_fit_and_can_be_read_aloud(tmp_path: Path, browser: Browser) -> None:
    looks: dict[str, dict[str, Any]] = {
        "light": {"color_scheme": "light"},
        "dark": {"color_scheme": "dark"},
        "phone": {"viewport": {"width": PHONE_WIDTH, "height": 844}, "has_touch": True},
    }
    async with site_at(tmp_path) as scene, serving(scene) as url:
        await scene.opens()
        await scene.visit(1, *CURVE)
        shades = set()
        for name, how in looks.items():
            page, complaints = await opened(browser, f"{url}/tariffs/DC-0.58/simulation?version=1", **how)
            for path in ("/tariffs", "/tariffs/new", "/tariffs/DC-0.58/simulation?version=1&parked=30"):
                await page.goto(url + path)
                await heard(page)
                assert await page.evaluate(WIDE) == 0, f"{name} {path} scrolls sideways"
            shades.add(await page.evaluate("getComputedStyle(document.querySelector('rect.shade-2')).fill"))
            drawings = await page.locator("svg[role=img]").all()
            assert len(drawings) == 2
            for drawing in drawings:
                said = await drawing.get_attribute("aria-labelledby")
                for element in (said or "").split():
                    assert (await page.locator(f"#{element}").inner_text()).strip()
            file = tmp_path / f"{name}.png"
            await page.screenshot(path=file, full_page=True)
            assert file.stat().st_size > 20_000
            assert complaints == []
        assert len(shades) == 2, "dark is not light"
