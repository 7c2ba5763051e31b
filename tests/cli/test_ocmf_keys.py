"""`tapwatt ocmf keys` through a real platform's API."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.platform.test_meter_keys import KEY, OTHER_KEY
from tests.web.serving import serving, site_at
from typer.testing import CliRunner, Result

from tapwatt.cli import _root

RUN = CliRunner()
LABEL = ("--source", "label on the meter")


def tapwatt(*arguments: str, text: str | None = None) -> Result:
    return RUN.invoke(_root("ocmf"), ["ocmf", "keys", *arguments], input=text, standalone_mode=False)


async def test_a_key_is_led_through_its_life(tmp_path: Path) -> None:
    async with site_at(tmp_path) as scene, serving(scene) as url:

        async def run(*arguments: str, text: str | None = None) -> Result:
            return await asyncio.to_thread(tapwatt, *arguments, "--server", url, text=text)

        file = tmp_path / "key.hex"
        file.write_text(KEY)
        assert (await run("list")).stdout == ""
        added = await run("add", "EM/24 7", str(file), *LABEL, "--by", "Ada")
        assert added.stdout == "EM/24 7  since ever  no end  label on the meter, by Ada\n"
        again = await run("add", "EM/24 7", "-", *LABEL, text=OTHER_KEY)
        assert (again.return_value, "end it first" in again.stderr) == (1, True)
        at = "2026-03-01T12:00:00+01:00"
        ended = await run("end", "EM/24 7", "--at", at)
        assert "  since ever  until 2026-03-01T11:00:00Z  " in ended.stdout
        assert (await run("end", "EM/24 7")).return_value == 1
        told = await run("add", "EM/24 7", "-", *LABEL, "--from", at, "--json", text=OTHER_KEY)
        row = json.loads(told.stdout)
        assert (row["valid_from_ms"], row["valid_to_ms"], row["key"]) == (1_772_362_800_000, None, OTHER_KEY)
        assert [line.split("  ")[1] for line in (await run("list")).stdout.splitlines()] == [
            "since ever",
            "2026-03-01T11:00:00Z",
        ]
        assert json.loads((await run("list", "--json")).stdout)["meter_keys"][1] == row
        assert (await run("end", "M9")).return_value == 1
        wrong = await run("add", "M9", "-", *LABEL, text="zz")
        assert "key: is neither hex nor base64" in str(wrong.exception)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "M", "no/such/file", *LABEL), "no/such/file cannot be read"),
        (("add", "M", "-", *LABEL, "--from", "soon"), "is no time"),
        (("add", "M", "-", *LABEL, "--until", "2026-03-01T12:00:00"), "has no zone"),
        (("end", "M", "--at", "2026-03-01"), "has no zone"),
        (("add", "M", "-"), "Missing parameter: source"),
    ],
)
def test_wrong_input_is_one_sentence(arguments: tuple[str, ...], says: str) -> None:
    assert says in str(tapwatt(*arguments, text=KEY).exception)


def test_a_key_file_of_bytes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key.der"
    file.write_bytes(bytes.fromhex(KEY))
    assert "is no text: give hex, base64 or PEM" in str(tapwatt("add", "M", str(file), *LABEL).exception)


@pytest.mark.parametrize("name", ["list", "add", "end"])
def test_every_command_has_help_with_an_example(name: str) -> None:
    assert f"Example: tapwatt ocmf keys {name}" in " ".join(tapwatt(name, "--help").stdout.split())
