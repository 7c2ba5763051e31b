"""A terminal that sends nonsense costs its own connection and nothing else."""

import asyncio
from pathlib import Path

import pytest
from tests.edge.device import Device
from tests.edge.site import QUICK, Edge, PlatformSide, preauthorise, until

from tapwatt.uplink.messages import Result

NONSENSE = {
    "closes at once": b"",
    "random": bytes(range(256)) * 4,
    "a length that never ends": bytes.fromhex("040fffffff") + bytes(70_000),
    "an answer cut short": bytes.fromhex("800000060f0a1910"),
    "answers to nothing": bytes.fromhex("800000") * 400,
    "a final message nobody asked for": bytes.fromhex("060f00061e016c") * 50,
    "refusals": bytes.fromhex("840100") * 50,
}


@pytest.mark.parametrize("name", NONSENSE)
async def test_nonsense(name: str, platform: PlatformSide, tmp_path: Path) -> None:
    met = 0

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal met
        met += 1
        try:
            writer.write(NONSENSE[name])
            if NONSENSE[name]:
                while await reader.read(100):
                    writer.write(NONSENSE[name])
                    await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    edge = Edge(tmp_path / "edge.sqlite", terminal_port=port, platform_port=platform.port, patience=QUICK)
    await edge.start()
    await platform.call(preauthorise())
    outcome = await platform.outcome("S1.p1")
    assert outcome.result is Result.NOT_SENT
    await until(lambda: met > 1)
    assert not edge.task.done()
    server.close()
    device = Device()
    device.port = port
    await device.start()
    await platform.call(preauthorise("S2.p1"))
    first = await platform.outcome("S2.p1")
    if first.result is Result.NOT_SENT:  # the last connection was not yet given up
        await platform.call(preauthorise("S3.p1"))
        first = await platform.outcome("S3.p1")
    assert first.result is Result.APPROVED
    await edge.stop()
    await device.stop()
