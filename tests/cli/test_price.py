"""`tapwatt price`: the documents' bill as JSON and as a table, from files and stdin, and wrong input."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.cli.test_iso import tapwatt
from tests.ocpi.samples import NEWER, OLDER, SESSION

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "tariffs.md"


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A tariff and a session on disk."""
    tariff, session = tmp_path / "tariff.json", tmp_path / "session.json"
    tariff.write_text(OLDER, "utf-8")
    session.write_text(SESSION, "utf-8")
    return str(tariff), str(session)


def refused(*arguments: str, says: str) -> None:
    """One sentence on stderr, nothing on stdout, exit code 2."""
    done = tapwatt("price", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert says in done.stderr


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
    broken = str(tmp_path / "broken.json")

    def text(of: str) -> str:
        Path(broken).write_text(of, "utf-8")
        return broken

    refused(
        text(OLDER.replace("0.1234", '"0.1234"')),
        session,
        "--json",
        says="TARIFF.json: $.elements[1].price_components[0].price: must be a number",
    )
    refused(
        tariff,
        text(SESSION.replace("20.5", "-20.5")),
        says="SESSION.json: $.charging_periods[0].dimensions[0].volume: must be 0 or more",
    )
    refused(tariff, text("{"), says="SESSION.json: $: is not JSON")
    refused(str(tmp_path / "none.json"), session, says="none.json cannot be read: No such file")
    refused(str(tmp_path), session, says="cannot be read: Is a directory")
    refused("-", "-", says="only one of the two can be stdin")
    refused(*files, "--rounding", "up", says="is total or line")


def test_a_tariff_with_every_field_is_priced(tmp_path: Path, files: tuple[str, str]) -> None:
    newer = tmp_path / "newer.json"
    newer.write_text(NEWER, "utf-8")
    done = tapwatt("price", str(newer), files[1], "--json")
    assert json.loads(done.stdout)["exact"]["excl_tax"] == "10.045"


def test_the_guide_was_followed_as_written(tmp_path: Path) -> None:
    text = GUIDE.read_text("utf-8")
    given = re.findall(r"^cat > (\w+\.json) <<'END'\n(.*?)^END$", text, re.M | re.S)
    paths = [tmp_path / name for name, _ in given]
    for path, (_, document) in zip(paths, given, strict=True):
        path.write_text(document, "utf-8")
    assert "tapwatt price tariff.json session.json" in text
    done = tapwatt("price", *map(str, paths))
    shown = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    assert "\n".join(shown) in "\n".join(line.strip() for line in text.splitlines() if line.strip())
