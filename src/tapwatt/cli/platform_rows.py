"""The platform's own database from the shell: for what must work before anybody can log in, and for what must
not trust the program."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tapwatt.store import SyncDatabase, Transaction


@contextmanager
def platform_database() -> Iterator[SyncDatabase]:
    """The database that the settings name; the platform may run. Raises UnableToOpen."""
    from tapwatt.platform.tables import METADATA
    from tapwatt.settings import Settings
    from tapwatt.store import SyncDatabase

    settings = Settings.read()
    url = settings.database_url("platform")
    if url.startswith("sqlite:") and not settings.platform_database_url:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = SyncDatabase.open(url, metadata=METADATA, migrations="tapwatt.platform.migrations")
    try:
        yield database
    finally:
        database.close()


def done(command: str, work: Callable[[SyncDatabase], int]) -> int:
    """Do the work on the platform's database; its exit code, or 1 with a sentence why not."""
    from tapwatt.platform.passwords import UnableToTakePassword
    from tapwatt.platform.people import UnableToChangePeople
    from tapwatt.store import UnableToOpen, UnableToStore

    try:
        with platform_database() as database:
            return work(database)
    except (UnableToOpen, UnableToStore, UnableToChangePeople, UnableToTakePassword) as error:
        sys.stderr.write(f"tapwatt {command}: {' '.join(str(error).split())}\n")
        return 1


def write(database: SyncDatabase, work: Callable[[Transaction], None]) -> None:
    """Write, once more when a running node was first."""
    from tapwatt.store import UnableToStoreYet

    try:
        database.write(work)
    except UnableToStoreYet:
        database.write(work)
