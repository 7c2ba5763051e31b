"""Stories in which something comes late, early or after the end, and is put right all the same."""

from tests.core import samples as s
from tests.journeys.stories import APPROVED, BILLED, GIVEN_BACK, HELD, PAID, TAPPED, Story
from tests.journeys.stories_payment import GOES_ON, NO_ANSWER, RELEASING, SILENT, TAG_UNKNOWN
from tests.journeys.stories_station import REFUSED

from tapwatt.core.session import Reason

EARLY = (s.offered(), s.tag(), s.started(at=1.5))

LATE = (
    Story(
        name="silent, approved after all, and then the question is answered too",
        events=(*SILENT, s.approved(at=35), s.found_open(), *GOES_ON),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="capture silent, confirmed after all, and then the question is answered too",
        events=(
            *BILLED, s.silent(at=150, key=s.SECOND), s.captured(at=155), s.found_none(at=160, key=s.SECOND),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="in review because nobody could be asked, then a late approval: it goes back",
        events=(*SILENT, s.cannot_ask(), s.approved(at=60), s.released()),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=NO_ANSWER, alarms=1,
    ),
    Story(
        name="capture silent and nobody can be asked: a person is alarmed",
        events=(*BILLED, s.silent(at=150, key=s.SECOND), s.cannot_ask(at=160, key=s.SECOND)),
        state="review", payment="capturing", postings=(HELD,), reason=NO_ANSWER, alarms=1, open_hold=True,
    ),
    Story(
        name="release silent and nobody can be asked: a person is alarmed",
        events=(*RELEASING, s.silent(at=40, key=s.SECOND), s.cannot_ask(at=50, key=s.SECOND)),
        state="closing", payment="reversing", postings=(HELD,), reason=Reason.START_REFUSED, alarms=1,
        open_hold=True,
    ),
    Story(
        name="RFID: refused after the station has started: what flowed until it stopped is lost",
        events=(*EARLY, s.declined(), s.stopped(at=62, register_wh=3000)),
        state="failed", payment="declined", reason=Reason.DECLINED, lost=117, postings=("lost 117",),
    ),
    Story(
        name="RFID: no answer though the station has started: what flowed until it stopped is lost",
        events=(*EARLY, s.ticked(at=91), s.declined(at=92), s.stopped(register_wh=3000)),
        state="failed", payment="declined", reason=NO_ANSWER, lost=117, postings=("lost 117",),
    ),
    Story(
        name="the station's clock is set back after the start: the energy is not given away",
        events=(*APPROVED, s.started(read_ms=s.ms(10**6)), s.stopped()),
        state="review", payment="authorised", postings=(HELD,), reason=Reason.DOUBTFUL_ENERGY, alarms=1,
        open_hold=True,
    ),
    Story(
        name="a tick of the authorisation comes just after the approval: the start goes on",
        events=(
            *TAPPED, s.approved(at=90), s.ticked(at=91), s.started(at=95), s.stopped(at=210),
            s.captured(at=215),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="cancelled, declined, approved after all: the session stands open until the hold is back",
        events=(*TAPPED, s.stop_asked(at=20), s.declined(at=21), s.approved(at=30)),
        state="closing", payment="reversing", postings=(HELD,), reason=Reason.CANCELLED, alarms=1,
        open_hold=True,
    ),
    Story(
        name="cancelled while the account is silent: the reason stays",
        events=(s.offered(), s.tag(), s.silent(), s.stop_asked(at=35), s.cannot_ask(), s.released()),
        state="closed", payment="reversed", reason=Reason.CANCELLED,
    ),
    Story(
        name="tap first: the free connector says once more that it is free",
        events=(
            s.offered(plugged=False), s.unplugged(at=0.5), s.card(), s.approved(), s.plugged_in(),
            s.started(at=12),
            s.stopped(), s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="a late start whose station will not stop: a person hears of it",
        events=(
            *REFUSED, s.started(at=80), s.stop_refused(at=81), *(s.ticked(at=at) for at in range(110, 9000,
            990)),
        ),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.START_REFUSED,
        alarms=1,
    ),
    Story(
        name="the account silent, reversed unconfirmed, and its late approval afterwards: it goes back too",
        events=(*TAG_UNKNOWN, s.released(), s.approved(at=90), s.released(at=95, key=s.THIRD)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=NO_ANSWER, alarms=1,
    ),
    Story(
        name="capture unanswered for minutes: asked again, a person hears of it, captured in the end",
        events=(*BILLED, s.ticked(at=240), s.ticked(at=480), s.captured(at=490)),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID, alarms=1,
    ),
    Story(
        name="release unanswered for minutes: asked again, a person hears of it, released in the end",
        events=(*RELEASING, s.ticked(at=123), s.released(at=130)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.START_REFUSED,
        alarms=1,
    ),
    Story(
        name="given up, and nothing is heard for minutes: asked what became of it, found open, given back",
        events=(*TAPPED, s.ticked(at=91), s.ticked(at=211), s.found_open(at=215), s.released(at=220)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=NO_ANSWER, alarms=1,
    ),
    Story(
        name="in review, asked again until the hold is found: it goes back",
        events=(*SILENT, s.cannot_ask(), s.ticked(at=160), s.found_open(at=165), s.released(at=170)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=NO_ANSWER, alarms=2,
    ),
    Story(
        name="late start after a cancelled session, and the station has to be told twice",
        events=(
            *APPROVED, s.stop_asked(at=4), s.released(at=5), s.started(at=80), s.ticked(at=110),
            s.stopped(register_wh=3000), s.ticked(at=400),
        ),
        state="closed", payment="reversed", released=2500, lost=117, reason=Reason.CANCELLED, alarms=1,
        postings=(*GIVEN_BACK, "lost 117"),
    ),
    Story(
        name="capture broken off, then found gone without a trace: a person looks at it",
        events=(*BILLED, s.aborted(at=150, key=s.SECOND), s.found_none(at=160, key=s.SECOND)),
        state="review", payment="review", postings=(HELD,), reason=Reason.PAYMENT_REVIEW, alarms=1,
        open_hold=True,
    ),
    Story(
        name="capture declined: a person looks at it",
        events=(*BILLED, s.declined(at=150, key=s.SECOND)),
        state="review", payment="review", postings=(HELD,), reason=Reason.PAYMENT_REVIEW, alarms=1,
        open_hold=True,
    ),
    Story(
        name="release broken off, then declined: a person looks at it",
        events=(*RELEASING, s.aborted(at=40, key=s.SECOND), s.declined(at=50, key=s.SECOND)),
        state="review", payment="review", postings=(HELD,), reason=Reason.PAYMENT_REVIEW, alarms=1,
        open_hold=True,
    ),
    Story(
        name="doubtful energy, and a person takes a part: the rest is lost",
        events=(*APPROVED, s.started(), s.stopped(proved=False), s.decided(amount_minor=300),
                s.captured(at=410, amount_minor=300)),
        state="closed", payment="captured", captured=300, released=2200, lost=187, alarms=1,
        postings=(HELD, "lost 187", "captured 300", "released 2200"), reason=Reason.DOUBTFUL_ENERGY,
    ),
    Story(
        name="doubtful energy, and a person gives everything back: all of it is lost",
        events=(
            *APPROVED, s.started(), s.stopped(proved=False), s.decided(amount_minor=0), s.released(at=410),
        ),
        state="closed", payment="reversed", released=2500, lost=487, alarms=1,
        postings=(HELD, "lost 487", "released 2500"), reason=Reason.DOUBTFUL_ENERGY,
    ),
    Story(
        name="the start message is lost, the meter is heard, then the start comes after all",
        events=(*APPROVED, s.metered(at=8, register_wh=1100), s.started(at=9), s.stopped(), s.captured()),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
)  # fmt: skip
