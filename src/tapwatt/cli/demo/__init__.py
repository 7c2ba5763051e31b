"""`tapwatt demo`: a small site alive on this machine, its programs watched, its money compared party by
party."""

from tapwatt.cli.demo.command import register

__all__ = ["register"]
