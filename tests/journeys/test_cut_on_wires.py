"""Lines that break in the middle of a dialogue, on real programs: nobody knows, and the money is right.

The edge and its terminal, the edge and the platform, the terminal and its gateway; a driver's hold that is
being asked for, and an amount that is being captured (issue 3, "Real crashes" and "The rest of the journey").
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.journeys.world import Json, World, world

pytestmark = [pytest.mark.programs, pytest.mark.asyncio(loop_scope="module")]
HOLD = 2500


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("cut")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def site(_site: World) -> AsyncIterator[World]:
    yield _site
    await _site.issuer("/sandbox/silence", seconds=None)
    for fault in ("terminal_mute", "cut_before_completion"):
        await _site.order(do="fault", name=fault, value=False)
    await _site.unplug()
    await _site.session("closed", "failed")


async def charge(site: World) -> str:
    """A car that charges; returns the session."""
    session = await site.plug(target_wh=100_000, max_power_w=200_000)
    await site.tap("mastercard-good")
    await site.session("charging")
    await site.power(40)
    return str(session["session_id"])


async def asking(site: World) -> str:
    """A card is tapped and its bank takes its time; returns the session, in the middle of the dialogue."""
    session = await site.plug(target_wh=100)
    await site.issuer("/sandbox/silence", seconds=60, late=True)
    await site.tap("mastercard-good")
    await site.session("authorising")
    await asyncio.sleep(0.3)
    return str(session["session_id"])


async def answered(site: World) -> None:
    """The bank says yes, before anybody on the rails has given it up."""
    await site.issuer("/sandbox/silence", seconds=None)


async def paid(site: World, session_id: str) -> None:
    """It ends in one capture, and all parties say so."""
    closed = await site.session("closed")
    assert closed["session_id"] == session_id
    authorised, captured, released = await site.all_agree(session_id)
    assert (authorised, captured + released) == (HOLD, HOLD)
    assert captured > 0


async def test_the_edge_is_unplugged_from_its_terminal_while_a_hold_is_asked_for(site: World) -> None:
    session_id = await asking(site)
    await site.order(do="fault", name="edge_cut")
    await answered(site)
    # The terminal goes on without its edge and gets its yes; the edge dials again and asks. A list of open
    # holds has no amounts, and one that nobody confirmed is not charged on: it goes back.
    failed = await site.session("failed")
    assert (failed["session_id"], failed["reason"]) == (session_id, "no answer from the payment side")
    assert await site.all_agree(session_id) == (HOLD, 0, HOLD)
    assert "FoundOpen" in await site.timeline(session_id)


async def test_the_line_breaks_between_the_terminals_yes_and_its_end(site: World) -> None:
    await site.order(do="fault", name="cut_before_completion")
    session = await site.plug(target_wh=100)
    await site.tap("mastercard-good")
    await paid(site, session["session_id"])


async def test_the_edge_is_unplugged_while_an_amount_is_captured(site: World) -> None:
    session_id = await charge(site)
    assert (await site.order(do="press_stop", evse_id=1))["done"]
    await site.session("closing", "closed")
    await site.order(do="fault", name="edge_cut")
    await paid(site, session_id)


async def test_the_edges_power_fails_while_a_hold_is_asked_for(site: World) -> None:
    session_id = await asking(site)
    site.kill("edge")
    await answered(site)
    # Whether somebody still waits when it is back is a race; that nothing stays held is none.
    ended = await site.session("closed", "failed")
    assert ended["session_id"] == session_id
    authorised, captured, released = await site.all_agree(session_id)
    assert (authorised, captured + released) == (HOLD, HOLD)
    assert (captured > 0) == (ended["state"] == "closed")


async def test_a_capture_waits_for_a_terminal_that_takes_no_command(site: World) -> None:
    session_id = await charge(site)
    await site.order(do="fault", name="terminal_mute", value=True)
    assert (await site.order(do="press_stop", evse_id=1))["done"]
    await site.session("closing")
    await asyncio.sleep(3)
    page = await site.parties.session(session_id)
    assert (page["state"], page["captured_minor"]) == ("closing", 0)
    await site.order(do="fault", name="terminal_mute", value=False)
    await paid(site, session_id)


async def test_a_terminal_cut_off_from_its_gateway_tells_the_amount_when_it_is_back(site: World) -> None:
    session_id = await charge(site)
    await site.order(do="fault", name="gateway_offline", value=4)
    assert (await site.order(do="press_stop", evse_id=1))["done"]
    await asyncio.sleep(2)
    gateway: list[Json] = await site.parties.get(
        "gateway",
        "/api/v1/transactions",
        reference=(await site.parties.session(session_id))["reference"],
    )
    assert [row["captured_minor"] for row in gateway] == [0]
    await paid(site, session_id)


async def test_a_stop_that_crosses_a_tap_holds_nothing_in_the_end(site: World) -> None:
    session_id = await asking(site)
    url = f"http://{site.settings.host}:{site.settings.http_port}/api/v1/sessions/{session_id}/stop"
    assert (await site.client.post(url)).status_code == 202
    await answered(site)
    ended = await site.session("closed", "failed")
    assert (ended["session_id"], ended["reason"]) == (session_id, "cancelled before the charge")
    authorised, captured, released = await site.all_agree(session_id)
    assert (captured, released) == (0, authorised)
    assert "Started" not in await site.timeline(session_id)
