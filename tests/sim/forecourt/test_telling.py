"""What the page tells of a visit: where the money stands, said in words, and what would be so elsewhere."""

import pytest
from tests.sim.forecourt.scenes import FREE, HOLD, charging, facts, session, stated, stay

from tapwatt.sim.forecourt.facts import Json, Stated, Told
from tapwatt.sim.forecourt.switches import SWITCHES
from tapwatt.sim.forecourt.telling import Money, money_of, tell

PAID = session("closed", authorised_minor=HOLD, captured_minor=117, released_minor=2_383)
DECLINED = session("failed", reason="payment declined", detail="Not enough funds")
BACK = session(
    "failed", reason="the station did not start in time", authorised_minor=HOLD, released_minor=HOLD
)


@pytest.mark.parametrize(
    ("shown", "issuer", "reversing", "money"),
    [
        (session("offered"), None, False, Money.UNDER_WAY),
        (session("charging", authorised_minor=HOLD), stated(HOLD), False, Money.UNDER_WAY),
        (PAID, stated(HOLD, 117, 2_383), False, Money.PAID),
        # Nobody's silence undoes what the session knows to be paid.
        (PAID, None, False, Money.PAID),
        (DECLINED, stated(0), False, Money.DECLINED),
        (DECLINED, stated(HOLD), False, Money.BEING_TAKEN_BACK),
        (DECLINED, stated(0), True, Money.BEING_TAKEN_BACK),
        (DECLINED, stated(HOLD, 0, HOLD), False, Money.TAKEN_BACK),
        (BACK, stated(HOLD, 0, HOLD), False, Money.GIVEN_BACK),
        (BACK, stated(HOLD), False, Money.BEING_TAKEN_BACK),
        (session("closed", reason="left without paying"), None, False, Money.NEVER_HELD),
        (session("review", authorised_minor=HOLD), stated(HOLD), False, Money.REVIEW),
        (session("failed", lost_minor=30), stated(HOLD, 0, HOLD), False, Money.LOST),
    ],
)
def test_where_the_money_stands(shown: Json, issuer: Stated | None, reversing: bool, money: Money) -> None:
    parties = {"issuer": issuer}
    assert money_of(shown, Told(session=shown, parties=parties, reversing=reversing)) is money


def told(shown: Json, issuer: Stated | None = None, card: str = "visa-good", *broken: str) -> tuple[str, str]:
    """The two sentences of a visit's end."""
    tale = tell(facts(Told(session=shown, parties={"issuer": issuer}), stay=stay(card, *broken)))
    return tale.now, tale.elsewhere


def test_silence_is_told_as_the_guide_tells_it() -> None:
    now, elsewhere = told(DECLINED, stated(HOLD, 0, HOLD), "visa-good", "silence-issuer")
    assert now == "The issuer fell silent. Tapwatt reversed the hold: the bank has let 25.00 EUR go again."
    assert "would have left 25.00 EUR blocked for days" in elsewhere


def test_an_issuer_that_falls_silent_after_the_hold_leaves_no_hold_to_tell_of() -> None:
    now, elsewhere = told(PAID, stated(HOLD, 117, 2_383), "visa-good", "silence-issuer")
    assert now.startswith("The issuer fell silent. 1.17 EUR were taken for 2.000 kWh")
    assert elsewhere.endswith("the driver pays twice.")


@pytest.mark.parametrize(
    ("shown", "card", "now", "elsewhere"),
    [
        (PAID, "visa-good", "were taken for 2.000 kWh; the other 23.83 EUR of the hold", "two bookings"),
        (PAID, "mastercard-partial", "1.17 EUR were taken", "approved for less"),
        (PAID, "mastercard-replayed", "1.17 EUR were taken", "two bookings"),
        (DECLINED, "visa-low", "not approved: Not enough funds. Nothing is held", "starts on the tap"),
        (DECLINED, "visa-forged", "not approved", "copied card"),
        (DECLINED, "mastercard-replayed", "not approved", "one recorded tap"),
        (BACK, "visa-good", "not start in time: the whole hold of 25.00 EUR was given back", "blocked"),
        (session("review", reason="the meter readings are in doubt"), "visa-good", "a person", "prove"),
        (session("failed", lost_minor=30), "visa-good", "0.30 EUR were delivered on a hold", "ledger"),
    ],
)  # fmt: skip
def test_an_end_in_words(shown: Json, card: str, now: str, elsewhere: str) -> None:
    said = told(shown, None, card)
    assert now in said[0]
    assert elsewhere in said[1]


@pytest.mark.parametrize("broken", SWITCHES, ids=lambda switch: switch.key)
def test_what_was_broken_comes_first_and_names_no_placeholder(broken: object) -> None:
    known = next(each for each in SWITCHES if each is broken)
    now, elsewhere = told(PAID, None, "visa-forged", known.key)
    assert now.startswith(known.past)
    assert elsewhere == (known.when_paid or known.elsewhere).format(hold="25.00 EUR")
    assert "{" not in elsewhere


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("offered", "Nothing is held yet"),
        ("authorising", "asked to hold 25.00 EUR"),
        ("ready", "Plug in"),
        ("starting", "asked to start"),
        ("charging", "1.17 EUR of the 25.00 EUR hold"),
        ("stopping", "asked to stop"),
        ("closing", "being taken"),
    ],
)
def test_a_visit_under_way(state: str, words: str) -> None:
    shown = session(state, authorised_minor=HOLD)
    tale = tell(facts(Told(session=shown), stay=stay(), bays=charging()))
    assert words in tale.now
    assert tale.elsewhere == ""


def test_what_the_bank_has_not_heard_of_is_said() -> None:
    now, _ = told(PAID, stated(HOLD))
    assert now.endswith(
        "The bank still holds 25.00 EUR: the message waits, and is repeated until it is heard."
    )
    assert "still holds" not in told(PAID, stated(HOLD, 117, 2_383))[0]


def test_a_breakage_is_only_named_while_nobody_knows_how_it_ends() -> None:
    seen = facts(Told(session=session("authorising")), stay=stay("visa-good", "silence-issuer"))
    assert tell(seen).now.startswith("Broken in this visit: Silence the issuer. The card’s bank is asked")


def test_an_account_is_not_a_bank() -> None:
    paid = session("closed", leader="account", captured_minor=117, authorised_minor=0)
    assert "booked to the account" in told(paid, None, "tag-known")[0]
    tale = tell(facts(Told(), stay=stay("tag-unknown", tag_answer="invalid"), bays=charging()))
    assert "said no to this tag (invalid)" in tale.now


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (facts(Told(sessions=None)), "does not answer"),
        (facts(), "Choose a connector"),
        (facts(driving=False), "take over and be one"),
        (facts(stay=stay()), "Nobody is plugged in yet"),
        (facts(stay=stay(over=True)), "The car has left"),
        (facts(stay=stay(), station_up=False), "line is down"),
        (facts(stay=stay(), bays=charging()), "the platform is told"),
    ],
)
def test_nothing_to_tell_yet(seen: object, words: str) -> None:
    assert words in tell(seen).now  # type: ignore[arg-type]
    assert FREE[0].plugged is False
