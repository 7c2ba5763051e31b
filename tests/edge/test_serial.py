"""`tapwatt edge` drives a terminal on a serial line: its row has an address, all else is the same."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest
from tests.edge.device import Device
from tests.edge.site import PlatformSide, capture, preauthorise
from tests.edge.test_program import Program

from tapwatt.edge import tables
from tapwatt.programs.edge import terminal_address
from tapwatt.programs.runtime import UnableToStart
from tapwatt.settings import Settings
from tapwatt.store import SyncDatabase
from tapwatt.terminals.address import TcpAddress
from tapwatt.terminals.zvt.link import open_pty
from tapwatt.uplink.messages import Result

pytestmark = pytest.mark.programs


def enter(data: Path, address: str) -> None:
    """What an installer does: the terminal's row, before the edge starts."""
    site = tables.sandbox()
    site = replace(site, terminals=tuple(replace(each, address=address) for each in site.terminals))
    url = Settings.read(data=data).database_url("edge")
    database = SyncDatabase.open(url, metadata=tables.METADATA, migrations="tapwatt.edge.migrations")
    database.write(lambda tx: tables.sow(tx, site))
    database.close()


async def test_a_visit_over_a_serial_line(platform: PlatformSide, tmp_path: Path) -> None:
    device, port = Device(), open_pty()
    device.attach(port)
    enter(tmp_path, f"serial:{port.path}?baud=9600")
    program = Program(tmp_path, device, platform)
    await program.start()
    try:
        await platform.call(preauthorise())
        hold = await platform.outcome("S1.p1", Result.APPROVED)
        await platform.call(capture(hold, 1234))
        await platform.outcome("S1.p2", Result.DONE)
        assert device.captured == {hold.receipt: 1234}
        assert await program.end(signal.SIGTERM) == 0
    finally:
        await program.end(signal.SIGKILL)
        await device.stop()


def test_an_address_wins_and_a_wrong_one_stops_the_start() -> None:
    (place,) = tables.sandbox().terminals
    settings = Settings.read(terminal_port=4711)
    assert terminal_address(place, settings) == TcpAddress(host="127.0.0.1", port=4711)
    there = replace(place, address="tcp://10.0.0.7:20007")
    assert terminal_address(there, settings) == TcpAddress(host="10.0.0.7", port=20007)
    with pytest.raises(UnableToStart, match="T1"):
        terminal_address(replace(place, address="nowhere"), settings)
