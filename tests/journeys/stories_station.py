"""Stories in which the station or the car makes trouble: starts, stops, meters, plugs."""

from tests.core import samples as s
from tests.journeys.stories import (
    AFTERWARDS,
    APPROVED,
    BILLED,
    CHARGING,
    GIVEN_BACK,
    HELD,
    PAID,
    TAPPED,
    Story,
)

from tapwatt.core.session import Reason

REFUSED = (*TAPPED, s.approved(), s.start_refused(), s.released())
LIMIT_WH = 1000 + 42_870  # 25.00 EUR buy 42,874 Wh

STATION = (
    Story(
        name="start refused: the hold goes back",
        events=(*REFUSED, *AFTERWARDS),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.START_REFUSED,
    ),
    Story(
        name="start uncertain, then timed out: the hold goes back",
        events=(*TAPPED, s.approved(), s.start_uncertain(), s.ticked(at=62), s.released()),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.START_TIMED_OUT,
    ),
    Story(
        name="plug pulled before power: the hold goes back",
        events=(*APPROVED, s.plugged_in(at=4), s.approved(at=4), s.unplugged(), s.released()),
        state="closed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.UNPLUGGED,
    ),
    Story(
        name="late start after the release: stopped, its energy lost, nothing captured",
        events=(
            *REFUSED, s.started(at=80), s.started(at=80), s.metered(at=90, register_wh=1500),
            s.stopped(at=120, register_wh=3000), s.stopped(at=120, register_wh=3000),
        ),
        state="failed", payment="reversed", released=2500, lost=117, reason=Reason.START_REFUSED,
        postings=(*GIVEN_BACK, "lost 117"),
    ),
    Story(
        name="late start while the release is under way",
        events=(
            *REFUSED[:-1], s.started(at=60), s.metered(at=65, register_wh=1500), s.released(),
            s.stopped(register_wh=3000),
        ),
        state="failed", payment="reversed", released=2500, lost=117, reason=Reason.START_REFUSED,
        postings=(*GIVEN_BACK, "lost 117"),
    ),
    Story(
        name="late start after a cancelled session",
        events=(
            *APPROVED, s.stop_asked(at=4), s.released(at=5), s.started(at=80), s.metered(at=90,
            register_wh=1500),
            s.stopped(register_wh=3000),
        ),
        state="closed", payment="reversed", released=2500, lost=117, reason=Reason.CANCELLED,
        postings=(*GIVEN_BACK, "lost 117"),
    ),
    Story(
        name="late start of a session that waits in review",
        events=(
            *TAPPED, s.silent(), s.cannot_ask(), s.started(at=80), s.metered(at=90, register_wh=1500),
            s.stopped(register_wh=3000), *AFTERWARDS,
        ),
        state="review", payment="unknown", lost=117, reason=Reason.NO_ANSWER, alarms=2, open_hold=True,
        postings=("lost 117",),
    ),
    Story(
        name="the limit is reached: the charge is stopped in time",
        events=(
            *APPROVED, s.started(), s.metered(at=600, register_wh=LIMIT_WH),
            s.stopped(at=605, register_wh=LIMIT_WH), s.captured(at=610, amount_minor=2500),
        ),
        state="closed", payment="captured", captured=2500, postings=(HELD, "captured 2500"),
    ),
    Story(
        name="bill above the hold: the hold is captured and the rest is lost",
        events=(
            *APPROVED, s.started(), s.metered(at=600, register_wh=LIMIT_WH),
            s.stopped(at=680, register_wh=LIMIT_WH + 5000), s.captured(at=690, amount_minor=2500),
        ),
        state="closed", payment="captured", captured=2500, lost=291,
        postings=(HELD, "lost 291", "captured 2500"),
    ),
    Story(
        name="stop refused, and asked for again until the station stops",
        events=(
            *CHARGING, s.stop_asked(), s.stop_refused(), s.ticked(at=130), s.stop_accepted(at=131),
            s.stop_asked(at=132), s.stopped(at=140), s.captured(at=145),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="the station does not stop: at the sixth try a person hears of it",
        events=(
            *CHARGING, s.stop_asked(), *(s.ticked(at=at) for at in (130, 190, 310, 550, 1030, 1990)),
            s.stopped(at=2000), s.captured(at=2010),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID, alarms=1,
    ),
    Story(
        name="everything that a station may say while the car charges",
        events=(
            *CHARGING, s.started(), s.start_accepted(), s.start_uncertain(), s.start_refused(),
            s.approved(at=61),
            s.stop_asked(), s.started(), s.start_accepted(), s.start_uncertain(), s.start_refused(),
            s.approved(at=101), s.hold_expiring(at=102), s.stopped(), s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="a day has passed: the charge is ended",
        events=(*CHARGING, s.ticked(at=86_405), s.stopped(at=86_410), s.captured(at=86_420)),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="zero energy: the hold goes back",
        events=(*APPROVED, s.started(), s.stopped(register_wh=1000), s.released(at=125)),
        state="closed", payment="reversed", released=2500, postings=GIVEN_BACK,
        reason=Reason.NOTHING_DELIVERED,
    ),
    Story(
        name="doubtful energy: the register fell, a person looks at it",
        events=(*CHARGING, s.stopped(register_wh=200), s.approved(at=121), s.started(at=122), *AFTERWARDS),
        state="review", payment="authorised", postings=(HELD,), reason=Reason.DOUBTFUL_ENERGY, alarms=2,
        open_hold=True,
    ),
    Story(
        name="a stop that cannot be proved: a person looks at it",
        events=(*CHARGING, s.stopped(proved=False)),
        state="review", payment="authorised", postings=(HELD,), reason=Reason.DOUBTFUL_ENERGY, alarms=1,
        open_hold=True,
    ),
    Story(
        name="the stop comes twice, the second time with another register: the first one counts",
        events=(
            *BILLED, s.stopped(at=130, register_wh=99_999), s.started(at=131), *AFTERWARDS,
            s.captured(at=700),
            s.started(at=701), s.stopped(at=701, register_wh=99_999), s.metered(at=702, register_wh=99_999),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID, alarms=1,
    ),
    Story(
        name="hold expiring while the car charges: stopped and captured",
        events=(*CHARGING, s.hold_expiring(at=100), s.stopped(), s.captured()),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="hold expiring before the car is there: given back",
        events=(
            s.offered(plugged=False), s.card(), s.approved(), s.hold_expiring(at=100), s.released(at=101),
        ),
        state="closed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.NOT_PLUGGED_IN,
    ),
    Story(
        name="hold expiring before the station has started: given back",
        events=(*APPROVED, s.hold_expiring(at=40), s.released(at=41)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.START_TIMED_OUT,
    ),
)  # fmt: skip
