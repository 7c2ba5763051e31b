"""The journeys, on real programs and real wires: what a driver does, and what the money does then.

Every journey ends with the same question to six parties at their own ports: what was authorised, captured,
released?
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.journeys.world import World, world

PROGRAMS = ("platform", "edge", "gateway", "acquirer", "scheme", "issuer")
pytestmark = [pytest.mark.programs, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def site(_site: World) -> AsyncIterator[World]:
    yield _site
    for fault in ("refuse_start", "never_start", "terminal_mute"):
        await _site.order(do="fault", name=fault, value=False)
    await _site.order(do="fault", name="late_start", value=0)
    await _site.unplug()
    await _site.session("closed", "failed", "")


async def charge(site: World, card: str = "visa-good", *, target_wh: int = 300) -> str:
    """Plug in, tap, power flows; returns the session."""
    session = await site.plug(target_wh=target_wh)
    await site.tap(card)
    await site.session("charging", "closing", "closed")
    return str(session["session_id"])


async def test_a_tap_is_one_paid_charge(site: World) -> None:
    session_id = await charge(site)
    await site.session("closed")
    authorised, captured, released = await site.all_agree(session_id)
    assert authorised == 2500
    assert captured > 0
    assert released == authorised - captured


async def test_a_known_tag_pays_from_its_account(site: World) -> None:
    session = await site.plug(target_wh=200)
    assert (await site.order(do="rfid", evse_id=1, tag="04A1B2C3D4E5F6"))["status"] == "accepted"
    closed = await site.session("closed")
    assert closed["session_id"] == session["session_id"]
    assert (closed["leader"], closed["captured_minor"] > 0) == ("account", True)


async def test_an_unknown_tag_is_refused(site: World) -> None:
    await site.plug()
    assert (await site.order(do="rfid", evse_id=1, tag="DEADBEEF"))["status"] == "invalid"
    url = f"http://{site.settings.host}:{site.settings.http_port}/stations/CS1"
    assert "unknown tag" in (await site.client.get(url)).text
    assert "unknown tag" in (site.settings.data / "platform.log").read_text()


@pytest.mark.parametrize(
    ("card", "words"), [("visa-low", ""), ("mastercard-blocked", ""), ("visa-unknown", "")]
)
async def test_a_declined_card_never_gets_power(site: World, card: str, words: str) -> None:
    session = await site.plug()
    await site.tap(card)
    failed = await site.session("failed")
    assert failed["reason"] == "payment declined"
    assert await site.all_agree(session["session_id"]) == (0, 0, 0)
    assert "Started" not in await site.timeline(session["session_id"])


async def test_a_card_approved_for_less_charges_within_that(site: World) -> None:
    session_id = await charge(site, "mastercard-partial", target_wh=200)
    await site.session("closed")
    authorised, captured, _ = await site.all_agree(session_id)
    assert 0 < captured <= authorised < 2500


async def test_a_refused_start_gives_the_hold_back(site: World) -> None:
    await site.order(do="fault", name="refuse_start", value=True)
    session = await site.plug()
    await site.tap("visa-good")
    failed = await site.session("failed")
    assert failed["reason"] == "the station refused to start"
    assert await site.all_agree(session["session_id"]) == (2500, 0, 2500)


async def test_a_start_that_never_comes_gives_the_hold_back(site: World) -> None:
    await site.order(do="fault", name="never_start", value=True)
    session = await site.plug()
    await site.tap("visa-good")
    failed = await site.session("failed")
    assert failed["reason"] == "the station did not start in time"
    assert await site.all_agree(session["session_id"]) == (2500, 0, 2500)


async def test_a_start_after_the_release_is_stopped_and_never_captured(site: World) -> None:
    await site.order(do="fault", name="late_start", value=9)
    session = await site.plug(target_wh=100_000)
    await site.tap("visa-good")
    await site.session("failed")

    async def page() -> dict[str, object]:
        return await site.parties.session(session["session_id"])

    late = await site.until(page, lambda seen: seen["stopped_ms"] is not None, "stopped")
    assert (late["state"], late["captured_minor"]) == ("failed", 0)
    kinds = await site.timeline(session["session_id"])
    assert kinds.index("Released") < kinds.index("Started") < kinds.index("Stopped")
    assert await site.all_agree(session["session_id"]) == (2500, 0, 2500)


async def test_a_silent_issuer_is_reversed_and_its_late_approval_is_not_used(site: World) -> None:
    session = await site.plug()
    await site.issuer("/sandbox/silence", seconds=6, late=True)
    await site.tap("visa-good")
    await site.session("failed")
    await site.issuer("/sandbox/silence", seconds=None)

    async def issuer_rows() -> list[dict[str, object]]:
        page = await site.parties.session(session["session_id"])
        rows: list[dict[str, object]] = await site.parties.get(
            "issuer", "/api/v1/transactions", reference=page["reference"]
        )
        return rows

    await site.until(issuer_rows, lambda rows: bool(rows) and rows[0]["state"] == "REVERSED", "reversed")
    holds = await site.until(site.parties.open_holds, lambda seen: max(seen.values()) == 0, "free of holds")
    assert max(holds.values()) == 0
    page = await site.parties.session(session["session_id"])
    assert (page["state"], page["captured_minor"]) == ("failed", 0)


async def test_the_car_stops_by_itself(site: World) -> None:
    session_id = await charge(site, target_wh=100_000)
    await site.power(100)
    assert (await site.order(do="car_stop", evse_id=1))["done"]
    await site.session("closed")
    assert (await site.all_agree(session_id))[1] > 0


async def test_the_plug_is_pulled_before_power(site: World) -> None:
    await site.order(do="fault", name="never_start", value=True)
    session = await site.plug()
    await site.tap("visa-good")
    await site.session("starting")

    async def steps() -> list[str]:
        page = await site.parties.session(session["session_id"])
        return [event["kind"] for event in page["events"]]

    # A station whose plug is out already refuses the start: another story.
    await site.until(steps, lambda seen: "StartAccepted" in seen, "a start accepted")
    await site.unplug()
    closed = await site.session("closed")
    assert closed["reason"] == "unplugged before power"
    assert await site.all_agree(session["session_id"]) == (2500, 0, 2500)


@pytest.mark.parametrize("program", [*PROGRAMS, "site"])
async def test_a_program_killed_during_authorisation_leaves_no_hold_behind(site: World, program: str) -> None:
    session = await site.plug(target_wh=300)
    await site.tap("visa-good")
    site.kill(program)
    ended = await site.ended(session["session_id"])
    authorised, captured, released = await site.all_agree(session["session_id"])
    assert authorised == captured + released
    assert (captured > 0) == (ended["captured_minor"] > 0)


@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_program_killed_after_approval_loses_nothing(site: World, program: str) -> None:
    session = await site.plug(target_wh=400)
    await site.tap("mastercard-good")
    await site.session("starting", "charging")
    site.kill(program)
    await site.session("closed")
    authorised, captured, released = await site.all_agree(session["session_id"])
    assert (authorised, captured + released) == (2500, 2500)
    assert captured > 0


@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_program_killed_during_capture_captures_once(site: World, program: str) -> None:
    session_id = await charge(site, "mastercard-good", target_wh=100_000)
    await site.power(100)
    await site.order(do="press_stop", evse_id=1)
    site.kill(program)
    await site.session("closed")
    authorised, captured, released = await site.all_agree(session_id)
    assert (authorised, captured + released) == (2500, 2500)
    assert captured > 0


async def test_the_site_itself_loses_power_in_mid_charge(site: World) -> None:
    session_id = await charge(site, "mastercard-good", target_wh=100_000)
    await site.power(100)
    site.kill("site")
    assert (await site.ended(session_id))["state"] == "closed"
    authorised, captured, _ = await site.all_agree(session_id)
    assert (authorised, captured > 0) == (2500, True)
