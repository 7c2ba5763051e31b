"""What happened in a world, in the field's words, for whoever has to understand a failing visit."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import structlog

from tapwatt.sim.world.loop import EPOCH_MS, LIFE, WorldLoop

LINES_KEPT: Final = 20_000
_LONGEST: Final = 300


class Story:
    """Lines with the moment and the program; and how often each kind of fault happened."""

    def __init__(self, loop: WorldLoop) -> None:
        self._loop = loop
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self.faults: Counter[str] = Counter()

    def say(self, who: str, text: str) -> None:
        """One line."""
        at_s = (self._loop.now_ms() - EPOCH_MS) / 1000
        self.lines.append(f"{at_s:10.3f}  {who:<9} {text}")

    def fault(self, kind: str, who: str, text: str = "") -> None:
        """One fault, counted."""
        self.faults[kind] += 1
        self.say(who, f"** {kind}" + (f": {text}" if text else ""))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the programs' logs into the story for the time of the run."""
        before = structlog.get_config()
        level = logging.root.manager.disable
        structlog.configure(
            processors=[self._heard], wrapper_class=structlog.make_filtering_bound_logger(logging.INFO)
        )
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            structlog.configure(**before)
            logging.disable(level)

    def _heard(self, _logger: Any, level: str, event: MutableMapping[str, Any]) -> NoReturn:
        life = LIFE.get()
        text = str(event.pop("event", ""))
        more = " ".join(f"{name}={value}" for name, value in event.items() if name != "exc_info")
        trouble = "! " if level in ("warning", "error", "exception") else ""
        self.say("world" if life is None else life.name, f"{trouble}{text} {more}"[:_LONGEST].rstrip())
        raise structlog.DropEvent
