"""Late, lost, early and repeated things that are more than one row of a table, and what must come of them."""

from dataclasses import replace
from typing import Any

from tests.core import samples as s

from tapwatt.core import effects as f
from tapwatt.core.session import decide

TAPPED = (s.offered(), s.card())
CHARGING = (*TAPPED, s.approved(), s.started())
TAG_REVERSING = (s.offered(), s.tag(), s.silent(), s.cannot_ask())


def test_an_unknown_payment_is_asked_about_again_or_a_person_hears_of_it() -> None:
    run = s.play((*TAPPED, s.silent(), s.silent(at=62), s.ticked(at=91)))
    asked_again = len(run.all(f.Ask)) > 1
    assert asked_again or run.all(f.Notify) or run.session.deadline_ms is not None


def test_the_repeat_of_a_release_is_for_the_same_amount() -> None:
    run = s.play((*TAG_REVERSING, s.not_sent(at=50, key=s.SECOND)))
    first, again = run.all(f.Release)
    assert (again.key, again.amount_minor) == (first.key, first.amount_minor) == (s.SECOND, 2500)


def test_a_reading_after_the_stop_does_not_change_the_receipt() -> None:
    run = s.play((*CHARGING, s.stopped(), s.metered(at=121, register_wh=12_000), s.captured()))
    (issued,) = run.all(f.IssueReceipt)
    assert issued.purchase.energy_wh == issued.purchase.bill.lines[0].quantity * 1000 == 8345
    assert issued.purchase.register_end_wh == 9345


def test_a_cancelled_tag_whose_car_already_charges_is_stopped() -> None:
    run = s.play((s.offered(), s.tag(), s.started(), s.stop_asked(at=20)))
    assert run.all(f.StopCharging)


def test_an_approval_for_too_little_stops_a_car_that_already_charges() -> None:
    run = s.play((s.offered(), s.tag(), s.started(at=1.5), s.approved(amount=100)))
    assert run.all(f.StopCharging)


def test_a_review_stops_a_car_that_already_charges() -> None:
    run = s.play((s.offered(), s.tag(), s.started(at=1.5), s.approved(amount=2501)))
    assert run.all(f.StopCharging)


def test_a_last_reading_with_an_older_time_is_not_dropped_in_silence() -> None:
    run = s.play((*CHARGING, s.metered(at=60), s.stopped(at=120, read_ms=s.ms(59))))
    assert run.session.state == "review" or run.all(f.Capture)[0].amount_minor == 487


def test_a_charge_without_meter_values_wakes_before_its_hold_is_used_up() -> None:
    run = s.play(CHARGING)
    # 42,874 Wh fit into the hold; 350 kW deliver them in 441 s.
    assert run.session.deadline_ms is not None
    assert run.session.deadline_ms <= s.ms(5 + 441)


def test_a_repeated_refusal_does_not_move_the_end() -> None:
    once = s.play((*TAPPED, s.declined())).session
    again, _ = decide(once, s.declined(at=500))
    assert again.closed_ms == once.closed_ms


def test_every_effect_but_a_question_has_a_key_of_its_own() -> None:
    """A question carries the key of the operation that it is about: the answer comes under that key."""
    run = s.play((*TAPPED, s.silent(), s.cannot_ask()))
    keys = [effect.key for effect in run.effects if not isinstance(effect, f.Ask)]
    assert len(keys) == len(set(keys))
    assert run.all(f.Ask)[0].key == run.all(f.Authorise)[0].key


def test_a_session_that_waits_for_its_capture_has_a_time_to_wake() -> None:
    assert s.play((*CHARGING, s.stopped())).session.deadline_ms is not None


def test_a_refund_gives_its_part_of_the_tax_back() -> None:
    run = s.play((*CHARGING, s.stopped(), s.captured(), s.refund_wanted(amount_minor=487)))
    after, effects = decide(run.session, s.refunded(amount_minor=487))
    postings = [effect.posting for effect in effects if isinstance(effect, f.Post)]
    assert after.payment is not None
    assert after.payment.refunded_minor == 487
    assert {entry.account: entry.amount_minor for entry in postings[0].entries}.get("tax") == 78


def test_a_lost_session_keeps_asking_its_station_to_stop_when_its_payment_ends_first() -> None:
    run = s.play((s.offered(), s.tag(), s.started(at=1.5), s.ticked(at=91), s.declined(at=92)))
    assert run.session.stopped_ms is None
    assert run.session.deadline_ms is not None


def test_a_person_can_give_back_a_hold_that_nobody_confirmed() -> None:
    run = s.play((*TAPPED, s.silent(), s.cannot_ask(), s.decided(amount_minor=0)))
    (release,) = run.all(f.Release)
    assert (run.session.state, release.amount_minor) == ("closing", 2500)


