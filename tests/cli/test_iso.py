"""`tapwatt iso explain|pack`: the golden vectors through the command, masked, line by line, wrong input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "iso8583").glob("*/*.json"))
HOLD = Path(__file__).parents[1] / "vectors" / "iso8583" / "1987-ascii" / "0100-hold.json"
LIVE_LOOKING = "4539148803436" + "467"  # passes the check digit, published by nobody


def tapwatt(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TAPWATT_")}
    return subprocess.run(
        [sys.executable, "-c", "from tapwatt.cli import main; main()", *arguments],
        input=stdin,
        env=clean,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def vector(path: Path) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return row


def document(row: dict[str, Any]) -> dict[str, Any]:
    fields = {**row["fields"], **row["binary"]}
    return {"mti": row["mti"], "fields": {key: fields[key] for key in sorted(fields, key=int)}}


def refused(done: subprocess.CompletedProcess[str], *says: str) -> None:
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    for word in says:
        assert word in done.stderr


@pytest.mark.parametrize("dialect", ["1987-ascii", "1987-bcd"])
def test_every_vector_both_ways_by_lines(dialect: str) -> None:
    rows = [vector(path) for path in VECTORS if path.parent.name == dialect]
    hexes = "".join(f"{row['hex']}\n" for row in rows)
    explained = tapwatt("iso", "explain", "--lines", "--unmask", "--dialect", dialect, stdin=hexes)
    assert explained.returncode == 0, explained.stderr
    answers = [json.loads(line) for line in explained.stdout.splitlines()]
    for row, answer in zip(rows, answers, strict=True):
        if "error" in answer:  # no card number in it, and something to hide: it stays masked
            assert "2" not in row["fields"], row["title"]
        else:
            assert answer == document(row)
    documents = "".join(f"{json.dumps(document(row))}\n" for row in rows)
    packed = tapwatt("iso", "pack", "--lines", "--dialect", dialect, stdin=documents)
    assert packed.stdout.splitlines() == [row["hex"] for row in rows]


def test_explain_masks_and_says_nothing_else() -> None:
    row = vector(HOLD)
    done = tapwatt("iso", "explain", row["hex"], "--json")
    shown = json.loads(done.stdout)
    assert (done.returncode, done.stderr, set(shown)) == (0, "", {"mti", "fields"})
    assert shown["fields"]["2"] == "411111******1111"
    assert shown["fields"]["4"] == "000000005000"
    assert row["fields"]["2"] not in done.stdout
    assert "3112" not in shown["fields"]["14"]


def test_a_file_is_packed_and_a_masked_document_is_not(tmp_path: Path) -> None:
    row = vector(HOLD)
    file = tmp_path / "hold.json"
    file.write_text(json.dumps(document(row)))
    assert tapwatt("iso", "pack", str(file)).stdout == row["hex"] + "\n"
    assert json.loads(tapwatt("iso", "pack", str(file), "--json").stdout) == {"hex": row["hex"]}
    masked = tapwatt("iso", "explain", row["hex"]).stdout
    refused(tapwatt("iso", "pack", "-", stdin=masked), "field 2", "masked")


def test_only_a_published_test_card_is_unmasked() -> None:
    row = vector(HOLD)
    fields = {**document(row)["fields"], "2": LIVE_LOOKING}
    packed = tapwatt("iso", "pack", "-", stdin=json.dumps({"mti": "0100", "fields": fields})).stdout.strip()
    done = tapwatt("iso", "explain", packed, "--unmask")
    refused(done, "test number")
    assert LIVE_LOOKING not in done.stderr
    track = {"mti": "0100", "fields": {"2": "4111111111111111", "35": f"{LIVE_LOOKING}=31122010000"}}
    packed = tapwatt("iso", "pack", "-", stdin=json.dumps(track)).stdout.strip()
    refused(tapwatt("iso", "explain", packed, "--unmask"), "test number")


def test_a_bad_line_is_answered_and_the_next_one_read() -> None:
    row = vector(HOLD)
    lines = ["zz", row["hex"], "", "30" * 40_000, row["hex"][:-2], row["hex"]]
    done = tapwatt("iso", "explain", "--lines", stdin="\n".join(lines) + "\n")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert ["error" in answer for answer in answers] == [True, False, True, True, True, False]
    assert "field" in answers[4]["error"]
    good = json.dumps(document(row))
    done = tapwatt("iso", "pack", "--lines", stdin=f"{{\n{good}\n[]\n{good}")
    answers_of_pack = done.stdout.splitlines()
    assert [line.startswith("{") for line in answers_of_pack] == [True, False, True, False]
    assert answers_of_pack[3] == row["hex"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"mti": "0100", "fields": {"4": 5000}}, "field 4"),
        ({"mti": "0100", "fields": {"4": "5000"}}, "field 4: length is 4, not 12"),
        ({"mti": "0100", "fields": {"3": "00000x"}}, "field 3"),
        ({"mti": "0100", "fields": {"52": "zz"}}, "field 52"),
        ({"mti": "0100", "fields": {"1": "00"}}, "field 1"),
        ({"mti": "0100", "fields": {"02": "00"}}, "'02'"),
        ({"mti": "9999", "fields": {}}, "message type"),
        ({"mti": 100, "fields": {}}, "mti"),
        ({"mti": "0100"}, "fields"),
        ({"mti": "0100", "fields": {}, "more": 1}, "nothing else"),
        ([], "object"),
    ],
)
def test_a_wrong_document_names_field_and_reason(given: object, says: str) -> None:
    refused(tapwatt("iso", "pack", "-", stdin=json.dumps(given)), says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("explain", "3"), "hex"),
        (("explain", "30383030"), "message"),
        (("explain", "30383030", "--dialect", "2003"), "1987-bcd"),
        (("explain",), "--lines"),
        (("explain", "30", "--lines"), "--lines"),
        (("pack", "no-such-file.json"), "no-such-file.json"),
        (("pack",), "--lines"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: tuple[str, ...], says: str) -> None:
    refused(tapwatt("iso", *arguments), says)


def test_a_name_given_twice_is_refused() -> None:
    refused(
        tapwatt("iso", "pack", "-", stdin='{"mti":"0800","fields":{"11":"000001","11":"000002"}}'), "twice"
    )
