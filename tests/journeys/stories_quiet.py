"""Stories in which everything is said again when nothing is open: it changes nothing."""

from typing import Any

from tests.core import samples as s
from tests.journeys.stories import AFTERWARDS, BILLED, GIVEN_BACK, HELD, PAID, SETTLED, TAPPED, Story
from tests.journeys.stories_station import REFUSED

from tapwatt.core.session import Reason

AGAIN = (
    s.approved, s.declined, s.aborted, s.not_sent, s.silent, s.found_open, s.found_none, s.cannot_ask,
    s.captured, s.already_captured, s.capture_refused, s.released, s.release_refused, s.voided,
    s.void_refused, s.refunded, s.refund_refused,
)  # fmt: skip


def everything(key: str, *, at: float, but: tuple[Any, ...] = ()) -> tuple[Any, ...]:
    """Every outcome once more under one key, and the offer, the car's idling and the choice of a hold too."""
    return (s.offered(at=at), *idling(at), *(again(at=at, key=key) for again in AGAIN if again not in but))


def idling(at: float) -> tuple[Any, ...]:
    """A car that stops asking for power and asks again, and a choice of a hold."""
    return s.suspended(at=at), s.resumed(at=at), s.hold_chosen(at=at, amount_minor=9999)


QUIET = (
    Story(
        name="everything is said again at every step of a happy visit",
        events=(
            s.offered(plugged=False), s.offered(plugged=False), *idling(0), s.card(), s.offered(),
            *idling(1), s.approved(),
            s.metered(at=2, register_wh=1000), *everything(s.FIRST, at=3), s.plugged_in(at=4),
            *everything(s.FIRST, at=4), s.started(), *everything(s.FIRST, at=6), s.stop_asked(),
            *everything(s.FIRST, at=101), s.stopped(), s.offered(at=121), *idling(121), s.captured(),
            *everything(s.SECOND, at=300), *AFTERWARDS,
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="everything is said again after a refusal",
        events=(
            *TAPPED, s.declined(), *everything(s.FIRST, at=50, but=(s.approved, s.found_open)), *AFTERWARDS,
        ),
        state="failed", payment="declined", reason=Reason.DECLINED,
    ),
    Story(
        name="everything is said again after the hold went back",
        events=(*REFUSED, *everything(s.SECOND, at=80, but=(s.approved,)), *AFTERWARDS),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.START_REFUSED,
    ),
    Story(
        name="everything is said again while a refused capture waits for a person",
        events=(*BILLED, s.capture_refused(), *everything(s.SECOND, at=300)),
        state="review", payment="review", postings=(HELD,), reason=Reason.PAYMENT_REVIEW, alarms=1,
        open_hold=True,
    ),
    Story(
        name="everything is said again after a refund",
        events=(*SETTLED, s.refund_wanted(), s.refunded(), *everything(s.THIRD, at=400)),
        state="closed", payment="refunded", captured=487, released=2013, refunded=100,
        postings=(*PAID, "refunded 100"),
    ),
    Story(
        name="everything is said again after a void",
        events=(*SETTLED, s.void_wanted(), s.voided(), *everything(s.THIRD, at=400)),
        state="closed", payment="voided", released=2500, postings=(*PAID, "captured -487", "released 487"),
    ),
)  # fmt: skip
