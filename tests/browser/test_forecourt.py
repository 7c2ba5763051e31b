"""The forecourt in a real browser over all real programs: a visit with each card and tag, and each switch."""

import re
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect
from tests.browser.test_console import heard, tab_to
from tests.journeys.world import World, cabled_world
from tests.pages.codes import read_png

from tapwatt.rails.sandbox import cards
from tapwatt.sim.forecourt.switches import switch

pytestmark = [pytest.mark.browser, pytest.mark.programs, pytest.mark.asyncio(loop_scope="module")]
PATIENCE_MS = 30_000
MOST_BYTES = 100_000
# As in the journeys, and shorter: somebody waits for every one of these.
SHORT = {
    "terminal_timeout_s": 6.0,
    "gateway_timeout_s": 4.5,
    "acquirer_timeout_s": 3.0,
    "scheme_timeout_s": 1.5,
    "start_s": 3.0,
}
PHONE_WIDTH = 390
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
REFUSED = {
    "visa-low": "starts on the tap",
    "mastercard-blocked": "starts on the tap",
    "visa-unknown": "starts on the tap",
    "visa-do-not-honour": "starts on the tap",
    "visa-expired": "starts on the tap",
    "visa-forged": "copied card",
}


class Visitor:
    """Somebody before the page: presses what is there, reads what it says."""

    def __init__(self, page: Page, site: World) -> None:
        self.page, self.site = page, site
        self.complaints: list[str] = []
        page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def does(self, act: str) -> None:
        """Press one of the four buttons."""
        await self.page.click(f"#act-{act}")

    async def holds(self, medium: str) -> None:
        """Take this card or tag in the hand, and tap it."""
        radio = self.page.locator(f"input[value='{medium}']")
        await radio.evaluate("radio => { radio.closest('details').open = true; }")
        await radio.check()
        await self.does("tap")

    async def arrives(self) -> None:
        """Plug in; the offer is on the terminal's screen."""
        await self.does("plug")
        await self.tells("The terminal shows price and hold")

    async def charges(self, medium: str = "visa-good") -> None:
        """Plug in, tap; power flows."""
        await self.arrives()
        await self.holds(medium)
        await self.tells("Power flows")
        await expect(self.page.locator("#bay-1 .energy")).not_to_have_text("0.000 kWh")

    async def flips(self, switch: str) -> None:
        """Press a switch."""
        await self.page.click(f"#flip-{switch}")

    async def tells(self, words: str) -> None:
        """The page says so about the visit."""
        await expect(self.page.locator("#tale-now")).to_contain_text(re.compile(words))

    async def elsewhere(self, words: str) -> None:
        """The page says so about others."""
        await expect(self.page.locator("#tale-elsewhere")).to_contain_text(words)

    async def everybody(self, words: str) -> None:
        """All six parties state the same."""
        amounts = self.page.locator("#money .amount")
        await expect(amounts).to_have_text([re.compile(words)] * 6)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with cabled_world(tmp_path_factory.mktemp("forecourt"), **SHORT) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    where = shutil.which("chromium")
    if where is None:
        pytest.fail("The browser tests need Chromium: apt-get install chromium.")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=where, args=["--no-sandbox"])
        yield started
        await started.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _visitor(_world: World, chromium: Browser) -> AsyncIterator[Visitor]:
    """One for all visits: starting a page anew for each costs more than the visit."""
    expect.set_options(timeout=PATIENCE_MS)
    context = await chromium.new_context()
    context.set_default_timeout(PATIENCE_MS)
    somebody = Visitor(await context.new_page(), _world)
    await somebody.page.goto(url(_world))
    await somebody.page.click("#take-over")
    await expect(somebody.page.locator("#live-state")).to_have_text("Live")
    yield somebody
    await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(_visitor: Visitor) -> AsyncIterator[Visitor]:
    """At the wheel; afterwards nothing is broken and nobody is plugged in."""
    yield _visitor
    page = _visitor.page
    while await (broken := page.locator("#switches button[name=mend]")).count():
        await broken.first.click()
    await _visitor.does("pull")
    await _visitor.site.session("closed", "failed", "")
    assert _visitor.complaints == []


