"""Stories in which a person has to look, or somebody speaks after the end."""

from tests.core import samples as s
from tests.journeys.stories import (
    APPROVED,
    BILLED,
    CHARGING,
    GIVEN_BACK,
    HELD,
    PAID,
    SETTLED,
    TAPPED,
    Story,
)  # fmt: skip
from tests.journeys.stories_payment import NO_ANSWER, SILENT
from tests.journeys.stories_station import REFUSED

from tapwatt.core.session import Reason

REVIEWED = (
    Story(
        name="issuer silent, reversed, and its late approval afterwards",
        events=(*SILENT, s.found_open(amount=None), s.released(), s.approved(at=90)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=NO_ANSWER,
    ),
    Story(
        name="the start message is lost; meter values and the stop arrive: a person looks at it",
        events=(*APPROVED, s.metered(), s.stopped(proved=False)),
        state="review", payment="authorised", postings=(HELD,), reason=Reason.DOUBTFUL_ENERGY, alarms=1,
        open_hold=True,
    ),
    Story(
        name="tap first; the station says it stopped what it never said it started: a person looks at it",
        events=(s.offered(plugged=False), s.card(), s.approved(), s.stopped(proved=False)),
        state="review", payment="authorised", postings=(HELD,), reason=Reason.DOUBTFUL_ENERGY, alarms=1,
        open_hold=True,
    ),
    Story(
        name="the hold of a doubtful charge expires: a person hears of it in time",
        events=(*CHARGING, s.stopped(proved=False), s.hold_expiring()),
        state="review", payment="authorised", postings=(HELD,), reason=Reason.DOUBTFUL_ENERGY, alarms=2,
        open_hold=True,
    ),
    Story(
        name="start refused, the hold went back, and then the approval is repeated: nothing more happens",
        events=(*REFUSED, s.approved(at=75)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.START_REFUSED,
    ),
    Story(
        name="capture refused, and a person decides to forgo it: the hold goes back, the bill is lost",
        events=(*BILLED, s.capture_refused(), s.decided(amount_minor=0), s.released(at=410, key=s.THIRD)),
        state="closed", payment="reversed", released=2500, lost=487, alarms=1,
        postings=(HELD, "lost 487", "released 2500"), reason=Reason.PAYMENT_REVIEW,
    ),
    Story(
        name="capture refused, and a person has it taken again: the amount is captured once",
        events=(*BILLED, s.capture_refused(), s.decided(), s.captured(at=410, key=s.THIRD)),
        state="closed", payment="captured", captured=487, released=2013, alarms=1, postings=PAID,
        reason=Reason.PAYMENT_REVIEW,
    ),
    Story(
        name="nobody can be asked, and a person gives the unconfirmed hold back",
        events=(*SILENT, s.cannot_ask(), s.decided(amount_minor=0), s.released(at=410)),
        state="failed", payment="reversed", alarms=1, reason=NO_ANSWER,
    ),
    Story(
        name="declined, and then a hold is found after all: it goes back and a person hears of it",
        events=(*TAPPED, s.declined(), s.found_open(), s.released()),
        state="failed", payment="reversed", released=2500, alarms=1, postings=GIVEN_BACK,
        reason=Reason.DECLINED,
    ),
    Story(
        name="a refund that nobody answers and nobody can be asked about: a person hears of it",
        events=(
            *SETTLED, s.refund_wanted(), s.ticked(at=400), s.cannot_ask(at=401, key=s.THIRD), s.refunded(),
        ),
        state="closed", payment="refunded", captured=487, released=2013, refunded=100, alarms=2,
        postings=(*PAID, "refunded 100"),
    ),
    Story(
        name="a void that nobody answers and nobody can be asked about: a person hears of it",
        events=(*SETTLED, s.void_wanted(), s.ticked(at=400), s.cannot_ask(at=401, key=s.THIRD), s.voided()),
        state="closed", payment="voided", released=2500, alarms=2,
        postings=(*PAID, "captured -487", "released 487"),
    ),
)  # fmt: skip
