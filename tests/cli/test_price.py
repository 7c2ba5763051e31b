"""`tapwatt price`: the documents' bill as JSON and as a table, from files and stdin, and wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.test_iso import refused, tapwatt
from tests.ocpi.samples import NEWER, OLDER, SESSION


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A tariff and a session on disk."""
    tariff, session = tmp_path / "tariff.json", tmp_path / "session.json"
    tariff.write_text(OLDER, "utf-8")
    session.write_text(SESSION, "utf-8")
    return str(tariff), str(session)


def test_the_bill_as_one_json_document(files: tuple[str, str]) -> None:
    done = tapwatt("price", *files, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    bill = json.loads(done.stdout)
    assert bill["currency"] == "EUR"
    assert bill["total"] == {"excl_tax": "4.53", "incl_tax": "4.95"}
    assert bill["exact"] == {"excl_tax": "4.5297", "incl_tax": "4.9497"}
    assert bill["taxes"] == [{"name": "VAT", "percentage": "21", "base": "2.00", "amount": "0.42"}]
    energy = next(line for line in bill["lines"] if line["dimension"] == "energy")
    assert energy == {
        "dimension": "energy",
        "quantity": "20.5",
        "unit": "kWh",
        "unit_price": "0.1234",
        "tax_included": False,
        "excl_tax": "2.5297",
        "tax": "0",
        "incl_tax": "2.5297",
        "taxes": [],
        "start": "2026-07-01T10:00:00Z",
        "end": "2026-07-01T11:00:00Z",
        "element": 1,
        "why": "tariff 12, element 2",
    }


def test_the_bill_as_a_table(files: tuple[str, str]) -> None:
    done = tapwatt("price", *files)
    assert done.returncode == 0
    for words in ("20.5 kWh", "0.1234", "4.53 EUR", "4.95 EUR", "tariff 12, element 2", "total, half up"):
        assert words in done.stdout


@pytest.mark.parametrize("place", [0, 1])
def test_one_of_the_two_may_be_stdin(files: tuple[str, str], place: int) -> None:
    given = [*files]
    given[place] = "-"
    done = tapwatt("price", *given, "--json", stdin=(OLDER, SESSION)[place])
    assert json.loads(done.stdout)["total"]["incl_tax"] == "4.95"


def test_each_line_rounded(files: tuple[str, str]) -> None:
    done = tapwatt("price", *files, "--json", "--rounding", "line")
    bill = json.loads(done.stdout)
    assert (bill["total"]["excl_tax"], bill["rounding"]) == ("4.53", "each line, half up")


def test_wrong_input_is_named(files: tuple[str, str], tmp_path: Path) -> None:
    tariff, session = files
    broken = tmp_path / "broken.json"
    broken.write_text(OLDER.replace("0.1234", '"0.1234"'), "utf-8")
    refused(
        tapwatt("price", str(broken), session, "--json"),
        "$.elements[1].price_components[0].price: must be a number",
    )
    broken.write_text(SESSION.replace("20.5", "-20.5"), "utf-8")
    refused(tapwatt("price", tariff, str(broken)), "$.charging_periods[0].dimensions[0].volume: must be 0 or")
    broken.write_text("{", "utf-8")
    refused(tapwatt("price", tariff, str(broken)), "SESSION.json", "$: is not JSON")
    refused(tapwatt("price", str(tmp_path / "none.json"), session), "none.json cannot be read: No such file")
    refused(tapwatt("price", "-", "-"), "only one of the two")
    refused(tapwatt("price", *files, "--rounding", "up"), "is total or line")
    refused(tapwatt("price", str(tmp_path), session), "cannot be read: Is a directory")


def test_a_tariff_with_every_field_is_priced(tmp_path: Path, files: tuple[str, str]) -> None:
    newer = tmp_path / "newer.json"
    newer.write_text(NEWER, "utf-8")
    done = tapwatt("price", str(newer), files[1], "--json")
    assert json.loads(done.stdout)["exact"]["excl_tax"] == "10.045"