def url(site: World) -> str:
    """The forecourt's address."""
    return f"http://{site.settings.host}:{site.settings.forecourt_port}/"


async def rails_up(site: World) -> list[bool]:
    """Whether gateway, acquirer and scheme each have their line."""
    ports = (
        site.settings.gateway_http_port,
        site.settings.acquirer_http_port,
        site.settings.scheme_http_port,
    )
    answers = [await site.client.get(f"http://{site.settings.host}:{port}/health") for port in ports]
    return [up for answer in answers for up in answer.json()["lines"].values()]


# --- each card and tag


async def test_a_good_card_charges_and_the_same_card_stops(visitor: Visitor) -> None:
    await visitor.charges("visa-good")
    await visitor.everybody(r"^25.00 EUR held$")
    await expect(visitor.page.locator("#terminal .screen")).to_contain_text("Charging")
    await expect(visitor.page.locator("#act-stop")).to_have_class("next")
    await visitor.does("tap")
    await visitor.tells(r"\d EUR were taken for .* went back in the same message")
    await visitor.elsewhere("two bookings")
    await visitor.everybody(r"^\d.\d\d EUR taken, \d\d.\d\d EUR back$")
    session_id = (await visitor.site.newest())["session_id"]
    link = await visitor.page.get_attribute("#to-session", "href")
    assert (
        link == f"http://{visitor.site.settings.host}:{visitor.site.settings.http_port}/sessions/{session_id}"
    )


async def test_the_terminal_shows_the_receipts_address_as_a_code(visitor: Visitor) -> None:
    await visitor.charges("visa-good")
    await visitor.does("stop")
    code = visitor.page.locator("#terminal .qr")
    await expect(code).to_be_visible()
    drawn = await visitor.page.locator("#terminal .screen").screenshot()
    console = f"http://{visitor.site.settings.host}:{visitor.site.settings.http_port}"
    session_id = (await visitor.site.newest())["session_id"]
    page = (await visitor.site.client.get(f"{console}/api/v1/sessions/{session_id}")).json()
    assert read_png(drawn) == [page["receipt_url"]]
    await expect(visitor.page.locator("#terminal .screen")).not_to_contain_text("http")


async def test_the_other_scheme_stopped_at_the_station(visitor: Visitor) -> None:
    await visitor.charges("mastercard-good")
    await visitor.does("stop")
    await visitor.tells("were taken for")


async def test_a_card_approved_for_less(visitor: Visitor) -> None:
    await visitor.charges("mastercard-partial")
    await visitor.everybody(r"^20.00 EUR held$")
    await visitor.does("pull")
    await visitor.tells("were taken for")
    await visitor.elsewhere("approved for less")


async def test_cards_that_are_refused_one_after_another(visitor: Visitor) -> None:
    await visitor.arrives()
    before = ""
    for card, words in REFUSED.items():
        await visitor.holds(card)
        before = (await visitor.site.session("failed", after=before))["session_id"]
        await visitor.tells("The card was not approved: .+. Nothing is held")
        await visitor.elsewhere(words)
        await expect(visitor.page.locator("#money .amount")).to_have_text(["nothing"] * 6)
        await expect(visitor.page.locator("#terminal .screen")).to_contain_text("Not approved")


async def test_a_replayed_card_pays_once(visitor: Visitor) -> None:
    await visitor.charges("mastercard-replayed")
    await visitor.does("stop")
    await visitor.tells("were taken for")
    await visitor.does("pull")
    await visitor.arrives()
    await visitor.holds("mastercard-replayed")
    await visitor.tells("The card was not approved")
    await visitor.elsewhere("one recorded tap")


