"""Makes docs/screens/*.png: the console in the states an operator meets, light, dark and on a phone; part of
`make docs`.

The site is the tests' own (tests/web/scenes.py) on a clock that stands still, so the same code makes the same
pictures. Needs Debian's chromium.
"""

import asyncio
import io
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, StorageState, ViewportSize, async_playwright

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

from tests.sim.forecourt.pictures import MOMENTS  # noqa: E402
from tests.sim.forecourt.serving import forecourt_at  # noqa: E402
from tests.web.busy import busy_day, drafted  # noqa: E402
from tests.web.charts import Wires  # noqa: E402
from tests.web.house import PASSWORD, STEP_S, code_for, staffed  # noqa: E402
from tests.web.scenes import Scene  # noqa: E402
from tests.web.serving import serving, site_at  # noqa: E402

SCREENS = TOP / "docs" / "screens"
MOST_BYTES = 150_000
WIDE, PHONE = ViewportSize(width=1200, height=840), ViewportSize(width=390, height=1500)
TALL = ViewportSize(width=1200, height=1180)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture: its name, the page, how it is looked at."""

    name: str
    path: str
    dark: bool = False
    phone: bool = False
    driver: bool = False
    """A driver's page: it does not move, and is shown whole."""
    tall: bool = False
    language: str = "en-GB"


