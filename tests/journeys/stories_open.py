"""Stories that do not end yet as the design asks: each names its defect (`tests.core.defects`)."""

from tests.core import samples as s
from tests.journeys.stories import APPROVED, BILLED, CHARGING, GIVEN_BACK, HELD, PAID, TAPPED, Story
from tests.journeys.stories_payment import GOES_ON, NO_ANSWER, RELEASING, SILENT, TAG_UNKNOWN
from tests.journeys.stories_station import REFUSED

from tapwatt.core.session import Reason

EARLY = (s.offered(), s.tag(), s.started(at=1.5))

OPEN = (
    Story(
        name="silent, approved after all, and then the question is answered too",
        events=(*SILENT, s.approved(at=35), s.found_open(), *GOES_ON),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID, defect=1,
    ),
    Story(
        name="capture silent, confirmed after all, and then the question is answered too",
        events=(
            *BILLED, s.silent(at=150, key=s.SECOND), s.captured(at=155), s.found_none(at=160, key=s.SECOND),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID, defect=1,
    ),
    Story(
        name="in review because nobody could be asked, then a late approval: it goes back",
        events=(*SILENT, s.cannot_ask(), s.approved(at=60), s.released()),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=NO_ANSWER, alarms=1,
        defect=2,
    ),
    Story(
        name="issuer silent, reversed, and its late approval afterwards",
        events=(*SILENT, s.found_open(amount=None), s.released(), s.approved(at=90)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=NO_ANSWER, defect=3,
    ),
    Story(
        name="the account silent, reversed, and its late approval afterwards",
        events=(*TAG_UNKNOWN, s.released(), s.approved(at=90)),
        state="failed", payment="reversed", reason=NO_ANSWER, defect=3,
    ),
    Story(
        name="capture silent and nobody can be asked: a person is alarmed",
        events=(*BILLED, s.silent(at=150, key=s.SECOND), s.cannot_ask(at=160, key=s.SECOND)),
        state="review", payment="review", postings=(HELD,), reason=Reason.PAYMENT_REVIEW, alarms=1,
        open_hold=True, defect=5,
    ),
    Story(
        name="release silent and nobody can be asked: a person is alarmed",
        events=(*RELEASING, s.silent(at=40, key=s.SECOND), s.cannot_ask(at=50, key=s.SECOND)),
        state="review", payment="review", postings=(HELD,), reason=Reason.PAYMENT_REVIEW, alarms=1,
        open_hold=True, defect=5,
    ),
    Story(
        name="RFID: refused after the station has started: what flowed until it stopped is lost",
        events=(*EARLY, s.declined(), s.stopped(at=62, register_wh=3000)),
        state="failed", payment="declined", reason=Reason.DECLINED, lost=117, postings=("lost 117",),
        defect=6,
    ),
    Story(
        name="RFID: no answer though the station has started: what flowed until it stopped is lost",
        events=(*EARLY, s.ticked(at=91), s.declined(at=92), s.stopped(register_wh=3000)),
        state="failed", payment="declined", reason=NO_ANSWER, lost=117, postings=("lost 117",), defect=6,
    ),
    Story(
        name="the station's clock is set back after the start: the energy is not given away",
        events=(*APPROVED, s.started(read_ms=s.ms(10**6)), s.stopped()),
        state="review", payment="authorised", postings=(HELD,), reason=Reason.DOUBTFUL_ENERGY, alarms=1,
        open_hold=True, defect=8,
    ),
    Story(
        name="a tick of the authorisation comes just after the approval: the start goes on",
        events=(*TAPPED, s.approved(at=90), s.ticked(at=91), s.started(at=95), s.stopped(), s.captured()),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID, defect=11,
    ),
    Story(
        name="the start message is lost; meter values and the stop arrive: a person looks at it",
        events=(*APPROVED, s.metered(), s.stopped(proved=False)),
        state="review", payment="authorised", postings=(HELD,), reason=Reason.DOUBTFUL_ENERGY, alarms=1,
        open_hold=True, defect=12,
    ),
    Story(
        name="the hold of a doubtful charge expires: a person hears of it in time",
        events=(*CHARGING, s.stopped(proved=False), s.hold_expiring()),
        state="review", payment="authorised", postings=(HELD,), reason=Reason.DOUBTFUL_ENERGY, alarms=2,
        open_hold=True, defect=13,
    ),
    Story(
        name="cancelled, declined, approved after all: the session stands open until the hold is back",
        events=(*TAPPED, s.stop_asked(at=20), s.declined(at=21), s.approved(at=30)),
        state="closing", payment="reversing", postings=(HELD,), reason=Reason.CANCELLED, alarms=1,
        open_hold=True, defect=23,
    ),
    Story(
        name="cancelled while the account is silent: the reason stays",
        events=(s.offered(), s.tag(), s.silent(), s.stop_asked(at=35), s.cannot_ask(), s.released()),
        state="closed", payment="reversed", reason=Reason.CANCELLED, defect=23,
    ),
    Story(
        name="tap first: the free connector says once more that it is free",
        events=(
            s.offered(plugged=False), s.unplugged(at=0.5), s.card(), s.approved(), s.plugged_in(),
            s.started(at=12),
            s.stopped(), s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID, defect=24,
    ),
    Story(
        name="a late start whose station will not stop: a person hears of it",
        events=(
            *REFUSED, s.started(at=80), s.stop_refused(at=81), *(s.ticked(at=at) for at in range(110, 9000,
            990)),
        ),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.START_REFUSED,
        alarms=1, defect=15,
    ),
)  # fmt: skip
