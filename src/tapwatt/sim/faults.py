"""Switches that make the site misbehave as real ones do; set by hand or by a test."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Faults:
    """What is wrong now. Nothing is, at first."""

    refuse_start: bool = False
    """A remote start is answered Rejected."""
    never_start: bool = False
    """A remote start is accepted and nothing follows."""
    never_stop: bool = False
    """A remote stop is accepted and nothing follows."""
    late_start_s: float = 0.0
    """A remote start is accepted and followed so much later."""
    terminal_mute: bool = False
    """The terminal accepts no command: it does not even acknowledge."""
    terminal_restarts: bool = False
    """Once: the terminal loses its power at its next command, and is back at once."""
    driver_cancels: bool = False
    """Once: the driver presses the red key while the terminal is about to ask for the hold."""
    cut_before_completion: bool = False
    """Once: the terminal's line to the edge breaks between result (040F) and completion (060F)."""
