"""A driver opens the receipt's link: on a phone, in the dark, on paper, without script."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from tests.pages.codes import read_png
from tests.web.scenes import CURVE, Scene
from tests.web.serving import serving, site_at

pytestmark = pytest.mark.browser
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
GROUND = "getComputedStyle(document.body).backgroundColor"


async def opened(browser: Browser, url: str, **how: Any) -> tuple[Page, list[str]]:
    """A page in its own context, and whatever its console complains of."""
    context = await browser.new_context(**how)
    context.set_default_timeout(10_000)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(url)
    return page, complaints


def url_on_paper(path: str) -> str:
    """The address that the platform gives itself in tests, wherever it is served."""
    return f"http://127.0.0.1:8080{path}"


async def receipt_path(scene: Scene) -> str:
    """A paid charge; the path of its receipt."""
    await scene.opens()
    page = await scene.page(await scene.visit(1, *CURVE))
    assert page is not None
    return f"/d/receipts/{page['receipt']['token']}"


@pytest.mark.parametrize("width", [320, 390, 1200])
async def test_it_fits_and_is_dark_where_the_phone_is(tmp_path: Path, browser: Browser, width: int) -> None:
    async with site_at(tmp_path) as scene:
        path = await receipt_path(scene)
        async with serving(scene) as url:
            grounds = set()
            for scheme in ("light", "dark"):
                how: dict[str, Any] = {
                    "viewport": {"width": width, "height": 844},
                    "color_scheme": scheme,
                }
                page, complaints = await opened(browser, url + path, **how)
                await expect(page.get_by_role("heading", level=1)).to_have_text("15.38 EUR")
                await expect(page.locator("dl").first).to_contain_text("R-2027-000001")
                assert await page.evaluate(WIDE) == 0, f"{width} {scheme} scrolls sideways"
                file = tmp_path / f"{width}-{scheme}.png"
                await page.screenshot(path=file, full_page=True)
                assert read_png(await page.locator(".slip").screenshot()) == [url_on_paper(path)]
                grounds.add(await page.evaluate(GROUND))
                assert complaints == []
            assert len(grounds) == 2, "dark is not light"


async def test_it_prints_black_on_white_and_needs_no_script(tmp_path: Path, browser: Browser) -> None:
    async with site_at(tmp_path) as scene:
        path = await receipt_path(scene)
        async with serving(scene) as url:
            page, _ = await opened(browser, url + path, color_scheme="dark")
            link = page.get_by_role("link", name="As plain text")
            await expect(link).to_be_visible()
            await page.emulate_media(media="print", color_scheme="light")
            assert await page.evaluate(GROUND) == "rgb(255, 255, 255)"
            await expect(link).to_be_hidden()
            bare, complaints = await opened(browser, url + path, java_script_enabled=False)
            await expect(bare.get_by_text("Charged")).to_be_visible()
            assert complaints == []
            await bare.get_by_role("link", name="As plain text").click()
            await expect(bare.locator("body")).to_contain_text("-- Payment ---")
