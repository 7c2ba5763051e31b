"""Any program of the demo is killed at any moment, and nobody loses money (issue 2, "Done when")."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
from tests.journeys.demo import CHILDREN, demo

from tapwatt.cli.demo.agreement import AMOUNTS, PARTIES

pytestmark = pytest.mark.programs

# A longer trial by hand: DEMO_KILLS=10 make test ARGS="tests/journeys/test_demo_killed.py".
SEEDS = range(int(os.environ.get("DEMO_KILLS", "3")))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_program_killed_at_any_moment_costs_nothing(seed: int, tmp_path: Path) -> None:
    chance = random.Random(f"kill {seed}")
    victim = chance.choice(sorted(CHILDREN))
    while_starting = chance.random() < 0.25
    delay_s = chance.uniform(0, 20)
    with demo(tmp_path / "data", "--visits", "3", "--exit", "--json") as site:
        if not while_starting:
            site.until_said("The site is up")
        time.sleep(delay_s)
        site.until(lambda: victim in site.children(), f"started {victim}")
        os.kill(site.children()[victim], signal.SIGKILL)
        story = f"{victim} killed {delay_s:.1f} s after {'the start' if while_starting else 'it was up'}"
        assert site.wait() == 0, f"{story}\n{site.logs()}"
        result = site.result()
        assert list(result) == ["visits", "open_holds"]
        for visit in result["visits"]:
            assert list(visit) == ["session", "outcome", "currency", *AMOUNTS, "parties", "agree"], visit
            assert visit["outcome"] in ("charged", "released", "declined", "failed", "closed"), visit
            own = {amount: visit[amount] for amount in AMOUNTS}
            assert own["authorised_minor"] == own["captured_minor"] + own["released_minor"], visit
            assert list(visit["parties"]) == list(PARTIES), visit
        assert [visit["agree"] for visit in result["visits"]] == [True] * 3, story
        assert result["open_holds"] == 0, story
        assert "died (SIGKILL)" in site.said(), story
        assert "Traceback" not in site.logs(), f"{story}\n{site.logs()}"
        assert site.children() == {}, story
