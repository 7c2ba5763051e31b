"""Real crashes: programs killed just behind a commit, chosen by name, and a platform whose disk is full.

A boundary is a row that a program has just committed: what follows it (a message, an answer, the next commit)
may or may not have left when the SIGKILL comes; a seeded delay of some milliseconds chooses. Nobody repairs
anything: the supervisor starts the program again, and the six parties have to agree.
"""

import asyncio
import contextlib
import os
import random
import resource
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import httpx
import pytest
import pytest_asyncio
from tests.journeys.world import PATIENCE_S, Json, World, world

pytestmark = [pytest.mark.programs, pytest.mark.asyncio(loop_scope="module")]
# Another trial by hand: CRASH_SEED=7 make test ARGS="tests/journeys/test_crashes.py -s".
SEED = os.environ.get("CRASH_SEED", "1")
DELAY_MS = 25
VISITS_MAX = 4
EVENTS = "SELECT count(*) FROM {} WHERE kind = '{}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """A commit of one program, in words and as a count of rows."""

    program: str
    name: str
    count: str


def boundary(program: str, name: str, table: str, kind: str) -> Boundary:
    """A boundary at an event or effect of a durable machine."""
    return Boundary(program=program, name=name, count=EVENTS.format(table, kind))


HOSTS = ("gateway", "acquirer", "scheme")
BOUNDARIES = (
    boundary("platform", "the wish for a hold is committed", "session_effect", "Authorise"),
    boundary("platform", "the wish for a capture is committed", "session_effect", "Capture"),
    boundary("edge", "a command is on its way to the terminal", "operation_event", "Sent"),
    boundary("edge", "the terminal's result is committed, nobody told", "operation_effect", "Report"),
    *(boundary(host, "a request is stored, not relayed", "payment_event", "Asked") for host in HOSTS),
    *(
        boundary(host, "a completion is stored, not forwarded", "payment_event", "CompletionReceived")
        for host in HOSTS
    ),
    boundary("issuer", "a hold is placed, not answered", "authorisation_event", "Asked"),
    boundary("issuer", "a completion is booked, not answered", "authorisation_event", "CompletionReceived"),
    Boundary(
        program="site", name="the terminal has noted a hold to ask for", count="SELECT count(*) FROM payment"
    ),
    Boundary(
        program="site", name="the terminal has noted a capture to tell", count="SELECT count(*) FROM advice"
    ),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("crashes")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def site(_site: World) -> AsyncIterator[World]:
    yield _site
    await _site.unplug()
    await _site.session("closed", "failed")


def counted(site: World, at: Boundary) -> int:
    """How often the program has come to this boundary: read from its own file, as a stranger."""
    path = site.settings.data / f"{at.program}.sqlite"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as raw:
        rows = raw.execute(at.count).fetchone()
    return int(rows[0])


def kill_at(site: World, at: Boundary, before: int, delay_ms: int) -> None:
    """Wait for the next time the program comes to the boundary, then kill it so much later."""
    late_s = time.monotonic() + PATIENCE_S
    while counted(site, at) == before:
        assert time.monotonic() < late_s, f"{at.program} never came there: {at.name}"
        time.sleep(0.001)
    time.sleep(delay_ms / 1000)
    site.kill(at.program)


async def plug_until_offered(site: World) -> Json:
    """Whoever we ask may just have been killed; whether the car was plugged in before, the site knows."""
    before = await site.until(site.newest, bool, "an answer of the platform")
    try:
        return await site.plug(target_wh=150)
    except httpx.HTTPError:
        plugged = partial(site.order, do="plug", evse_id=1, target_wh=150)
        await site.until(plugged, lambda answer: True, "plugged in")
        return await site.session("offered", after=before["session_id"])


async def tap_until_taken(site: World) -> None:
    """Whoever we ask may just have been killed: a driver whose card was not taken holds it there again."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await site.newest())["state"] != "offered":
                    return
                await site.tap("mastercard-good")
            await asyncio.sleep(0.1)


async def visit(site: World) -> None:
    """A driver comes, maybe while a line is still down: then the card is refused, and another comes."""
    session = await plug_until_offered(site)
    await tap_until_taken(site)
    ended = await site.ended(session["session_id"])
    authorised, captured, released = await site.all_agree(session["session_id"])
    assert authorised == captured + released
    assert (captured > 0) == (ended["state"] == "closed")
    await site.unplug()


@pytest.mark.parametrize("at", BOUNDARIES, ids=lambda at: f"{at.program}: {at.name}")
async def test_a_kill_at_a_boundary_costs_nothing(site: World, at: Boundary) -> None:
    delay_ms = random.Random(f"{SEED} {at.program} {at.name}").randrange(DELAY_MS)
    sys.stdout.write(f"seed {SEED}: {at.program} is killed {delay_ms} ms after: {at.name}\n")
    killing = asyncio.create_task(asyncio.to_thread(kill_at, site, at, counted(site, at), delay_ms))
    for _ in range(VISITS_MAX):
        await visit(site)
        if killing.done():
            break
    await killing


async def test_a_car_that_comes_while_the_platform_is_down_is_offered_a_session(site: World) -> None:
    await visited(site, await charging(site))
    before = await site.newest()
    site.kill("platform")
    await site.unplug()
    assert (await site.order(do="plug", evse_id=1, target_wh=150))["done"]
    offered = await site.session("offered", after=before["session_id"])
    await site.tap("mastercard-good")
    await site.ended(offered["session_id"])
    await site.all_agree(offered["session_id"])


async def charging(site: World) -> Json:
    """A car that charges. A line that is still down after the last crash refuses a card or two."""
    for _ in range(VISITS_MAX):
        await site.plug(target_wh=100_000, max_power_w=60_000)
        await site.tap("mastercard-good")
        session = await site.session("charging", "failed")
        if session["state"] == "charging":
            return session
        await site.unplug()
        await asyncio.sleep(1)
    raise AssertionError(f"no card was taken: {session}")


async def visited(site: World, session: Json) -> None:
    """The charge has been stopped and paid; the car is still there."""
    await site.power(60)
    assert (await site.order(do="press_stop", evse_id=1))["done"]
    closed = await site.session("closed")
    assert closed["session_id"] == session["session_id"]
    await site.all_agree(session["session_id"])


async def test_a_platform_whose_disk_is_full_goes_on_when_there_is_room_again(site: World) -> None:
    session = await charging(site)
    await site.power(60)
    platform = site.supervisor.pids()["platform"]
    whole = resource.prlimit(platform, resource.RLIMIT_FSIZE)
    # No file may grow beyond its first byte: every commit fails as it does on a full disk.
    resource.prlimit(platform, resource.RLIMIT_FSIZE, (1, whole[1]))
    try:
        assert (await site.order(do="press_stop", evse_id=1))["done"]
        await asyncio.sleep(3)
        # It is there, it reads, and it has taken nothing that it could not keep.
        page = await site.parties.session(session["session_id"])
        assert (page["state"], page["stopped_ms"]) == ("charging", None)
        url = f"http://{site.settings.host}:{site.settings.http_port}/api/v1"
        refused = await site.client.post(f"{url}/sessions/{session['session_id']}/stop")
        assert refused.status_code == 503
    finally:
        resource.prlimit(platform, resource.RLIMIT_FSIZE, whole)
    closed = await site.session("closed")
    assert closed["session_id"] == session["session_id"]
    authorised, captured, released = await site.all_agree(session["session_id"])
    assert (authorised, captured + released) == (2500, 2500)
    assert captured > 0
    assert site.supervisor.pids()["platform"] == platform, "it did not even have to be started again"
