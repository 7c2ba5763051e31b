"""How the platform is watched: a log line for each step, figures from steps and rows, parts that are away."""

from __future__ import annotations

from pathlib import Path

import structlog
from tests.web.scenes import Scene
from tests.web.serving import site_at

from tapwatt.platform.figures import SessionTally, books, edges
from tapwatt.platform.tables import TRACES
from tapwatt.programs.metrics import page
from tapwatt.programs.runtime import Runtime
from tapwatt.programs.watching import Watch, say_step
from tapwatt.settings import Settings
from tapwatt.traces import Bounds, Recorder


def watch(scene: Scene, tmp_path: Path, *, there: tuple[str, ...]) -> Watch:
    recorder = Recorder(scene.database, TRACES, bounds=Bounds(rows=0, days=1), now_ms=scene.now_ms)
    return Watch(
        Runtime("platform", Settings.read(data=tmp_path)),
        scene.database,
        recorder,
        connected=lambda: (3, there),
        known_edges=lambda: frozenset({"EDGE1", "EDGE2"}),
    )


async def test_each_step_is_a_line_with_its_session_and_reference(tmp_path: Path) -> None:
    async with site_at(tmp_path) as scene:
        scene.engine.subscribe(say_step)
        with structlog.testing.capture_logs() as lines:
            await scene.opens()
            session_id = await scene.visit(1, 44)
            shown = await scene.page(session_id)
    assert shown is not None
    mine = [line for line in lines if line["event"] == "session step"]
    assert {(line["session"], line["reference"]) for line in mine} == {(session_id, shown["reference"])}
    assert next(line["happened"] for line in mine if line["state"] == "closed") == "Captured"
    assert {line["log_level"] for line in mine if line["happened"] == "Metered"} == {"debug"}


async def test_outcomes_and_the_time_to_an_answer_are_counted(tmp_path: Path) -> None:
    async with site_at(tmp_path) as scene:
        tally = SessionTally()
        scene.engine.subscribe(tally.followed)
        await scene.opens()
        await scene.visit(1, 44)
        await scene.declined(2)
        running, _, _ = await scene.charging(1, 90)
        found = await scene.database.read(books)
    assert tally.outcomes == {("Approved", ""): 2, ("Captured", ""): 1, ("Declined", "51"): 1}
    assert (tally.authorised_ms.number, tally.authorised_ms.total) == (3, 12_000)
    assert found.sessions == {"closed": 1, "failed": 1, "charging": 1}
    assert found.open_holds == 1
    assert found.oldest_open_ms is not None
    assert running


async def test_an_edge_that_is_away_is_named(tmp_path: Path) -> None:
    async with site_at(tmp_path) as scene:
        assert await scene.database.read(edges) == {"EDGE1"}
        (part,) = watch(scene, tmp_path, there=("EDGE1",)).parts()
        assert (part.status, part.reason) == ("degraded", "EDGE2 is not connected")
        (part,) = watch(scene, tmp_path, there=("EDGE1", "EDGE2")).parts()
        assert part.status == "ok"
        text = page(await watch(scene, tmp_path, there=("EDGE1",)).figures())
        assert 'tapwatt_connections{kind="station"} 3' in text
        assert "tapwatt_open_holds 0" in text
