"""What a story is, and the stories that go as they should: a card, a tag, a driver who changes his mind.

A story is a list of events and the end that they must have: states of session and payment, what was captured
and released, and every posting in order. Amounts are in cents; the tariff and the hold are those of
`tests.core.samples`: 0.49 EUR/kWh + 19 %, hold 25.00 EUR, at least 5.00 EUR.
"""

from dataclasses import dataclass
from typing import Any

from tests.core import samples as s

from tapwatt.core.session import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One journey in plain words, and how it must end."""

    name: str
    events: tuple[Any, ...]
    state: str
    payment: str | None
    captured: int = 0
    released: int = 0
    refunded: int = 0
    postings: tuple[str, ...] = ()
    lost: int = 0
    reason: Reason = Reason.NONE
    alarms: int = 0
    open_hold: bool = False
    """Whether a hold is still open at the end; then somebody must have been alarmed."""
    defect: int | None = None
    """The number of the known defect that keeps this story from its end (`tests.core.defects`)."""


HELD = "authorised 2500"
PAID = (HELD, "captured 487", "released 2013")
GIVEN_BACK = (HELD, "released 2500")
TAPPED = (s.offered(), s.card())
APPROVED = (*TAPPED, s.approved(), s.start_accepted())
CHARGING = (*APPROVED, s.started(), s.metered())
BILLED = (*CHARGING, s.stopped())
SETTLED = (*BILLED, s.captured())
AFTERWARDS = (
    s.plugged_in(at=600), s.unplugged(at=601), s.start_accepted(at=602), s.start_uncertain(at=603),
    s.start_refused(at=604), s.stop_accepted(at=605), s.stop_refused(at=606), s.stop_asked(at=607),
    s.hold_expiring(at=608), s.ticked(at=609),
)  # fmt: skip
"""What stations, drivers and clocks may still say when nothing is to be done."""

VISITS = (
    Story(
        name="happy: the card is approved, the car charges, the driver stops, the bill is captured",
        events=(
            *TAPPED, s.approved(), s.start_accepted(), s.started(), s.metered(), s.stop_asked(),
            s.stop_accepted(), s.metered(at=110, register_wh=8400), s.stopped(), s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="the car stops by itself",
        events=SETTLED,
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="the plug is pulled while charging and put back: the station's stop ends it",
        events=(
            *CHARGING, s.unplugged(at=110), s.plugged_in(at=111), s.stopped(cause="EVDisconnected"),
            s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="the plug is pulled while the station is stopping",
        events=(
            *CHARGING, s.stop_asked(), s.unplugged(at=102), s.plugged_in(at=103), s.stopped(), s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="RFID: a known tag, held to the station twice, charges on its account",
        events=(
            s.offered(), s.tag(), s.tag(at=1.2), s.approved(), s.started(), s.metered(), s.stopped(),
            s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="RFID: the station starts before the account has answered",
        events=(
            s.offered(), s.tag(), s.started(at=1.5), s.metered(at=1.8, register_wh=1000), s.approved(),
            s.metered(), s.stopped(), s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="RFID: the station starts and ends before the account has answered: the energy is lost",
        events=(
            s.offered(), s.tag(), s.started(at=1.5), s.stopped(at=62, register_wh=3000), s.approved(at=63),
            s.released(),
        ),
        state="failed", payment="reversed", released=2500, lost=117, reason=Reason.NO_ANSWER,
        postings=("lost 117", HELD, "released 2500"),
    ),
    Story(
        name="RFID: refused after the station has started: the station is told to stop",
        events=(s.offered(), s.tag(), s.started(at=1.5), s.declined()),
        state="failed", payment="declined", reason=Reason.DECLINED,
    ),
    Story(
        name="tap first, then plug in",
        events=(
            s.offered(plugged=False), s.card(), s.approved(), s.unplugged(at=5), s.plugged_in(),
            s.started(at=12),
            s.stopped(), s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="tap first, the plug is never reported and the station starts all the same",
        events=(
            s.offered(plugged=False), s.card(), s.approved(), s.started(at=12), s.stopped(), s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="the car is plugged in between the offer and the tap",
        events=(
            s.offered(plugged=False), s.plugged_in(at=0.5), *APPROVED[1:], s.started(), s.stopped(),
            s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="the car is unplugged and plugged in again while the card is asked",
        events=(
            *TAPPED, s.unplugged(at=1.2), s.plugged_in(at=1.4), s.card(at=1.6), s.approved(), s.started(),
            s.stopped(), s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="nobody plugs in: the hold goes back",
        events=(s.offered(plugged=False), s.card(), s.approved(), s.ticked(at=182), s.released(at=190)),
        state="closed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.NOT_PLUGGED_IN,
    ),
    Story(
        name="the driver looks at the price and drives away",
        events=(s.offered(), s.unplugged()),
        state="closed", payment=None, reason=Reason.LEFT,
    ),
    Story(
        name="nobody ever comes to the offer",
        events=(s.offered(plugged=False), s.ticked(at=3600)),
        state="closed", payment=None, reason=Reason.LEFT,
    ),
    Story(
        name="an operator takes the offer back",
        events=(s.offered(), s.stop_asked(by="operator")),
        state="closed", payment=None, reason=Reason.LEFT,
    ),
    Story(
        name="the driver aborts at the terminal",
        events=(*TAPPED, s.aborted()),
        state="failed", payment="declined", reason=Reason.DECLINED,
    ),
    Story(
        name="the operator cancels while the card is asked; the approval goes back",
        events=(*TAPPED, s.stop_asked(at=1.5, by="operator"), s.approved(), s.released()),
        state="closed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.CANCELLED,
    ),
    Story(
        name="the operator cancels while the card is asked, and the terminal breaks off",
        events=(*TAPPED, s.stop_asked(at=1.5, by="operator"), s.aborted(), s.aborted(), *AFTERWARDS),
        state="closed", payment="declined", reason=Reason.CANCELLED,
    ),
    Story(
        name="the operator cancels before the car is there",
        events=(s.offered(plugged=False), s.card(), s.approved(), s.stop_asked(at=9), s.released()),
        state="closed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.CANCELLED,
    ),
    Story(
        name="the operator cancels before the station has started",
        events=(*APPROVED, s.stop_asked(at=4, by="operator"), s.released(), s.released(), *AFTERWARDS),
        state="closed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.CANCELLED,
    ),
    Story(
        name="a refund, part of it, then the rest",
        events=(
            *SETTLED, s.refund_wanted(), s.refunded(), s.refunded(),
            s.refund_wanted(at=400, amount_minor=387), s.refunded(key=s.FOURTH, amount_minor=387),
        ),
        state="closed", payment="refunded", captured=487, released=2013, refunded=487,
        postings=(*PAID, "refunded 100", "refunded 387"),
    ),
    Story(
        name="a refund whose answer is slow, and refused",
        events=(*SETTLED, s.refund_wanted(), s.silent(at=230, key=s.THIRD), s.refund_refused()),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID, alarms=1,
    ),
    Story(
        name="a capture undone before cut-off, after a slow answer",
        events=(*SETTLED, s.void_wanted(), s.silent(at=230, key=s.THIRD), s.voided()),
        state="closed", payment="voided", released=2500,
        postings=(*PAID, "captured -487", "released 487"),
    ),
    Story(
        name="a capture that cannot be undone any more",
        events=(*SETTLED, s.void_wanted(), s.void_refused()),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
)  # fmt: skip
