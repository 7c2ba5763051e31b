"""The simulated world: every fault, no violation; the same seed, the same story."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from random import Random

import pytest

from tapwatt.cli import main
from tapwatt.edge.operation import Hold
from tapwatt.sim.world import run as running
from tapwatt.sim.world.evidence import Evidence, gather
from tapwatt.sim.world.faults import CALM, Weather
from tapwatt.sim.world.loop import Life, WorldLoop, context_of
from tapwatt.sim.world.network import Network
from tapwatt.sim.world.run import Verdict, judge, run, worlds
from tapwatt.sim.world.world import World

FULL = Weather(disk_full=0.03)
"""A full disk at every thirty-third commit."""


def test_forty_visits_under_every_fault() -> None:
    total = run(seed=1, visits=40)
    assert total.broken == []
    assert total.visits == 40
    assert total.faults.total() >= 20


@pytest.mark.parametrize("seed", [2, 6])
def test_full_disks(seed: int) -> None:
    """Seed 2: a terminal kept what it could not store; seed 6: the edge waited for a restart."""
    assert judge(World(seed, visits=5, rough=FULL).run()).violations == ()


def test_a_hold_that_a_person_has_may_stay_open_at_the_edge() -> None:
    """Seed 100195: the terminal had no room for twenty seconds and refused a release for good."""
    ending = World(100195, visits=2).run()
    books = gather(ending.disks)
    assert [each.hold for each in books.operations].count(Hold.OPEN) == 1
    assert any(books.person_has_it(session) for session in books.sessions)
    assert judge(ending).violations == ()


def test_a_calm_world_charges_everybody_who_can_pay() -> None:
    ending = World(4, visits=6, rough=CALM).run()
    books = gather(ending.disks)
    assert not ending.story.faults
    assert ending.visits_ended
    assert ending.settled
    assert {visit.outcome for visit in books.visits[:3]} == {"charged"}
    assert sum(slip.captured_minor for slip in books.slips) > 0
    assert judge(ending).violations == ()


def test_the_same_seed_is_the_same_story() -> None:
    first, second = (World(3004, visits=6).run() for _ in range(2))
    assert list(first.story.lines) == list(second.story.lines)
    assert repr(gather(first.disks)) == repr(gather(second.disks))
    assert first.story.faults


def test_another_seed_is_another_story() -> None:
    stories = [tuple(World(seed, visits=2).run().story.lines) for seed in (1, 2)]
    assert stories[0] != stories[1]


def test_any_number_of_processes_comes_to_the_same() -> None:
    one, two = (run(seed=5, visits=22, jobs=jobs).as_json() for jobs in (1, 2))
    assert {**one, "visits_per_second": 0} == {**two, "visits_per_second": 0}


def test_a_long_run_keeps_no_stories() -> None:
    total = running.Total()
    for seed in range(running.MOST_BROKEN + 5):
        total.add(Verdict(seed=seed, visits=1, faults=Counter(), violations=("it broke",), story=("long",)))
    assert total.as_json()["violations"] == running.MOST_BROKEN + 5
    assert len(total.broken) == running.MOST_BROKEN
    assert not any(each.story for each in total.broken)


def test_a_weather_of_one_kind_has_only_that() -> None:
    story = World(1, visits=2, rough=Weather(every_s=1.0, kinds=("hung up",))).run().story
    assert set(story.faults) == {"hung up"}


def test_only_the_named_programs_crash() -> None:
    story = World(2, visits=3, rough=Weather(crash_at_commit=0.05, programs=("site",))).run().story
    assert story.faults
    assert {line.split()[1] for line in story.lines if "is dead" in line} == {"site"}


def test_what_a_killed_program_had_sent_still_arrives() -> None:
    loop, heard = WorldLoop(), []

    class Ear(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            heard.append(data)

    async def killed() -> None:
        network = loop.wires = Network(loop, Random(1))
        life = Life("edge")
        network.listen(Ear, "127.0.0.1", 9)
        dialled = loop.create_task(network.connect(asyncio.Protocol, "", 9), context=context_of(life))
        end, _ = await dialled
        await asyncio.sleep(1.0)
        end.write(b"its last word")
        life.alive = False
        network.died(life, silently=False)
        await asyncio.sleep(1.0)
        assert end.other.lost

    loop.run_until_complete(killed())
    loop.close()
    assert heard == [b"its last word"]


def test_worlds_of_a_run_have_seeds_of_their_own() -> None:
    assert list(worlds(seed=7, visits=45)) == [(7, 20), (8, 20), (9, 5)]


def test_the_command_answers_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["sim", "world", "--seed", "2", "--visits", "2", "--json"])
    assert left.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert told["visits"] == 2
    assert told["violations"] == 0
    assert told["visits_per_second"] > 0


def test_a_violation_is_told_with_its_story(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def one_too_many(books: Evidence) -> list[str]:
        return [f"no_hold_stays_open: session {books.sessions[0].session_id} is made up for this test"]

    monkeypatch.setattr(running, "breaches", one_too_many)
    with pytest.raises(SystemExit) as left:
        main(["sim", "world", "--seed", "4", "--visits", "2"])
    told = capsys.readouterr().err
    assert left.value.code == 1
    assert "made up for this test" in told
    assert "again: tapwatt sim world --seed 4 --visits 2" in told
    assert "offered -> authorising" in told


def test_chance_and_clocks_are_given_back() -> None:
    before = (time.time_ns, time.monotonic, os.urandom)
    World(1, visits=1).run()
    assert (time.time_ns, time.monotonic, os.urandom) == before
