"""The benches: each has its section on the page, keeps the others' sections, and still runs."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from bench import iso8583, store, tariff, world
from bench.__main__ import BENCHES, main
from bench.authorisations import bench_pan
from bench.figures import PAGE, Section, as_markdown, as_text, interleaved, percentile, spread, write_page
from tests.postgres import Server

from tapwatt.rails.iso8583 import load_spec
from tapwatt.rails.sandbox import cards, network

SECTION = Section(
    title="something", about="About it.", head=("", "a second"), rows=(("it", "7"),), notes=("N.",)
)


def with_a_measure() -> Iterator[str]:
    """The bench files: those that measure something."""
    for path in (Path(__file__).parent.parent / "bench").glob("*.py"):
        if "\ndef measure()" in path.read_text("utf-8"):
            yield path.stem


def test_every_bench_file_has_its_row_and_its_section() -> None:
    assert sorted(with_a_measure()) == sorted(BENCHES)
    text = PAGE.read_text("utf-8")
    assert [name for name in BENCHES if f"\n## {name}: " not in text] == []
    assert [name for name in BENCHES if f'`make bench ARGS="{name}"`' not in text] == []


def test_a_section_written_again_leaves_the_others(tmp_path: Path) -> None:
    page, order = tmp_path / "bench.md", ("first", "second")
    for name, day in (("second", "2026-01-01"), ("first", "2026-01-02"), ("second", "2026-01-03")):
        write_page(page, {name: as_markdown(name, SECTION, where="here", day=day)}, order)
    text = page.read_text("utf-8")
    assert text.index("## first: something") < text.index("## second: something")
    assert [day in text for day in ("2026-01-01", "2026-01-02", "2026-01-03")] == [False, True, True]
    assert text.count("| it | 7 |") == 2


def test_figures_are_medians_with_their_spread() -> None:
    found = spread([5.0, 1.0, 2.0, 3.0, 4.0])
    assert (found.low, found.median, found.high, found.text()) == (1.0, 3.0, 5.0, "3.0 (1.0–5.0)")
    assert percentile([float(number) for number in range(100)], 99) == 99.0
    assert "it  7" in as_text("name", SECTION)


def test_contenders_take_turns() -> None:
    heard: list[str] = []
    taken = interleaved({"a": lambda: heard.append("a"), "b": lambda: heard.append("b")}, rounds=2, times=1)
    assert (heard, [len(values) for values in taken.values()]) == (["a", "b", "b", "a"], [2, 2])


def test_an_unknown_bench_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["speed"]) == 2
    assert "no bench speed" in capsys.readouterr().err


@pytest.mark.parametrize("dialect", iso8583.DIALECTS)
def test_the_codecs_compared_do_the_same(dialect: str) -> None:
    message = iso8583.request()
    contenders = iso8583.contenders(load_spec(dialect), message)
    assert contenders["our decode"]() == message
    assert bytes(contenders["their encode"]()[0]) == contenders["our encode"]()
    assert len(message.fields) == 25


def test_the_store_bench_runs_on_both_engines(
    tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ROUNDS", 1)
    monkeypatch.setattr(store, "ROUND_S", 0.01)
    found = asyncio.run(store.measured(tmp_path, postgres))
    assert list(found) == ["SQLite", "PostgreSQL"]
    assert found["SQLite"].keys() == found["PostgreSQL"].keys()
    for contenders in found.values():
        assert len(contenders) == 1 + 2 * len(store.CALLERS)
        assert all(rate > 0 for rates in contenders.values() for rate in rates)


def test_the_bench_asks_postgresql_for_durable_commits_and_gets_them() -> None:
    server = Server(durable=True)
    try:
        with psycopg.connect(server.url("postgres")) as connection:
            asked = "SELECT current_setting('fsync'), current_setting('synchronous_commit')"
            assert connection.execute(asked).fetchone() == ("on", "on")
    finally:
        server.close()


def test_the_world_bench_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "ROUNDS", 1)
    monkeypatch.setattr(world, "VISITS_A_WORLD", 2)
    section = world.measure()
    assert [row[0] for row in section.rows] == ["as the seeds have it", "without faults"]


def test_bench_cards_are_the_issuers_and_nobody_elses() -> None:
    pans = {bench_pan(number) for number in range(128)}
    assert len(pans) == 128
    assert not pans & {card.pan for card in cards()}
    routes = {network().route(pan) for pan in pans}
    assert {route.issuer for route in routes if route} == {network().institutions.issuer}
    for pan in pans:
        doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(pan))]
        assert sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


@pytest.mark.parametrize("case", tariff.CASES)
def test_the_two_ways_to_price_come_to_the_same(case: str) -> None:
    ways = tariff.contenders(tariff.CASES[case][0])
    assert ways["tapwatt"]() == ways["tapwatt"]()
    assert list(ways) == ["tapwatt", "slow"]
