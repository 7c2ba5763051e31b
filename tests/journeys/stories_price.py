"""Stories in which the price or the hold moves: idle time, a chosen hold, a hold raised on the way."""

from decimal import Decimal

from tests.core import samples as s
from tests.journeys.stories import CHARGING, HELD, PAID, Story

from tapwatt.core.hold import HoldPolicy
from tapwatt.core.session import Reason
from tapwatt.core.tariff import Component, Dimension, Element, Restrictions, Tariff, Tax

TAX = (Tax(name="VAT", rate_percent=Decimal(19)),)
IDLE_FEE = Tariff(
    tariff_id="T2",
    currency="EUR",
    elements=(
        Element(components=(Component(dimension=Dimension.ENERGY, price=Decimal("0.49"), taxes=TAX),)),
        Element(
            components=(Component(dimension=Dimension.PARKING_TIME, price=Decimal(6), taxes=TAX),),
            restrictions=Restrictions(min_idle_s=60),
        ),
    ),
)
"""0.49 EUR a kWh and, from the second minute on, 0.10 EUR for a minute without charging; 19 % on both."""
FULL = s.metered(at=120, register_wh=9345)
STANDING = (s.offered(tariff=IDLE_FEE), s.card(), s.approved(), s.started(), FULL)

GROWING = HoldPolicy(amount_minor=2500, least_minor=500, step_minor=1000, most_minor=4000)
NEARLY = s.metered(at=400, register_wh=36_000)
"""35 kWh are 20.41 EUR of 25.00: less than half a step is left."""
RAISING = (s.offered(hold=GROWING), s.card(), s.approved(), s.started(), NEARLY)
RAISED = (HELD, "authorised 1000", "captured 2916", "released 584")
AS_IT_WAS = (HELD, "captured 2496", "released 4")
FAR = s.stopped(at=600, register_wh=51_000)
SHORT = (s.metered(at=410, register_wh=36_900), s.metered(at=480, register_wh=43_700))
STOPPED = s.stopped(at=482, register_wh=43_800)
CHOICE = HoldPolicy(amount_minor=2500, least_minor=500, choices_minor=(1000, 4000))


def refused(what: str, *answers: object) -> Story:
    """The hold is not raised: the charge goes on and ends at the old one."""
    return Story(
        name=f"a hold is not raised, {what}: the charge stops in time for the old one",
        events=(*RAISING, *answers, *SHORT, STOPPED, s.captured(at=484, key=s.THIRD, amount_minor=2496)),
        state="closed", payment="captured", captured=2496, released=4, postings=AS_IT_WAS,
    )  # fmt: skip


PRICED = (
    Story(
        name="the car is full and stands on: idle time is billed after its grace",
        events=(
            *STANDING, s.suspended(at=120), s.stopped(at=420, register_wh=9345), s.captured(
                at=425, amount_minor=534),
        ),  # 8.345 kWh are 4.8660 EUR; four minutes at 0.119 EUR are 0.476
        state="closed", payment="captured", captured=534, released=1966,
        postings=(HELD, "captured 534", "released 1966"),
    ),
    Story(
        name="the car rests within the grace and charges on: no idle time is billed",
        events=(
            *STANDING, s.suspended(at=120), s.metered(at=150, register_wh=9345), s.resumed(at=150),
            s.stopped(at=420, register_wh=9345), s.captured(at=425),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="a car that idles while the station is told to stop",
        events=(
            *CHARGING, s.stop_asked(), s.suspended(at=101), s.resumed(at=102), s.stopped(), s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=2013, postings=PAID,
    ),
    Story(
        name="the driver chooses how much is held",
        events=(
            s.offered(hold=CHOICE), s.hold_chosen(amount_minor=7000), s.hold_chosen(), s.card(),
            s.approved(amount=4000), s.hold_chosen(at=3, amount_minor=1000), s.started(), s.stopped(),
            s.captured(),
        ),
        state="closed", payment="captured", captured=487, released=3513,
        postings=("authorised 4000", "captured 487", "released 3513"),
    ),
    Story(
        name="a hold that is nearly used up is raised, and the charge goes on",
        events=(
            *RAISING, s.metered(at=401, register_wh=36_050), s.approved(at=402, key=s.SECOND, amount=1000),
            FAR, s.captured(at=602, key=s.THIRD, amount_minor=2916),
        ),
        state="closed", payment="captured", captured=2916, released=584, postings=RAISED,
    ),
    Story(
        name="nobody answers the wish for a larger hold; it is found to be larger",
        events=(
            *RAISING, s.silent(at=432, key=s.SECOND), s.found_open(at=440, key=s.SECOND, amount=1000), FAR,
            s.captured(at=602, key=s.THIRD, amount_minor=2916),
        ),
        state="closed", payment="captured", captured=2916, released=584, postings=RAISED,
    ),
    refused("the issuer says no", s.declined(at=402, key=s.SECOND)),
    refused("the driver aborts", s.aborted(at=402, key=s.SECOND)),
    refused("it was never sent", s.not_sent(at=402, key=s.SECOND)),
    refused("it was not done", s.silent(at=402, key=s.SECOND), s.found_none(at=403, key=s.SECOND)),
    Story(
        name="nobody can say whether a hold was raised: the raise alone is taken back",
        events=(
            *RAISING, s.silent(at=402, key=s.SECOND), s.cannot_ask(at=403, key=s.SECOND), *SHORT,
            s.released(at=481, key=s.THIRD), STOPPED, s.captured(at=484, key=s.FOURTH, amount_minor=2496),
        ),
        state="closed", payment="captured", captured=2496, released=4, postings=AS_IT_WAS,
    ),
    Story(
        name="the charge ends while its hold is being raised: the confirmed hold pays",
        events=(
            *RAISING, s.stopped(at=410, register_wh=36_900), s.approved(at=411, key=s.SECOND, amount=1000),
            s.captured(at=412, key=s.THIRD, amount_minor=2093),
        ),
        state="closed", payment="captured", captured=2093, released=407,
        postings=(HELD, "captured 2093", "released 407"),
    ),
    Story(
        name="the stop cannot be proved while a hold is being raised; a person gives all of it back",
        events=(
            *RAISING, s.stopped(at=410, register_wh=36_900, proved=False), s.ticked(at=600),
            s.decided(at=700, amount_minor=0), s.released(at=705, key=s.THIRD),
        ),
        state="closed", payment="reversed", released=2500, lost=2093, reason=Reason.DOUBTFUL_ENERGY,
        postings=(HELD, "lost 2093", "released 2500"), alarms=2,
    ),
)  # fmt: skip
