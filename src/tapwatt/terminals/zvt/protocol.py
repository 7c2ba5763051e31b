"""The two roles of ZVT, to be driven by a link or by a test: `Ecr` asks, `Terminal` answers. terminals.md
section 4.1."""

from tapwatt.terminals.zvt.commands import EcrSettings
from tapwatt.terminals.zvt.ecr import Ecr, Phase, UnableToAcknowledge, UnableToStart
from tapwatt.terminals.zvt.events import EcrEvent, TerminalEvent, Timings
from tapwatt.terminals.zvt.terminal import Terminal, TerminalPhase, UnableToSpeak

__all__ = [
    "Ecr",
    "EcrEvent",
    "EcrSettings",
    "Phase",
    "Terminal",
    "TerminalEvent",
    "TerminalPhase",
    "Timings",
    "UnableToAcknowledge",
    "UnableToSpeak",
    "UnableToStart",
]
