"""Tariffs and charges drawn at random for properties: everything that OCPI can say about a charge at a
station that tells no current. Prices are never negative."""

from decimal import Decimal

from hypothesis import strategies as st

from tapwatt.core.tariff import Component, Dimension, Element, Limits, Restrictions, Tariff, Tax, TaxIncluded
from tapwatt.core.tariff.usage import Sample

START_MS = 1_774_738_800_000
"""Saturday 28 March 2026, 23:00 in London: the clocks change two hours later."""
DAY_S = 86_400

cents = st.decimals(0, 3, places=2)
minutes = st.sampled_from([None, 0, 30, 90, 120, 150, 600, 1380])
taxes = st.sampled_from([(), (Tax(name="VAT", rate_percent=Decimal(20)),)])


@st.composite
def restrictions(draw: st.DrawFn) -> Restrictions:
    """At most a few rules at once: all of them together hold never."""
    rules: dict[str, object] = {}
    for name in draw(
        st.lists(st.sampled_from(["clock", "kwh", "power", "session", "idle", "days"]), max_size=2)
    ):
        match name:
            case "clock":
                rules["start_minute"], rules["end_minute"] = draw(minutes), draw(minutes)
            case "kwh":
                rules["min_kwh"] = draw(st.sampled_from([None, Decimal(1), Decimal("2.5")]))
                rules["max_kwh"] = draw(st.sampled_from([None, Decimal(5), Decimal(20)]))
            case "power":
                rules["min_power_kw"] = draw(st.sampled_from([None, Decimal(1), Decimal(11)]))
                rules["max_power_kw"] = draw(st.sampled_from([None, Decimal(22), Decimal(50)]))
            case "session":
                rules["min_duration_s"] = draw(st.sampled_from([None, 600, 3600]))
                rules["max_duration_s"] = draw(st.sampled_from([None, 1800, 7200]))
            case "idle":
                rules["min_idle_s"] = draw(st.sampled_from([60, 900]))
            case _:
                rules["weekdays"] = draw(st.sampled_from([(5,), (6, 0), (1, 2)]))
    return Restrictions(**rules)  # type: ignore[arg-type]


@st.composite
def components(draw: st.DrawFn) -> Component:
    """A price of one dimension, with or without tax and step."""
    dimension = draw(st.sampled_from(list(Dimension)))
    step = 0 if dimension is Dimension.FLAT else draw(st.sampled_from([0, 1, 60, 300]))
    return Component(dimension=dimension, price=draw(cents), taxes=draw(taxes), step_size=step)


elements = st.builds(
    Element,
    components=st.lists(components(), min_size=1, max_size=3).map(tuple),
    restrictions=restrictions(),
)
limits = st.builds(
    Limits,
    min_net=st.sampled_from([None, Decimal(1)]),
    min_gross=st.sampled_from([None, Decimal("1.2")]),
    max_net=st.sampled_from([None, Decimal(10)]),
    max_gross=st.sampled_from([None, Decimal(12)]),
)
tariffs = st.builds(
    Tariff,
    tariff_id=st.just("T"),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    elements=st.lists(elements, min_size=1, max_size=4).map(tuple),
    tax_included=st.sampled_from(list(TaxIncluded)),
    limits=limits,
)


@st.composite
def samples(draw: st.DrawFn, *, most: int = 8) -> list[Sample]:
    """Readings of one charge, in order; where no energy flowed the car may have idled."""
    found = [Sample(at_ms=START_MS, register_wh=0)]
    for _ in range(draw(st.integers(1, most))):
        passed_ms = draw(st.integers(1, 3 * 3600)) * 1000
        energy_wh = draw(st.sampled_from([0, 1, 250, 2000, 12_345]))
        found.append(
            Sample(
                at_ms=found[-1].at_ms + passed_ms,
                register_wh=found[-1].register_wh + energy_wh,
                idle=energy_wh == 0 and draw(st.booleans()),
            )
        )
    return found
