"""Engines that die at any moment, one after the other on one database: nothing is lost, order is kept."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import ENGINES
from tests.engine.toy import JAR, METADATA, Came, Fetch, Made, Sent, rows, wall_ms

from tapwatt.engine import Engine, TryAgain
from tapwatt.store import Database

NUMBERS = itertools.count(1)
Lives = list[list[str]]
"""For each life of the program, what its performer does at each call."""
LIVES = st.lists(st.lists(st.sampled_from(("ok", "ok", "again", "hang", "fail")), max_size=8), max_size=5)
THINGS = st.lists(st.sampled_from("abc"), min_size=1, max_size=6)


class Fated:
    """A performer that does what its list says, then always fetches; `hang` is the moment of the crash."""

    def __init__(self, fates: list[str], fetched: list[str]) -> None:
        self.fates = list(fates)
        self.fetched = fetched
        self.hanging = False

    async def __call__(self, machine_id: str, effect: Fetch, repeated: bool) -> Came:
        fate = self.fates.pop(0) if self.fates else "ok"
        if fate == "again":
            raise TryAgain("busy", after_s=0)
        if fate == "fail":
            raise ZeroDivisionError
        self.fetched.append(effect.thing)
        if fate == "hang":
            self.hanging = True
            await asyncio.sleep(3600)
        return Came(thing=effect.thing)


async def live(database: Database, fated: Fated, sent: tuple[str, ...]) -> None:
    """One life: send for things, go on until the crash or until all is done."""
    engine: Engine[Any, Any, Any] = Engine(database, JAR, perform=fated, now_ms=wall_ms)
    await engine.start()
    await engine.handle("j", Made(owner="op"), key="made")
    await engine.handle("j", Sent(things=sent))

    async def all_done() -> bool:
        return all(done for (done,) in await rows(database, "effect", "done_ms"))

    while not fated.hanging and not await all_done():  # noqa: ASYNC110 - looked at from outside, as a test may
        await asyncio.sleep(0.001)
    await engine.stop(grace_s=0)


async def run_lives(url: str, lives: Lives, things: list[str]) -> None:
    fetched: list[str] = []
    database = await Database.open(url, metadata=METADATA)
    numbered: list[str] = []
    for number, fates in enumerate([*lives, []]):
        sent = tuple(f"{thing}{number}.{place}" for place, thing in enumerate(things))
        numbered += sent
        await live(database, Fated(fates, fetched), sent)
    contents = [body for (body, kind) in await rows(database, "event", "body", "kind") if kind == "Came"]
    await database.close()
    for lane in "abc":
        wanted = [thing for thing in numbered if thing[0] == lane]
        answered = [body.split('"')[3] for body in contents if body.split('"')[3][0] == lane]
        assert answered == wanted
        done = [thing for thing in fetched if thing[0] == lane]
        assert list(dict.fromkeys(done)) == wanted
        assert done == sorted(done, key=wanted.index)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lives=LIVES, things=THINGS)
def test_each_effect_is_answered_once_in_order_over_any_crashes(
    engine: str, new_url: Callable[[str, str], str], lives: Lives, things: list[str]
) -> None:
    url = new_url(engine, f"lives-{next(NUMBERS)}")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tapwatt.engine.loop.FIRST_WAIT_S", 0.0)
        patched.setattr("tapwatt.engine.loop.log.exception", lambda *words, **more: None)
        asyncio.run(run_lives(url, lives, things))
