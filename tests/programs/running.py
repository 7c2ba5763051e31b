"""Real programs for tests: started as children on free ports, known by their ready lines, stopped at the
end."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

READY = re.compile(r"tapwatt \w+ ready(?:: (.*))?")
READY_WITHIN_S = 40
STOP_WITHIN_S = 10


@dataclass
class Running:
    """One program that runs now: where it listens, and every line it has written."""

    process: asyncio.subprocess.Process
    listeners: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            text = line.decode("utf-8", "replace").rstrip()
            self.lines.append(text)
            if found := READY.match(text):
                pairs = (place.split(" ") for place in (found.group(1) or "").split(", ") if place)
                self.listeners.update((name, address) for name, address in pairs)
                self.ready.set()

    def kill(self) -> None:
        """SIGKILL: no time to say or write anything."""
        self.process.send_signal(signal.SIGKILL)


def quiet_environment(data: Path, settings: Mapping[str, object]) -> dict[str, str]:
    """This process's environment without its settings, with every port free and these settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TAPWATT_")}
    ports = (
        "HTTP", "FORECOURT", "OCPP", "EDGE", "GATEWAY", "GATEWAY_HTTP", "ACQUIRER", "ACQUIRER_HTTP", "SCHEME",
        "SCHEME_HTTP", "ISSUER", "ISSUER_HTTP", "TERMINAL", "CABLES",
    )  # fmt: skip
    free = {f"TAPWATT_{name}_PORT": "0" for name in ports}
    chosen = {f"TAPWATT_{name.upper()}": str(value) for name, value in settings.items()}
    return {**clean, "TAPWATT_DATA": str(data), **free, **chosen}


@asynccontextmanager
async def running(*arguments: str, data: Path, **settings: object) -> AsyncIterator[Running]:
    """Start `tapwatt …` and wait until it is ready; at the end it is asked to stop, then killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tapwatt",
        *arguments,
        env=quiet_environment(data, settings),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    program = Running(process)
    reading = asyncio.create_task(program.read())
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            ready = asyncio.create_task(program.ready.wait())
            await asyncio.wait({ready, reading}, return_when=asyncio.FIRST_COMPLETED)
        assert program.ready.is_set(), f"{arguments} did not start: {program.lines}"
        yield program
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await reading
