"""What is seen at the site and at each party at one moment. Values only; `witness` gathers them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tapwatt.sim.forecourt.media import Medium

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bay:
    """One connector. Energy of the charge that runs, and what the car came for."""

    evse_id: int
    status: str
    plugged: bool
    charging: bool = False
    power_w: int = 0
    delivered_wh: int = 0
    target_wh: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """The payment terminal as one sees it, and its lines."""

    screen: tuple[str, ...]
    reading: bool
    doing: str
    edge: bool
    gateway: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What one party has in its books for the visit."""

    authorised_minor: int = 0
    captured_minor: int = 0
    released_minor: int = 0

    @property
    def held_minor(self) -> int:
        """Held and neither taken nor given back."""
        return self.authorised_minor - self.captured_minor - self.released_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """The visit on show."""

    evse_id: int
    since_ms: int
    medium: Medium | None = None
    broken: tuple[str, ...] = ()
    tag_answer: str = ""
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the parties say, each at its own port; None: it does not answer."""

    sessions: tuple[Json, ...] | None = ()
    session: Json | None = None
    parties: Mapping[str, Stated | None] = field(default_factory=dict)
    reversing: bool = False
    """Whether the terminal is still taking a hold of this visit back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything the page is drawn from."""

    station_up: bool
    bays: tuple[Bay, ...]
    device: Device
    driving: bool
    """Whether a visitor has taken over."""
    stay: Stay | None
    told: Told
    busy: bool = False
    """Whether a driver who came by himself is here."""
    notice: str = ""
    holding: str = ""
    """What the visitor holds to a reader just now."""
    on: frozenset[str] = frozenset()
    """Switches that are on."""
    out_of_reach: Mapping[str, str] = field(default_factory=dict)
    """Switches that cannot be used here, and why."""
