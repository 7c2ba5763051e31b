"""The station's own display is told the cost, when it has one and when the cost has changed."""

from typing import Any

from tests.core import samples as s

from tapwatt.core.effects import SendCost
from tapwatt.core.site import Site

SHOWS = Site(shows_costs=True)
CHARGE = (
    s.card(),
    s.approved(),
    s.started(),
    s.metered(),
    s.metered(at=61, register_wh=3001),
    s.metered(at=90, register_wh=5000),
    s.stopped(at=200),
)


def told(*events: Any) -> list[tuple[int, int, bool]]:
    """Amount, register and whether it was the last word, for each cost that was sent."""
    sent = s.play(events).all(SendCost)
    return [(cost.amount_minor, cost.register_wh, cost.final) for cost in sent]


def test_a_display_is_told_each_new_cost_and_the_last_one() -> None:
    # 2.001 kWh cost what 2 kWh do to the cent: nothing is sent for them.
    assert told(s.offered(site=SHOWS), *CHARGE) == [(117, 3000, False), (233, 5000, False), (487, 9345, True)]


def test_a_station_without_a_display_is_told_nothing() -> None:
    assert told(s.offered(), *CHARGE) == []


def test_the_last_word_is_what_is_captured_not_what_is_lost() -> None:
    far = s.stopped(at=600, register_wh=51_000)
    assert told(s.offered(site=SHOWS), s.card(), s.approved(), s.started(), far) == [(2500, 51_000, True)]
