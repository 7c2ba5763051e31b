"""`tapwatt edge` as a process: killed at the worst moments, started again, and the money is right."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.edge.device import Device
from tests.edge.site import PlatformSide, capture, preauthorise, until

from tapwatt.edge import tables
from tapwatt.terminals.profiles import load_profile
from tapwatt.terminals.zvt.link import Dialogue
from tapwatt.terminals.zvt.messages import Command
from tapwatt.uplink.messages import Result

pytestmark = pytest.mark.programs


class Program:
    """The edge as its user starts it."""

    def __init__(self, data: Path, device: Device, platform: PlatformSide) -> None:
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TAPWATT_")},
            "TAPWATT_DATA": str(data),
            "TAPWATT_TERMINAL_PORT": str(device.port),
            "TAPWATT_EDGE_PORT": str(platform.port),
        }
        self.said = ""

    async def start(self) -> None:
        """Start and wait for the ready line."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from tapwatt.cli import main; main()",
            "edge",
            env=self._environment,
            stderr=asyncio.subprocess.PIPE,
        )
        assert self.process.stderr is not None
        async with asyncio.timeout(15):
            while "ready" not in (line := (await self.process.stderr.readline()).decode()):
                assert line, f"it ended: {self.said}"
                self.said += line
        self._draining = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.said += line.decode()

    async def end(self, number: int) -> int:
        """Send a signal and wait."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(10):
            code = await self.process.wait()
        await self._draining
        return code


@pytest.fixture
async def program(device: Device, platform: PlatformSide, tmp_path: Path) -> AsyncIterator[Program]:
    program = Program(tmp_path, device, platform)
    await program.start()
    yield program
    await program.end(signal.SIGKILL)


async def test_a_visit_and_a_graceful_stop(program: Program, device: Device, platform: PlatformSide) -> None:
    await platform.call(preauthorise())
    hold = await platform.outcome("S1.p1", Result.APPROVED)
    await platform.call(capture(hold, 1234))
    await platform.outcome("S1.p2", Result.DONE)
    assert platform.hellos()[0].edge_id == "EDGE1"
    assert await program.end(signal.SIGTERM) == 0
    assert device.captured == {hold.receipt: 1234}
    assert "Traceback" not in program.said


async def test_killed_after_the_hosts_yes(program: Program, device: Device, platform: PlatformSide) -> None:
    device.next_time(Command.PREAUTHORISATION, device.approve_and_fall_silent)
    await platform.call(preauthorise())
    await until(lambda: bool(device.open))
    await program.end(signal.SIGKILL)
    await program.start()
    found = await platform.outcome("S1.p1", Result.FOUND_OPEN)
    assert (found.receipt, found.amount_minor) == ("0231", None)
    assert device.times(Command.PREAUTHORISATION) == 1


async def test_killed_between_040f_and_060f(program: Program, device: Device, platform: PlatformSide) -> None:
    async def killed(dialogue: Dialogue) -> None:
        hold = device.approval(5000)
        await dialogue.accept()
        device.open[hold.receipt] = 5000
        await dialogue.status(hold)
        await program.end(signal.SIGKILL)

    device.next_time(Command.PREAUTHORISATION, killed)
    await platform.call(preauthorise())
    await until(lambda: program.process.returncode is not None)
    await program.start()
    approved = await platform.outcome("S1.p1", Result.APPROVED)
    assert (approved.amount_minor, approved.receipt, approved.token) == (5000, "0231", "A1B2C3D4")
    assert device.times(Command.PREAUTHORISATION) == 1


@pytest.mark.parametrize("done", [True, False])
async def test_killed_during_a_capture(
    program: Program, device: Device, platform: PlatformSide, done: bool
) -> None:
    await platform.call(preauthorise())
    hold = await platform.outcome("S1.p1", Result.APPROVED)

    async def killed(dialogue: Dialogue) -> None:
        await dialogue.accept()
        if done:
            device.captured[hold.receipt] = 5000 - (dialogue.message.number("amount_minor") or 0)
            del device.open[hold.receipt]
        await program.end(signal.SIGKILL)

    device.next_time(Command.PARTIAL_REVERSAL, killed)
    await platform.call(capture(hold, 1234))
    await until(lambda: program.process.returncode is not None)
    await program.start()
    outcome = await platform.outcome("S1.p2", Result.ALREADY_DONE if done else Result.DONE)
    assert outcome.amount_minor == 1234
    assert device.captured == {hold.receipt: 1234}
    assert device.times(Command.PREAUTHORISATION) == 1
    assert device.times(Command.PARTIAL_REVERSAL) == (1 if done else 2)
    assert device.open == {}


async def test_told_to_stop_while_a_card_is_awaited(
    program: Program, device: Device, platform: PlatformSide
) -> None:
    device.next_time(Command.PREAUTHORISATION, device.fall_silent)
    await platform.call(preauthorise())
    await until(lambda: device.times(Command.PREAUTHORISATION) == 1)
    assert await program.end(signal.SIGTERM) == 0
    await program.start()
    await platform.outcome("S1.p1", Result.FOUND_NONE)


def test_the_sandbox_names_a_terminal_we_have_a_profile_for() -> None:
    site = tables.sandbox()
    assert site.edge_id == "EDGE1"
    (place,) = site.terminals
    assert load_profile(place.profile).protocol == "zvt"
    assert (place.terminal_id, place.serial, place.port) == ("T1", "TW4000-000001", None)
    assert place.password not in repr(place)
