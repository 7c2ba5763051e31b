"""A closed house in a real browser: the first administrator by command, codes, roles, two people, by keyboard
alone."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.async_api import Browser, Page, expect
from tests.web.scenes import Scene
from tests.web.serving import serving, site_at

from tapwatt.platform.one_time import STEP_S, code_at
from tapwatt.platform.tables import METADATA
from tapwatt.store import Database

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOCUSED = "document.activeElement.id"


class Clock(Scene):
    """A site on the wall's clock, as the command that lets people in is."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


def let_in(folder: Path, login_name: str, role: str) -> str:
    """The command an operator types; returns the secret of the app."""
    run = subprocess.run(
        [sys.executable, "-m", "tapwatt", "people", "add", login_name, "--name", login_name.capitalize(),
         "--role", role, "--json"],
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TAPWATT_DATA": str(folder)},
    )  # fmt: skip
    address: str = json.loads(run.stdout)["otpauth"]
    return parse_qs(urlsplit(address).query)["secret"][0]


@asynccontextmanager
async def platform(folder: Path) -> AsyncIterator[tuple[Scene, str]]:
    new = f"sqlite:///{folder}/platform.sqlite"
    await (await Database.open(new, metadata=METADATA, migrations="tapwatt.platform.migrations")).close()
    async with site_at(folder, Clock) as scene, serving(scene) as url:
        yield scene, url


async def page_of(browser: Browser, url: str, **how: object) -> Page:
    context = await browser.new_context(**how)  # type: ignore[arg-type]
    context.set_default_timeout(10_000)
    page = await context.new_page()
    await page.goto(url)
    return page


async def log_in(page: Page, url: str, login_name: str, secret: str) -> None:
    """By keyboard alone: the fields have the focus when they are needed."""
    await page.goto(f"{url}/login")
    assert await page.evaluate(FOCUSED) == "name"
    await page.keyboard.type(login_name)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/login/code**")
    assert await page.evaluate(FOCUSED) == "code"
    await page.keyboard.type(code_at(secret, step=time.time_ns() // 10**9 // STEP_S))
    await page.keyboard.press("Enter")
    await expect(page.locator("#log-out")).to_be_visible()


async def test_a_house_is_closed_and_two_people_change_a_price(tmp_path: Path, browser: Browser) -> None:
    async with platform(tmp_path) as (_, url):
        open_page = await page_of(browser, url)
        await expect(open_page.locator("#log-out")).to_have_count(0)
        roles = {"ada": "administrator", "ben": "operator", "sue": "support"}
        secrets = {
            name: await asyncio.to_thread(let_in, tmp_path, name, role) for name, role in roles.items()
        }
        # the page that was open when the house closed leads to the way in by itself
        await open_page.wait_for_url("**/login**")

        ada, ben, sue = [await page_of(browser, f"{url}/tariffs") for _ in range(3)]
        await expect(ada.get_by_role("heading", name="Log in")).to_be_visible()
        await ada.get_by_label("Login name").fill("ada")
        await ada.get_by_label("Password").fill("not her password")
        await ada.get_by_role("button", name="Continue").click()
        await ada.get_by_label("Six digits").fill("000000")
        await ada.get_by_role("button", name="Log in").click()
        await expect(ada.get_by_role("alert")).to_contain_text("Name, password or code is wrong.")
        for page, name in ((ada, "ada"), (ben, "ben"), (sue, "sue")):
            await log_in(page, url, name, secrets[name])

        await sue.goto(f"{url}/tariffs")
        await expect(sue.get_by_role("link", name="Write a tariff")).to_have_count(0)
        refused = await sue.goto(f"{url}/tariffs/new")
        assert refused is not None
        assert refused.status == 403
        await expect(sue.locator("main")).to_contain_text("needs the permission tariff")

        await ada.goto(f"{url}/tariffs/new")
        await ada.locator("#tariff_id").fill("SUMMER")
        await ada.locator("#kwh").fill("0.69")
        await ada.locator("#keep").press("Enter")
        await ada.wait_for_url("**/tariffs/SUMMER?version=1")
        await ada.locator("#publish").click()
        await ada.wait_for_url("**/approvals#a-*")
        await expect(ada.get_by_role("button", name="Approve")).to_have_count(0)
        await expect(ada.get_by_role("button", name="Take it back")).to_be_visible()

        await ben.goto(f"{url}/approvals")
        await ben.get_by_role("button", name="Approve").focus()
        await ben.keyboard.press("Enter")
        await expect(ben.get_by_text("Nothing waits.")).to_be_visible()
        await ben.goto(f"{url}/tariffs/SUMMER")
        await expect(ben.locator("main")).to_contain_text("published by Ada, approved by Ben")

        await ada.goto(f"{url}/audit")
        await expect(ada.locator(".entries")).to_contain_text("publish approved")
        await ada.locator("#log-out").click()
        await ada.wait_for_url("**/login")
        await ada.goto(f"{url}/audit")
        await expect(ada.get_by_role("heading", name="Log in")).to_be_visible()


async def test_who_logs_out_elsewhere_loses_the_live_page(tmp_path: Path, browser: Browser) -> None:
    async with platform(tmp_path) as (_, url):
        secret = await asyncio.to_thread(let_in, tmp_path, "ada", "administrator")
        page = await page_of(browser, url)
        await log_in(page, url, "ada", secret)
        await expect(page.locator("#live-state")).to_have_attribute("data-state", "on")
        cookies = {each["name"]: each["value"] for each in await page.context.cookies()}
        async with httpx.AsyncClient(base_url=url, cookies=cookies) as web:
            token = await page.locator('input[name="csrf"]').first.get_attribute("value")
            assert (await web.post("/logout", data={"csrf": token})).status_code == 303
        await page.wait_for_url("**/login**")


@pytest.mark.parametrize("language", ["en-GB", "de-DE", "zh-CN"])
@pytest.mark.parametrize(("width", "dark"), [(320, True), (1200, False)])
async def test_the_pages_fit(tmp_path: Path, browser: Browser, width: int, dark: bool, language: str) -> None:
    async with platform(tmp_path) as (_, url):
        secret = await asyncio.to_thread(let_in, tmp_path, "ada", "administrator")
        await asyncio.to_thread(let_in, tmp_path, "ben", "operator")
        page = await page_of(
            browser,
            f"{url}/login",
            viewport={"width": width, "height": 800},
            color_scheme="dark" if dark else "light",
            locale=language,
        )
        shots = os.environ.get("SHOTS")
        for path in ("/login", "/login/code"):
            await page.goto(url + path)
            assert await page.evaluate(WIDE) == 0, path
            if shots:
                await page.screenshot(path=f"{shots}/{language}-{width}-{dark}{path.replace('/', '_')}.png")
        await log_in(page, url, "ada", secret)
        for path in ("/me", "/people", "/approvals", "/audit", "/"):
            await page.goto(url + path)
            assert await page.evaluate(WIDE) == 0, path
            assert await page.get_by_role("heading", level=1).count() == 1
            if shots:
                await page.screenshot(
                    path=f"{shots}/{language}-{width}-{dark}{path.replace('/', '_')}.png", full_page=True
                )
