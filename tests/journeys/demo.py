"""`tapwatt demo` as a child process, for the tests that look at it from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.programs.running import quiet_environment

T = TypeVar("T")
Json = dict[str, Any]
CHILDREN = {
    "issuer": ("host", "issuer"),
    "scheme": ("host", "scheme"),
    "acquirer": ("host", "acquirer"),
    "gateway": ("host", "gateway"),
    "platform": ("serve",),
    "edge": ("edge",),
    "cables": ("sim", "cables"),
    "site": ("sim", "site"),
}
RUN_WITHIN_S = 400


class Demo:
    """One demo as a child process; what it says is kept in files, so that no pipe can fill up."""

    def __init__(self, data: Path, *options: str, **settings: object) -> None:
        self.data = data
        self.out, self.err = data.with_suffix(".out"), data.with_suffix(".err")
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tapwatt", "demo", *options],
                env=quiet_environment(data, settings),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def wait(self, within_s: float = RUN_WITHIN_S) -> int:
        return self.process.wait(timeout=within_s)

    def said(self) -> str:
        return self.err.read_text()

    def result(self) -> Json:
        """Its JSON document: the one thing on stdout."""
        lines = self.out.read_text().splitlines()
        assert len(lines) == 1, lines
        document: Json = json.loads(lines[0])
        return document

    def children(self) -> dict[str, int]:
        """The programs that run on its data directory now, by name."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == self.process.pid:
                continue
            try:
                argv = (entry / "cmdline").read_bytes().decode().split("\0")
                environment = (entry / "environ").read_bytes().split(b"\0")
            except OSError:  # gone meanwhile, or somebody else's
                continue
            if f"TAPWATT_DATA={self.data}".encode() in environment and "tapwatt" in argv:
                words = argv[argv.index("tapwatt") + 1 :]
                name = next((name for name, own in CHILDREN.items() if tuple(words[: len(own)]) == own), "?")
                found[name] = int(entry.name)
        return found

    def until(self, look: Callable[[], T], what: str, within_s: float = 120.0) -> T:
        """Look until something true is seen."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if seen := look():
                return seen
            time.sleep(0.05)
        raise AssertionError(f"never {what}; the demo said: {self.said()}")

    def until_said(self, words: str, within_s: float = 120.0) -> None:
        self.until(lambda: words in self.said() or self.process.poll() is not None, f"said {words}", within_s)
        assert words in self.said(), self.said()

    def logs(self) -> str:
        """Everything the demo and its programs have written, for a failing test."""
        pages = [f"--- {path.name}\n{path.read_text()}" for path in sorted(self.data.glob("*.log"))]
        return "\n".join([self.said(), *pages])


@contextmanager
def demo(data: Path, *options: str, **settings: object) -> Iterator[Demo]:
    """A demo, and nothing of it afterwards."""
    running = Demo(data, *options, **settings)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()
        for pid in running.children().values():
            os.kill(pid, signal.SIGKILL)
