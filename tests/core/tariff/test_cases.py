"""Each folder of `cases` is a tariff, a session and the bill that a person worked out: both implementations
must come to it, from the documents as OCPI parties send them."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.core.tariff import slow

from tapwatt.core.bill import PER_LINE, PER_TOTAL, Bill, Rounding
from tapwatt.core.money import decimals, to_major
from tapwatt.core.tariff import Tariff, Usage, price
from tapwatt.ocpi import cdrs, tariffs
from tapwatt.ocpi.document import as_text, parse

CASES = sorted((Path(__file__).parent / "cases").iterdir())
POLICIES = {
    "line": PER_LINE,
    "coins of 5": replace(PER_TOTAL, cash_step_minor=5),
    "lines and coins of 5": replace(PER_LINE, cash_step_minor=5),
}
CLOSE = Fraction(1, 10**20)


def read(case: Path) -> tuple[Tariff, Usage, dict[str, Any]]:
    """What a folder holds."""
    tariff = tariffs.read(parse((case / "tariff.json").read_bytes()))
    usage = cdrs.read_usage(parse((case / "session.json").read_bytes()))
    expected: dict[str, Any] = json.loads((case / "expected.json").read_text("utf-8"))
    return tariff, usage, expected


def policy(expected: dict[str, Any]) -> Rounding:
    """How a case rounds."""
    return POLICIES[expected["rounding"]] if "rounding" in expected else PER_TOTAL


def shown(minor: int, currency: str) -> str:
    """An amount as the case writes it."""
    return f"{to_major(minor, currency=currency):.{decimals(currency)}f}"


def lines(bill: Bill) -> list[tuple[str, Fraction]]:
    """Dimensions and quantities of a bill."""
    return [(line.dimension, Fraction(line.quantity)) for line in bill.lines]


def close(one: Fraction, other: Fraction) -> bool:
    """The same but for what decimals leave off."""
    return abs(one - other) < CLOSE


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_costs_what_a_person_worked_out(case: Path) -> None:
    tariff, usage, expected = read(case)
    bill = price(tariff, usage, policy(expected))
    assert {
        "excl_tax": shown(bill.net_minor, bill.currency),
        "incl_tax": shown(bill.gross_minor, bill.currency),
    } == expected["total"], expected["sum"]
    assert close(Fraction(bill.exact_net), Fraction(expected["exact"]["excl_tax"])), bill.exact_net
    assert close(Fraction(bill.exact_gross), Fraction(expected["exact"]["incl_tax"])), bill.exact_gross
    told = [(name, Fraction(quantity)) for name, quantity in (line.split() for line in expected["lines"])]
    assert [name for name, _ in told] == [name for name, _ in lines(bill)]
    assert all(close(one, other) for (_, one), (_, other) in zip(told, lines(bill), strict=True)), lines(bill)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_slow_way_comes_to_the_same(case: Path) -> None:
    tariff, usage, expected = read(case)
    cost = slow.price(tariff, usage)
    assert close(cost.net, Fraction(expected["exact"]["excl_tax"])), float(cost.net)
    assert close(cost.gross, Fraction(expected["exact"]["incl_tax"])), float(cost.gross)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_survives_being_written_and_read(case: Path) -> None:
    tariff, usage, expected = read(case)
    document = parse((case / "tariff.json").read_bytes())
    version = "2.3.0" if "tax_included" in document else "2.2.1"
    written = as_text(tariffs.write_document(tariffs.read_document(document), version))
    assert parse(written) == {**document, "elements": parse(written)["elements"]}
    assert tariffs.read(parse(written)) == tariff
    bill = price(tariff, usage, policy(expected))
    sent = {"time_zone": usage.time_zone, **parse(as_text(cdrs.write(bill, usage)))}
    again = price(tariff, cdrs.read_usage(sent), policy(expected))
    assert (again.net_minor, again.gross_minor) == (bill.net_minor, bill.gross_minor)


def test_every_case_says_how_it_was_worked_out() -> None:
    assert len(CASES) > 100
    assert [case.name for case in CASES if not read(case)[2]["sum"]] == []
