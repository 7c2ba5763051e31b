"""The canary: after visits with every kind of card, no card number is found anywhere, in no form (law 7).

Every byte of every file in the data directory and everything a program shows over HTTP is searched.
"""

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from tests.journeys.world import World, world

from tapwatt.rails.iso8583.masking import luhn_holds
from tapwatt.rails.keys import forms, leaks
from tapwatt.rails.sandbox import card, cards

pytestmark = [pytest.mark.programs, pytest.mark.asyncio(loop_scope="module")]

# Number, separator, year and month, as a magnetic stripe and its image on a chip have it.
TRACK = re.compile(rb"([3-6]\d{12,18})[=D^]\d\d(0[1-9]|1[0-2])")
CHARGED = ("visa-good", "mastercard-good", "mastercard-partial", "mastercard-replayed")
REFUSED = tuple(each.name for each in cards() if each.name not in CHARGED)
SUMMARY = "/api/v1/summary"
TRAFFIC = ("/api/v1/transactions?limit=500", "/api/v1/traces?limit=1000")
PAGES = {
    **dict.fromkeys(("gateway", "acquirer", "scheme"), (SUMMARY, *TRAFFIC, "/health", "/metrics")),
    "issuer": (SUMMARY, *TRAFFIC, "/api/v1/cards", "/health", "/metrics"),
    "site": (SUMMARY, "/api/v1/transactions", "/api/v1/state", "/api/v1/visits", "/health"),
    "platform": (
        "/",
        "/health",
        "/metrics",
        "/api/v1/openapi.json",
        *(
            f"/api/v1/{view}"
            for view in ("summary", "board", "sessions", "stations", "terminals", "accounts", "alarms")
        ),
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A site after its visits, still running."""
    async with world(tmp_path_factory.mktemp("canary"), log_level="debug") as running:
        await visits(running)
        yield running


async def visits(site: World) -> None:
    """Each sandbox card once, the replayed one twice; gateway and site die in the middle of a charge."""
    for name in REFUSED:
        await refused(site, name)
    for name in CHARGED[2:]:
        await charged(site, name)
    await refused(site, "mastercard-replayed")
    await charged(site, "visa-good", dying="gateway")
    await charged(site, "mastercard-good", dying="site")


async def refused(site: World, name: str) -> None:
    session = await site.plug()
    await site.tap(name)
    failed = await site.session("failed")
    assert (failed["session_id"], failed["reason"]) == (session["session_id"], "payment declined"), name
    await site.unplug()


async def charged(site: World, name: str, *, dying: str = "") -> None:
    session = await site.plug(target_wh=150 if not dying else 100_000)
    await site.tap(name)
    if dying:
        await site.power(50)
        site.kill(dying)
        if dying != "site":
            await site.order(do="press_stop", evse_id=1)
    assert (await site.ended(session["session_id"]))["state"] == "closed"
    assert (await site.all_agree(session["session_id"]))[1] > 0, name
    await site.until(lambda: site.order(do="unplug", evse_id=1), bool, "unplugged")


def pans() -> dict[str, str]:
    return {each.name: each.pan for each in cards()}


def found_in(content: bytes) -> list[str]:
    """Which card is found in which form; also what looks like a track of any card."""
    numbers = [
        f"{name}: {form}"
        for name, pan in pans().items()
        for form in leaks(pan, content)
        if _betrays(pan, form)
    ]
    tracks = [match.group(1).decode() for match in TRACK.finditer(content)]
    return numbers + [f"a track: {number[:6]}…" for number in tracks if luhn_holds(number)]


def _betrays(pan: str, form: str) -> bool:
    """Some test numbers are nearly all zeros; packed and shifted, seven zero bytes are in every database."""
    return len(set(forms(pan)[form])) > 2


def files_of(data: Path) -> dict[str, bytes]:
    return {str(path.relative_to(data)): path.read_bytes() for path in data.rglob("*") if path.is_file()}


async def shown(site: World) -> dict[str, bytes]:
    """Everything that the programs show."""
    wanted = [(party, path) for party, paths in PAGES.items() for path in paths]
    for session in await site.parties.sessions():
        wanted += [("platform", f"/api/v1/sessions/{session['session_id']}")]
        wanted += [("platform", f"/sessions/{session['session_id']}")]
        wanted += [("platform", f"/sessions/{session['session_id']}/chart")]
        wanted += [("platform", f"/api/v1/sessions/{session['session_id']}/chart")]
        wanted += [(party, f"/api/v1/transactions?reference={session['reference']}") for party in PAGES][:4]
    pages = {}
    for party, path in wanted:
        response = await site.client.get(f"http://127.0.0.1:{_port(site, party)}{path}")
        assert response.status_code == 200, f"{party}{path}: {response.text}"
        pages[f"{party}{path}"] = response.content
    for path in ("/live/board", f"/live/sessions/{(await site.newest())['session_id']}"):
        pages[path] = await _first_events(site, path)
    return pages


def _port(site: World, party: str) -> int:
    names = {"platform": "http_port", "site": "forecourt_port"}
    port: int = getattr(site.settings, names.get(party, f"{party}_http_port"))
    return port


async def _first_events(site: World, path: str) -> bytes:
    """What an open page is told first. The stream never ends by itself."""
    content = b""
    url = f"http://127.0.0.1:{site.settings.http_port}{path}"
    try:
        async with site.client.stream("GET", url, timeout=2.0) as stream:
            async for piece in stream.aiter_bytes():
                content += piece
    except httpx.ReadTimeout:
        pass
    assert content
    return content


async def test_no_card_number_in_any_file_while_the_programs_run(site: World) -> None:
    files = files_of(site.settings.data)
    assert {"issuer.sqlite", "gateway.sqlite", "edge.sqlite", "site.log", "gateway.log"} <= set(files)
    assert any(name.endswith("-wal") for name in files), (
        "the databases' journals were meant to be searched too"
    )
    assert b"level=info" in b"".join(files.values())
    assert {name: found for name, content in files.items() if (found := found_in(content))} == {}


async def test_no_card_number_in_anything_a_program_shows(site: World) -> None:
    pages = await shown(site)
    everything = b"".join(pages.values())
    for each in cards():
        assert each.last_four.encode() in everything, f"{each.name} left no trace, so nothing was tried"
    assert {name: found for name, content in pages.items() if (found := found_in(content))} == {}


async def test_above_the_rails_a_card_has_no_first_six_digits_beside_its_last_four(site: World) -> None:
    for name, content in files_of(site.settings.data).items():
        if name.startswith(("platform", "edge")):
            for each in cards():
                # Not within a longer number: six elevenths of a cent are 5454545454 too.
                beside = rf"(?<!\d){each.bin}\D{{0,9}}{each.last_four}(?!\d)"
                assert not re.search(beside.encode(), content), name


async def test_the_canary_can_sing(site: World, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(site.settings.data, copy)
    pan = card("visa-low").pan
    victim = copy / "platform.sqlite"
    victim.write_bytes(victim.read_bytes()[:5000] + bytes.fromhex(pan) + victim.read_bytes()[5000:])
    with (copy / "edge.log").open("a") as log:
        log.write(f"level=info seen={card('mastercard-good').pan}\n")
    (copy / "deep").mkdir()
    (copy / "deep" / "trace").write_bytes(b"\x00" + b"4761739001010119=31122010000012345678?")
    found = {name: found_in(content) for name, content in files_of(copy).items()}
    assert {name: songs for name, songs in found.items() if songs} == {
        "platform.sqlite": ["visa-low: bcd"],
        "edge.log": ["mastercard-good: plain"],
        "deep/trace": ["a track: 476173…"],
    }


async def test_what_is_left_when_all_have_stopped_holds_no_card_number(site: World) -> None:
    await site.supervisor.stop()
    files = files_of(site.settings.data)
    assert {name: found for name, content in files.items() if (found := found_in(content))} == {}
