"""Who asks: known for the length of one request."""

from contextvars import ContextVar

from tapwatt.platform.access import Who

WHO: ContextVar[Who] = ContextVar("WHO")
