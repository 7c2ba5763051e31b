"""Figures in Prometheus's text, and health with its reasons."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from tapwatt.programs.health import Part, told
from tapwatt.programs.metrics import (
    AnswerFigures,
    Family,
    Histogram,
    counter,
    gauge,
    gauges,
    own_figures,
    page,
)
from tapwatt.programs.runtime import Runtime
from tapwatt.settings import Settings
from tapwatt.store import Transaction, UnableToStore
from tapwatt.store.tally import Tally

LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
SAMPLE = re.compile(rf"[a-zA-Z_:][a-zA-Z0-9_:]*(\{{{LABEL}(,{LABEL})*\}})? (-?\d+(\.\d+)?(e[+-]?\d+)?|\+Inf)")
COMMENT = re.compile(r"# (HELP|TYPE) [a-z_0-9]+ .+")


def runtime(tmp_path: Path) -> Runtime:
    return Runtime("gateway", Settings.read(data=tmp_path))


def test_a_tally_counts_up_to_its_bounds() -> None:
    tally = Tally((1, 5, 10))
    for figure in (0, 1, 2, 5, 11):
        tally.add(figure)
    assert (tally.counts, tally.total, tally.number) == ([2, 2, 0, 1], 19, 5)


def test_every_line_is_as_the_format_wants_it() -> None:
    tally = Tally((500, 1_000))
    tally.add(700)
    tally.add(9_000)
    text = page(
        [
            gauge("up_seconds", "Seconds.", 3),
            gauges("sessions", "By state.", "state", {"closed": 2, 'odd "\\\n state': 1}),
            counter("answers", "Answers.", {(("mti", "0110"), ("code", "00")): 4}),
            Histogram(name="tapwatt_x_seconds", help="Time.", tally=tally, per=1000),
            Family(name="tapwatt_none", kind="gauge", help="Nothing yet."),
        ]
    )
    assert text.endswith("\n")
    for line in text.splitlines():
        assert COMMENT.fullmatch(line) or SAMPLE.fullmatch(line), line
    assert 'tapwatt_x_seconds_bucket{le="0.5"} 0\ntapwatt_x_seconds_bucket{le="1"} 1\n' in text
    assert (
        'tapwatt_x_seconds_bucket{le="+Inf"} 2\ntapwatt_x_seconds_sum 9.7\ntapwatt_x_seconds_count 2\n'
        in text
    )


def test_answers_are_counted_by_code_and_timed_from_their_question() -> None:
    figures = AnswerFigures()
    figures.asked("a", 1_000)
    figures.answered("a", "0110", "00", 1_300)
    figures.answered("never asked", "0110", "51", 9_000)
    figures.asked("b", 1_000)
    figures.answered("b", "0230", "00", 9_000)
    assert figures.answers[(("mti", "0110"), ("code", "51"))] == 1
    assert (figures.authorised_ms.number, figures.authorised_ms.total) == (1, 300)


async def test_a_database_that_refuses_is_down_until_it_does_not(tmp_path: Path) -> None:
    program = runtime(tmp_path)
    database = await program.database(MetaData())
    assert told(program, [], {})[0] == 200

    def lost(tx: Transaction) -> None:
        tx._connection.rollback()
        raise UnableToStore("the disk is full")

    with pytest.raises(UnableToStore):
        await database.write(lost)
    status, body = told(program, [Part(name="line", reason="no line")], {"lines": {}})
    assert (status, body["status"]) == (503, "down")
    assert "the last commit failed" in str(body["parts"])
    assert "tapwatt_writer_failures_total 1" in page(own_figures(program))
    await database.write(lambda tx: None)
    status, body = told(program, [Part(name="line", reason="no line")], {})
    assert (status, body["status"]) == (200, "degraded")
    assert told(program, [Part(name="line")], {})[1]["status"] == "ok"
    await program.closing.aclose()
