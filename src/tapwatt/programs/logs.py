"""Logs of every program: one line an event on stderr, and no card number in it.

Standard output belongs to results (interfaces.md, Commands). Every text is searched for card numbers on
its way out, as a last net below the masking types (design.md law 7).
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import MutableMapping
from functools import partial
from typing import Any, TextIO, cast

import structlog

from tapwatt.rails.iso8583.masking import scrub

_ORDER = ["timestamp", "level", "program", "event"]


def set_up_logs(level: str, *, program: str) -> None:
    """Send structlog's and the libraries' lines to stderr, masked, from this level on."""
    least = logging.getLevelNamesMapping()[level.upper()]
    stderr = cast(TextIO, _Stderr())
    structlog.configure(
        processors=[
            partial(_of_program, program),
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _masked,
            structlog.processors.LogfmtRenderer(key_order=_ORDER, drop_missing=True, bool_as_flag=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(file=stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    handler = logging.StreamHandler(stderr)
    handler.setFormatter(_Plain(f"level=%(levelname)s program={program} logger=%(name)s event=%(message)r"))
    logging.basicConfig(level=max(least, logging.WARNING), handlers=[handler], force=True)


def _of_program(
    program: str, _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Callbacks after a commit run in no context of the program's own, so its name is not kept in one."""
    return {"program": program, **event}


class _Stderr:
    """Where lines go. Whoever read them may be gone; a line lost is no reason to fail what it tells of."""

    def write(self, text: str) -> int:
        """Write, or lose it."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """Push it out, or lose it."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


class _Plain(logging.Formatter):
    """A library's line, masked and without traceback: a traceback shows source and values of anybody's."""

    def format(self, record: logging.LogRecord) -> str:
        """One masked line; an exception becomes its type's name."""
        kind = record.exc_info[0] if record.exc_info else None
        record.exc_info, record.exc_text, record.stack_info = None, None, None
        line = scrub(super().format(record))
        return line if kind is None else f"{line} error={kind.__name__}"


def _masked(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in list(event.items()):
        if value is None:
            del event[key]
            continue
        if isinstance(value, str):
            event[key] = scrub(value)
        elif not isinstance(value, (int, float)) or _as_long_as_a_pan(value):
            event[key] = scrub(str(value))
    return event


def _as_long_as_a_pan(value: float) -> bool:
    # Thirteen digits are left alone: that is what a time in milliseconds has.
    return isinstance(value, int) and value >= 10**13
