"""The lists for a day's work: what they find, that they say so when there is nothing, and that they stay
small."""

import re
from decimal import Decimal
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select
from tests.web.scenes import CURVE, Scene

from tapwatt.platform import facts
from tapwatt.platform.day_figures import Hour
from tapwatt.platform.tables import ALARM, CONNECTOR, SESSION, SESSION_FACT, STATION, TERMINAL, TERMINAL_EVSE
from tapwatt.store import Transaction
from tapwatt.web.charts import bars

PAGE_BYTES_MAX = 100_000
PAGES = ("/sessions", "/holds", "/alarms", "/stations", "/terminals", "/figures")


async def fill(scene: Scene, count: int) -> None:
    """Many of everything, copied from what there is."""

    def write(tx: Transaction) -> None:
        row = {table: tx.run(select(table))[0]._asdict() for table in (SESSION_FACT, SESSION.machine)}
        station, terminal = tx.run(select(STATION))[0]._asdict(), tx.run(select(TERMINAL))[0]._asdict()
        for place in range(count):
            name = f"copy-{place:04}"
            first = row[SESSION.machine]
            state = first["state"].replace(first["id"], name)
            tx.run(SESSION.statements.create, **{**first, "id": name, "state": state})
            opened_ms = row[SESSION_FACT]["opened_ms"] + place
            told = {"session_id": name, "opened_ms": opened_ms, "payment_state": "authorised"}
            tx.run(facts.ADD, **{**row[SESSION_FACT], **told})
            tx.run(insert(STATION), **{**station, "station_id": name, "name": "A long name " * 4})
            for evse_id in range(1, 5):
                values = {
                    "station_id": name,
                    "evse_id": evse_id,
                    "status": "faulted",
                    "error": "GroundFailure",
                }
                tx.run(insert(CONNECTOR), operator_id="demo", since_ms=1, **values)
                tx.run(
                    insert(TERMINAL_EVSE),
                    operator_id="demo",
                    terminal_id=name,
                    station_id=name,
                    evse_id=evse_id,
                )
            tx.run(insert(TERMINAL), **{**terminal, "terminal_id": name, "screen": '["a line of a screen"]'})
            tx.run(
                insert(ALARM), operator_id="demo", key=name, session_id=name, text="told " * 30, at_ms=place
            )

    await scene.database.write(write)


async def many_sessions(scene: Scene, count: int) -> None:
    """So many copies of the first session, with what they are found and counted by; one in a hundred runs."""

    def write(tx: Transaction) -> None:
        first = tx.run(select(SESSION.machine))[0]
        told = tx.run(select(SESSION_FACT))[0]._asdict()
        kept = first._asdict()
        for place in range(count):
            name = f"many-{place:05}"
            state = "charging" if place % 100 == 0 else "closed"
            body = kept["state"].replace(kept["id"], name)
            tx.run(SESSION.statements.create, **{**kept, "id": name, "state": body})
            opened_ms = told["opened_ms"] - place * 60_000
            more = {
                "session_id": name,
                "opened_ms": opened_ms,
                "state": state,
                "station_id": f"copy-{place % 100:04}",
            }
            tx.run(facts.ADD, **{**told, **more})

    await scene.database.write(write)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_pages_stay_small_with_a_hundred_stations_and_ten_thousand_sessions(
    scene: Scene, web: httpx.AsyncClient, language: str
) -> None:
    await scene.opens()
    await scene.charging(1, *CURVE[:3])
    await fill(scene, 100)
    await many_sessions(scene, 10_000)
    found = (await web.get("/api/v1/sessions")).json()["sessions"][0]["session_id"]
    more = (
        "/",
        "/review",
        "/sessions?state=closed",
        "/tariffs",
        "/tariffs/DC-0.58",
        "/stations/copy-0001",
        f"/sessions/{found}",
    )
    sizes = {}
    for path in (*PAGES, *more, f"/sessions/{found}/chart"):
        page = await web.get(path, headers={"Accept-Language": language})
        assert page.status_code == 200, path
        sizes[path] = len(page.content)
    assert {path: size for path, size in sizes.items() if size >= PAGE_BYTES_MAX} == {}


