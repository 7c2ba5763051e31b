"""Stories in which the payment side makes trouble: declined, silent, unknown, late, twice, refused."""

from tests.core import samples as s
from tests.journeys.stories import BILLED, CHARGING, GIVEN_BACK, HELD, PAID, TAPPED, Story

from tapwatt.core.session import Reason

SILENT = (*TAPPED, s.silent())
NO_ANSWER = Reason.NO_ANSWER
GOES_ON = (s.started(at=42), s.stopped(), s.captured())
RELEASING = (*TAPPED, s.approved(), s.start_refused())
TAG_UNKNOWN = (s.offered(), s.tag(), s.silent(), s.cannot_ask())

PAYMENT = (
    Story(
        name="declined",
        events=(*TAPPED, s.declined()),
        state="failed", payment="declined", reason=Reason.DECLINED,
    ),
    Story(
        name="declined, and said in every other way afterwards",
        events=(
            *TAPPED, s.declined(), s.declined(), s.aborted(), s.not_sent(), s.found_none(), s.silent(),
            s.metered(at=50), s.stopped(at=51),
        ),
        state="failed", payment="declined", reason=Reason.DECLINED,
    ),
    Story(
        name="the terminal could not be reached",
        events=(*TAPPED, s.not_sent()),
        state="failed", payment="declined", reason=Reason.DECLINED,
    ),
    Story(
        name="approved for less, which is enough: the charge stops at the smaller hold",
        events=(
            *TAPPED, s.approved(amount=1000), s.started(), s.metered(at=300, register_wh=18_140),
            s.stopped(at=301, register_wh=18_149), s.captured(at=302, amount_minor=1000),
        ),
        state="closed", payment="captured", captured=1000, postings=("authorised 1000", "captured 1000"),
    ),
    Story(
        name="approved for too little: given back",
        events=(*TAPPED, s.approved(amount=499), s.released()),
        state="failed", payment="reversed", released=499, reason=Reason.TOO_LITTLE,
        postings=("authorised 499", "released 499"),
    ),
    Story(
        name="issuer silent, then found open: the charge goes on",
        events=(*SILENT, s.found_open(), *GOES_ON),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="issuer silent, then the answer comes after all",
        events=(*SILENT, s.approved(at=35), *GOES_ON),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="issuer silent, then found none",
        events=(*SILENT, s.found_none()),
        state="failed", payment="declined", reason=Reason.DECLINED,
    ),
    Story(
        name="issuer silent, then declined after all",
        events=(*SILENT, s.declined(at=35)),
        state="failed", payment="declined", reason=Reason.DECLINED,
    ),
    Story(
        name="issuer silent, then aborted",
        events=(*SILENT, s.aborted(at=35)),
        state="failed", payment="declined", reason=Reason.DECLINED,
    ),
    Story(
        name="silent, and then it turns out that nothing had left us",
        events=(*SILENT, s.not_sent(at=35)),
        state="failed", payment="declined", reason=Reason.DECLINED,
    ),
    Story(
        name="issuer silent, an open hold is found but nobody knows its amount: given back",
        events=(*SILENT, s.found_open(amount=None), s.approved(at=41), s.released()),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=NO_ANSWER,
    ),
    Story(
        name="issuer silent and the terminal cannot be asked: a person is alarmed",
        events=(*SILENT, s.cannot_ask(), s.cannot_ask(at=50)),
        state="review", payment="unknown", reason=NO_ANSWER, alarms=2, open_hold=True,
    ),
    Story(
        name="in review, the terminal is found to know nothing of it",
        events=(*SILENT, s.cannot_ask(), s.silent(at=50), s.found_none(at=60)),
        state="failed", payment="declined", reason=NO_ANSWER, alarms=1,
    ),
    Story(
        name="in review, the terminal says that it was declined",
        events=(*SILENT, s.cannot_ask(), s.declined(at=60)),
        state="failed", payment="declined", reason=NO_ANSWER, alarms=1,
    ),
    Story(
        name="in review, the terminal says that it was aborted",
        events=(*SILENT, s.cannot_ask(), s.aborted(at=60)),
        state="failed", payment="declined", reason=NO_ANSWER, alarms=1,
    ),
    Story(
        name="in review, it turns out that nothing had left us",
        events=(*SILENT, s.cannot_ask(), s.not_sent(at=60)),
        state="failed", payment="declined", reason=NO_ANSWER, alarms=1,
    ),
    Story(
        name="silent, given up, and then nobody can be asked: a person is alarmed",
        events=(*SILENT, s.ticked(at=91), s.cannot_ask(at=95)),
        state="review", payment="unknown", reason=NO_ANSWER, alarms=1, open_hold=True,
    ),
    Story(
        name="the account's ledger is silent and cannot be asked: reversed",
        events=(*TAG_UNKNOWN, s.released()),
        state="failed", payment="reversed", reason=NO_ANSWER,
    ),
    Story(
        name="nothing at all is heard, the driver gives up, a late approval goes back",
        events=(*TAPPED, s.ticked(at=91), s.approved(at=100), s.approved(at=101), s.released(at=110)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=NO_ANSWER,
    ),
    Story(
        name="silent, given up, a late approval goes back",
        events=(*SILENT, s.ticked(at=91), s.approved(at=100), s.released(at=110)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=NO_ANSWER,
    ),
    Story(
        name="given up, then silent, then found open: goes back",
        events=(*TAPPED, s.ticked(at=91), s.silent(at=92), s.found_open(at=95), s.released(at=110)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=NO_ANSWER,
    ),
    Story(
        name="given up, then declined",
        events=(*TAPPED, s.ticked(at=91), s.declined(at=92)),
        state="failed", payment="declined", reason=NO_ANSWER,
    ),
    Story(
        name="given up, then not sent",
        events=(*TAPPED, s.ticked(at=91), s.not_sent(at=92)),
        state="failed", payment="declined", reason=NO_ANSWER,
    ),
    Story(
        name="cancelled, and the terminal says no in every way it can",
        events=(
            *TAPPED, s.stop_asked(at=20), s.declined(at=21), s.declined(at=22), s.not_sent(at=22),
            s.found_none(at=23), s.silent(at=24),
        ),
        state="closed", payment="declined", reason=Reason.CANCELLED,
    ),
    Story(
        name="approval after decline: given back, and a person hears of it",
        events=(*TAPPED, s.declined(), s.approved(at=50), s.approved(at=51), s.released(), s.released(at=71)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.DECLINED,
        alarms=1,
    ),
    Story(
        name="after a restart the terminal is asked at once and the hold is open",
        events=(*TAPPED, s.found_open(), *GOES_ON),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="after a restart the terminal is asked at once and knows nothing",
        events=(*TAPPED, s.found_none()),
        state="failed", payment="declined", reason=Reason.DECLINED,
    ),
    Story(
        name="after a restart the terminal cannot be asked",
        events=(*TAPPED, s.cannot_ask()),
        state="review", payment="unknown", reason=NO_ANSWER, alarms=1, open_hold=True,
    ),
    Story(
        name="capture not sent, silent, found still open: captured in the end, once",
        events=(
            *BILLED, s.approved(at=121), s.not_sent(at=122, key=s.SECOND), s.silent(at=150, key=s.SECOND),
            s.found_open(at=160, key=s.SECOND), s.captured(at=170), s.captured(at=171),
            s.already_captured(at=172),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="capture already done with the same amount",
        events=(*BILLED, s.silent(at=150, key=s.SECOND), s.already_captured()),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="capture already done with another amount: a person looks at it",
        events=(*BILLED, s.silent(at=150, key=s.SECOND), s.already_captured(amount_minor=500)),
        state="review", payment="review", captured=500, postings=(HELD, "captured 500"),
        reason=Reason.PAYMENT_REVIEW, alarms=1, open_hold=True,
    ),
    Story(
        name="capture refused: a person looks at it",
        events=(*BILLED, s.capture_refused()),
        state="review", payment="review", postings=(HELD,), reason=Reason.PAYMENT_REVIEW, alarms=1,
        open_hold=True,
    ),
    Story(
        name="release refused: a person looks at it",
        events=(*RELEASING, s.release_refused()),
        state="review", payment="review", postings=(HELD,), reason=Reason.PAYMENT_REVIEW, alarms=1,
        open_hold=True,
    ),
    Story(
        name="release not sent, silent, found still open, released in the end",
        events=(
            *RELEASING, s.not_sent(at=4, key=s.SECOND), s.silent(at=40, key=s.SECOND),
            s.found_open(at=50, key=s.SECOND), s.released(), s.released(at=71),
        ),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.START_REFUSED,
    ),
    Story(
        name="release silent, and then the hold is found gone",
        events=(*RELEASING, s.silent(at=40, key=s.SECOND), s.found_none(at=50, key=s.SECOND)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.START_REFUSED,
    ),
    Story(
        name="an answer with the key of another operation changes nothing",
        events=(
            *CHARGING, s.stopped(), s.captured(key=s.FIRST, amount_minor=9999),
            s.capture_refused(key=s.FIRST),
            s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
)  # fmt: skip
