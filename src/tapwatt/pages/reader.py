"""Who reads a page: language, the form of numbers and dates, the time zone. Set once for a request, read by
whatever is drawn in it.

It stands in a context variable, because every filter of every template needs it and none decides by it.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass

LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch", "zh": "中文"}
"""The languages of the pages, each by its own name."""
LOCALES = {"en": "en_GB", "de": "de_DE", "zh": "zh_Hans_CN"}
REGIONS = {"en-us": "en_US", "de-at": "de_AT", "de-ch": "de_CH"}
"""Where a region writes numbers or dates otherwise than its language usually does."""
TAGS = {"zh": "zh-Hans"}
COOKIE = "tapwatt_language"
ACCEPTED_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How somebody reads."""

    language: str = "en"
    locale: str = "en_GB"
    time_zone: str = "UTC"

    @property
    def tag(self) -> str:
        """The language as HTML names it."""
        return TAGS.get(self.language, self.language)

    @property
    def key(self) -> str:
        """Equal for all who are shown the same."""
        return f"{self.locale} {self.time_zone}"


READER: ContextVar[Reader] = ContextVar("reader", default=Reader())  # noqa: B039 - frozen


def reader_of(accepted: str, chosen: str | None, *, time_zone: str) -> Reader:
    """The reader behind a request: the language that was chosen, else the first accepted that we have, in
    English if there is none."""
    wishes = [chosen] if chosen and chosen in LANGUAGES else []
    for wish in (*wishes, *_by_wish(accepted)):
        language = wish.split("-")[0]
        if language in LANGUAGES:
            locale = REGIONS.get(_region(wish, accepted), LOCALES[language])
            return Reader(language=language, locale=locale, time_zone=time_zone)
    return Reader(time_zone=time_zone)


def _region(wish: str, accepted: str) -> str:
    """A language that was chosen by its name alone is written as in the region that the browser names."""
    if "-" in wish:
        return wish
    return next((tag for tag in _by_wish(accepted) if tag.startswith(f"{wish}-")), wish)


def _by_wish(accepted: str) -> list[str]:
    """The languages of an Accept-Language header (RFC 9110, 12.5.4), the dearest first."""
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted.split(",")[:ACCEPTED_MAX]):
        tag, _, quality = part.partition(";")
        name = tag.strip().lower()
        weight = _weight(quality)
        if name and weight > 0:
            weighed.append((-weight, place, name))
    return [name for _, _, name in sorted(weighed)]


def _weight(quality: str) -> float:
    name, _, value = quality.replace(" ", "").partition("=")
    if name != "q":
        return 1.0
    try:
        return min(1.0, float(value))
    except ValueError:
        return 0.0
