"""ZVT over TCP or a serial line, both ends: the only place of this room with sockets (terminals.md 4.1)."""

from tapwatt.terminals.zvt.link.ecr import EcrLink
from tapwatt.terminals.zvt.link.serial import SerialPort, open_port, open_pty
from tapwatt.terminals.zvt.link.terminal import (
    Dialogue,
    DialogueEnded,
    TerminalLink,
)

__all__ = [
    "Dialogue",
    "DialogueEnded",
    "EcrLink",
    "SerialPort",
    "TerminalLink",
    "open_port",
    "open_pty",
]
