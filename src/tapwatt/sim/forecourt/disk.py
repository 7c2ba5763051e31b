"""The full disk, on a real program: its files may not grow, so every commit of it fails as on a full disk.

Linux only, and only for a program that keeps its rows in a file on this machine.
"""

from __future__ import annotations

import resource
from pathlib import Path


class UnableToFill(Exception):
    """The program's disk cannot be filled from here; the message says why."""


def fill(data: Path, program: str) -> None:
    """Let the program write nothing from now on. Raises UnableToFill."""
    process_id = _process(data, program)
    try:
        _, most = resource.prlimit(process_id, resource.RLIMIT_FSIZE)
        resource.prlimit(process_id, resource.RLIMIT_FSIZE, (1, most))
    except OSError as error:
        raise UnableToFill(f"the {program} does not let itself be limited: {error.strerror}") from error


def make_room(data: Path, program: str) -> None:
    """Let it write again. Raises UnableToFill."""
    process_id = _process(data, program)
    try:
        _, most = resource.prlimit(process_id, resource.RLIMIT_FSIZE)
        resource.prlimit(process_id, resource.RLIMIT_FSIZE, (most, most))
    except OSError as error:
        raise UnableToFill(f"the {program} does not let itself be limited: {error.strerror}") from error


def _process(data: Path, program: str) -> int:
    """The program that holds the lock of the data directory; its id is written in it."""
    if not hasattr(resource, "prlimit"):
        raise UnableToFill("this system cannot limit another program")
    try:
        text = (data / f"{program}.lock").read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnableToFill(f"no {program} runs on this data directory") from error
    # A lock file outlives its program, and a process id may belong to somebody else by now.
    if not text.isdecimal() or not _is_ours(int(text), program):
        raise UnableToFill(f"no {program} runs on this data directory")
    return int(text)


def _is_ours(process_id: int, program: str) -> bool:
    try:
        words = Path(f"/proc/{process_id}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    command = {"platform": b"serve"}.get(program, program.encode())
    return b"tapwatt" in b" ".join(words) and command in words
