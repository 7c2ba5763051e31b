"""Whether a program is well, and which part is not.

`degraded`: it works, and something it needs for all of its work is away. `down`: it cannot do its work at all
(status 503), so that whoever watches may take it out of service.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tapwatt.programs.runtime import Runtime, now_ms

DOWN_STATUS: Final = 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a program. Without a reason it is well."""

    name: str
    reason: str = ""
    down: bool = False

    @property
    def status(self) -> str:
        """In one word."""
        if not self.reason:
            return "ok"
        return "down" if self.down else "degraded"


def database_parts(runtime: Runtime) -> list[Part]:
    """The program's own database: ill from a commit that failed until one that did not."""
    return [
        Part(name="database", reason=database.writing.failure, down=True) for database in runtime.databases
    ]


def told(
    runtime: Runtime, parts: Iterable[Part], facts: Mapping[str, object]
) -> tuple[int, dict[str, object]]:
    """The status code and body of `/health`."""
    all_parts = [*database_parts(runtime), *parts]
    worst = next(
        (word for word in ("down", "degraded") if any(part.status == word for part in all_parts)), "ok"
    )
    body: dict[str, object] = {
        "status": worst,
        "program": runtime.name,
        "up_ms": now_ms() - runtime.started_ms,
        "parts": {part.name: {"status": part.status, "reason": part.reason} for part in all_parts},
        **facts,
    }
    return (DOWN_STATUS if worst == "down" else 200), body
