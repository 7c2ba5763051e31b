"""What core, platform and markets can say fits a pattern; each is said in every language, with numbers."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.tariff.generated import tariffs, usages

import tapwatt
from tapwatt.core.hold import HoldPolicy, hold_sentence
from tapwatt.core.session import Reason
from tapwatt.core.tariff.described import described
from tapwatt.core.tariff.model import Tariff
from tapwatt.core.tariff.pricing import price
from tapwatt.core.tariff.quotes import quote_sentence
from tapwatt.core.tariff.shown import limit_sentence, price_sentence
from tapwatt.core.tariff.usage import Usage
from tapwatt.markets.findings import Where
from tapwatt.markets.jurisdictions import rules
from tapwatt.markets.lint import lint
from tapwatt.pages.catalogue import catalogue
from tapwatt.pages.reader import READER, Reader
from tapwatt.web.patterns import JOINED, PATTERNS
from tapwatt.web.sentences import LENGTH_MAX, fits, in_words

PACKAGE = Path(tapwatt.__file__).parent
SAYING = (
    "core/energy.py", "core/payment_steps.py", "core/session_ends.py", "core/session_moves.py",
    "core/session_steps.py", "platform/accounts.py", "edge/rows.py",
)  # fmt: skip
"""Files whose every string with a space in it reaches a person: an alarm, a doubt, why something ended."""
GERMAN = Reader(language="de", locale="de_DE", time_zone="Europe/Berlin")
CHINESE = Reader(language="zh", locale="zh_Hans_CN", time_zone="Europe/Berlin")
AMOUNTS = st.integers(0, 100_000)


def said_in(path: Path) -> Iterator[str]:
    """The strings of a file that are no docstring and no programming error, gaps filled with a word."""
    tree = ast.parse(path.read_text("utf-8"))
    left_out: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise | ast.Expr) and not isinstance(getattr(node, "value", None), ast.Yield):
            left_out |= {id(inner) for inner in ast.walk(node)}
        if isinstance(node, ast.JoinedStr):
            left_out |= {id(inner) for inner in node.values}
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.JoinedStr):
            pieces = [
                piece.value if isinstance(piece, ast.Constant) else _sample(piece) for piece in node.values
            ]
            yield "".join(str(piece) for piece in pieces)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _sample(piece: ast.expr) -> str:
    """A number where the code says it is one."""
    said = ast.unparse(piece)
    return "12" if any(name in said for name in ("_wh", "_ms", "_minor", "_s}")) else "x"


@pytest.mark.parametrize("name", SAYING)
def test_whatever_the_machines_say_has_a_pattern(name: str) -> None:
    wanted = [text for text in said_in(PACKAGE / name) if " " in text.strip() and text != "; "]
    assert wanted
    assert [text for text in wanted if not fits(text)] == []


@pytest.mark.parametrize("language", ["de", "zh"])
def test_every_pattern_is_said_with_its_own_gaps(language: str) -> None:
    known = catalogue("tapwatt.web", language)
    for pattern in (*PATTERNS, *JOINED):
        said = known[pattern]
        assert isinstance(said, str)
        assert _gaps(said) == _gaps(pattern), pattern


def _gaps(text: str) -> list[str]:
    return sorted(piece.partition("}")[0] for piece in text.split("{")[1:])


@given(tariffs(), usages())
def test_whatever_a_tariff_says_has_a_pattern(tariff: Tariff, usage: Usage) -> None:
    moment = {"at_ms": usage.started_ms, "time_zone": usage.time_zone}
    said = [price_sentence(tariff, evse_kind=usage.evse_kind, **moment), limit_sentence(tariff, 1200)]  # type: ignore[arg-type]
    said += described(replace(tariff, valid_to_ms=usage.started_ms))
    said += [line.why for line in price(tariff, usage).lines]
    assert [text for text in said if len(text) <= LENGTH_MAX and not fits(text)] == []


WHERES = [
    Where(day=date(2027, 1, 15), now_ms=1_800_014_400_000, country=country, power_w=power_w, evse_kind="DC")
    for country, power_w in (("DE", 150_000), ("GB", 50_000), ("US", None), ("", None))
]


@given(tariffs(), st.none() | st.sampled_from([Decimal("1.005"), Decimal(1)]))
def test_whatever_the_linter_finds_has_a_pattern(tariff: Tariff, hold: Decimal | None) -> None:
    found = lint(replace(tariff, preauthorise=hold, valid_from_ms=0, valid_to_ms=1), WHERES)
    assert [one.text for one in found if len(one.text) <= LENGTH_MAX and not fits(one.text)] == []


def test_every_rule_of_law_has_its_words() -> None:
    assert [rule.text for rule in rules() if rule.text not in PATTERNS] == []


@given(AMOUNTS, AMOUNTS, AMOUNTS, st.integers(0, 90_000), st.lists(AMOUNTS, max_size=3))
def test_whatever_a_hold_says_has_a_pattern(
    minor: int, step: int, most: int, covers_wh: int, choices: list[int]
) -> None:
    policy = HoldPolicy(
        amount_minor=minor,
        least_minor=0,
        covers_wh=covers_wh,
        step_minor=step,
        most_minor=most,
        choices_minor=tuple(choices),
    )
    assert fits(hold_sentence(policy, currency="EUR"))


@given(tariffs(), st.integers(1, 500_000), st.integers(0, 90))
def test_whatever_a_quote_says_has_a_pattern(tariff: Tariff, energy_wh: int, parked: int) -> None:
    assert fits(
        quote_sentence(tariff, at_ms=0, energy_wh=energy_wh, charging_ms=1_500_000, idle_ms=parked * 60_000)
    )


@pytest.mark.parametrize(
    ("english", "german", "chinese"),
    [
        ("0.58 EUR/kWh", "0,58 EUR/kWh", "0.58 EUR/kWh"),
        ("Hold 60.00 EUR (103 kWh) or 20.00 EUR, 30.00 EUR",
         "Reservierung 60,00 EUR (103 kWh) oder 20,00 EUR, 30,00 EUR",
         "预授权 60.00 EUR（103 kWh）或 20.00 EUR、30.00 EUR"),
        ("session s-1: register fell from 100 Wh to 90 Wh; the stop could not be proved",
         "Sitzung s-1: Zählerstand fiel von 100 Wh auf 90 Wh; das Ende ließ sich nicht beweisen",
         "会话 s-1：电表读数从 100 Wh 降到 90 Wh；停止无法证实"),
        ("0.40 EUR/kWh (22:00–06:00, Sat Sun) + 0.10 EUR/min parked",
         "0,40 EUR/kWh (22:00–06:00, Sa So) + 0,10 EUR/min im Stand",
         "0.40 EUR/kWh（22:00–06:00、周六 周日） + 停放 0.10 EUR/分钟"),
        ("Energy costs 0.39 EUR per kWh from 22:00 to 06:00 and on Mon, Tue and Wed, filled up to whole "
         "steps of 5 minutes.",
         "Energie kostet 0,39 EUR je kWh von 22:00 bis 06:00 Uhr und am Mo, Di und Mi, aufgefüllt auf ganze "
         "Stufen von 5 Minuten.",
         "22:00 至 06:00 和周一、周二和周三电量每 kWh 0.39 EUR，按 5 分钟一档补足。"),
        ("decided by anna: as agreed, on the phone", "entschieden von anna: as agreed, on the phone",
         "anna 决定：as agreed, on the phone"),
        ("Kartenleser verklebt, bitte putzen", "Kartenleser verklebt, bitte putzen",
         "Kartenleser verklebt, bitte putzen"),
    ],
)  # fmt: skip
def test_a_sentence_is_said_as_the_reader_says_it(english: str, german: str, chinese: str) -> None:
    assert in_words(english) == english
    for reader, said in ((GERMAN, german), (CHINESE, chinese)):
        token = READER.set(reader)
        try:
            assert in_words(english) == said
        finally:
            READER.reset(token)


def test_a_long_text_is_nobodys_sentence() -> None:
    token = READER.set(GERMAN)
    try:
        text = "free, " * 200 + "free"
        assert in_words(text) == text
    finally:
        READER.reset(token)


def test_every_reason_has_its_word() -> None:
    for language in ("de", "zh"):
        assert [one for one in Reason if one and one.value not in catalogue("tapwatt.web", language)] == []
