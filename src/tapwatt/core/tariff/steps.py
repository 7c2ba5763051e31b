"""Step sizes: what is billed is rounded up to whole steps, once per session and kind of quantity.

OCPI 2.2.1 and 2.3.0, mod_tariffs and mod_cdrs (step_size): energy once, on its total; charging time and
parking time once together, on the total parking time where parking was priced, else on the total charging
time; reservation time once by itself. The step is that of the last component in force, and what is added is
billed at its price.
"""

from dataclasses import dataclass

from tapwatt.core.tariff.model import Dimension
from tapwatt.core.tariff.selection import MS_PER_S, Candidate
from tapwatt.core.tariff.usage import Exact

KINDS = {Dimension.ENERGY: "energy", Dimension.TIME: "time", Dimension.PARKING_TIME: "parking"}


@dataclass(slots=True)
class Priced:
    """What one component priced: watt-hours or milliseconds, and from when to when."""

    of: Candidate
    quantity: Exact
    started_ms: Exact
    ended_ms: Exact
    added: Exact = 0
    """What the step size added to the quantity."""


def stepped(priced: list[Priced], last: dict[str, Priced]) -> None:
    """Round up in place. `last` has the component in force last for `energy`, `time`, `parking` and
    `reservation`."""
    for kind in ("energy", "parking" if "parking" in last else "time", "reservation"):
        if kind in last:
            _round_up(last[kind], [one for one in priced if kind_of(one.of) == kind])


def kind_of(candidate: Candidate) -> str:
    """The quantity that a component prices."""
    dimension = candidate.component.dimension
    if dimension is Dimension.FLAT:
        return "flat"
    if candidate.restrictions.reservation is not None:
        return "reservation"
    return KINDS[dimension]


def _round_up(last: Priced, together: list[Priced]) -> None:
    step: Exact = last.of.component.step_size
    if step <= 0:
        return
    if last.of.component.dimension is not Dimension.ENERGY:
        step *= MS_PER_S
    whole = sum(one.quantity for one in together)
    last.added = -(-whole // step) * step - whole
