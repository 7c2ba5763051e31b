"""The chart of real visits: one payment over every hop, a silent issuer, a gateway that is killed."""

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio
from tests.journeys.world import World, world

Json = dict[str, Any]
pytestmark = [pytest.mark.programs, pytest.mark.asyncio(loop_scope="module")]
MONEY = ("terminal", "gateway", "acquirer", "scheme", "issuer")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("chart")) as running:
        yield running


async def chart(site: World, session_id: str) -> Json:
    path = f"/api/v1/sessions/{session_id}/chart"
    drawn: Json = await site.parties.get("platform", path)
    return drawn


def between(found: Json) -> list[Json]:
    """The arrows among the hosts."""
    return [each for each in found["arrows"] if each["from"] in MONEY[1:] and each["to"] in MONEY[1:]]


async def until_drawn(
    site: World, session_id: str, *wanted: tuple[str, str, str], by_both: bool = False
) -> Json:
    """Wait until these arrows (from, to, how the name begins) are all there, and seen at both ends of the
    hosts' lines if asked: traces come a little late."""

    def drawn(found: Json) -> bool:
        ends = [(each["from"], each["to"], each["name"]) for each in found["arrows"]]
        there = all(any(e[:2] == w[:2] and e[2].startswith(w[2]) for e in ends) for w in wanted)
        return there and (not by_both or all(len(arrow["seen_by"]) == 2 for arrow in between(found)))

    async def look() -> Json:
        return await chart(site, session_id)

    found: Json = await site.until(look, drawn, f"drawn: {wanted}")
    return found


async def test_a_charge_is_drawn_from_the_plug_to_the_receipt(site: World) -> None:
    session = await site.plug(target_wh=200)
    await site.tap("visa-good")
    closed = await site.session("closed")
    found = await until_drawn(
        site,
        session["session_id"],
        ("driver", "station", "plugs in"),
        ("driver", "terminal", "holds a card"),
        ("station", "platform", "StartTransaction"),
        ("platform", "edge", "Operate preauthorise"),
        ("edge", "terminal", "06 22"),
        *((left, right, "0100") for left, right in pairwise(MONEY)),
        *((left, right, "0110") for left, right in ((b, a) for a, b in pairwise(MONEY))),
        *((left, right, "0220") for left, right in pairwise(MONEY)),
        ("edge", "terminal", "06 23"),
        ("terminal", "edge", "06 0F"),
        ("edge", "platform", "Outcome capture"),
        ("platform", "station", "RemoteStartTransaction"),
        ("station", "platform", "StopTransaction"),
        by_both=True,
    )
    assert not any(arrow["lost"] for arrow in found["arrows"])
    (payment,) = found["payments"]
    hops = {(a["from"], a["to"]) for a in found["arrows"] if a["rrn"] == payment["rrn"]}
    assert len(hops) == 8, "the RRN is followed over every hop, both ways"
    assert len(between(found)) >= 12, "three hops, there and back, for the hold and for the capture"
    captured = [a["amount_minor"] for a in found["arrows"] if a["name"].startswith("0220")]
    assert set(captured) == {closed["captured_minor"]}
    await site.unplug()


async def test_a_silent_issuer_and_the_reversal_are_seen(site: World) -> None:
    before = await site.newest()
    await site.issuer("/sandbox/silence", seconds=20)
    session = await site.plug()
    await site.tap("mastercard-good")
    await site.session("failed", after=before["session_id"])
    found = await until_drawn(
        site,
        session["session_id"],
        ("issuer", "scheme", "no answer to 0100"),
        ("scheme", "issuer", "0420"),
        ("gateway", "terminal", "0110"),
    )
    marks = {(arrow["from"], arrow["to"]): arrow["mark"] for arrow in found["arrows"] if arrow["mark"]}
    assert marks[("issuer", "scheme")] == "unanswered"
    assert marks[("gateway", "terminal")] == "refused"
    assert [arrow["back"] for arrow in found["arrows"] if arrow["name"].startswith("0420")] == [True]
    await site.issuer("/sandbox/silence", seconds=None)
    await site.unplug()


async def test_a_killed_gateway_leaves_what_its_neighbours_saw(site: World) -> None:
    before = await site.newest()
    session = await site.plug(target_wh=100_000)
    await site.tap("visa-good")
    await site.power(50)
    site.kill("gateway")
    await site.order(do="press_stop", evse_id=1)
    path = f"http://127.0.0.1:{site.settings.http_port}/sessions/{session['session_id']}/chart"
    assert (await site.client.get(path)).status_code == 200, "the page comes while a host is away"
    await site.session("closed", after=before["session_id"])
    found = await until_drawn(
        site,
        session["session_id"],
        ("edge", "terminal", "06 23"),
        ("gateway", "acquirer", "0220"),
        ("scheme", "issuer", "0220"),
    )
    assert found["parties"]["gateway"], "it is there again"
    await site.unplug()
