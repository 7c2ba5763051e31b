"""Where a session takes place, as far as its price and who is shown it depend on it."""

from dataclasses import dataclass

from tapwatt.core.bill import PER_TOTAL, Rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The clock, the law and the kind of current at a station; fixed when a session is offered.

    `time_zone` is an IANA name, `country` an ISO 3166-1 alpha-2 code, `evse_kind` `AC` or `DC`. `rounding` is
    what the country's law or custom says; `shows_costs` whether the station has a display for them.
    """

    time_zone: str = "UTC"
    country: str = ""
    evse_kind: str | None = None
    rounding: Rounding = PER_TOTAL
    shows_costs: bool = False


SOMEWHERE = Site()
