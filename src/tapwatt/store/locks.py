"""Who may work on a database at the moment: programs hold a lock while they run, and so does a command that
replaces or moves their rows.

A SQLite file's lock is the program's own lock file beside it; PostgreSQL keeps the lock itself, because its
programs may run on other machines.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tapwatt.store.errors import UnableToOpen


@contextmanager
def holding(database: Path) -> Iterator[None]:
    """Hold the lock of the program whose file this is (`platform.sqlite`: `platform.lock`).

    Raises UnableToOpen while that program runs.
    """
    path = database.with_suffix(".lock")
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise UnableToOpen(f"unable to use the folder {path.parent}: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise UnableToOpen(f"a program runs on {database}: stop it first") from error
    try:
        yield
    finally:
        os.close(handle)
