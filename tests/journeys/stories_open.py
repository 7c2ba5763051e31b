"""Stories that do not end yet as the design asks: each names its defect (`tests.core.defects`)."""

from tests.core import samples as s
from tests.journeys.stories import APPROVED, BILLED, CHARGING, GIVEN_BACK, HELD, Story
from tests.journeys.stories_payment import NO_ANSWER, SILENT
from tests.journeys.stories_station import REFUSED

from tapwatt.core.session import Reason

OPEN = (
    Story(
        name="issuer silent, reversed, and its late approval afterwards",
        events=(*SILENT, s.found_open(amount=None), s.released(), s.approved(at=90)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=NO_ANSWER, defect=3,
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
        name="start refused, the hold went back, and then the approval is repeated: nothing more happens",
        events=(*REFUSED, s.approved(at=75)),
        state="failed", payment="reversed", released=2500, postings=GIVEN_BACK, reason=Reason.START_REFUSED,
        defect=3,
    ),
    Story(
        name="capture refused, and a person decides to forgo it: the hold goes back, the bill is lost",
        events=(*BILLED, s.capture_refused(), s.decided(amount_minor=0), s.released(at=410, key=s.THIRD)),
        state="closed", payment="reversed", released=2500, lost=487, alarms=1,
        postings=(HELD, "lost 487", "released 2500"), reason=Reason.PAYMENT_REVIEW, defect=13,
    ),
)  # fmt: skip
