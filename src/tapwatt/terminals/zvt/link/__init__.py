"""ZVT over TCP, both ends: the only place of this room with sockets. terminals.md section 4.1."""

from tapwatt.terminals.zvt.link.ecr import EcrLink
from tapwatt.terminals.zvt.link.terminal import (
    Dialogue,
    DialogueEnded,
    TerminalLink,
)

__all__ = ["Dialogue", "DialogueEnded", "EcrLink", "TerminalLink"]
