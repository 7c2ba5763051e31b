"""Store-and-forward: what to do with a message that must arrive (completion, reversal), given how it went
so far.

Pure rules; each host keeps the item itself in its own tables. Never dropped silently: an item ends
answered or parked with a reason. A silent partner gets repeats (0221, 0421) until it answers.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from tapwatt.rails.mti import first_of, repeat_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRules:
    """Waiting times: the `early_ms` ones first, then doubling from `first_ms` up to `most_ms`, each plus
    jitter.
    """

    early_ms: tuple[int, ...] = ()
    first_ms: int = 10_000
    most_ms: int = 300_000
    attempts: int = 1_000  # then it is parked; at five minutes each that is three and a half days
    jitter_percent: int = 20


DEMO_RULES = RetryRules(early_ms=(1_000, 1_000, 2_000, 5_000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Answered for good with this code."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Send it after this time as this message type."""

    after_ms: int
    as_mti: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Park:
    """Do not send it any more; a person looks at it, with this reason."""

    reason: str


Verdict = Done | Again | Park


def next_step(
    *,
    mti: str,
    attempts: int,
    answer: str | None,
    jitter: float,
    sent: bool = True,
    rules: RetryRules | None = None,
) -> Verdict:
    """What comes next after `attempts` sendings of a message of type `mti`.

    `answer` is field 39 of the last answer, None when there was none. `jitter` is chance between 0 and 1.
    `sent` is False while nothing has left this host yet (link down): then the first sending is still to
    come, under its own type.
    """
    rules = RetryRules() if rules is None else rules
    if answer is not None and answer in _table().done.get(first_of(mti), ()):
        return Done(code=answer)
    if answer is not None and answer not in _table().retry:
        return Park(reason=f"refused with response code {answer}")
    if attempts >= rules.attempts:
        return Park(reason=f"no final answer after {attempts} attempts")
    return Again(after_ms=_wait_ms(rules, attempts, jitter), as_mti=repeat_of(mti) if sent else mti)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Codes:
    retry: frozenset[str]
    done: Mapping[str, frozenset[str]]


@lru_cache(maxsize=1)
def _table() -> _Codes:
    text = files(__package__).joinpath("forward.toml").read_text(encoding="utf-8")
    data: dict[str, Any] = tomllib.loads(text)
    done = {mti: frozenset(codes) for mti, codes in data["done"].items()}
    return _Codes(retry=frozenset(data["retry"]), done=done)


def _wait_ms(rules: RetryRules, attempts: int, jitter: float) -> int:
    if attempts <= len(rules.early_ms):
        base_ms = rules.early_ms[max(attempts, 1) - 1] if rules.early_ms else rules.first_ms
    else:
        doublings = min(attempts - len(rules.early_ms) - 1, 32)
        base_ms = min(rules.first_ms * 2**doublings, rules.most_ms)
    return base_ms + int(base_ms * rules.jitter_percent * jitter) // 100
