"""The console's pages: what they weigh, when a slow phone paints them, how fast twenty live boards follow,
and what they cost a platform on which nothing happens.

A real `tapwatt serve`; stations are plain JSON on websockets (`bench.ocpp`), boards plain HTTP streams,
neither of them weighed. First paint is Chromium's own first contentful paint, empty cache, network and
processor throttled.
"""

import asyncio
import contextlib
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from bench.figures import Section, percentile, spread
from bench.ocpp import PORTS, Station, dial
from bench.programs import Program, running
from playwright.async_api import Browser, ViewportSize, async_playwright

ABOUT: Final = (
    "`tapwatt serve` with {} stations charging. Weight: bytes over the wire, uncompressed, page alone and"
    " with style, script and icon on a first visit. First paint: Chromium's first contentful paint with "
    "an empty cache at {} ms, {} Mbit/s and a processor {} times slower, median (p10–p90) of {} "
    "interleaved rounds. Boards: {} open live boards read to the end while stations send MeterValues; how"
    " long after its answer the last of them has a station's new status. Processor: the platform's own, "
    "per cent of one core."
)
STATIONS: Final = 20
BOARDS: Final = 20
LATENCY_MS, MEGABITS, SLOWER = 150, 1.6, 4
PHONE: Final = ViewportSize(width=390, height=844)
PAINT_ROUNDS: Final = 4
ROUNDS: Final = 3
PACED_S: Final = 4.0
IDLE_S: Final = 4.0
PACES: Final = {"20 events a second": 1.0, "100 events a second": 0.2, "as fast as answers come": 0.0}
FOLLOWED_WITHIN_S: Final = 10.0
EVERY_STATUS_S: Final = 0.5
STATUSES: Final = ("Faulted", "Available")
NEAR: Final = 400


@dataclass(slots=True)
class Board:
    """A board that somebody keeps open: its newest text, and when it came."""

    seen: asyncio.Event = field(default_factory=asyncio.Event)
    text: str = ""
    fragments: int = 0

    async def follow(self, url: str) -> None:
        """Read the stream until cancelled."""
        async with (
            httpx.AsyncClient(timeout=None, trust_env=False) as client,
            client.stream("GET", f"{url}/live/board") as stream,
        ):
            async for line in stream.aiter_lines():
                if line.startswith('data: {"id": "stations"'):
                    self.text = json.loads(line[6:])["html"]
                    self.fragments += 1
                    self.seen.set()

    async def until(self, wanted: str, after: str = "") -> None:
        """Until the board shows this, soon after that."""
        while after not in self.text or wanted not in self.text[self.text.index(after) :][:NEAR]:
            self.seen.clear()
            await self.seen.wait()


def measure() -> Section:
    """Weights and paints, then boards under load, then idle ones."""
    ports: dict[str, object] = dict.fromkeys(PORTS, 0)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with running("platform", "serve", data=data, **ports) as platform:
            rows = asyncio.run(_all(platform))
    return Section(
        title="pages and live boards",
        about=ABOUT.format(STATIONS, LATENCY_MS, MEGABITS, SLOWER, PAINT_ROUNDS, BOARDS),
        head=(
            "",
            "page KB",
            "first visit KB",
            "first paint ms",
            "events a second",
            "shown after ms",
            "processor %",
        ),
        rows=tuple(rows),
        notes=("A board is sent what changed at most four times a second, however many events there are.",),
    )


async def _all(platform: Program) -> list[tuple[str, ...]]:
    url = f"http://127.0.0.1:{platform.ports['http']}"
    idle = await _idling(platform, url)
    stations = [await dial(platform.ports["ocpp"], f"BENCH{number}") for number in range(STATIONS)]
    for station in stations:
        await station.charge()
    paints = await _painted(url)
    spare = await dial(platform.ports["ocpp"], "SPARE")
    return [*paints, *await _followed(platform, url, stations, spare), *idle]


# --- weight and first paint


async def _painted(url: str) -> list[tuple[str, ...]]:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        session = (await client.get("/api/v1/sessions")).json()["sessions"][0]["session_id"]
        pages = {
            "live board": "/", "sessions": "/sessions", "a session": f"/sessions/{session}",
            "its chart": f"/sessions/{session}/chart", "stations": "/stations", "figures": "/figures",
            "a tariff": "/tariffs/DC-0.58",
        }  # fmt: skip
        weights = {name: len((await client.get(path)).content) for name, path in pages.items()}
    paints: dict[str, list[float]] = {name: [] for name in pages}
    loaded: dict[str, int] = {}
    async with _chromium() as browser:
        for number in range(PAINT_ROUNDS):
            names = list(pages)
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                paint_ms, loaded[name] = await _paint(browser, url + pages[name])
                paints[name].append(paint_ms)
    return [
        (
            name,
            f"{weights[name] / 1000:.1f}",
            f"{loaded[name] / 1000:.1f}",
            spread(paints[name]).text(0),
            "",
            "",
            "",
        )
        for name in pages
    ]


