"""Store-and-forward as a table."""

from __future__ import annotations

import pytest

from tapwatt.rails.forward import DEMO_RULES, Again, Done, Park, RetryRules, Verdict, next_step


@pytest.mark.parametrize(
    ("mti", "answer", "verdict"),
    [
        ("0220", "00", Done(code="00")),
        ("0221", "00", Done(code="00")),
        ("0420", "00", Done(code="00")),
        ("0420", "25", Done(code="25")),
        ("0421", "25", Done(code="25")),
        ("0400", "00", Done(code="00")),
        ("0220", "25", Park(reason="refused with response code 25")),
        ("0420", "21", Park(reason="refused with response code 21")),
        ("0220", "94", Park(reason="refused with response code 94")),
        ("0220", "30", Park(reason="refused with response code 30")),
        ("0220", "ZZ", Park(reason="refused with response code ZZ")),
        ("0220", None, Again(after_ms=10_000, as_mti="0221")),
        ("0420", None, Again(after_ms=10_000, as_mti="0421")),
        ("0400", None, Again(after_ms=10_000, as_mti="0401")),
        ("0421", "91", Again(after_ms=10_000, as_mti="0421")),
        ("0220", "96", Again(after_ms=10_000, as_mti="0221")),
        ("0220", "68", Again(after_ms=10_000, as_mti="0221")),
    ],
)
def test_what_an_answer_means(mti: str, answer: str | None, verdict: Verdict) -> None:
    assert next_step(mti=mti, attempts=1, answer=answer, jitter=0.0) == verdict


def waits(rules: RetryRules, attempts: int, jitter: float = 0.0) -> list[int]:
    steps = [
        next_step(mti="0420", attempts=count, answer=None, jitter=jitter, rules=rules)
        for count in range(1, attempts + 1)
    ]
    return [step.after_ms for step in steps if isinstance(step, Again)]


def test_waiting_doubles_from_ten_seconds_to_five_minutes() -> None:
    expected = [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]
    assert waits(RetryRules(), 8) == expected
    assert waits(RetryRules(), 8, jitter=0.5) == [wait + wait // 10 for wait in expected]


def test_the_demo_tries_sooner() -> None:
    assert waits(DEMO_RULES, 7) == [1_000, 1_000, 2_000, 5_000, 10_000, 20_000, 40_000]


def test_what_never_left_is_not_a_repeat() -> None:
    step = next_step(mti="0220", attempts=0, answer=None, jitter=0.0, sent=False, rules=DEMO_RULES)
    assert step == Again(after_ms=1_000, as_mti="0220")
    assert next_step(mti="0220", attempts=0, answer=None, jitter=0.0, sent=False) == Again(
        after_ms=10_000, as_mti="0220"
    )


def test_it_does_not_go_on_for_ever() -> None:
    rules = RetryRules(attempts=3)
    assert next_step(mti="0420", attempts=3, answer=None, jitter=0.0, rules=rules) == Park(
        reason="no final answer after 3 attempts"
    )
    assert waits(RetryRules(), 1_000, jitter=0.99)[-1] < 360_000
