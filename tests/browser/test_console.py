"""The console in a real browser: the real platform program, a station and an edge on their wires."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import websockets
from ocpp.v16 import call
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus
from playwright.async_api import Browser, Page, expect
from tests.against.test_ocpp_client import Edge, Station
from tests.programs.running import Running, running
from tests.web.serving import serving, site_at

from tapwatt.uplink.messages import (
    CardKind,
    CardPresented,
    TerminalReported,
    TerminalState,
)

pytestmark = [pytest.mark.browser, pytest.mark.programs]
BEGUN = datetime.now(UTC) - timedelta(minutes=10)
PHONE_WIDTH, STOP_S = 390, 5


@dataclass
class Forecourt:
    """A connected station and edge, and the address of the console."""

    program: Running
    station: Station
    edge: Edge
    transaction_id: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.program.listeners['http']}"

    async def status(self, status: ChargePointStatus, connector_id: int = 1) -> None:
        """The station reports a connector."""
        message = call.StatusNotification(
            connector_id=connector_id, error_code=ChargePointErrorCode.no_error, status=status
        )
        await self.station.call(message)

    async def begin(self) -> None:
        """Plug in, tap, start."""
        await self.status(ChargePointStatus.preparing)
        card = CardPresented(
            key="c1",
            terminal_id="T1",
            at_ms=0,
            kind=CardKind.BANK,
            token="t1",
            brand="visa",
            last_four="1111",
        )
        assert (await self.edge.client.call(card)).accepted
        id_tag = await asyncio.wait_for(self.station.starts.get(), 10)
        started = await self.station.call(
            call.StartTransaction(
                connector_id=1, id_tag=id_tag, meter_start=5000, timestamp=BEGUN.isoformat()
            )
        )
        self.transaction_id = started.transaction_id
        await self.status(ChargePointStatus.charging)

    async def meter(self, register_wh: int, after_s: int) -> None:
        """The station reports its register."""
        sample = {"value": str(register_wh), "unit": "Wh", "measurand": "Energy.Active.Import.Register"}
        value = {"timestamp": (BEGUN + timedelta(seconds=after_s)).isoformat(), "sampledValue": [sample]}
        await self.station.call(
            call.MeterValues(connector_id=1, transaction_id=self.transaction_id, meter_value=[value])
        )

    async def stop(self, register_wh: int, after_s: int) -> None:
        """The station ends the transaction."""
        await self.station.call(
            call.StopTransaction(
                transaction_id=self.transaction_id,
                meter_stop=register_wh,
                timestamp=(BEGUN + timedelta(seconds=after_s)).isoformat(),
            )
        )


@pytest.fixture
async def forecourt(tmp_path: Path) -> AsyncIterator[Forecourt]:
    async with AsyncExitStack() as stack:
        program = await stack.enter_async_context(running("serve", data=tmp_path))
        edge = Edge(f"ws://{program.listeners['edge']}")
        await edge.client.start()
        stack.push_async_callback(edge.client.stop)
        await edge.client.wait_connected()
        ready = TerminalReported(terminal_id="T1", state=TerminalState.READY, at_ms=0)
        assert (await edge.client.call(ready)).accepted
        socket = await stack.enter_async_context(
            websockets.connect(
                f"ws://{program.listeners['ocpp']}/ocpp/CS1",
                subprotocols=[websockets.Subprotocol("ocpp1.6")],
            )
        )
        station = Station("CS1", socket)
        listening = asyncio.create_task(station.start())
        stack.callback(listening.cancel)
        await station.call(call.BootNotification(charge_point_model="DC400", charge_point_vendor="Other"))
        yield Forecourt(program, station, edge)


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
    await expect(page.get_by_role("status")).to_have_text("Live")
    return page, complaints


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until this has the focus; fails when it cannot be reached."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        if await page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    pytest.fail(f"{selector} cannot be reached by keyboard")


async def test_a_charge_is_followed_and_stopped_by_keyboard_alone(
    forecourt: Forecourt, browser: Browser
) -> None:
    await forecourt.begin()
    page, complaints = await opened(browser, forecourt.url)
    await page.evaluate("window.notReloaded = true")
    bay = page.locator("#bay-CS1-1")
    await expect(bay).to_contain_text("charging")
    box = await bay.bounding_box()

    await forecourt.meter(10_000, 60)
    await expect(bay.locator(".big")).to_have_text("2.92 EUR")
    await expect(bay.locator(".power")).to_have_text("300.0 kW")
    link = await page.evaluate_handle("document.querySelector('#bay-CS1-1 a')")
    await tab_to(page, "#bay-CS1-1 a")
    await forecourt.meter(15_000, 120)
    await expect(bay.locator(".big")).to_have_text("5.83 EUR")
    # What moved is the numbers: the link still has the focus, the bay its place, the page its memory.
    assert await page.evaluate("link => document.activeElement === link", link)
    assert await bay.bounding_box() == box
    assert await page.evaluate("window.notReloaded")

    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile(r"/sessions/S\w+$"))
    await expect(page.locator("#timeline")).to_contain_text("2 meter readings")
    await tab_to(page, "#order-ask")
    await page.keyboard.press("Enter")
    await forecourt.meter(16_000, 132)
    await expect(page.locator("#head")).to_contain_text("6.41 EUR")
    await tab_to(page, "#stop")
    await page.keyboard.press("Enter")
    assert await asyncio.wait_for(forecourt.station.stops.get(), 10) == forecourt.transaction_id
    await forecourt.stop(16_400, 140)
    await expect(page.locator("#head")).to_contain_text("closed")
    await expect(page.locator("#money")).to_contain_text(re.compile(r"Terminal said\s*25.00 EUR\s*6.65 EUR"))
    await expect(page.locator("#receipt")).to_contain_text("Paid6.65 EUR")
    assert complaints == []

    begun_s = asyncio.get_running_loop().time()
    forecourt.program.process.terminate()
    await forecourt.program.process.wait()
    assert asyncio.get_running_loop().time() - begun_s < STOP_S, "an open page must not hold up a stop"
    await expect(page.get_by_role("status")).to_have_text("Connection lost, trying again")


async def test_what_is_lost_is_said_and_found_again(tmp_path: Path, browser: Browser) -> None:
    async with site_at(tmp_path) as scene:
        async with serving(scene) as url:
            page, _ = await opened(browser, url)
            sign = page.get_by_role("status")
            # A terminal's report is no step of a session, so nothing announces it; it is seen all the same.
            await scene.terminal("faulted", text="no paper")
            await expect(page.locator("#terminal-T1")).to_contain_text("EDGE1: no paper")
            await hide(page, True)
            await expect(sign).to_have_text("Paused")
            await hide(page, False)
            await expect(sign).to_have_text("Live")
        await expect(sign).to_have_text("Connection lost, trying again")
        await scene.terminal("ready")
        async with serving(scene, port=int(url.rsplit(":", 1)[1])):
            await expect(sign).to_have_text("Live")
            await expect(page.locator("#terminal-T1")).to_contain_text("ready")


async def test_a_doubtful_session_is_decided_by_keyboard_alone(tmp_path: Path, browser: Browser) -> None:
    async with site_at(tmp_path) as scene, serving(scene) as url:
        await scene.opens()
        session_id = await scene.review(2)
        page, complaints = await opened(browser, url, viewport={"width": PHONE_WIDTH, "height": 844})
        await tab_to(page, "#figure-review")
        await page.keyboard.press("Enter")
        await page.wait_for_url(re.compile("/review$"))
        await expect(page.get_by_role("status")).to_have_text("Live")
        await heard(page)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(wide) == 0, "the queue scrolls sideways on a phone"
        await tab_to(page, f"#why-{session_id}")
        await page.keyboard.type("the display shows less")
        # Another step draws the queue anew; what is being typed stays.
        await scene.status("preparing", 1)
        await tab_to(page, f"#amount-{session_id}")
        await page.keyboard.type("1.23")
        await expect(page.locator(f"#why-{session_id}")).to_have_value("the display shows less")
        await tab_to(page, f"#take-{session_id}")
        await page.keyboard.press("Enter")
        await page.wait_for_url(re.compile(f"/sessions/{session_id}$"))
        await expect(page.locator("#head")).to_contain_text("Decided by operator: the display shows less")
        await expect(page.locator("#timeline")).to_contain_text("1.23 EUR")
        assert complaints == []


async def hide(page: Page, hidden: bool) -> None:
    """Tell the page that its tab is in the background, or back."""
    await page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


async def test_light_dark_and_phone_fit_and_can_be_read_aloud(
    forecourt: Forecourt, browser: Browser, tmp_path: Path
) -> None:
    await forecourt.begin()
    await forecourt.meter(10_000, 60)
    looks: dict[str, dict[str, Any]] = {
        "light": {"color_scheme": "light"},
        "dark": {"color_scheme": "dark"},
        "phone": {"viewport": {"width": PHONE_WIDTH, "height": 844}, "has_touch": True},
    }
    grounds = set()
    for name, how in looks.items():
        page, complaints = await opened(browser, forecourt.url, **how)
        await heard(page)
        await page.click("#bay-CS1-1 a")
        await page.wait_for_url(re.compile("/sessions/"))
        await expect(page.get_by_role("status")).to_have_text("Live")
        await page.click("#order-ask")
        await heard(page)
        for path in ("/", page.url.removeprefix(forecourt.url)):
            await page.goto(forecourt.url + path)
            file = tmp_path / f"{name}.png"
            await page.screenshot(path=file, full_page=True)
            assert file.stat().st_size > 20_000
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wide) == 0, f"{name} {path} scrolls sideways"
        grounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert complaints == []
    assert len(grounds) == 2, "dark is not light"


async def heard(page: Page) -> None:
    """What a screen reader needs: landmarks, one first heading, headings in order, a name on everything."""
    tree = await page.locator("body").aria_snapshot()
    for landmark in ("banner", "navigation", "main"):
        assert len(re.findall(rf"^\s*- {landmark}\b", tree, re.MULTILINE)) == 1, tree
    assert tree.count("[level=1]") == 1
    levels = [int(level) for level in re.findall(r"heading .*\[level=(\d)\]", tree)]
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels)), levels
    nameless = re.findall(
        r"- (?:link|button|img|region|table|article|progressbar)(?::|$)", tree, re.MULTILINE
    )
    assert nameless == [], tree
    text = re.findall(r'- link "([^"]+)"', tree)
    assert len(text) >= 3
    small = await page.evaluate(
        "[...document.querySelectorAll('button, summary, nav a')]"
        ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 24).map(e => e.textContent)"
    )
    assert small == []
