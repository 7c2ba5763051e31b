"""The review queue as a page, through the API and from the shell."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.web.scenes import Scene
from tests.web.serving import serving
from tests.web.test_console import HOSTILE, PAGE_BYTES_MAX, Elements
from typer.testing import CliRunner

from tapwatt.cli import _root
from tapwatt.web.queue import FORM_BYTES_MAX, PIECES

NO_REASON = {"amount": "1.00", "do": "take", "why": "  "}


async def state_of(web: httpx.AsyncClient, session_id: str) -> Any:
    return (await web.get(f"/api/v1/sessions/{session_id}")).json()


async def test_the_page_shows_the_doubt_and_how_to_end_it(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    session_id = await scene.review(2)
    page = (await web.get("/review")).text
    elements = Elements(page)
    assert set(PIECES) <= set(elements.ids)
    assert elements.tags.count("h1") == 1
    bill = (await state_of(web, session_id))["bill"]["gross_minor"]
    typed = f"{bill // 100}.{bill % 100:02}"
    for words in ("The stop could not be proved", "60.00 EUR", f"{typed} EUR", "Capture this amount",
                  "Give the hold back", "Acknowledge"):  # fmt: skip
        assert words in page
    assert 'href="/review"' in (await web.get("/")).text
    assert f"/review#doubt-{session_id}" in (await web.get(f"/sessions/{session_id}")).text


async def test_an_empty_queue_says_so(web: httpx.AsyncClient) -> None:
    page = (await web.get("/review")).text
    assert "Nothing is in doubt." in page
    assert "Nothing waits." in page


async def test_an_amount_is_captured_with_a_reason(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    session_id = await scene.review(2)
    form = {"amount": "1,50", "do": "take", "why": "display showed it"}
    answer = await web.post(f"/review/{session_id}", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sessions/{session_id}")
    page = await state_of(web, session_id)
    assert (page["state"], page["detail"]) == ("closing", "decided by operator: display showed it")
    await scene.settle()
    assert scene.wires.operated[-1].amount_minor == 150


async def test_a_hold_is_given_back(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    session_id = await scene.review(2)
    form = {"amount": "9999", "do": "give-back", "why": "meter is broken"}
    assert (await web.post(f"/review/{session_id}", data=form)).status_code == 303
    await scene.settle()
    assert type(scene.wires.operated[-1]).__name__ == "Release"


@pytest.mark.parametrize(
    ("form", "status", "sentence"),
    [
        (NO_REASON, 422, "A reason of 3 to 500 characters"),
        ({**NO_REASON, "why": "x" * 501}, 422, "A reason of 3 to 500 characters"),
        ({**NO_REASON, "why": "because", "amount": "lots"}, 422, "An amount in EUR is written"),
        ({**NO_REASON, "why": "because", "amount": "0"}, 422, "To take nothing, give the hold back"),
        ({**NO_REASON, "why": "because", "do": "?"}, 422, "Say whether to capture"),
        ({**NO_REASON, "why": "because", "amount": "60.00"}, 409, "At most"),
        ({**NO_REASON, "why": "x" * FORM_BYTES_MAX}, 413, "The form is too long"),
        ({}, 422, "A reason of 3 to 500 characters"),
    ],
)
async def test_a_form_that_makes_no_sense_is_refused_in_words(
    scene: Scene, web: httpx.AsyncClient, form: dict[str, str], status: int, sentence: str
) -> None:
    await scene.opens()
    session_id = await scene.review(2)
    answer = await web.post(f"/review/{session_id}", data=form)
    assert answer.status_code == status
    assert sentence in answer.text
    assert (await state_of(web, session_id))["state"] == "review"


async def test_a_foreign_page_decides_nothing(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    session_id = await scene.review(2)
    form = {"do": "give-back", "why": "because"}
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert (await web.post(f"/review/{session_id}", data=form, headers=foreign)).status_code == 403
    assert (await web.post("/review/nobody", data=form)).status_code == 404


async def test_an_alarm_is_acknowledged_and_waits_no_more(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    await scene.review(2)
    (alarm,) = (await web.get("/api/v1/alarms")).json()["alarms"]
    assert (await web.post(f"/alarms/{alarm['key']}/acknowledge")).status_code == 303
    assert (await web.get("/api/v1/alarms")).json()["alarms"] == []
    assert (await web.get("/api/v1/summary")).json()["alarms"] == 0
    assert (await web.post("/api/v1/alarms/nothing/acknowledge", json={})).status_code == 404
    assert (
        await web.post(f"/api/v1/alarms/{alarm['key']}/acknowledge", json={"by": "Ada"})
    ).status_code == 200


@pytest.mark.parametrize("hostile", HOSTILE[:2])
async def test_a_hostile_name_stays_text(scene: Scene, web: httpx.AsyncClient, hostile: str) -> None:
    await scene.opens()
    await scene.review(2)
    by = {"amount_minor": 0, "why": hostile[:40] + "   ", "by": hostile[:60]}
    session_id = (await web.get("/api/v1/review")).json()["sessions"][0]["session_id"]
    assert (await web.post(f"/api/v1/sessions/{session_id}/decide", json=by)).status_code == 202
    page = (await web.get(f"/sessions/{session_id}")).text
    assert hostile not in page


async def test_a_long_queue_stays_small(scene: Scene, web: httpx.AsyncClient) -> None:
    await scene.opens()
    for _ in range(3):
        await scene.review(2)
    page = await web.get("/review")
    assert page.text.count("<article") == 3
    assert len(page.content) < PAGE_BYTES_MAX


async def shell(*arguments: str) -> tuple[int, str]:
    """One command in a thread: exit code and all it said."""
    result = await asyncio.to_thread(CliRunner().invoke, _root(asked="session"), ["session", *arguments])
    return result.exit_code, result.output


async def test_a_session_is_listed_shown_and_decided_from_the_shell(scene: Scene) -> None:
    await scene.opens()
    session_id = await scene.review(2)
    async with serving(scene) as url:
        code, said = await shell("list", "--review", "--server", url)
        assert (code, said.split()[:3]) == (0, [session_id, "CS1/2", "review"])
        code, said = await shell("list", "--json", "--server", url)
        assert json.loads(said)["sessions"][0]["session_id"] == session_id
        code, said = await shell("show", session_id, "--server", url)
        assert (code, said.splitlines()[0]) == (0, f"{session_id}: review")
        order = ("decide", session_id, "--server", url, "--why", "saw the display", "--amount-minor")
        code, said = await shell(*order, "999999")
        assert (code, "at most" in said) == (1, True)
        assert await shell(*order, "100") == (0, f"{session_id}: decided\n")
        code, said = await shell(*order, "100")
        assert (code, "not in review" in said) == (1, True)
        code, said = await shell("show", "nobody", "--server", url)
        assert (code, said) == (1, "tapwatt: there is no session nobody\n")


async def test_a_platform_that_is_not_there_is_said(tmp_path: Path) -> None:
    code, said = await shell("list", "--server", "http://127.0.0.1:1")
    assert code == 1
    assert said.startswith("tapwatt: no platform answers at http://127.0.0.1:1")
    code, said = await shell("list", "--server", "nonsense")
    assert code == 1
