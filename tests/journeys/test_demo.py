"""`tapwatt demo` from outside: what it prints, how it ends, and what is left behind."""

import json
import os
import re
import signal
import socket
import sqlite3
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from tests.journeys.demo import CHILDREN, Demo, demo

from tapwatt.cli.demo.agreement import PARTIES

pytestmark = pytest.mark.programs
STOP_WITHIN_S = 15
UP_WITHIN_S = 120


def sessions_told(said: str) -> set[str]:
    """The sessions that a demo's story is about, by the end of their names."""
    lines = [line.split() for line in said.splitlines() if "plugged in" in line]
    return {words[1] for words in lines}


def add_a_cent(database: Path, *, since_ms: int) -> bool:
    """Make a host state a cent more than it took in a payment; False while there is none."""
    with closing(sqlite3.connect(database, timeout=10)) as books, books:
        rows = books.execute("SELECT id, state FROM payment WHERE created_ms > ?", (since_ms,))
        for name, state in rows.fetchall():
            stated = json.loads(state)
            if stated["captured_minor"]:
                stated["captured_minor"] += 1
                books.execute("UPDATE payment SET state = ? WHERE id = ?", (json.dumps(stated), name))
                return True
    return False


def test_a_run_on_its_own_and_a_second_one_in_which_a_cent_goes_wrong(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with demo(data) as first:
        assert first.wait() == 0, first.logs()
        told = first.out.read_text()
        assert told.count("plugged in at CS1/") == 3, told
        assert told.count("done: ") == 3, told
        assert "open holds: 0" in told
        assert [told.count(party.replace("platform_", "")) >= 1 for party in PARTIES] == [True] * 6
        assert first.children() == {}
        before = sessions_told(told)
    assert data.stat().st_mode & 0o077 == 0

    since_ms = time.time_ns() // 1_000_000
    with demo(data, "--visits", "2", "--exit", "--json", hold_rule="derived") as second:
        second.until_said("done: ", UP_WITHIN_S)
        acquirer = data / "acquirer.sqlite"
        second.until(lambda: add_a_cent(acquirer, since_ms=since_ms), "captured at the acquirer")
        assert second.wait() == 1, second.logs()
        assert not before & sessions_told(second.said()), "told again what an earlier run had told"
        complaints = [line for line in second.said().splitlines() if line.startswith("tapwatt demo: ")]
        assert complaints == ["tapwatt demo: visit 1: acquirer differs from the others"]
        result = second.result()
        assert [visit["session"][-5:] in before for visit in result["visits"]] == [False, False]
        assert [visit["agree"] for visit in result["visits"]] == [False, True]
        # The holds follow the price now, and are what the driver read before the tap.
        read = {Decimal(words) * 100 for words in re.findall(r"Hold ([\d.]+) EUR \(\d+ kWh\)", second.said())}
        assert {visit["authorised_minor"] for visit in result["visits"]} == read != {2500}
        assert "Traceback" not in second.logs()


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
        site.until(lambda: len(site.children()) >= 5, "five programs", UP_WITHIN_S)
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
