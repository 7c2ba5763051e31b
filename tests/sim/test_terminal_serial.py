"""`tapwatt sim terminal --listen pty`: a real program on a pseudo terminal, driven over its serial line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.programs.running import running

from tapwatt.terminals.address import SerialAddress
from tapwatt.terminals.messages import Display, Done, OpenAuthorisations, OpenList, Register, TerminalState
from tapwatt.terminals.zvt.link import EcrLink


async def test_a_program_on_a_pty(tmp_path: Path) -> None:
    async with running("sim", "terminal", "--listen", "pty", data=tmp_path, gateway_port=1) as program:
        path = program.listeners["zvt"]
        assert path.startswith("/dev/")
        link = EcrLink(address=SerialAddress(path=path))
        try:
            registered = await link.run(Register())
            assert isinstance(registered, TerminalState)
            assert registered.tid == "52523535"
            assert await link.run(Display(lines=("Price", "\x10"))) == Done()
            assert await link.run(OpenAuthorisations()) == OpenList(receipts=())
        finally:
            await link.close()


@pytest.mark.parametrize("listen", ["tcp://10.0.0.1:20007", "serial:here", "http://127.0.0.1:1"])
def test_a_senseless_place_is_one_sentence(listen: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tapwatt", "sim", "terminal", "--listen", listen],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--listen" in done.stderr
