"""A program's runtime in the world: no signals, no lock files, no HTTP; a disk that survives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import MetaData

from tapwatt.programs.runtime import Runtime
from tapwatt.settings import Program, Settings
from tapwatt.store import Database


class WorldRuntime(Runtime):
    """Handed to a program's start, as the real one is."""

    def __init__(
        self, name: Program, settings: Settings, *, open_disk: Callable[[MetaData], Database]
    ) -> None:
        super().__init__(name, settings)
        self.serves_http = False
        self._open_disk = open_disk

    async def database(self, metadata: MetaData, *, migrations: str | None = None) -> Database:
        """This life's view of the program's disk."""
        await asyncio.sleep(0)
        return self._open_disk(metadata)

    async def ended(self) -> BaseException | None:
        """Wait until a part of the program fails; the failure."""
        await self._stop.wait()
        return self._failure