async def test_tags_at_the_station(visitor: Visitor) -> None:
    await visitor.arrives()
    for unknown in ("tag-unknown", "tag-empty"):
        await visitor.holds(unknown)
        await visitor.tells("The platform said no to this tag")
    await visitor.holds("tag-known")
    await visitor.tells("to be booked to the tag’s account")
    await expect(visitor.page.locator("#bay-1 .energy")).not_to_have_text("0.000 kWh")
    await visitor.does("tap")
    await visitor.tells("were booked to the account behind the tag")
    await expect(visitor.page.locator("#party-issuer .amount")).to_have_text("not asked")


# --- each switch


async def test_each_line_on_the_way_to_the_bank_is_cut(visitor: Visitor) -> None:
    await visitor.arrives()
    before = ""
    # From the far end: each question comes as far as the newest cut.
    lines = ("scheme-issuer", "acquirer-scheme", "gateway-acquirer", "terminal-gateway")
    for number, line in enumerate(lines, 1):
        await visitor.flips(line)
        await expect(visitor.page.locator(f"#flip-{line}")).to_contain_text("Put right")
        await expect(visitor.page.locator("#money .cut")).to_have_count(number)
        await visitor.holds("visa-good")
        before = (await visitor.site.session("failed", after=before))["session_id"]
        known = switch(line)
        assert known is not None
        await visitor.tells(f"{known.past}.*Nothing (is|was ever) held")
    for line in lines:
        await visitor.flips(line)
    await expect(visitor.page.locator("#money .cut")).to_have_count(0)
    await visitor.site.until(lambda: rails_up(visitor.site), all, "every host has its line again")
    await expect(visitor.page.locator("#terminal")).to_contain_text("card network: up")


async def test_the_site_is_off_the_network_at_the_end_of_a_charge(visitor: Visitor) -> None:
    await visitor.charges("mastercard-good")
    for line in ("edge-platform", "terminal-edge"):
        await visitor.flips(line)
    await expect(visitor.page.locator("#terminal")).to_contain_text("Line to the edge: down")
    await visitor.does("stop")
    await visitor.tells("Broken in this visit: Edge – platform, Terminal – edge.*are being taken")
    for line in ("edge-platform", "terminal-edge"):
        await visitor.flips(line)
    await visitor.tells("were taken for")
    await visitor.elsewhere("A kiosk that keeps nothing")
    await visitor.everybody("EUR taken")


async def test_the_station_is_off_the_network_at_the_end_of_a_charge(visitor: Visitor) -> None:
    await visitor.charges("mastercard-good")
    await visitor.flips("station-platform")
    await expect(visitor.page.locator("#scene .cabinet.down")).to_have_count(1)
    await visitor.does("stop")
    await visitor.tells("Broken in this visit: Station – platform. Power flows")
    await visitor.flips("station-platform")
    await visitor.tells("were taken for")


async def test_the_issuer_is_silent(visitor: Visitor) -> None:
    await visitor.flips("silence-issuer")
    await visitor.arrives()
    await visitor.holds("visa-good")
    await visitor.tells("The issuer fell silent. Tapwatt reversed the hold")
    await visitor.elsewhere("would have left 25.00 EUR blocked for days")
    await expect(visitor.page.locator("#party-issuer .amount")).to_have_text("25.00 EUR back")


async def test_the_issuer_falls_silent_in_mid_charge(visitor: Visitor) -> None:
    await visitor.charges("visa-good")
    await visitor.flips("silence-issuer")
    await visitor.does("stop")
    await visitor.tells("The issuer fell silent. .* were taken for")
    await visitor.elsewhere("the driver pays twice")


async def test_the_terminal_is_rebooted_in_mid_charge(visitor: Visitor) -> None:
    await visitor.charges("mastercard-good")
    await visitor.flips("terminal-reboot")
    await visitor.does("stop")
    await visitor.tells("The terminal was rebooted.*were taken for")
    await expect(visitor.page.locator("#terminal")).to_contain_text("card network: up")


