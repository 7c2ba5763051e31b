"""Stories in which something runs out: the hold's money, its days, the driver's patience, the line."""

from tests.core import samples as s
from tests.journeys.stories import (
    APPROVED,
    BILLED,
    CHARGING,
    GIVEN_BACK,
    HELD,
    PAID,
    TAPPED,
    Story,
)

from tapwatt.core.events import Limits
from tapwatt.core.session import Reason

HOUR, DAY = 3600, 86_400
LAST_DAY = 6 * DAY + 1  # the tap was at second 1, the hold is good for seven days
SHORT = s.offered(plugged=False, limits=Limits(hold_ms=100_000, expiry_ms=50_000))
DEAF = (s.stop_asked(), *(s.ticked(at=at) for at in (130, 190, 310, 550, 1030)))

LIMITED = (
    Story(
        name="no meter values: a reading is asked for, none comes, the charge is stopped in time",
        events=(
            *CHARGING, s.ticked(at=465), s.ticked(at=475), s.stopped(at=478, register_wh=43_000), s.captured(
                amount_minor=2449),
        ),
        state="closed", payment="captured", captured=2449, released=51,
        postings=(HELD, "captured 2449", "released 51"),
    ),
    Story(
        name="no meter values: a reading is asked for and comes, and the charge goes on",
        events=(
            *CHARGING, s.ticked(at=465), s.metered(at=466, register_wh=3000, read_ms=s.ms(60)),
            s.metered(at=467, register_wh=9000), s.ticked(at=476), s.stopped(at=480), s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="the station is offline at the end; its stop arrives hours later",
        events=(
            *CHARGING, s.ticked(at=465), s.ticked(at=475), s.ticked(at=506), s.ticked(at=600),
            s.stopped(at=5 * HOUR, read_ms=s.ms(120)), s.captured(at=5 * HOUR + 2),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="a station that never stops: on the hold's last day the last reading is captured",
        events=(*CHARGING, *DEAF, s.ticked(at=LAST_DAY), s.captured(amount_minor=117)),
        state="closed", payment="captured", captured=117, released=2383, alarms=2,
        postings=(HELD, "captured 117", "released 2383"),
    ),
    Story(
        name="a station that never stops is captured by its last reading; its stop comes after all: the rest "
        "is lost, once",
        events=(
            *CHARGING, *DEAF, s.ticked(at=LAST_DAY), s.metered(at=LAST_DAY + 1, register_wh=8000),
            s.captured(amount_minor=117), s.stopped(at=LAST_DAY + 9), s.stopped(at=LAST_DAY + 99),
        ),
        state="closed", payment="captured", captured=117, released=2383, lost=370, alarms=2,
        postings=(HELD, "captured 117", "released 2383", "lost 370"),
    ),
    Story(
        name="a station that stops between its last reading's capture and the answer to it",
        events=(
            *CHARGING, *DEAF, s.ticked(at=LAST_DAY), s.stopped(at=LAST_DAY + 1),
            s.captured(at=LAST_DAY + 9, amount_minor=117),
        ),
        state="closed", payment="captured", captured=117, released=2383, lost=370, alarms=2,
        postings=(HELD, "lost 370", "captured 117", "released 2383"),
    ),
    Story(
        name="a station that never stops and never measured anything: the hold goes back",
        events=(
            *APPROVED, s.started(), *DEAF, s.ticked(at=LAST_DAY), s.released(at=LAST_DAY + 1),
            s.stopped(at=LAST_DAY + 9),
        ),
        state="closed", payment="reversed", released=2500, lost=487, alarms=2,
        postings=(*GIVEN_BACK, "lost 487"), reason=Reason.NOTHING_DELIVERED,
    ),
    Story(
        name="a station that never stops, with a doubt: a person decides after its stop has come",
        events=(
            *CHARGING, s.metered(at=70, register_wh=2500), *DEAF, s.ticked(at=LAST_DAY),
            s.stopped(at=LAST_DAY + 9), s.decided(at=LAST_DAY + 20, amount_minor=300),
            s.captured(at=LAST_DAY + 21, amount_minor=300),
        ),
        state="closed", payment="captured", captured=300, released=2200, lost=216, alarms=2,
        postings=(HELD, "lost 216", "captured 300", "released 2200"), reason=Reason.DOUBTFUL_ENERGY,
    ),
    Story(
        name="the hold's last day comes first, the station's deafness later",
        events=(
            *CHARGING, s.ticked(at=LAST_DAY), *(s.ticked(at=LAST_DAY + at) for at in (30, 90, 210, 450, 930)),
            s.captured(at=LAST_DAY + 940, amount_minor=117),
        ),
        state="closed", payment="captured", captured=117, released=2383, alarms=1,
        postings=(HELD, "captured 117", "released 2383"),
    ),
    Story(
        name="the hold runs out before the car is plugged in: given back by the session's own clock",
        events=(SHORT, s.card(), s.approved(), s.ticked(at=51), s.released(at=52)),
        state="closed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.NOT_PLUGGED_IN,
    ),
    Story(
        name="capture is impossible for a day, then possible",
        events=(*BILLED, s.ticked(at=240), s.ticked(at=HOUR), s.ticked(at=20 * HOUR), s.captured(at=DAY)),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID, alarms=1,
    ),
    Story(
        name="capture is impossible until the hold's last day: a person hears of it once more",
        events=(
            *BILLED, s.ticked(at=240), s.ticked(at=LAST_DAY), s.hold_expiring(at=LAST_DAY + 1),
            s.ticked(at=LAST_DAY + DAY), s.captured(at=LAST_DAY + DAY),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID, alarms=2,
    ),
    Story(
        name="doubtful energy waits until the hold's last day: the session wakes by itself",
        events=(*CHARGING, s.stopped(proved=False), s.ticked(at=300), s.ticked(at=LAST_DAY)),
        state="review", payment="authorised", postings=(HELD,), reason=Reason.DOUBTFUL_ENERGY, alarms=2,
        open_hold=True,
    ),
    Story(
        name="an abort crosses the tap: the terminal says aborted, then approved; the hold goes back",
        events=(*TAPPED, s.card(at=1.2), s.aborted(), s.approved(at=3), s.released(at=9)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.DECLINED,
        alarms=1,
    ),
)  # fmt: skip
