"""The switches of the forecourt, as a table: what each does, in one sentence, and what it would do elsewhere.

`{hold}` in a sentence is the amount of the hold that was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tapwatt.sim.forecourt.lines import LINES

ON_FOR_S: Final = 120
"""A switch that is forgotten goes back by itself, so that nobody finds a broken site."""
REBOOT_S: Final = 4.0


class Kind(StrEnum):
    """How a switch is carried out."""

    LINE = "line"  # a cable is cut
    SILENCE = "silence"  # the issuer's sandbox
    FAULT = "fault"  # sim.faults
    DISK = "disk"  # the platform's
    REBOOT = "reboot"  # once
    UNPLUG = "unplug"  # once

    @property
    def once(self) -> bool:
        """Whether it is done when it is done, and nothing stays switched."""
        return self in (Kind.REBOOT, Kind.UNPLUG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One thing that can be broken. `past` tells it afterwards; `when_paid` is what would be so elsewhere
    where the charge was paid all the same, if that is something else."""

    key: str
    kind: Kind
    group: str
    title: str
    does: str
    past: str
    elsewhere: str
    when_paid: str = ""


CUT, PARTY, SITE = "Cut a cable", "Break a party", "Break the site"
GROUPS: Final = (CUT, PARTY, SITE)


def _line(key: str, does: str, past: str, elsewhere: str) -> Switch:
    ends = next(line.ends for line in LINES if line.name == key)
    return Switch(
        key=key,
        kind=Kind.LINE,
        group=CUT,
        title=f"{ends[0].capitalize()} – {ends[1]}",
        does=does,
        past=past,
        elsewhere=elsewhere,
    )


SWITCHES: Final = (
    _line(
        "terminal-edge",
        "The terminal stands alone: nobody can tell it what to show or to hold.",
        "The terminal’s wire to the edge was cut.",
        "A charger that asks once and never again would not know of a hold that the bank has made, and "
        "{hold} would stay blocked for days.",
    ),
    _line(
        "edge-platform",
        "The site is off the network: the edge goes on and keeps what the terminal says.",
        "The site was off the network.",
        "A kiosk that keeps nothing forgets a payment whose answer finds no network: the bank holds "
        "{hold}, and nobody knows.",
    ),
    _line(
        "station-platform",
        "The station charges on alone and keeps its meter readings.",
        "The station was off the network.",
        "A system that bills the last reading it heard takes too little; one that gives up gives the energy "
        "away.",
    ),
    _line(
        "terminal-gateway",
        "The terminal cannot reach the card network: no new hold, and a final amount has to wait.",
        "The terminal could not reach the card network.",
        "A terminal that says “paid” and keeps the final amount in memory loses it with the next power cut.",
    ),
    _line(
        "gateway-acquirer",
        "The gateway cannot reach the merchant’s bank.",
        "The gateway could not reach the merchant’s bank.",
        "A gateway without a memory drops the final amount: the energy is gone and nobody pays.",
    ),
    _line(
        "acquirer-scheme",
        "The merchant’s bank cannot reach the card network.",
        "The merchant’s bank could not reach the card network.",
        "A bank that tries again under a new number holds the money twice.",
    ),
    _line(
        "scheme-issuer",
        "The card network cannot reach the driver’s bank.",
        "The card network could not reach the driver’s bank.",
        "A network that says yes in the bank’s place lets an empty card charge.",
    ),
    Switch(
        key="silence-issuer",
        kind=Kind.SILENCE,
        group=PARTY,
        title="Silence the issuer",
        does="The driver’s bank hears the question, holds the money, and never answers.",
        past="The issuer fell silent.",
        elsewhere="A system that takes silence for a no would have left {hold} blocked for days; one that "
        "takes it for a yes would have charged on nothing.",
        when_paid="A system that takes silence for a no asks again under a new number, and the driver pays "
        "twice.",
    ),
    Switch(
        key="disk-full",
        kind=Kind.DISK,
        group=PARTY,
        title="Fill the platform’s disk",
        does="The platform can write nothing: it takes no message that it could not keep.",
        past="The platform’s disk was full.",
        elsewhere="A program that answers before it has written says “noted” to the station and forgets the "
        "charge.",
    ),
    Switch(
        key="terminal-reboot",
        kind=Kind.REBOOT,
        group=SITE,
        title="Reboot the terminal",
        does=f"Off and on again, {REBOOT_S:g} seconds without a line: it forgets who leads it, not what it "
        "has booked.",
        past="The terminal was rebooted.",
        elsewhere="A terminal that keeps its holds in memory loses them: {hold} blocked, the energy unpaid.",
    ),
    Switch(
        key="never_start",
        kind=Kind.FAULT,
        group=SITE,
        title="Station never starts",
        does="The station says yes to the start and does nothing.",
        past="The station said yes and never started.",
        elsewhere="The classic complaint: paid, no charge, and {hold} blocked for one or two weeks.",
    ),
    Switch(
        key="refuse_start",
        kind=Kind.FAULT,
        group=SITE,
        title="Station refuses",
        does="The station says no to the start.",
        past="The station refused to start.",
        elsewhere="A system that books before power flows bills the driver for nothing.",
    ),
    Switch(
        key="never_stop",
        kind=Kind.FAULT,
        group=SITE,
        title="Station never stops",
        does="The station says yes to a stop and charges on; its own button and the plug still work.",
        past="The station did not stop when it was told to.",
        elsewhere="A system that takes the money when it sends the stop bills less than was delivered.",
    ),
    Switch(
        key="unplug",
        kind=Kind.UNPLUG,
        group=SITE,
        title="Pull the plug",
        does="Pulls the plug at the visit’s connector, in the middle of whatever goes on.",
        past="The plug was pulled.",
        elsewhere="A system that waits for a proper goodbye keeps the hold, and the connector stays busy.",
    ),
)


def switch(key: str) -> Switch | None:
    """The switch of this key."""
    return next((each for each in SWITCHES if each.key == key), None)
