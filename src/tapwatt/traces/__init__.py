"""What went over a program's wires, kept for people to read: masked before it is stored, bounded, and
never in the way of an answer.

A trace proves nothing about money: books, journals and outboxes do. So it is written after the fact, and what
was noted in the last half second before a crash is lost; the party at the other end of the wire has its own.
"""

from tapwatt.traces.messages import Direction, Mark, Trace, Wire
from tapwatt.traces.recorder import Bounds, Recorder
from tapwatt.traces.tables import TraceTable, trace_table

__all__ = ["Bounds", "Direction", "Mark", "Recorder", "Trace", "TraceTable", "Wire", "trace_table"]
