"""The command imports nothing heavy to answer, and refuses in one sentence."""

import json
import os
import subprocess
import sys

import pytest

from tapwatt import cli

HEAVY = ("fastapi", "sqlalchemy", "alembic", "fpdf2", "pydantic_settings", "uvicorn", "websockets")


def tapwatt(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as a user does: another process, its own environment."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TAPWATT_")}
    return subprocess.run(
        [sys.executable, "-c", "from tapwatt.cli import main; main()", *arguments],
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_imports_nothing_heavy() -> None:
    look = f"""
import sys
from tapwatt.cli import main
try:
    main(["--help"])
except SystemExit as left:
    assert left.code == 0
found = [name for name in {HEAVY!r} if name in sys.modules]
sys.stderr.write(",".join(found))
"""
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_help_lists_every_command_with_its_sentence() -> None:
    shown = tapwatt("--help").stdout
    for name, (_, sentence) in cli.COMMANDS.items():
        assert name in shown
        assert sentence[:30] in shown


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    done = tapwatt(name, "--help")
    assert done.returncode == 0, done.stderr
    assert "Example:" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "--help"),
        (("nonsense",), "nonsense"),
        (("--nonsense",), "--nonsense"),
        (("version", "surplus"), "surplus"),
        (("settings", "--nonsense"), "--nonsense"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_two(arguments: tuple[str, ...], says: str) -> None:
    done = tapwatt(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("tapwatt: ")
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


def test_a_senseless_setting_is_one_sentence_and_exit_code_two() -> None:
    done = tapwatt("settings", TAPWATT_OCPP_PORT="many")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "TAPWATT_OCPP_PORT" in done.stderr


def test_settings_in_force_as_one_json_document() -> None:
    done = tapwatt("settings", "--json", TAPWATT_OCPP_PORT="0")
    assert json.loads(done.stdout)["TAPWATT_OCPP_PORT"] == 0


def test_python_without_assertions_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-O", "-c", "from tapwatt.cli import main; main(['version'])"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "-O" in done.stderr


def test_a_reader_that_leaves_early_is_no_crash() -> None:
    done = subprocess.run(
        f"{sys.executable} -c 'from tapwatt.cli import main; main()' settings --page | true",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
