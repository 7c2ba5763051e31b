"""The one loop, generic: record a step and its effects in one commit, then perform them (design.md section
3).
"""

from tapwatt.engine.loop import Engine, Stepper
from tapwatt.engine.machine import (
    Machine,
    Outgoing,
    Refusal,
    Step,
    TryAgain,
    UnableToDescribe,
    UnableToRecord,
)
from tapwatt.engine.steps import Inline, step
from tapwatt.engine.tables import MachineTables, machine_tables

__all__ = [
    "Engine",
    "Inline",
    "Machine",
    "MachineTables",
    "Outgoing",
    "Refusal",
    "Step",
    "Stepper",
    "TryAgain",
    "UnableToDescribe",
    "UnableToRecord",
    "machine_tables",
    "step",
]
