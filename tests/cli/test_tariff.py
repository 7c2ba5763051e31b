"""`tapwatt tariff`: a file is linted without any platform; the rest goes through a real one's API."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.web.scenes import CURVE
from tests.web.serving import serving, site_at
from typer.testing import CliRunner, Result

from tapwatt.cli import _root

RUN = CliRunner()


def tapwatt(*arguments: str, text: str | None = None) -> Result:
    return RUN.invoke(_root("tariff"), ["tariff", *arguments], input=text, standalone_mode=False)


def document(price: str = "0.55", **more: Any) -> str:
    component = {"type": "ENERGY", "price": "PRICE", "vat": 19, "step_size": 1}
    value = {"id": "DC-0.58", "currency": "EUR", "elements": [{"price_components": [component]}], **more}
    return json.dumps(value).replace('"PRICE"', price)


def test_a_lawful_file_has_nothing_against_it(tmp_path: Path) -> None:
    file = tmp_path / "tariff.json"
    file.write_text(document())
    done = tapwatt("lint", str(file), "--country", "de", "--power-kw", "150", "--kind", "DC")
    assert done.stdout.splitlines()[0] == "Energy costs 0.6545 EUR per kWh."
    assert done.stdout.splitlines()[-1] == "nothing to say against it"
    assert done.return_value == 0


def test_an_unlawful_file_is_an_answer_of_no() -> None:
    flat = document().replace("ENERGY", "FLAT")
    done = tapwatt("lint", "-", "--country", "DE", "--power-kw", "150", text=flat)
    assert done.return_value == 1
    line = next(line for line in done.stdout.splitlines() if "[eu-kwh-price]" in line)
    assert line.startswith("error: elements: there is no price per kWh")
    assert line.endswith("(Regulation (EU) 2023/1804 (AFIR), article 5(4); unsure)")
    told = json.loads(tapwatt("lint", "-", "--country", "DE", "--json", text=flat).stdout)
    assert {one["severity"] for one in told["findings"]} >= {"error", "warning"}


@pytest.mark.parametrize(
    ("arguments", "text", "says"),
    [
        (["lint", "-"], "{", "$: is not JSON"),
        (
            ["lint", "-"],
            document(price='"dear"'),
            "$.elements[0].price_components[0].price: must be a number",
        ),
        (["lint", "no/such/file"], None, "no/such/file cannot be read"),
        (["lint", "-", "--kind", "XC"], document(), "is AC or DC"),
        (["put", "-"], '{"id": "T"}', "$.currency: is missing"),
    ],
)
def test_wrong_input_is_one_sentence(arguments: list[str], text: str | None, says: str) -> None:
    done = tapwatt(*arguments, text=text)
    assert says in str(done.exception)


async def test_a_tariff_is_led_through_its_life(tmp_path: Path) -> None:
    async with site_at(tmp_path) as scene, serving(scene) as url:
        await scene.opens()
        await scene.visit(1, *CURVE)

        async def run(*arguments: str, text: str | None = None) -> Result:
            return await asyncio.to_thread(tapwatt, *arguments, "--server", url, text=text)

        listed = (await run("list")).stdout
        assert listed == "DC-0.58  version 1: 0.58 EUR/kWh; 1 stations\n"
        assert "DC-0.58, version 2: draft" in (await run("put", "-", "--by", "Ada", text=document())).stdout
        assert "version 1: in force" in (await run("show", "DC-0.58")).stdout
        told = (await run("simulate", "DC-0.58")).stdout
        assert "version 2: 1 of 1 sessions" in told
        assert "revenue 15.38 EUR before, 17.27 EUR with it: 1.89 EUR" in told
        quoted = await run("quote", "DC-0.58", "--at", "18:00", "--station", "CS1", "--version", "2")
        assert quoted.stdout.splitlines()[0] == "20 kWh in 25 minutes at 18:00 costs 13.09 EUR"
        assert (await run("publish", "DC-0.58")).stdout == "DC-0.58: version 2 is published\n"
        again = await run("publish", "DC-0.58")
        assert (again.return_value, "is published: it cannot be published" in again.stderr) == (1, True)
        dear = await run("put", "-", "--json", text=document("5.5"))
        assert json.loads(dear.stdout)["findings"][0]["rule"] == "price-outlier"
        refused = await run("publish", "DC-0.58")
        assert (refused.return_value, "say why to accept" in refused.stderr) == (1, True)
        assert (await run("publish", "DC-0.58", "--accept", "on purpose")).return_value == 0
        assert (await run("show", "nobody")).return_value == 1
