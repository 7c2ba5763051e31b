"""The view model: what the templates are given, from facts alone."""

from itertools import pairwise
from typing import Any

import pytest
from tests.sim.forecourt.scenes import HOLD, SCREEN, charging, facts, session, stated, stay

from tapwatt.pages.layout import environment, render
from tapwatt.rails.sandbox import cards
from tapwatt.sim.forecourt.facts import Facts, Told
from tapwatt.sim.forecourt.lines import LINES
from tapwatt.sim.forecourt.media import media, medium
from tapwatt.sim.forecourt.page import PIECES
from tapwatt.sim.forecourt.picture import BAR, choices, next_act, picture
from tapwatt.sim.forecourt.switches import SWITCHES, Kind, switch

CHARGING = Told(
    session=session("charging", authorised_minor=HOLD),
    parties={
        "issuer": stated(HOLD),
        "scheme": None,
        "ledger": stated(HOLD),
        "session": stated(HOLD, 117, 2_383),
    },
)


def drawn(seen: Facts) -> Any:
    """The picture of these facts."""
    return picture(seen)


@pytest.mark.parametrize(("delivered_wh", "percent"), [(0, 20), (500, 35), (2_000, 80), (9_000, 80)])
def test_a_battery_fills_from_what_is_delivered(delivered_wh: int, percent: int) -> None:
    bay = drawn(facts(CHARGING, stay=stay(), bays=charging(delivered_wh)))["bays"][0]
    assert (bay["percent"], bay["cost"], bay["charging"]) == (percent, "1.17 EUR", True)


def test_each_party_states_its_own_and_silence_is_seen() -> None:
    rows = {row["party"]: row for row in drawn(facts(CHARGING, stay=stay()))["money"]["rows"]}
    assert list(rows) == ["issuer", "scheme", "acquirer", "gateway", "ledger", "session"]
    assert rows["issuer"]["words"] == "25.00 EUR held"
    assert rows["scheme"]["words"] == "does not answer"
    assert rows["acquirer"]["words"] == "not asked"
    assert rows["session"]["words"] == "1.17 EUR taken, 23.83 EUR back"
    assert [bar["name"] for bar in rows["session"]["bars"]] == ["captured", "released"]
    for row in rows.values():
        for left, right in pairwise(row["bars"]):
            assert left["x"] + left["width"] == right["x"]
        assert sum(bar["width"] for bar in row["bars"]) <= BAR


def test_a_cut_line_stands_where_the_money_passes() -> None:
    cut = frozenset(line.name for line in LINES)
    rows = drawn(facts(CHARGING, stay=stay(), on=cut))["money"]["rows"]
    assert {row["party"]: len(row["cut"]) for row in rows} == {
        "issuer": 0, "scheme": 1, "acquirer": 1, "gateway": 1, "ledger": 3, "session": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "bays", "act"),
    [
        ("offered", charging(), "tap"),
        ("charging", charging(), "stop"),
        ("closed", charging(), "pull"),
        ("failed", charging(), "pull"),
        ("authorising", charging(), ""),
        ("ready", None, "plug"),
    ],
)
def test_the_next_thing_to_do_stands_out(state: str, bays: Any, act: str) -> None:
    seen = facts(Told(session=session(state)), stay=stay())
    assert next_act(seen if bays is None else facts(seen.told, stay=stay(), bays=bays)) == act


def test_nothing_is_next_before_a_visitor_has_the_site() -> None:
    assert next_act(facts()) == "plug"
    assert next_act(facts(driving=False)) == ""
    assert next_act(facts(busy=True)) == ""
    assert next_act(facts(stay=stay(over=True))) == "plug"


@pytest.mark.parametrize(
    ("shown", "states"),
    [
        (None, ["now", "", "", "", ""]),
        (session("offered"), ["done", "now", "", "", ""]),
        (session("charging"), ["done", "done", "done", "now", ""]),
        (session("closed", captured_minor=1), ["done"] * 5),
        (session("failed"), ["done", "done", "missed", "missed", "missed"]),
        (session("closed"), ["done", "done", "missed", "missed", "missed"]),
    ],
)
def test_how_far_a_visit_is(shown: Any, states: list[str]) -> None:
    seen = facts(Told(session=shown), stay=stay())
    assert [step["state"] for step in drawn(seen)["steps"]] == states


def test_a_switch_says_what_it_does_and_why_it_cannot() -> None:
    groups = drawn(facts(on=frozenset({"scheme-issuer"}), out_of_reach={"disk-full": "No disk."}))["switches"]
    listed = {each["key"]: each for group in groups for each in group["switches"]}
    assert list(listed) == [each.key for each in SWITCHES]
    assert (listed["scheme-issuer"]["on"], listed["scheme-issuer"]["press"]) == (True, "Put right")
    assert listed["disk-full"]["unable"] == "No disk."
    assert {each.key for each in SWITCHES if each.kind is Kind.LINE} == {line.name for line in LINES}
    assert switch("nothing") is None


def test_every_card_is_offered_masked_with_its_outcome() -> None:
    offered = {each.card: each for each in media() if each.card}
    assert set(offered) == {card.name for card in cards()}
    for card in cards():
        shown = offered[card.name]
        assert shown.marked.endswith(card.last_four)
        assert card.pan not in f"{shown}"
        assert shown.foretold == card.shows
        assert shown.title != card.name, "a title in plain words"
    assert medium("nothing") is None


def test_the_group_of_what_is_in_the_hand_is_open() -> None:
    still = choices("visa-forged", 1, (1, 2))
    assert [group["open"] for group in still["groups"]] == [True, False, True, False]
    assert choices("", 1, (1, 2))["chosen"] == "visa-good"


@pytest.mark.parametrize(
    "seen",
    [
        facts(),
        facts(driving=False),
        facts(Told(sessions=None)),
        facts(CHARGING, stay=stay(), bays=charging()),
        facts(CHARGING, stay=stay(), bays=charging()[:1], holding="Good card"),
        facts(device=SCREEN.__class__(screen=(), reading=False, doing="", edge=False, gateway=False)),
    ],
    ids=["free", "automatic", "no platform", "charging", "one connector", "dark terminal"],
)
def test_every_piece_can_be_drawn(seen: Facts) -> None:
    env = environment("tapwatt.sim.forecourt")
    for name in PIECES:
        assert render(env, f"pieces/{name}.html", console="http://x/", **drawn(seen)).strip()