async def _paint(browser: Browser, address: str) -> tuple[float, int]:
    """First contentful paint in milliseconds, and the bytes of everything that the page loads."""
    context = await browser.new_context(viewport=PHONE, device_scale_factor=2, is_mobile=True)
    page = await context.new_page()
    wire = await context.new_cdp_session(page)
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    await wire.send("Network.enable")
    throughput = MEGABITS * 1_000_000 / 8
    await wire.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": throughput,
            "uploadThroughput": throughput / 2,
        },
    )
    await wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    await page.goto(address, wait_until="load")
    found: Any = await page.wait_for_function(
        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    )
    paint_ms = float(await found.json_value())
    await context.close()
    return paint_ms, round(sum(sizes))


@contextlib.asynccontextmanager
async def _chromium() -> AsyncIterator[Browser]:
    where = shutil.which("chromium")
    assert where is not None, "this bench needs Chromium: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=where, args=["--no-sandbox"])
        yield browser
        await browser.close()


# --- live boards


@contextlib.asynccontextmanager
async def _open(url: str, number: int) -> AsyncIterator[list[Board]]:
    """So many open boards, each of which has shown itself once."""
    boards = [Board() for _ in range(number)]
    tasks = [asyncio.create_task(board.follow(url)) for board in boards]
    try:
        await asyncio.gather(*(board.until("<article") for board in boards))
        yield boards
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _followed(
    platform: Program, url: str, stations: list[Station], spare: Station
) -> list[tuple[str, ...]]:
    rates: dict[str, list[float]] = {pace: [] for pace in PACES}
    shares: dict[str, list[float]] = {pace: [] for pace in PACES}
    late_ms: dict[str, list[float]] = {pace: [] for pace in PACES}
    async with _open(url, BOARDS) as boards:
        for _ in range(ROUNDS):
            for pace, every_s in PACES.items():
                began, before_s = time.perf_counter(), platform.cpu_s()
                until = began + PACED_S
                changing = asyncio.create_task(_changes(spare, boards, until))
                counts = await asyncio.gather(*(_meter(station, every_s, until) for station in stations))
                shown = await changing
                passed_s = time.perf_counter() - began
                rates[pace].append((sum(counts) + len(shown)) / passed_s)
                shares[pace].append(100 * (platform.cpu_s() - before_s) / passed_s)
                late_ms[pace] += shown
    return [
        (
            f"{BOARDS} boards, {pace}", "", "", "", spread(rates[pace]).text(0),
            f"{statistics.median(late_ms[pace]):.0f}, p99 {percentile(late_ms[pace], 99):.0f}",
            spread(shares[pace]).text(0),
        )
        for pace in PACES
    ]  # fmt: skip


async def _meter(station: Station, every_s: float, until: float) -> int:
    sent = 0
    while (now := time.perf_counter()) < until:
        await station.meter()
        sent += 1
        await asyncio.sleep(max(0.0, now + every_s - time.perf_counter()))
    return sent


async def _changes(station: Station, boards: list[Board], until: float) -> list[float]:
    """Milliseconds from the answer to a status until the last board shows it, one status after the other."""
    taken: list[float] = []
    while time.perf_counter() < until:
        status = STATUSES[len(taken) % len(STATUSES)]
        await station.status(status)
        answered = time.perf_counter()
        wanted, place = f">{status.lower()}<", f'id="bay-{station.name}-1"'
        async with asyncio.timeout(FOLLOWED_WITHIN_S):
            await asyncio.gather(*(board.until(wanted, place) for board in boards))
        taken.append((time.perf_counter() - answered) * 1000)
        await asyncio.sleep(EVERY_STATUS_S)
    return taken


async def _idling(platform: Program, url: str) -> list[tuple[str, ...]]:
    """The platform's processor time with no and with twenty open boards, nothing happening."""
    shares: dict[int, list[float]] = {0: [], BOARDS: []}
    for _ in range(ROUNDS):
        for number in shares:
            async with _open(url, number):
                await asyncio.sleep(1.0)
                began, before_s = time.perf_counter(), platform.cpu_s()
                await asyncio.sleep(IDLE_S)
                shares[number].append(100 * (platform.cpu_s() - before_s) / (time.perf_counter() - began))
    return [
        (f"{number} boards, nothing happens", "", "", "", "0", "", spread(shares[number]).text(1))
        for number in shares
    ]
