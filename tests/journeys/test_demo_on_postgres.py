"""The demo with platform and issuer on PostgreSQL: visits are paid, and a killed platform loses nothing."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from tests.journeys.demo import demo

pytestmark = pytest.mark.programs


def test_visits_agree_although_the_platform_is_killed(tmp_path: Path, new_url: Callable[[str], str]) -> None:
    platform, issuer = new_url("postgresql"), new_url("postgresql")
    settings = {"platform_database_url": platform, "issuer_database_url": issuer}
    with demo(tmp_path / "data", "--visits", "2", "--exit", "--json", **settings) as site:
        site.until_said("The site is up")
        site.until(lambda: statuses(platform) & {"charging"}, "charging")
        os.kill(site.children()["platform"], signal.SIGKILL)
        assert site.wait() == 0, site.logs()
        result = site.result()
        assert [visit["agree"] for visit in result["visits"]] == [True] * 2, site.logs()
        assert result["open_holds"] == 0
        assert "died (SIGKILL)" in site.said()
        assert "Traceback" not in site.logs(), site.logs()
    assert not {"platform.sqlite", "issuer.sqlite"} & {path.name for path in (tmp_path / "data").iterdir()}
    assert len(statuses(platform)) == 1


def statuses(url: str) -> set[str]:
    """The statuses of the platform's sessions."""
    with psycopg.connect(url) as connection:
        return {status for (status,) in connection.execute("SELECT status FROM session")}
