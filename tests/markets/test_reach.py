"""What is said of prices never in force, held against the selection that prices sessions."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.markets.test_lint import KWH, RULES, of, tariff

from tapwatt.core.tariff.model import Component, Element, Restrictions
from tapwatt.core.tariff.selection import Moment, candidates, first_match
from tapwatt.markets.boxes import Box, Cutter, TooManyPieces, minus, overlap
from tapwatt.markets.reach import KINDS, in_words, survey, week_in_words, week_ranges

MONDAY = datetime(2027, 1, 18, tzinfo=UTC)
MOMENTS = st.builds(
    Moment,
    local=st.integers(0, 7 * 1440 - 1).map(lambda minute: MONDAY + timedelta(minutes=minute)),
    energy_wh=st.integers(0, 32_000),
    passed_ms=st.integers(0, 1_000).map(lambda s: s * 1000),
    charging_ms=st.just(0),
    idle_ms=st.integers(0, 1_000).map(lambda s: s * 1000),
    min_power_w=st.none(),
    max_power_w=st.none(),
    min_current_a=st.none(),
    max_current_a=st.none(),
    evse_kind=st.sampled_from([None, "AC", "DC"]),
    payment_brand=st.none(),
    payment_recognition=st.none(),
).filter(lambda at: at.idle_ms <= at.passed_ms)


def contains(box: Box, at: Moment) -> bool:
    assert at.local is not None
    minute = at.local.weekday() * 1440 + at.local.hour * 60 + at.local.minute
    values: tuple[int | D, ...] = (
        minute,
        at.local.toordinal(),
        D(int(at.energy_wh)) / 1000,
        -1,
        0,
        int(at.passed_ms) // 1000,
        0,
        int(at.idle_ms) // 1000,
        KINDS.get(at.evse_kind or "", 0),
        0,
        0,
    )
    return all(low <= value < high for value, (low, high) in zip(values, box, strict=True))


@given(st.lists(RULES, min_size=1, max_size=5), MOMENTS)
def test_the_price_in_force_is_where_it_was_said_to_be(rules: list[Restrictions], at: Moment) -> None:
    component = Component(dimension=KWH, price=D(1))
    given_tariff = tariff(*(Element(components=(component,), restrictions=rule) for rule in rules))
    seen = survey(given_tariff, day=date(2027, 1, 1))
    winner = first_match(candidates(given_tariff, KWH), at)
    places = [one.place[0] for one in seen.priced if any(contains(box, at) for box in one.rest)]
    assert places == ([] if winner is None else [winner.element])
    assert any(contains(box, at) for box in seen.free[KWH]) == (winner is None)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({}, ""),
        ({"start_minute": 0, "end_minute": 0}, ""),
        ({"start_minute": 480, "end_minute": 1200, "weekdays": (0, 1)}, "Mon Tue 08:00–20:00"),
        ({"start_minute": 1320, "end_minute": 360}, "00:00–06:00 and 22:00–24:00"),
        ({"weekdays": (5, 6)}, "Sat Sun all day"),
        ({"start_minute": 1320, "end_minute": 360, "weekdays": (4,)}, "Fri 00:00–06:00 and 22:00–24:00"),
        ({"end_minute": 360, "weekdays": (4,)}, "Fri 00:00–06:00"),
    ],
)
def test_weeks_in_words(rules: dict[str, object], words: str) -> None:
    assert week_in_words(list(week_ranges(Restrictions(**rules)))) == words  # type: ignore[arg-type]


def test_gaps_are_told_together_and_not_endlessly() -> None:
    seen = survey(tariff(of(KWH, "1", min_kwh=D(1), weekdays=(0, 2), start_minute=60)), day=date(2027, 1, 1))
    words = in_words(seen.free[KWH], seen.everything, most=1)
    assert words.endswith("; and 1 more")


@pytest.mark.parametrize(
    ("other", "left"),
    [
        (((0, 10), (0, 10)), []),
        (((10, 20), (0, 10)), [((0, 10), (0, 10))]),
        (((0, 5), (0, 10)), [((5, 10), (0, 10))]),
        (((2, 4), (3, 5)), [((0, 2), (0, 10)), ((4, 10), (0, 10)), ((2, 4), (0, 3)), ((2, 4), (5, 10))]),
    ],
)
def test_a_box_is_cut(other: Box, left: list[Box]) -> None:
    box: Box = ((0, 10), (0, 10))
    assert minus(box, other) == left
    assert not any(overlap(one, two) for one in left for two in left if one is not two)


def test_cutting_is_bounded() -> None:
    with pytest.raises(TooManyPieces):
        Cutter(most_cuts=3).without([((0, 10),)], [((n, n + 1),) for n in range(0, 10, 2)])
