"""The full disk: only the program that is meant, only while it runs, and there is room again."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tapwatt.sim.forecourt.disk import UnableToFill, fill, make_room

WRITES = (
    "import sys\n"
    "for line in sys.stdin:\n"
    "    try:\n"
    "        with open(sys.argv[2], 'a') as words: words.write('word')\n"
    "        print('kept', flush=True)\n"
    "    except OSError:\n"
    "        print('full', flush=True)\n"
)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Something that looks like a platform and writes a word when it is told to."""
    program = subprocess.Popen(
        [sys.executable, "-c", WRITES, "serve", str(tmp_path / "words"), "tapwatt"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    (tmp_path / "platform.lock").write_text(f"{program.pid}\n")
    yield program
    program.kill()
    program.communicate()


def writes(program: subprocess.Popen[str]) -> str:
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write("go\n")
    program.stdin.flush()
    return program.stdout.readline().strip()


def test_a_full_disk_takes_nothing_until_there_is_room(
    platform: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert writes(platform) == "kept"
    fill(tmp_path, "platform")
    assert writes(platform) == "full"
    make_room(tmp_path, "platform")
    assert writes(platform) == "kept"


@pytest.mark.parametrize("text", ["", "none", "1\n"])
def test_nobody_else_is_touched(text: str, tmp_path: Path) -> None:
    (tmp_path / "platform.lock").write_text(text)
    before = resource.prlimit(0, resource.RLIMIT_FSIZE)
    for touch in (fill, make_room):
        with pytest.raises(UnableToFill):
            touch(tmp_path, "platform")
    with pytest.raises(UnableToFill):
        fill(tmp_path / "elsewhere", "platform")
    assert resource.prlimit(0, resource.RLIMIT_FSIZE) == before
