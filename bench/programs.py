"""Real programs as children: started on free ports, weighed by /proc, stopped at the end."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

READY_WITHIN_S: Final = 30.0
STOP_WITHIN_S: Final = 10.0
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that runs."""

    name: str
    process: subprocess.Popen[bytes]
    ports: dict[str, int]

    def cpu_s(self) -> float:
        """Processor time used so far, in user mode and in the kernel."""
        return cpu_s(self.process.pid)

    def memory_bytes(self) -> int:
        """Resident memory of its own (anonymous pages, no files)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"^RssAnon:\s+(\d+) kB$", status, re.M)
        assert found is not None
        return int(found[1]) * 1024


def cpu_s(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextlib.contextmanager
def running(name: str, *arguments: str, data: Path, **settings: object) -> Iterator[Program]:
    """Start `tapwatt ARGUMENTS`, wait for its ready line, stop it at the end. Its log is a file in `data`."""
    said = data / f"{name}.log"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TAPWATT_")}
    chosen = {f"TAPWATT_{key.upper()}": str(value) for key, value in {"data": data, **settings}.items()}
    with said.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tapwatt", *arguments],
            env=kept | chosen,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        yield Program(name=name, process=process, ports=_ready(process, said))
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(process: subprocess.Popen[bytes], said: Path) -> dict[str, int]:
    """The ports of the ready line."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        line = re.search(r"^tapwatt \w+ ready: (.+)$", said.read_text("utf-8", "replace"), re.M)
        if line:
            return {name: int(port) for name, port in re.findall(r"(\w+) [\d.]+:(\d+)", line[1])}
        time.sleep(0.02)
    raise RuntimeError(f"a program did not start: {said.read_text('utf-8', 'replace')[-500:]}")