async def shoot(browser: Browser, url: str, shot: Shot, logged_in: StorageState | None = None) -> None:
    """Take one picture."""
    context = await browser.new_context(
        viewport=PHONE if shot.phone else TALL if shot.tall else WIDE,
        color_scheme="dark" if shot.dark else "light",
        reduced_motion="reduce",
        locale=shot.language,
        storage_state=logged_in,
    )
    page = await context.new_page()
    await page.goto(url + shot.path)
    if await page.locator("body[data-live]").count():
        await page.get_by_text("Live", exact=True).wait_for()
    file = SCREENS / f"{shot.name}.png"
    taken = await page.screenshot(full_page=shot.driver)
    await context.close()
    # Flat colours: a palette of 256 halves the file, and nobody sees it.
    Image.open(io.BytesIO(taken)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        file, optimize=True
    )
    if file.stat().st_size > MOST_BYTES:
        raise ValueError(f"{file.name} has {file.stat().st_size} bytes, {MOST_BYTES} are allowed")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    where = shutil.which("chromium")
    if where is None:
        raise SystemExit("The screens need Chromium: apt-get install chromium.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=where, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def drawn(wires: Wires, session_id: str) -> list[Shot]:
    """The chart of a session whose wires are told of, and one message opened."""
    await wires.tell(session_id)
    path = f"/sessions/{session_id}/chart"
    arrows = (await wires.web.get(f"/api/v1{path}")).json()["arrows"]
    names = {(arrow["from"], arrow["name"][:5].strip()): arrow["number"] for arrow in arrows}
    asked, held = names["gateway", "0100"], names["edge", "06 22"]
    return [
        Shot(name="chart", path=f"{path}#a{held}"),
        Shot(name="chart-message", path=f"{path}#m{asked}"),
        Shot(name="chart-dark", path=f"{path}#a{held}", dark=True),
        Shot(name="chart-phone", path=path, phone=True),
    ]


async def forecourt(browser: Browser) -> None:
    """The forecourt at moments that a visitor meets."""
    for name, moment in MOMENTS.items():
        async with forecourt_at(moment) as url:
            phone, dark = "phone" in name, "dark" in name
            await shoot(browser, url, Shot(name=name, path="/", phone=phone, dark=dark, tall=True))


async def log_in(browser: Browser, url: str, scene: Scene, name: str) -> StorageState:
    """Somebody's login, for pictures of what only people see."""
    scene.after(STEP_S)
    page = await browser.new_page()
    await page.goto(f"{url}/login")
    await page.get_by_label("Login name").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_label("Six digits").fill(code_for(scene, name))
    await page.get_by_role("button", name="Log in").click()
    await page.locator("#log-out").wait_for()
    if name == "ada":
        await page.goto(f"{url}/tariffs/new")
        await page.locator("#tariff_id").fill("SUMMER")
        await page.locator("#kwh").fill("0.69")
        await page.locator("#keep").press("Enter")
        await page.locator("#publish").click()
        await page.wait_for_url("**/approvals#a-*")
    kept = await page.context.storage_state()
    await page.context.close()
    return kept


async def closed(browser: Browser, url: str, scene: Scene) -> None:
    """The house from its first administrator on: the way in, two people for a price, and the record."""
    await staffed(scene, oscar="operator", susan="support", aude="auditor")
    await shoot(browser, url, Shot(name="login-phone", path="/login", phone=True))
    ada, oscar = [await log_in(browser, url, scene, name) for name in ("ada", "oscar")]
    for shot in (
        Shot(name="approvals", path="/approvals"),
        Shot(name="approvals-phone-dark", path="/approvals", phone=True, dark=True),
    ):
        await shoot(browser, url, shot, oscar)
    for shot in (
        Shot(name="people", path="/people"),
        Shot(name="audit", path="/audit"),
        Shot(name="audit-dark", path="/audit", dark=True),
    ):
        await shoot(browser, url, shot, ada)


async def main() -> None:
    """Make all pictures."""
    SCREENS.mkdir(exist_ok=True)
    async with chromium() as browser:
        await forecourt(browser)
        with tempfile.TemporaryDirectory() as folder:
            async with site_at(Path(folder)) as scene, serving(scene) as url:
                await shoot(browser, url, Shot(name="board-empty", path="/"))
        with tempfile.TemporaryDirectory() as folder:
            async with site_at(Path(folder)) as scene:
                names = await busy_day(scene)
                shots = [
                    Shot(name="board", path="/"),
                    Shot(name="board-dark", path="/", dark=True),
                    Shot(name="board-phone", path="/", phone=True),
                    Shot(name="session-running", path=f"/sessions/{names['running']}"),
                    Shot(name="session-closed", path=f"/sessions/{names['closed']}"),
                    Shot(name="session-closed-dark", path=f"/sessions/{names['closed']}", dark=True),
                    Shot(name="session-review-phone", path=f"/sessions/{names['review']}", phone=True),
                    Shot(name="sessions", path="/sessions"),
                    Shot(name="sessions-phone-dark", path="/sessions", phone=True, dark=True),
                    Shot(name="holds", path="/holds"),
                    Shot(name="alarms", path="/alarms"),
                    Shot(name="stations", path="/stations"),
                    Shot(name="station", path="/stations/CS1"),
                    Shot(name="terminals", path="/terminals"),
                    Shot(name="figures", path="/figures"),
                    Shot(name="figures-dark", path="/figures", dark=True),
                    Shot(name="figures-phone", path="/figures", phone=True),
                    Shot(name="sessions-german", path="/sessions", language="de-DE"),
                    Shot(name="session-german", path=f"/sessions/{names['review']}", language="de-DE"),
                    Shot(name="receipt-phone", path=names["receipt"], phone=True, driver=True),
                    Shot(
                        name="receipt-phone-dark", path=names["receipt"], phone=True, dark=True, driver=True
                    ),
                    Shot(
                        name="receipt-phone-german",
                        path=f"{names['receipt']}?language=de",
                        phone=True,
                        driver=True,
                    ),
                ]
                tried = "/tariffs/DC-0.58/simulation?version=2&at=18:00&parked=40"
                shots += [
                    Shot(name="tariffs", path="/tariffs"),
                    Shot(name="tariff-new", path="/tariffs/new"),
                    Shot(name="tariff", path=tried),
                    Shot(name="tariff-dark", path=tried, dark=True),
                    Shot(name="tariff-phone", path=tried, phone=True),
                    Shot(name="tariff-german", path=tried, language="de-DE"),
                ]
                async with Wires(scene) as wires, serving(scene, hosts=wires.hosts) as url:
                    await drafted(url)
                    shots += await drawn(wires, names["closed"])
                    for shot in shots:
                        await shoot(browser, url, shot)
                    await closed(browser, url, scene)


if __name__ == "__main__":
    asyncio.run(main())
