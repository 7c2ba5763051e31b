"""`tapwatt demo` from outside: what it prints, how it ends, and what is left behind."""

import json
import os
import signal
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.journeys.demo import CHILDREN, Demo, demo

from tapwatt.cli.demo.agreement import AMOUNTS, PARTIES

pytestmark = pytest.mark.programs
STOP_WITHIN_S = 15
UP_WITHIN_S = 120


def sessions_told(said: str) -> set[str]:
    """The sessions that a demo's story is about, by the end of their names."""
    lines = [line.split() for line in said.splitlines() if "plugged in" in line]
    return {words[1] for words in lines}


def test_without_a_window_three_visits_and_the_next_run_tells_only_its_own(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with demo(data) as first:
        assert first.wait() == 0, first.logs()
        told = first.out.read_text()
        assert told.count("plugged in at CS1/") == 3
        assert told.count("done: ") == 3
        assert "open holds: 0" in told
        assert [told.count(party.replace("platform_", "")) >= 1 for party in PARTIES] == [True] * 6
        assert first.children() == {}
        before = sessions_told(told)
    assert data.stat().st_mode & 0o077 == 0

    with demo(data, "--visits", "2", "--exit", "--json") as second:
        assert second.wait() == 0, second.logs()
        result = second.result()
        assert list(result) == ["visits", "open_holds"]
        assert result["open_holds"] == 0
        assert len(result["visits"]) == 2
        assert not before & sessions_told(second.said()), "told again what an earlier run had told"
        for visit in result["visits"]:
            assert list(visit) == ["session", "outcome", "currency", *AMOUNTS, "parties", "agree"]
            assert (visit["outcome"], visit["currency"], visit["agree"]) == ("charged", "EUR", True)
            assert visit["session"][-5:] not in before
            own = {amount: visit[amount] for amount in AMOUNTS}
            assert own["captured_minor"] > 0
            assert own["authorised_minor"] == own["captured_minor"] + own["released_minor"]
            assert visit["parties"] == dict.fromkeys(PARTIES, own)
        assert "Traceback" not in second.logs()


def add_a_cent(database: Path) -> bool:
    """Make a host state a cent more than it took; False while it has taken nothing."""
    with closing(sqlite3.connect(database, timeout=10)) as books, books:
        for name, state in books.execute("SELECT id, state FROM payment"):
            stated = json.loads(state)
            if stated["captured_minor"]:
                stated["captured_minor"] += 1
                books.execute("UPDATE payment SET state = ? WHERE id = ?", (json.dumps(stated), name))
                return True
    return False


def test_one_cent_at_one_party_is_told_and_the_exit_code_is_1(tmp_path: Path) -> None:
    with demo(tmp_path / "data", "--visits", "2", "--exit", "--json") as site:
        site.until_said("done: ", UP_WITHIN_S)
        site.until(lambda: add_a_cent(site.data / "acquirer.sqlite"), "captured at the acquirer")
        assert site.wait() == 1, site.logs()
        assert [visit["agree"] for visit in site.result()["visits"]] == [False, True]
        complaints = [line for line in site.said().splitlines() if line.startswith("tapwatt demo: ")]
        assert complaints == ["tapwatt demo: visit 1: acquirer differs from the others"]


def assert_stops(site: Demo, number: signal.Signals) -> None:
    pids = list(site.children().values())
    began_s = time.monotonic()
    site.process.send_signal(number)
    assert site.wait(STOP_WITHIN_S) == 0, site.logs()
    assert time.monotonic() - began_s < STOP_WITHIN_S
    assert site.children() == {}
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert "Traceback" not in site.logs()


def test_ctrl_c_during_a_visit_stops_everything(tmp_path: Path) -> None:
    with demo(tmp_path / "data", "--visits", "3") as site:
        site.until(lambda: "power flows" in site.out.read_text(), "power flows", UP_WITHIN_S)
        assert set(site.children()) == set(CHILDREN)
        assert_stops(site, signal.SIGINT)


@pytest.mark.parametrize("programs", [1, 4])
def test_a_stop_while_it_still_starts_stops_everything(programs: int, tmp_path: Path) -> None:
    with demo(tmp_path / "data", "--visits", "3", "--json") as site:
        site.until(lambda: len(site.children()) >= programs, f"{programs} programs", UP_WITHIN_S)
        assert_stops(site, signal.SIGTERM)
        assert site.out.read_text() == ""


def test_a_killed_demo_leaves_no_program_behind(tmp_path: Path) -> None:
    with demo(tmp_path / "data", "--visits", "3") as site:
        site.until(lambda: set(site.children()) == set(CHILDREN), "all programs", UP_WITHIN_S)
        site.process.kill()
        site.process.wait()
        site.until(lambda: not site.children(), "alone", within_s=STOP_WITHIN_S)


def test_a_setting_that_makes_no_sense_is_named_in_one_sentence(tmp_path: Path) -> None:
    with demo(tmp_path / "data", "--exit", gateway_timeout_s=99) as site:
        assert site.wait(20) == 2
        said = site.said().splitlines()
        assert len(said) == 1
        assert "TAPWATT_GATEWAY_TIMEOUT_S" in said[0]
        assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("option", ["--visits=0", "--visits=many", "--seed=x", "--nonsense"])
def test_a_wrong_option_is_named_in_one_sentence(option: str, tmp_path: Path) -> None:
    with demo(tmp_path / "data", option) as site:
        assert site.wait(20) == 2
        said = site.said().splitlines()
        assert len(said) == 1
        assert option.partition("=")[0] in said[0]


@pytest.mark.parametrize(("setting", "program"), [("scheme_http_port", "scheme")])
def test_a_taken_port_is_told_with_the_program_that_wants_it(
    setting: str, program: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with demo(tmp_path / "data", "--exit", "--json", **{setting: port}) as site:
            assert site.wait(60) == 1
            last = site.said().splitlines()[-1]
            assert last.startswith("tapwatt demo: ")
            assert program in last
            assert f"127.0.0.1:{port}" in last
            assert "Traceback" not in site.said()
            assert site.children() == {}


def test_a_data_directory_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a directory")
    with demo(tmp_path / "data", "--exit") as site:
        assert site.wait(20) == 2
        assert "TAPWATT_DATA" in site.said()
        assert "Traceback" not in site.said()
        assert os.path.isfile(tmp_path / "data")