async def test_every_list_says_what_it_is_when_it_is_empty(web: httpx.AsyncClient) -> None:
    words = ("No session yet.", "No money is held now.", "Nothing waits.", "Never connected",
             "not heard yet", "No session was offered on this day.")  # fmt: skip
    for path, word in zip(PAGES, words, strict=True):
        page = await web.get(path)
        assert page.status_code == 200
        assert word in page.text, path


async def test_pages_stay_small_however_much_there_is(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    await scene.charging(1, *CURVE[:3])
    await fill(scene, 120)
    for path in (*PAGES, "/", "/review", "/stations/CS1", "/sessions?state=charging"):
        page = await web.get(path)
        assert page.status_code == 200
        assert len(page.content) < PAGE_BYTES_MAX, (path, len(page.content))


async def test_the_next_page_goes_on_with_the_same_search(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    await scene.charging(1, *CURVE[:3])
    await fill(scene, 120)
    seen: list[str] = []
    address = "/sessions?state=charging"
    while address:
        page = (await web.get(address)).text
        seen += re.findall(r'id="row-([\w-]+)"', page)
        found = re.search(r'id="page-next" rel="next" href="([^"]+)"', page)
        address = unescape(found[1]) if found else ""
        assert not address or "state=charging" in address
    assert len(seen) == len(set(seen)) == 121


async def test_stations_and_terminals_have_pages_too(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    await scene.charging(1, 100)
    await fill(scene, 50)
    for what in ("stations", "terminals"):
        first = (await web.get(f"/{what}")).text
        found = re.search(r'id="page-next" rel="next" href="([^"]+)"', first)
        assert found
        second = (await web.get(unescape(found[1]))).text
        assert "copy-0049" in second
        assert "page-next" not in second


async def test_a_search_that_cannot_be_read_says_which_field(web: httpx.AsyncClient) -> None:
    answer = await web.get("/sessions", params={"last_four": "12", "amount": "x", "from": "yesterday"})
    assert answer.status_code == 422
    for name in ("last_four", "amount", "from"):
        assert f'id="f-{name}-wrong"' in answer.text
    assert "page-next" not in answer.text
    assert (await web.get("/sessions", params={"cursor": "x"})).status_code == 422


async def test_a_driver_is_found_by_card_amount_and_day(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    paid = await scene.visit(1, *CURVE, last_four="0004")
    asked = {"last_four": "0004", "amount": "15,38", "from": "2027-01-15", "to": "2027-01-15"}
    assert f'id="row-{paid}"' in (await web.get("/sessions", params=asked)).text
    for name, value in (("amount", "15.39"), ("from", "2027-01-15T13:01"), ("to", "2027-01-14")):
        page = (await web.get("/sessions", params={**asked, name: value})).text
        assert "No session is like that." in page, name
    assert f'id="row-{paid}"' in (await web.get("/sessions", params={**asked, "to": "2027-01-15T13:00"})).text


async def test_a_note_is_added_once_and_shown(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    session_id = await scene.visit(1, 100)
    for _ in range(2):
        answer = await web.post(
            f"/sessions/{session_id}/notes", data={"text": "Driver rang: <b>wants</b> a receipt", "key": "k1"}
        )
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sessions/{session_id}#notes")
    page = (await web.get(f"/sessions/{session_id}")).text
    assert page.count("Driver rang: &lt;b&gt;wants&lt;/b&gt; a receipt") == 1
    assert (await web.post("/sessions/nobody/notes", data={"text": "x"})).status_code == 404
    for text in (" ", "4111 1111 1111 1111"):
        refused = await web.post(f"/sessions/{session_id}/notes", data={"text": text})
        assert refused.status_code == 422


async def test_notes_by_the_api(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    path = f"/api/v1/sessions/{await scene.visit(1, 100)}/notes"
    for _ in range(2):
        answer = await web.post(path, json={"text": "seen", "by": "ada"}, headers={"Idempotency-Key": "one"})
        assert answer.status_code == 201
    assert [(note["by"], note["text"]) for note in (await web.get(path)).json()["notes"]] == [("ada", "seen")]
    assert (await web.post(path, json={"text": "x" * 2001})).status_code == 422
    assert (await web.post("/api/v1/sessions/no/notes", json={"text": "x"})).status_code == 404
    card = await web.post(path, json={"text": "4111111111111111"})
    assert card.json()["error"].startswith("a card number must not be written down")


async def test_a_hold_in_doubt_is_given_back_from_its_page(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    session_id = await scene.review(1)
    assert 'id="release-now"' in (await web.get(f"/sessions/{session_id}")).text
    assert session_id in (await web.get("/holds")).text
    form = {"do": "give-back", "why": "the meter is broken"}
    assert (await web.post(f"/review/{session_id}", data=form)).status_code == 303
    await scene.settle()
    page = await scene.page(session_id)
    assert page is not None
    assert (page["captured_minor"], page["payment_state"]) == (0, "reversing")


async def test_who_took_note_of_an_alarm_is_kept(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    await scene.review(1)
    alarm = (await web.get("/api/v1/alarms")).json()["alarms"][0]
    await web.post(f"/alarms/{alarm['key']}/acknowledge")
    page = (await web.get("/alarms")).text
    assert "Nothing waits." in page
    assert "by operator" in page


async def test_a_stations_page_has_its_last_words(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    await scene.review(1)
    page = (await web.get("/stations/CS1")).text
    for words in ("Ohmworks DC400", "2.7.1", "by its one-use token", "Terminal T1", "in order"):
        assert words in page
    await scene.terminal("offline", "its edge is not connected")
    assert "No terminal takes cards here" in (await web.get("/stations")).text
    assert "its edge is not connected" in (await web.get("/terminals")).text
    assert (await web.get("/stations/nobody")).status_code == 404


async def test_figures_are_drawn_and_told(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    await scene.visit(1, *CURVE)
    await scene.declined(2)
    page = (await web.get("/figures?day=2027-01-15")).text
    for words in ("26.380 kWh", "15.38 EUR", "50.0 %", "60.00 EUR", "Insufficient funds", "10 s"):
        assert words in page
    told = (await web.get("/api/v1/figures?day=2027-01-15")).json()["figures"]
    assert (told["asked"], told["approved"], told["approval_permille"]) == (2, 1, 500)
    assert "No session was offered" in (await web.get("/figures?day=2027-01-14")).text
    for day in ("yesterday", "1000-01-01", "9999-12-31"):
        assert (await web.get("/figures", params={"day": day})).status_code == 422


async def test_the_api_pages_by_cursor(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    await scene.charging(1, 100)
    await fill(scene, 12)
    seen: list[str] = []
    cursor: Any = None
    while True:
        asked = {"limit": 5, "state": "charging", **({"cursor": cursor} if cursor else {})}
        answer = (await web.get("/api/v1/sessions", params=asked)).json()
        seen += [session["session_id"] for session in answer["sessions"]]
        cursor = answer["cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert (await web.get("/api/v1/sessions?cursor=x")).json()["error"] == (
        "cursor is none that this list gave"
    )
    assert (await web.get("/api/v1/sessions?last_four=12x4")).status_code == 422


@pytest.mark.parametrize(("most", "top"), [(0, "4"), (1, "4"), (4, "4"), (5, "8"), (9, "20"), (81, "200")])
def test_the_scale_of_a_drawing_reaches_its_highest_bar(most: int, top: str) -> None:
    hour = Hour(begins_ms=0, label="09", sessions=most, energy_wh=0, revenue_minor={})
    drawn = bars([hour], [Decimal(most)])
    assert drawn["lines"][-1]["text"] == top
    assert all(bar["y"] >= drawn["lines"][-1]["y"] for bar in drawn["bars"])
