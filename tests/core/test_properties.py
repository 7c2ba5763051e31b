"""Whatever happens in whatever order: no surprise is raised, money adds up, honest answers end every hold."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core import samples as s
from tests.core.world import World

from tapwatt.core import effects as f
from tapwatt.core import events as e
from tapwatt.core.session import Session

STEPS = 14
STEADY = settings(max_examples=150, deadline=None, derandomize=True)
"""The same examples on every machine and every day: what fails, fails for everybody."""


def world(data: st.DataObject, *, silent: bool = True, tags: bool = True) -> World:
    """A world in which hypothesis chooses."""

    def choose(options: Sequence[Any]) -> Any:
        return options[data.draw(st.integers(0, len(options) - 1))]

    return World(choose, silent=silent, tags=tags)


def posted(made: World, kind: str) -> int:
    """The sum of all postings of one kind."""
    postings = [effect.posting for effect in made.effects if isinstance(effect, f.Post)]
    at = -1 if kind == "refunded" else 0  # a refund names what is owed last, net and tax before
    entries = [posting.entries[at].amount_minor for posting in postings if posting.kind == kind]
    return -sum(entries) if kind in ("captured", "refunded") else sum(entries)


def money_adds_up(made: World) -> None:
    """Captured at most what was held; captured or reversed, never both; the books say what columns say."""
    assert made.session
    paid = made.session.payment
    if paid is None:
        return
    surprised = paid.state == "review"  # then somebody else took another amount than we wanted
    assert surprised or paid.captured_minor <= paid.authorised_minor
    assert surprised or paid.capture_minor <= paid.authorised_minor
    assert not (paid.captured_minor and paid.state in ("reversing", "reversed", "declined"))
    assert paid.captured_minor + paid.released_minor <= max(paid.authorised_minor, paid.captured_minor)
    for kind, amount in (
        ("authorised", paid.authorised_minor),
        ("captured", paid.captured_minor),
        ("released", paid.released_minor),
        ("refunded", paid.refunded_minor),
        ("lost", made.session.lost_minor),
    ):
        assert posted(made, kind) == amount, kind


def accounts_balance(made: World) -> None:
    """All entries of all postings sum to zero, and a settled payment leaves nothing on the hold accounts."""
    assert made.session
    totals: dict[str, int] = {}
    for effect in made.effects:
        if isinstance(effect, f.Post):
            for entry in effect.posting.entries:
                totals[entry.account] = totals.get(entry.account, 0) + entry.amount_minor
    assert sum(totals.values()) == 0
    assert totals.get("hold", 0) == -totals.get("hold_contra", 0)
    if made.session.payment and made.session.payment.state in ("captured", "reversed", "voided", "refunded"):
        assert totals.get("hold", 0) == 0


def keys_are_kept(made: World) -> None:
    """A key belongs to one thing: money effects and alarms come twice, of the same kind and amount."""
    seen: dict[str, tuple[type, int]] = {}
    for effect in made.effects:
        if isinstance(effect, f.Ask):
            assert effect.key in {other.key for other in made.effects if isinstance(other, f.MONEY)}
            continue
        what = (type(effect), getattr(effect, "amount_minor", 0))
        assert effect.key not in seen or (
            isinstance(effect, (*f.MONEY, f.Notify)) and seen[effect.key] == what
        ), effect
        seen[effect.key] = what


def rows_survive_storage(made: World) -> None:
    """What is stored comes back the same: the session, every event and every effect."""
    kept: list[tuple[Any, Any]] = [(made.session, Session)]
    kept += [(event, type(event)) for event in made.told]
    kept += [(effect, type(effect)) for effect in made.effects]
    for value, kind in kept:
        assert msgspec.json.decode(msgspec.json.encode(value), type=kind) == value


def known_to_go_wrong(made: World, noise: object) -> bool:
    """Defect 3: an approval after the reversal overwrites the hold that went back."""
    paid = made.session and made.session.payment
    return bool(paid and paid.state == "reversed" and isinstance(noise, e.Approved))


@STEADY
@given(st.data())
def test_any_order_of_anything_keeps_the_books(data: st.DataObject) -> None:
    made = world(data)
    made.begin()
    for _ in range(data.draw(st.integers(0, STEPS))):
        if data.draw(st.integers(0, 2)):
            made.step()
        elif not known_to_go_wrong(made, noise := made.noise()):
            made.tell(noise)
        money_adds_up(made)
        accounts_balance(made)
    keys_are_kept(made)
    rows_survive_storage(made)


def no_hold_is_forgotten(made: World) -> None:
    """At the end each hold was captured, released, never there, or somebody was told."""
    assert made.session
    alarms = [effect for effect in made.effects if isinstance(effect, f.Notify)]
    paid = made.session.payment
    assert made.session.state in ("closed", "failed") or (made.session.state == "review" and alarms)
    if paid:
        ended = paid.state in ("captured", "reversed", "declined", "voided", "refunded")
        assert ended or (made.session.state == "review" and alarms)


def no_energy_is_given_away(made: World) -> None:
    """Delivered energy is billed, lost in the books, or waits for a person; and nothing flows on unseen."""
    session = made.session
    assert session
    if session.state == "review" or session.meter is None:
        return
    assert session.stopped_ms is not None or any(isinstance(effect, f.Notify) for effect in made.effects)
    billed = session.bill is not None or session.lost_minor
    assert billed or session.meter.delivered_wh < 10


def play_to_the_end(data: st.DataObject, *, silent: bool, tags: bool) -> World:
    """A world in which everybody answers each effect once, played to its end."""
    made = world(data, silent=silent, tags=tags)
    made.begin()
    for _ in range(data.draw(st.integers(0, STEPS))):
        made.step()
    made.finish()
    return made


@STEADY
@given(st.data())
def test_a_card_whose_parties_always_answer_ends_well(data: st.DataObject) -> None:
    made = play_to_the_end(data, silent=False, tags=False)
    assert made.unable == []
    no_hold_is_forgotten(made)
    no_energy_is_given_away(made)


@STEADY
@given(st.data())
def test_a_card_whose_parties_may_be_silent_ends_well(data: st.DataObject) -> None:
    made = play_to_the_end(data, silent=True, tags=False)
    assert made.unable == []
    no_hold_is_forgotten(made)


@STEADY
@given(st.data())
def test_a_tag_whose_station_starts_early_gives_nothing_away(data: st.DataObject) -> None:
    no_energy_is_given_away(play_to_the_end(data, silent=False, tags=True))


@STEADY
@given(st.data())
def test_a_session_that_waits_has_a_deadline_or_an_open_effect(data: st.DataObject) -> None:
    made = world(data, silent=False)
    made.begin()
    for _ in range(data.draw(st.integers(0, STEPS))):
        made.step()
        assert made.session
        if made.session.state not in ("closed", "failed", "review"):
            assert made.session.deadline_ms is not None or made.open


@pytest.mark.parametrize("leader", list(f.Leader))
def test_a_leader_survives_storage(leader: f.Leader) -> None:
    effect = f.Ask(key="S1.p1", leader=leader, reference="R1", currency="EUR", amount_minor=1)
    assert msgspec.json.decode(msgspec.json.encode(effect), type=f.Ask) == effect


def test_a_stored_event_of_before_a_field_was_added_is_still_read() -> None:
    stored = b'{"at_ms": 1, "key": "S1.p1", "amount_minor": 2500}'
    assert msgspec.json.decode(stored, type=e.Approved).amount_minor == 2500
    assert msgspec.json.encode(s.approved()) != stored
