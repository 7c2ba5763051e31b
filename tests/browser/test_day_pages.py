"""A day's work in a real browser: by keyboard, without script, on a phone, in another language."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from tests.web.scenes import CURVE, Scene
from tests.web.serving import serving, site_at

pytestmark = pytest.mark.browser
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PDF_PATH = re.compile(r"^/d/receipts/[\w-]+\.pdf$")
LISTS = ("/sessions", "/holds", "/alarms", "/stations", "/stations/CS1", "/terminals", "/figures")
NAMED = "a, button, input:not([type=hidden]), select, textarea, summary"
NAMELESS = f"""[...document.querySelectorAll("{NAMED}")]
  .filter(e => !(e.textContent.trim() || e.ariaLabel || (e.labels && e.labels.length)))
  .map(e => e.outerHTML)"""


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


async def busy(scene: Scene) -> str:
    """A paid charge, a refused card, one in doubt; the one in doubt."""
    await scene.opens()
    await scene.visit(1, *CURVE, last_four="0004")
    await scene.declined(1)
    return await scene.review(2)


@pytest.mark.parametrize("language", ["en-GB", "de-DE", "zh-CN"])
@pytest.mark.parametrize(("width", "dark"), [(320, True), (390, False), (1200, False)])
async def test_every_list_fits_and_has_names(
    tmp_path: Path, browser: Browser, width: int, dark: bool, language: str
) -> None:
    async with site_at(tmp_path) as scene:
        session_id = await busy(scene)
        async with serving(scene) as url:
            how: Any = {
                "viewport": {"width": width, "height": 800},
                "color_scheme": "dark" if dark else "light",
                "locale": language,
            }
            page, complaints = await opened(browser, url + LISTS[0], **how)
            for path in (*LISTS, f"/sessions/{session_id}"):
                await page.goto(url + path)
                assert await page.evaluate(WIDE) == 0, path
                assert await page.evaluate(NAMELESS) == [], path
                assert await page.get_by_role("heading", level=1).count() == 1
            assert complaints == []


async def test_a_driver_who_rings_is_found_and_noted_without_script(tmp_path: Path, browser: Browser) -> None:
    async with site_at(tmp_path) as scene:
        await busy(scene)
        async with serving(scene) as url:
            page, _ = await opened(browser, url, java_script_enabled=False)
            await page.get_by_role("link", name="Sessions", exact=True).click()
            await page.get_by_label("Last four digits").fill("0004")
            await page.get_by_label("Amount, taken or held").fill("15.38")
            await page.keyboard.press("Enter")
            rows = page.locator(".sessions tbody tr")
            await expect(rows).to_have_count(1)
            await rows.first.get_by_role("link").click()
            note = page.get_by_label("What others should know; it cannot be changed afterwards")
            await note.fill("Driver rang, receipt sent again")
            await page.get_by_role("button", name="Add the note").click()
            await expect(page.locator("#notes")).to_contain_text("Driver rang, receipt sent again")
            await expect(page.get_by_role("link", name="PDF")).to_have_attribute("href", PDF_PATH)


async def test_a_hold_in_doubt_is_given_back_by_keyboard_alone(tmp_path: Path, browser: Browser) -> None:
    async with site_at(tmp_path) as scene:
        session_id = await busy(scene)
        async with serving(scene) as url:
            page, _ = await opened(browser, f"{url}/holds")
            for step in (f"#hold-{session_id}", "#release-ask", "#release-why"):
                for _ in range(60):
                    await page.keyboard.press("Tab")
                    if await page.evaluate(f"document.activeElement.matches('{step}')"):
                        break
                else:
                    pytest.fail(f"the keyboard does not reach {step}")
                if step.startswith("#hold"):
                    async with page.expect_navigation():
                        await page.keyboard.press("Enter")
                elif step != "#release-why":
                    await page.keyboard.press("Enter")
            await page.keyboard.type("the meter is broken")
            await page.keyboard.press("Enter")
            await expect(page.locator("#head")).to_contain_text("closing")


async def test_the_language_is_switched_on_the_page_and_stays(tmp_path: Path, browser: Browser) -> None:
    async with site_at(tmp_path) as scene:
        await busy(scene)
        async with serving(scene) as url:
            page, complaints = await opened(browser, f"{url}/figures?day=2027-01-15")
            await page.get_by_role("button", name="Deutsch").click()
            await expect(page.get_by_role("heading", level=1)).to_have_text("Kennzahlen vom 15. Jan. 2027")
            assert page.url.endswith("/figures?day=2027-01-15")
            await page.goto(url)
            await expect(page.get_by_role("status")).to_have_text("Live")
            await expect(page.locator("#latest")).to_contain_text("15,38 EUR")
            assert complaints == []


async def test_two_languages_look_at_one_board(tmp_path: Path, browser: Browser) -> None:
    async with site_at(tmp_path) as scene:
        await scene.opens()
        async with serving(scene) as url:
            german, _ = await opened(browser, url, locale="de-DE")
            english, _ = await opened(browser, url, locale="en-GB")
            for page, word in ((german, "lädt"), (english, "charging")):
                await expect(page.get_by_role("status")).to_have_text("Live")
                await expect(page.locator("#stations")).not_to_contain_text(word)
            await scene.charging(1, *CURVE[:3])
            await expect(german.locator("#stations")).to_contain_text("lädt")
            await expect(english.locator("#stations")).to_contain_text("charging")
            await expect(english.locator("#stations")).not_to_contain_text("lädt")
