"""The pages over a real database: what they show, that they are harmless and small, and their streams."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from sqlalchemy import text, update
from tests.web.scenes import CURVE, Scene
from tests.web.serving import serving

from tapwatt.core.events import StopAsked
from tapwatt.pages.layout import HEADERS
from tapwatt.platform.tables import STATION
from tapwatt.web.console import BOARD, STORY

PAGE_BYTES_MAX = 100_000
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "'-->")


class Elements(HTMLParser):
    """A page's elements, ids and links; fails on an id that is used twice."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.feed(page)
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value for name, value in attributes if name == "id" and value]


async def test_the_board_shows_stations_terminals_sessions_and_what_waits(
    scene: Scene, web: httpx.AsyncClient
) -> None:
    await scene.opens()
    review = await scene.review(2)
    running, _, _ = await scene.charging(1, *CURVE[:9])
    page = await web.get("/")
    elements = Elements(page.text)
    assert elements.tags.count("h1") == 1
    assert set(BOARD) <= set(elements.ids)
    for words in ("Forecourt, bay 1 and 2", "Ohmworks DC400", "264.0 kW", "11.94 EUR", "20.473 kWh",
                 "of 60.00 EUR", "Visa …1111", "Demo Charging · times in Europe/Berlin", "Connector 1",
                 "the stop could not be proved"):  # fmt: skip
        assert words in page.text
    assert f'href="/sessions/{running}"' in page.text
    assert f'href="/sessions/{review}"' in page.text


async def test_an_empty_site_says_what_will_appear_here(web: httpx.AsyncClient) -> None:
    page = (await web.get("/")).text
    for words in (
        "not connected",
        "never heard",
        "not known",
        "No session yet.",
        "Nothing waits.",
        "balanced",
    ):
        assert words in page


