"""Live pages: woken by changes, only what differs, one drawing for all, never more lookers than allowed."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from tapwatt.pages.live import Live

RETRY = "retry: 1000\n\n"


class Drawn:
    """A page of two pieces, and how often it was drawn."""

    def __init__(self) -> None:
        self.pieces = {"cost": "0.00", "title": "Board"}
        self.times = 0

    async def draw(self) -> Mapping[str, str]:
        self.times += 1
        return dict(self.pieces)


def quick(**more: Any) -> Live:
    return Live(**{"at_most_every_s": 0.01, "look_again_s": 30.0, **more})


async def one(stream: AsyncIterator[str]) -> str:
    async with asyncio.timeout(2):
        event = await anext(stream)
        return await anext(stream) if event == RETRY else event


def told(event: str) -> dict[str, str]:
    assert event.startswith("event: fragment\ndata: ")
    assert event.endswith("\n\n")
    fragment: dict[str, str] = json.loads(event.splitlines()[1].removeprefix("data: "))
    return fragment


async def test_a_new_looker_gets_everything_and_then_only_what_changed() -> None:
    live, page = quick(), Drawn()
    stream = live.fragments("board", page.draw)
    assert [told(await one(stream))["id"] for _ in range(2)] == ["cost", "title"]
    page.pieces["cost"] = "1.17"
    live.changed()
    assert told(await one(stream)) == {"id": "cost", "html": "1.17"}
    waiting = asyncio.ensure_future(anext(stream))
    live.changed()
    await asyncio.sleep(0.05)
    assert not waiting.done(), "nothing differs, so nothing is sent"
    waiting.cancel()


async def test_what_does_not_announce_itself_is_seen_too() -> None:
    live, page = quick(look_again_s=0.02), Drawn()
    stream = live.fragments("board", page.draw)
    await one(stream)
    await one(stream)
    page.pieces["cost"] = "2.00"
    assert told(await one(stream))["html"] == "2.00"


async def test_lookers_at_one_page_share_its_drawing_and_other_pages_have_their_own() -> None:
    live, board, session = quick(), Drawn(), Drawn()
    streams = [live.fragments("board", board.draw) for _ in range(20)]
    streams.append(live.fragments("session", session.draw))
    await asyncio.gather(*(one(stream) for stream in streams))
    assert (board.times, session.times) == (1, 1)


async def test_a_slow_reader_misses_states_but_never_the_newest() -> None:
    live, page = quick(), Drawn()
    stream = live.fragments("board", page.draw)
    await one(stream)
    await one(stream)
    for cost in range(50):
        page.pieces["cost"] = str(cost)
        live.changed()
    assert told(await one(stream))["html"] == "49"


async def test_one_looker_too_many_is_told_to_come_back_and_a_place_is_free_again() -> None:
    live, page = quick(most_lookers=2), Drawn()
    streams: list[Any] = [live.fragments("board", page.draw) for _ in range(2)]
    for stream in streams:
        await one(stream)
    refused = [event async for event in live.fragments("board", page.draw)]
    assert len(refused) == 1
    assert refused[0].startswith("retry: 30000\nevent: full\n")
    await streams[0].aclose()
    assert live.lookers == 1
    assert told(await one(live.fragments("board", page.draw)))


async def test_a_quiet_page_is_kept_alive() -> None:
    live, page = quick(keep_alive_s=0.05, look_again_s=0.02), Drawn()
    stream = live.fragments("board", page.draw)
    await one(stream)
    await one(stream)
    assert (await one(stream)).startswith(": ")


async def test_closing_ends_every_stream_at_once_and_refuses_no_one_rudely() -> None:
    live, page = quick(), Drawn()
    stream = live.fragments("board", page.draw)
    await one(stream)
    await one(stream)
    ending = asyncio.ensure_future(anext(stream, "ended"))
    await asyncio.sleep(0.03)
    live.close()
    async with asyncio.timeout(1):
        assert await ending == "ended"
    assert [event async for event in live.fragments("board", page.draw)] == [RETRY]
    assert live.lookers == 0


async def test_a_drawing_that_fails_once_does_not_block_the_next() -> None:
    live, page = quick(), Drawn()
    broken = True

    async def draw() -> Mapping[str, str]:
        if broken:
            raise RuntimeError("store is full")
        return await page.draw()

    with contextlib.suppress(RuntimeError):
        await one(live.fragments("board", draw))
    broken = False
    assert live.lookers == 0
    assert told(await one(live.fragments("board", draw)))["id"] == "cost"
