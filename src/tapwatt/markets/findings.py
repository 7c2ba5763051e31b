"""What the linter says: one finding, and the place a tariff is looked at for."""

from dataclasses import dataclass
from datetime import date

from tapwatt.core.site import Site
from tapwatt.markets.jurisdictions import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something suspicious or unlawful: which rule, where in the document, and for law where it stands."""

    severity: Severity
    rule: str
    text: str
    place: str = ""
    source: str = ""
    certainty: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where and when a tariff is to be used. What is not known is None or empty; `country` is an ISO 3166-1
    alpha-2 code."""

    day: date
    now_ms: int
    country: str = ""
    power_w: int | None = None
    evse_kind: str | None = None
    time_zone: str = "UTC"

    @property
    def site(self) -> Site:
        """The same as a site for prices."""
        return Site(time_zone=self.time_zone, country=self.country, evse_kind=self.evse_kind)


def at_component(element: int, component: int) -> str:
    """Where a component stands in an OCPI document."""
    return f"elements[{element}].price_components[{component}]"


def at_rules(element: int) -> str:
    """Where an element's restrictions stand in an OCPI document."""
    return f"elements[{element}].restrictions"