@pytest.mark.parametrize("fault", ["never_start", "refuse_start"])
async def test_the_station_does_not_start(visitor: Visitor, fault: str) -> None:
    await visitor.flips(fault)
    await visitor.arrives()
    await visitor.holds("visa-good")
    await visitor.tells("the whole hold of 25.00 EUR was given back")
    await visitor.everybody("^25.00 EUR back$")


async def test_the_station_does_not_stop_until_the_plug_is_pulled(visitor: Visitor) -> None:
    await visitor.charges("visa-good")
    await visitor.flips("never_stop")
    await visitor.does("tap")
    await visitor.tells("The station is asked to stop")
    await visitor.flips("unplug")
    await visitor.tells("did not stop when it was told to. The plug was pulled.*were taken for")


async def test_the_platforms_disk_is_full(visitor: Visitor) -> None:
    await visitor.charges("mastercard-good")
    await visitor.flips("disk-full")
    await visitor.does("stop")
    await expect(visitor.page.locator("#bay-1 .tag")).to_have_text("finishing")
    await visitor.tells("Broken in this visit: Fill the platform’s disk. Power flows")
    await visitor.flips("disk-full")
    await visitor.tells("were taken for")


# --- the page itself


async def test_everything_fits_and_can_be_read_aloud(visitor: Visitor, chromium: Browser) -> None:
    looks: tuple[dict[str, Any], ...] = (
        {"color_scheme": "light"},
        {"color_scheme": "dark"},
        {"viewport": {"width": PHONE_WIDTH, "height": 844}, "has_touch": True},
    )
    grounds = set()
    for how in looks:
        context = await chromium.new_context(**how)
        page = await context.new_page()
        await page.goto(url(visitor.site))
        await heard(page)
        assert await page.evaluate(WIDE) == 0, f"{how} scrolls sideways"
        grounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
        await context.close()
    assert len(grounds) == 2, "dark is not light"


async def test_a_visit_by_keyboard_alone(visitor: Visitor) -> None:
    await tab_to(visitor.page, "#act-plug")
    await visitor.page.keyboard.press("Enter")
    await visitor.tells("The terminal shows price and hold")
    await tab_to(visitor.page, "#act-tap")
    # What moves around it does not take the focus away.
    await expect(visitor.page.locator("#act-tap")).to_be_focused()
    await visitor.page.keyboard.press("Enter")
    await visitor.tells("Power flows")


async def test_a_visit_without_script(visitor: Visitor, chromium: Browser) -> None:
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(url(visitor.site))
    await page.click("#act-plug")
    await visitor.tells("The terminal shows price and hold")
    await page.goto(url(visitor.site))
    await expect(page.locator("#tale-now")).to_contain_text("The terminal shows price and hold")
    await page.click("#act-pull")
    await expect(page.locator("#scene")).to_contain_text("1 is free")
    await context.close()


async def test_a_page_is_light_and_shows_no_card_number(visitor: Visitor) -> None:
    files = ["", "static/tapwatt.css", "static/forecourt.css", "static/live.js", "static/icon.svg"]
    weight = 0
    for name in files:
        answer = await visitor.site.client.get(url(visitor.site) + name)
        assert answer.status_code == 200
        weight += len(answer.content)
        assert not [card.pan for card in cards() if card.pan in answer.text]
    assert weight < MOST_BYTES


async def test_what_makes_no_sense_is_said(visitor: Visitor) -> None:
    client, here = visitor.site.client, url(visitor.site)
    for path, form, words in (
        ("visit", {"do": "fly", "evse": "1"}, "nothing to do"),
        ("visit", {"do": "plug", "evse": "9"}, "no connector"),
        ("switch", {"break": "everything"}, "no switch"),
    ):
        answer = await client.post(here + path, data=form)
        assert (answer.status_code, words in answer.text) == (400, True)
    foreign = await client.post(here + "take-over", headers={"Origin": "http://elsewhere.example"})
    assert foreign.status_code == 403
    assert (await client.get(here + "nowhere")).status_code == 404
