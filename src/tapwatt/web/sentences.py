"""Sentences that core and platform made, in the reader's words and numbers.

An alarm, a doubt, a price as it was offered, why a line stands on a bill: when a page gets one it is a
sentence, and most were stored in the step that they belong to, perhaps years ago. Core cannot put them in
words for a reader: it knows none, it must say the same in a test and in a log, and what is stored must not
depend on who looks first. Ids with arguments, stored beside or instead of the text, would leave everything
stored until then in English and change every table that keeps one. So they are read back here: `patterns`
has each sentence with its gaps, which is also its id in the catalogues. What fits none of them, such as
what a person wrote or a terminal said in its own words, is shown as it is; a wrong guess could only put the
right words for a sentence that reads the same.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Final

from tapwatt.pages.catalogue import translator
from tapwatt.pages.reader import READER
from tapwatt.pages.written import figure
from tapwatt.web.patterns import DAYS, JOINED, PATTERNS

LENGTH_MAX: Final = 600
KEPT_MAX: Final = 8_192
_DAY = f"(?:{'|'.join(DAYS)})"
GAPS: Final[Mapping[str, str]] = {
    "amount": r"-?\d+(?:\.\d+)? [A-Z]{3}",
    "number": r"-?\d+(?:\.\d+)?",
    "numbers": r"\d+(?:, \d+)*",
    "clock": r"\d\d:\d\d",
    "date": r"\d{4}-\d\d-\d\d",
    "days": rf"{_DAY}(?:(?: |, | and ){_DAY})*",
    "word": r"\S+",
    "brand": r"[A-Z][A-Z0-9_]+",
    "text": r".+",
    "told": r".+",
    "whole": r".+",
    "said": r".+",
}
_GAP = re.compile(r"\{([a-z]+)\d?\}")
say, _ = translator("tapwatt.web")


def in_words(sentence: str) -> str:
    """A sentence of ours in the reader's language; as it is when it is none, or the reader reads English."""
    reader = READER.get()
    if reader.language == "en" or not 0 < len(sentence) <= LENGTH_MAX:
        return sentence
    return _put(sentence, f"{reader.language} {reader.key}") or sentence


def fits(sentence: str) -> bool:
    """Whether a sentence is one of ours, to its end."""
    return _put(sentence, "fits") is not None


@lru_cache(maxsize=KEPT_MAX)
def _put(sentence: str, reader: str) -> str | None:
    """The sentence for this reader, who is READER at the moment; the key is what is remembered by."""
    for pattern, found in _fitting(sentence):
        told = _filled(pattern, found, reader)
        if told is not None:
            return told
    return None


def _fitting(sentence: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every pattern that the sentence may be, with what stands in its gaps."""
    for pattern, shape in _shapes():
        if found := shape.fullmatch(sentence):
            yield pattern, found.groupdict()
    for pattern in JOINED:
        joiner = pattern.removeprefix("{told}").removesuffix("{told2}")
        start = sentence.find(joiner)
        while start > 0:
            yield pattern, {"told": sentence[:start], "told2": sentence[start + len(joiner) :]}
            start = sentence.find(joiner, start + 1)


@cache
def _shapes() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The patterns as expressions: the end of a sentence first, then those that say most by themselves."""
    by_words = sorted(PATTERNS, key=lambda one: (not one.endswith("."), -len(_GAP.sub("", one))))
    return tuple((pattern, re.compile(_expression(pattern))) for pattern in by_words)


def _expression(pattern: str) -> str:
    pieces = re.split(r"(\{[a-z]+\d?\})", pattern)
    return "".join(
        f"(?P<{piece[1:-1]}>{GAPS[piece[1:-1].rstrip('0123456789')]})"
        if _GAP.fullmatch(piece)
        else re.escape(piece)
        for piece in pieces
    )


def _filled(pattern: str, found: Mapping[str, str], reader: str) -> str | None:
    filled: dict[str, str] = {}
    for name, text in found.items():
        kind = name.rstrip("0123456789")
        if kind in ("told", "whole", "said"):
            told = _put(text[:1].upper() + text[1:] if kind == "whole" else text, reader)
            if told is None and kind != "said":
                return None
            filled[name] = told or text
        else:
            filled[name] = WRITTEN.get(kind, str)(text)
    return say(pattern).format(**filled)


def _amount(text: str) -> str:
    value, _, currency = text.partition(" ")
    return f"{figure(value)} {currency}"


def _days(text: str) -> str:
    between = {
        ", ": say("{told}, {told2}").format(told="", told2=""),
        " and ": say("{told} and {told2}").format(told="", told2=""),
    }
    pieces = re.split(f"({_DAY})", text)
    return "".join(say(piece) if piece in DAYS else between.get(piece, piece) for piece in pieces)


WRITTEN: Final[Mapping[str, Callable[[str], str]]] = {"number": figure, "amount": _amount, "days": _days}
"""Gaps that are written as the reader does; all others are left alone."""