def test_a_review_that_cannot_ask_does_not_repeat_its_alarms_for_ever() -> None:
    events: list[Any] = [*TAPPED, s.silent(), s.cannot_ask()]
    for _ in range(10):
        session = s.play(events).session
        assert session.deadline_ms is not None
        at = session.deadline_ms / 1000
        events += [s.ticked(at=at), s.cannot_ask(at=at + 1)]
    pauses = [later.at_ms - sooner.at_ms for sooner, later in zip(events[4::2], events[6::2], strict=False)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > pauses[0]


def test_a_refund_that_stays_unanswered_is_asked_about_again() -> None:
    run = s.play((*CHARGING, s.stopped(), s.captured(), s.refund_wanted()))
    assert run.session.deadline_ms is not None


def test_a_repeated_approval_does_not_release_what_was_released() -> None:
    run = s.play((*TAPPED, s.approved(), s.start_refused(), s.released()))
    after, effects = decide(run.session, s.approved(at=75))
    assert (after, effects) == (run.session, ())


def test_an_outcome_with_a_wrong_key_never_moves_money() -> None:
    """The key says which operation an answer is about; an old one is late, whatever it says."""
    run = s.play((*CHARGING, s.stopped()))
    for late in (s.captured, s.already_captured, s.capture_refused, s.not_sent, s.silent, s.found_open):
        after, effects = decide(run.session, late(at=200, key=s.FIRST))
        assert (after, effects) == (run.session, ())


def test_a_session_keeps_what_belongs_to_its_operator_and_its_card() -> None:
    run = s.play((*CHARGING, s.stopped(), s.captured()))
    (issued,) = run.all(f.IssueReceipt)
    receipt = issued.purchase
    card = receipt.card
    assert run.session.operator_id == "op"
    assert (card.scheme, card.last_four, card.tid) == ("visa", "1111", "T0000001")
    assert (receipt.hold_minor, receipt.captured_minor, receipt.released_minor) == (2500, 487, 2013)
    assert (receipt.started_ms, receipt.ended_ms) == (s.ms(5), s.ms(120))
    assert receipt.bill.gross_minor == 487


def test_money_effects_carry_the_terminals_keys_to_the_hold() -> None:
    run = s.play((*CHARGING, s.stopped()))
    authorise, capture = run.all(f.Authorise)[0], run.all(f.Capture)[0]
    assert (authorise.receipt, authorise.terminal_id, authorise.reference) == (None, "T1", "R1")
    assert (capture.receipt, capture.trace, capture.tid) == ("0001", "000001", "T0000001")
    assert (capture.leader, capture.hold_minor, capture.amount_minor) == ("terminal", 2500, 487)


def test_a_tag_is_led_by_its_account_and_started_by_its_station() -> None:
    run = s.play((s.offered(), s.tag(), s.approved()))
    (authorise,) = run.all(f.Authorise)
    assert (authorise.leader, authorise.account_id, authorise.terminal_id) == ("account", "A1", None)
    assert run.session.id_token == "04A2B3C4"
    assert run.all(f.StartCharging) == []


def test_the_screen_says_price_and_hold_before_the_tap_and_the_bill_at_the_end() -> None:
    run = s.play((*CHARGING, s.stopped(), s.captured()))
    shown = [effect.lines for effect in run.all(f.ShowOnTerminal)]
    assert shown[0] == ("0.58 EUR/kWh", "Hold 25.00 EUR", "Tap card")
    assert shown[-1] == ("Paid 4.87 EUR", "8.345 kWh", "Thank you")


def test_a_refusal_is_shown_in_words() -> None:
    run = s.play((*TAPPED, s.declined()))
    assert run.all(f.ShowOnTerminal)[-1].lines == ("Not approved", "do not honour", "No charge was made")


def test_nothing_is_shown_where_there_is_no_terminal() -> None:
    run = s.play((s.offered(terminal_id=None), s.tag(), s.approved(), s.started(), s.stopped(), s.captured()))
    assert run.all(f.ShowOnTerminal) == []


def test_the_stop_is_asked_ever_later() -> None:
    events: list[Any] = [*CHARGING, s.stop_asked()]
    waits = []
    for _ in range(8):
        session = s.play(events).session
        assert session.deadline_ms is not None
        waits.append(session.deadline_ms - events[-1].at_ms)
        events.append(replace(s.ticked(), at_ms=session.deadline_ms))
    assert waits == [s.ms(30 * 2**tries) for tries in (0, 1, 2, 3, 4, 5, 5, 5)]