async def test_a_session_page_tells_the_whole_story(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    session_id = await scene.visit(1, *CURVE)
    page = (await web.get(f"/sessions/{session_id}")).text
    elements = Elements(page)
    assert elements.tags.count("h1") == 1
    assert set(STORY) <= set(elements.ids)
    for words in ("Session offered", "Hold approved", "12 meter readings", "Amount captured",
                 "acquirer receivable", "15.38 EUR", "44.62 EUR", "Terminal said", "1204.330 → 1230.710 kWh",
                 "2.45 EUR", "831274", "Rounding: total, half up", "VAT 19 %"):  # fmt: skip
        assert words in page
    assert "Stop this session" not in page
    assert "differs" not in page


async def test_a_session_in_review_says_why(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    session_id = await scene.review(1)
    page = (await web.get(f"/sessions/{session_id}")).text
    assert "The meter readings are in doubt.</strong> The stop could not be proved" in page


async def test_an_unknown_session_or_page_is_a_page_that_says_so(web: httpx.AsyncClient) -> None:
    for path, reason in (("/sessions/nobody", "There is no session nobody."), ("/x", "There is no /x.")):
        answer = await web.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert reason in answer.text
        assert 'href="/"' in answer.text


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_hostile_names_are_harmless(scene: Scene, web: httpx.AsyncClient, hostile: str) -> None:
    await scene.opens(vendor=hostile[:20], model=hostile[:20])
    rename = update(STATION).values(name=hostile)
    await scene.database.write(lambda tx: tx.run(rename))
    await scene.terminal("faulted", text=hostile)
    session_id = await scene.declined(1)
    await scene.screen("T1", (hostile,))
    running = await scene.pays(1, brand=hostile, last_four="1111")
    safe = Elements((await web.get("/health")).text)
    for path in ("/", f"/sessions/{session_id}", f"/sessions/{running}", f"/sessions/{hostile}"):
        page = (await web.get(path)).text
        elements = Elements(page)
        assert elements.tags.count("script") == 1, "the one of the layout"
        assert elements.tags.count("img") == 1, "the one of the layout"
        assert "alert(1)>" not in page
    assert safe.tags == []


async def test_a_station_whose_kept_words_are_no_json_still_has_a_page(
    scene: Scene, web: httpx.AsyncClient
) -> None:
    await scene.opens()
    session_id, _, _ = await scene.charging(1, 100)
    garble = "UPDATE station_message SET body = '{\"cut off' || '</code><script>'"
    await scene.database.write(lambda tx: tx.run(text(garble)))
    page = await web.get(f"/sessions/{session_id}")
    assert page.status_code == 200
    assert "cut off&lt;/code&gt;" in page.text


async def test_pages_stay_small_on_a_big_site_and_after_a_long_charge(
    scene: Scene, web: httpx.AsyncClient
) -> None:
    await scene.opens()
    session_id, transaction_id, register_wh = await scene.charging(1, 11)
    for _ in range(30):
        register_wh = await scene.meters(1, transaction_id, register_wh, *([1] * 10))
        await scene.status("suspended_ev", 1)
    for number in range(80):
        name = f"STATION-{number:03}"
        assert await scene.stations.admit(name) is None
        for evse_id in (1, 2):
            await scene.status("available", evse_id, name)
    board = await web.get("/")
    story = await web.get(f"/sessions/{session_id}")
    assert "more are not shown here" in board.text
    for page in (board, story):
        assert len(page.content) < PAGE_BYTES_MAX
    found = (await web.get(f"/api/v1/sessions/{session_id}")).json()
    assert found["events_total"] > 300 > len(found["events"])
    assert found["events"][0]["kind"] == "Offered"


async def test_a_session_that_was_asked_too_often_is_still_read_within_bounds(
    scene: Scene, web: httpx.AsyncClient
) -> None:
    await scene.opens()
    session_id = await scene.visit(1, 100)
    asked = StopAsked(at_ms=scene.at_ms, by="operator")
    await scene.engine.transact(lambda tx, stepper: [stepper.step(session_id, asked) for _ in range(400)])
    found = (await web.get(f"/api/v1/sessions/{session_id}")).json()
    assert (len(found["events"]), found["events_total"]) == (300 + 1, 400 + 8)
    page = await web.get(f"/sessions/{session_id}")
    assert "steps are left out here" in page.text
    assert len(page.content) < PAGE_BYTES_MAX


async def test_the_stop_button_asks_the_station_and_goes_back_to_the_page(
    scene: Scene, web: httpx.AsyncClient
) -> None:
    await scene.opens()
    session_id, transaction_id, _ = await scene.charging(1, 100)
    assert "Stop now" in (await web.get(f"/sessions/{session_id}")).text
    own = {"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-origin"}
    answer = await web.post(f"/sessions/{session_id}/stop", headers=own)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sessions/{session_id}")
    await scene.settle()
    assert scene.wires.stopped == [transaction_id]
    missing = await web.post("/sessions/nobody/stop", headers=own)
    assert (missing.status_code, "There is no session nobody." in missing.text) == (404, True)


@pytest.mark.parametrize(
    "path", ["/", "/health", "/static/live.js", "/api/v1/board", "/live/board", "/nothing"]
)
async def test_head_and_headers_everywhere(web: httpx.AsyncClient, path: str) -> None:
    answer = await web.head(path)
    assert answer.content == b""
    assert answer.status_code == (404 if path == "/nothing" else 200)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value


# --- event streams, on a socket


@asynccontextmanager
async def watching(scene: Scene, path: str) -> AsyncIterator[httpx.Response]:
    async with (
        serving(scene) as url,
        httpx.AsyncClient(base_url=url, timeout=5) as client,
        client.stream("GET", path) as answer,
    ):
        yield answer


async def pieces(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in answer.aiter_lines():
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))


async def test_a_live_board_moves_with_every_step(scene: Scene) -> None:
    await scene.opens()
    _, transaction_id, register_wh = await scene.charging(1, *CURVE[:9])
    async with watching(scene, "/live/board") as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
        events = pieces(answer)
        first = {piece["id"]: piece["html"] for piece in [await anext(events) for _ in BOARD]}
        assert set(first) == set(BOARD)
        assert "11.94 EUR" in first["stations"]
        await scene.meters(1, transaction_id, register_wh, 240)
        changed = [await anext(events) for _ in range(3)]
        assert {piece["id"] for piece in changed} == {"figures", "stations", "latest"}
        assert "13.10 EUR" in next(piece["html"] for piece in changed if piece["id"] == "stations")
        await scene.terminal("faulted", "paper jam")
        assert (await anext(events))["id"] == "terminals"


async def test_a_live_session_ends_its_own_story(scene: Scene) -> None:
    await scene.opens()
    session_id, transaction_id, register_wh = await scene.charging(1, 100)
    async with watching(scene, f"/live/sessions/{session_id}") as answer:
        events = pieces(answer)
        for _ in STORY:
            await anext(events)
        await scene.stops(1, transaction_id, register_wh)
        await scene.captured()
        async for piece in events:
            if piece["id"] == "receipt" and "Number" in piece["html"]:
                break
        assert "0.49 EUR" in piece["html"]


async def test_a_stop_of_the_program_does_not_wait_for_open_pages(scene: Scene) -> None:
    async with httpx.AsyncClient(timeout=5) as client:
        async with serving(scene) as url:
            streams = [await client.send(client.build_request("GET", f"{url}/live/board"), stream=True)
                       for _ in range(3)]  # fmt: skip
            readers = [asyncio.create_task(stream.aread()) for stream in streams]
            await asyncio.sleep(0.2)
            assert not any(reader.done() for reader in readers)
            begun_s = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - begun_s < 1.5
        async with asyncio.timeout(1):
            # Each stream was ended as a stream should be: the whole body came, and its end.
            bodies = await asyncio.gather(*readers)
        assert all(body.endswith(b"\n\n") and b"event: fragment" in body for body in bodies)


async def test_a_reader_that_reads_nothing_delays_nobody(scene: Scene) -> None:
    await scene.opens()
    async with serving(scene) as url, httpx.AsyncClient(base_url=url, timeout=5) as client:
        host, port = url.removeprefix("http://").split(":")
        lazy = []
        for _ in range(20):
            _, writer = await asyncio.open_connection(host, int(port), limit=1024)
            writer.write(f"GET /live/board HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            lazy.append(writer)
        await asyncio.sleep(0.1)
        async with asyncio.timeout(3):
            assert (await client.get("/")).status_code == 200
            async with client.stream("GET", "/live/board") as answer:
                assert (await anext(pieces(answer)))["id"] == "figures"
        for writer in lazy:
            writer.transport.abort()
