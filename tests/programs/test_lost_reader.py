"""A program whose log nobody reads any more still stops when it is told to."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.programs.running import quiet_environment


@pytest.mark.programs
def test_a_program_stops_though_the_reader_of_its_log_is_gone(tmp_path: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "tapwatt", "host", "issuer"],
        env=quiet_environment(tmp_path, {}),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stderr is not None
        assert "issuer ready" in program.stderr.readline()
        program.stderr.close()
        program.terminate()
        assert program.wait(10) == 0
    finally:
        program.kill()
